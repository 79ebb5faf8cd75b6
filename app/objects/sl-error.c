/* sl-error.c - see sl-error.h. */
#include "app/objects/sl-error.h"

#include <string.h>

#include "engine/engine.h"

G_DEFINE_QUARK (sl - app - error - quark, sl_app_error)

/* What comes from outside (a path, a name in a file) may hold control characters and bytes that Pango cannot
 * show. */
GError *
sl_app_error_new (const SlError *err)
{
  g_autoptr (GString) text = g_string_new ("");
  gsize length = strlen (err->message);
  char shown[5];

  for (gsize i = 0; i < length; g_string_append (text, shown))
    i += sl_show_char (err->message + i, length - i, shown);
  return g_error_new_literal (SL_APP_ERROR, (int)err->code, text->str);
}
