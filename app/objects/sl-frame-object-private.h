/* sl-frame-object-private.h - making frames; for app/ only. */
#pragma once

#include "app/objects/sl-frame-object.h"
#include "engine/engine.h"

G_BEGIN_DECLS

/* On the worker's thread: copies what frame points to and makes the quick previews. A light one has
 * nothing but previews whose sides are at most light_side, and the channels' figures; 0 is a whole one. */
SlFrameObject *_sl_frame_object_new (const SlModel *model, const SlFrame *frame, int light_side);
/* Whether its samples are there only while it is decoded. */
gboolean _sl_frame_object_is_light (SlFrameObject *self);
/* What it holds now, but for decoded pictures. */
gsize _sl_frame_object_get_bytes (SlFrameObject *self);
/* Main thread: the samples of the same moment, computed again; NULL drops them. */
void _sl_frame_object_take_samples (SlFrameObject *self, SlFrameObject *whole);
/* Main thread, or before the frame is shown to it. rgb is NULL to drop the decoded picture. */
void _sl_frame_object_set_decoded (SlFrameObject *self, SlView view, GBytes *rgb, int width, int height);
/* Main thread; NULL: none. */
void _sl_frame_object_set_problem (SlFrameObject *self, SlView view, const char *problem);

/* All that a frame is made of, for files. */
typedef struct
{
  SlFrame frame;              /* its pointers are not used */
  GBytes *sample[SL_N_VIEWS]; /* the picture's is x_0, but at the end of a run x_t */
  GBytes *x_0;
  GBytes *preview[SL_N_VIEWS];
  GBytes *part[SL_N_PARTS]; /* half precision; NULL where there is none */
  gboolean predicts_noise;
} SlFrameRecord;

/* Borrowed from the frame. Any thread. */
SlFrameRecord _sl_frame_object_get_record (SlFrameObject *self);
/* Takes references; all sizes must fit frame's. Without samples it is a light one. Any thread. */
SlFrameObject *_sl_frame_object_restore (const SlFrameRecord *record);
/* Of a record that owns its bytes. */
void _sl_frame_record_clear (SlFrameRecord *record);

G_END_DECLS
