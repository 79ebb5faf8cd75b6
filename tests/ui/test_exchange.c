/* test_exchange.c - what the window writes against the command line and back: every file passes
 * `safelight replay --verify`, and comparisons of either open in the other.
 *
 * The tests run in order in one process, each from where the one before left the window.
 */
#include "exchange.h"

#include "app/record/lanes_file.h"
#include "ui/compare/sl-lane-text.h"
#include "ui/compare/sl-lane-view.h"
#include "ui/exchange/sl-intake.h"

#include <string.h>

/* Without the toast that offers to take it back: the next one would wait for it. */
static void clear_lanes(void)
{
    while (count_lanes() > 0)
        sl_comparison_remove(comparison, count_lanes() - 1);
}

/* Four schedulers, a branch, and a branch of that; heun evaluates most steps twice. */
static void make_lanes(void)
{
    g_autoptr(SlSettings) values = NULL;

    g_object_set(workspace->recipe, "steps", 10, "seed", (guint64)3, "prompt", "a red house", NULL);
    act_with("win.compare-preset", "four");
    act_with("win.compare-add", "heun");
    WAIT_UNTIL(is_over());
    values = sl_settings_dup(workspace->recipe);
    sl_comparison_set_align(comparison, SL_ALIGN_EVALUATIONS);
    g_object_set(values, "scheduler", "euler", "steps", 14, NULL);
    branch_at(1, 4, sl_own("scheduler") | sl_own("steps"), values);
    g_object_set(values, "guidance", 2.0, NULL);
    branch_at(5, 8, sl_own("guidance"), values);
    sl_comparison_move(comparison, G_MAXINT);
    g_assert_cmpuint(count_lanes(), ==, 7);
}

/* Sheets of the ends and of a place in the middle, where the branch of the branch has not begun. */
static void test_sheet(void)
{
    g_autofree char *ends = path_of("ends.png");
    g_autofree char *middle = path_of("middle.png");

    make_lanes();
    save_as("sheet", ends);
    VERIFIES(ends);
    sl_comparison_set_position(comparison, 6);
    save_as("sheet", middle);
    VERIFIES(middle);
    sl_comparison_move(comparison, G_MAXINT);
}

static void test_animation(void)
{
    static const char *const names[] = {"steps.webp", "sigmas.webp", "evaluations.webp"};

    if (!sl_export_has_animations()) {
        g_test_skip("this build has no animations");
        return;
    }
    for (SlAlign align = SL_ALIGN_STEPS; align <= SL_ALIGN_EVALUATIONS; align++) {
        g_autofree char *path = path_of(names[align]);

        sl_comparison_set_align(comparison, align);
        save_as("animation", path);
        VERIFIES(path);
    }
}

/* Of every format that this build writes; what it does not is refused with the reason. */
static void test_formats(void)
{
    for (guint i = 0; i < sl_export_count_formats(); i++) {
        SlExportFormat format = sl_export_nth_format(i);
        g_autofree char *name = g_strconcat("lanes", format.ending, NULL);
        g_autofree char *path = path_of(name);

        if (!format.lacks) {
            save_as("animation", path);
            continue;
        }
        g_assert_true(gtk_widget_activate_action(GTK_WIDGET(window), "win.compare-save-to", "(ss)",
                                                 "animation", path));
        WAIT_UNTIL(find_dialog());
        g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
        close_dialog();
    }
}

/* The page that asks offers what can be written, and remembers what was chosen. */
static void test_asking(void)
{
    guint can = 0;
    GtkWidget *page;

    for (guint i = 0; i < sl_export_count_formats(); i++)
        can += sl_export_nth_format(i).lacks == NULL;
    if (can == 0)
        return;
    act_with("win.compare-save", "animation");
    WAIT_UNTIL(find_dialog());
    page = find_named(GTK_WIDGET(find_dialog()), "animation-page");
    g_assert_nonnull(page);
    g_assert_cmpuint(g_list_model_get_n_items(adw_combo_row_get_model(part(page, "format"))), ==,
                     can);
    g_assert_true(gtk_switch_get_active(part(page, "captions")));
    screenshot("exchange-6-animation");
    adw_combo_row_set_selected(part(page, "format"), can - 1);
    gtk_spin_button_set_value(part(page, "ms"), 200);
    adw_combo_row_set_selected(part(page, "size"), 1);
    g_signal_emit_by_name(part(page, "save"), "clicked");
    g_assert_cmpuint(g_settings_get_uint(preferences, "animation-ms"), ==, 200);
    g_assert_cmpuint(g_settings_get_uint(preferences, "animation-size"), ==, 256);
    close_dialog(); /* that asks for the path */
    g_settings_reset(preferences, "animation-ms");
    g_settings_reset(preferences, "animation-size");
    g_settings_reset(preferences, "animation-format");
}

