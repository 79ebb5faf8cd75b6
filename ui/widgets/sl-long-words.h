/* sl-long-words.h - texts of the toolkit's own widgets that may hold a path: a word longer than the line is broken. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* All labels of the style class "body" in the widget. */
void sl_break_long_words (GtkWidget *widget);

G_END_DECLS
