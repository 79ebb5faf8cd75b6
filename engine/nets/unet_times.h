/* unet_times.h - the time embedding of a UNet, down to what each resnet adds. Private to engine/.
 *
 * Mirrors diffusers models/embeddings.py (TimestepEmbedding) and the time_emb_proj of
 * models/resnet.py. It depends on the timesteps only, so a run computes it for all of its steps at
 * once. The shifts of an evaluation are one flat tensor: of each resnet [N, channels], one behind
 * the other.
 *
 * With addition_embed_type "text_time" a pooled text and sizes are added to the embedding before
 * its activation. The shifts then depend on the condition as well: a run computes the embedding
 * alone for all of its steps, and each evaluation the shifts.
 */
#ifndef SL_ENGINE_UNET_TIMES_H
#define SL_ENGINE_UNET_TIMES_H

#include "engine/nets/resnet.h"
#include "engine/nets/unet.h"

#define SL_UNET_MAX_RESNETS 320

typedef struct SlTimeEmbedding {
    const SlUnetConfig *config;
    SlLayer linear_1, linear_2;
    SlLayer add_linear_1, add_linear_2;     /* with text_time */
    SlLayer cond_proj;                      /* with time_cond_proj_dim */
    SlWeight *classes;                      /* [classes, time_embed_dim] */
    SlLayer class_linear_1, class_linear_2; /* with class_timestep */
    const SlResnet *resnets[SL_UNET_MAX_RESNETS];
    int count;
    int64_t channels; /* of all shifts together, with those that center the input */
} SlTimeEmbedding;

void sl_time_embedding_bind(SlTimeEmbedding *e, SlBinder *b, const SlUnetConfig *config);
/* Gives the resnet its place; false when there are too many. */
bool sl_time_embedding_add(SlTimeEmbedding *e, SlResnet *resnet);

/* The row of a batch's times: its shifts, or with text_time what centers the input and the
 * embedding [N, time_embed_dim], both flat. As many values of each sample: */
int64_t sl_time_embedding_values(const SlTimeEmbedding *e);
/* The row for a batch with these timesteps, t f32 [N]; from the arena. */
SlTensor sl_time_embedding_batch(SlDevice *dev, const SlTimeEmbedding *e, const SlTensor *t);
/* For a batch at each of these timesteps, t f32 [T], all of a batch at the same; table [T, batch
 * values], contiguous. */
void sl_time_embedding_table(SlDevice *dev, const SlTimeEmbedding *e, const SlTensor *t,
                             const SlTimesOf *of, SlTensor *table);

/* With text_time. add_embedding of text_embeds [N, P] and time_ids f32 [N, S], to added [N,
 * time_embed_dim]; and the shifts of a row with it, from the arena, which upload nothing. */
void sl_time_embedding_added(SlDevice *dev, const SlTimeEmbedding *e, const SlTensor *text_embeds,
                             const SlTensor *time_ids, SlTensor *added);
SlTensor sl_time_embedding_shifts(SlDevice *dev, const SlTimeEmbedding *e, const SlTensor *row,
                                  const SlTensor *added);

/* See sl_unet_times_join. */
void sl_time_embedding_join(SlDevice *dev, const SlTimeEmbedding *e, const SlTimesJoin *join,
                            SlTensor *row);

/* [N, channels] of one resnet; of -1 for each channel of the sample, where the input is centered,
 * which begins shifts and rows alike */
SlTensor sl_resnet_shift(const SlResnet *r, const SlTensor *shifts, int64_t batch);
SlTensor sl_center_shift(const SlTimeEmbedding *e, const SlTensor *row, int64_t batch);

#endif
