/* driver.h - the real window under Xvfb, for tests that drive it through its actions. Screenshots go to
 * $SAFELIGHT_SCREENSHOTS. */
#pragma once

#include "tests/app/objects/gobject.h"
#include "ui/darkroom/sl-film-strip.h"
#include "ui/darkroom/sl-recipe-panel.h"
#include "ui/darkroom/sl-tray.h"
#include "ui/sl-resources.h"
#include "ui/widgets/sl-part-row.h"
#include "ui/widgets/sl-side-view.h"
#include "ui/window/sl-application.h"
#include "ui/window/sl-window.h"

static SlApplication *application;
static SlWindow *window;
/* The window's parts. */
static SlWorkspace *workspace;
static SlDarkroomPage *darkroom;
G_GNUC_UNUSED static SlRecipePanel *panel;
G_GNUC_UNUSED static SlFilmStrip *strip;
G_GNUC_UNUSED static SlTray *tray;
G_GNUC_UNUSED static AdwViewStack *pages;
G_GNUC_UNUSED static SlSideView *sides;
G_GNUC_UNUSED static SlCompareView *compare_view;
G_GNUC_UNUSED static SlGalleryView *gallery_view;
G_GNUC_UNUSED static SlExportBar *export_bar;
static GSettings *preferences;
static char *folder;
static guint start_theme = 1; /* light */
static int start_width = 1280, start_height = 800;

/* A child of a widget by its name in the widget's .ui file. */
G_GNUC_UNUSED static gpointer part(gpointer widget, const char *name)
{
    GObject *child = gtk_widget_get_template_child(GTK_WIDGET(widget), G_OBJECT_TYPE(widget), name);

    g_assert_nonnull(child);
    return child;
}

/* The widget of that name under another one; NULL: there is none. */
G_GNUC_UNUSED static GtkWidget *find_named(GtkWidget *widget, const char *name)
{
    if (g_str_equal(gtk_widget_get_name(widget), name))
        return widget;
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child)) {
        GtkWidget *found = find_named(child, name);

        if (found)
            return found;
    }
    return NULL;
}

G_GNUC_UNUSED static void settle(int milliseconds)
{
    gint64 end = g_get_monotonic_time() + milliseconds * 1000;

    while (g_get_monotonic_time() < end)
        turn_main_loop();
}

G_GNUC_UNUSED static void act(const char *action)
{
    g_assert_true(gtk_widget_activate_action_variant(GTK_WIDGET(window), action, NULL));
}

G_GNUC_UNUSED static void act_with(const char *action, const char *text)
{
    g_assert_true(gtk_widget_activate_action(GTK_WIDGET(window), action, "s", text));
}

G_GNUC_UNUSED static void screenshot(const char *name)
{
    const char *shots = g_getenv("SAFELIGHT_SCREENSHOTS");
    g_autofree char *path = shots ? g_strdup_printf("%s/%s.png", shots, name) : NULL;
    g_autofree char *import = g_find_program_in_path("import");
    /* (Hardly compressed: by default that takes three times as long as all else of it.) */
    const char *command[] = {import, "-window", "root", "-quality", "10", path, NULL};

    settle(400);
    if (shots)
        g_mkdir_with_parents(shots, 0755);
    if (path && import)
        g_spawn_sync(NULL, (char **)command, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, NULL,
                     NULL);
}

static gboolean listens_to_wheel(GtkWidget *widget)
{
    g_autoptr(GListModel) controllers = gtk_widget_observe_controllers(widget);
    gboolean listens = FALSE;

    for (guint i = 0; i < g_list_model_get_n_items(controllers); i++) {
        g_autoptr(GtkEventController) controller = g_list_model_get_item(controllers, i);

        listens |= GTK_IS_EVENT_CONTROLLER_SCROLL(controller) &&
                   gtk_event_controller_get_propagation_phase(controller) != GTK_PHASE_NONE;
    }
    return listens;
}

