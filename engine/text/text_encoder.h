/* text_encoder.h - CLIPTextModel and CLIPTextModelWithProjection
 * (transformers/models/clip/modeling_clip.py). */
#ifndef SL_ENGINE_TEXT_ENCODER_H
#define SL_ENGINE_TEXT_ENCODER_H

#include "engine/files/files.h"

typedef struct SlTextEncoderConfig {
    int vocab_size, hidden_size, intermediate_size, projection_dim;
    int layers, heads, max_positions;
    SlActivation act;
    float layer_norm_eps;
    int eos_token_id;
    bool with_projection;
} SlTextEncoderConfig;

typedef struct SlTextEncoder SlTextEncoder;

bool sl_text_encoder_config(SlTextEncoderConfig *config, const SlJson *json, SlError *err);
/* Weights come from the binder and stay its property. NULL and *err on failure; the caller calls
 * sl_binder_finish. */
SlTextEncoder *sl_text_encoder_new(const SlTextEncoderConfig *config, SlBinder *b, SlError *err);
void sl_text_encoder_free(SlTextEncoder *te);
const SlTextEncoderConfig *sl_text_encoder_get_config(const SlTextEncoder *te);

/* Which of its hidden states a text encoder is asked for. */
typedef struct SlTextState {
    int skip;      /* how many of the last layers are left out */
    bool unnormed; /* as it is, without the final_layer_norm */
} SlTextState;

/* What else belongs to the ids. {0}: nothing. */
typedef struct SlTextExtras {
    int mask[2];       /* of a batch of one: rows from .. to that no other row attends to, not the
                          first one; both 0: none */
    SlWeight *vectors; /* [n, D]: textual inversions; NULL: none */
    int first;         /* their ids are first, first + 1, ... */
    bool
        vectors_end; /* a configuration with eos_token_id 2 takes the highest id for the text's end:
                          also that of a vector, as transformers does */
} SlTextExtras;

/* ids [N, L] i32 on the device. Outputs are allocated from the arena, in the type that the encoder
 * computes in (its binder's); hidden is always made, pooled
 * only if not NULL. hidden [N, L, D] is the state after all but the last `skip` layers. Normed, 0
 * gives last_hidden_state and 1 the penultimate state as StableDiffusionPipeline's clip_skip has it
 * (which diffusers applies to the prompt, but not to the negative prompt); unnormed, 1 gives
 * hidden_states[-2], which Stable Diffusion XL is told. pooled [N, D] is the last layer's normed state at the end token, projected
 * where the config says so. */
bool sl_text_encoder_forward(SlDevice *dev, const SlTextEncoder *te, const SlTensor *ids,
                             SlTextState state, SlTensor *hidden, SlTensor *pooled, SlError *err);
/* The same; extras NULL: none. A vector of a textual inversion is no end of a text unless extras says
 * so. */
bool sl_text_encoder_forward_with(SlDevice *dev, const SlTextEncoder *te, const SlTensor *ids,
                                  const SlTextExtras *extras, SlTextState state, SlTensor *hidden,
                                  SlTensor *pooled, SlError *err);

#endif
