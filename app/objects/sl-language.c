/* sl-language.c - see sl-language.h. */
#include "app/objects/sl-language.h"

#include "kernels/kernels.h"

static const char *
look_up (const char *english)
{
  return g_dgettext (NULL, english);
}

void
sl_language_use (void)
{
  sl_set_translate (look_up);
}