/* Spin buttons and scales below a widget, and of them those that the wheel changes. */
G_GNUC_UNUSED static void count_numbers(GtkWidget *widget, guint *numbers, guint *turned)
{
    if (GTK_IS_SPIN_BUTTON(widget) || GTK_IS_SCALE(widget)) {
        ++*numbers;
        *turned += listens_to_wheel(widget);
    }
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child))
        count_numbers(child, numbers, turned);
}

/* Who scrolls a page changes no number in it. */
G_GNUC_UNUSED static void check_wheel(gpointer page, guint least)
{
    guint numbers = 0, turned = 0;

    count_numbers(page, &numbers, &turned);
    g_assert_cmpuint(numbers, >=, least);
    g_assert_cmpuint(turned, ==, 0);
}

static void set_done(gboolean *done)
{
    *done = TRUE;
}

/* Until all that has changed is laid out and drawn. */
G_GNUC_UNUSED static void wait_for_frame(void)
{
    GdkFrameClock *clock = gtk_widget_get_frame_clock(GTK_WIDGET(window));
    gboolean done = FALSE;
    gulong handler = g_signal_connect_swapped(clock, "after-paint", G_CALLBACK(set_done), &done);

    gtk_widget_queue_draw(GTK_WIDGET(window));
    WAIT_UNTIL(done);
    g_signal_handler_disconnect(clock, handler);
}

/* NULL: it was not drawn yet. */
G_GNUC_UNUSED static GskRenderNode *find_node(GtkWidget *widget)
{
    g_autoptr(GdkPaintable) paintable = gtk_widget_paintable_new(widget);
    GtkSnapshot *snapshot = gtk_snapshot_new();

    gdk_paintable_snapshot(paintable, snapshot, gtk_widget_get_width(widget),
                           gtk_widget_get_height(widget));
    return gtk_snapshot_free_to_node(snapshot);
}

/* The pixels of a widget as it is drawn, without what is behind it: rows of its width. */
G_GNUC_UNUSED static guint32 *draw_widget(GtkWidget *widget)
{
    g_autoptr(GskRenderNode) node = NULL;
    g_autoptr(GdkTexture) drawn = NULL;
    guint32 *pixels;
    int width, height;

    WAIT_UNTIL((node = find_node(widget)) != NULL);
    width = gtk_widget_get_width(widget);
    height = gtk_widget_get_height(widget);
    pixels = g_new0(guint32, (gsize)width * (gsize)height);
    drawn = gsk_renderer_render_texture(gtk_native_get_renderer(GTK_NATIVE(window)), node,
                                        &GRAPHENE_RECT_INIT(0, 0, (float)width, (float)height));
    gdk_texture_download(drawn, (guchar *)pixels, (gsize)width * 4);
    return pixels;
}

/* ---- dialogs: what ui/widgets/sl-dialog.h makes, and the lane editor, which is a window ---- */

static GtkWindow *find_window_over(GtkWindow *below)
{
    GListModel *toplevels = gtk_window_get_toplevels();

    for (guint i = 0; i < g_list_model_get_n_items(toplevels); i++) {
        g_autoptr(GtkWindow) toplevel = g_list_model_get_item(toplevels, i);

        if (gtk_widget_get_visible(GTK_WIDGET(toplevel)) &&
            gtk_window_get_transient_for(toplevel) == below)
            return toplevel;
    }
    return NULL;
}

/* The topmost one, or NULL. */
G_GNUC_UNUSED static gpointer find_dialog(void)
{
    GtkWindow *dialog = NULL, *above = GTK_WINDOW(window);

    while ((above = find_window_over(above)))
        dialog = above;
#if ADW_CHECK_VERSION(1, 5, 0)
    if (!dialog)
        return adw_application_window_get_visible_dialog(ADW_APPLICATION_WINDOW(window));
#endif
    return dialog;
}

/* As nobody's answer; one that is below is found then. */
G_GNUC_UNUSED static void close_dialog(void)
{
    gpointer dialog;

    WAIT_UNTIL((dialog = find_dialog()) != NULL);
#if ADW_CHECK_VERSION(1, 5, 0)
    if (ADW_IS_DIALOG(dialog))
        adw_dialog_force_close(dialog);
    else
#endif
        gtk_window_destroy(dialog);
    WAIT_UNTIL(find_dialog() != dialog);
}

