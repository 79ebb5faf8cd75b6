/* test_words.c - what each word of the prompt does, in the real window under Xvfb: turned on from the tray, touched,
 * scrubbed, live, saved; a run without maps is made again to the same bytes.
 *
 * The tests run in order in one process, each from where the one before left the window. */
#include "lanes.h"

#include "ui/compare/sl-word-pair.h"
#include "ui/darkroom/sl-word-card.h"
#include "ui/darkroom/sl-word-view.h"

#include <string.h>

static SlWordView *words;

static GdkTexture *shown_overlay(void)
{
    return sl_canvas_get_overlay(sl_tray_get_canvas(tray));
}

static void develop(void)
{
    SlJob *before = sl_darkroom_page_get_job(darkroom);

    act("win.develop");
    WAIT_UNTIL(sl_darkroom_page_get_job(darkroom) != before);
    WAIT_UNTIL(sl_job_is_over(sl_darkroom_page_get_job(darkroom)));
    g_assert_cmpint(sl_job_get_state(sl_darkroom_page_get_job(darkroom)), ==, SL_JOB_DONE);
    settle(300);
}

static GBytes *last_sample(SlJob *job)
{
    int channels, height, width;

    return sl_frame_object_get_sample(sl_job_get_last_frame(job), SL_VIEW_NOISY, &channels, &height,
                                      &width);
}

/* The button of a word, by its text. */
static GtkWidget *card_of(const char *text)
{
    GtkWidget *row = part(words, "row");

    for (GtkWidget *card = gtk_widget_get_first_child(row); card;
         card = gtk_widget_get_next_sibling(card))
        if (g_strcmp0(sl_word_card_get_text(SL_WORD_CARD(card)), text) == 0)
            return card;
    return NULL;
}

static const char *title(void)
{
    return gtk_label_get_text(part(words, "title"));
}

/* Off: no maps, nothing is kept, and it is said how to get them. */
static void test_off(void)
{
    g_object_set(workspace->recipe, "prompt", "a red house by a lake at sunset", "steps", 12,
                 "seed", (guint64)5, NULL);
    develop();
    g_assert_false(gtk_widget_get_visible(GTK_WIDGET(words)));
    g_assert_cmpuint(sl_frame_object_count_words(sl_darkroom_page_get_frame(darkroom)), ==, 0);
    act("win.word-maps");
    g_assert_true(g_settings_get_boolean(preferences, "word-maps"));
    g_assert_true(gtk_widget_get_visible(GTK_WIDGET(words)));
    g_assert_nonnull(strstr(sl_word_view_get_message(words), "without maps"));
    g_assert_true(gtk_widget_get_visible(part(words, "again")));
    g_assert_null(shown_overlay());
    screenshot("words-1-without");
}

/* The same bytes, with maps. */
static void test_again(void)
{
    SlJob *before = g_object_ref(sl_darkroom_page_get_job(darkroom)), *job;

    act("win.word-maps-again");
    WAIT_UNTIL(sl_darkroom_page_get_job(darkroom) != before);
    job = sl_darkroom_page_get_job(darkroom);
    WAIT_UNTIL(sl_job_is_over(job));
    settle(300);
    g_assert_true(g_bytes_equal(last_sample(job), last_sample(before)));
    g_assert_null(sl_word_view_get_message(words));
    g_assert_cmpuint(sl_frame_object_count_words(sl_job_get_last_frame(job)), ==, 10);
    g_assert_nonnull(card_of("lake"));
    g_assert_true(gtk_widget_get_visible(card_of("lake")));
    g_assert_false(gtk_widget_get_visible(card_of("Beginning")));
    g_object_unref(before);
    screenshot("words-2-maps");
}

static void test_touch(void)
{
    g_autoptr(GdkTexture) one = NULL;

    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(card_of("lake")), TRUE);
    g_assert_nonnull(shown_overlay());
    g_assert_nonnull(strstr(title(), "lake"));
    g_assert_nonnull(strstr(title(), "step 12"));
    screenshot("words-3-lake");
    one = g_object_ref(shown_overlay());
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(card_of("house")), TRUE);
    g_assert_true(shown_overlay() != one);
    g_assert_false(gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(card_of("lake"))));
    act("win.no-word");
    g_assert_null(shown_overlay());
    g_assert_false(gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(card_of("house"))));
}

/* As the key does where the focus is. */
static gboolean press(GtkWidget *widget, guint key)
{
    g_autoptr(GListModel) controllers = gtk_widget_observe_controllers(widget);
    gboolean taken = FALSE;

    for (guint i = 0; i < g_list_model_get_n_items(controllers); i++) {
        g_autoptr(GtkEventController) controller = g_list_model_get_item(controllers, i);

        if (GTK_IS_EVENT_CONTROLLER_KEY(controller))
            g_signal_emit_by_name(controller, "key-pressed", key, 0, 0, &taken);
    }
    return taken;
}

