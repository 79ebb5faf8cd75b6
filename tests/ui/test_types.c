/* test_types.c - what comes out of a file that was computed in other types than are chosen here: what goes on from it is in the
 * file's types, to the bytes that the program finds (`replay --verify`); a new run of its settings is in those that are
 * chosen, and a sentence says so.
 *
 * The tests run in order in one process, each from where the one before left the window.
 */
#include "exchange.h"

#include <string.h>

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

static gboolean toast_says(const char *words)
{
    return shows_text(GTK_WIDGET(part(window, "toasts")), words);
}

#define DIFFERENCE "Computed as “cpu, bf16”; a new run is as “cpu, f32”"

static const char *types_of(guint lane)
{
    return sl_job_get_computed(sl_comparison_get_job(comparison, lane)).types;
}

static GBytes *end_of(guint lane)
{
    SlJob *job = sl_comparison_get_job(comparison, lane);

    return sample_of(job, count_frames(job) - 1);
}

static void open_lanes(const char *path, guint lanes)
{
    sl_comparison_clear(comparison);
    act_with("win.open-path", path);
    WAIT_UNTIL(count_lanes() == lanes && is_over());
}

static void save_and_verify(const char *name)
{
    g_autofree char *path = path_of(name);

    save_as("comparison", path);
    VERIFIES(path);
}

/* A comparison of the program is branched, gets another lane, and one of its lanes is changed. */
static void test_goes_on(void)
{
    g_autofree char *path = path_of("program.safelight");
    g_autofree char *picture = path_of("lane.png");
    g_autofree char *model = g_build_filename(g_getenv("SAFELIGHT_MODELS"), model_name, NULL);
    g_autoptr(SlSettings) values = NULL;

    g_assert_cmpint(run("compare", "--model", model, "--schedulers", "ddim,euler", "--steps", "6",
                        "--seed", "4", "--prompt", "a lake", "--dtype", "bf16", "--save", path,
                        NULL),
                    ==, 0);
    open_lanes(path, 2);
    sl_comparison_set_align(comparison, SL_ALIGN_EVALUATIONS);
    values = sl_settings_dup(sl_job_get_settings(sl_comparison_get_job(comparison, 1)));
    branch_at(1, 3, 0, values);
    g_assert_true(g_bytes_equal(end_of(2), end_of(1)));
    act_with("win.compare-add", "heun");
    WAIT_UNTIL(count_lanes() == 4 && is_over());
    g_object_set(values, "guidance", 3.0, NULL);
    sl_compare_lane_set(sl_comparison_get_lane(comparison, 0), sl_own("guidance"), values);
    g_assert_true(sl_comparison_start_lane(comparison, 0, NULL));
    WAIT_UNTIL(is_over());
    for (guint i = 0; i < 4; i++)
        g_assert_cmpstr(types_of(i), ==, "bf16");
    g_assert_null(find_dialog());
    save_and_verify("gone-on.safelight");
    sl_comparison_move(comparison, G_MAXINT);
    WAIT_UNTIL(sl_frame_object_is_decoded(sl_comparison_get_frame(comparison, 1), SL_VIEW_PICTURE));
    sl_compare_view_choose(compare_view, 1);
    save_as("picture", picture);
    VERIFIES(picture);
    g_assert_cmpstr(sl_worker_get_dtype(workspace->worker), ==, "f32");
}

/* Those that were made with other settings are made again beside the ones that stay; the file is the window's own. */
static void test_stale(void)
{
    g_autofree char *path = path_of("window.safelight");
    g_autoptr(GBytes) before = NULL;

    sl_comparison_clear(comparison);
    g_settings_set_uint(preferences, "dtype", 2);
    g_object_set(workspace->recipe, "steps", 6, "seed", (guint64)11, "prompt", "a lake", NULL);
    act_with("win.compare-preset", "four");
    WAIT_UNTIL(is_over());
    save_as("comparison", path);
    g_settings_reset(preferences, "dtype");
    WAIT_UNTIL(g_str_equal(sl_worker_get_dtype(workspace->worker), "f32"));
    open_lanes(path, 4);
    before = g_bytes_ref(end_of(0));
    g_object_set(workspace->recipe, "prompt", "a house", NULL);
    WAIT_UNTIL(g_action_group_get_action_enabled(G_ACTION_GROUP(window), "compare-again"));
    act("win.compare-again");
    WAIT_UNTIL(is_over() && !g_bytes_equal(end_of(0), before));
    for (guint i = 0; i < 4; i++)
        g_assert_cmpstr(types_of(i), ==, "bf16");
    save_and_verify("again.safelight");
}

/* All lanes anew is a new comparison. */
static void test_anew(void)
{
    act("win.develop");
    WAIT_UNTIL(is_over());
    g_assert_cmpstr(types_of(0), ==, "f32");
    WAIT_UNTIL(toast_says(DIFFERENCE));
    screenshot("types-1-anew");
    WAIT_UNTIL(!toast_says(DIFFERENCE));
    save_and_verify("anew.safelight");
    act("win.develop");
    WAIT_UNTIL(is_over());
    settle(1000);
    g_assert_false(toast_says(DIFFERENCE));
}

