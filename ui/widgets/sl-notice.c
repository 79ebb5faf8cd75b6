/* sl-notice.c - see sl-notice.h. */
#include "ui/widgets/sl-notice.h"

#include <glib/gi18n.h>

#define TOAST_SECONDS 3
#define OVERLAY_KEY "sl-toasts"

void
sl_notice_set_overlay (GtkWindow *window, AdwToastOverlay *overlay)
{
  g_object_set_data_full (G_OBJECT (window), OVERLAY_KEY, g_object_ref (overlay), g_object_unref);
}

void
sl_notice_add_toast (GtkWidget *from, AdwToast *toast)
{
  GtkRoot *root = gtk_widget_get_root (from);
  AdwToastOverlay *overlay = root ? g_object_get_data (G_OBJECT (root), OVERLAY_KEY) : NULL;

  if (overlay)
    adw_toast_overlay_add_toast (overlay, toast);
  else
    g_object_unref (toast);
}

void
sl_notice_toast (GtkWidget *from, const char *text)
{
  AdwToast *toast = adw_toast_new (text);

  adw_toast_set_timeout (toast, TOAST_SECONDS);
  sl_notice_add_toast (from, toast);
}

void
sl_notice_alert (GtkWidget *from, const char *heading, const char *body)
{
  GtkRoot *root = gtk_widget_get_root (from);
  GtkWidget *dialog;

  if (root == NULL || !gtk_widget_get_visible (GTK_WIDGET (root)))
    return;
  dialog = adw_message_dialog_new (GTK_WINDOW (root), heading, body);
  adw_message_dialog_add_response (ADW_MESSAGE_DIALOG (dialog), "close", _ ("_Close"));
  gtk_window_present (GTK_WINDOW (dialog));
}