/* Names say what differs, files are called after it, and sigma is the one that the model was asked at. */
static void test_words(void)
{
    static const char *const names[] = {"PNDM", "DDIM", "DPM++ 2M", "UniPC", "Heun"};
    g_autofree char *file = sl_comparison_dup_file_name(comparison, ".png");

    for (guint i = 0; i < count_lanes(); i++) {
        g_autofree char *name = sl_comparison_dup_lane_name(comparison, i, workspace->recipe);
        SlJob *job = sl_comparison_get_job(comparison, i);
        SlFrameObject *frame = sl_comparison_get_frame(comparison, i);
        g_autofree char *figures = sl_lane_figures(job, frame);
        g_autofree char *sigma = g_strdup_printf("σ %.3g", sl_frame_object_get_sigma(frame));

        if (i < G_N_ELEMENTS(names))
            g_assert_cmpstr(name, ==, names[i]);
        g_assert_true(sl_frame_object_is_last(frame) && sl_frame_object_get_sigma(frame) > 0);
        g_assert_nonnull(strstr(figures, sigma));
        if (i == 5)
            g_assert_cmpstr(name, ==, "Euler from step 4, 14 steps");
        if (i == 6)
            g_assert_cmpstr(name, ==, "Euler from step 8, 14 steps, guidance 2");
    }
    g_assert_cmpstr(file, ==, "a red house, seed 3, 6 schedulers, 2 × steps, 2 × guidance.png");
}

static SlExportTask *start_animation(gpointer lanes, const char *path, const SlExportCall *call)
{
    return sl_comparison_export_animation(lanes, path, NULL, call);
}

/* The file is not there when the animation was given up; a second one waits for the first. */
static void test_cancel(void)
{
    g_autofree char *path = path_of("cancelled.webp");
    g_autofree char *second = path_of("second.webp");

    if (!sl_export_has_animations())
        return;
    sl_export_bar_write(export_bar, start_animation, comparison, path);
    g_assert_true(sl_export_bar_is_busy(export_bar));
    sl_export_bar_write(export_bar, start_animation, comparison, second);
    act("win.cancel-export");
    WAIT_UNTIL(!sl_export_bar_is_busy(export_bar));
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(second, G_FILE_TEST_EXISTS));
    g_assert_false(gtk_revealer_get_reveal_child(GTK_REVEALER(part(export_bar, "revealer"))));
    g_assert_null(find_dialog());
    sl_export_bar_write(export_bar, start_animation, comparison, "/no/such/folder/a.webp");
    close_dialog();
}

/* The run in the darkroom. */
static void test_film(void)
{
    g_autofree char *path = path_of("film.webp");

    if (!sl_export_has_animations())
        return;
    adw_view_stack_set_visible_child_name(pages, "darkroom");
    act("win.develop");
    WAIT_UNTIL(sl_darkroom_page_get_job(darkroom) &&
               sl_job_get_state(sl_darkroom_page_get_job(darkroom)) == SL_JOB_DONE);
    act_with("win.save-animation-to", path);
    screenshot("exchange-1-saving");
    WAIT_UNTIL(g_file_test(path, G_FILE_TEST_EXISTS) && !sl_export_bar_is_busy(export_bar));
    VERIFIES(path);
}

/* ---- whole comparisons ---- */

