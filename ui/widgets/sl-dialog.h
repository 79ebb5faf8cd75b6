/* sl-dialog.h - the dialogs over a window: windows of their own (gtk-4.8/), and since libadwaita 1.5 inside the window (gtk-4.14/).
 *
 * A dialog belongs to whoever made it until sl_dialog_present, then to the toolkit, which frees it when a person closes it.
 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/* from is any widget of the window that the dialog belongs to, or of a dialog over it. */
void sl_dialog_present (GtkWidget *dialog, GtkWidget *from);

/* A question or a sentence with buttons below it. Signal "response", detailed by the id of the button that was pressed. */
GtkWidget *sl_dialog_new_alert (const char *heading, const char *body);
void sl_dialog_add_response (GtkWidget *alert, const char *id, const char *label, gboolean suggested);

GtkWidget *sl_dialog_new_preferences (AdwPreferencesPage *page);
/* One of these that asks for something: its title, its height in pixels, and the button that Return presses. Before it is
 * presented. */
void sl_dialog_ask (GtkWidget *preferences, const char *title, int height, GtkWidget *button);
/* Closes the dialog that a widget is in. */
void sl_dialog_close (GtkWidget *inside);

/* Its properties are those of AdwAboutWindow. */
GtkWidget *sl_dialog_new_about (void);
void sl_dialog_add_legal (GtkWidget *about, const char *title, const char *copyright, GtkLicense license);

G_END_DECLS
