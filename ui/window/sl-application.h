/* sl-application.h - the program as the desktop sees it: one instance, files that are opened. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define SL_TYPE_APPLICATION (sl_application_get_type ())

G_DECLARE_FINAL_TYPE (SlApplication, sl_application, SL, APPLICATION, AdwApplication)

SlApplication *sl_application_new (GSettings *preferences);
/* Whether the program shall start again now that the window is closed (a GPU that failed needs a new process). */
gboolean sl_application_restarts (SlApplication *self);

G_END_DECLS
