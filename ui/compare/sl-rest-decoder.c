/* sl-rest-decoder.c - see sl-rest-decoder.h. */
#include "ui/compare/sl-rest-decoder.h"

#define REST_MS 120

struct _SlRestDecoder
{
  GObject parent_instance;
  SlComparison *comparison;
  SlWorker *worker;
  SlRestLanes lanes;
  SlFrameObject *decoding; /* whose picture is being made, or NULL */
  SlView view;             /* which picture of it */
  guint rest;              /* timeout; 0: nothing waits for it */
};

G_DEFINE_FINAL_TYPE (SlRestDecoder, sl_rest_decoder, G_TYPE_OBJECT)

enum
{
  DECODED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void decode_next (SlRestDecoder *self);

static void
decoded (SlRestDecoder *self, guint view)
{
  if (view != self->view)
    return;
  g_signal_handlers_disconnect_by_func (self->decoding, decoded, self);
  g_clear_object (&self->decoding);
  g_signal_emit (self, signals[DECODED], 0);
  decode_next (self);
}

/* A frame that could not be decoded is tried again only when somebody comes back to it. */
static SlFrameObject *
undecoded_frame (SlRestDecoder *self, guint lane)
{
  SlView view = self->lanes.view;
  SlFrameObject *frame = sl_comparison_get_frame (self->comparison, lane);

  return frame && !sl_frame_object_is_decoded (frame, view) && !sl_frame_object_get_problem (frame, view)
             ? frame
             : NULL;
}

static void
decode_next (SlRestDecoder *self)
{
  const SlRestLanes *lanes = &self->lanes;

  for (guint i = 0; i < lanes->count && !self->decoding && !self->rest; i++)
    {
      guint lane = lanes->lane[i];
      SlFrameObject *frame = undecoded_frame (self, lane);

      if (frame
          && sl_worker_decode (self->worker, sl_comparison_get_job (self->comparison, lane), frame,
                               lanes->view))
        {
          self->decoding = g_object_ref (frame);
          self->view = lanes->view;
          g_signal_connect_object (frame, "decoded", G_CALLBACK (decoded), self, G_CONNECT_SWAPPED);
        }
    }
}

static gboolean
rested (gpointer data)
{
  SlRestDecoder *self = data;

  self->rest = 0;
  decode_next (self);
  return G_SOURCE_REMOVE;
}

void
sl_rest_decoder_wait (SlRestDecoder *self, const SlRestLanes *lanes)
{
  gboolean goes_by
      = sl_comparison_is_busy (self->comparison) && sl_comparison_is_following (self->comparison);

  self->lanes = *lanes;
  g_clear_handle_id (&self->rest, g_source_remove);
  if (!goes_by)
    self->rest = g_timeout_add (REST_MS, rested, self);
}

void
sl_rest_decoder_try_again (SlRestDecoder *self, const SlRestLanes *lanes)
{
  for (guint i = 0; i < lanes->count; i++)
    {
      SlFrameObject *frame = sl_comparison_get_frame (self->comparison, lanes->lane[i]);

      if (frame)
        sl_frame_object_forget_problem (frame, lanes->view);
    }
  sl_rest_decoder_wait (self, lanes);
}

SlRestDecoder *
sl_rest_decoder_new (SlComparison *comparison, SlWorker *worker)
{
  SlRestDecoder *self = g_object_new (SL_TYPE_REST_DECODER, NULL);

  self->comparison = g_object_ref (comparison);
  self->worker = g_object_ref (worker);
  return self;
}

static void
sl_rest_decoder_dispose (GObject *object)
{
  SlRestDecoder *self = SL_REST_DECODER (object);

  g_clear_handle_id (&self->rest, g_source_remove);
  g_clear_object (&self->decoding);
  g_clear_object (&self->comparison);
  g_clear_object (&self->worker);
  G_OBJECT_CLASS (sl_rest_decoder_parent_class)->dispose (object);
}

static void
sl_rest_decoder_class_init (SlRestDecoderClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = sl_rest_decoder_dispose;
  signals[DECODED] = g_signal_new ("decoded", SL_TYPE_REST_DECODER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 0);
}

static void
sl_rest_decoder_init (SlRestDecoder *self)
{
}
