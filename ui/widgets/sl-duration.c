/* sl-duration.c - see sl-duration.h. */
#include "ui/widgets/sl-duration.h"

#include <glib/gi18n.h>

char *
sl_duration_text (double seconds)
{
  int whole = (int)MIN (seconds + 0.5, G_MAXINT / 2);

  if (seconds >= 100 * 3600)
    return g_strdup_printf (_ ("%.0f days"), seconds / 86400);
  if (seconds >= 5400)
    return g_strdup_printf (_ ("%d h %d min"), whole / 3600, whole / 60 % 60);
  if (seconds >= 90)
    return g_strdup_printf (_ ("%d min %d s"), whole / 60, whole % 60);
  if (seconds >= 9.95)
    return g_strdup_printf (_ ("%.0f s"), seconds);
  if (seconds >= 0.9995)
    return g_strdup_printf (_ ("%.1f s"), seconds);
  return g_strdup_printf (seconds < 0.00995 ? _ ("%.1f ms") : _ ("%.0f ms"), seconds * 1000);
}
