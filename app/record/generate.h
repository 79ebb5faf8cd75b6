/* generate.h - a recipe on an opened model, from noise to a picture that knows where it comes from.
 *
 * What the command line's generate, compare and replay share. Everything runs on the calling
 * thread, which must be the one that opened the model.
 */
#ifndef SL_APP_GENERATE_H
#define SL_APP_GENERATE_H

#include "app/recipe/recipe.h"
#include "app/record/sample.h"
#include "engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SlGeneration {
    SlModel *model;
    const SlModelInfo *identity; /* the model's info with hashes; NULL: without hashes */
    const SlRecipe *recipe;
    const SlOrigin *origin;    /* of a branch: its ancestors are computed first; NULL: from noise */
    const SlBatches *batches;  /* that its evaluations were made in; NULL: alone */
    const SlRunInputs *inputs; /* NULL: all from the seed */
    bool want_image;           /* also the f32 picture before rounding */
    int stop_after; /* stop after this step (1-based) as if interrupted there; 0: never */
    /* Called once before the first evaluation (frame NULL) and after each. False stops the job. May
     * be NULL. */
    bool (*frame)(void *arg, SlRun *run, const SlFrame *frame, SlError *err);
    void *arg;
} SlGeneration;

typedef struct SlGenerated {
    int width, height;
    uint8_t *rgb;
    float *image;        /* [3, height, width], only if wanted */
    SlMetadata metadata; /* partial when it was stopped: then the last finished step's x_0 */
    SlError problem;     /* what stopped it: SL_CANCELLED, or why it failed; else SL_OK */
    int evaluations;     /* done */
    int cached;          /* of them: that took over a part of one before */
    double seconds;      /* of the evaluations */
} SlGenerated;

/* What stops a run that has finished a step, an interrupt or a failure, costs only the rest of it:
 * the picture is that step's, and its problem says why. False and *err when there is no picture.
 * Free in any case. */
bool sl_generate(const SlGeneration *job, SlGenerated *picture, SlError *err);
void sl_picture_free(SlGenerated *picture);

/* ---- the parts of it, for runs that were computed otherwise ---- */

typedef struct SlPictureOf {
    const SlRecipe *recipe;    /* with defaults filled in */
    const SlRunInputs *inputs; /* NULL: all from the seed */
    const SlOrigin *origin;    /* of a branch; NULL: from noise */
    const SlBatches *batches;  /* NULL: all alone */
    const char *noise_sha256;  /* of the unscaled start noise */
    SlSample sample;
    bool partial, want_image;
    const char *warning; /* of the run, or NULL */
} SlPictureOf;

/* Decodes the sample: fills in size, rgb, if wanted image, and the metadata; identity may be
 * NULL. */
bool sl_picture_make(SlGenerated *picture, SlModel *model, const SlModelInfo *identity,
                     const SlPictureOf *of, SlError *err);
/* Only what says which program, model, device and dtype. */
void sl_metadata_describe(SlMetadata *metadata, SlModel *model, const SlModelInfo *identity);
/* Its warnings, a line each: the model's, then those of a run (NULL: none). False without
 * memory. */
bool sl_metadata_warn(SlMetadata *metadata, const SlModel *model, const char *of_run);

#ifdef __cplusplus
}
#endif

#endif
