/* sl-frame-object.c - see sl-frame-object.h. Nothing is copied: samples and previews are the timeline's, which
 * every frame keeps.
 */
#include "app/objects/sl-frame-object-private.h"

#include <math.h>
#include <string.h>

typedef struct
{
  GBytes *sample;
  GBytes *preview;
  int preview_width;
  int preview_height;
  GBytes *decoded;
  gboolean approximate; /* decoded is a preview by a tiny VAE */
  char *problem;        /* why the last attempt to decode it came to nothing */
} Side;

struct _SlFrameObject
{
  GObject parent_instance;
  SlTimeline *timeline;
  int moment;
  SlFramePlace place;
  int channels;
  int height;
  int width;
  Side side[SL_N_VIEWS];
  int decoded_width;
  int decoded_height;
  SlFrameSamples taken; /* of a light one that is decoded */
  SlChannel channel[SL_MAX_CHANNELS];
  gboolean predicts_noise;
  gboolean light; /* its samples are only there while it is decoded */
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
  _sl_frame_samples_clear (&self->taken);
  g_clear_pointer (&self->timeline, sl_timeline_free);
  G_OBJECT_CLASS (sl_frame_object_parent_class)->finalize (object);
}

static void
sl_frame_object_class_init (SlFrameObjectClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = sl_frame_object_finalize;
  /* The decoded picture of a view (SlView) came or went. */
  signals[DECODED] = g_signal_new ("decoded", SL_TYPE_FRAME_OBJECT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void
sl_frame_object_init (SlFrameObject *self)
{
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

static const SlMoment *
moment_of (SlFrameObject *self)
{
  return sl_timeline_moment (self->timeline, self->moment);
}

static gsize
count_values (SlFrameObject *self)
{
  return (gsize)self->channels * self->height * self->width;
}

static void
give_back (gpointer timeline)
{
  sl_timeline_free (timeline);
}

/* The timeline's own memory, which is there as long as the bytes are. */
static GBytes *
lend (SlFrameObject *self, gconstpointer data, gsize bytes)
{
  return data ? g_bytes_new_with_free_func (data, bytes, give_back, sl_timeline_ref (self->timeline)) : NULL;
}

static void
set_side (SlFrameObject *self, SlView view, const float *sample)
{
  Side *side = &self->side[view];
  const guint8 *rgb = sl_timeline_preview (self->timeline, self->moment, view == SL_VIEW_NOISY,
                                           &side->preview_height, &side->preview_width);

  side->sample = lend (self, sample, count_values (self) * sizeof (float));
  side->preview = lend (self, rgb, (gsize)side->preview_height * side->preview_width * 3);
}

SlFrameObject *
_sl_frame_object_new (
    SlTimeline *timeline, int moment, const SlFramePlace *place, const float *x_t, gboolean predicts_noise)
{
  SlFrameObject *self = g_object_new (SL_TYPE_FRAME_OBJECT, NULL);
  const SlMoment *m = sl_timeline_moment (timeline, moment);
  gsize pixels;

  self->timeline = sl_timeline_ref (timeline);
  self->moment = moment;
  self->place = *place;
  self->predicts_noise = predicts_noise;
  self->light = m->x_t == NULL;
  sl_timeline_size (timeline, &self->channels, &self->height, &self->width);
  set_side (self, SL_VIEW_PICTURE, m->last ? m->x_t : m->x_0);
  set_side (self, SL_VIEW_NOISY, m->x_t);
  x_t = m->x_t ? m->x_t : x_t;
  pixels = (gsize)self->height * self->width;
  for (guint c = 0; x_t && c < sl_frame_object_get_channels (self); c++)
    self->channel[c] = measure_channel (x_t + c * pixels, pixels);
  return self;
}

SlTimeline *
_sl_frame_object_get_timeline (SlFrameObject *self, int *moment)
{
  *moment = self->moment;
  return self->timeline;
}

void
_sl_frame_samples_clear (SlFrameSamples *samples)
{
  g_clear_pointer (&samples->x_t, g_bytes_unref);
  g_clear_pointer (&samples->x_0, g_bytes_unref);
  for (int part = 0; part < SL_N_PARTS; part++)
    g_clear_pointer (&samples->half[part], g_bytes_unref);
}

static gsize
size_of (GBytes *bytes)
{
  return bytes ? g_bytes_get_size (bytes) : 0;
}

gsize
_sl_frame_object_get_taken_bytes (SlFrameObject *self)
{
  gsize bytes = size_of (self->taken.x_t) + size_of (self->taken.x_0);

  for (int part = 0; part < SL_N_PARTS; part++)
    bytes += size_of (self->taken.half[part]);
  return bytes;
}

void
_sl_frame_object_take_samples (SlFrameObject *self, const SlFrameSamples *samples)
{
  if (!self->light)
    return;
  _sl_frame_samples_clear (&self->taken);
  for (int view = 0; view < SL_N_VIEWS; view++)
    g_clear_pointer (&self->side[view].sample, g_bytes_unref);
  if (samples == NULL)
    return;
  self->taken.x_t = g_bytes_ref (samples->x_t);
  self->taken.x_0 = g_bytes_ref (samples->x_0);
  for (int part = 0; part < SL_N_PARTS; part++)
    self->taken.half[part] = samples->half[part] ? g_bytes_ref (samples->half[part]) : NULL;
  self->side[SL_VIEW_NOISY].sample = g_bytes_ref (samples->x_t);
  self->side[SL_VIEW_PICTURE].sample
      = g_bytes_ref (sl_frame_object_is_last (self) ? samples->x_t : samples->x_0);
}

gboolean
_sl_frame_object_is_light (SlFrameObject *self)
{
  return self->light;
}

static void
put_picture (SlFrameObject *self, SlView view, GBytes *rgb, int width, int height, gboolean approximate)
{
  g_clear_pointer (&self->side[view].decoded, g_bytes_unref);
  self->side[view].approximate = approximate;
  if (rgb)
    {
      self->side[view].decoded = g_bytes_ref (rgb);
      self->decoded_width = width;
      self->decoded_height = height;
    }
  else if (!self->side[SL_VIEW_PICTURE].decoded && !self->side[SL_VIEW_NOISY].decoded)
    _sl_frame_object_take_samples (self, NULL);
  g_signal_emit (self, signals[DECODED], 0, (guint)view);
}

void
_sl_frame_object_set_decoded (SlFrameObject *self, SlView view, GBytes *rgb, int width, int height)
{
  put_picture (self, view, rgb, width, height, FALSE);
}

void
_sl_frame_object_set_approximate (SlFrameObject *self, SlView view, GBytes *rgb, int width, int height)
{
  put_picture (self, view, rgb, width, height, TRUE);
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
  return sl_frame_object_is_decoded (self, view) ? NULL : self->side[view].problem;
}

void
sl_frame_object_forget_problem (SlFrameObject *self, SlView view)
{
  _sl_frame_object_set_problem (self, view, NULL);
}

int
sl_frame_object_get_index (SlFrameObject *self)
{
  return self->place.index;
}

int
sl_frame_object_get_step (SlFrameObject *self)
{
  return self->place.step;
}

int
sl_frame_object_get_steps (SlFrameObject *self)
{
  return self->place.steps;
}

gboolean
sl_frame_object_ends_step (SlFrameObject *self)
{
  return moment_of (self)->ends_step;
}

gboolean
sl_frame_object_is_last (SlFrameObject *self)
{
  return moment_of (self)->last;
}

double
sl_frame_object_get_timestep (SlFrameObject *self)
{
  return moment_of (self)->timestep;
}

double
sl_frame_object_get_sigma (SlFrameObject *self)
{
  return moment_of (self)->sigma;
}

gboolean
sl_frame_object_is_refined (SlFrameObject *self)
{
  return moment_of (self)->refined;
}

gboolean
sl_frame_object_is_cached (SlFrameObject *self)
{
  return moment_of (self)->cached;
}

double
sl_frame_object_get_seconds (SlFrameObject *self)
{
  return moment_of (self)->seconds;
}

GBytes *
sl_frame_object_get_preview (SlFrameObject *self, SlView view, int *width, int *height)
{
  *width = self->side[view].preview_width;
  *height = self->side[view].preview_height;
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
  return self->side[view].decoded != NULL && !self->side[view].approximate;
}

GBytes *
sl_frame_object_get_sample (SlFrameObject *self, SlView view, int *channels, int *height, int *width)
{
  *channels = self->channels;
  *height = self->height;
  *width = self->width;
  return self->side[view].sample;
}

guint
sl_frame_object_get_channels (SlFrameObject *self)
{
  return MIN ((guint)self->channels, SL_MAX_CHANNELS);
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

/* ---- what else the model said, as a picture ---- */

/* In half precision or not; both NULL where there is none. */
typedef struct
{
  const guint16 *halves;
  const float *values;
} Part;

static Part
find_part (SlFrameObject *self, SlFramePart part)
{
  const SlMoment *m = moment_of (self);

  if (self->taken.half[part])
    return (Part){ g_bytes_get_data (self->taken.half[part], NULL), NULL };
  if (part == SL_PART_GUIDANCE)
    return (Part){ m->guidance16, NULL };
  return (Part){ m->output16, m->output };
}

static double
value_at (const Part *part, gsize i)
{
  return part->values ? part->values[i] : sl_f16_to_f32 (part->halves[i]);
}

/* Three deviations to either side of grey; 0 stays grey. */
static double
find_scale (const Part *part, gsize n)
{
  double squares = 0;

  for (gsize i = 0; i < n; i++)
    squares += value_at (part, i) * value_at (part, i);
  return squares > 0 ? 127 / (3 * sqrt (squares / n)) : 0;
}

GBytes *
sl_frame_object_draw_part (SlFrameObject *self, SlFramePart which, int *width, int *height)
{
  Part part = find_part (self, which);
  gsize pixels = (gsize)self->height * self->width;
  double scale;
  guint8 *rgb;

  if (part.halves == NULL && part.values == NULL)
    return NULL;
  scale = find_scale (&part, count_values (self));
  rgb = g_malloc (pixels * 3);
  for (int c = 0; c < 3; c++)
    for (gsize i = 0; i < pixels; i++)
      {
        int channel = MIN (c, self->channels - 1);
        double value = 128 + scale * value_at (&part, channel * pixels + i);

        rgb[3 * i + c] = (guint8)CLAMP (value, 0, 255);
      }
  *width = self->width;
  *height = self->height;
  return g_bytes_new_take (rgb, pixels * 3);
}
