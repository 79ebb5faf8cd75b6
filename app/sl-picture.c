/* sl-picture.c - see sl-picture.h. */
#include "app/sl-picture.h"

struct _SlPicture
{
  GObject parent_instance;
  char *path;
  char *prompt;
  gint64 time;
  GBytes *thumbnail;
  int width;
  int height;
};

G_DEFINE_FINAL_TYPE (SlPicture, sl_picture, G_TYPE_OBJECT)

enum
{
  THUMBNAIL,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
sl_picture_finalize (GObject *object)
{
  SlPicture *self = SL_PICTURE (object);

  g_free (self->path);
  g_free (self->prompt);
  g_clear_pointer (&self->thumbnail, g_bytes_unref);
  G_OBJECT_CLASS (sl_picture_parent_class)->finalize (object);
}

static void
sl_picture_class_init (SlPictureClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_picture_finalize;
  signals[THUMBNAIL]
      = g_signal_new ("thumbnail", SL_TYPE_PICTURE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
sl_picture_init (SlPicture *self)
{
}

SlPicture *
sl_picture_new (const char *path, const char *prompt, gint64 time)
{
  SlPicture *self = g_object_new (SL_TYPE_PICTURE, NULL);

  self->path = g_strdup (path);
  self->prompt = g_strdup (prompt ? prompt : "");
  self->time = time;
  return self;
}

const char *
sl_picture_get_path (SlPicture *self)
{
  return self->path;
}

const char *
sl_picture_get_prompt (SlPicture *self)
{
  return self->prompt;
}

gint64
sl_picture_get_time (SlPicture *self)
{
  return self->time;
}

GBytes *
sl_picture_get_thumbnail (SlPicture *self, int *width, int *height)
{
  *width = self->width;
  *height = self->height;
  return self->thumbnail;
}

void
sl_picture_set_thumbnail (SlPicture *self, GBytes *rgb, int width, int height)
{
  g_clear_pointer (&self->thumbnail, g_bytes_unref);
  self->thumbnail = rgb ? g_bytes_ref (rgb) : NULL;
  self->width = width;
  self->height = height;
  g_signal_emit (self, signals[THUMBNAIL], 0);
}
