/* sl-dialog.c - see sl-dialog.h; for libadwaita 1.2. */
#include "ui/widgets/sl-dialog.h"

#include "ui/widgets/sl-long-words.h"

void
sl_dialog_present (GtkWidget *dialog, GtkWidget *from)
{
  gtk_window_set_transient_for (GTK_WINDOW (dialog), GTK_WINDOW (gtk_widget_get_root (from)));
  gtk_window_present (GTK_WINDOW (dialog));
}

GtkWidget *
sl_dialog_new_alert (const char *heading, const char *body)
{
  GtkWidget *alert = adw_message_dialog_new (NULL, heading, body);

  sl_break_long_words (alert);
  return alert;
}

void
sl_dialog_add_response (GtkWidget *alert, const char *id, const char *label, gboolean suggested)
{
  AdwMessageDialog *dialog = ADW_MESSAGE_DIALOG (alert);

  adw_message_dialog_add_response (dialog, id, label);
  if (suggested)
    adw_message_dialog_set_response_appearance (dialog, id, ADW_RESPONSE_SUGGESTED);
}

GtkWidget *
sl_dialog_new_preferences (AdwPreferencesPage *page)
{
  GtkWidget *window = g_object_new (ADW_TYPE_PREFERENCES_WINDOW, "modal", TRUE, "search-enabled", FALSE,
                                    "default-width", 560, "default-height", 760, NULL);

  adw_preferences_window_add (ADW_PREFERENCES_WINDOW (window), page);
  return window;
}

void
sl_dialog_ask (GtkWidget *preferences, const char *title, int height, GtkWidget *button)
{
  gtk_window_set_title (GTK_WINDOW (preferences), title);
  gtk_window_set_default_size (GTK_WINDOW (preferences), 560, height);
  gtk_window_set_default_widget (GTK_WINDOW (preferences), button);
}

void
sl_dialog_close (GtkWidget *inside)
{
  gtk_window_close (GTK_WINDOW (gtk_widget_get_root (inside)));
}

GtkWidget *
sl_dialog_new_about (void)
{
  return adw_about_window_new ();
}

void
sl_dialog_add_legal (GtkWidget *about, const char *title, const char *copyright, GtkLicense license)
{
  adw_about_window_add_legal_section (ADW_ABOUT_WINDOW (about), title, copyright, license, NULL);
}