/* With branches in it. */
static void test_window_to_program(void)
{
    g_autofree char *path = path_of("window.safelight");
    g_autofree char *sheet = path_of("from-window.png");
    g_autofree char *animation = path_of("from-window.webp");

    adw_view_stack_set_visible_child_name(pages, "compare");
    save_as("comparison", path);
    g_assert_cmpint(run("compare", "--open", path, "--sheet", sheet, NULL), ==, 0);
    g_assert_true(g_file_test(sheet, G_FILE_TEST_EXISTS));
    VERIFIES(path);
    if (!sl_export_has_animations())
        return;
    /* (Lined up by steps: test_cli.c; by noise: test_verify.c.) */
    g_assert_cmpint(run("compare", "--open", path, "--animation", animation, "--align",
                        sl_line_up_names[SL_LINE_UP_EVALUATIONS], NULL),
                    ==, 0);
    VERIFIES(animation);
}

/* What an animation of the file shows of a lane anywhere is what the run had there, before its branch as well. */
static void test_places(void)
{
    g_autofree char *path = path_of("window.safelight");
    SlMetadata identity;
    SlError err = {0};
    SlLanes *lanes = sl_lanes_load(path, &identity, &err);
    int before = 0;

    g_assert_nonnull(lanes);
    g_assert_cmpint(sl_lanes_count(lanes), ==, (int)count_lanes());
    for (int lane = 0; lane < sl_lanes_count(lanes); lane++)
        for (SlLineUp line_up = SL_LINE_UP_STEP; line_up <= SL_LINE_UP_EVALUATIONS; line_up++)
            for (int i = 0; i <= 40; i++) {
                SlPlace place = sl_lanes_place(lanes, lane, line_up, i / 40.0);
                SlTimeline *timeline = sl_lanes_timeline(lanes, place.lane);
                SlJob *job = sl_comparison_get_job(comparison, (guint)lane);
                const SlMoment *moment;

                g_assert_cmpint(place.moment, >=, 0);
                moment = sl_timeline_moment(timeline, place.moment);
                g_assert_cmpmem(moment->x_t, sl_timeline_elements(timeline) * sizeof(float),
                                g_bytes_get_data(sample_of(job, moment->work - 1), NULL),
                                g_bytes_get_size(sample_of(job, moment->work - 1)));
                before += place.lane != lane;
            }
    g_assert_cmpint(before, >, 20);
    sl_lanes_free(lanes);
    sl_metadata_free(&identity);
}

static void test_program_to_window(void)
{
    g_autofree char *path = path_of("program.safelight");
    g_autofree char *again = path_of("again.safelight");
    g_autofree char *model = g_build_filename(g_getenv("SAFELIGHT_MODELS"), "sd1", NULL);

    g_assert_cmpint(run("compare", "--model", model, "--schedulers", "pndm,euler-a,heun", "--steps",
                        "8", "--seed", "4", "--prompt", "a lake", "--save", path, NULL),
                    ==, 0);
    clear_lanes();
    act_with("win.open-path", path);
    WAIT_UNTIL(count_lanes() == 3);
    for (guint i = 0; i < 3; i++) {
        SlJob *job = sl_comparison_get_job(comparison, i);

        g_assert_cmpint(sl_job_get_state(job), ==, SL_JOB_DONE);
        g_assert_cmpuint(count_frames(job), ==, (guint)sl_job_get_evaluations(job));
    }
    g_assert_cmpuint(count_frames(sl_comparison_get_job(comparison, 2)), >, 8);
    screenshot("exchange-2-opened");
    save_as("comparison", again);
    VERIFIES(again);
}

/* A copy of a file with something else of the same length behind some keys ("lanes/steps"): other instead of what,
 * or, without them, another digit. */
