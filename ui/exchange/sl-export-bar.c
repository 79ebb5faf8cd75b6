/* sl-export-bar.c - see sl-export-bar.h. */
#include "ui/exchange/sl-export-bar.h"

#include <glib/gi18n.h>

#include "ui/widgets/sl-focus.h"
#include "ui/widgets/sl-notice.h"

struct _SlExportBar
{
  AdwBin parent_instance;
  GtkRevealer *revealer;
  GtkLabel *text;
  SlWorkspace *workspace;
  SlExportTask *task; /* borrowed: lives until `exported` is called; NULL: nothing is written */
  gboolean cancelled;
};

G_DEFINE_FINAL_TYPE (SlExportBar, sl_export_bar, ADW_TYPE_BIN)

static void
progressed (double fraction, gpointer user_data)
{
  SlExportBar *self = user_data;
  g_autofree char *text = g_strdup_printf (_ ("Saving… %.0f %%"), 100 * fraction);

  gtk_label_set_text (self->text, text);
}

static void
exported (const GError *error, gpointer user_data)
{
  g_autoptr (SlExportBar) self = user_data;
  GtkWidget *widget = GTK_WIDGET (self);

  self->task = NULL;
  sl_focus_leave (widget);
  gtk_revealer_set_reveal_child (self->revealer, FALSE);
  if (error == NULL)
    sl_notice_toast (widget, _ ("Saved"));
  else if (self->cancelled)
    sl_notice_toast (widget, _ ("Not saved"));
  else
    sl_notice_alert (widget, _ ("The file could not be saved"), error->message);
}

void
sl_export_bar_write (SlExportBar *self, SlExportStart start, gpointer object, const char *path)
{
  const SlExportCall call = { self->workspace->files, self->workspace->worker, progressed, exported, self };

  if (self->task)
    {
      sl_notice_toast (GTK_WIDGET (self), _ ("Another file is being saved"));
      return;
    }
  self->cancelled = FALSE;
  gtk_label_set_text (self->text, _ ("Saving…"));
  g_object_ref (self); /* until `exported` */
  self->task = start (object, path, &call);
  gtk_revealer_set_reveal_child (self->revealer, self->task != NULL);
}

gboolean
sl_export_bar_is_busy (SlExportBar *self)
{
  return self->task != NULL;
}

gboolean
sl_export_bar_can_animate (SlExportBar *self)
{
  if (!sl_export_has_animations ())
    sl_notice_alert (
        GTK_WIDGET (self), _ ("No animations"),
        _ ("This build of Safelight was made without libwebp and libavformat, which write them."));
  return sl_export_has_animations ();
}

static void
cancel (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  SlExportBar *self = user_data;

  if (self->task == NULL)
    return;
  self->cancelled = TRUE;
  gtk_label_set_text (self->text, _ ("Cancelling…"));
  sl_export_cancel (self->task);
}

void
sl_export_bar_connect (SlExportBar *self, SlWorkspace *workspace, GActionMap *actions)
{
  const GActionEntry entries[] = { { .name = "cancel-export", .activate = cancel } };

  self->workspace = g_object_ref (workspace);
  g_action_map_add_action_entries (actions, entries, G_N_ELEMENTS (entries), self);
}

/* ---- class ---- */

static void
sl_export_bar_dispose (GObject *object)
{
  g_clear_object (&SL_EXPORT_BAR (object)->workspace);
  G_OBJECT_CLASS (sl_export_bar_parent_class)->dispose (object);
}

static void
sl_export_bar_class_init (SlExportBarClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_export_bar_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-export-bar.ui");
  gtk_widget_class_bind_template_child (widget_class, SlExportBar, revealer);
  gtk_widget_class_bind_template_child (widget_class, SlExportBar, text);
}

static void
sl_export_bar_init (SlExportBar *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
