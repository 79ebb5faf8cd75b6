/* test_darkroom.c - what a person does with a run that is there: play it, pause it, look at it closely.
 *
 * The tests run in order in one process, each from where the one before left the window.
 */
#include "mouse.h"

#include "ui/darkroom/sl-player.h"

static SlPlayer *player;

static SlCanvas *canvas(void)
{
    return sl_tray_get_canvas(tray);
}

static const char *caption(void)
{
    return gtk_label_get_text(GTK_LABEL(part(tray, "caption")));
}

static const char *face(void)
{
    return gtk_button_get_icon_name(part(player, "button"));
}

static int position(void)
{
    return sl_film_strip_get_position(strip);
}

static SlJob *develop(int steps)
{
    g_object_set(workspace->recipe, "steps", steps, NULL);
    act("win.develop");
    return sl_queue_get_current(workspace->queue);
}

static void click_canvas(void)
{
    graphene_point_t middle = point_in(GTK_WIDGET(canvas()), 0.5, 0.5);

    use_mouse("mousemove %d %d click 1", (int)middle.x, (int)middle.y);
}

/* ---- what the numbers mean ---- */

/* What is explained is what is shown: the numbers of the caption are in the sentences. */
static void test_terms(void)
{
    SlTerms *terms = sl_tray_get_terms(tray);
    GtkWidget *button = find_named(GTK_WIDGET(terms), "terms");
    SlJob *job;

    g_assert_false(gtk_widget_get_visible(GTK_WIDGET(terms)));
    job = develop(6);
    WAIT_UNTIL(sl_job_is_over(job));
    for (int place = 5; place >= 0; place -= 5) {
        SlFrameObject *frame;
        g_autofree char *t = NULL, *sigma = NULL, *x_t = NULL, *x_0 = NULL, *guidance = NULL;
        g_autofree char *number = NULL, *level = NULL, *step = NULL;

        sl_film_strip_pick(strip, place);
        frame = sl_film_strip_get_frame(strip);
        number = g_strdup_printf("%.4g", sl_frame_object_get_timestep(frame));
        level = g_strdup_printf("%.3g", sl_frame_object_get_sigma(frame));
        step = g_strdup_printf("step %d of 6", sl_frame_object_get_step(frame) + 1);
        t = sl_terms_explain(terms, "t");
        sigma = sl_terms_explain(terms, "σ");
        x_t = sl_terms_explain(terms, "x_t");
        x_0 = sl_terms_explain(terms, "x_0");
        guidance = sl_terms_explain(terms, "guidance");
        g_assert_nonnull(strstr(t, number));
        g_assert_nonnull(strstr(caption(), number));
        g_assert_nonnull(strstr(sigma, level));
        g_assert_nonnull(strstr(caption(), level));
        g_assert_nonnull(strstr(x_t, step));
        g_assert_nonnull(strstr(x_0, sl_frame_object_is_last(frame) ? "last step" : "times more"));
        g_assert_nonnull(strstr(guidance, "7.5"));
    }
    gtk_widget_grab_focus(button); /* by keys alone */
    gtk_menu_button_popup(GTK_MENU_BUTTON(button));
    WAIT_UNTIL(
        gtk_widget_get_mapped(GTK_WIDGET(gtk_menu_button_get_popover(GTK_MENU_BUTTON(button)))));
    screenshot("darkroom-terms");
    gtk_menu_button_popdown(GTK_MENU_BUTTON(button));
    sl_film_strip_pick(strip, 5);
}

/* ---- what a run begins with ---- */

static gboolean can(const char *action)
{
    return g_action_get_enabled(g_action_map_lookup_action(G_ACTION_MAP(window), action));
}

