/* lanes_file.h - a comparison as one file that opens again with all lanes and steps. The window and
 * the command line read and write it with these functions and no others.
 *
 * A .safelight file is a safetensors file: per lane "lane.<i>.x_t" and "lane.<i>.x_0" [moments, C,
 * h, w] in f32 and their quick previews "lane.<i>.preview" and "lane.<i>.noisy_preview" [moments,
 * h, w, 3] in u8; where they are known also "lane.<i>.output" and "lane.<i>.guidance" [moments, C,
 * h, w] in f16; and JSON under the key "safelight": for each lane the metadata that its picture
 * would have, its plan, its moments' figures and the SHA-256 of its samples, of its previews and of
 * the f16 tensors. Of a branch, the moments of its ancestors come first. A long run's moments
 * between its keyframes are left out. Of a grid, its two axes and each lane's cell.
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
/* Evaluations that all lanes of a file have together at most: what its text has room for. */
#define SL_LANES_FILE_MOMENTS 65536
/* In a file, instead of the bits of the settings that are a lane's own and not the comparison's: all
 * settings, also those that the table has later. */
#define SL_LANES_OWN_ALL 1023

/* What is written. */
typedef struct SlLanesOut {
    const SlLanes *lanes;
    const SlModel *model; /* makes previews where a timeline has none; NULL where all have */
    /* Program, model with its hashes, device and dtype, of all lanes or of each; the rest of it is
     * not looked at. */
    const SlMetadata *identity;
    const SlMetadata *const *identities; /* [lanes] instead of identity, or NULL */
    const uint64_t *own;                 /* [lanes], as SlLaneNote.own; NULL: all settings */
    const int *color; /* [lanes], as SlLaneNote.color; NULL: they have none of their own */
    int reference;    /* the lane that others are measured against */
} SlLanesOut;
/* Atomic, and looked at again before it replaces anything. Lanes without a moment are left out; SL_ARGUMENT where no lane has one. */
bool sl_lanes_write(const SlLanesOut *out, const char *path, SlError *err);

/* What a file says of a lane besides its timeline. */
typedef struct SlLaneNote {
    uint64_t own; /* bits of the settings that are its own: sl_settings_of_own */
    bool done;
    int inherited;               /* moments of ancestors before its own */
    int moments, kept_inherited; /* that are kept; those of ancestors among them */
    int step_offset;             /* steps of ancestors before its own, as the window counts them */
    int cell;                    /* of a grid; -1: none */
    int color;                   /* that it has kept (lane_colors.h); -1: none */
    SlMetadata metadata;         /* what its picture would say */
} SlLaneNote;
typedef struct SlLanesIn {
    SlLanes *lanes; /* NULL: they were only looked at */
    int count, reference;
    SlGrid grid; /* whose cells the lanes are; without values: of none */
    bool fast;
    SlLaneNote *note; /* [count]; owned */
} SlLanesIn;
/* False and *err, one sentence that names the file, for everything that is not a whole comparison
 * of ours: every number, text and size is checked, and samples, previews and f16 tensors against
 * their SHA-256 (files of earlier windows have none). Free in any case. The lanes can be looked at
 * without a model; what was not in the file is computed from noise when a function with the file's
 * model asks for it. A lane has its ancestors' moments in sl_lanes_before where its parent is
 * not in the file. */
bool sl_lanes_read(SlLanesIn *in, const char *path, SlError *err);
/* The same without what is in the tensors: what the file says, the sizes and the types. */
bool sl_lanes_look(SlLanesIn *in, const char *path, SlError *err);
/* False, with what it is, where it is something else that is known ("this is a PNG picture; expected a
 * comparison ..."). What cannot be opened is left to whoever does. */
bool sl_lanes_unless_known(const char *path, SlError *err);
void sl_lanes_in_free(SlLanesIn *in);
/* The quick preview that a lane ends with: malloc'ed RGB rows. Nothing else is read, and what is
 * read is not compared with its SHA-256. NULL and *err where the file has none. */
uint8_t *sl_lanes_thumbnail(const char *path, int lane, int *width, int *height, SlError *err);
/* Whether lanes of a file are such as this model makes: recipes of lanes and ancestors that it can
 * compute, samples of its channels and of the size that the recipe asks for. False and *err, one
 * sentence that names the lane. sl_lanes_verify and sl_compare_take ask it themselves; the window
 * does before it shows them. Functions that are given such lanes and a model rely on it: they take
 * channels from the one and lengths from the other. */
bool sl_lanes_check(const SlLanes *lanes, const SlModelInfo *model, SlError *err);
/* Of one lane, where lanes have different models. */
bool sl_lanes_check_lane(const SlLanes *lanes, int lane, const SlModelInfo *model, SlError *err);

/* The same in short. identity (free it) is what the first lane's picture would say. */
bool sl_lanes_save(const SlLanes *lanes, const SlModel *model, const SlMetadata *identity,
                   const char *path, SlError *err);
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
