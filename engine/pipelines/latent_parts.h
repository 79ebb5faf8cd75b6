/* latent_parts.h - the parts that families of latent diffusion have in common: CLIP text encoders, a
 * UNet2DConditionModel, an AutoencoderKL. Private to engine/. */
#ifndef SL_ENGINE_LATENT_PARTS_H
#define SL_ENGINE_LATENT_PARTS_H

#include "engine/pipelines/pipelines.h"

/* For SlPartClass. */
void *sl_build_text_encoder(const SlJson *config, SlBinder *b, SlError *err);
void sl_free_text_encoder(void *net);
void *sl_build_unet_condition(const SlJson *config, SlBinder *b, SlError *err);
void sl_free_unet_condition(void *net);
void *sl_build_vae(const SlJson *config, SlBinder *b, SlError *err);
void sl_free_vae(void *net);
/* The configuration of a VAE that makes pictures of latents: without its encoder. */
bool sl_vae_config_to_decode(SlVaeConfig *config, const SlJson *json, SlError *err);

/* The configuration of a part by its name, checked. */
bool sl_read_text_encoder(SlTextEncoderConfig *config, const SlModelInfo *info, const char *part,
                          SlError *err);
bool sl_read_unet_condition(SlUnetConfig *config, const SlModelInfo *info, SlError *err);
bool sl_read_vae(SlVaeConfig *config, const SlModelInfo *info, SlError *err);
/* model_max_length of a tokenizer's folder; absent, or the huge number that stands for "no limit",
 * it is what the text encoder can take. */
bool sl_read_prompt_tokens(const SlModelInfo *info, const char *folder, int max_positions,
                           int *tokens, SlError *err);

/* Whether a tokenizer and a text encoder are of one model; *err names both numbers otherwise. */
bool sl_check_text_encoder(const SlModel *model, const SlTokenizer *tokenizer,
                           const SlTextEncoderConfig *config, SlError *err);
/* The prompt's or the negative prompt's ids, as many as the tokenizer's length; what of the text finds
 * no room into the ask's warning. */
bool sl_tokenize_text(const SlTokenizer *tokenizer, const SlRecipe *recipe, bool negative, int *ids,
                      SlAsk *ask, SlError *err);
/* The tokens of the ask's prompt for the first text encoder, and the second where there is one. */
bool sl_tokenize_prompt(const SlModel *model, const SlRecipe *recipe, bool negative, SlAsk *ask,
                        SlError *err);
/* Whether a text encoder's states, or its pooled text, are finite numbers; *err says at which token
 * they are not. */
bool sl_check_finite_text(const SlConditionTensor *states, SlError *err);

/* ---- prompt_encode.c ---- */

/* Which text encoders read a prompt with a grammar. */
typedef struct SlPromptEncoders {
    const char *part[2]; /* "text_encoder"; their states stand side by side. NULL: no second one */
    bool pooled;         /* the last one's pooled text is told, too: "text_embeds" */
    SlTextState state;   /* of each */
} SlPromptEncoders;

/* The conditions of an ask with tokens: "hidden_states" of each of its texts. */
bool sl_encode_prompt(SlModel *model, const SlAsk *ask, const SlPromptEncoders *encoders,
                      SlCondition *conditions, SlError *err);

#endif
