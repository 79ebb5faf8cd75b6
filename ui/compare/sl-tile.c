/* sl-tile.c - see sl-tile.h. */
#include "ui/compare/sl-tile.h"

#include "ui/widgets/sl-canvas.h"

#define SIDE 104

struct _SlTile
{
  AdwBin parent_instance;
  GtkPicture *picture;
  GtkLabel *title;
};

G_DEFINE_FINAL_TYPE (SlTile, sl_tile, ADW_TYPE_BIN)

void
sl_tile_show (SlTile *self, GBytes *rgb, int width, int height, const char *title)
{
  g_autoptr (GdkTexture) texture = sl_texture_new_rgb (rgb, width, height);

  gtk_widget_set_visible (GTK_WIDGET (self), texture != NULL);
  gtk_picture_set_paintable (self->picture, GDK_PAINTABLE (texture));
  gtk_picture_set_alternative_text (self->picture, title);
  gtk_label_set_text (self->title, title ? title : "");
}

SlTile *
sl_tile_append (GtkBox *row)
{
  SlTile *self = g_object_new (SL_TYPE_TILE, NULL);

  gtk_box_append (row, GTK_WIDGET (self));
  return self;
}

static void
sl_tile_class_init (SlTileClass *klass)
{
}

static void
sl_tile_init (SlTile *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 4);
  GtkWidget *picture = gtk_picture_new (), *title = gtk_label_new (NULL);

  gtk_widget_set_size_request (picture, SIDE, SIDE);
  gtk_widget_set_halign (picture, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (picture, "print");
  gtk_widget_set_overflow (picture, GTK_OVERFLOW_HIDDEN);
  gtk_picture_set_content_fit (GTK_PICTURE (picture), GTK_CONTENT_FIT_CONTAIN);
  gtk_widget_add_css_class (title, "caption");
  gtk_box_append (GTK_BOX (box), picture);
  gtk_box_append (GTK_BOX (box), title);
  adw_bin_set_child (ADW_BIN (self), box);
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
  self->picture = GTK_PICTURE (picture);
  self->title = GTK_LABEL (title);
}
