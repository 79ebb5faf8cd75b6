/* sl-dialog.c - see sl-dialog.h; for libadwaita 1.5. */
#include "ui/widgets/sl-dialog.h"

#include "ui/widgets/sl-long-words.h"

void
sl_dialog_present (GtkWidget *dialog, GtkWidget *from)
{
  adw_dialog_present (ADW_DIALOG (dialog), from);
}

GtkWidget *
sl_dialog_new_alert (const char *heading, const char *body)
{
  AdwDialog *alert = adw_alert_dialog_new (heading, body);

  sl_break_long_words (
      adw_dialog_get_child (alert)); /* which is not below the alert before that is presented */
  return GTK_WIDGET (alert);
}

void
sl_dialog_add_response (GtkWidget *alert, const char *id, const char *label, gboolean suggested)
{
  AdwAlertDialog *dialog = ADW_ALERT_DIALOG (alert);

  adw_alert_dialog_add_response (dialog, id, label);
  if (suggested)
    adw_alert_dialog_set_response_appearance (dialog, id, ADW_RESPONSE_SUGGESTED);
}

GtkWidget *
sl_dialog_new_preferences (AdwPreferencesPage *page)
{
  AdwDialog *dialog = adw_preferences_dialog_new ();

  adw_preferences_dialog_set_search_enabled (ADW_PREFERENCES_DIALOG (dialog), FALSE);
  adw_preferences_dialog_add (ADW_PREFERENCES_DIALOG (dialog), page);
  adw_dialog_set_content_width (dialog, 560);
  adw_dialog_set_content_height (dialog, 760);
  return GTK_WIDGET (dialog);
}

void
sl_dialog_ask (GtkWidget *preferences, const char *title, int height, GtkWidget *button)
{
  adw_dialog_set_title (ADW_DIALOG (preferences), title);
  adw_dialog_set_content_height (ADW_DIALOG (preferences), height);
  adw_dialog_set_default_widget (ADW_DIALOG (preferences), button);
}

void
sl_dialog_close (GtkWidget *inside)
{
  GtkWidget *dialog = gtk_widget_get_ancestor (inside, ADW_TYPE_DIALOG);

  if (dialog)
    adw_dialog_close (ADW_DIALOG (dialog));
}

GtkWidget *
sl_dialog_new_about (void)
{
  return GTK_WIDGET (adw_about_dialog_new ());
}

void
sl_dialog_add_legal (GtkWidget *about, const char *title, const char *copyright, GtkLicense license)
{
  adw_about_dialog_add_legal_section (ADW_ABOUT_DIALOG (about), title, copyright, license, NULL);
}
