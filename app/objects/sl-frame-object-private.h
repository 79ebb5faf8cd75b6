/* sl-frame-object-private.h - making frames of a timeline's moments; for app/ only. */
#pragma once

#include "app/objects/sl-frame-object.h"
#include "app/record/record.h"
#include "engine/engine.h"

G_BEGIN_DECLS

/* Where a moment of a timeline is among the frames of a job. */
typedef struct
{
  int index; /* of all evaluations, those of the job's ancestors included */
  int step;  /* counted on over branches, and how many */
  int steps;
} SlFramePlace;

/* A view of a moment that is there, of a timeline with views. x_t (may be NULL: then its channels' figures are
 * 0) is its sample where the timeline does not keep it. Any thread; the last reference of the frame may be
 * given back by the main thread when the timeline rests. */
SlFrameObject *_sl_frame_object_new (
    SlTimeline *timeline, int moment, const SlFramePlace *place, const float *x_t, gboolean predicts_noise);
/* Borrowed. */
SlTimeline *_sl_frame_object_get_timeline (SlFrameObject *self, int *moment);
/* Its timeline does not keep its samples: they are there only while it is decoded. */
gboolean _sl_frame_object_is_light (SlFrameObject *self);

/* The arrays of a moment that was computed again; its views' samples are x_0 and x_t. */
typedef struct
{
  GBytes *x_t;
  GBytes *x_0;
  GBytes *half[SL_N_PARTS]; /* half precision; NULL where there is none */
} SlFrameSamples;

void _sl_frame_samples_clear (SlFrameSamples *samples);
/* Main thread, of a light frame: takes references; NULL drops what it had. */
void _sl_frame_object_take_samples (SlFrameObject *self, const SlFrameSamples *samples);
/* Of the samples that it took. */
gsize _sl_frame_object_get_taken_bytes (SlFrameObject *self);
/* Main thread, or before the frame is shown to it. rgb is NULL to drop the decoded picture. */
void _sl_frame_object_set_decoded (SlFrameObject *self, SlView view, GBytes *rgb, int width, int height);
/* The same with a preview of full size, which is no decoded picture. */
void _sl_frame_object_set_approximate (SlFrameObject *self, SlView view, GBytes *rgb, int width, int height);
/* Main thread; NULL: none. */
void _sl_frame_object_set_problem (SlFrameObject *self, SlView view, const char *problem);

G_END_DECLS
