/* sl-gallery-view.c - see sl-gallery-view.h. */
#include "ui/sl-gallery-view.h"

#include <glib/gi18n.h>

#include "ui/sl-canvas.h"

#define THUMBNAIL_SIDE 176

struct _SlGalleryView
{
  AdwBin parent_instance;
  GtkStack *stack;
  GtkGridView *grid;
  SlGallery *gallery;
  SlLane *files;
  GtkSingleSelection *selection;
};

G_DEFINE_FINAL_TYPE (SlGalleryView, sl_gallery_view, ADW_TYPE_BIN)

enum
{
  OPENED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* ---- cells ---- */

static void
setup_cell (GtkSignalListItemFactory *factory, GtkListItem *item)
{
  GtkWidget *picture = gtk_picture_new ();

  gtk_widget_set_size_request (picture, THUMBNAIL_SIDE, THUMBNAIL_SIDE);
  gtk_picture_set_content_fit (GTK_PICTURE (picture), GTK_CONTENT_FIT_COVER);
  gtk_widget_add_css_class (picture, "print");
  gtk_widget_set_overflow (picture, GTK_OVERFLOW_HIDDEN);
  gtk_widget_set_halign (picture, GTK_ALIGN_CENTER);
  gtk_widget_set_valign (picture, GTK_ALIGN_CENTER);
  gtk_list_item_set_child (item, picture);
}

static void
show_thumbnail (SlPicture *picture, GtkPicture *widget)
{
  int width, height;
  GBytes *rgb = sl_picture_get_thumbnail (picture, &width, &height);
  g_autoptr (GdkTexture) texture = sl_texture_new_rgb (rgb, width, height);

  gtk_picture_set_paintable (widget, GDK_PAINTABLE (texture));
}

static void
thumbnail_loaded (GBytes *rgb, int width, int height, const GError *error, gpointer user_data)
{
  g_autoptr (SlPicture) picture = user_data;

  if (rgb)
    sl_picture_set_thumbnail (picture, rgb, width, height);
}

static void
bind_cell (GtkSignalListItemFactory *factory, GtkListItem *item, SlGalleryView *self)
{
  SlPicture *picture = gtk_list_item_get_item (item);
  GtkWidget *widget = gtk_list_item_get_child (item);
  const char *prompt = sl_picture_get_prompt (picture);
  const char *name = *prompt ? prompt : _ ("Picture without a prompt");
  int width, height;

  gtk_widget_set_tooltip_text (widget, name);
  gtk_picture_set_alternative_text (GTK_PICTURE (widget), name);
  g_signal_connect_object (picture, "thumbnail", G_CALLBACK (show_thumbnail), widget, 0);
  if (sl_picture_get_thumbnail (picture, &width, &height))
    show_thumbnail (picture, GTK_PICTURE (widget));
  else
    sl_reader_load_pixels (self->files, sl_picture_get_path (picture), THUMBNAIL_SIDE * 2, thumbnail_loaded,
                           g_object_ref (picture));
}

/* Pictures out of sight keep no pixels: a gallery may hold thousands. */
static void
unbind_cell (GtkSignalListItemFactory *factory, GtkListItem *item)
{
  SlPicture *picture = gtk_list_item_get_item (item);
  GtkWidget *widget = gtk_list_item_get_child (item);

  g_signal_handlers_disconnect_by_func (picture, show_thumbnail, widget);
  gtk_picture_set_paintable (GTK_PICTURE (widget), NULL);
  sl_picture_set_thumbnail (picture, NULL, 0, 0);
}

/* ---- the grid ---- */

static void
items_changed (SlGalleryView *self)
{
  gboolean any = g_list_model_get_n_items (G_LIST_MODEL (self->gallery)) > 0;

  gtk_stack_set_visible_child_name (self->stack, any ? "grid" : "empty");
}

static void
activated (SlGalleryView *self, guint position)
{
  g_autoptr (SlPicture) picture = g_list_model_get_item (G_LIST_MODEL (self->gallery), position);

  if (picture)
    g_signal_emit (self, signals[OPENED], 0, picture);
}

SlPicture *
sl_gallery_view_get_selected (SlGalleryView *self)
{
  return gtk_single_selection_get_selected_item (self->selection);
}

void
sl_gallery_view_connect (SlGalleryView *self, SlGallery *gallery, SlLane *files)
{
  g_autoptr (GtkListItemFactory) factory = gtk_signal_list_item_factory_new ();

  self->gallery = g_object_ref (gallery);
  self->files = files;
  self->selection = gtk_single_selection_new (G_LIST_MODEL (g_object_ref (gallery)));
  gtk_single_selection_set_autoselect (self->selection, FALSE);
  gtk_single_selection_set_can_unselect (self->selection, TRUE);
  g_signal_connect (factory, "setup", G_CALLBACK (setup_cell), NULL);
  g_signal_connect (factory, "bind", G_CALLBACK (bind_cell), self);
  g_signal_connect (factory, "unbind", G_CALLBACK (unbind_cell), NULL);
  gtk_grid_view_set_factory (self->grid, factory);
  gtk_grid_view_set_model (self->grid, GTK_SELECTION_MODEL (self->selection));
  g_signal_connect_swapped (self->grid, "activate", G_CALLBACK (activated), self);
  g_signal_connect_object (gallery, "items-changed", G_CALLBACK (items_changed), self, G_CONNECT_SWAPPED);
  items_changed (self);
}

static void
sl_gallery_view_dispose (GObject *object)
{
  SlGalleryView *self = SL_GALLERY_VIEW (object);

  g_clear_object (&self->selection);
  g_clear_object (&self->gallery);
  G_OBJECT_CLASS (sl_gallery_view_parent_class)->dispose (object);
}

static void
sl_gallery_view_class_init (SlGalleryViewClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = sl_gallery_view_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/safelight/Safelight/sl-gallery-view.ui");
  gtk_widget_class_bind_template_child (widget_class, SlGalleryView, stack);
  gtk_widget_class_bind_template_child (widget_class, SlGalleryView, grid);
  signals[OPENED] = g_signal_new ("opened", SL_TYPE_GALLERY_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, SL_TYPE_PICTURE);
}

static void
sl_gallery_view_init (SlGalleryView *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
