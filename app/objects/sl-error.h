/* sl-error.h - where the engine's SlError becomes a GError, and nowhere else. */
#pragma once

#include <glib.h>

#include "kernels/kernels.h"

G_BEGIN_DECLS

#define SL_APP_ERROR (sl_app_error_quark ())

/* Codes are SlCode's. */
GQuark sl_app_error_quark (void);
/* A new GError with the engine's sentence. */
GError *sl_app_error_new (const SlError *err);

G_END_DECLS
