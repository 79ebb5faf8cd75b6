/* sl-lora-picture.c - see sl-lora-picture.h.
 *
 * Such files come from anywhere: their size is looked at before they are decoded.
 */
#include "ui/darkroom/sl-lora-picture.h"

#define SIDE 44
#define MOST_PIXELS ((gint64)64 << 20)

struct _SlLoraPicture
{
  AdwBin parent_instance;
  GtkStack *stack;
  GtkPicture *picture;
  char *path; /* that is shown, or on its way */
};

G_DEFINE_FINAL_TYPE (SlLoraPicture, sl_lora_picture, ADW_TYPE_BIN)

typedef struct
{
  GWeakRef picture;
  char *path;
  GdkPixbuf *pixbuf;
} Loading;

static void
loading_free (gpointer data)
{
  Loading *loading = data;

  g_weak_ref_clear (&loading->picture);
  g_free (loading->path);
  g_clear_object (&loading->pixbuf);
  g_free (loading);
}

/* Twice the size, for displays that are finer; the shorter side fills the square. */
static void
loading_run (gpointer data)
{
  Loading *loading = data;
  int width, height, side = 2 * SIDE;

  if (!gdk_pixbuf_get_file_info (loading->path, &width, &height) || width < 1 || height < 1
      || (gint64)width * height > MOST_PIXELS)
    return;
  loading->pixbuf = gdk_pixbuf_new_from_file_at_scale (loading->path, width < height ? side : -1,
                                                       width < height ? -1 : side, TRUE, NULL);
}

static void
loading_done (gpointer data)
{
  Loading *loading = data;
  g_autoptr (SlLoraPicture) self = g_weak_ref_get (&loading->picture);
  g_autoptr (GdkTexture) texture = loading->pixbuf ? gdk_texture_new_for_pixbuf (loading->pixbuf) : NULL;

  if (self == NULL || g_strcmp0 (self->path, loading->path) != 0)
    return;
  gtk_picture_set_paintable (self->picture, GDK_PAINTABLE (texture));
  gtk_stack_set_visible_child_name (self->stack, texture ? "picture" : "icon");
}

void
sl_lora_picture_show (SlLoraPicture *self, SlThreadQueue *files, const char *path)
{
  Loading *loading;

  if (g_strcmp0 (path, self->path) == 0)
    return;
  g_free (self->path);
  self->path = g_strdup (path);
  gtk_stack_set_visible_child_name (self->stack, "icon");
  if (path == NULL || files == NULL)
    return;
  loading = g_new0 (Loading, 1);
  g_weak_ref_init (&loading->picture, self);
  loading->path = g_strdup (path);
  sl_thread_queue_push (files, FALSE, loading_run, loading_done, loading, loading_free);
}

GtkWidget *
sl_lora_picture_new (void)
{
  return g_object_new (SL_TYPE_LORA_PICTURE, NULL);
}

static void
sl_lora_picture_finalize (GObject *object)
{
  g_free (SL_LORA_PICTURE (object)->path);
  G_OBJECT_CLASS (sl_lora_picture_parent_class)->finalize (object);
}

static void
sl_lora_picture_class_init (SlLoraPictureClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_lora_picture_finalize;
  gtk_widget_class_set_accessible_role (GTK_WIDGET_CLASS (klass), GTK_ACCESSIBLE_ROLE_PRESENTATION);
}

static void
sl_lora_picture_init (SlLoraPicture *self)
{
  GtkWidget *icon = gtk_image_new_from_icon_name ("image-x-generic-symbolic");
  GtkWidget *picture = gtk_picture_new ();

  self->stack = GTK_STACK (gtk_stack_new ());
  self->picture = GTK_PICTURE (picture);
  gtk_picture_set_content_fit (self->picture, GTK_CONTENT_FIT_COVER);
  gtk_widget_add_css_class (icon, "dim-label");
  gtk_stack_add_named (self->stack, icon, "icon");
  gtk_stack_add_named (self->stack, picture, "picture");
  gtk_widget_set_size_request (GTK_WIDGET (self), SIDE, SIDE);
  gtk_widget_set_halign (GTK_WIDGET (self), GTK_ALIGN_START);
  gtk_widget_set_valign (GTK_WIDGET (self), GTK_ALIGN_CENTER);
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
  gtk_widget_add_css_class (GTK_WIDGET (self), "print");
  adw_bin_set_child (ADW_BIN (self), GTK_WIDGET (self->stack));
}
