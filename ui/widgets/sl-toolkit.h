/* sl-toolkit.h - single calls that GTK has had another name for since 4.10 and 4.14; meson.build takes gtk-4.8/ or gtk-4.14/.
 * Dialogs, the window's two sides and its page switcher have headers of their own.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* The colour in which the widget's style has letters. */
void sl_toolkit_get_color (GtkWidget *widget, GdkRGBA *color);
/* In the person's file manager. */
void sl_toolkit_show_folder (GtkWindow *window, const char *folder);
/* Rules for all windows. */
void sl_toolkit_add_style (const char *css);
/* A screen reader says it, if a person is in one of our windows. */
void sl_toolkit_announce (GtkWidget *widget, const char *text);
/* Before GTK 4.10 what has no name is called after its class, and a screen reader says "GtkListBox": of a picture, a list or a stack's
 * pages that is taken away. */
void sl_toolkit_hide_class_name (GtkWidget *widget);
/* A texture enlarged to rect, its pixels as squares; what is outside of seen may be left out. */
void sl_toolkit_append_squares (GtkSnapshot *snapshot,
                                GdkTexture *texture,
                                const graphene_rect_t *rect,
                                const graphene_rect_t *seen);

G_END_DECLS