/* Step 0 is the noise: it has a place, a name and a caption, and nothing branches there. */
static void test_noise(void)
{
    SlJob *job = develop(6);
    int width, height, last;

    WAIT_UNTIL(sl_job_is_over(job));
    g_assert_nonnull(sl_job_get_noise(job, &width, &height));
    last = position();
    g_assert_cmpint(last, >=, 5);
    g_assert_null(sl_film_strip_get_noise(strip));
    sl_film_strip_pick(strip, -1);
    g_assert_cmpint(position(), ==, -1);
    g_assert_nonnull(sl_film_strip_get_noise(strip));
    g_assert_null(sl_film_strip_get_frame(strip));
    g_assert_nonnull(strstr(caption(), "Step 0 of 6"));
    g_assert_nonnull(strstr(caption(), "x_T"));
    g_assert_false(can("branch"));
    g_assert_false(can("what-if"));
    g_assert_false(can("keep-step"));
    g_assert_true(can("play"));
    screenshot("darkroom-noise");
    sl_film_strip_pick(strip, -9); /* it is the first */
    g_assert_cmpint(position(), ==, -1);
    act("win.next-step");
    g_assert_cmpint(position(), ==, 0);
    g_assert_nonnull(strstr(caption(), "Step 1 of 6"));
    g_assert_true(can("branch"));
    act("win.previous-step");
    g_assert_cmpint(position(), ==, -1);
    sl_film_strip_pick(strip, last);
    g_assert_true(can("keep-step"));
}

/* ---- playing ---- */

static void test_play(void)
{
    SlJob *job = develop(7);
    int last;

    WAIT_UNTIL(sl_job_is_over(job));
    player = part(darkroom, "player");
    last = position();
    g_settings_set_uint(preferences, "play-speed", 25);
    g_assert_cmpstr(face(), ==, "media-playback-start-symbolic");
    act("win.play");
    g_assert_true(sl_player_is_playing(player));
    g_assert_cmpstr(face(), ==, "media-playback-pause-symbolic");
    g_assert_cmpint(position(), ==, -1); /* out of the noise */
    WAIT_UNTIL(position() > 0 && position() < last);
    WAIT_UNTIL(!sl_player_is_playing(player));
    g_assert_cmpint(position(), ==, last);
    WAIT_UNTIL(sl_frame_object_is_decoded(sl_darkroom_page_get_frame(darkroom), SL_VIEW_PICTURE));
    screenshot("darkroom-played");
}

/* Again from the first step, until somebody goes to a step, or presses a place or the picture. */
static void test_loop_and_touch(void)
{
    int last = position();

    g_settings_set_boolean(preferences, "play-loop", TRUE);
    act("win.play");
    WAIT_UNTIL(position() == last);
    WAIT_UNTIL(position() < last);
    g_assert_true(sl_player_is_playing(player));
    act("win.previous-step");
    g_assert_false(sl_player_is_playing(player));
    act("win.play");
    click_canvas();
    WAIT_UNTIL(!sl_player_is_playing(player));
    g_assert_true(gtk_widget_has_focus(GTK_WIDGET(canvas())));
    use_mouse("key space");
    WAIT_UNTIL(sl_player_is_playing(player));
    use_mouse("key space");
    WAIT_UNTIL(!sl_player_is_playing(player));
}

static guint count_decoded(SlJob *job)
{
    guint decoded = 0;

    for (guint i = 0; i < count_frames(job); i++) {
        g_autoptr(SlFrameObject) frame = g_list_model_get_item(sl_job_get_frames(job), i);

        decoded += sl_frame_object_is_decoded(frame, SL_VIEW_PICTURE) ? 1 : 0;
    }
    return decoded;
}

/* What was only previewed while the run went on becomes the real pictures while it is played. */
static void test_decoded_by_playing(void)
{
    SlJob *job;

    g_settings_set_uint(preferences, "previews", SL_PREVIEWS_QUICK);
    job = develop(7);
    WAIT_UNTIL(sl_job_is_over(job));
    job = sl_darkroom_page_get_job(darkroom);
    g_assert_cmpuint(count_decoded(job), <, count_frames(job));
    act("win.play");
    WAIT_UNTIL(count_decoded(job) == count_frames(job));
    g_assert_true(sl_player_is_playing(player)); /* again and again */
    act("win.play");
    g_assert_false(sl_player_is_playing(player));
    g_settings_set_uint(preferences, "previews", SL_PREVIEWS_AUTOMATIC);
}