static void test_keys(void)
{
    GtkWidget *row = part(words, "row");

    g_assert_true(press(row, GDK_KEY_Home));
    g_assert_cmpint(sl_word_view_get_touched(words), ==, 0);
    g_assert_true(press(row, GDK_KEY_Right));
    g_assert_cmpint(sl_word_view_get_touched(words), ==, 1);
    g_assert_true(gtk_widget_has_focus(card_of("red")));
    g_assert_nonnull(strstr(title(), "red"));
    g_assert_true(press(row, GDK_KEY_Left));
    g_assert_true(press(row, GDK_KEY_Left));
    g_assert_cmpint(sl_word_view_get_touched(words), ==, 0);
    /* the beginning and the end are not offered */
    g_assert_true(press(row, GDK_KEY_End));
    g_assert_nonnull(strstr(title(), "sunset"));
    g_assert_false(press(row, GDK_KEY_Down));
    act("win.no-word");
}

/* All that is shown is of the shown step. */
static void test_scrub(void)
{
    SlJob *job = sl_darkroom_page_get_job(darkroom);
    gint64 before, slowest = 0;

    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(card_of("lake")), TRUE);
    for (guint i = 0; i < count_frames(job); i++) {
        g_autoptr(SlFrameObject) frame = g_list_model_get_item(sl_job_get_frames(job), i);
        g_autofree char *step = g_strdup_printf("step %d", sl_frame_object_get_step(frame) + 1);
        g_autofree char *share = NULL;

        before = g_get_monotonic_time();
        sl_film_strip_pick(strip, (int)i);
        slowest = MAX(slowest, g_get_monotonic_time() - before);
        g_assert_nonnull(shown_overlay());
        g_assert_true(g_str_has_suffix(title(), step));
        share = g_strdup_printf(
            "got %.2g %% ",
            100 * sl_frame_object_get_word_share(frame, (guint)sl_word_view_get_touched(words),
                                                 SL_WORD_ALL_LEVELS));
        g_assert_nonnull(strstr(title(), share));
    }
    g_test_message("a step takes at most %.1f ms", slowest / 1000.0);
    sl_film_strip_pick(strip, 2);
    screenshot("words-4-step-3");
}

static void test_choices(void)
{
    g_autoptr(GdkTexture) all = g_object_ref(shown_overlay());
    GtkDropDown *levels = part(words, "levels");

    gtk_drop_down_set_selected(levels, 2);
    g_assert_true(shown_overlay() != all);
    screenshot("words-5-coarse");
    gtk_drop_down_set_selected(levels, 0);
    act("win.word-scale");
    act("win.word-ends");
    g_assert_true(gtk_widget_get_visible(card_of("Beginning")));
    g_assert_true(gtk_widget_get_visible(card_of("End and rest")));
    screenshot("words-6-ends");
    act("win.word-scale");
    act("win.word-ends");
    g_assert_false(gtk_widget_get_visible(card_of("Beginning")));
}

static void test_save(void)
{
    g_autofree char *path = g_build_filename(folder, "lake.png", NULL);
    g_autofree char *nowhere = g_build_filename(folder, "no", "lake.png", NULL);
    g_autoptr(GdkTexture) texture = NULL;
    g_autoptr(GError) error = NULL;

    act_with("win.save-word-map-to", path);
    texture = gdk_texture_new_from_filename(path, &error);
    g_assert_no_error(error);
    g_assert_cmpint(gdk_texture_get_width(texture), >, 320);
    act_with("win.save-word-map-to", nowhere);
    WAIT_UNTIL(find_dialog());
    g_assert_nonnull(strstr(alert_body(), nowhere));
    close_dialog();
}

/* While a run goes, each step as it comes, and the word stays touched. */
static void test_live(void)
{
    SlJob *before = sl_darkroom_page_get_job(darkroom), *job;
    guint seen = 0;

    g_object_set(workspace->recipe, "prompt", "a lake by a mountain", "steps", 30, NULL);
    act("win.develop");
    WAIT_UNTIL(sl_darkroom_page_get_job(darkroom) != before);
    job = sl_darkroom_page_get_job(darkroom);
    while (!sl_job_is_over(job)) {
        SlFrameObject *frame = sl_darkroom_page_get_frame(darkroom);
        g_autofree char *step =
            frame ? g_strdup_printf("step %d", sl_frame_object_get_step(frame) + 1) : NULL;

        if (frame) {
            g_assert_nonnull(shown_overlay());
            g_assert_true(g_str_has_suffix(title(), step));
            seen++;
        }
        turn_main_loop();
    }
    g_assert_cmpuint(seen, >, 0);
    g_assert_nonnull(strstr(title(), "lake"));
    settle(300);
    screenshot("words-7-live");
}

