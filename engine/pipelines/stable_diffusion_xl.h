/* stable_diffusion_xl.h - what the base models of Stable Diffusion XL and their refiners have in
 * common. Private to engine/. */
#ifndef SL_ENGINE_STABLE_DIFFUSION_XL_H
#define SL_ENGINE_STABLE_DIFFUSION_XL_H

#include "engine/pipelines/latent_parts.h"

/* The sample's width and height where the UNet says none. */
#define SL_XL_SAMPLE 128

/* A UNet and what it is told. */
typedef struct SlXlTold {
    const SlModelInfo *info;
    const SlUnetConfig *unet;
    const SlTextEncoderConfig *pooled; /* the encoder that gives the pooled text */
    int states;                        /* of the text encoders together */
    int numbers;                       /* beside the pooled text */
} SlXlTold;
/* Whether they fit each other; *err names both sizes otherwise. */
bool sl_xl_check_told(const SlXlTold *told, SlError *err);
/* Whether the negative prompt is zeros instead of a text.
 * prompt: with a grammar, NULL: plain text. Where nothing is said, ComfyUI and compel encode an empty
 * one, A1111 never does. */
bool sl_xl_is_zeros(const SlModel *model, const SlRecipe *recipe, const SlPrompt *prompt);
/* Which hidden states are told. */
SlTextState sl_xl_state(const SlAsk *ask);
/* The recipe's size where it says none. */
typedef struct SlXlSizes {
    int original_height, original_width, target_height, target_width;
} SlXlSizes;
SlXlSizes sl_xl_sizes(const SlRecipe *recipe);

#endif
