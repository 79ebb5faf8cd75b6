/* unet_blocks.h - the down, middle and up blocks of both UNets. Private to engine/.
 *
 * Mirrors diffusers models/unets/unet_2d_blocks.py: DownBlock2D, CrossAttnDownBlock2D,
 * AttnDownBlock2D, ResnetDownsampleBlock2D and their up counterparts, UNetMidBlock2D,
 * UNetMidBlock2DCrossAttn. One struct serves all: a block is a row of layers, each a resnet and
 * perhaps something that attends, and perhaps a resampler at the end.
 */
#ifndef SL_ENGINE_UNET_BLOCKS_H
#define SL_ENGINE_UNET_BLOCKS_H

#include "engine/nets/resnet.h"
#include "engine/nets/transformer.h"
#include "engine/nets/unet.h"
#include "engine/nets/unet_times.h"

#define SL_UNET_MAX_SAMPLE_CHANNELS 64

typedef enum SlAttends { SL_ATTENDS_NOT, SL_ATTENDS_SELF, SL_ATTENDS_TEXT } SlAttends;

typedef struct SlUnetLayer {
    SlResnet resnet;
    SlAttends attends;
    SlAttentionBlock attention; /* SELF */
    SlTransformer transformer;  /* TEXT */
} SlUnetLayer;

typedef struct SlUnetStage {
    int layers;
    SlUnetLayer layer[SL_UNET_MAX_LAYERS + 1];
    enum { SL_STAGE_KEEPS_SIZE, SL_STAGE_CONV, SL_STAGE_RESNET } resampler;
    bool pad_only_after; /* a convolution that downsamples, with downsample_padding 0 */
    SlPath resampler_path;
    SlLayer resampler_conv;
    SlResnet resampler_resnet;
    int channels; /* of the output */
} SlUnetStage;

/* Everything binding needs beside the stage. */
typedef struct SlUnetBind {
    SlBinder *b;
    const SlUnetConfig *config;
    SlTextProjections *texts;
    SlTimeEmbedding *times;
    bool ok; /* false when memory ran out */
} SlUnetBind;

void sl_unet_down_bind(SlUnetStage *stage, SlUnetBind *bind, int level);
void sl_unet_mid_bind(SlUnetStage *stage, SlUnetBind *bind);
void sl_unet_up_bind(SlUnetStage *stage, SlUnetBind *bind, int level); /* level of the resolution */
void sl_unet_stage_clear(SlUnetStage *stage);

/* What is passed along in one evaluation. */
typedef struct SlUnetPass {
    SlDevice *dev;
    SlTensor shifts;         /* of the time embedding, for all resnets */
    const SlTensor *text_kv; /* NULL without cross attention */
    SlTensor skips[SL_UNET_MAX_BLOCKS * (SL_UNET_MAX_LAYERS + 1) + 1]; /* a stack */
    int skip_count;
    int up_layers; /* of the path up, that the pass has come to */
    int keep_at;   /* the one whose input is copied to kept; -1: none is */
    SlTensor kept;
    SlTransformerMaps maps; /* wanted of it, and where the pass is */
} SlUnetPass;

/* A side of the sample behind a down block. */
int64_t sl_unet_down_side(const SlUnetStage *stage, int64_t side);

/* Each takes x [N, H, W, C] and gives its output from the arena. Down pushes every layer's output
 * on the stack of skips (its own output is the top one), up pops them. Of a down block the layers from
 * `from` to before `to`, and where `to` is behind the last one the resampler; of an up block those from
 * `from` on. */
SlTensor sl_unet_down_forward(SlUnetPass *pass, const SlUnetStage *stage, int from, int to,
                              const SlTensor *x);
SlTensor sl_unet_mid_forward(SlUnetPass *pass, const SlUnetStage *stage, const SlTensor *x);
SlTensor sl_unet_up_forward(SlUnetPass *pass, const SlUnetStage *stage, int from,
                            const SlTensor *x);

#endif