/* What a sheet shows is made again to the bytes that it was made of. */
static void test_sheet(void)
{
    g_autofree char *path = path_of("program.safelight");
    g_autofree char *sheet = path_of("sheet.png");
    g_autofree char *again = path_of("sheet-again.png");
    g_autoptr(GBytes) before = NULL;

    open_lanes(path, 2);
    before = g_bytes_ref(end_of(1));
    save_as("sheet", sheet);
    VERIFIES(sheet);
    sl_comparison_clear(comparison);
    act_with("win.open-path", sheet);
    WAIT_UNTIL(sl_darkroom_page_get_picture(darkroom) != NULL);
    act("win.use-settings");
    WAIT_UNTIL(count_lanes() == 2 && is_over());
    g_assert_cmpstr(types_of(0), ==, "bf16");
    g_assert_true(g_bytes_equal(end_of(1), before));
    save_as("sheet", again);
    VERIFIES(again);
}

/* A picture's settings are those of a new run. */
static void test_picture(void)
{
    g_autofree char *path = path_of("picture.png");
    g_autofree char *usual = path_of("usual.png");
    g_autofree char *model = g_build_filename(g_getenv("SAFELIGHT_MODELS"), model_name, NULL);

    g_assert_cmpint(run("generate", "--model", model, "--steps", "3", "--prompt", "a lake",
                        "--dtype", "bf16", "--output", path, NULL),
                    ==, 0);
    g_assert_cmpint(run("generate", "--model", model, "--steps", "3", "--prompt", "a barn",
                        "--output", usual, NULL),
                    ==, 0);
    act_with("win.open-path", path);
    WAIT_UNTIL(toast_says(DIFFERENCE));
    screenshot("types-2-picture");
    WAIT_UNTIL(!toast_says(DIFFERENCE));
    act_with("win.open-path", usual);
    WAIT_UNTIL(g_str_equal(sl_settings_get_prompt(workspace->recipe), "a barn"));
    settle(4000);
    g_assert_false(toast_says("Computed as"));
}

/* Pictures that are compared are made anew. */
static void test_pictures(void)
{
    g_autofree char *other = path_of("other.png"), *path = path_of("picture.png");
    g_autofree char *model = g_build_filename(g_getenv("SAFELIGHT_MODELS"), model_name, NULL);
    const char *both[] = {path, other, NULL};

    g_assert_cmpint(run("generate", "--model", model, "--steps", "3", "--prompt", "a lake",
                        "--seed", "2", "--dtype", "bf16", "--output", other, NULL),
                    ==, 0);
    g_assert_true(gtk_widget_activate_action(GTK_WIDGET(window), "win.open-paths", "^as", both));
    WAIT_UNTIL(find_dialog() != NULL);
    g_assert_cmpstr(alert_body(), ==,
                    "2 pictures were computed on another device or in other types than their lanes "
                    "are now.");
    close_dialog();
    WAIT_UNTIL(count_lanes() == 2 && is_over());
    g_assert_cmpstr(types_of(0), ==, "f32");
}

static void note_types(const SlRestored *restored, const GError *error, gpointer types)
{
    g_assert_no_error(error);
    *(char **)types = g_strdup(restored->computed.types);
}

/* The bytes of one, as they are pasted, say it as well. */
static void test_data(void)
{
    g_autofree char *path = path_of("picture.png");
    g_autofree char *data = NULL, *types = NULL;
    g_autoptr(GBytes) bytes = NULL;
    gsize length;

    g_assert_true(g_file_get_contents(path, &data, &length, NULL));
    bytes = g_bytes_new(data, length);
    sl_reader_restore_data(workspace->files, bytes, workspace->recipe, note_types, &types);
    WAIT_UNTIL(types != NULL);
    g_assert_cmpstr(types, ==, "bf16");
}

/* In the text of a lane, which is a text in the file's. */
#define DEVICE "device\\\\\\\":\\\\\\\"cpu"

/* What this machine does not have is said when the file is opened, once. */
static void test_lacking(void)
{
    g_autofree char *path = path_of("program.safelight");
    g_autofree char *changed = path_of("changed.safelight");
    g_autofree char *data = NULL;
    g_autoptr(SlSettings) values = NULL;
    gsize length;

    g_assert_true(g_file_get_contents(path, &data, &length, NULL));
    for (char *at = data + 8; (at = g_strstr_len(at, (gssize)(data + length - at), DEVICE)); at++)
        memcpy(at + strlen(DEVICE) - strlen("cpu"), "gpu", strlen("gpu"));
    g_assert_true(g_file_set_contents(changed, data, (gssize)length, NULL));
    open_lanes(changed, 2);
    WAIT_UNTIL(find_dialog() != NULL);
    screenshot("types-3-lacking");
    g_assert_cmpstr(alert_body(), ==,
                    "This was computed as “gpu, bf16”, which is not possible here now: it goes on "
                    "as “cpu, f32”.");
    close_dialog();
    sl_comparison_set_align(comparison, SL_ALIGN_EVALUATIONS);
    values = sl_settings_dup(sl_job_get_settings(sl_comparison_get_job(comparison, 1)));
    branch_at(1, 3, 0, values);
    g_assert_cmpstr(types_of(2), ==, "f32");
    settle(500);
    g_assert_null(find_dialog());
}

int main(int argc, char **argv)
{
    static const LaneTest tests[] = {
        {"/types/goes-on", test_goes_on}, {"/types/stale", test_stale},
        {"/types/anew", test_anew},       {"/types/sheet", test_sheet},
        {"/types/picture", test_picture}, {"/types/pictures", test_pictures},
        {"/types/data", test_data},       {"/types/lacking", test_lacking},
    };

    return run_lane_tests(&argc, &argv, tests, G_N_ELEMENTS(tests));
}