/* The speed is kept. */
static void test_speed(void)
{
    g_autoptr(GVariant) state = NULL;

    g_assert_true(
        gtk_widget_activate_action(GTK_WIDGET(window), "win.play-speed", "u", (guint32)50));
    g_assert_cmpuint(g_settings_get_uint(preferences, "play-speed"), ==, 50);
}

static void test_less_motion(void)
{
    GtkSettings *settings = gtk_widget_get_settings(GTK_WIDGET(window));
    gint64 start;
    int last;

    for (int i = 0; i < 9; i++)
        act("win.next-step");
    last = position();
    for (int i = 0; i < 2; i++)
        act("win.previous-step");
    g_object_set(settings, "gtk-enable-animations", FALSE, NULL);
    start = g_get_monotonic_time();
    act("win.play");
    WAIT_UNTIL(!sl_player_is_playing(player)); /* though it shall be played again and again */
    g_assert_cmpint(position(), ==, last);
    g_assert_cmpint(g_get_monotonic_time() - start, >=, 900 * 1000);
    g_object_set(settings, "gtk-enable-animations", TRUE, NULL);
    g_settings_set_boolean(preferences, "play-loop", FALSE);
}

/* ---- looking closely ---- */

/* In a row of the picture as it is drawn: how many pixels differ from the one before. */
static int count_edges(void)
{
    GtkWidget *widget = GTK_WIDGET(canvas());
    int width = gtk_widget_get_width(widget), height = gtk_widget_get_height(widget), edges = 0;
    g_autofree guint32 *pixels = draw_widget(widget);

    for (int x = width / 2 - 160; x < width / 2 + 160; x++)
        edges += pixels[height / 2 * width + x] != pixels[height / 2 * width + x - 1];
    return edges;
}

/* The wheel scrolls the panel, also over a number. */
static void test_wheel(void)
{
    GtkWidget *scale = part(panel, "guidance_scale");
    GtkWidget *scroller = gtk_widget_get_ancestor(scale, GTK_TYPE_SCROLLED_WINDOW);
    GtkAdjustment *place = gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(scroller));
    g_autofree char *xdotool = g_find_program_in_path("xdotool");
    graphene_point_t at = point_at(scale, 30, 10);
    double guidance = gtk_range_get_value(GTK_RANGE(scale));

    check_wheel(panel, 8);
    if (!xdotool)
        return;
    use_mouse("mousemove %.0f %.0f click --repeat 2 --delay 50 5", (double)at.x, (double)at.y);
    WAIT_UNTIL(gtk_adjustment_get_value(place) > 0);
    g_assert_cmpfloat(gtk_range_get_value(GTK_RANGE(scale)), ==, guidance);
    gtk_adjustment_set_value(place, 0);
}

static void test_zoom(void)
{
    GtkLabel *percent = part(tray, "percent");

    g_assert_cmpint(gdk_texture_get_width(sl_canvas_get_texture(canvas())), ==,
                    sl_settings_get_width(workspace->recipe)); /* it is no preview */
    sl_canvas_set_zoom(canvas(), 16);
    WAIT_UNTIL(g_str_equal(gtk_label_get_text(percent), "1600 %"));
    settle(100);
    g_assert_cmpint(count_edges(), >, 5);
    g_assert_cmpint(count_edges(), <=,
                    21); /* 320 pixels of the screen show 20 or 21 of the picture */
    screenshot("darkroom-squares");
    click_canvas();
    use_mouse("key minus");
    WAIT_UNTIL(g_str_equal(gtk_label_get_text(percent), "1280 %"));
    use_mouse("key plus");
    WAIT_UNTIL(g_str_equal(gtk_label_get_text(percent), "1600 %"));
    use_mouse("key 1");
    WAIT_UNTIL(g_str_equal(gtk_label_get_text(percent), "100 %"));
    use_mouse("key 0");
    WAIT_UNTIL(sl_canvas_is_fitted(canvas()));
}

