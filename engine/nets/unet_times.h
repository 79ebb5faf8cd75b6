/* unet_times.h - the time embedding of a UNet, down to what each resnet adds. Private to engine/.
 *
 * Mirrors diffusers models/embeddings.py (TimestepEmbedding) and the time_emb_proj of
 * models/resnet.py. It depends on the timesteps only, so a run computes it for all of its steps at
 * once. The shifts of an evaluation are one flat tensor: of each resnet [N, channels], one behind
 * the other.
 */
#ifndef SL_ENGINE_UNET_TIMES_H
#define SL_ENGINE_UNET_TIMES_H

#include "engine/nets/resnet.h"
#include "engine/nets/unet.h"

#define SL_UNET_MAX_RESNETS 320

typedef struct SlTimeEmbedding {
    const SlUnetConfig *config;
    SlLayer linear_1, linear_2;
    const SlResnet *resnets[SL_UNET_MAX_RESNETS];
    int count;
    int64_t channels; /* of all shifts together, with those that center the input */
} SlTimeEmbedding;

void sl_time_embedding_bind(SlTimeEmbedding *e, SlBinder *b, const SlUnetConfig *config);
/* Gives the resnet its place; false when there are too many. */
bool sl_time_embedding_add(SlTimeEmbedding *e, SlResnet *resnet);

/* The shifts for a batch with these timesteps, t f32 [N]; from the arena. */
SlTensor sl_time_embedding_batch(SlDevice *dev, const SlTimeEmbedding *e, const SlTensor *t);
/* For a batch at each of these timesteps, t f32 [T], all of a batch at the same; table [T, batch
 * channels], contiguous. */
void sl_time_embedding_table(SlDevice *dev, const SlTimeEmbedding *e, const SlTensor *t,
                             int64_t batch, SlTensor *table);

/* See sl_unet_times_join. */
void sl_time_embedding_join(SlDevice *dev, const SlTimeEmbedding *e, const SlTimesJoin *join,
                            SlTensor *shifts);

/* [N, channels] of one resnet; of -1 for each channel of the sample, where the input is centered */
SlTensor sl_resnet_shift(const SlResnet *r, const SlTensor *shifts, int64_t batch);
SlTensor sl_center_shift(const SlTimeEmbedding *e, const SlTensor *shifts, int64_t batch);

#endif
