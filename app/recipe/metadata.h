/* metadata.h - what a picture of ours says about itself: the `safelight` chunk and the common
 * `parameters` text.
 *
 * The `safelight` chunk is JSON with everything that is needed to compute the picture again and to
 * prove that it is the same. Reading it is strict: every value, or a sentence that says which is
 * wrong. A file from a newer version is read when nothing in it is wrong by our rules, and what is
 * unknown is listed.
 */
#ifndef SL_APP_METADATA_H
#define SL_APP_METADATA_H

#include "app/recipe/origin.h"
#include "engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SL_METADATA_VERSION 1
#define SL_METADATA_KEYWORD "safelight"
/* In the JSON of a picture, a sheet or an animation, so that reading it takes at most 40 MiB. */
#define SL_METADATA_MAX_VALUES ((size_t)1 << 19)

/* A LoRA that the recipe names. */
typedef struct SlMetadataAdapter {
    char name[256];
    char sha256[65];         /* of the file */
    char tensors_sha256[65]; /* of what is behind its header, or what it states of that */
} SlMetadataAdapter;

/* A textual inversion that it names. */
typedef struct SlMetadataEmbedding {
    char name[256]; /* that prompts have for it, as far as the recipe says */
    char sha256[65];
} SlMetadataEmbedding;

typedef struct SlMetadata {
    int version;      /* of the chunk, as read */
    char program[64]; /* "safelight 0.1.0" */
    SlRecipe *recipe; /* owned, free() */
    SlOrigin *origin; /* of a branch, owned; NULL: the run began with noise */
    char model[256];  /* name */
    const SlPipelineInfo *pipeline;
    SlPrediction prediction;
    int files;
    SlModelFile file[SL_MODEL_MAX_FILES];
    int adapters;
    SlMetadataAdapter adapter[SL_ADAPTERS_MAX];
    int embeddings;
    SlMetadataEmbedding embedding[SL_EMBEDDINGS_MAX];
    char device[64], device_description[256];
    char dtype[200];       /* as SlModelOptions has it, never "q8": "bf16", "bf16,vae=f32" */
    int step, steps;       /* the step saved, 1-based, of how many */
    bool partial;          /* the run was stopped at that step; the picture is its predicted x_0 */
    bool given_latents;    /* the noise came from a file, not from the seed */
    bool given_step_noise; /* the same for what the scheduler drew */
    bool fast;             /* computed in a batch with other lanes: last bits may differ */
    SlBatches batches;     /* that its own evaluations were made in */
    char noise_sha256[65]; /* of the unscaled start noise, f32 little endian */
    char latents_sha256[65]; /* of the sample that was decoded */
    char pixels_sha256[65];  /* of the RGB rows */
    char *warnings;          /* owned, a sentence a line, or NULL */
    char *unknown;           /* reading: members that this version does not know, or NULL */
} SlMetadata;

/* Copies what describes the model (name, files, their hashes so far). */
void sl_metadata_set_model(SlMetadata *metadata, const SlModelInfo *info);
/* The hashes of the files that the recipe's adapters and embeddings are found as; those that are gone are
 * left out. False and *err where memory ran out, and where one is there that cannot be read: then the others
 * are told. */
bool sl_metadata_find_adapters(SlMetadata *metadata, SlError *err);
/* Before the work: reads those files, so that the hashes are known when it is done (sl_lora_hashes). */
bool sl_recipe_hash_adapters(const SlRecipe *recipe, SlError *err);
void sl_metadata_free(SlMetadata *metadata);

/* Both malloc'ed, NULL without memory. */
char *sl_metadata_to_json(const SlMetadata *metadata);
char *sl_metadata_to_parameters(const SlMetadata *metadata);
/* As a cJSON object, for results that add to it. */
struct cJSON *sl_metadata_to_object(const SlMetadata *metadata);
/* A cJSON array of a model's files: name, bytes, sha256. */
struct cJSON *sl_files_to_json(const SlModelFile *files, int count);

/* name is for messages. Free in any case. The recipe's ranges are checked as far as that goes
 * without the model. */
bool sl_metadata_from_json(const char *name, const char *json, SlMetadata *metadata, SlError *err);

/* A PNG with both texts, and back. sl_metadata_read fails for a picture without a `safelight`
 * chunk. */
bool sl_metadata_write(const char *path, const uint8_t *rgb, int width, int height,
                       const SlMetadata *metadata, SlError *err);
/* The same where nothing is at path; see sl_atomic_open_new. */
bool sl_metadata_write_new(const char *path, const uint8_t *rgb, int width, int height,
                           const SlMetadata *metadata, SlError *err);
bool sl_metadata_read(const char *path, SlMetadata *metadata, SlError *err);

/* False and *err for what came out of --latents or --step-noise: the file name cannot be computed
 * again from what it says. */
bool sl_metadata_repeatable(const SlMetadata *metadata, const char *name, SlError *err);

#ifdef __cplusplus
}
#endif

#endif
