/* sl-main.c - where the window's half of the program starts; see ui.h. */
#include "ui/ui.h"

#include <glib/gi18n.h>
#include <locale.h>
#include <unistd.h>

#include "app/objects/objects.h"
#include "ui/window/sl-application.h"
#include "ui/sl-resources.h"

static void
set_up_language (void)
{
  g_autofree char *folder = sl_places_locale_folder ();

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, folder);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  sl_language_use ();
}

int
sl_ui_main (int argc, char **argv)
{
  g_autoptr (SlApplication) application = NULL;
  g_autoptr (GSettings) preferences = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  set_up_language ();
  g_resources_register (sl_get_resource ());
  g_set_application_name ("Safelight");
  preferences = sl_places_open_settings (&error);
  if (preferences == NULL)
    {
      g_printerr ("safelight: %s\n", error->message);
      return 1;
    }
  if (!gtk_init_check ())
    {
      g_printerr (
          _ ("safelight: There is no display to open a window on. Without one, use the command line:\n"
             "  safelight generate --prompt \"a red house by a lake\" --output house.png\n"
             "See safelight --help.\n"));
      return 2;
    }
  application = sl_application_new (preferences);
  status = g_application_run (G_APPLICATION (application), argc, argv);
  if (sl_application_restarts (application))
    {
      char *words[] = { argv[0], NULL };

      g_clear_object (&preferences);
      g_clear_object (&application);
      execv ("/proc/self/exe", words);
    }
  return status;
}