static void change_file(const char *path, const char *changed, const char *keys, const char *what,
                        const char *other)
{
    g_auto(GStrv) parts = g_strsplit(keys, "/", -1);
    g_autofree char *data = NULL;
    gsize length;
    char *at;

    g_assert_true(g_file_get_contents(path, &data, &length, NULL));
    at = data + 8; /* behind the length, which holds zeros */
    for (char **part = parts; *part; part++) {
        at = g_strstr_len(at, (gssize)(data + length - at), *part);
        g_assert_nonnull(at);
        at += strlen(*part);
    }
    if (what) {
        at = g_strstr_len(at, (gssize)(data + length - at), what);
        g_assert_nonnull(at);
        memcpy(at, other, strlen(what));
    } else {
        at += strcspn(at, "0123456789abcdef");
        *at = *at == '0' ? '1' : '0';
    }
    g_assert_true(g_file_set_contents(changed, data, (gssize)length, NULL));
}

/* It is not opened, and a sentence with these words says why. */
static void check_refused(const char *path, const char *words)
{
    guint lanes = count_lanes();
    const char *body;

    act_with("win.open-path", path);
    WAIT_UNTIL(find_dialog() != NULL);
    body = alert_body();
    g_test_message("%s", body);
    g_assert_nonnull(strstr(body, words));
    g_assert_nonnull(strstr(body, path));
    close_dialog();
    g_assert_cmpuint(count_lanes(), ==, lanes);
}

/* What only the window reads of a file is what the recipe says, or the file was changed. */
static void test_changed_texts(void)
{
    g_autofree char *program = path_of("program.safelight");
    g_autofree char *ours = path_of("window.safelight");
    g_autofree char *changed = path_of("changed.safelight");

    change_file(program, changed, "lanes/settings/steps", ":8,", ":9,");
    check_refused(changed, "lane 1: its \"settings\" are not those of its recipe (steps: 9, 8)");
    change_file(program, changed, "lanes/values/steps", ":8,", ":9,");
    check_refused(changed, "lane 1: its \"values\" are not those of its recipe (steps: 9, 8)");
    change_file(ours, changed, "lanes/settings/seed", ":3,", ":4,");
    check_refused(changed, "lane 1: its \"settings\" are not those of its recipe (seed: 4, 3)");
    change_file(ours, changed, "lanes/values/scheduler", "pndm", "heun");
    check_refused(changed, "lane 1: its \"values\" are not those of its recipe");
}

/* A sample, a preview or anything else that does not match its hash is found, as by the program. */
static void test_damaged(void)
{
    g_autofree char *ours = path_of("window.safelight");
    g_autofree char *changed = path_of("changed.safelight");
    g_autofree char *data = NULL;
    gsize length, first;
    guint64 header;

    g_assert_true(g_file_get_contents(ours, &data, &length, NULL));
    memcpy(&header, data, sizeof header);
    first = sizeof header +
            (gsize)header; /* lane 1's samples come first, the last lane's tensors last */
    data[first + 5] ^= 1;
    g_assert_true(g_file_set_contents(changed, data, (gssize)length, NULL));
    check_refused(changed, "lane 1: its samples were changed or damaged");
    g_assert_cmpint(run("replay", changed, "--verify", NULL), ==, 1);
    data[first + 5] ^= 1;
    data[length - 1] ^= 1;
    g_assert_true(g_file_set_contents(changed, data, (gssize)length, NULL));
    check_refused(changed, "were changed or damaged");
    g_assert_cmpint(run("replay", changed, "--verify", NULL), ==, 1);
}

/* A copy with other words of the same length wherever a text stands in its header. */
static void change_everywhere(const char *path, const char *changed, const char *what,
                              const char *other)
{
    g_autofree char *data = NULL;
    gsize length;
    guint64 header;
    guint count = 0;
    char *at, *end;

    g_assert_cmpuint(strlen(what), ==, strlen(other));
    g_assert_true(g_file_get_contents(path, &data, &length, NULL));
    memcpy(&header, data, sizeof header);
    end = data + sizeof header + header;
    at = data + sizeof header;
    while ((at = g_strstr_len(at, end - at, what))) {
        memcpy(at, other, strlen(other));
        count++;
    }
    g_assert_cmpuint(count, >, 2);
    g_assert_true(g_file_set_contents(changed, data, (gssize)length, NULL));
}

/* Files that agree with themselves, and not with the model: nothing of them is shown, computed or
 * taken a length from. */
