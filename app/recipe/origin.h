/* origin.h - where a branch comes from: the chain of recipes from the noise to the step at which it
 * left its parent.
 *
 * The chain is complete: with it a branch is computed again from nothing but its own file. Every
 * run, branch or not, has an id made of its recipe and its chain, so that files which know each
 * other only by name form a tree: the parent of a picture is the one whose id is
 * sl_origin_parent_id of its origin.
 */
#ifndef SL_APP_ORIGIN_H
#define SL_APP_ORIGIN_H

#include "app/recipe/batches.h"
#include "engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SL_ORIGIN_MAX_DEPTH 32

typedef struct SlOrigin {
    SlRecipe *recipe;        /* the parent's; owned */
    struct SlOrigin *origin; /* the parent's own, owned; NULL: it began with noise */
    int step;                /* steps that the parent had finished, 0 .. its steps - 1 */
    SlBatches batches;       /* of the parent's own evaluations */
    char sha256[65]; /* of the parent's sample there (f32 little endian), "" when not known */
} SlOrigin;

/* Copies recipe and origin (may be NULL). NULL without memory. */
SlOrigin *sl_origin_new(const SlRecipe *recipe, const SlOrigin *origin, int step);
SlOrigin *sl_origin_copy(const SlOrigin *origin); /* NULL gives NULL */
void sl_origin_free(SlOrigin *origin);            /* NULL is fine */
int sl_origin_depth(const SlOrigin *origin);      /* 0 for NULL */

/* SHA-256 of a run's recipe and where it comes from (NULL: noise). False without memory. */
bool sl_run_id(const SlRecipe *recipe, const SlOrigin *origin, char id[65]);
bool sl_origin_parent_id(const SlOrigin *origin, char id[65]);

/* {"parent": id, "step": n, "sha256": ..., "changed": ["guidance: 7.5, 5"], "recipe": {...},
 * "branch": {...}, "batches": [...]}; recipe is the branch's own. NULL without memory. */
struct cJSON;
struct cJSON *sl_origin_to_json(const SlOrigin *origin, const SlRecipe *recipe);
/* NULL and *err, naming the member, when anything is wrong. */
SlOrigin *sl_origin_from_json(const struct cJSON *object, SlError *err);

/* The run that a recipe and an origin stand for: the ancestors are computed up to their branches.
 * frame (may be NULL) is called after each of their evaluations; false stops. NULL and *err on
 * failure, also when a sample on the way has not the hash that its origin says (SL_FORMAT). */
typedef struct SlOriginCall {
    const SlRunInputs *inputs; /* of the first ancestor; NULL: all from the seed */
    bool (*frame)(void *arg, SlRun *run, const SlFrame *frame, SlError *err);
    void *arg;
    char *sha256; /* [65], may be NULL: receives that of the sample which the run branched from */
} SlOriginCall;
SlRun *sl_origin_run(SlModel *model, const SlRecipe *recipe, const SlOrigin *origin,
                     const SlOriginCall *call, SlError *err);

#ifdef __cplusplus
}
#endif

#endif
