/* pipelines.h - what a loaded model is made of; private to engine/. */
#ifndef SL_ENGINE_PIPELINES_H
#define SL_ENGINE_PIPELINES_H

#include "engine/engine.h"
#include "engine/nets/nets.h"
#include "engine/pipelines/pipeline_class.h"
#include "engine/text/text.h"

#define SL_MAX_LATENT_CHANNELS 64

/* Linear latent -> RGB: rgb[c] = bias[c] + sum over k of x[k] * factors[k][c], in -1..1. */
typedef struct SlPreviewMatrix {
    bool known;
    float factors[SL_MAX_LATENT_CHANNELS][3];
    float bias[3];
} SlPreviewMatrix;

/* A part of a model: what was made of its weights, and the binder that owns them. */
typedef struct SlPart {
    const SlPartClass *kind; /* NULL: the model has no such part */
    void *net;               /* of the class's build(); NULL while it is not loaded */
    SlBinder *binder;
    SlJson *config;
    SlDtype dtype;  /* that it computes in */
    unsigned loads; /* how often it was loaded: what was made of it before is stale */
} SlPart;

struct SlModel {
    SlModelInfo info;
    const SlPipelineClass *kind;
    SlDevice *dev;
    SlTokenizer *tokenizer;
    SlPart part[SL_MAX_PARTS]; /* in the order of the kind; parts is their number */
    int parts;
    SlJson *scheduler_config;
    uint64_t step_start;      /* ops_done at the start of the step in progress; atomic */
    uint64_t step_operations; /* that it will count, 0: not known yet; atomic */
    char warning[2000];
    /* engine/run's: */
    SlPreviewMatrix preview;
    bool cheap_decode;
    SlDevice *beside; /* for sl_decode_begin; NULL where there is none */
    bool beside_tried;
    const void *pending; /* the picture that is on its way there */
    size_t pending_bytes;
    struct SlStep *step; /* of the size that was run last; NULL before */
};

/* ---- configurations ---- */

/* The config of a part or of the "scheduler": from the folder, or the built-in one of a single file. */
SlJson *sl_model_config(const SlModelInfo *info, const char *part, SlError *err);
/* "f32", "bf16", "f16"; NULL or "auto" is f16 on the device "cuda", f32 elsewhere. */
bool sl_dtype_parse(const char *name, const char *device, SlDtype *dtype, SlError *err);

/* ---- parts ---- */

/* The one way to make a part: over what the options name as weights (none: random ones, or sizes only on the measure
 * device). config becomes the part's, NULL is a failure that *err tells of already. On failure the part is empty. */
bool sl_part_build(SlPart *part, SlJson *config, const SlBinderOptions *options, SlError *err);
void sl_part_free(SlPart *part);

/* All parts that the model has, with progress over all of them. */
bool sl_model_load_parts(SlModel *model, const SlModelOptions *options, SlError *err);
/* The same without weights: random ones, or sizes only where the device is the measure device. */
bool sl_model_build_parts(SlModel *model, SlError *err);
void sl_model_free_parts(SlModel *model);
/* Index of a part in model->part by its name, or of the first that is needed for a use; -1: there is none. */
int sl_model_find_part(const SlModel *model, const char *name);
int sl_model_part_for(const SlModel *model, SlPartUse use);
/* What stands behind a part: of its class's build(). NULL where it is not loaded. */
void *sl_model_net(const SlModel *model, const char *name);
SlDenoiser *sl_model_denoiser(const SlModel *model);
SlVae *sl_model_vae(const SlModel *model); /* NULL: samples are pixels */
/* A part that is not needed now can be dropped: its memory is free again, and loading it reads its file again. Loading
 * one that is there, and dropping one that is not, do nothing. */
bool sl_model_need_part(SlModel *model, int part, SlError *err);
void sl_model_drop_part(SlModel *model, int part);
/* All parts that are needed for a use. */
bool sl_model_need(SlModel *model, SlPartUse use, SlError *err);

/* ---- the whole ---- */

/* The model with tokenizer, device, parts; without what engine/run adds (sl_model_open). NULL and *err on failure. */
SlModel *sl_model_load(const char *path, const SlModelOptions *options, SlError *err);
void sl_model_unload(SlModel *model); /* NULL is fine */
/* A model of this shape on a device (the model's from now on) without weights and tokenizer, for measuring and `bench`. */
SlModel *sl_model_shape(const SlModelInfo *info, SlDevice *dev, SlError *err);
/* The info of a famous shape that the table has built in ("sd15"). */
bool sl_model_shape_info(const char *arch, SlModelInfo *info, SlError *err);

#endif
