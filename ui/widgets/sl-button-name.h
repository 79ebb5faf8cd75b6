/* sl-button-name.h - what a screen reader calls a button with a label. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* The button is named by its label. Without this, and again after every gtk_button_set_label, GTK 4.8 would give
 * the name with the underscore of the mnemonic in it. */
void sl_button_name_by_label (GtkButton *button);

G_END_DECLS
