/* sl-lora-text.c - see sl-lora-text.h. */
#include "ui/darkroom/sl-lora-text.h"

#include <glib/gi18n.h>

/* "LoRA, rank 4 to 8" */
static char *
kind_text (SlLora *lora)
{
  int min, max;

  sl_lora_get_ranks (lora, &min, &max);
  if (max == 0)
    return g_strdup (sl_lora_get_kinds (lora));
  if (min == max)
    return g_strdup_printf (_ ("%s, rank %d"), sl_lora_get_kinds (lora), max);
  return g_strdup_printf (_ ("%s, rank %d to %d"), sl_lora_get_kinds (lora), min, max);
}

static char *
unfit_text (SlLora *lora)
{
  const char *base = sl_lora_get_base (lora);

  return base ? g_strdup_printf (_ ("Made for %s: it does not fit this model"), base)
              : g_strdup (_ ("It does not fit this model"));
}

char *
sl_lora_text_line (SlLora *lora)
{
  int modules = sl_lora_get_modules (lora), matched = sl_lora_get_matched (lora);

  switch (sl_lora_get_state (lora))
    {
    case SL_LORA_READING:
      return g_strdup (_ ("Reading…"));
    case SL_LORA_MISSING:
      return g_strdup (_ ("The file is not here"));
    case SL_LORA_UNREADABLE:
      return g_strdup (_ ("The file cannot be used"));
    case SL_LORA_UNFIT:
      return unfit_text (lora);
    case SL_LORA_FITS:
      break;
    }
  if (matched < modules)
    return g_strdup_printf (_ ("%d of its %d modules fit this model"), matched, modules);
  return kind_text (lora);
}

static void add_line (GString *text, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
add_line (GString *text, const char *format, ...)
{
  va_list arguments;

  if (text->len > 0)
    g_string_append_c (text, '\n');
  va_start (arguments, format);
  g_string_append_vprintf (text, format, arguments);
  va_end (arguments);
}

char *
sl_lora_text_facts (SlLora *lora)
{
  GString *text = g_string_new (NULL);
  g_autofree char *kind = sl_lora_get_kinds (lora) ? kind_text (lora) : NULL;
  int modules = sl_lora_get_modules (lora);

  if (sl_lora_get_problem (lora))
    add_line (text, "%s", sl_lora_get_problem (lora));
  if (sl_lora_get_title (lora))
    add_line (text, "%s", sl_lora_get_title (lora));
  if (kind)
    add_line (text, "%s", kind);
  if (sl_lora_get_base (lora))
    add_line (text, _ ("For %s"), sl_lora_get_base (lora));
  if (sl_lora_get_made_over (lora))
    add_line (text, _ ("Made over %s"), sl_lora_get_made_over (lora));
  if (modules > 0 && sl_lora_get_state (lora) == SL_LORA_FITS)
    add_line (text, _ ("%d of its %d modules fit this model"), sl_lora_get_matched (lora), modules);
  if (sl_lora_get_path (lora))
    add_line (text, "%s", sl_lora_get_path (lora));
  return g_string_free (text, FALSE);
}
