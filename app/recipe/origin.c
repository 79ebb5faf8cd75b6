/* origin.c - see origin.h. */
#include "app/recipe/origin.h"
#include "app/files/files.h"
#include "app/recipe/recipe_text.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

/* ---- life ---- */

SlOrigin *sl_origin_new(const SlRecipe *recipe, const SlOrigin *origin, int step)
{
    SlOrigin *made = calloc(1, sizeof *made);
    if (!made)
        return NULL;
    made->recipe = sl_recipe_copy(recipe);
    made->origin = sl_origin_copy(origin);
    made->step = step;
    if (made->recipe && (made->origin || !origin))
        return made;
    sl_origin_free(made);
    return NULL;
}

SlOrigin *sl_origin_copy(const SlOrigin *origin)
{
    SlOrigin *copy = origin ? sl_origin_new(origin->recipe, origin->origin, origin->step) : NULL;
    if (!copy)
        return NULL;
    memcpy(copy->sha256, origin->sha256, sizeof copy->sha256);
    if (sl_batches_copy(&origin->batches, &copy->batches))
        return copy;
    sl_origin_free(copy);
    return NULL;
}

void sl_origin_free(SlOrigin *origin)
{
    while (origin) {
        SlOrigin *next = origin->origin;
        free(origin->recipe);
        sl_batches_free(&origin->batches);
        free(origin);
        origin = next;
    }
}

int sl_origin_depth(const SlOrigin *origin)
{
    int depth = 0;
    for (; origin; origin = origin->origin)
        depth++;
    return depth;
}

/* ---- ids ---- */

bool sl_run_id(const SlRecipe *recipe, const SlOrigin *origin, char id[65])
{
    char parent[65] = "";
    if (origin && !sl_origin_parent_id(origin, parent))
        return false;
    SlJsonOut out = {0};
    cJSON *object = sl_out_object(&out, NULL, NULL);
    sl_out_item(&out, object, "recipe", sl_recipe_to_json(recipe));
    if (origin) {
        sl_out_text(&out, object, "parent", parent);
        sl_out_number(&out, object, "step", origin->step);
    }
    char *text = sl_out_end_text(&out, object);
    if (text)
        sl_sha256(text, strlen(text), id);
    free(text);
    return text != NULL;
}

bool sl_origin_parent_id(const SlOrigin *origin, char id[65])
{
    return sl_run_id(origin->recipe, origin->origin, id);
}

/* ---- JSON ---- */

cJSON *sl_origin_to_json(const SlOrigin *origin, const SlRecipe *recipe)
{
    char parent[65];
    char *changed = sl_recipe_diff(origin->recipe, recipe);
    SlJsonOut out = {.failed = !changed || !sl_origin_parent_id(origin, parent)};
    cJSON *object = sl_out_object(&out, NULL, NULL);
    sl_out_text(&out, object, "parent", parent);
    sl_out_number(&out, object, "step", origin->step);
    sl_out_text(&out, object, "sha256", origin->sha256);
    sl_out_lines(&out, object, "changed", changed);
    sl_out_item(&out, object, "recipe", sl_recipe_to_json(origin->recipe));
    if (sl_batches_any(&origin->batches))
        sl_out_item(&out, object, "batches", sl_batches_to_json(&origin->batches));
    if (origin->origin)
        sl_out_item(&out, object, "branch", sl_origin_to_json(origin->origin, origin->recipe));
    free(changed);
    return sl_out_end(&out, object);
}

static bool read_step(const cJSON *object, const SlRecipe *recipe, int *step, SlError *err)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, "step");
    double value = cJSON_IsNumber(item) ? item->valuedouble : -1;
    if (!(value >= 0 && value < recipe->steps && value == (int)value))
        return sl_fail(err, SL_FORMAT,
                       "the branch has no good \"step\"; expected 0 to %d, the finished steps of "
                       "its parent",
                       recipe->steps - 1);
    *step = (int)value;
    return true;
}

static bool read_hash(const cJSON *object, char hash[65], SlError *err)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "sha256"));
    size_t n = text ? strspn(text, "0123456789abcdef") : 1;
    if (!text || text[n] || (n != 64 && n != 0))
        return sl_fail(err, SL_FORMAT,
                       "the branch has no good \"sha256\"; expected 64 hexadecimal digits");
    memcpy(hash, text, n + 1);
    return true;
}

static bool read_batches(const cJSON *object, SlBatches *batches, SlError *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, "batches");
    SlError problem = {0};
    return !list || sl_batches_from_json(list, batches, &problem) ||
           sl_fail(err, problem.code, "the branch has %s", problem.message);
}

