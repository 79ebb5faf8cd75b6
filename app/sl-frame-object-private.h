/* sl-frame-object-private.h - making frames; for app/ only. */
#pragma once

#include "app/sl-frame-object.h"
#include "engine/engine.h"

G_BEGIN_DECLS

/* On the worker's thread: copies what frame points to and makes the quick previews. */
SlFrameObject *_sl_frame_object_new (const SlModel *model, const SlFrame *frame);
/* Main thread, or before the frame is shown to it. rgb is NULL to drop the decoded picture. */
void _sl_frame_object_set_decoded (SlFrameObject *self, SlView view, GBytes *rgb, int width, int height);

G_END_DECLS
