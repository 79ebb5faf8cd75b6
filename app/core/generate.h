/* generate.h - a recipe on an opened model, from noise to a picture that knows where it comes from.
 *
 * What the command line's generate, compare and replay share. Everything runs on the calling
 * thread, which must be the one that opened the model.
 */
#ifndef SL_APP_GENERATE_H
#define SL_APP_GENERATE_H

#include "app/core/metadata.h"
#include "engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SlJob {
    SlModel *model;
    const SlModelInfo *identity; /* the model's info with hashes; NULL: without hashes */
    const SlRecipe *recipe;
    const SlOrigin *origin;    /* of a branch: its ancestors are computed first; NULL: from noise */
    const SlRunInputs *inputs; /* NULL: all from the seed */
    bool want_image;           /* also the f32 picture before rounding */
    int stop_after; /* stop after this step (1-based) as if interrupted there; 0: never */
    /* Called once before the first evaluation (frame NULL) and after each. False with SL_CANCELLED
     * stops the job as an interrupt does, false with anything else fails it. May be NULL. */
    bool (*frame)(void *arg, SlRun *run, const SlFrame *frame, SlError *err);
    void *arg;
} SlJob;

typedef struct SlPicture {
    int width, height;
    uint8_t *rgb;
    float *image;        /* [3, height, width], only if wanted */
    SlMetadata metadata; /* partial when it was stopped: then the last finished step's x_0 */
    int evaluations;     /* done */
    double seconds;      /* of the evaluations */
} SlPicture;

/* False and *err on failure, or when it was stopped before the first step was finished
 * (SL_CANCELLED). Free in any case. */
bool sl_generate(const SlJob *job, SlPicture *picture, SlError *err);
void sl_picture_free(SlPicture *picture);

/* ---- the parts of it, for runs that were computed otherwise ---- */

typedef struct SlSample {
    const float *data; /* [channels, height, width] */
    int channels, height, width;
} SlSample;

/* Fills in size, rgb and, if wanted, image. */
bool sl_picture_decode(SlPicture *picture, SlModel *model, const SlSample *sample, bool want_image,
                       SlError *err);

typedef struct SlPictureOf {
    const SlRecipe *recipe;    /* with defaults filled in */
    const SlRunInputs *inputs; /* NULL: all from the seed */
    const SlOrigin *origin;    /* of a branch; NULL: from noise */
    const char *noise_sha256;  /* of the unscaled start noise */
    SlSample sample;           /* that was decoded */
    int step;                  /* finished */
    bool partial;
    const char *warning; /* of the run, or NULL */
} SlPictureOf;

/* Fills in the metadata of a decoded picture; identity may be NULL. */
bool sl_picture_describe(SlPicture *picture, SlModel *model, const SlModelInfo *identity,
                         const SlPictureOf *of, SlError *err);
/* Only what says which program, model, device and dtype. */
void sl_metadata_describe(SlMetadata *metadata, SlModel *model, const SlModelInfo *identity);

#ifdef __cplusplus
}
#endif

#endif
