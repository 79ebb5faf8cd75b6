/* sl-frame-object.c - see sl-frame-object.h. */
#include "app/objects/sl-frame-object-private.h"

#include <math.h>
#include <string.h>

typedef struct
{
  GBytes *sample;
  GBytes *preview; /* of the sample's size */
  GBytes *decoded;
  char *problem; /* why the last attempt to decode it came to nothing */
} Side;

struct _SlFrameObject
{
  GObject parent_instance;
  SlFrame frame; /* its pointers are not used */
  Side side[SL_N_VIEWS];
  int decoded_width;
  int decoded_height;
  GBytes *part[SL_N_PARTS]; /* half precision; NULL where there is none */
  SlChannel channel[SL_MAX_CHANNELS];
  gboolean predicts_noise;
  GBytes *last_x_0; /* at the end of a run, whose picture is x_t */
  gboolean light;   /* its samples are only there while it is decoded */
  int preview_width;
  int preview_height;
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
      g_free (self->side[view].problem);
    }
  for (int part = 0; part < SL_N_PARTS; part++)
    g_clear_pointer (&self->part[part], g_bytes_unref);
  g_clear_pointer (&self->last_x_0, g_bytes_unref);
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

static GBytes *
halve (const float *values, gsize n)
{
  guint16 *halves;

  if (values == NULL)
    return NULL;
  halves = g_new (guint16, n);
  for (gsize i = 0; i < n; i++)
    halves[i] = sl_f32_to_f16 (values[i]);
  return g_bytes_new_take (halves, n * sizeof *halves);
}

static SlChannel
measure_channel (const float *values, gsize n)
{
  double sum = 0, squares = 0;

  for (gsize i = 0; i < n; i++)
    sum += values[i];
  for (gsize i = 0; i < n; i++)
    squares += (values[i] - sum / n) * (values[i] - sum / n);
  return (SlChannel){ (float)(sum / n), (float)sqrt (squares / n) };
}

/* No side above this, by leaving pixels out. */
static GBytes *
shrink (const guint8 *rgb, int width, int height, int by)
{
  int across = (width + by - 1) / by, down = (height + by - 1) / by;
  guint8 *small = g_malloc ((gsize)across * down * 3);

  for (int y = 0; y < down; y++)
    for (int x = 0; x < across; x++)
      memcpy (small + 3 * ((gsize)y * across + x), rgb + 3 * ((gsize)y * by * width + (gsize)x * by), 3);
  return g_bytes_new_take (small, (gsize)across * down * 3);
}

static void
make_side (SlFrameObject *self, const SlModel *model, SlView view, const float *sample, int light_side)
{
  int width = self->frame.width, height = self->frame.height;
  int by = light_side ? MAX (1, (MAX (width, height) + light_side - 1) / light_side) : 1;
  gsize pixels = (gsize)height * width;
  g_autofree guint8 *rgb = g_malloc (pixels * 3);

  if (!self->light)
    self->side[view].sample = g_bytes_new (sample, pixels * self->frame.channels * sizeof (float));
  sl_preview (model, sample, height, width, rgb);
  self->side[view].preview = shrink (rgb, width, height, by);
  self->preview_width = (width + by - 1) / by;
  self->preview_height = (height + by - 1) / by;
}

SlFrameObject *
_sl_frame_object_new (const SlModel *model, const SlFrame *frame, int light_side)
{
  SlFrameObject *self = g_object_new (SL_TYPE_FRAME_OBJECT, NULL);
  gsize pixels = (gsize)frame->height * frame->width;

  self->frame = *frame;
  self->light = light_side > 0;
  make_side (self, model, SL_VIEW_PICTURE, frame->last ? frame->x_t : frame->x_0, light_side);
  make_side (self, model, SL_VIEW_NOISY, frame->x_t, light_side);
  if (frame->last)
    self->last_x_0 = g_bytes_new (frame->x_0, pixels * frame->channels * sizeof (float));
  if (!self->light)
    {
      self->part[SL_PART_OUTPUT] = halve (frame->model_output, pixels * frame->channels);
      self->part[SL_PART_GUIDANCE] = halve (frame->guidance_term, pixels * frame->channels);
    }
  for (guint c = 0; c < sl_frame_object_get_channels (self); c++)
    self->channel[c] = measure_channel (frame->x_t + c * pixels, pixels);
  self->predicts_noise = sl_model_info (model)->prediction == SL_PREDICT_EPSILON;
  return self;
}

static gsize
size_of (GBytes *bytes)
{
  return bytes ? g_bytes_get_size (bytes) : 0;
}

