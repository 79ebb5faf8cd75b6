/* sl-toolkit.c - see sl-toolkit.h; for GTK 4.14. */
#include "ui/widgets/sl-toolkit.h"

void
sl_toolkit_get_color (GtkWidget *widget, GdkRGBA *color)
{
  gtk_widget_get_color (widget, color);
}

void
sl_toolkit_add_style (const char *css)
{
  g_autoptr (GtkCssProvider) provider = gtk_css_provider_new ();

  gtk_css_provider_load_from_string (provider, css);
  gtk_style_context_add_provider_for_display (gdk_display_get_default (), GTK_STYLE_PROVIDER (provider),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
}

void
sl_toolkit_show_folder (GtkWindow *window, const char *folder)
{
  g_autoptr (GFile) file = g_file_new_for_path (folder);
  g_autoptr (GtkFileLauncher) launcher = gtk_file_launcher_new (file);

  gtk_file_launcher_launch (launcher, window, NULL, NULL, NULL);
}

/* Where no bus for screen readers is (over ssh, without a desktop), GTK keeps its accounts with a stand-in that has no way to announce, and
 * calls it all the same: the program would crash. */
static gboolean
can_announce (GtkAccessible *accessible)
{
  g_autoptr (GtkATContext) context = gtk_accessible_get_at_context (accessible);

  return context && !g_str_equal (G_OBJECT_TYPE_NAME (context), "GtkTestATContext");
}

/* From the window: GTK keeps no account of a widget for the screen reader until that has come across it, and says nothing from there. */
void
sl_toolkit_announce (GtkWidget *widget, const char *text)
{
  GtkRoot *root = gtk_widget_get_root (widget);

  if (root && can_announce (GTK_ACCESSIBLE (root)))
    gtk_accessible_announce (GTK_ACCESSIBLE (root), text, GTK_ACCESSIBLE_ANNOUNCEMENT_PRIORITY_MEDIUM);
}

void
sl_toolkit_hide_class_name (GtkWidget *widget)
{
}

void
sl_toolkit_append_squares (GtkSnapshot *snapshot,
                           GdkTexture *texture,
                           const graphene_rect_t *rect,
                           const graphene_rect_t *seen)
{
  gtk_snapshot_append_scaled_texture (snapshot, texture, GSK_SCALING_FILTER_NEAREST, rect);
}
