/* sl-error.c - see sl-error.h. */
#include "app/objects/sl-error.h"

G_DEFINE_QUARK (sl - app - error - quark, sl_app_error)

GError *
sl_app_error_new (const SlError *err)
{
  return g_error_new_literal (SL_APP_ERROR, (int)err->code, err->message);
}
