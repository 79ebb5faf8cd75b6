/* latent_parts.h - the parts that families of latent diffusion have in common: CLIP text encoders, a
 * UNet2DConditionModel, an AutoencoderKL. Private to engine/. */
#ifndef SL_ENGINE_LATENT_PARTS_H
#define SL_ENGINE_LATENT_PARTS_H

#include "engine/pipelines/pipelines.h"

/* The second text encoder is one with a projection, as Stable Diffusion XL has; the VAE is one that
 * decodes by its configuration. */
extern const SlPartClass sl_part_unet, sl_part_text_encoder, sl_part_text_encoder_2, sl_part_vae;
/* For a family whose VAE is read otherwise. */
void sl_free_vae(void *net);
/* The configuration of a VAE that makes pictures of latents: without its encoder. */
bool sl_vae_config_to_decode(SlVaeConfig *config, const SlJson *json, SlError *err);

/* The configuration of a part by its name, checked. */
bool sl_read_text_encoder(SlTextEncoderConfig *config, const SlModelInfo *info, const char *part,
                          SlError *err);
bool sl_read_unet_condition(SlUnetConfig *config, const SlModelInfo *info, SlError *err);
/* model_max_length of a tokenizer's folder; absent, or the huge number that stands for "no limit",
 * it is what the text encoder can take. */
bool sl_read_prompt_tokens(const SlModelInfo *info, const char *folder, int max_positions,
                           int *tokens, SlError *err);

/* Fills in channels, factor, sizes and whether the guidance is told. usual: the sample's width and height
 * where the UNet says none. */
void sl_inspect_latents(SlModelInfo *info, const SlUnetConfig *unet, const SlVaeConfig *vae,
                        int usual);

/* Whether a tokenizer and a text encoder are of one model; *err names both numbers otherwise. */
bool sl_check_text_encoder(const SlModel *model, const SlTokenizer *tokenizer,
                           const SlTextEncoderConfig *config, SlError *err);
/* Whether the UNet is made for states of this width (of all text encoders together). */
bool sl_check_states(const SlModelInfo *info, const SlUnetConfig *unet, int width, SlError *err);
/* Whether the UNet's and the VAE's latents are of one kind. */
bool sl_check_latents(const SlModelInfo *info, const SlUnetConfig *unet, const SlVaeConfig *vae,
                      SlError *err);

/* ---- clip_states.c ---- */

/* Whether a text encoder's states, or its pooled text, are finite numbers; *err says at which token
 * they are not. */
bool sl_check_finite_text(const SlConditionTensor *states, SlError *err);

/* What a text encoder is to do with so many ids. */
typedef struct SlEncodeIds {
    const char *part; /* "text_encoder" */
    const int *ids;
    int length;
    SlTextState state;
    int mask[2];      /* as SlTextExtras' */
    bool vectors_end; /* the same */
} SlEncodeIds;
/* To states [length, hidden size] and, where it is not NULL, the pooled text. */
bool sl_encode_ids(SlModel *model, const SlEncodeIds *e, float *states, SlConditionTensor *pooled,
                   SlError *err);

/* ---- clip_texts.c ---- */

/* Of an ask's numbers. */
enum { SL_CLIP_SKIPPED, SL_CLIP_ZEROS };

/* The ask for the prompt or the negative prompt: its tokens, or ids for each of the family's text
 * encoders one behind the other. zeros: the text is not encoded, its condition is zeros. */
bool sl_clip_ask(SlModel *model, const SlRecipe *recipe, bool negative, bool zeros, SlAsk *ask,
                 SlError *err);
/* Which text encoders read a text. */
typedef struct SlPromptEncoders {
    const char *part[2]; /* "text_encoder"; their states stand side by side. NULL: no second one */
    bool pooled;         /* the last one's pooled text is told, too: "text_embeds" */
    SlTextState state;   /* of each */
} SlPromptEncoders;

/* The conditions of an ask that sl_clip_ask made: "hidden_states", and "text_embeds" where a pooled text
 * is told. */
bool sl_clip_encode(SlModel *model, const SlAsk *ask, const SlPromptEncoders *encoders,
                    SlCondition *conditions, SlError *err);

/* ---- prompt_encode.c ---- */

/* The same of an ask with tokens, for each of its texts. */
bool sl_encode_prompt(SlModel *model, const SlAsk *ask, const SlPromptEncoders *encoders,
                      SlCondition *conditions, SlError *err);

#endif
