/* test_open.c - whatever is opened is shown as what it is: pictures of any program with their facts, sheets and animations
 * of ours with what they are made of, which is made again; and while something is dragged, words say what it is.
 *
 * The tests run in order in one process, each from where the one before left the window.
 */
#include "choose.h"
#include "exchange.h"

#include "mouse.h"
#include "ui/darkroom/sl-picture-bar.h"
#include "ui/exchange/sl-intake.h"
#include "ui/widgets/sl-drop-hint.h"
#include "ui/widgets/sl-facts-view.h"

#include <gdk-pixbuf/gdk-pixbuf.h>

static const char *shown_path(void)
{
    SlPicture *picture = sl_darkroom_page_get_picture(darkroom);

    return picture ? sl_picture_get_path(picture) : "";
}

static gboolean facts_say(const char *words)
{
    g_autofree char *text = sl_facts_view_dup_text(part(darkroom, "facts"));

    return strstr(text, words) != NULL;
}

static const char *bar_says(const char *name)
{
    return gtk_label_get_text(GTK_LABEL(part(part(darkroom, "picture_bar"), name)));
}

static const char *button_says(void)
{
    return gtk_button_get_label(GTK_BUTTON(part(part(darkroom, "picture_bar"), "use_settings")));
}

static GdkTexture *shown_texture(void)
{
    return sl_canvas_get_texture(sl_tray_get_canvas(tray));
}

static void open_path(const char *path)
{
    act_with("win.open-path", path);
    WAIT_UNTIL(g_str_equal(shown_path(), path));
}

static gboolean can(const char *action)
{
    return g_action_group_get_action_enabled(G_ACTION_GROUP(window), action);
}

/* Of the gallery, and the same file from elsewhere. */
static void test_picture(void)
{
    g_autofree char *outside = path_of("outside.png");
    g_autoptr(SlPicture) kept = NULL;

    adw_view_stack_set_visible_child_name(pages, "darkroom");
    g_object_set(workspace->recipe, "steps", 3, "seed", (guint64)77, "prompt", "a red house", NULL);
    act("win.develop");
    WAIT_UNTIL(g_list_model_get_n_items(G_LIST_MODEL(workspace->gallery)) == 1);
    kept = g_list_model_get_item(G_LIST_MODEL(workspace->gallery), 0);
    open_path(sl_picture_get_path(kept));
    g_assert_true(sl_darkroom_page_get_picture(darkroom) == kept);
    g_assert_true(can("delete"));
    act_with("win.save-to", outside);
    WAIT_UNTIL(g_file_test(outside, G_FILE_TEST_EXISTS));
    g_object_set(workspace->recipe, "seed", (guint64)1, "prompt", "else", NULL);
    open_path(outside);
    WAIT_UNTIL(facts_say("outside.png") && facts_say("Seed: 77") && facts_say("Model: sd1") &&
               facts_say("32 × 32") && facts_say("safelight"));
    WAIT_UNTIL(sl_settings_get_seed(workspace->recipe) == 77);
    g_assert_cmpint(gdk_texture_get_width(shown_texture()), ==, 32);
    g_assert_false(can("delete")); /* only the gallery's */
    WAIT_UNTIL(g_str_equal(bar_says("prompt"), "a red house"));
    g_assert_cmpstr(button_says(), ==, "_Use These Settings");
    screenshot("open-1-picture");
}

/* A photograph without any settings is shown, too, upright; what is damaged says so in its place. */
static void test_jpeg(void)
{
    g_autofree char *photo = path_of("photo.jpg");
    g_autofree char *damaged = path_of("damaged.jpeg");
    g_autoptr(GdkPixbuf) pixbuf = gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, 48, 24);

    gdk_pixbuf_fill(pixbuf, 0x3366CCFF);
    g_assert_true(gdk_pixbuf_save(pixbuf, photo, "jpeg", NULL, "quality", "90", NULL));
    g_object_set(workspace->recipe, "prompt", "stays", NULL);
    open_path(photo);
    WAIT_UNTIL(shown_texture() && gdk_texture_get_width(shown_texture()) == 48);
    WAIT_UNTIL(facts_say("48 × 24"));
    WAIT_UNTIL(g_str_equal(bar_says("prompt"), "photo.jpg"));
    g_assert_cmpstr(sl_settings_get_prompt(workspace->recipe), ==, "stays");
    g_assert_null(find_dialog());
    g_assert_true(g_file_set_contents(damaged, "\xFF\xD8\xFF\xE0 no picture", 15, NULL));
    open_path(damaged);
    settle(200);
    g_assert_nonnull(strstr(
        adw_status_page_get_description(ADW_STATUS_PAGE(part(tray, "error_page"))), damaged));
    g_assert_null(find_dialog());
}

