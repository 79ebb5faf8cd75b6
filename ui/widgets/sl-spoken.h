/* sl-spoken.h - what a screen reader says of every widget, beyond what the toolkit has it say: what is chosen in a list to choose from,
 * and no names of classes.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Once for the program, after gtk_init and before its first window. */
void sl_spoken_set_up (void);

G_END_DECLS