/* What is said of the picture, and the tools, are beside it. */
static void test_nothing_covers(void)
{
    GtkWidget *widget = GTK_WIDGET(canvas());

    g_assert_true(gtk_widget_get_mapped(part(tray, "caption")));
    sl_canvas_set_zoom(canvas(), 32);
    settle(100);
    for (int y = 0; y <= 10; y++)
        for (int x = 0; x <= 10; x++) {
            graphene_point_t at =
                GRAPHENE_POINT_INIT((float)(gtk_widget_get_width(widget) * (0.01 + x * 0.098)),
                                    (float)(gtk_widget_get_height(widget) * (0.01 + y * 0.098)));
            graphene_point_t in_tray;

            g_assert_true(gtk_widget_compute_point(widget, GTK_WIDGET(tray), &at, &in_tray));
            g_assert_true(gtk_widget_pick(GTK_WIDGET(tray), (double)in_tray.x, (double)in_tray.y,
                                          GTK_PICK_DEFAULT) == widget);
        }
    act("win.zoom-fit");
}

/* ---- pausing ---- */

static void test_pause(void)
{
    SlJob *job = develop(900);
    GtkWidget *popover = part(window, "queue_popover");
    guint frames;

    WAIT_UNTIL(count_frames(job) >= 3);
    g_assert_cmpstr(face(), ==, "media-playback-pause-symbolic");
    click_canvas();
    use_mouse("key p");
    WAIT_UNTIL(sl_job_get_state(job) == SL_JOB_PAUSED);
    frames = count_frames(job);
    g_assert_nonnull(strstr(caption(), "paused"));
    g_assert_cmpstr(face(), ==, "media-playback-start-symbolic");
    gtk_popover_popup(GTK_POPOVER(popover));
    settle(200);
    g_assert_cmpstr(gtk_label_get_text(part(popover, "title")), ==, "Queue, paused");
    gtk_popover_popdown(GTK_POPOVER(popover));
    /* What it rests at can be looked at, and the next picture waits. */
    WAIT_UNTIL(sl_frame_object_is_decoded(sl_darkroom_page_get_frame(darkroom), SL_VIEW_PICTURE));
    act("win.develop");
    g_assert_cmpint(g_list_model_get_n_items(G_LIST_MODEL(workspace->queue)), ==, 1);
    g_assert_cmpint(count_frames(job), ==, frames);
    screenshot("darkroom-paused");
    act("win.play"); /* which is the same of a run that is not over */
    WAIT_UNTIL(count_frames(job) > frames);
    g_assert_null(strstr(caption(), "paused"));
    sl_queue_clear(workspace->queue);
}

/* ---- stopping all ---- */

/* The last one: a toast that goes is before the one that comes. */
static GtkWidget *find_button(GtkWidget *widget, const char *label)
{
    const char *text = GTK_IS_BUTTON(widget) ? gtk_button_get_label(GTK_BUTTON(widget)) : NULL;

    if (g_strcmp0(text, label) == 0 && gtk_widget_get_mapped(widget))
        return widget;
    for (GtkWidget *child = gtk_widget_get_last_child(widget); child;
         child = gtk_widget_get_prev_sibling(child)) {
        GtkWidget *found = find_button(child, label);

        if (found)
            return found;
    }
    return NULL;
}

static void undo(void)
{
    GtkWidget *button;

    settle(600); /* the newest comes in front */
    WAIT_UNTIL((button = find_button(part(window, "toasts"), "_Undo")) != NULL);
    g_signal_emit_by_name(button, "clicked");
}

static guint count_waiting(void)
{
    return g_list_model_get_n_items(G_LIST_MODEL(workspace->queue));
}

static void test_stop_all(void)
{
    SlJob *job = sl_queue_get_current(workspace->queue);
    g_autoptr(SlJob) second = NULL;

    g_assert_nonnull(job);
    act("win.develop");
    act("win.develop");
    g_assert_cmpint(count_waiting(), ==, 2);
    second = g_list_model_get_item(G_LIST_MODEL(workspace->queue), 0);
    act("win.stop-all");
    g_assert_null(sl_queue_get_current(workspace->queue));
    g_assert_cmpint(count_waiting(), ==, 0);
    screenshot("darkroom-stopped-all");
    undo();
    g_assert_true(sl_queue_get_current(workspace->queue) == second);
    g_assert_cmpint(count_waiting(), ==, 1);
    act("win.clear-queue");
    g_assert_cmpint(count_waiting(), ==, 0);
    g_assert_true(sl_queue_get_current(workspace->queue) == second);
}