/* Lanes, a branch of one of them, and a branch of that. */
static void make_lanes(void)
{
    g_autoptr(SlSettings) values = NULL;

    g_object_set(workspace->recipe, "steps", 8, "seed", (guint64)3, "prompt", "a red house", NULL);
    act_with("win.compare-preset", "four");
    WAIT_UNTIL(is_over());
    values = sl_settings_dup(workspace->recipe);
    sl_comparison_set_align(comparison, SL_ALIGN_EVALUATIONS);
    g_object_set(values, "guidance", 2.0, NULL);
    branch_at(1, 4, sl_own("guidance"), values);
    g_object_set(values, "scheduler", "euler", NULL);
    branch_at(4, 6, sl_own("scheduler"), values);
    sl_comparison_set_align(comparison, SL_ALIGN_STEPS);
    sl_comparison_move(comparison, G_MAXINT);
    g_assert_cmpuint(count_lanes(), ==, 6);
}

static GPtrArray *last_samples(void)
{
    GPtrArray *samples = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);

    for (guint i = 0; i < count_lanes(); i++) {
        SlJob *job = sl_comparison_get_job(comparison, i);

        g_ptr_array_add(samples, g_bytes_ref(sample_of(job, count_frames(job) - 1)));
    }
    return samples;
}

/* Six lanes, which end in the bytes in which they ended before, in whatever order. */
static void check_again(GPtrArray *before)
{
    g_autoptr(GPtrArray) after = NULL;

    act("win.use-settings");
    WAIT_UNTIL(count_lanes() == 6 && is_over());
    settle(100);
    after = last_samples();
    for (guint i = 0; i < before->len; i++)
        g_assert_true(g_ptr_array_find_with_equal_func(after, before->pdata[i],
                                                       (GEqualFunc)g_bytes_equal, NULL));
    g_assert_cmpuint(after->len, ==, before->len);
}

static void clear_lanes(void)
{
    while (count_lanes() > 0)
        sl_comparison_remove(comparison, count_lanes() - 1);
}

static void test_sheet(void)
{
    g_autofree char *sheet = path_of("sheet.png");
    g_autofree char *animation = path_of("animation.webp");
    g_autoptr(GPtrArray) before = NULL;

    make_lanes();
    before = last_samples();
    save_as("sheet", sheet);
    if (sl_export_has_animations())
        save_as("animation", animation);
    clear_lanes();
    g_object_set(workspace->recipe, "prompt", "stays", NULL);
    open_path(sheet);
    g_assert_cmpstr(bar_says("prompt"), ==, "Contact sheet of 6 lanes");
    g_assert_cmpstr(button_says(), ==, "_Compare Again");
    WAIT_UNTIL(shown_texture() && gdk_texture_get_width(shown_texture()) > 64);
    WAIT_UNTIL(facts_say("Lane 6: Euler") && facts_say("Guidance: 2"));
    g_assert_cmpstr(sl_settings_get_prompt(workspace->recipe), ==, "stays");
    screenshot("open-2-sheet");
    check_again(before);
    screenshot("open-3-again");
    if (!sl_export_has_animations())
        return;
    clear_lanes();
    open_path(animation);
    g_assert_cmpstr(bar_says("prompt"), ==, "Animation of 6 lanes");
    WAIT_UNTIL(shown_texture() && gdk_texture_get_width(shown_texture()) > 64);
    check_again(before);
}

