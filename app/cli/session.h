/* session.h - what every command that computes does first: find the model, open it on a device,
 * make a recipe of the options, report errors.
 */
#ifndef SL_APP_SESSION_H
#define SL_APP_SESSION_H

#include "app/cli/options.h"
#include "app/cli/progress.h"
#include "app/cli/say.h"
#include "app/files/files.h"
#include "app/recipe/recipe.h"
#include "app/record/record.h"
#include "engine/engine.h"

#include <pthread.h>

/* Exit statuses: docs/design.md, "Exit statuses". */
enum {
    SL_EXIT_OK = 0,
    SL_EXIT_FAILED = 1,
    SL_EXIT_USAGE = 2,
    SL_EXIT_DIFFERENT = 3,
    SL_EXIT_INTERRUPTED = 130,
    /* internal: the device failed; cli.c goes on with another one or makes it SL_EXIT_FAILED */
    SL_EXIT_DEVICE = 1000
};

/* Hashing gigabytes takes a processor for seconds: it begins once there is something to see. */
typedef enum SlHashing { SL_HASHING_LATER, SL_HASHING_BESIDE, SL_HASHING_DONE } SlHashing;

typedef struct SlSession {
    const SlOptions *options;
    SlModel *model;
    SlProgress progress;
    double load_seconds;
    SlModelInfo *identity; /* owned */
    pthread_t hasher;
    SlHashing hashing;
    int stop_hashing;
    SlError hash_error;
    bool preview_failed; /* and it was said */
} SlSession;

/* The parts that the options name in place of the model's own, found. Free in any case. */
typedef struct SlGivenParts {
    SlPartFrom from[SL_MODEL_MAX_OTHERS + 1]; /* ended by one without a name */
    char *path[SL_MODEL_MAX_OTHERS];
    int count;
} SlGivenParts;
bool sl_given_parts_find(SlGivenParts *parts, const SlOptions *options, SlError *err);
void sl_given_parts_free(SlGivenParts *parts);

/* path NULL: what --model says. Afterwards Ctrl-C stops the model. Close in any case. */
bool sl_session_open(SlSession *session, const SlOptions *options, const char *path, SlError *err);
/* The model that made what the metadata tell of, unless --model names one. */
bool sl_session_open_maker(SlSession *session, const SlOptions *options, const SlMetadata *metadata,
                           SlError *err);
/* The same, to compute the file options->argument again: on its device and in its dtype where the
 * options say none (they are set in *options). *err where sl_metadata_repeatable fails. */
bool sl_session_open_again(SlSession *session, SlOptions *options, const SlMetadata *metadata,
                           SlError *err);
void sl_session_close(SlSession *session);
/* sl_lanes_check of the lanes of a file, against the model that was opened for them. */
bool sl_session_check_lanes(const SlSession *session, const SlLanes *lanes, const char *path,
                            SlError *err);

/* From now on the model's files are hashed beside the computation, where the system has a thread for
 * it. To be called at each frame, when that is shown. */
void sl_session_hash_beside(SlSession *session);
/* The model's files with their hashes; waits for them. NULL and *err when a file cannot be read. */
const SlModelInfo *sl_session_identity(SlSession *session, SlError *err);
/* The same for a result that is kept in any case: a file that cannot be read any more has no hash. */
const SlModelInfo *sl_session_identity_kept(SlSession *session);
/* After the result is saved and printed: says which file that was, and gives the exit status. */
int sl_session_unhashed(SlSession *session);

/* The model's defaults with the options over them, checked. Says on standard error what the model
 * ignores. Strings are borrowed from the options. */
bool sl_session_recipe(const SlSession *session, SlRecipe *recipe, SlError *err);

/* The line on a terminal from here to the first evaluation: texts are encoded, and for a branch the steps before it are
 * computed again. Nothing where there is nothing to wait for. */
void sl_session_wait(SlSession *session, bool branch);

/* The settings that options give, over *recipe; the rest of it stays. */
void sl_options_change(const SlOptions *options, SlRecipe *recipe);

/* --latents and --step-noise. Free in any case. */
typedef struct SlInputArrays {
    SlRunInputs inputs; /* as sl_run_new wants it */
    float *latents, *step_noise;
} SlInputArrays;
bool sl_session_inputs(const SlSession *session, const SlRecipe *recipe, SlInputArrays *arrays,
                       SlError *err);
void sl_inputs_free(SlInputArrays *arrays);

/* After the result of a run is saved and printed: why it was stopped, where it came to, or what
 * sl_session_unhashed says, and the exit status; problem is SL_OK for a whole run. */
int sl_session_stopped(SlSession *session, const SlMetadata *metadata, const SlError *problem);
/* Prints "safelight: ..." and gives the exit status that belongs to the error. */
int sl_session_fail(SlSession *session, const SlError *err);
int sl_fail_exit(const SlError *err);
/* A remark for a person; nothing when the options say quiet. */
void sl_session_note(const SlSession *session, const char *format, ...) SL_PRINTF(2, 3);

/* The same, where f16 was asked for and the device computes in f32 instead. */
void sl_note_dtype(const SlOptions *options, SlDtype computes);
/* What "auto" is for these options. Where that is measured now, it is said. */
bool sl_options_auto_dtype(const SlOptions *options, SlAutoDtype *is, SlError *err);

/* Prints a cJSON object (NULL: memory ran out for it) on standard output and deletes it; the exit
 * status (see sl_say_end). */
struct cJSON;
int sl_print_json(struct cJSON *root);

#endif
