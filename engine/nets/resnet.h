/* resnet.h - ResnetBlock2D and the attention block that stands beside it in UNet2DModel and the
 * VAE. Private to engine/.
 *
 * Mirrors diffusers models/resnet.py and the group-normed, residual use of Attention in
 * models/attention_processor.py.
 */
#ifndef SL_ENGINE_RESNET_H
#define SL_ENGINE_RESNET_H

#include "engine/nets/layers.h"

typedef enum SlResample { SL_RESAMPLE_NONE, SL_RESAMPLE_DOWN, SL_RESAMPLE_UP } SlResample;

typedef struct SlResnetOptions {
    int in_channels, out_channels;
    int temb_channels; /* 0: no time embedding (VAE) */
    bool scale_shift;  /* the time embedding scales and shifts what norm2 gives, before its
                          activation; else it is added to what conv1 gives */
    SlGroupNorm norm;  /* of both norms, with the activation */
    float output_scale_factor;
    SlResample resample; /* by a factor of two, inside the block, without weights */
} SlResnetOptions;

typedef struct SlResnet {
    SlPath path;
    SlResnetOptions options;
    SlLayer norm1, conv1, time_emb_proj, norm2, conv2;
    SlLayer conv_shortcut; /* only if the number of channels changes */
    int64_t shift_at;      /* where the channels of its shift begin: unet_times.c */
} SlResnet;

void sl_resnet_bind(SlResnet *r, SlBinder *b, SlPath path, const SlResnetOptions *options);
/* Values of time_emb_proj: out_channels, or with scale_shift as many scales before them. */
int64_t sl_resnet_shift_channels(const SlResnet *r);
/* x [N, H, W, in], shift [N, sl_resnet_shift_channels] is time_emb_proj of the time embedding (NULL without one), out
 * [N, H', W', out]. */
void sl_resnet_forward(SlDevice *dev, const SlResnet *r, const SlTensor *x, const SlTensor *shift,
                       SlTensor *out);

typedef struct SlAttentionBlock {
    SlPath path;
    SlGroupNorm norm; /* groups 0: none */
    int channels, heads;
    float output_scale_factor;
    SlLayer group_norm, to_q, to_k, to_v, to_out;
} SlAttentionBlock;

/* The caller fills norm, channels, heads and output_scale_factor first. */
void sl_attention_block_bind(SlAttentionBlock *a, SlBinder *b, SlPath path);
/* x and out [N, H, W, channels], different memory */
void sl_attention_block_forward(SlDevice *dev, const SlAttentionBlock *a, const SlTensor *x,
                                SlTensor *out);

#endif