/* A grid is the same grid again, with its axes and every lane at its place. */
static void check_grid_again(const char *path, GPtrArray *before)
{
    SlGridPlan *grid;

    sl_comparison_clear(comparison);
    g_assert_null(sl_comparison_get_grid(comparison));
    open_path(path);
    act("win.use-settings");
    WAIT_UNTIL(count_lanes() == 4 && is_over());
    settle(100);
    grid = sl_comparison_get_grid(comparison);
    g_assert_nonnull(grid);
    g_assert_cmpuint(sl_grid_plan_count(grid, SL_PLAN_ACROSS), ==, 2);
    g_assert_cmpuint(sl_grid_plan_count(grid, SL_PLAN_DOWN), ==, 2);
    g_assert_cmpstr(sl_grid_plan_get_control(grid, SL_PLAN_DOWN)->property, ==, "steps");
    g_assert_true(gtk_widget_get_visible(part(compare_view, "overview")));
    for (guint i = 0; i < before->len; i++) {
        SlJob *job = sl_comparison_get_job(comparison, i);
        SlCompareLane *lane = sl_comparison_get_lane(comparison, i);

        g_assert_cmpint(sl_compare_lane_get_cell(lane), ==, i);
        g_assert_cmpuint(sl_compare_lane_get_own(lane), ==, sl_grid_plan_get_own(grid));
        g_assert_true(g_bytes_equal(sample_of(job, count_frames(job) - 1), before->pdata[i]));
        g_assert_false(sl_compare_lane_is_stale(lane));
    }
    g_object_set(workspace->recipe, "guidance", 4.0, NULL);
    WAIT_UNTIL(sl_compare_lane_is_stale(sl_comparison_get_lane(comparison, 0)));
    g_object_set(workspace->recipe, "guidance", 7.5, NULL);
    WAIT_UNTIL(!sl_compare_lane_is_stale(sl_comparison_get_lane(comparison, 0)));
}

static void test_grid_again(void)
{
    const SlPlanText axes[] = {{"scheduler", "euler, ddim"}, {"steps", "2, 3"}};
    g_autofree char *sheet = path_of("grid.png");
    g_autofree char *animation = path_of("grid.webp");
    g_autoptr(GPtrArray) before = NULL;
    g_autoptr(SlGridPlan) grid = NULL;
    g_autoptr(GError) error = NULL;

    adw_view_stack_set_visible_child_name(pages, "compare");
    g_object_set(workspace->recipe, "prompt", "a red house", "seed", (guint64)5, NULL);
    grid = sl_grid_plan_new(axes, &error);
    g_assert_no_error(error);
    g_assert_true(
        sl_comparison_set_grid(comparison, grid, workspace->model, workspace->recipe, &error));
    act("win.develop");
    WAIT_UNTIL(count_lanes() == 4 && is_over());
    settle(100);
    before = last_samples();
    save_as("sheet", sheet);
    if (sl_export_has_animations())
        save_as("animation", animation);
    check_grid_again(sheet, before);
    screenshot("open-9-grid-again");
    if (sl_export_has_animations())
        check_grid_again(animation, before);
    clear_lanes();
}

static gboolean is_fast(void)
{
    gboolean fast;

    g_object_get(compare_view, "fast", &fast, NULL);
    return fast;
}

/* Lanes that were one batch are one again, and others are none, whatever is switched on. */
static void test_fast_again(void)
{
    static const char *const names[] = {"alone.png", "batch.png"};

    adw_view_stack_set_visible_child_name(pages, "compare");
    for (guint fast = 0; fast < 2; fast++) {
        g_autofree char *sheet = path_of(names[fast]);
        g_autoptr(GPtrArray) before = NULL;

        clear_lanes();
        g_object_set(compare_view, "fast", fast == 1, NULL);
        act_with("win.compare-preset", "four");
        WAIT_UNTIL(count_lanes() == 4 && is_over());
        settle(100);
        before = last_samples();
        save_as("sheet", sheet);
        g_object_set(compare_view, "fast", fast == 0, NULL);
        clear_lanes();
        open_path(sheet);
        act("win.use-settings");
        WAIT_UNTIL(count_lanes() == 4 && is_over());
        settle(100);
        g_assert_cmpint(is_fast(), ==, fast);
        for (guint i = 0; i < 4; i++) {
            SlJob *job = sl_comparison_get_job(comparison, i);

            g_assert_cmpint(sl_job_is_fast(job), ==, fast);
            g_assert_true(g_bytes_equal(sample_of(job, count_frames(job) - 1), before->pdata[i]));
        }
    }
    g_object_set(compare_view, "fast", FALSE, NULL);
    clear_lanes();
}

