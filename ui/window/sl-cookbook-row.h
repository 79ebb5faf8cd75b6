/* sl-cookbook-row.h - a row for something in a cookbook (a preset, a past prompt), and taking it out with a way back. */
#pragma once

#include <adwaita.h>

#include "app/objects/objects.h"

G_BEGIN_DECLS

/* An activatable row; title and subtitle are plain text. */
GtkWidget *sl_cookbook_row_new (SlKeptRecipe *kept, const char *title, const char *subtitle);
/* clicked is called with user_data, then the button. */
void sl_cookbook_row_add_button (
    GtkWidget *row, const char *icon, const char *name, GCallback clicked, gpointer user_data);
/* Of a row, or of a button in one. Borrowed. */
SlKeptRecipe *sl_cookbook_row_get (gpointer row_or_button);
/* Where it is in the cookbook; G_MAXUINT: it is there no more. */
guint sl_cookbook_row_find (SlCookbook *cookbook, gpointer row_or_button);
/* Takes it out of the cookbook and says so, with a button that brings it back to its place. */
void sl_cookbook_row_take (SlCookbook *cookbook, GtkButton *button, const char *said);
/* The same with all that there are. from is a widget in the window. */
void sl_cookbook_take_all (SlCookbook *cookbook, GtkWidget *from, const char *said);

G_END_DECLS
