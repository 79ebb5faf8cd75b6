/* share.h - what runs of one model compute once: encoded texts and first evaluations. Private to
 * engine/; see SlShare in engine.h.
 */
#ifndef SL_ENGINE_SHARE_H
#define SL_ENGINE_SHARE_H

#include "engine/run/run.h"

/* The prompts of a run: ids is [batch, length], of the negative prompt first where the batch is 2;
 * clip_skip is the prompt's. */
typedef struct SlShareAsk {
    int batch, length, clip_skip;
    const int *ids;
} SlShareAsk;

/* Lives as long as the share. */
typedef struct SlShareText {
    float *text; /* [batch, L, D] */
    int64_t size[3];
    SlUnetContext *context;
} SlShareText;

/* NULL and *err on failure. */
const SlShareText *sl_share_text(SlShare *share, const SlShareAsk *ask, SlError *err);

/* A first evaluation: what the model was fed, and what it said before guidance, [batch, elements]. */
typedef struct SlShareKey {
    const SlShareText *text; /* NULL for DDPM */
    float timestep;
    int64_t elements;
    int batch;
    const float *input;
} SlShareKey;

const float *sl_share_find(SlShare *share, const SlShareKey *key); /* NULL: not known */
/* Copies; nothing is kept when memory is out. */
void sl_share_keep(SlShare *share, const SlShareKey *key, const float *said);

#endif
