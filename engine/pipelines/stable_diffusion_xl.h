/* stable_diffusion_xl.h - what the base models of Stable Diffusion XL and their refiners have in
 * common. Private to engine/. */
#ifndef SL_ENGINE_STABLE_DIFFUSION_XL_H
#define SL_ENGINE_STABLE_DIFFUSION_XL_H

#include "engine/pipelines/latent_parts.h"

extern const SlPartClass sl_xl_unet, sl_xl_text_encoder_2, sl_xl_vae;

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
/* Whether the UNet's and the VAE's latents are of one kind. */
bool sl_xl_check_latents(const SlModelInfo *info, const SlUnetConfig *unet, const SlVaeConfig *vae,
                         SlError *err);
/* Fills in channels, factor, sizes and whether the guidance is told. */
void sl_xl_inspect(SlModelInfo *info, const SlUnetConfig *unet, const SlVaeConfig *vae);

/* Of an ask's numbers. */
enum { SL_XL_SKIPPED, SL_XL_ZEROS };

/* Whether the negative prompt is zeros instead of a text. */
/* prompt: with a grammar, NULL: plain text. Where nothing is said, ComfyUI and compel encode an empty
 * one, A1111 never does. */
bool sl_xl_is_zeros(const SlModel *model, const SlRecipe *recipe, const SlPrompt *prompt);
/* Which hidden states are told. */
SlTextState sl_xl_state(const SlAsk *ask);
/* The recipe's size where it says none. */
typedef struct SlXlSizes {
    int original_height, original_width, target_height, target_width;
} SlXlSizes;
SlXlSizes sl_xl_sizes(const SlRecipe *recipe);

/* What one encoder is to do. */
typedef struct SlXlEncoding {
    const char *part;
    const int *ids;
    int skipped;
    int64_t column;            /* of the states, from which on its own lie */
    SlConditionTensor *states; /* [length, columns] */
    SlConditionTensor *pooled; /* NULL: not wanted */
    bool vectors_end;          /* as SlTextExtras' */
} SlXlEncoding;
bool sl_xl_encode(SlModel *model, const SlXlEncoding *encoding, SlError *err);

#endif
