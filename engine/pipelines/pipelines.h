/* pipelines.h - what a loaded model is made of; private to engine/. */
#ifndef SL_ENGINE_PIPELINES_H
#define SL_ENGINE_PIPELINES_H

#include "engine/engine.h"
#include "engine/nets/nets.h"
#include "engine/text/text.h"

#define SL_MAX_LATENT_CHANNELS 64

/* Linear latent -> RGB: rgb[c] = bias[c] + sum over k of x[k] * factors[k][c], in -1..1. */
typedef struct SlPreviewMatrix {
    bool known;
    float factors[SL_MAX_LATENT_CHANNELS][3];
    float bias[3];
} SlPreviewMatrix;

/* Weights of a part and the binder that owns what was made of them. */
typedef struct SlPart {
    SlBinder *binder;
    SlJson *config;
} SlPart;

struct SlModel {
    SlModelInfo info;
    SlDevice *dev;
    SlTokenizer *tokenizer;
    SlTextEncoder *text_encoder;
    SlUnet *unet;
    SlVae *vae;
    SlPart text_part, unet_part, vae_part;
    SlDevice *beside; /* for sl_decode_begin; NULL where there is none */
    bool beside_tried;
    const void *pending; /* the picture that is on its way there */
    size_t pending_bytes;
    struct SlStep *step; /* of the size that was run last; NULL before */
    SlJson *scheduler_config;
    SlPreviewMatrix preview;
    uint64_t step_start; /* ops_done at the start of the evaluation in progress; atomic */
    char warning[2000];
};

/* The config of a part: from the folder, or the built-in one of a single file. part is a folder
 * name. */
SlJson *sl_model_config(const SlModelInfo *info, const char *part, SlError *err);

/* "f32", "bf16", "f16"; NULL or "auto" is f16 on the device "cuda", f32 elsewhere. */
bool sl_dtype_parse(const char *name, const char *device, SlDtype *dtype, SlError *err);

/* Loads text encoder, UNet and VAE onto model->dev. */
bool sl_model_load_parts(SlModel *model, const SlModelOptions *options, SlError *err);
void sl_model_free_parts(SlModel *model);
/* The text encoder is needed for a moment only. Dropping it gives its memory back; loading it again
 * reads its file again. Loading one that is there does nothing. */
void sl_model_drop_text_encoder(SlModel *model);
bool sl_model_need_text_encoder(SlModel *model, SlError *err);

/* Before the first step of a run, with the prompt encoded: makes room on a device whose memory is
 * limited. False and *err, with both sizes, when there is none to be made. */
bool sl_model_make_room(SlModel *model, const SlRecipe *recipe, SlError *err);

/* Finds the preview matrix: preview.json, the known one of the SD 1.x / 2.x VAE, or a fit against
 * the model's own VAE. */
bool sl_model_find_preview(SlModel *model, SlError *err);

#endif