/* Nothing lies over a finished picture. */
static void test_picture(void)
{
    SlPicture *picture;

    WAIT_UNTIL(g_list_model_get_n_items(G_LIST_MODEL(workspace->gallery)) > 0);
    picture = g_list_model_get_item(G_LIST_MODEL(workspace->gallery), 0);
    sl_darkroom_page_show_picture(darkroom, picture);
    g_object_unref(picture);
    settle(300);
    g_assert_null(shown_overlay());
    sl_darkroom_page_leave_picture(darkroom);
    g_assert_nonnull(shown_overlay());
}

static SlWordPair *find_pair(GtkWidget *widget)
{
    if (SL_IS_WORD_PAIR(widget))
        return SL_WORD_PAIR(widget);
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child)) {
        SlWordPair *pair = find_pair(child);

        if (pair)
            return pair;
    }
    return NULL;
}

/* A word in two lanes, and the difference of its maps; saved with the lanes, and read again. */
static void test_lanes(void)
{
    SlCompareChart *chart = sl_compare_view_get_chart(compare_view);
    SlWordPair *pair = find_pair(part(chart, "inspector"));
    g_autofree char *path = g_build_filename(folder, "words.safelight", NULL);
    g_autoptr(GError) error = NULL;
    GtkWidget *choice = NULL;

    g_object_set(workspace->recipe, "steps", 6, NULL);
    act_with("win.compare-preset", "four");
    run_to_end();
    gtk_toggle_button_set_active(part(chart, "tab_inside"), TRUE);
    sl_compare_view_choose(compare_view, 1);
    settle(200);
    g_assert_cmpuint(sl_word_pair_count_maps(pair), ==, 0);
    choice = gtk_widget_get_first_child(gtk_widget_get_first_child(GTK_WIDGET(pair)));
    g_assert_true(gtk_widget_get_visible(choice));
    gtk_drop_down_set_selected(GTK_DROP_DOWN(choice), 2);
    screenshot("words-8-lanes");
    g_assert_cmpuint(sl_word_pair_count_maps(pair), ==, 3);
    sl_compare_view_choose(compare_view, 0);
    settle(200);
    g_assert_cmpuint(sl_word_pair_count_maps(pair), ==, 1);
    sl_compare_view_choose(compare_view, 2);
    settle(200);
    g_assert_cmpuint(sl_word_pair_count_maps(pair), ==, 3);
    save_as("comparison", path);
    sl_comparison_clear(comparison);
    act_with("win.open-path", path);
    WAIT_UNTIL(count_lanes() == 4 && sl_comparison_get_frame(comparison, 1));
    sl_compare_view_choose(compare_view, 1);
    settle(200);
    g_assert_cmpuint(sl_word_pair_count_maps(pair), ==, 3);
    adw_view_stack_set_visible_child_name(pages, "darkroom");
}

static void test_narrow(void)
{
    gtk_window_set_default_size(GTK_WINDOW(window), 600, 760);
    settle(600);
    screenshot("words-9-narrow");
    gtk_window_set_default_size(GTK_WINDOW(window), 1280, 800);
    settle(300);
    adw_style_manager_set_color_scheme(adw_style_manager_get_default(),
                                       ADW_COLOR_SCHEME_FORCE_DARK);
    screenshot("words-10-dark");
    act("win.word-maps");
    g_assert_null(shown_overlay());
    develop();
    g_assert_cmpuint(sl_frame_object_count_words(sl_darkroom_page_get_frame(darkroom)), ==, 0);
}

int main(int argc, char **argv)
{
    const char *model = g_getenv("SAFELIGHT_TEST_MODEL");
    int status;

    g_test_init(&argc, &argv, NULL);
    if (!start_application(model ? model : "sd1"))
        return 77;
    words = part(darkroom, "words");
    g_test_add_func("/words/off", test_off);
    g_test_add_func("/words/again", test_again);
    g_test_add_func("/words/touch", test_touch);
    g_test_add_func("/words/keys", test_keys);
    g_test_add_func("/words/scrub", test_scrub);
    g_test_add_func("/words/choices", test_choices);
    g_test_add_func("/words/save", test_save);
    g_test_add_func("/words/live", test_live);
    g_test_add_func("/words/picture", test_picture);
    comparison = workspace->comparison;
    g_test_add_func("/words/lanes", test_lanes);
    g_test_add_func("/words/narrow", test_narrow);
    status = g_test_run();
    end_application();
    return status;
}
