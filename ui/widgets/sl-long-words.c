/* sl-long-words.c - see sl-long-words.h. Alerts wrap between words only; a path wider than the alert was cut off there, and newer
 * GTKs warn of it. */
#include "ui/widgets/sl-long-words.h"

void
sl_break_long_words (GtkWidget *widget)
{
  if (GTK_IS_LABEL (widget) && gtk_widget_has_css_class (widget, "body"))
    gtk_label_set_wrap_mode (GTK_LABEL (widget), PANGO_WRAP_WORD_CHAR);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    sl_break_long_words (child);
}