/* An animation moves until it is stopped. */
static void check_moves(void)
{
    GdkTexture *first;

    WAIT_UNTIL((first = shown_texture()) != NULL);
    WAIT_UNTIL(shown_texture() != first);
    first = shown_texture();
    WAIT_UNTIL(shown_texture() != first);
    act("win.play");
    settle(100);
    first = shown_texture();
    settle(600);
    g_assert_true(shown_texture() == first);
    act("win.play");
    WAIT_UNTIL(shown_texture() != first);
}

/* The development of one run has one recipe. */
static void test_film(void)
{
    g_autofree char *film = path_of("film.webp");

    if (!sl_export_has_animations())
        return;
    adw_view_stack_set_visible_child_name(pages, "darkroom");
    act("win.leave-picture");
    g_object_set(workspace->recipe, "seed", (guint64)55, NULL);
    act("win.develop");
    WAIT_UNTIL(sl_queue_get_current(workspace->queue) == NULL);
    act_with("win.save-animation-to", film);
    WAIT_UNTIL(g_file_test(film, G_FILE_TEST_EXISTS) && !sl_export_bar_is_busy(export_bar));
    g_object_set(workspace->recipe, "seed", (guint64)1, NULL);
    open_path(film);
    g_assert_cmpstr(bar_says("prompt"), ==, "Animation of a run");
    check_moves();
    g_assert_cmpstr(button_says(), ==, "_Use These Settings");
    act("win.use-settings");
    WAIT_UNTIL(sl_settings_get_seed(workspace->recipe) == 55);
}

static gboolean has_embedding(const char *name)
{
    g_autofree char *embeddings = NULL;

    g_object_get(workspace->recipe, "embedding", &embeddings, NULL);
    return embeddings && strstr(embeddings, name);
}

static void test_embedding(void)
{
    static const char *const names[] = {"sd1.pt", "sd1_bf16.safetensors"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *models = fixture_path(NULL);
        g_autofree char *path = g_build_filename(models, "..", "embeddings", names[i], NULL);
        g_autofree char *stem = g_strndup(names[i], strcspn(names[i], "."));

        act_with("win.open-path", path);
        WAIT_UNTIL(has_embedding(stem));
        g_assert_null(find_dialog());
    }
}

static const char *hint(void)
{
    return sl_drop_hint_get_text(part(window, "drop_hint"));
}

#define CHECK_HINT(words, ...)                                            \
    do {                                                                  \
        sl_intake_hint(intake, (const char *const[]){__VA_ARGS__, NULL}); \
        g_assert_nonnull(strstr(hint(), words));                          \
    } while (0)

