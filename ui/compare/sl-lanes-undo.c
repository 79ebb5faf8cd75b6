/* sl-lanes-undo.c - see sl-lanes-undo.h.
 *
 * Easy to get wrong: libadwaita 1.2 fails when a toast is dismissed twice, or when one is put before another that is
 * still on its way out. So there is one toast, which is used again for a second change while it is shown.
 */
#include "ui/compare/sl-lanes-undo.h"

#include <glib/gi18n.h>

#include "ui/widgets/sl-notice.h"

#define UNDO_SECONDS 12

struct _SlLanesUndo
{
  GObject parent_instance;
  SlComparison *comparison;
  GtkWidget *from;          /* not held: it holds the object */
  AdwToast *toast;          /* weak; NULL: none is shown */
  SlComparisonState *state; /* what the toast's button restores */
};

G_DEFINE_FINAL_TYPE (SlLanesUndo, sl_lanes_undo, G_TYPE_OBJECT)

static void
undo (SlLanesUndo *self)
{
  if (self->state)
    sl_comparison_state_restore (self->state, self->comparison);
}

/* From here on it is on its way out: the next change gets another toast. */
static void
dismissed (SlLanesUndo *self, AdwToast *toast)
{
  if (self->toast != toast)
    return;
  g_clear_weak_pointer (&self->toast);
  g_clear_pointer (&self->state, sl_comparison_state_free);
}

void
sl_lanes_undo_offer (SlLanesUndo *self, SlComparisonState *state, const char *title)
{
  AdwToast *toast;

  if (state == NULL)
    return;
  g_clear_pointer (&self->state, sl_comparison_state_free);
  self->state = state;
  if (self->toast)
    {
      adw_toast_set_title (self->toast, title);
      return;
    }
  toast = adw_toast_new (title);
  adw_toast_set_timeout (toast, UNDO_SECONDS);
  adw_toast_set_button_label (toast, _ ("_Undo"));
  g_set_weak_pointer (&self->toast, toast);
  g_signal_connect_object (toast, "button-clicked", G_CALLBACK (undo), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (toast, "dismissed", G_CALLBACK (dismissed), self, G_CONNECT_SWAPPED);
  sl_notice_add_toast (self->from, toast);
}

SlLanesUndo *
sl_lanes_undo_new (SlComparison *comparison, GtkWidget *from)
{
  SlLanesUndo *self = g_object_new (SL_TYPE_LANES_UNDO, NULL);

  self->comparison = g_object_ref (comparison);
  self->from = from;
  return self;
}

static void
sl_lanes_undo_dispose (GObject *object)
{
  SlLanesUndo *self = SL_LANES_UNDO (object);

  g_clear_weak_pointer (&self->toast);
  g_clear_pointer (&self->state, sl_comparison_state_free);
  g_clear_object (&self->comparison);
  G_OBJECT_CLASS (sl_lanes_undo_parent_class)->dispose (object);
}

static void
sl_lanes_undo_class_init (SlLanesUndoClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = sl_lanes_undo_dispose;
}

static void
sl_lanes_undo_init (SlLanesUndo *self)
{
}
