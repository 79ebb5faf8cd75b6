/* sl-compare-summary.c - the line that says how far all lanes are and whether they are fast, the button that
 * pauses them, and the switch for fast lanes. See sl-compare-view-private.h.
 *
 * The switch shows what the next start will do: on a GPU lanes are fast unless somebody said otherwise.
 */
#include "ui/compare/sl-compare-view-private.h"

#include <glib/gi18n.h>

/* ---- how far ---- */

static gboolean
any_is_fast (SlCompareView *self)
{
  for (guint i = 0; i < self->lanes->len; i++)
    {
      SlJob *job = sl_comparison_get_job (self->comparison, i);

      if (job && sl_job_is_fast (job))
        return TRUE;
    }
  return FALSE;
}

static char *
describe_progress (SlCompareView *self)
{
  guint done, planned;

  sl_comparison_get_progress (self->comparison, &done, &planned);
  if (sl_comparison_is_busy (self->comparison) && planned > 0)
    return g_strdup_printf (_ ("%.0f %%"), 100.0 * done / planned);
  return g_strdup (sl_comparison_is_paused (self->comparison) ? _ ("Paused") : "");
}

static void
show_text (SlCompareView *self)
{
  g_autofree char *progress = describe_progress (self);
  gboolean fast = any_is_fast (self);
  /* Translators: of lanes that were computed as one batch. */
  const char *note = fast ? _ ("fast: last bits may differ") : "";
  g_autofree char *text = g_strconcat (progress, *progress && fast ? "  ·  " : "", note, NULL);

  gtk_label_set_text (self->summary, text);
  gtk_widget_set_tooltip_text (
      GTK_WIDGET (self->summary),
      fast ? _ ("Lanes of one size were computed as one batch. Computed alone, their last bits may differ.")
           : NULL);
}

void
_sl_compare_view_show_summary (SlCompareView *self)
{
  guint done, planned;
  gboolean paused = sl_comparison_is_paused (self->comparison);

  show_text (self);
  sl_comparison_get_progress (self->comparison, &done, &planned);
  gtk_widget_set_visible (GTK_WIDGET (self->pause), paused || sl_comparison_is_busy (self->comparison));
  gtk_button_set_icon_name (self->pause,
                            paused ? "media-playback-start-symbolic" : "media-playback-pause-symbolic");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->pause), paused ? _ ("Go on (P)") : _ ("Pause (P)"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->pause), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  paused ? _ ("Go on") : _ ("Pause"), -1);
  gtk_widget_set_sensitive (self->keep_button, done > 0);
}

/* ---- the switch ---- */

static void
apply (SlCompareView *self, SlFast fast)
{
  sl_worker_set_fast (self->worker, fast);
  g_object_notify (G_OBJECT (self), "fast");
}

static void
preference_changed (SlCompareView *self)
{
  apply (self, (SlFast)g_settings_get_uint (self->preferences, "fast-lanes"));
}

static void
device_changed (SlCompareView *self)
{
  g_object_notify (G_OBJECT (self), "fast");
}

void
_sl_compare_view_connect_fast (SlCompareView *self, GSettings *preferences)
{
  self->preferences = g_object_ref (preferences);
  g_signal_connect_object (preferences, "changed::fast-lanes", G_CALLBACK (preference_changed), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->worker, "loaded", G_CALLBACK (device_changed), self, G_CONNECT_SWAPPED);
  preference_changed (self);
}

gboolean
_sl_compare_view_is_fast (SlCompareView *self)
{
  return self->worker && sl_worker_is_fast (self->worker);
}

void
_sl_compare_view_set_fast (SlCompareView *self, gboolean fast)
{
  g_settings_set_uint (self->preferences, "fast-lanes", fast ? SL_FAST_ON : SL_FAST_OFF);
  preference_changed (self); /* also where only a file had said otherwise */
}

void
sl_compare_view_take_fast (SlCompareView *self)
{
  if (any_is_fast (self))
    apply (self, SL_FAST_ON);
  else
    preference_changed (self);
}