/* What the words say of each kind, and that a drag brings them and takes them away. */
static void test_hint(void)
{
    g_autoptr(GSimpleActionGroup) actions = g_simple_action_group_new();
    g_autoptr(SlIntake) intake =
        sl_intake_new(workspace, GTK_WIDGET(window), G_ACTION_MAP(actions));
    g_autofree char *xdotool = g_find_program_in_path("xdotool");
    GtkWidget *canvas = GTK_WIDGET(sl_tray_get_canvas(tray));
    graphene_point_t from, to;

    g_signal_connect_object(intake, "hint", G_CALLBACK(sl_drop_hint_say), part(window, "drop_hint"),
                            G_CONNECT_SWAPPED);
    g_assert_null(hint());
    sl_intake_hint(intake, NULL);
    g_assert_nonnull(strstr(hint(), "pictures, a comparison, a model"));
    CHECK_HINT("comparison", "a.safelight");
    CHECK_HINT("see the picture", "a.PNG");
    CHECK_HINT("LoRA", "a.safetensors");
    CHECK_HINT("embedding", "a.pt");
    CHECK_HINT("model", folder);
    screenshot("open-4-hint");
    CHECK_HINT("side by side", "a.png", "b.webp");
    CHECK_HINT("open them all", "a.png", "b.pt");
    CHECK_HINT("what goes together", "a.png", "b.png", "c.safelight");
    CHECK_HINT("no picture", "a.txt", "b.doc");
    CHECK_HINT("no picture", "a.txt");
    screenshot("open-5-refused");
    sl_drop_hint_say(part(window, "drop_hint"), NULL, TRUE);
    g_assert_null(hint());
    if (!xdotool)
        return;
    /* the tray's own picture, dragged around in the window and dropped there */
    adw_view_stack_set_visible_child_name(pages, "darkroom");
    act("win.zoom-fit");
    settle(300);
    from = point_in(canvas, 0.5, 0.5);
    to = point_in(canvas, 0.2, 0.8);
    use_mouse("mousemove %d %d mousedown 1", (int)from.x, (int)from.y);
    for (int i = 1; i <= 6; i++)
        use_mouse("mousemove %d %d", (int)(from.x + (to.x - from.x) * i / 6),
                  (int)(from.y + (to.y - from.y) * i / 6));
    WAIT_UNTIL(hint() != NULL);
    screenshot("open-6-drag");
    use_mouse("mouseup 1");
    WAIT_UNTIL(hint() == NULL);
}

static void open_paths(const char *const *paths)
{
    g_action_group_activate_action(G_ACTION_GROUP(window), "open-paths",
                                   g_variant_new_strv(paths, -1));
}

static guint64 seed_of_lane(guint lane)
{
    g_autoptr(SlSettings) settings =
        sl_compare_lane_resolve(sl_comparison_get_lane(comparison, lane), workspace->recipe);

    return sl_settings_get_seed(settings);
}

/* Pictures that come together are compared; what does not go with them is said. */
static void test_several(void)
{
    g_autofree char *first = path_of("outside.png");
    g_autofree char *second = path_of("second.png");
    g_autofree char *photo = path_of("photo.jpg");
    g_autofree char *lanes = path_of("lanes.safelight");
    g_autofree char *notes = path_of("notes.txt");

    adw_view_stack_set_visible_child_name(pages, "darkroom");
    act("win.leave-picture");
    clear_lanes();
    g_object_set(workspace->recipe, "seed", (guint64)78, "prompt", "a red house", NULL);
    act("win.develop");
    WAIT_UNTIL(sl_queue_get_current(workspace->queue) == NULL);
    act_with("win.save-to", second);
    WAIT_UNTIL(g_file_test(second, G_FILE_TEST_EXISTS));
    open_paths((const char *const[]){first, second, NULL});
    WAIT_UNTIL(count_lanes() == 2 && is_over());
    g_assert_cmpstr(adw_view_stack_get_visible_child_name(pages), ==, "compare");
    g_assert_cmpuint(seed_of_lane(0), ==, 77);
    g_assert_cmpuint(seed_of_lane(1), ==, 78);
    g_assert_null(find_dialog());
    screenshot("open-7-several");

    clear_lanes();
    open_paths((const char *const[]){first, lanes, notes, second, photo, NULL});
    WAIT_UNTIL(count_lanes() == 2 && is_over());
    g_assert_cmpstr(alert_body(), ==,
                    "Opened: outside.png, second.png, photo.jpg. Not opened, since pictures are "
                    "compared with each other and a comparison is opened by itself: "
                    "lanes.safelight, notes.txt.\n1 picture does not say how it was made.");
    screenshot("open-8-mixed");
    close_dialog();

    /* no two that say how they were made */
    open_paths((const char *const[]){photo, first, NULL});
    WAIT_UNTIL(g_str_equal(shown_path(), first));
    g_assert_null(find_dialog());
    open_paths((const char *const[]){notes, "/nowhere.doc", NULL});
    g_assert_nonnull(strstr(alert_body(), "among notes.txt, nowhere.doc"));
    close_dialog();
}