static void test_hostile(void)
{
    g_autofree char *fixtures = fixture_path(NULL);
    g_autofree char *good = g_build_filename(fixtures, "..", "..", "fixtures", "first-edition",
                                             "window-lanes.safelight", NULL);
    g_autofree char *changed = path_of("hostile.safelight");

    act("win.compare-clear");
    change_everywhere(good, changed, "width\\\\\\\":32", "width\\\\\\\":64");
    check_refused(changed, "lane 1: its samples are [4, 8, 8]; expected [4, 8, 16] of a picture of "
                           "64 x 32");
    change_everywhere(good, changed, "height\\\\\\\":32", "height\\\\\\\":99");
    check_refused(changed, "lane 1: its recipe: height is 99");
    change_everywhere(good, changed, "scheduler\\\\\\\":\\\\\\\"heun",
                      "scheduler\\\\\\\":\\\\\\\"nope");
    check_refused(changed, "its recipe: scheduler is \"nope\"");
    /* The good one is still opened. */
    act_with("win.open-path", good);
    WAIT_UNTIL(count_lanes() == 7);
}

static void open_as(const char *name, const void *bytes, gsize length)
{
    g_autofree char *path = path_of(name);

    g_assert_true(g_file_set_contents(path, bytes, (gssize)length, NULL));
    act_with("win.open-path", path);
}

static gboolean shows_text(GtkWidget *widget, const char *words)
{
    if (GTK_IS_LABEL(widget) && strstr(gtk_label_get_text(GTK_LABEL(widget)), words))
        return TRUE;
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child))
        if (shows_text(child, words))
            return TRUE;
    return FALSE;
}

/* Settings come out of a JPEG and a WebP as well, and a graph's notes are shown; where there are none, a toast says so:
 * the picture is shown all the same. */
static void test_foreign(void)
{
    static const char jpeg[] = "\xFF\xD8\xFF\xFE\0\x37"
                               "a ferry\nSteps: 9, Sampler: Euler, Seed: 77, RNG: CPU "
                               "\xFF\xC0\0\x0B\x08\0\x20\0\x30\x01\x01\x11\0\xFF\xDA\0\2";
    static const char bare[] = "\xFF\xD8\xFF\xC0\0\x0B\x08\0\x20\0\x30\x01\x01\x11\0\xFF\xDA\0\2";
    g_autofree char *fixtures = fixture_path(NULL);
    g_autofree char *graph = g_build_filename(fixtures, "..", "..", "fixtures", "foreign",
                                              "comfy-lora-clip-only.png", NULL);
    const char *body;

    open_as("ferry.JPG", jpeg, sizeof jpeg - 1);
    WAIT_UNTIL(g_str_equal(sl_settings_get_prompt(workspace->recipe), "a ferry"));
    g_assert_cmpuint(sl_settings_get_seed(workspace->recipe), ==, 77);
    open_as("bare.jpeg", bare, sizeof bare - 1);
    WAIT_UNTIL(shows_text(GTK_WIDGET(part(window, "toasts")), "It holds no settings"));
    g_assert_null(find_dialog());
    g_assert_cmpuint(sl_settings_get_seed(workspace->recipe), ==, 77);
    act_with("win.open-path", graph);
    WAIT_UNTIL(find_dialog() != NULL);
    body = alert_body();
    g_assert_nonnull(strstr(body, "the LoRA l, with which it was made, was not found here"));
    close_dialog();
    g_assert_cmpstr(sl_settings_get_prompt(workspace->recipe), ==, "a barn in the rain");
}

/* More lanes than the window shows at a time. */
static void test_many(void)
{
    g_autofree char *path = path_of("many.safelight");
    g_autofree char *again = path_of("many-again.safelight");
    g_autofree char *model = g_build_filename(g_getenv("SAFELIGHT_MODELS"), "sd1", NULL);
    guint lanes;

    g_assert_cmpint(run("compare", "--model", model, "--schedulers", "all", "--steps", "2",
                        "--seed", "4", "--prompt", "a lake", "--save", path, NULL),
                    ==, 0);
    clear_lanes();
    act_with("win.open-path", path);
    WAIT_UNTIL(count_lanes() > SL_LANES_SHOWN);
    lanes = count_lanes();
    for (guint i = 0; i < lanes; i++)
        g_assert_cmpint(sl_job_get_state(sl_comparison_get_job(comparison, i)), ==, SL_JOB_DONE);
    screenshot("exchange-5-many");
    save_as("comparison", again);
    VERIFIES(again);
}