G_GNUC_UNUSED static const char *alert_body(void)
{
#if ADW_CHECK_VERSION(1, 5, 0)
    return adw_alert_dialog_get_body(find_dialog());
#else
    return adw_message_dialog_get_body(find_dialog());
#endif
}

/* As if its button was pressed: it goes, too. */
G_GNUC_UNUSED static void answer_alert(const char *response)
{
#if ADW_CHECK_VERSION(1, 5, 0)
    g_autofree char *signal = g_strconcat("response::", response, NULL);
    gpointer dialog = find_dialog();

    g_signal_emit_by_name(dialog, signal, response);
    adw_dialog_close(dialog);
#else
    GtkWindow *dialog = g_object_ref(find_dialog());

    adw_message_dialog_response(ADW_MESSAGE_DIALOG(dialog), response);
    gtk_window_close(dialog);
    g_object_unref(dialog);
#endif
}

/* A warning is a failure. Not this one: libadwaita 1.7 measures an alert's long heading for less than its width, to see whether it
 * takes smaller letters, and GTK 4.18 warns of that. */
static GLogWriterOutput write_log(GLogLevelFlags level, const GLogField *fields, gsize count,
                                  gpointer data)
{
    for (gsize i = 0; i < count; i++)
        if (g_str_equal(fields[i].key, "MESSAGE") &&
            g_str_has_prefix(fields[i].value, "Trying to measure GtkLabel"))
            return G_LOG_WRITER_HANDLED;
    return g_log_writer_default(level, fields, count, data);
}

/* The application's window, over the preferences as they are; a new one where there is none. It waits for its
 * model. */
static void open_window(void)
{
    g_application_activate(G_APPLICATION(application));
    window = SL_WINDOW(gtk_application_get_windows(GTK_APPLICATION(application))->data);
    workspace = sl_window_get_workspace(window);
    darkroom = sl_window_get_darkroom(window);
    compare_view = sl_compare_page_get_view(sl_window_get_compare(window));
    gallery_view = sl_gallery_page_get_view(sl_window_get_gallery(window));
    panel = part(window, "panel");
    strip = part(darkroom, "strip");
    tray = part(darkroom, "tray");
    pages = part(window, "pages");
    sides = part(window, "sides");
    export_bar = part(window, "export_bar");
    WAIT_UNTIL(sl_model_store_is_scanned(workspace->models) &&
               sl_worker_get_model(workspace->worker));
}

/* FALSE without a display. The window waits for its model. */
static gboolean start_application(const char *model)
{
    const char *given = g_getenv("SAFELIGHT_TEST_MODELS");
    g_autofree char *models = given ? g_strdup(given) : fixture_path(NULL);
    g_autoptr(GError) error = NULL;

    g_log_set_writer_func(write_log, NULL, NULL);
    g_setenv("SAFELIGHT_MODELS", models, TRUE);
    if (!gtk_init_check())
        return FALSE;
    g_resources_register(sl_get_resource());
    preferences = sl_places_open_settings(&error);
    g_assert_no_error(error);
    folder = temporary_folder();
    g_settings_set_string(preferences, "pictures-folder", folder);
    g_settings_set_string(preferences, "model", model);
    g_settings_set_uint(preferences, "theme", start_theme);
    g_settings_set_boolean(preferences, "keep-seed", TRUE);
    /* The models are tiny: threads that wait for each other on a busy machine would take minutes. */
    g_settings_set_uint(preferences, "threads", 1);
    g_settings_set_int(preferences, "width", start_width);
    g_settings_set_int(preferences, "height", start_height);
    application = sl_application_new(preferences);
    g_assert_true(g_application_register(G_APPLICATION(application), NULL, NULL));
    open_window();
    return TRUE;
}

static void end_application(void)
{
    if (window)
        gtk_window_close(GTK_WINDOW(window));
    g_object_unref(application);
    g_object_unref(preferences);
    remove_folder(folder);
    g_free(folder);
}
