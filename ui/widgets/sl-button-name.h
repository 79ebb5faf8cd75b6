/* sl-button-name.h - what a screen reader calls a button. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* The button is named by its label. Without this, and again after every gtk_button_set_label, GTK 4.8 would give
 * the name with the underscore of the mnemonic in it. */
void sl_button_name_by_label (GtkButton *button);
/* The button in a list to choose from, which is what has the keyboard, is named as the list is: by itself it would be
 * called after its class. */
void sl_button_name_in_list (GtkDropDown *list);

G_END_DECLS
