/* unet.h - UNet2DConditionModel (SD 1.x and 2.x block types) and UNet2DModel (the DDPM shape) on
 * one set of blocks.
 *
 * Mirrors diffusers models/unets/unet_2d_condition.py, unet_2d.py, unet_2d_blocks.py,
 * models/resnet.py, attention.py, transformers/transformer_2d.py.
 */
#ifndef SL_ENGINE_UNET_H
#define SL_ENGINE_UNET_H

#include "engine/nets/denoiser.h"

#define SL_UNET_MAX_BLOCKS 8

typedef enum SlUnetBlock {
    SL_UNET_BLOCK_PLAIN,      /* DownBlock2D, UpBlock2D */
    SL_UNET_BLOCK_CROSS_ATTN, /* CrossAttnDownBlock2D, CrossAttnUpBlock2D */
    SL_UNET_BLOCK_ATTN,       /* AttnDownBlock2D, AttnUpBlock2D */
    SL_UNET_BLOCK_RESNET,     /* ResnetDownsampleBlock2D, ResnetUpsampleBlock2D */
} SlUnetBlock;

typedef struct SlUnetConfig {
    bool conditional; /* UNet2DConditionModel */
    int in_channels, out_channels;
    int sample_height, sample_width; /* native, in latent pixels; 0 when the config has none */
    int blocks;
    int channels[SL_UNET_MAX_BLOCKS];
    SlUnetBlock down[SL_UNET_MAX_BLOCKS], up[SL_UNET_MAX_BLOCKS];
    int layers_per_block[SL_UNET_MAX_BLOCKS];
    int heads[SL_UNET_MAX_BLOCKS]; /* cross attention: heads of level i; plain attention: channels /
                                      head size */
    int transformer_layers[SL_UNET_MAX_BLOCKS];
    int cross_attention_dim[SL_UNET_MAX_BLOCKS];
    bool only_cross_attention[SL_UNET_MAX_BLOCKS];
    bool use_linear_projection;
    bool mid_block, mid_attention;
    SlActivation act;
    int norm_groups, attn_norm_groups;
    float norm_eps;
    bool downsample_conv_padding_zero; /* downsample_padding 0: pad right and bottom by one instead
                                        */
    bool resnet_downsample,
        resnet_upsample; /* UNet2DModel: downsample_type, upsample_type "resnet" */
    float mid_block_scale;
    bool center_input;
    bool flip_sin_to_cos;
    float freq_shift;
    int time_embed_dim;
} SlUnetConfig;

typedef struct SlUnet SlUnet;

/* Reads UNet2DConditionModel or UNet2DModel by its _class_name; refuses what is not supported by
 * name of the key. */
bool sl_unet_config(SlUnetConfig *config, const SlJson *json, SlError *err);
/* Whether it is the class that a family needs (UNet2DConditionModel where conditional) and has as
 * many channels out as in; *err names json otherwise. */
bool sl_unet_of_kind(const SlUnetConfig *config, const SlJson *json, bool conditional,
                     SlError *err);
SlUnet *sl_unet_new(const SlUnetConfig *config, SlBinder *b, SlError *err);
void sl_unet_free(SlUnet *unet);
const SlUnetConfig *sl_unet_get_config(const SlUnet *unet);
/* The smallest number that latent height and width must be a multiple of (any size works in
 * diffusers down to 1; this is 1 when odd sizes do). */
int sl_unet_size_multiple(const SlUnetConfig *config);
/* How many operations one forward pass counts in ops_done; 0 before the first pass. */
uint64_t sl_unet_operations(const SlUnet *unet);

/* What depends on the prompt only: keys and values of every cross attention, for text [N, L, D], in
 * the order of the net. Computed once per prompt. */
SlContext *sl_unet_context_new(SlDevice *dev, const SlUnet *unet, const SlTensor *text,
                               SlError *err);

/* One evaluation: x [N, H, W, in_channels] in the device's dtype, t f32 [N] on the device, context
 * NULL for UNet2DModel. out [N, H, W, out_channels] f32, allocated by the caller. The arena is left
 * as it was found. False and *err when the device's status is bad. */
bool sl_unet_forward(SlDevice *dev, SlUnet *unet, const SlTensor *x, const SlTensor *t,
                     const SlContext *context, SlTensor *out, SlError *err);

/* What depends on the timestep only (see SlDenoiserClass): what each resnet adds, its "shifts". */
int64_t sl_unet_time_values(const SlUnet *unet);
void sl_unet_times(SlDevice *dev, const SlUnet *unet, const SlTensor *t, int64_t batch,
                   SlTensor *table);
void sl_unet_times_join(SlDevice *dev, const SlUnet *unet, const SlTimesJoin *join,
                        SlTensor *shifts);
/* sl_unet_forward with a batch's shifts instead of its timesteps. Uploads and downloads nothing. */
bool sl_unet_forward_at(SlDevice *dev, SlUnet *unet, const SlTensor *x, const SlTensor *shifts,
                        const SlContext *context, SlTensor *out, SlError *err);

#endif
