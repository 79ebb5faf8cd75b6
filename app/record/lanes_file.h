/* lanes_file.h - a comparison as one file that opens again with all lanes and steps, in the window
 * (app/sl-comparison-file.h) and on the command line.
 *
 * A .safelight file is a safetensors file: per lane "lane.<i>.x_t" and "lane.<i>.x_0" [moments, C, h,
 * w] in f32 and their quick previews "lane.<i>.preview" and "lane.<i>.noisy_preview" [moments, h, w,
 * 3] in u8; and JSON under the key "safelight": for each lane the metadata that its picture would
 * have, its plan, its moments' figures and the SHA-256 of its samples and of its previews. Of a branch, the moments of
 * its ancestors come first. A long run's moments between its keyframes are left out.
 */
#ifndef SL_APP_LANES_FILE_H
#define SL_APP_LANES_FILE_H

#include "app/recipe/recipe.h"
#include "app/record/lanes.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SL_LANES_SUFFIX       ".safelight"
#define SL_LANES_FILE_VERSION 1

/* identity: program, model with its hashes, device and dtype; the rest of it is not looked at.
 * model is for the previews. Atomic. Lanes without a moment are left out. */
bool sl_lanes_save(const SlLanes *lanes, const SlModel *model, const SlMetadata *identity,
                   const char *path, SlError *err);
/* NULL and *err, one sentence, for everything that is not a whole comparison of ours. identity (free
 * it) is what the first lane's picture would say. The lanes can be looked at without a model; what
 * was not in the file is computed from noise when a function with the file's model asks for it. */
SlLanes *sl_lanes_load(const char *path, SlMetadata *identity, SlError *err);
/* Whether a path is meant to be such a file: by its suffix. */
bool sl_lanes_is_file(const char *path);

typedef struct SlLaneCheck {
    bool noise;     /* the start is the one that the file names */
    int same, kept; /* moments: how many are the same from the first on, of how many */
} SlLaneCheck;
/* Computes the lanes again and compares every kept moment, figures and samples; checks is one for
 * each. False and *err when they could not be computed. */
bool sl_lanes_verify(const SlLanes *lanes, SlModel *model, SlLaneCheck *checks, SlError *err);

#ifdef __cplusplus
}
#endif

#endif
