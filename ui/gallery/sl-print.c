/* sl-print.c - see sl-print.h. */
#include "ui/gallery/sl-print.h"

#include <glib/gi18n.h>

#include "ui/widgets/sl-canvas.h"
#include "ui/gallery/sl-family-track.h"
#include "ui/widgets/sl-picture-text.h"

#define SIDE 176 /* at least: a print is as wide as its column */

struct _SlPrint
{
  AdwBin parent_instance;
  SlPicture *picture;
  GtkPicture *thumbnail;
  GtkWidget *badge;
  GtkWidget *badge_icon;
  GtkLabel *badge_text;
  GtkWidget *star;
  SlFamilyTrack *track;
  gboolean in_tree;
};

G_DEFINE_FINAL_TYPE (SlPrint, sl_print, ADW_TYPE_BIN)

static void
show_thumbnail (SlPrint *self)
{
  int width, height;
  GBytes *rgb = sl_picture_get_thumbnail (self->picture, &width, &height);
  g_autoptr (GdkTexture) texture = sl_texture_new_rgb (rgb, width, height);

  gtk_picture_set_paintable (self->thumbnail, GDK_PAINTABLE (texture));
}

/* What has the keyboard is the grid's cell, not the print in it. */
static void
name_cell (SlPrint *self, const char *name)
{
  GtkWidget *cell = gtk_widget_get_parent (GTK_WIDGET (self));

  if (cell)
    gtk_accessible_update_property (GTK_ACCESSIBLE (cell), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  /* Of a cell a screen reader says what is in it. */
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

static void
show_place (SlPrint *self)
{
  const char *name = sl_picture_name (self->picture);
  g_autofree char *story = sl_picture_story (self->picture);
  g_autofree char *badge = sl_picture_badge (self->picture);
  g_autofree char *all = *story ? g_strdup_printf ("%s\n%s", name, story) : g_strdup (name);

  gtk_widget_set_tooltip_text (GTK_WIDGET (self), all);
  gtk_picture_set_alternative_text (self->thumbnail, all);
  name_cell (self, all);
  gtk_widget_set_visible (self->badge, badge != NULL);
  gtk_widget_set_visible (self->badge_icon, sl_picture_is_branch (self->picture));
  gtk_label_set_text (self->badge_text, badge ? badge : "");
  sl_family_track_set_place (self->track, self->in_tree ? sl_picture_get_place (self->picture) : NULL);
}

static void
show_star (SlPrint *self)
{
  gtk_widget_set_visible (self->star, sl_picture_is_favourite (self->picture));
}

void
sl_print_set_in_tree (SlPrint *self, gboolean in_tree)
{
  if (self->in_tree == in_tree)
    return;
  self->in_tree = in_tree;
  if (self->picture)
    show_place (self);
}

static void
thumbnail_loaded (GBytes *rgb, int width, int height, const GError *error, gpointer user_data)
{
  g_autoptr (SlPicture) picture = user_data;

  if (rgb)
    sl_picture_set_thumbnail (picture, rgb, width, height);
}

static void
forget (SlPrint *self)
{
  if (self->picture == NULL)
    return;
  g_signal_handlers_disconnect_by_data (self->picture, self);
  gtk_picture_set_paintable (self->thumbnail, NULL);
  sl_picture_set_thumbnail (self->picture, NULL, 0, 0);
  g_clear_object (&self->picture);
}

void
sl_print_set_picture (SlPrint *self, SlPicture *picture, SlThreadQueue *files)
{
  int width, height;

  forget (self);
  if (picture == NULL)
    return;
  self->picture = g_object_ref (picture);
  g_signal_connect_object (picture, "thumbnail", G_CALLBACK (show_thumbnail), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (picture, "place", G_CALLBACK (show_place), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (picture, "favourite", G_CALLBACK (show_star), self, G_CONNECT_SWAPPED);
  show_place (self);
  show_star (self);
  if (sl_picture_get_thumbnail (picture, &width, &height))
    show_thumbnail (self);
  else
    sl_reader_load_pixels (files, sl_picture_get_path (picture), SIDE * 2, thumbnail_loaded,
                           g_object_ref (picture));
}

GdkTexture *
sl_print_get_texture (SlPrint *self)
{
  GdkPaintable *paintable = gtk_picture_get_paintable (self->thumbnail);

  return paintable ? GDK_TEXTURE (paintable) : NULL;
}

SlPicture *
sl_print_get_picture (SlPrint *self)
{
  return self->picture;
}

GtkWidget *
sl_print_new (void)
{
  return g_object_new (SL_TYPE_PRINT, NULL);
}

static void
sl_print_dispose (GObject *object)
{
  SlPrint *self = SL_PRINT (object);

  if (self->picture)
    g_signal_handlers_disconnect_by_data (self->picture, self);
  g_clear_object (&self->picture);
  G_OBJECT_CLASS (sl_print_parent_class)->dispose (object);
}

static void
sl_print_class_init (SlPrintClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = sl_print_dispose;
}

static GtkWidget *
make_thumbnail (SlPrint *self)
{
  GtkWidget *thumbnail = gtk_picture_new ();

  self->thumbnail = GTK_PICTURE (thumbnail);
  gtk_picture_set_content_fit (self->thumbnail, GTK_CONTENT_FIT_COVER);
  gtk_widget_add_css_class (thumbnail, "print");
  gtk_widget_set_overflow (thumbnail, GTK_OVERFLOW_HIDDEN);
  return thumbnail;
}

static GtkWidget *
make_badge (SlPrint *self)
{
  self->badge = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 4);
  self->badge_icon = gtk_image_new_from_icon_name ("sl-branch-symbolic");
  self->badge_text = GTK_LABEL (gtk_label_new (NULL));
  gtk_image_set_pixel_size (GTK_IMAGE (self->badge_icon), 12);
  gtk_widget_add_css_class (self->badge, "print-badge");
  gtk_widget_set_halign (self->badge, GTK_ALIGN_START);
  gtk_widget_set_valign (self->badge, GTK_ALIGN_END);
  gtk_box_append (GTK_BOX (self->badge), self->badge_icon);
  gtk_box_append (GTK_BOX (self->badge), GTK_WIDGET (self->badge_text));
  return self->badge;
}

static GtkWidget *
make_star (SlPrint *self)
{
  self->star = gtk_image_new_from_icon_name ("starred-symbolic");
  gtk_image_set_pixel_size (GTK_IMAGE (self->star), 14);
  gtk_widget_add_css_class (self->star, "print-badge");
  gtk_widget_add_css_class (self->star, "print-star");
  gtk_widget_set_halign (self->star, GTK_ALIGN_END);
  gtk_widget_set_valign (self->star, GTK_ALIGN_START);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->star), GTK_ACCESSIBLE_PROPERTY_LABEL, _ ("Favourite"),
                                  -1);
  return self->star;
}

static GtkSizeRequestMode
by_width (GtkWidget *room)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

/* As high as the column is wide, so that the gaps between prints are the same in both directions. */
static void
measure_room (
    GtkWidget *room, GtkOrientation orientation, int for_size, int *least, int *natural, int *b, int *c)
{
  *least = *natural = orientation == GTK_ORIENTATION_VERTICAL ? MAX (for_size, SIDE) : SIDE;
}

static void
allocate_room (GtkWidget *room, int width, int height, int baseline)
{
}

static void
sl_print_init (SlPrint *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0), *overlay = gtk_overlay_new ();
  GtkWidget *room = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);

  self->in_tree = TRUE;
  self->track = SL_FAMILY_TRACK (sl_family_track_new ());
  /* All prints of a width have one size, or the lines of neighbours would not meet. */
  gtk_widget_set_layout_manager (room, gtk_custom_layout_new (by_width, measure_room, allocate_room));
  gtk_overlay_set_child (GTK_OVERLAY (overlay), room);
  gtk_overlay_add_overlay (GTK_OVERLAY (overlay), make_thumbnail (self));
  gtk_overlay_add_overlay (GTK_OVERLAY (overlay), make_badge (self));
  gtk_overlay_add_overlay (GTK_OVERLAY (overlay), make_star (self));
  gtk_box_append (GTK_BOX (box), overlay);
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->track));
  gtk_widget_set_valign (box, GTK_ALIGN_START);
  adw_bin_set_child (ADW_BIN (self), box);
}
