/* sl-toolkit.c - see sl-toolkit.h; for GTK 4.8. */
#include "ui/widgets/sl-toolkit.h"

void
sl_toolkit_get_color (GtkWidget *widget, GdkRGBA *color)
{
  gtk_style_context_get_color (gtk_widget_get_style_context (widget), color);
}

void
sl_toolkit_add_style (const char *css)
{
  g_autoptr (GtkCssProvider) provider = gtk_css_provider_new ();

  gtk_css_provider_load_from_data (provider, css, -1);
  gtk_style_context_add_provider_for_display (gdk_display_get_default (), GTK_STYLE_PROVIDER (provider),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
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

static void
surface_free (gpointer surface)
{
  cairo_surface_destroy (surface);
}

/* The pixels as Cairo has them, kept with the texture. Borrowed. */
static cairo_surface_t *
get_surface (GdkTexture *texture)
{
  cairo_surface_t *surface = g_object_get_data (G_OBJECT (texture), "sl-surface");

  if (surface)
    return surface;
  surface = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, gdk_texture_get_width (texture),
                                        gdk_texture_get_height (texture));
  if (cairo_surface_status (surface) == CAIRO_STATUS_SUCCESS)
    {
      gdk_texture_download (texture, cairo_image_surface_get_data (surface),
                            (gsize)cairo_image_surface_get_stride (surface));
      cairo_surface_mark_dirty (surface);
    }
  g_object_set_data_full (G_OBJECT (texture), "sl-surface", surface, surface_free);
  return surface;
}

/* This GTK smooths every texture that it enlarges; Cairo need not. It draws only what is seen. */
void
sl_toolkit_append_squares (GtkSnapshot *snapshot,
                           GdkTexture *texture,
                           const graphene_rect_t *rect,
                           const graphene_rect_t *seen)
{
  cairo_surface_t *surface = get_surface (texture);
  graphene_rect_t part;
  cairo_t *cr;

  if (!graphene_rect_intersection (rect, seen, &part)
      || cairo_surface_status (surface) != CAIRO_STATUS_SUCCESS)
    return;
  cr = gtk_snapshot_append_cairo (snapshot, &part);
  cairo_translate (cr, (double)rect->origin.x, (double)rect->origin.y);
  cairo_scale (cr, (double)rect->size.width / gdk_texture_get_width (texture),
               (double)rect->size.height / gdk_texture_get_height (texture));
  cairo_set_source_surface (cr, surface, 0, 0);
  cairo_pattern_set_filter (cairo_get_source (cr), CAIRO_FILTER_NEAREST);
  cairo_pattern_set_extend (cairo_get_source (cr), CAIRO_EXTEND_PAD);
  cairo_paint (cr);
  cairo_destroy (cr);
}
