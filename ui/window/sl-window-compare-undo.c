/* sl-window-compare-undo.c - lanes that are gone come back: nothing that was computed is lost by one click.
 *
 * First the lanes are remembered, then they are changed, then the toast is shown.
 *
 * Easy to get wrong: libadwaita 1.2 fails when a toast is dismissed twice, or put before another that is still
 * on its way out. So there is one toast for the last change, and it waits its turn.
 */
#include "ui/window/sl-window-private.h"

#include <glib/gi18n.h>

#define UNDO_SECONDS 12

typedef struct
{
  SlWindow *window; /* the toast is the window's */
  SlComparisonState *state;
} Undo;

static void
undo_free (gpointer data, GClosure *closure)
{
  Undo *undo = data;

  sl_comparison_state_free (undo->state);
  g_free (undo);
}

static void
undo (AdwToast *toast, Undo *undo)
{
  if (undo->window->closed)
    return;
  sl_comparison_state_restore (undo->state, undo->window->comparison);
  _sl_window_update (undo->window);
}

/* From here on it is on its way out: the next one is another. */
static void
dismissed (SlWindow *self, AdwToast *toast)
{
  if (self->lanes_toast == toast)
    g_clear_weak_pointer (&self->lanes_toast);
}

static AdwToast *
make_toast (SlWindow *self, Undo *back)
{
  AdwToast *toast = adw_toast_new ("");

  adw_toast_set_timeout (toast, UNDO_SECONDS);
  adw_toast_set_button_label (toast, _ ("_Undo"));
  g_object_set_data (G_OBJECT (toast), "sl-undo", back);
  g_signal_connect_data (toast, "button-clicked", G_CALLBACK (undo), back, undo_free, 0);
  g_signal_connect_object (toast, "dismissed", G_CALLBACK (dismissed), self, G_CONNECT_SWAPPED);
  g_set_weak_pointer (&self->lanes_toast, toast);
  return toast;
}

void
_sl_window_offer_lanes_back (SlWindow *self, SlComparisonState *state, const char *title)
{
  Undo *back = self->lanes_toast ? g_object_get_data (G_OBJECT (self->lanes_toast), "sl-undo") : NULL;
  AdwToast *toast = NULL;

  if (state == NULL)
    return;
  if (back == NULL)
    {
      back = g_new0 (Undo, 1);
      back->window = self;
      toast = make_toast (self, back);
    }
  sl_comparison_state_free (back->state);
  back->state = state;
  adw_toast_set_title (self->lanes_toast, title);
  if (toast)
    adw_toast_overlay_add_toast (self->toasts, toast);
}
