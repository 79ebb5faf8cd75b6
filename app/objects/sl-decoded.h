/* sl-decoded.h - the decoded pictures of moments, as many as fit: those not looked at for longest are dropped
 * first, and those of a frame that nobody holds any more go with it. Main thread only, and so is giving up
 * the last reference to a frame that was decoded.
 */
#pragma once

#include "app/objects/sl-frame-object.h"

G_BEGIN_DECLS

/* Bytes that the pictures may take; and how many are kept even if they take more: one of each lane that is
 * shown. */
#define SL_DECODED_LIMIT ((gsize)40 << 20)
#define SL_DECODED_LEAST 9

typedef struct _SlDecoded SlDecoded;

SlDecoded *sl_decoded_new (void);
void sl_decoded_free (SlDecoded *self);
/* The frame's picture of that view was just decoded. made_again: its samples are there only as long as the
 * picture, and count. */
void sl_decoded_add (SlDecoded *self, SlFrameObject *frame, SlView view, gboolean made_again);
/* It is looked at, if it is there. */
void sl_decoded_touch (SlDecoded *self, SlFrameObject *frame, SlView view);
gsize sl_decoded_get_bytes (SlDecoded *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SlDecoded, sl_decoded_free)

G_END_DECLS