/* ---- prompts of before, and presets ---- */

static GtkListBoxRow *row_of(const char *popover, int index)
{
    GtkListBox *list = part(part(window, popover), "list");

    return gtk_list_box_get_row_at_index(list, index);
}

static void choose_row(const char *popover, int index)
{
    g_signal_emit_by_name(part(part(window, popover), "list"), "row-activated",
                          row_of(popover, index));
}

static const char *title_of(const char *popover, int index)
{
    return adw_preferences_row_get_title(ADW_PREFERENCES_ROW(row_of(popover, index)));
}

static void make(const char *prompt, const char *negative)
{
    SlJob *job;

    g_object_set(workspace->recipe, "prompt", prompt, "negative-prompt", negative, NULL);
    job = develop(2);
    WAIT_UNTIL(sl_job_is_over(job));
}

static gboolean has_file(const char *name, const char *words)
{
    g_autofree char *path = g_build_filename(g_get_user_config_dir(), "safelight", name, NULL);
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) && strstr(text, words);
}

static void test_history(void)
{
    SlCookbook *history = workspace->history;
    g_autofree char *negative = NULL;
    guint before;

    sl_queue_clear(workspace->queue);
    act("win.stop");
    before = g_list_model_get_n_items(G_LIST_MODEL(history));
    make("a tower <of> stones", "fog");
    make("a bridge", "");
    make("a tower <of> stones", "fog"); /* once: it comes to the front */
    g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(history)), ==, before + 2);
    act("win.history");
    screenshot("darkroom-history");
    g_assert_cmpstr(title_of("history_popover", 0), ==, "a tower &lt;of&gt; stones");
    g_assert_cmpstr(title_of("history_popover", 1), ==, "a bridge");
    g_object_set(workspace->recipe, "prompt", "x", "negative-prompt", "y", "steps", 3, NULL);
    choose_row("history_popover", 0);
    g_object_get(workspace->recipe, "negative-prompt", &negative, NULL);
    g_assert_cmpstr(sl_settings_get_prompt(workspace->recipe), ==, "a tower <of> stones");
    g_assert_cmpstr(negative, ==, "fog");
    g_assert_cmpint(sl_settings_get_steps(workspace->recipe), ==, 3); /* only the words */
    WAIT_UNTIL(has_file("history.json", "a bridge"));
    act("win.history");
    settle(200);
    g_signal_emit_by_name(part(part(window, "history_popover"), "forget"), "clicked");
    g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(history)), ==, 0);
    gtk_popover_popdown(part(window, "history_popover"));
    undo();
    g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(history)), ==, before + 2);
    g_assert_cmpstr(title_of("history_popover", 1), ==, "a bridge");
}

static void save_preset(const char *name)
{
    GtkWidget *popover = part(window, "preset_popover");

    gtk_editable_set_text(part(popover, "name"), name);
    g_signal_emit_by_name(part(popover, "save"), "clicked");
}

/* A button of a preset's row, by its tooltip. */
static GtkWidget *find_by_tooltip(GtkWidget *widget, const char *tooltip)
{
    if (GTK_IS_BUTTON(widget) && g_strcmp0(gtk_widget_get_tooltip_text(widget), tooltip) == 0)
        return widget;
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child)) {
        GtkWidget *found = find_by_tooltip(child, tooltip);

        if (found)
            return found;
    }
    return NULL;
}

static void press_in_row(int index, const char *tooltip)
{
    GtkWidget *button = find_by_tooltip(GTK_WIDGET(row_of("preset_popover", index)), tooltip);

    g_assert_nonnull(button);
    g_signal_emit_by_name(button, "clicked");
}