static void check_opens_as(const char *path, const char *words)
{
    clear_lanes();
    act_with("win.open-path", path);
    WAIT_UNTIL(count_lanes() == 3);
    for (guint i = 0; i < 3; i++)
        g_assert_cmpstr(
            sl_model_item_get_name(sl_job_get_model(sl_comparison_get_job(comparison, i))), ==,
            "sd1");
    WAIT_UNTIL(shows_text(GTK_WIDGET(part(window, "toasts")), words));
}

/* The model of a file is the one with its weights, whatever it is called here; where there is none, a sentence says
 * whether one with its name is. */
static void test_same_weights(void)
{
    static const char name[] = "lanes/metadata/model", hash[] = "lanes/metadata/model/files/sha256";
    g_autofree char *path = path_of("program.safelight");
    g_autofree char *renamed = path_of("renamed.safelight");
    g_autofree char *again = path_of("again.safelight");
    g_autofree char *changed = path_of("changed.safelight");

    change_file(path, renamed, name, "sd1", "xyz");
    check_opens_as(renamed, "Opened with “sd1”, which has the weights of the file’s model “xyz”");
    screenshot("exchange-4-renamed");
    save_as("comparison", again);
    VERIFIES(again);
    change_file(path, changed, name, "sd1", "odd");
    check_opens_as(changed, "Opened with “sd1”: the “odd” here has other weights than the file’s");
    change_file(path, changed, hash, NULL, NULL);
    check_refused(changed, "another model “sd1”: the one here has other weights");
    change_file(renamed, changed, hash, NULL, NULL);
    check_refused(changed, "made with the model “xyz”, which is not here");
}

static void count_opened(guint *opened)
{
    ++*opened;
}

/* `safelight FILE.safelight`: what is opened before the models are found waits for them. */
static void test_before_models(void)
{
    g_autoptr(SlWorkspace) early = sl_workspace_new(preferences);
    g_autoptr(GSimpleActionGroup) actions = g_simple_action_group_new();
    SlIntake *intake = sl_intake_new(early, GTK_WIDGET(window), G_ACTION_MAP(actions));
    g_autofree char *path = path_of("program.safelight");
    guint opened = 0;

    g_signal_connect_swapped(intake, "comparison", G_CALLBACK(count_opened), &opened);
    sl_intake_open(intake, path);
    g_assert_cmpuint(opened, ==, 0);
    sl_workspace_scan_models(early);
    WAIT_UNTIL(sl_model_store_is_scanned(early->models));
    g_assert_cmpuint(opened, ==, 1);
    g_object_unref(intake);
    sl_workspace_close(early);
}

static const LaneTest tests[] = {
    {"/exchange/sheet", test_sheet, FALSE},
    {"/exchange/animation", test_animation, FALSE},
    {"/exchange/words", test_words, FALSE},
    {"/exchange/formats", test_formats, FALSE},
    {"/exchange/asking", test_asking, FALSE},
    {"/exchange/cancel", test_cancel, FALSE},
    {"/exchange/film", test_film, FALSE},
    {"/exchange/window-to-program", test_window_to_program, FALSE},
    {"/exchange/places", test_places, FALSE},
    {"/exchange/program-to-window", test_program_to_window, FALSE},
    {"/exchange/changed-texts", test_changed_texts, FALSE},
    {"/exchange/damaged", test_damaged, FALSE},
    {"/exchange/same-weights", test_same_weights, FALSE},
    {"/exchange/before-models", test_before_models, FALSE},
    {"/exchange/many", test_many, FALSE},
    {"/exchange/hostile", test_hostile, FALSE},
    {"/exchange/foreign", test_foreign, FALSE},
};

int main(int argc, char **argv)
{
    return run_lane_tests(&argc, &argv, tests, G_N_ELEMENTS(tests));
}
