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

/* ---- what a screen reader says ---- */

/* The one that a person is in: a page's own, or a dialog over it. */
static GtkWindow *
find_active_window (void)
{
  GListModel *windows = gtk_window_get_toplevels ();

  for (guint i = 0; i < g_list_model_get_n_items (windows); i++)
    {
      g_autoptr (GtkWindow) window = g_list_model_get_item (windows, i);

      if (gtk_window_is_active (window))
        return window;
    }
  return NULL;
}

/* When a person has left it, which is when nobody hears it. */
static void
give_name_back (GtkWindow *window)
{
  const char *title = gtk_window_get_title (window);

  if (gtk_window_is_active (window))
    return;
  g_signal_handlers_disconnect_by_func (window, give_name_back, NULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (window), GTK_ACCESSIBLE_PROPERTY_LABEL, title ? title : "",
                                  -1);
}

/* This GTK has no announcements, and tells of no alert that comes up. What a screen reader says is the new name of the window that a person
 * is in; so the text is that name, which nobody sees. The same text again is no new name: every second one ends in a space. */
void
sl_toolkit_announce (GtkWidget *widget, const char *text)
{
  static gboolean odd;
  GtkWindow *window = gtk_widget_get_root (widget) ? find_active_window () : NULL;
  g_autofree char *name = NULL;

  if (window == NULL)
    return;
  odd = !odd;
  name = g_strconcat (text, odd ? " " : "", NULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (window), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  g_signal_handlers_disconnect_by_func (window, give_name_back, NULL);
  g_signal_connect (window, "notify::is-active", G_CALLBACK (give_name_back), NULL);
}

/* ---- names of classes ---- */

static void
leave_nameless (gpointer accessible)
{
  if (!gtk_test_accessible_has_property (GTK_ACCESSIBLE (accessible), GTK_ACCESSIBLE_PROPERTY_LABEL))
    gtk_accessible_update_property (GTK_ACCESSIBLE (accessible), GTK_ACCESSIBLE_PROPERTY_LABEL, "", -1);
}

static void
leave_pages_nameless (GtkStack *stack)
{
  g_autoptr (GtkSelectionModel) pages = gtk_stack_get_pages (stack);

  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (pages)); i++)
    {
      g_autoptr (GObject) page = g_list_model_get_item (G_LIST_MODEL (pages), i);

      leave_nameless (page);
    }
}

/* A button is named by the icon in it as well as by its own name, and again by each new icon. */
static void
drop_icon_name (GtkButton *button)
{
  if (GTK_IS_IMAGE (gtk_button_get_child (button)))
    gtk_accessible_reset_relation (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_RELATION_LABELLED_BY);
}

static void
follow_icon (GtkButton *button)
{
  g_signal_handlers_disconnect_by_func (button, drop_icon_name, NULL); /* it may be realized more than once */
  g_signal_connect (button, "notify::icon-name", G_CALLBACK (drop_icon_name), NULL);
  drop_icon_name (button);
}

void
sl_toolkit_hide_class_name (GtkWidget *widget)
{
  if (GTK_IS_STACK (widget))
    leave_pages_nameless (GTK_STACK (widget));
  else if (GTK_IS_BUTTON (widget))
    follow_icon (GTK_BUTTON (widget));
  else if (GTK_IS_IMAGE (widget) || GTK_IS_PICTURE (widget) || GTK_IS_LIST_BOX (widget)
           || GTK_IS_LIST_BASE (widget) || GTK_IS_FLOW_BOX (widget))
    leave_nameless (widget);
}

/* ---- pixels as squares ---- */

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
