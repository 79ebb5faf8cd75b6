/* sl-moving-picture.c - see sl-moving-picture.h. */
#include "app/objects/gallery/sl-moving-picture.h"

#include <stdlib.h>

#include "app/image/image.h"

struct _SlMovingPicture
{
  GObject parent_instance;
  char *path;
  SlAnimationReader *reader; /* the file thread's while a picture is asked for */
  gboolean failed;
};

G_DEFINE_FINAL_TYPE (SlMovingPicture, sl_moving_picture, G_TYPE_OBJECT)

enum
{
  PICTURE,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

typedef struct
{
  SlMovingPicture *moving;
  GBytes *rgb;
  int width, height, ms;
} Asking;

static void
asking_free (gpointer data)
{
  Asking *asking = data;

  g_object_unref (asking->moving);
  g_clear_pointer (&asking->rgb, g_bytes_unref);
  g_free (asking);
}

static void
ask_run (gpointer data)
{
  Asking *asking = data;
  SlMovingPicture *self = asking->moving;
  SlError ignored = { 0 };
  int pictures = 0;
  guint8 *rgb;
  gsize bytes;

  if (self->reader == NULL)
    self->reader = sl_animation_open (self->path, &ignored);
  if (self->reader)
    sl_animation_size (self->reader, &asking->width, &asking->height, &pictures);
  bytes = (gsize)asking->width * asking->height * 3;
  rgb = pictures > 1 ? malloc (bytes) : NULL;
  if (rgb && sl_animation_next (self->reader, rgb, &asking->ms, &ignored))
    asking->rgb = g_bytes_new_with_free_func (rgb, bytes, free, rgb);
  else
    {
      free (rgb);
      self->failed = TRUE;
    }
}

static void
ask_done (gpointer data)
{
  Asking *asking = data;

  if (asking->rgb)
    g_signal_emit (asking->moving, signals[PICTURE], 0, asking->rgb, asking->width, asking->height,
                   asking->ms);
}

void
sl_moving_picture_next (SlMovingPicture *self, SlThreadQueue *files)
{
  Asking *asking;

  if (self->failed)
    return;
  asking = g_new0 (Asking, 1);
  asking->moving = g_object_ref (self);
  sl_thread_queue_push (files, TRUE, ask_run, ask_done, asking, asking_free);
}

static void
sl_moving_picture_finalize (GObject *object)
{
  SlMovingPicture *self = SL_MOVING_PICTURE (object);

  sl_animation_close (self->reader);
  g_free (self->path);
  G_OBJECT_CLASS (sl_moving_picture_parent_class)->finalize (object);
}

static void
sl_moving_picture_class_init (SlMovingPictureClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_moving_picture_finalize;
  signals[PICTURE] = g_signal_new ("picture", SL_TYPE_MOVING_PICTURE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 4, G_TYPE_BYTES, G_TYPE_INT, G_TYPE_INT, G_TYPE_INT);
}

static void
sl_moving_picture_init (SlMovingPicture *self)
{
}

SlMovingPicture *
sl_moving_picture_new (const char *path)
{
  SlMovingPicture *self = g_object_new (SL_TYPE_MOVING_PICTURE, NULL);

  self->path = g_strdup (path);
  return self;
}
