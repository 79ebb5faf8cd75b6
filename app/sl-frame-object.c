/* sl-frame-object.c - see sl-frame-object.h. */
#include "app/sl-frame-object-private.h"

typedef struct
{
  GBytes *sample;
  GBytes *preview; /* of the sample's size */
  GBytes *decoded;
} Side;

struct _SlFrameObject
{
  GObject parent_instance;
  SlFrame frame; /* its pointers are not used */
  Side side[SL_N_VIEWS];
  int decoded_width;
  int decoded_height;
};

G_DEFINE_FINAL_TYPE (SlFrameObject, sl_frame_object, G_TYPE_OBJECT)

enum
{
  DECODED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
sl_frame_object_finalize (GObject *object)
{
  SlFrameObject *self = SL_FRAME_OBJECT (object);

  for (int view = 0; view < SL_N_VIEWS; view++)
    {
      g_clear_pointer (&self->side[view].sample, g_bytes_unref);
      g_clear_pointer (&self->side[view].preview, g_bytes_unref);
      g_clear_pointer (&self->side[view].decoded, g_bytes_unref);
    }
  G_OBJECT_CLASS (sl_frame_object_parent_class)->finalize (object);
}

static void
sl_frame_object_class_init (SlFrameObjectClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_frame_object_finalize;
  /* A decoded picture came or went. */
  signals[DECODED] = g_signal_new ("decoded", SL_TYPE_FRAME_OBJECT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 0);
}

static void
sl_frame_object_init (SlFrameObject *self)
{
}

SlFrameObject *
_sl_frame_object_new (const SlModel *model, const SlFrame *frame)
{
  SlFrameObject *self = g_object_new (SL_TYPE_FRAME_OBJECT, NULL);
  gsize pixels = (gsize)frame->height * frame->width;
  const float *sample[SL_N_VIEWS] = { frame->last ? frame->x_t : frame->x_0, frame->x_t };

  self->frame = *frame;
  for (int view = 0; view < SL_N_VIEWS; view++)
    {
      guint8 *rgb = g_malloc (pixels * 3);

      self->side[view].sample = g_bytes_new (sample[view], pixels * frame->channels * sizeof (float));
      sl_preview (model, sample[view], frame->height, frame->width, rgb);
      self->side[view].preview = g_bytes_new_take (rgb, pixels * 3);
    }
  return self;
}

void
_sl_frame_object_set_decoded (SlFrameObject *self, SlView view, GBytes *rgb, int width, int height)
{
  g_clear_pointer (&self->side[view].decoded, g_bytes_unref);
  if (rgb)
    {
      self->side[view].decoded = g_bytes_ref (rgb);
      self->decoded_width = width;
      self->decoded_height = height;
    }
  g_signal_emit (self, signals[DECODED], 0);
}

int
sl_frame_object_get_index (SlFrameObject *self)
{
  return self->frame.evaluation;
}

int
sl_frame_object_get_count (SlFrameObject *self)
{
  return self->frame.evaluations;
}

int
sl_frame_object_get_step (SlFrameObject *self)
{
  return self->frame.step;
}

int
sl_frame_object_get_steps (SlFrameObject *self)
{
  return self->frame.steps;
}

gboolean
sl_frame_object_ends_step (SlFrameObject *self)
{
  return self->frame.ends_step;
}

gboolean
sl_frame_object_is_last (SlFrameObject *self)
{
  return self->frame.last;
}

double
sl_frame_object_get_timestep (SlFrameObject *self)
{
  return self->frame.timestep;
}

double
sl_frame_object_get_sigma (SlFrameObject *self)
{
  return self->frame.sigma;
}

double
sl_frame_object_get_seconds (SlFrameObject *self)
{
  return self->frame.seconds;
}

GBytes *
sl_frame_object_get_preview (SlFrameObject *self, SlView view, int *width, int *height)
{
  *width = self->frame.width;
  *height = self->frame.height;
  return self->side[view].preview;
}

GBytes *
sl_frame_object_get_rgb (SlFrameObject *self, SlView view, int *width, int *height)
{
  if (self->side[view].decoded == NULL)
    return sl_frame_object_get_preview (self, view, width, height);
  *width = self->decoded_width;
  *height = self->decoded_height;
  return self->side[view].decoded;
}

gboolean
sl_frame_object_is_decoded (SlFrameObject *self, SlView view)
{
  return self->side[view].decoded != NULL;
}

GBytes *
sl_frame_object_get_sample (SlFrameObject *self, SlView view, int *channels, int *height, int *width)
{
  *channels = self->frame.channels;
  *height = self->frame.height;
  *width = self->frame.width;
  return self->side[view].sample;
}