gsize
_sl_frame_object_get_bytes (SlFrameObject *self)
{
  gsize bytes = size_of (self->last_x_0);

  for (int view = 0; view < SL_N_VIEWS; view++)
    bytes += size_of (self->side[view].sample) + size_of (self->side[view].preview);
  for (int part = 0; part < SL_N_PARTS; part++)
    bytes += size_of (self->part[part]);
  return bytes;
}

void
_sl_frame_object_take_samples (SlFrameObject *self, SlFrameObject *whole)
{
  for (int view = 0; self->light && view < SL_N_VIEWS; view++)
    {
      g_clear_pointer (&self->side[view].sample, g_bytes_unref);
      self->side[view].sample = whole ? g_bytes_ref (whole->side[view].sample) : NULL;
    }
  for (int part = 0; self->light && part < SL_N_PARTS; part++)
    {
      g_clear_pointer (&self->part[part], g_bytes_unref);
      self->part[part] = whole && whole->part[part] ? g_bytes_ref (whole->part[part]) : NULL;
    }
}

SlFrameRecord
_sl_frame_object_get_record (SlFrameObject *self)
{
  SlFrameRecord record = { .frame = self->frame, .predicts_noise = self->predicts_noise };

  for (int view = 0; view < SL_N_VIEWS; view++)
    {
      record.sample[view] = self->side[view].sample;
      record.preview[view] = self->side[view].preview;
    }
  record.x_0 = self->last_x_0 ? self->last_x_0 : record.sample[SL_VIEW_PICTURE];
  for (int part = 0; part < SL_N_PARTS; part++)
    record.part[part] = self->part[part];
  return record;
}

gboolean
_sl_frame_object_is_light (SlFrameObject *self)
{
  return self->light;
}

SlFrameObject *
_sl_frame_object_restore (const SlFrameRecord *record)
{
  SlFrameObject *self = g_object_new (SL_TYPE_FRAME_OBJECT, NULL);
  gsize pixels = (gsize)record->frame.height * record->frame.width;
  GBytes *sample = record->sample[SL_VIEW_NOISY];
  const float *x_t = sample ? g_bytes_get_data (sample, NULL) : NULL;

  self->frame = record->frame;
  self->light = sample == NULL;
  self->predicts_noise = record->predicts_noise;
  self->preview_width = record->frame.width;
  self->preview_height = record->frame.height;
  for (int view = 0; view < SL_N_VIEWS; view++)
    {
      self->side[view].sample = record->sample[view] ? g_bytes_ref (record->sample[view]) : NULL;
      self->side[view].preview = g_bytes_ref (record->preview[view]);
    }
  if (record->frame.last && record->x_0)
    self->last_x_0 = g_bytes_ref (record->x_0);
  for (int part = 0; part < SL_N_PARTS; part++)
    self->part[part] = record->part[part] ? g_bytes_ref (record->part[part]) : NULL;
  for (guint c = 0; x_t && c < sl_frame_object_get_channels (self); c++)
    self->channel[c] = measure_channel (x_t + c * pixels, pixels);
  return self;
}

void
_sl_frame_record_clear (SlFrameRecord *record)
{
  for (int view = 0; view < SL_N_VIEWS; view++)
    {
      g_clear_pointer (&record->sample[view], g_bytes_unref);
      g_clear_pointer (&record->preview[view], g_bytes_unref);
    }
  g_clear_pointer (&record->x_0, g_bytes_unref);
  for (int part = 0; part < SL_N_PARTS; part++)
    g_clear_pointer (&record->part[part], g_bytes_unref);
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
  else if (!self->side[SL_VIEW_PICTURE].decoded && !self->side[SL_VIEW_NOISY].decoded)
    _sl_frame_object_take_samples (self, NULL);
  g_signal_emit (self, signals[DECODED], 0);
}

void
_sl_frame_object_set_problem (SlFrameObject *self, SlView view, const char *problem)
{
  g_free (self->side[view].problem);
  self->side[view].problem = g_strdup (problem);
}

const char *
sl_frame_object_get_problem (SlFrameObject *self, SlView view)
{
  return self->side[view].decoded ? NULL : self->side[view].problem;
}

void
sl_frame_object_forget_problem (SlFrameObject *self, SlView view)
{
  _sl_frame_object_set_problem (self, view, NULL);
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
  *width = self->preview_width;
  *height = self->preview_height;
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

guint
sl_frame_object_get_channels (SlFrameObject *self)
{
  return MIN ((guint)self->frame.channels, SL_MAX_CHANNELS);
}

SlChannel
sl_frame_object_get_channel (SlFrameObject *self, guint channel)
{
  return self->channel[channel];
}

gboolean
sl_frame_object_predicts_noise (SlFrameObject *self)
{
  return self->predicts_noise;
}
