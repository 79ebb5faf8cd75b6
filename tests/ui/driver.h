/* driver.h - the real window under Xvfb, for tests that drive it through its actions. Screenshots go to
 * $SAFELIGHT_SCREENSHOTS. */
#pragma once

#include "tests/app/objects/gobject.h"
#include "ui/darkroom/sl-film-strip.h"
#include "ui/darkroom/sl-recipe-panel.h"
#include "ui/darkroom/sl-tray.h"
#include "ui/sl-resources.h"
#include "ui/widgets/sl-part-row.h"
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
G_GNUC_UNUSED static AdwFlap *flap;
G_GNUC_UNUSED static SlCompareView *compare_view;
G_GNUC_UNUSED static SlGalleryView *gallery_view;
G_GNUC_UNUSED static SlExportBar *export_bar;
static GSettings *preferences;
static char *folder;
static guint start_theme = 1; /* light */

/* A child of a widget by its name in the widget's .ui file. */
G_GNUC_UNUSED static gpointer part(gpointer widget, const char *name)
{
    GObject *child = gtk_widget_get_template_child(GTK_WIDGET(widget), G_OBJECT_TYPE(widget), name);

    g_assert_nonnull(child);
    return child;
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
    const char *command[] = {import, "-window", "root", path, NULL};

    settle(400);
    if (shots)
        g_mkdir_with_parents(shots, 0755);
    if (path && import)
        g_spawn_sync(NULL, (char **)command, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, NULL,
                     NULL);
}

G_GNUC_UNUSED static GtkWindow *find_dialog(void)
{
    g_autoptr(GListModel) toplevels = g_object_ref(gtk_window_get_toplevels());

    for (guint i = 0; i < g_list_model_get_n_items(toplevels); i++) {
        g_autoptr(GtkWindow) toplevel = g_list_model_get_item(toplevels, i);

        if (toplevel != GTK_WINDOW(window) && gtk_widget_get_visible(GTK_WIDGET(toplevel)) &&
            gtk_window_get_transient_for(toplevel) == GTK_WINDOW(window))
            return toplevel;
    }
    return NULL;
}

/* Starts the application over the preferences as they are; the window waits for its model. */
static void open_window(void)
{
    application = sl_application_new(preferences);
    g_assert_true(g_application_register(G_APPLICATION(application), NULL, NULL));
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
    flap = part(window, "flap");
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
    g_settings_set_int(preferences, "width", 1280);
    g_settings_set_int(preferences, "height", 800);
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
