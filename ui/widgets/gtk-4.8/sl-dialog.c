/* sl-dialog.c - see sl-dialog.h; for libadwaita 1.2.
 *
 * Easy to get wrong: this GTK tells screen readers of a window that comes up that it went, and Orca is silent in it then; in a dialog it
 * is not, so every window over the first one has the role of a dialog.
 */
#include "ui/widgets/sl-dialog.h"

#include "ui/widgets/sl-long-words.h"

void
sl_dialog_present (GtkWidget *dialog, GtkWidget *from)
{
  gtk_window_set_transient_for (GTK_WINDOW (dialog), GTK_WINDOW (gtk_widget_get_root (from)));
  gtk_window_present (GTK_WINDOW (dialog));
}

/* Of what has the keyboard first a screen reader says what the dialog is about: of the dialog itself it says nothing here. */
static void
say_what_it_is_about (AdwMessageDialog *alert)
{
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (alert));
  g_autofree char *text = NULL;

  if (focus == NULL)
    return;
  text = g_strdup_printf ("%s. %s", adw_message_dialog_get_heading (alert),
                          adw_message_dialog_get_body (alert));
  gtk_accessible_update_property (GTK_ACCESSIBLE (focus), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text, -1);
  g_signal_handlers_disconnect_by_func (alert, say_what_it_is_about, NULL);
}

GtkWidget *
sl_dialog_new_alert (const char *heading, const char *body)
{
  GtkWidget *alert = adw_message_dialog_new (NULL, heading, body);

  g_signal_connect (alert, "notify::focus-widget", G_CALLBACK (say_what_it_is_about), NULL);
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
  GtkWidget *window
      = g_object_new (ADW_TYPE_PREFERENCES_WINDOW, "modal", TRUE, "search-enabled", FALSE, "default-width",
                      560, "default-height", 760, "accessible-role", GTK_ACCESSIBLE_ROLE_DIALOG, NULL);

  /* Of its tab, which is seen by nobody, and said by a screen reader. */
  adw_preferences_page_set_title (page, gtk_window_get_title (GTK_WINDOW (window)));
  adw_preferences_window_add (ADW_PREFERENCES_WINDOW (window), page);
  return window;
}

void
sl_dialog_ask (GtkWidget *preferences, const char *title, int height, GtkWidget *button)
{
  AdwPreferencesPage *page = adw_preferences_window_get_visible_page (ADW_PREFERENCES_WINDOW (preferences));

  gtk_window_set_title (GTK_WINDOW (preferences), title);
  adw_preferences_page_set_title (page, title);
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
  return g_object_new (ADW_TYPE_ABOUT_WINDOW, "accessible-role", GTK_ACCESSIBLE_ROLE_DIALOG, NULL);
}

void
sl_dialog_add_legal (GtkWidget *about, const char *title, const char *copyright, GtkLicense license)
{
  adw_about_window_add_legal_section (ADW_ABOUT_WINDOW (about), title, copyright, license, NULL);
}
