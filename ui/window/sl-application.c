/* sl-application.c - see sl-application.h. */
#include "ui/window/sl-application.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <signal.h>

#include "ui/widgets/sl-dialog.h"
#include "ui/widgets/sl-spoken.h"
#include "ui/window/sl-window.h"

struct _SlApplication
{
  AdwApplication parent_instance;
  GSettings *preferences;
  gboolean restarts;
};

G_DEFINE_FINAL_TYPE (SlApplication, sl_application, ADW_TYPE_APPLICATION)

static SlWindow *
the_window (SlApplication *self)
{
  GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (self));

  if (window == NULL || !SL_IS_WINDOW (window))
    for (GList *l = gtk_application_get_windows (GTK_APPLICATION (self)); l; l = l->next)
      if (SL_IS_WINDOW (l->data))
        window = l->data;
  if (window && SL_IS_WINDOW (window))
    return SL_WINDOW (window);
  return sl_window_new (ADW_APPLICATION (self), self->preferences);
}

static void
sl_application_activate (GApplication *application)
{
  gtk_window_present (GTK_WINDOW (the_window (SL_APPLICATION (application))));
}

static void
sl_application_open (GApplication *application, GFile **files, int n_files, const char *hint)
{
  SlWindow *window = the_window (SL_APPLICATION (application));
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) paths = NULL;

  gtk_window_present (GTK_WINDOW (window));
  for (int i = 0; i < n_files; i++)
    {
      g_autofree char *path = g_file_get_path (files[i]);

      if (path)
        g_strv_builder_add (builder, path);
    }
  paths = g_strv_builder_end (builder);
  sl_window_open_paths (window, (const char *const *)paths);
}

static void
activate_action (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  g_application_activate (application);
}

static void
quit (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  if (gtk_application_get_windows (application))
    gtk_window_close (GTK_WINDOW (the_window (application)));
  else
    g_application_quit (application);
}

static void
restart (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  SlApplication *self = application;
  g_autoptr (SlWindow) window = g_object_ref (the_window (self));

  self->restarts = TRUE;
  quit (action, parameter, application);
  self->restarts = sl_window_get_workspace (window)->closed; /* the person may have chosen to stay */
}

static void
about (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  GtkWidget *dialog = sl_dialog_new_about ();

  g_object_set (dialog, "application-name", "Safelight", "application-icon", "org.safelight.Safelight",
                "developer-name", _ ("The Safelight developers"), "version", SL_VERSION, "comments",
                _ ("Type a prompt and watch the picture come up out of the noise."), "license-type",
                GTK_LICENSE_MIT_X11, "translator-credits", _ ("translator-credits"), NULL);
  sl_dialog_add_legal (dialog, _ ("CLIP’s vocabulary"), "© 2021 OpenAI", GTK_LICENSE_MIT_X11);
  sl_dialog_present (dialog, GTK_WIDGET (the_window (application)));
}

static void
add_accelerators (GtkApplication *application)
{
  static const struct
  {
    const char *action;
    const char *keys[3];
  } accelerators[] = {
    { "win.develop", { "<Primary>Return", "<Primary>KP_Enter" } },
    { "win.save", { "<Primary>s" } },
    { "win.save-animation", { "<Primary><Shift>s" } },
    { "win.keep-step", { "<Primary>k" } },
    { "win.branch", { "<Primary>b" } },
    { "win.open", { "<Primary>o" } },
    { "win.copy", { "<Primary><Shift>c" } },
    { "win.paste", { "<Primary><Shift>v" } },
    { "win.random-seed", { "<Primary>r" } },
    { "win.draw-sigmas", { "<Primary>l" } },
    { "win.previous-step", { "<Alt>Left" } },
    { "win.next-step", { "<Alt>Right" } },
    { "win.presets", { "<Primary>e" } },
    { "win.history", { "<Primary>h" } },
    { "win.find", { "<Primary>f" } },
    { "win.favourite", { "<Primary>d" } },
    { "win.zoom-in", { "<Primary>plus", "<Primary>equal" } },
    { "win.zoom-out", { "<Primary>minus" } },
    { "win.zoom-fit", { "<Primary>0" } },
    { "win.zoom-original", { "<Primary>1" } },
    { "win.show-page::darkroom", { "<Alt>1" } },
    { "win.show-page::compare", { "<Alt>2" } },
    { "win.show-page::gallery", { "<Alt>3" } },
    { "win.tour-next", { "F8" } },
    { "win.tour-back", { "<Shift>F8" } },
    { "win.toggle-panel", { "F9" } },
    { "win.preferences", { "<Primary>comma" } },
    { "win.show-help-overlay", { "<Primary>question", "F1" } },
    { "app.quit", { "<Primary>q" } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (accelerators); i++)
    gtk_application_set_accels_for_action (application, accelerators[i].action, accelerators[i].keys);
}

/* As if the window was closed; the next signal of the kind ends the program at once. */
static gboolean
told_to_end (gpointer application)
{
  g_action_group_activate_action (application, "quit", NULL);
  return G_SOURCE_REMOVE;
}

/* Ctrl-C, the end of the session, a terminal that is closed (unless nohup has it ignored). */
static void
listen_to_signals (GApplication *application)
{
  struct sigaction hangup;

  g_unix_signal_add (SIGINT, told_to_end, application);
  g_unix_signal_add (SIGTERM, told_to_end, application);
  if (sigaction (SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
    g_unix_signal_add (SIGHUP, told_to_end, application);
}

static void
sl_application_startup (GApplication *application)
{
  static const GActionEntry actions[] = {
    { "activate", activate_action, NULL, NULL, NULL, { 0 } },
    { "about", about, NULL, NULL, NULL, { 0 } },
    { "quit", quit, NULL, NULL, NULL, { 0 } },
    { "restart", restart, NULL, NULL, NULL, { 0 } },
  };

  G_APPLICATION_CLASS (sl_application_parent_class)->startup (application);
  g_action_map_add_action_entries (G_ACTION_MAP (application), actions, G_N_ELEMENTS (actions), application);
  add_accelerators (GTK_APPLICATION (application));
  sl_spoken_set_up ();
  listen_to_signals (application);
  gtk_window_set_default_icon_name ("org.safelight.Safelight");
}

static void
sl_application_finalize (GObject *object)
{
  g_clear_object (&SL_APPLICATION (object)->preferences);
  G_OBJECT_CLASS (sl_application_parent_class)->finalize (object);
}

static void
sl_application_class_init (SlApplicationClass *klass)
{
  GApplicationClass *application_class = G_APPLICATION_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = sl_application_finalize;
  application_class->startup = sl_application_startup;
  application_class->activate = sl_application_activate;
  application_class->open = sl_application_open;
}

static void
sl_application_init (SlApplication *self)
{
}

SlApplication *
sl_application_new (GSettings *preferences)
{
  SlApplication *self
      = g_object_new (SL_TYPE_APPLICATION, "application-id", "org.safelight.Safelight", "flags",
                      G_APPLICATION_HANDLES_OPEN, "resource-base-path", "/org/safelight/Safelight", NULL);

  self->preferences = g_object_ref (preferences);
  return self;
}

gboolean
sl_application_restarts (SlApplication *self)
{
  return self->restarts;
}
