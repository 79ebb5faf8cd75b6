/* sl-toolkit.c - see sl-toolkit.h; for GTK 4.8. */
#include "ui/widgets/sl-toolkit.h"

void
sl_toolkit_get_color (GtkWidget *widget, GdkRGBA *color)
{
  gtk_style_context_get_color (gtk_widget_get_style_context (widget), color);
}

void
sl_toolkit_show_folder (GtkWindow *window, const char *folder)
{
  g_autofree char *uri = g_filename_to_uri (folder, NULL, NULL);

  gtk_show_uri (window, uri, GDK_CURRENT_TIME);
}

/* What is shown has its accessible names and roles; this GTK has no way to say more. */
void
sl_toolkit_announce (GtkWidget *widget, const char *text)
{
}