static SlOrigin *read_one(const cJSON *object, int depth, SlError *err);

/* The parent's own branch, when it has one. */
static bool read_parent(const cJSON *object, SlOrigin *origin, int depth, SlError *err)
{
    const cJSON *branch = cJSON_GetObjectItemCaseSensitive(object, "branch");
    if (!branch)
        return true;
    origin->origin = read_one(branch, depth + 1, err);
    return origin->origin != NULL;
}

static SlOrigin *read_one(const cJSON *object, int depth, SlError *err)
{
    SlRecipe recipe;
    SlError problem = {0};
    if (depth > SL_ORIGIN_MAX_DEPTH) {
        sl_fail(err, SL_FORMAT, "the branch is more than %d branches deep", SL_ORIGIN_MAX_DEPTH);
        return NULL;
    }
    if (!sl_recipe_from_file(cJSON_GetObjectItemCaseSensitive(object, "recipe"), &recipe, NULL,
                             &problem)) {
        sl_fail(err, SL_FORMAT, "the branch's parent: %s", problem.message);
        return NULL;
    }
    SlOrigin *origin = sl_origin_new(&recipe, NULL, 0);
    if (!origin)
        sl_fail(err, SL_MEMORY, "memory ran out");
    if (origin && read_step(object, origin->recipe, &origin->step, err) &&
        read_hash(object, origin->sha256, err) && read_batches(object, &origin->batches, err) &&
        read_parent(object, origin, depth, err))
        return origin;
    sl_origin_free(origin);
    return NULL;
}

SlOrigin *sl_origin_from_json(const cJSON *object, SlError *err)
{
    return read_one(object, 1, err);
}

/* ---- computing it again ---- */

/* Steps that a run has finished, of its whole grid. */
static int steps_done(const SlRun *run)
{
    bool ends = false;
    int evaluation = sl_run_evaluation(run);
    if (evaluation == 0)
        return 0;
    int step = sl_scheduler_step_of(sl_run_scheduler(run), evaluation - 1, &ends);
    return ends ? step + 1 : step;
}

static bool same_sample(const SlRun *run, const SlOrigin *origin, SlError *err)
{
    char hex[65];
    if (!origin->sha256[0])
        return true;
    sl_sha256(sl_run_sample(run), (size_t)sl_run_sample_elements(run) * sizeof(float), hex);
    return strcmp(hex, origin->sha256) == 0 ||
           sl_fail(err, SL_FORMAT,
                   "the run that it branched from is another one here: its sample after step %d "
                   "has SHA-256 %.8s; expected %.8s",
                   origin->step, hex, origin->sha256);
}

static SlRun *run_parent(SlModel *model, const SlOrigin *origin, const SlOriginCall *call,
                         SlError *err)
{
    SlOriginCall of_parent = call ? *call : (SlOriginCall){.inputs = NULL};
    SlRunInputs inputs = of_parent.inputs ? *of_parent.inputs : (SlRunInputs){.latents = NULL};
    inputs.settled = true; /* it was made once */
    of_parent.inputs = &inputs;
    SlRun *run = sl_origin_run(model, origin->recipe, origin->origin, &of_parent, err);
    bool ok = run != NULL;
    if (ok && steps_done(run) > origin->step)
        ok =
            sl_fail(err, SL_ARGUMENT,
                    "a branch after step %d is not possible: the run is a branch itself and begins "
                    "after step %d",
                    origin->step, steps_done(run));
    for (int i = 0; ok && steps_done(run) < origin->step && !sl_run_done(run); i++) {
        SlFrame frame;
        ok = sl_batches_next(&origin->batches, i, run, &frame, err) &&
             (!call || !call->frame || call->frame(call->arg, run, &frame, err));
    }
    if (ok && same_sample(run, origin, err))
        return run;
    sl_run_free(run);
    return NULL;
}

SlRun *sl_origin_run(SlModel *model, const SlRecipe *recipe, const SlOrigin *origin,
                     const SlOriginCall *call, SlError *err)
{
    SlRun *parent = NULL;
    /* after no step there is only the noise, which the recipe has as well */
    if (origin && origin->step > 0 && !(parent = run_parent(model, origin, call, err)))
        return NULL;
    if (parent && call && call->sha256)
        sl_sha256(sl_run_sample(parent), (size_t)sl_run_sample_elements(parent) * sizeof(float),
                  call->sha256);
    SlRun *run = sl_run_new(model, recipe, call ? call->inputs : NULL, err);
    if (run && parent && !sl_run_continue(run, parent, err)) {
        sl_run_free(run);
        run = NULL;
    }
    sl_run_free(parent);
    return run;
}
