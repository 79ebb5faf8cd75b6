/* unet.h - UNet2DConditionModel (the block types of SD 1.x, 2.x and XL) and UNet2DModel (the DDPM
 * shape) on one set of blocks.
 *
 * Mirrors diffusers models/unets/unet_2d_condition.py, unet_2d.py, unet_2d_blocks.py,
 * models/resnet.py, attention.py, transformers/transformer_2d.py.
 */
#ifndef SL_ENGINE_UNET_H
#define SL_ENGINE_UNET_H

#include "engine/nets/denoiser.h"

#define SL_UNET_MAX_BLOCKS 8
#define SL_UNET_MAX_LAYERS 16 /* of a down block; up blocks have one more */

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
    /* Depth of the transformer of each layer: of down block i, of the middle block, of up block i
     * (which count from the lowest resolution). */
    int transformer_down[SL_UNET_MAX_BLOCKS][SL_UNET_MAX_LAYERS];
    int transformer_mid;
    int transformer_up[SL_UNET_MAX_BLOCKS][SL_UNET_MAX_LAYERS + 1];
    int cross_attention_dim[SL_UNET_MAX_BLOCKS];
    bool only_cross_attention[SL_UNET_MAX_BLOCKS];
    bool use_linear_projection;
    bool mid_block, mid_attention;
    SlActivation act;
    bool scale_shift; /* resnet_time_scale_shift */
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
    int time_cond_proj_dim; /* of the guidance number's embedding; 0: it is not told */
    int classes;            /* UNet2DModel's num_class_embeds; 0: none, or any number (below) */
    bool class_timestep;    /* class_embed_type "timestep": a class is a number like a timestep */
    /* addition_embed_type "text_time": a pooled text and numbers (sizes) are added to the time. */
    bool text_time;
    int addition_time_embed_dim; /* of each number */
    int addition_dim;            /* of all that is added: the pooled text, then the numbers */
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

/* What a UNet is told; tensors in the device's dtype, but time_ids, which is f32. NULL where it is
 * not told that. */
typedef struct SlUnetTold {
    const SlTensor *text;        /* hidden states [N, L, D] */
    const SlTensor *text_embeds; /* pooled text [N, P], with text_time */
    const SlTensor *time_ids;    /* sizes [N, S], with text_time */
} SlUnetTold;

/* What depends on the prompt only: keys and values of every cross attention, in the order of the
 * net, and with text_time what is added to the time embedding, [N, time_embed_dim]. Computed once
 * per prompt. */
SlContext *sl_unet_context_new(SlDevice *dev, const SlUnet *unet, const SlUnetTold *told,
                               SlError *err);

/* One evaluation: x [N, H, W, in_channels] in the device's dtype, t f32 [N] on the device, context
 * NULL for UNet2DModel. out [N, H, W, out_channels] f32, allocated by the caller. The arena is left
 * as it was found. False and *err when the device's status is bad. */
bool sl_unet_forward(SlDevice *dev, SlUnet *unet, const SlTensor *x, const SlTensor *t,
                     const SlContext *context, SlTensor *out, SlError *err);

/* What depends on the timestep only (see SlDenoiserClass): what each resnet adds, its "shifts", or
 * with text_time, where these depend on the condition too, the time embedding itself. */
int64_t sl_unet_time_values(const SlUnet *unet);
void sl_unet_times(SlDevice *dev, const SlUnet *unet, const SlTensor *t, const SlTimesOf *of,
                   SlTensor *table);
void sl_unet_times_join(SlDevice *dev, const SlUnet *unet, const SlTimesJoin *join, SlTensor *row);
/* sl_unet_forward with the row of a batch's times instead of its timesteps, and with maps where they
 * are wanted. Uploads and downloads nothing. */
bool sl_unet_forward_at(SlDevice *dev, SlUnet *unet, const SlEvaluation *e, SlError *err);
/* See SlDenoiserClass: as many branches as the path up has layers. */
int sl_unet_branches(const SlUnetConfig *config);
void sl_unet_kept_size(const SlUnet *unet, int branch, const int64_t x[4], int64_t size[4]);
/* See SlDenoiserClass. The levels of the down and up blocks from the highest resolution on, then the
 * middle block. */
int sl_unet_map_levels(const SlUnet *unet, int h, int w, SlMapLevel levels[SL_MAP_LEVELS]);

#endif
