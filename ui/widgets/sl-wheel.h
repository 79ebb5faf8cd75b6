/* sl-wheel.h - the mouse wheel in a page that scrolls. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* From now on the wheel scrolls the page over this spin button or scale, and over all of those below the widget. By
 * themselves they take it: who scrolls a page then changes the number that comes under the pointer. */
void sl_wheel_scrolls_page (GtkWidget *widget);

G_END_DECLS
