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
    g_assert_cmpint(position(), ==, 0);
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
    g_autoptr(GdkPaintable) paintable = gtk_widget_paintable_new(widget);
    GtkSnapshot *snapshot = gtk_snapshot_new();
    g_autofree guint32 *pixels = g_new0(guint32, (gsize)width * (gsize)height);

    gdk_paintable_snapshot(paintable, snapshot, width, height);
    g_autoptr(GskRenderNode) node = gtk_snapshot_free_to_node(snapshot);
    g_autoptr(GdkTexture) drawn =
        gsk_renderer_render_texture(gtk_native_get_renderer(GTK_NATIVE(window)), node,
                                    &GRAPHENE_RECT_INIT(0, 0, (float)width, (float)height));
    gdk_texture_download(drawn, (guchar *)pixels, (gsize)width * 4);
    for (int x = width / 2 - 160; x < width / 2 + 160; x++)
        edges += pixels[height / 2 * width + x] != pixels[height / 2 * width + x - 1];
    return edges;
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

/* A run that rests when the window is closed is offered again like one that goes on. */
static void test_close_while_paused(void)
{
    SlJob *job = sl_queue_get_current(workspace->queue);
    g_auto(GStrv) unfinished = NULL;

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
    g_test_add_func("/darkroom/play", test_play);
    g_test_add_func("/darkroom/loop-and-touch", test_loop_and_touch);
    g_test_add_func("/darkroom/speed", test_speed);
    g_test_add_func("/darkroom/less-motion", test_less_motion);
    g_test_add_func("/darkroom/zoom", test_zoom);
    g_test_add_func("/darkroom/nothing-covers", test_nothing_covers);
    g_test_add_func("/darkroom/pause", test_pause);
    g_test_add_func("/darkroom/close-while-paused", test_close_while_paused);
    status = g_test_run();
    end_application();
    return status;
}
