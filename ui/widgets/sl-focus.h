/* sl-focus.h - where the keyboard goes when what has it is hidden. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Before the widget is hidden: if the keyboard is in it, it goes to what is beside it. By itself the toolkit would take it to the first
 * button of the window, far from where a person was. */
void sl_focus_leave (GtkWidget *widget);

G_END_DECLS