static void test_presets(void)
{
    SlCookbook *presets = workspace->presets;
    GtkWidget *popover = part(window, "preset_popover");

    g_object_set(workspace->recipe, "steps", 31, "guidance", 3.5, "scheduler", "euler", "prompt",
                 "of the preset", NULL);
    act("win.presets");
    g_assert_false(gtk_widget_get_sensitive(part(popover, "save"))); /* without a name */
    save_preset("quick & soft");
    gtk_check_button_set_active(part(popover, "words"), TRUE);
    save_preset("with words");
    gtk_check_button_set_active(part(popover, "words"), FALSE);
    screenshot("darkroom-presets");
    g_object_set(workspace->recipe, "steps", 5, "guidance", 8.0, "scheduler", "ddim", "prompt",
                 "a cat", "seed", (guint64)99, NULL);
    choose_row("preset_popover", 1);
    g_assert_cmpint(sl_settings_get_steps(workspace->recipe), ==, 31);
    g_assert_cmpstr(sl_settings_get_scheduler(workspace->recipe), ==, "euler");
    g_assert_cmpstr(sl_settings_get_prompt(workspace->recipe), ==, "a cat");
    g_assert_cmpuint(sl_settings_get_seed(workspace->recipe), ==, 99);
    undo();
    g_assert_cmpint(sl_settings_get_steps(workspace->recipe), ==, 5);
    choose_row("preset_popover", 0);
    g_assert_cmpstr(sl_settings_get_prompt(workspace->recipe), ==, "of the preset");
    WAIT_UNTIL(has_file("presets.json", "quick & soft"));
    /* renamed, but not to a name that is taken, and taken away with a way back */
    act("win.presets");
    settle(300);
    press_in_row(1, "Rename");
    g_assert_cmpstr(gtk_editable_get_text(part(popover, "name")), ==, "quick & soft");
    gtk_editable_set_text(part(popover, "name"), "with words");
    g_assert_false(gtk_widget_get_sensitive(part(popover, "save")));
    save_preset("slow");
    g_assert_cmpstr(title_of("preset_popover", 1), ==, "slow");
    g_assert_cmpuint(sl_cookbook_find(presets, "quick & soft"), ==, G_MAXUINT);
    press_in_row(0, "Delete this preset");
    g_assert_cmpuint(g_list_model_get_n_items(G_LIST_MODEL(presets)), ==, 1);
    gtk_popover_popdown(GTK_POPOVER(popover));
    undo();
    g_assert_cmpstr(title_of("preset_popover", 0), ==, "with words");
}

/* A preset brings its model; undo brings back the one before. */
static void test_preset_of_a_model(void)
{
    g_autofree char *first = fixture_path("sd1"), *second = fixture_path("sd2");
    SlModelStore *models = workspace->models;

    act("win.presets");
    save_preset("of the first");
    sl_workspace_want_model(workspace, sl_model_store_find(models, second));
    WAIT_UNTIL(g_str_equal(sl_model_item_get_path(workspace->model), second));
    g_object_set(workspace->recipe, "steps", 7, NULL);
    act("win.presets");
    choose_row("preset_popover", 0);
    WAIT_UNTIL(g_str_equal(sl_model_item_get_path(workspace->model), first));
    undo();
    WAIT_UNTIL(g_str_equal(sl_model_item_get_path(workspace->model), second));
    g_assert_cmpint(sl_settings_get_steps(workspace->recipe), ==, 7);
    sl_workspace_want_model(workspace, sl_model_store_find(models, first));
    WAIT_UNTIL(g_str_equal(sl_model_item_get_path(workspace->model), first));
}

static void remember(const char *first, const char *second)
{
    const char *const list[] = {first, second, NULL};

    g_settings_set_strv(preferences, "unfinished", list);
}

static guint count_remembered(const char *part_of)
{
    g_auto(GStrv) recipes = g_settings_get_strv(preferences, "unfinished");
    guint count = 0;

    for (char **recipe = recipes; *recipe; recipe++)
        count += strstr(*recipe, part_of) != NULL;
    return count;
}

static void close_window(void)
{
    gtk_window_close(GTK_WINDOW(window));
    window = NULL;
}

