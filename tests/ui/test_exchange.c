/* test_exchange.c - what the window writes against the command line and back: every file passes
 * `safelight replay --verify`, and comparisons of either open in the other.
 *
 * The tests run in order in one process, each from where the one before left the window.
 */
#include "lanes.h"

#include "app/core/lanes_file.h"
#include "app/sl-frame-object-private.h"
#include "ui/sl-compare-view-private.h"

#include <string.h>
#include <sys/wait.h>

static char *path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

/* Runs the program; its exit status. */
static int run(const char *first, ...)
{
    g_autoptr(GPtrArray) arguments = g_ptr_array_new();
    g_autofree char *said = NULL;
    g_autofree char *complained = NULL;
    g_autoptr(GError) error = NULL;
    int status;
    va_list list;

    g_ptr_array_add(arguments, (char *)g_getenv("SAFELIGHT_PROGRAM"));
    va_start(list, first);
    for (const char *each = first; each; each = va_arg(list, const char *))
        g_ptr_array_add(arguments, (char *)each);
    va_end(list);
    g_ptr_array_add(arguments, NULL);
    g_assert_true(g_spawn_sync(NULL, (char **)arguments->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL,
                               &said, &complained, &status, &error));
    g_assert_no_error(error);
    g_test_message("%s%s", said, complained);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define VERIFIES(path) g_assert_cmpint(run("replay", path, "--verify", NULL), ==, 0)

/* As the menu does, without its dialog. */
static void save_as(const char *what, const char *path)
{
    g_assert_true(
        gtk_widget_activate_action(GTK_WIDGET(window), "win.compare-save-to", "(ss)", what, path));
    WAIT_UNTIL(g_file_test(path, G_FILE_TEST_EXISTS));
    WAIT_UNTIL(window->export == NULL);
    g_assert_null(find_dialog());
}

static void branch_at(guint lane, double evaluations, SlOwn own, SlSettings *values)
{
    g_autoptr(GError) error = NULL;

    sl_comparison_set_position(comparison, evaluations);
    g_assert_true(sl_comparison_branch(comparison, lane, own, values, &error));
    WAIT_UNTIL(is_over());
}

/* Four schedulers, a branch, and a branch of that; heun evaluates most steps twice. */
static void make_lanes(void)
{
    g_autoptr(SlSettings) values = NULL;

    g_object_set(window->recipe, "steps", 10, "seed", (guint64)3, "prompt", "a red house", NULL);
    act_with("win.compare-preset", "four");
    act_with("win.compare-add", "heun");
    WAIT_UNTIL(is_over());
    values = sl_settings_dup(window->recipe);
    sl_comparison_set_align(comparison, SL_ALIGN_EVALUATIONS);
    g_object_set(values, "scheduler", "euler", "steps", 14, NULL);
    branch_at(1, 4, SL_OWN_SCHEDULER | SL_OWN_STEPS, values);
    g_object_set(values, "guidance", 2.0, NULL);
    branch_at(5, 8, SL_OWN_GUIDANCE, values);
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

/* The file is not there when the animation was given up; a second one waits for the first. */
static void test_cancel(void)
{
    g_autofree char *path = path_of("cancelled.webp");
    g_autofree char *second = path_of("second.webp");

    if (!sl_export_has_animations())
        return;
    _sl_window_export(window, "animation", path);
    g_assert_nonnull(window->export);
    _sl_window_export(window, "animation", second);
    act("win.cancel-export");
    WAIT_UNTIL(window->export == NULL);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(second, G_FILE_TEST_EXISTS));
    g_assert_false(gtk_revealer_get_reveal_child(window->export_bar));
    g_assert_null(find_dialog());
    _sl_window_export(window, "animation", "/no/such/folder/a.webp");
    WAIT_UNTIL(find_dialog() != NULL);
    gtk_window_destroy(find_dialog());
    WAIT_UNTIL(find_dialog() == NULL);
}

/* The run in the darkroom. */
static void test_film(void)
{
    g_autofree char *path = path_of("film.webp");

    if (!sl_export_has_animations())
        return;
    adw_view_stack_set_visible_child_name(window->pages, "darkroom");
    act("win.develop");
    WAIT_UNTIL(window->job && sl_job_get_state(window->job) == SL_JOB_DONE);
    act_with("win.save-animation-to", path);
    screenshot("exchange-1-saving");
    WAIT_UNTIL(g_file_test(path, G_FILE_TEST_EXISTS) && window->export == NULL);
    VERIFIES(path);
}

/* ---- whole comparisons ---- */

/* With branches in it. */
static void test_window_to_program(void)
{
    g_autofree char *path = path_of("window.safelight");
    g_autofree char *sheet = path_of("from-window.png");
    g_autofree char *animation = path_of("from-window.webp");

    adw_view_stack_set_visible_child_name(window->pages, "compare");
    save_as("comparison", path);
    g_assert_cmpint(run("compare", "--open", path, "--sheet", sheet, NULL), ==, 0);
    g_assert_true(g_file_test(sheet, G_FILE_TEST_EXISTS));
    VERIFIES(path);
    for (int i = 0; sl_export_has_animations() && sl_line_up_names[i]; i++) {
        g_assert_cmpint(run("compare", "--open", path, "--animation", animation, "--align",
                            sl_line_up_names[i], NULL),
                        ==, 0);
        VERIFIES(animation);
    }
}

static GBytes *sample_of(SlJob *job, int index)
{
    g_autoptr(SlFrameObject) frame = g_list_model_get_item(sl_job_get_frames(job), (guint)index);
    int channels, height, width;

    return sl_frame_object_get_sample(frame, SL_VIEW_NOISY, &channels, &height, &width);
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
    act("win.compare-clear");
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
    body = adw_message_dialog_get_body(ADW_MESSAGE_DIALOG(find_dialog()));
    g_test_message("%s", body);
    g_assert_nonnull(strstr(body, words));
    g_assert_nonnull(strstr(body, path));
    gtk_window_destroy(find_dialog());
    WAIT_UNTIL(find_dialog() == NULL);
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

static void check_opens_as(const char *path, const char *words)
{
    act("win.compare-clear");
    act_with("win.open-path", path);
    WAIT_UNTIL(count_lanes() == 3);
    for (guint i = 0; i < 3; i++)
        g_assert_cmpstr(
            sl_model_item_get_name(sl_job_get_model(sl_comparison_get_job(comparison, i))), ==,
            "sd1");
    WAIT_UNTIL(shows_text(GTK_WIDGET(window->toasts), words));
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

static gboolean is_switched_on(void)
{
    gboolean fast;

    g_object_get(window->compare_view, "fast", &fast, NULL);
    return fast;
}

static const char *summary(void)
{
    return gtk_label_get_text(window->compare_view->summary);
}

static void check_lanes_are_fast(guint lanes)
{
    for (guint i = 0; i < count_lanes(); i++)
        g_assert_cmpint(sl_job_is_fast(sl_comparison_get_job(comparison, i)), ==, i < lanes);
}

/* Lanes as one batch, as the switch says: paused, one stopped on the way and one added later, with a branch.
 * What is saved of them says so and is computed again to the same bytes, also where lanes are gone. */
static void test_fast(void)
{
    static const char *const kinds[] = {"comparison", "sheet", "picture", "animation"};
    static const char *const names[] = {"fast.safelight", "fast-sheet.png", "fast-lane.png",
                                        "fast.webp"};
    g_autoptr(SlSettings) values = NULL;

    g_assert_false(is_switched_on()); /* on the CPU */
    gtk_widget_activate_action_variant(GTK_WIDGET(window->compare_view), "compare.fast", NULL);
    g_assert_true(is_switched_on());
    g_assert_cmpuint(g_settings_get_uint(preferences, "fast-lanes"), ==, SL_FAST_ON);
    g_object_set(window->recipe, "steps", 24, NULL);
    act_with("win.compare-preset", "four");
    WAIT_UNTIL(count_frames(sl_comparison_get_job(comparison, 3)) >= 3);
    g_assert_nonnull(strstr(summary(), "fast"));
    act("win.compare-pause");
    WAIT_UNTIL(sl_comparison_is_paused(comparison));
    act("win.compare-pause");
    WAIT_UNTIL(count_frames(sl_comparison_get_job(comparison, 3)) >= 9);
    g_signal_emit_by_name(window->compare_view, "asked", 1, "remove");
    WAIT_UNTIL(is_over());
    act_with("win.compare-add", "heun");
    WAIT_UNTIL(is_over());
    check_lanes_are_fast(3);
    values = sl_settings_dup(window->recipe);
    sl_comparison_set_align(comparison, SL_ALIGN_EVALUATIONS);
    g_object_set(values, "guidance", 3.0, NULL);
    branch_at(1, 7, SL_OWN_GUIDANCE, values);
    sl_comparison_move(comparison, G_MAXINT);
    settle(100);
    g_assert_nonnull(strstr(summary(), "fast: last bits may differ"));
    screenshot("exchange-3-fast");
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *path = path_of(names[i]);

        if (i == 3 && !sl_export_has_animations())
            continue;
        sl_compare_view_choose(window->compare_view, i == 2 ? 2 : 0);
        save_as(kinds[i], path);
        VERIFIES(path);
    }
    sl_compare_view_choose(window->compare_view, 4); /* the branch */
    {
        g_autofree char *path = path_of("fast-branch.png");

        save_as("picture", path);
        VERIFIES(path);
    }
    gtk_widget_activate_action_variant(GTK_WIDGET(window->compare_view), "compare.fast", NULL);
    g_assert_false(is_switched_on());
}

/* A fast comparison that is opened is fast again; saved again, it still says how it was made. */
static void test_fast_again(void)
{
    g_autofree char *path = path_of("fast.safelight");
    g_autofree char *again = path_of("fast-again.safelight");

    act_with("win.compare-preset", "four");
    WAIT_UNTIL(is_over());
    check_lanes_are_fast(0);
    act_with("win.open-path", path);
    WAIT_UNTIL(count_lanes() == 5 && is_over());
    check_lanes_are_fast(3);
    g_assert_true(is_switched_on());
    settle(100);
    g_assert_nonnull(strstr(summary(), "fast"));
    save_as("comparison", again);
    VERIFIES(again);
    g_settings_reset(preferences, "fast-lanes");
    g_assert_false(is_switched_on());
}

/* The frames that have no samples of their own, but for those that are decoded. */
static guint count_light(SlJob *job)
{
    guint light = 0;

    for (guint i = 0; i < count_frames(job); i++) {
        g_autoptr(SlFrameObject) frame = g_list_model_get_item(sl_job_get_frames(job), i);

        light += _sl_frame_object_is_light(frame) != FALSE;
    }
    return light;
}

/* A run that is not kept whole, with a branch: saved, computed again by the program, opened, looked at
 * between what is kept, and made a sheet and an animation of. */
static void test_long(void)
{
    g_autofree char *path = path_of("long.safelight");
    g_autofree char *sheet = path_of("long.png");
    g_autofree char *animation = path_of("long.webp");
    g_autoptr(SlSettings) values = NULL;
    g_autoptr(SlJob) before = NULL;
    g_autoptr(SlFrameObject) frame = NULL;
    guint light;

    act("win.compare-clear");
    sl_recipe_panel_select_model(window->panel, sl_model_store_find(window->models, "ddpm"));
    WAIT_UNTIL(sl_worker_get_model(window->worker) == sl_recipe_panel_get_model(window->panel));
    g_object_set(window->recipe, "steps", 60, NULL);
    sl_worker_set_budget(window->worker, 400000);
    act_with("win.compare-preset", "seeds");
    WAIT_UNTIL(is_over());
    values = sl_settings_dup(window->recipe);
    g_object_set(values, "scheduler", "euler-a", NULL);
    branch_at(0, 33, SL_OWN_SCHEDULER, values);
    sl_worker_set_budget(window->worker, 0);
    before = g_object_ref(sl_comparison_get_job(comparison, 0));
    light = count_light(before);
    g_assert_cmpuint(light, >, 20);
    g_assert_cmpuint(light, <, 56);
    save_as("comparison", path);
    VERIFIES(path);
    act("win.compare-clear");
    act_with("win.open-path", path);
    WAIT_UNTIL(count_lanes() > 2 && is_over());
    for (guint i = 0; i < count_lanes(); i++)
        g_assert_cmpuint(count_frames(sl_comparison_get_job(comparison, i)), ==,
                         (guint)sl_job_get_evaluations(sl_comparison_get_job(comparison, i)));
    g_assert_cmpuint(count_light(sl_comparison_get_job(comparison, 0)), ==, light);
    for (guint i = 0; i < 40; i++) {
        g_clear_object(&frame);
        frame = g_list_model_get_item(sl_job_get_frames(sl_comparison_get_job(comparison, 0)), i);
        if (!sl_frame_object_is_decoded(frame, SL_VIEW_PICTURE) && i % 7 == 3) {
            g_assert_true(sl_worker_decode(window->worker, sl_comparison_get_job(comparison, 0),
                                           frame, SL_VIEW_PICTURE));
            WAIT_UNTIL(sl_frame_object_is_decoded(frame, SL_VIEW_PICTURE));
        }
    }
    save_as("sheet", sheet);
    VERIFIES(sheet);
    if (!sl_export_has_animations())
        return;
    save_as("animation", animation);
    VERIFIES(animation);
}

static const LaneTest tests[] = {
    {"/exchange/sheet", test_sheet, FALSE},
    {"/exchange/animation", test_animation, FALSE},
    {"/exchange/cancel", test_cancel, FALSE},
    {"/exchange/film", test_film, FALSE},
    {"/exchange/window-to-program", test_window_to_program, FALSE},
    {"/exchange/places", test_places, FALSE},
    {"/exchange/program-to-window", test_program_to_window, FALSE},
    {"/exchange/changed-texts", test_changed_texts, FALSE},
    {"/exchange/same-weights", test_same_weights, FALSE},
    {"/exchange/fast", test_fast, FALSE},
    {"/exchange/fast-again", test_fast_again, FALSE},
    {"/exchange/long", test_long, FALSE},
};

int main(int argc, char **argv)
{
    return run_lane_tests(&argc, &argv, tests, G_N_ELEMENTS(tests));
}