static void copy_into(const char *path, const char *inside)
{
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *to = g_build_filename(inside, name, NULL);
    g_autofree char *bytes = NULL;
    gsize length;

    g_assert_true(g_file_get_contents(path, &bytes, &length, NULL));
    g_assert_true(g_file_set_contents(to, bytes, (gssize)length, NULL));
}

/* The dialog of Ctrl+O takes several, too. */
static void test_choose_several(void)
{
    g_autofree char *two = path_of("two");
    g_autofree char *first = path_of("outside.png");
    g_autofree char *second = path_of("second.png");

    adw_view_stack_set_visible_child_name(pages, "darkroom");
    clear_lanes();
    g_assert_cmpint(g_mkdir(two, 0700), ==, 0);
    copy_into(first, two);
    copy_into(second, two);
    act("win.open");
    choose_two(two, "open-9-choose");
    WAIT_UNTIL(count_lanes() == 2 && is_over());
    g_assert_cmpuint(seed_of_lane(0) + seed_of_lane(1), ==, 77 + 78);
    g_assert_null(find_dialog());
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

static guint loads;

static void count_loads(void)
{
    loads++;
}

/* Of models that are opened together the first one is chosen: the others are in the list and are not loaded. What is none is
 * said of all at once. */
static void test_several_models(void)
{
    g_autofree char *sd2 = fixture_path("sd2"), *ddpm = fixture_path("ddpm");
    g_autofree char *one = path_of("one-model"), *other = path_of("other-model");
    g_autofree char *none = path_of("none"), *bad = path_of("bad.gguf");
    GListModel *models = G_LIST_MODEL(workspace->models);
    guint before = g_list_model_get_n_items(models);

    g_assert_cmpint(symlink(sd2, one), ==, 0);
    g_assert_cmpint(symlink(ddpm, other), ==, 0);
    g_signal_connect(workspace->worker, "loaded", G_CALLBACK(count_loads), NULL);
    open_paths((const char *const[]){one, other, NULL});
    WAIT_UNTIL(g_list_model_get_n_items(models) == before + 2 && loads == 1);
    WAIT_UNTIL(shows_text(GTK_WIDGET(part(window, "toasts")), "1 more model is in the list"));
    g_assert_cmpstr(sl_model_item_get_path(workspace->model), ==, one);
    settle(500);
    g_assert_cmpuint(loads, ==, 1);
    g_assert_null(find_dialog());
    g_signal_handlers_disconnect_by_func(workspace->worker, count_loads, NULL);

    g_assert_cmpint(g_mkdir(none, 0700), ==, 0);
    g_assert_true(g_file_set_contents(bad, "GGUF", -1, NULL));
    open_paths((const char *const[]){none, bad, NULL});
    WAIT_UNTIL(find_dialog() != NULL);
    g_assert_nonnull(strstr(alert_body(), none));
    g_assert_nonnull(strstr(alert_body(), bad));
    screenshot("open-10-no-models");
    close_dialog();
    g_assert_null(find_dialog());
    g_assert_cmpstr(sl_model_item_get_path(workspace->model), ==, one);
}

static const LaneTest tests[] = {
    {"/open/picture", test_picture, FALSE},
    {"/open/jpeg", test_jpeg, FALSE},
    {"/open/sheet", test_sheet, FALSE},
    {"/open/grid", test_grid_again, FALSE},
    {"/open/fast", test_fast_again, FALSE},
    {"/open/film", test_film, FALSE},
    {"/open/embedding", test_embedding, FALSE},
    {"/open/several", test_several, FALSE},
    {"/open/choose-several", test_choose_several, FALSE},
    {"/open/several-models", test_several_models, FALSE},
    {"/open/hint", test_hint, FALSE},
};

int main(int argc, char **argv)
{
    return run_lane_tests(&argc, &argv, tests, G_N_ELEMENTS(tests));
}