/* What was left another time stays in the list where nobody takes the offer, behind what is left now; and what does
 * not fit the model is said and stays there, too, until a person has it forgotten. */
static void test_unfinished(void)
{
    g_autoptr(SlSettings) settings = sl_model_item_defaults(workspace->model);
    g_autofree char *fits = NULL, *does_not = NULL;
    SlJob *job;

    close_window();
    g_object_set(settings, "steps", 2, "prompt", "a red shed", NULL);
    fits = sl_settings_to_string(settings);
    g_object_set(settings, "width", sl_settings_get_width(settings) + 1, "prompt", "a wide house",
                 NULL);
    does_not = sl_settings_to_string(settings);

    remember(fits, does_not);
    open_window();
    develop(900);
    close_window();
    g_assert_cmpuint(count_remembered(""), ==, 3);
    g_assert_cmpuint(count_remembered("a red shed"), ==, 1);
    g_assert_cmpuint(count_remembered("a wide house"), ==, 1);

    remember(fits, does_not);
    open_window();
    act("win.resume");
    g_assert_nonnull(job = sl_queue_get_current(workspace->queue));
    g_assert_cmpstr(sl_settings_get_prompt(sl_job_get_settings(job)), ==, "a red shed");
    WAIT_UNTIL(find_dialog());
    screenshot("darkroom-unfinished");
    g_test_message("%s", alert_body());
    g_assert_nonnull(strstr(alert_body(), "a wide house"));
    g_assert_nonnull(strstr(alert_body(), "width"));
    g_assert_null(strstr(alert_body(), "a red shed"));
    answer_alert("keep");
    WAIT_UNTIL(sl_job_is_over(job));
    close_window();
    g_assert_cmpuint(count_remembered(""), ==, 1);
    g_assert_cmpuint(count_remembered("a wide house"), ==, 1);

    remember("no recipe", does_not);
    open_window();
    act("win.resume");
    WAIT_UNTIL(find_dialog());
    g_assert_nonnull(strstr(alert_body(), "no recipe"));
    answer_alert("forget");
    WAIT_UNTIL(count_remembered("") == 0);
    close_window();
    g_assert_cmpuint(count_remembered(""), ==, 0);
    open_window();
}

/* A run that rests when the window is closed is offered again like one that goes on. */
static void test_close_while_paused(void)
{
    g_auto(GStrv) unfinished = NULL;
    SlJob *job;

    sl_queue_clear(workspace->queue);
    act("win.stop");
    job = develop(900);
    act("win.pause");
    WAIT_UNTIL(sl_job_get_state(job) == SL_JOB_PAUSED);
    gtk_window_close(GTK_WINDOW(window));
    window = NULL;
    unfinished = g_settings_get_strv(preferences, "unfinished");
    g_assert_cmpint(g_strv_length(unfinished), ==, 1);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    if (!start_application("sd1"))
        return 77;
    g_test_add_func("/darkroom/terms", test_terms);
    g_test_add_func("/darkroom/noise", test_noise);
    g_test_add_func("/darkroom/play", test_play);
    g_test_add_func("/darkroom/loop-and-touch", test_loop_and_touch);
    g_test_add_func("/darkroom/decoded-by-playing", test_decoded_by_playing);
    g_test_add_func("/darkroom/speed", test_speed);
    g_test_add_func("/darkroom/less-motion", test_less_motion);
    g_test_add_func("/darkroom/wheel", test_wheel);
    g_test_add_func("/darkroom/zoom", test_zoom);
    g_test_add_func("/darkroom/nothing-covers", test_nothing_covers);
    g_test_add_func("/darkroom/pause", test_pause);
    g_test_add_func("/darkroom/stop-all", test_stop_all);
    g_test_add_func("/darkroom/history", test_history);
    g_test_add_func("/darkroom/presets", test_presets);
    g_test_add_func("/darkroom/preset-of-a-model", test_preset_of_a_model);
    g_test_add_func("/darkroom/unfinished", test_unfinished);
    g_test_add_func("/darkroom/close-while-paused", test_close_while_paused);
    status = g_test_run();
    end_application();
    return status;
}
