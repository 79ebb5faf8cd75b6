/* test_timeline.c - recorded runs: the bytes of plain runs, branches that go on to the same bytes,
 * moments computed again between keyframes, also out of a file. */
#include "app/record/estimate.h"
#include "app/record/what_if.h"
#include "tests/app/record/lanes.h"

#include <cjson/cJSON.h>

/* The linker sends every sl_run_save of the program here (see meson.build): the one after so many
 * calls finds no memory. */
static int saves_until_failure = -1;
void *__real_sl_run_save(const SlRun *run, size_t *bytes);
void *__wrap_sl_run_save(const SlRun *run, size_t *bytes);
void *__wrap_sl_run_save(const SlRun *run, size_t *bytes)
{
    return saves_until_failure >= 0 && saves_until_failure-- == 0 ? NULL
                                                                  : __real_sl_run_save(run, bytes);
}

/* ---- recording ---- */

static void test_recording(SlModel *model)
{
    for (int i = 0; i < sl_scheduler_count(); i++) {
        if (!sl_scheduler_suits(sl_scheduler_info(i), sl_model_info(model)->prediction))
            continue;
        SlRecipe recipe = recipe_for(model, sl_scheduler_info(i)->id, 5);
        SlError err = {0};
        SlTimeline *t = record(model, &recipe, NULL);
        SlRun *run = sl_run_new(model, &recipe, NULL, &err);
        bool same = t && run && sl_timeline_total(t) == sl_run_evaluations(run);
        double elapsed = 0;
        for (int k = 0; same && k < sl_timeline_total(t); k++) {
            const SlMoment *m = sl_timeline_moment(t, k);
            SlFrame f;
            same = sl_run_next(run, &f, &err) && !memcmp(m->x_t, f.x_t, bytes_of(t)) &&
                   !memcmp(m->x_0, f.x_0, bytes_of(t)) && m->sigma == f.sigma &&
                   m->step == f.step && m->ends_step == f.ends_step && m->work == k + 1 &&
                   m->elapsed >= elapsed;
            elapsed = same ? m->elapsed : 0;
        }
        sl_test(same, "%s: every moment is the run's", recipe.scheduler);
        sl_run_free(run);
        sl_timeline_free(t);
    }
}

static void test_look(SlModel *model)
{
    SlRecipe recipe = recipe_for(model, "heun", 4);
    SlError err = {0};
    SlTimeline *t = record(model, &recipe, NULL);
    float *noise = malloc(bytes_of(t)), *term = malloc(bytes_of(t));
    bool ok = true, any = false;
    for (int i = 0; ok && i < sl_timeline_total(t); i++) {
        ok = sl_timeline_look(t, model, i, noise, term, &err) &&
             !memcmp(noise, sl_timeline_moment(t, i)->output, bytes_of(t));
        for (int64_t k = 0; k < sl_timeline_elements(t); k++)
            any = any || term[k] != 0;
    }
    sl_test(ok && any, "the predicted noise and the guidance term of any moment %s", err.message);
    sl_test(!sl_timeline_look(t, model, 99, noise, term, &err) && strstr(err.message, "moment 100"),
            "a moment that is not there is refused: %s", err.message);
    free(noise);
    free(term);
    sl_timeline_free(t);
}

/* ---- branches ---- */

/* A sanitizer has seen the code after one branch, in the middle. */
#ifdef __SANITIZE_ADDRESS__
#define FIRST_BRANCH 2
#define BRANCHES     1
#else
#define FIRST_BRANCH 0
#define BRANCHES     5
#endif

/* The end of a branch with the same recipe after `step` is the parent's. */
static bool goes_on_alike(SlModel *model, SlTimeline *parent, int step)
{
    SlError err = {0};
    SlTimeline *b = sl_timeline_branch(model, parent, step, sl_timeline_recipe(parent), NULL, &err);
    while (b && !sl_timeline_done(b) && sl_timeline_next(b, model, &err))
        ;
    int skipped = b ? sl_timeline_total(parent) - sl_timeline_total(b) : 0;
    bool same = b && sl_timeline_done(b);
    for (int i = 0; same && i < sl_timeline_total(b); i++) {
        const SlMoment *m = sl_timeline_moment(b, i), *p = sl_timeline_moment(parent, skipped + i);
        same = !memcmp(m->x_t, p->x_t, bytes_of(b)) && m->work == p->work;
    }
    if (!same)
        sl_test_note("step %d: %s", step, err.message);
    sl_timeline_free(b);
    return same;
}

static void test_same_branches(SlModel *model)
{
    for (int i = 0; i < sl_scheduler_count(); i++) {
        if (!sl_scheduler_suits(sl_scheduler_info(i), sl_model_info(model)->prediction))
            continue;
        SlRecipe recipe = recipe_for(model, sl_scheduler_info(i)->id, 5);
        SlTimeline *t = record(model, &recipe, NULL);
        bool ok = true;
        for (int step = FIRST_BRANCH; ok && step < FIRST_BRANCH + BRANCHES; step++)
            ok = goes_on_alike(model, t, step);
        sl_test(ok, "%s: a branch with the same settings gives the same bytes", recipe.scheduler);
        sl_timeline_free(t);
    }
}

/* ---- what if ---- */

static const SlRecipe guidances[] = {
    {.guidance = 12, .guidance_to = 1},
    {.guidance = 2, .guidance_to = 1, .guidance_rescale = 0.5},
    {.guidance = 9, .guidance_to = 1, .guidance_method = SL_METHOD_CFG_PP},
    {.guidance = 9, .guidance_to = 1, .guidance_method = SL_METHOD_DYNAMIC, .mimic_guidance = 4},
    {.guidance = 9, .guidance_to = 1, .guidance_method = SL_METHOD_APG, .apg_momentum = 0.5},
};
#define GUIDANCES (int)(sizeof guidances / sizeof guidances[0])

/* Every guidance at a step, one after the other, and the branches that begin there. */
static bool tried_alike(SlModel *model, SlTimeline *t, int i)
{
    SlError err = {0};
    float *x_t = malloc(bytes_of(t)), *x_0 = malloc(bytes_of(t));
    SlWhatIf *w = sl_what_if_new(t, model, i, &err);
    bool ok = w && sl_what_if(w, sl_timeline_recipe(t), x_t, x_0, &err) &&
              !memcmp(x_t, sl_timeline_moment(t, i)->x_t, bytes_of(t)) &&
              !memcmp(x_0, sl_timeline_moment(t, i)->x_0, bytes_of(t));
    for (int k = 0; ok && k < GUIDANCES; k++) {
        SlRecipe recipe = *sl_timeline_recipe(t);
        sl_recipe_change(&recipe, &guidances[k], SL_SETTINGS_GUIDANCE);
        if (!sl_recipe_check(&recipe, sl_model_info(model), NULL)) /* CFG++ */
            continue;
        SlTimeline *b =
            sl_timeline_branch(model, t, sl_timeline_moment(t, i)->step, &recipe, NULL, &err);
        ok = b && sl_timeline_next(b, model, &err) && sl_what_if(w, &recipe, x_t, x_0, &err) &&
             !memcmp(x_t, sl_timeline_moment(b, 0)->x_t, bytes_of(t)) &&
             !memcmp(x_0, sl_timeline_moment(b, 0)->x_0, bytes_of(t)) &&
             memcmp(x_0, sl_timeline_moment(t, i)->x_0, bytes_of(t)) != 0;
        sl_timeline_free(b);
    }
    if (!ok)
        sl_test_note("moment %d: %s", i + 1, err.message);
    sl_what_if_free(w);
    free(x_t);
    free(x_0);
    return ok;
}

static void refuses_to_try(SlModel *model, SlTimeline *t, int i, const char *sentence)
{
    SlError err = {0};
    SlWhatIf *w = sl_what_if_new(t, model, i, &err);
    sl_test(!w && strstr(err.message, sentence), "what if: %s", err.message);
    sl_what_if_free(w);
}

static void test_what_if(SlModel *model)
{
    static const char *const ids[] = {"euler", "ddim"};
    SlError err = {0};
    for (int k = 0; k < 2; k++) {
        SlRecipe recipe = recipe_for(model, ids[k], 4);
        SlTimeline *t = record(model, &recipe, NULL);
        sl_timeline_rest(t);
        bool ok = true;
        for (int i = 0; ok && i < 4; i++)
            ok = tried_alike(model, t, i);
        sl_test(ok, "%s: other guidance at any step is what a branch makes, to the same bytes",
                ids[k]);
        refuses_to_try(model, t, 4, "moment 5 is not there; expected 1 to 4");
        sl_timeline_free(t);
    }
    /* of a run that is on its way, whose own goes on as before */
    SlRecipe recipe = recipe_for(model, "euler", 4);
    SlTimeline *t = sl_timeline_new(model, &recipe, NULL, &err);
    SlTimeline *whole = record(model, &recipe, NULL);
    bool ok = t && whole && sl_timeline_next(t, model, &err) && tried_alike(model, t, 0);
    while (ok && !sl_timeline_done(t))
        ok = sl_timeline_next(t, model, &err);
    sl_test(ok && !memcmp(sl_timeline_moment(t, 3)->x_t, sl_timeline_moment(whole, 3)->x_t,
                          bytes_of(t)),
            "trying leaves nothing behind in a run that goes on %s", err.message);
    sl_timeline_free(t);
    sl_timeline_free(whole);
    recipe = recipe_for(model, "heun", 3);
    t = record(model, &recipe, NULL);
    sl_test(tried_alike(model, t, 2), "heun: other guidance at the beginning of a step");
    refuses_to_try(model, t, 1, "evaluation 2 is in the middle of a step");
    sl_timeline_free(t);
    /* the predictions are kept beside the moments where they fit */
    recipe = recipe_for(model, "euler", 4);
    t = record(model, &recipe, NULL);
    size_t moments = 3 * 4 * bytes_of(t), said = 2 * 4 * bytes_of(t);
    sl_timeline_free(t);
    t = record(model, &recipe, &(SlTimelineOptions){.budget = moments + said});
    sl_test(sl_timeline_interval(t) == 1 && sl_timeline_moment(t, 3)->said, "they just fit");
    sl_timeline_free(t);
    t = record(model, &recipe, &(SlTimelineOptions){.budget = moments + said - 1});
    sl_test(sl_timeline_interval(t) == 1 && sl_timeline_moment(t, 3)->output &&
                !sl_timeline_moment(t, 3)->said,
            "and are the first that are left out");
    refuses_to_try(model, t, 1, "the two predictions of step 2 are not kept");
    sl_timeline_free(t);
    /* methods that need them: a branch is computed where they are not kept */
    for (int k = 2; k < GUIDANCES; k++) {
        sl_recipe_change(&recipe, &guidances[k], SL_SETTINGS_GUIDANCE);
        t = record(model, &recipe, &(SlTimelineOptions){.budget = moments});
        ok = t && goes_on_alike(model, t, 2);
        sl_timeline_free(t);
        t = record(model, &recipe, NULL);
        sl_test(ok && goes_on_alike(model, t, 2), "guidance %d: a branch, with them and without",
                k);
        sl_timeline_free(t);
    }
}

/* Evaluations that take over a part of an earlier one: their moments say so, and can be looked at, tried
 * and branched from as others. */
static void test_caching(SlModel *model)
{
    for (int k = 0; k < 2; k++) {
        SlRecipe recipe = recipe_for(model, "euler", 6);
        SlError err = {0};
        recipe.caching = k == 0 ? SL_CACHING_DEEP : SL_CACHING_FIRST_BLOCK;
        recipe.caching_threshold = 1;
        const char *name = sl_setting(SL_SETTING_CACHING)->choices[recipe.caching];
        SlTimeline *t = record(model, &recipe, NULL);
        float *noise = malloc(bytes_of(t)), *term = malloc(bytes_of(t));
        int cached = 0;
        bool ok = true;
        for (int i = 0; ok && i < 6; i++) {
            const SlMoment *m = sl_timeline_moment(t, i);
            cached += m->cached;
            ok = sl_timeline_look(t, model, i, noise, term, &err);
            /* the plain sum's term is what was recorded, but for rounding */
            for (int64_t n = 0; ok && n < sl_timeline_elements(t); n++)
                ok = fabs(m->said[n] + 7.5 * term[n] - m->output[n]) < 1e-3 && term[n] != 0;
        }
        sl_test(ok && cached > 0 && !sl_timeline_moment(t, 0)->cached,
                "%s: the guidance term of what was made, %d of 6 in part %s", name, cached,
                err.message);
        for (int step = FIRST_BRANCH; ok && step < FIRST_BRANCH + BRANCHES; step++)
            ok = goes_on_alike(model, t, step);
        sl_test(ok, "%s: a branch with the same settings gives the same bytes", name);
        sl_timeline_rest(t);
        for (int i = 0; ok && i < 6; i++)
            ok = tried_alike(model, t, i);
        sl_test(ok, "%s: other guidance at any step is what a branch makes, to the same bytes",
                name);
        sl_timeline_free(t);
        free(noise);
        free(term);
    }
}

/* With deep caching an evaluation costs less in the mean: of 10 steps 4 are whole. */
static void test_estimate(SlModel *model)
{
    const SlModelInfo *info = sl_model_info(model);
    SlRecipe exact = recipe_for(model, "euler", 10), deep = exact, first = exact;
    SlEstimate of[3];
    SlCost cost;
    SlError err = {0};
    deep.caching = SL_CACHING_DEEP;
    first.caching = SL_CACHING_FIRST_BLOCK;
    bool ok = sl_estimate(info, &exact, "f32", &of[0], &err) &&
              sl_estimate(info, &deep, "f32", &of[1], &err) &&
              sl_estimate(info, &first, "f32", &of[2], &err) &&
              sl_model_cost(info, &deep, "f32", &cost, &err);
    double mean = 0.4 * cost.step_flops + 0.6 * cost.cached_flops;
    sl_test(ok && fabs(of[1].evaluation_flops / mean - 1) < 1e-9 &&
                of[1].evaluation_flops < 0.7 * of[0].evaluation_flops &&
                of[2].evaluation_flops == of[0].evaluation_flops,
            "an estimate knows what deep caching spares %s", err.message);
}

/* Perp-neg asks the model otherwise: its steps and those of others cannot be tried on each other, but a
 * branch goes from the one to the other. */
static void test_perp_neg(SlModel *model)
{
    SlRecipe recipe = recipe_for(model, "dpmpp-2m", 5), perp = recipe;
    SlError err = {0};
    perp.negative_prompt = recipe.negative_prompt = "blurry";
    perp.guidance_method = SL_METHOD_PERP_NEG;
    SlRecipe scaled = perp;
    scaled.perp_neg_scale = 2;
    const SlRecipe *pair[] = {&recipe, &perp};
    for (int from = 0; from < 2; from++) {
        SlTimeline *t = record(model, pair[from], NULL);
        SlWhatIf *w = sl_what_if_new(t, model, 2, &err);
        sl_test(w && !sl_what_if(w, pair[!from], NULL, NULL, &err) &&
                    strstr(err.message, "the model is asked otherwise than it was here"),
                "what if, of the other kind: %s", err.message);
        sl_test(w && sl_what_if(w, pair[from], NULL, NULL, &err), "what if, of its own kind");
        if (from == 1)
            sl_test(w && !sl_what_if(w, &scaled, NULL, NULL, &err) &&
                        strstr(err.message, "another one, 2, needs an evaluation"),
                    "what if, with another scale: %s", err.message);
        sl_what_if_free(w);
        bool ok = true;
        for (int step = FIRST_BRANCH; ok && step < FIRST_BRANCH + BRANCHES; step++)
            ok = goes_on_alike(model, t, step);
        sl_test(ok, "perp-neg %d: a branch with the same settings gives the same bytes", from);
        SlTimeline *b = sl_timeline_branch(model, t, 2, pair[!from], NULL, &err);
        while (b && !sl_timeline_done(b) && sl_timeline_next(b, model, &err))
            ;
        sl_test(b && sl_timeline_done(b) && goes_on_alike(model, b, 3) &&
                    memcmp(sl_timeline_moment(b, 0)->x_t, sl_timeline_moment(t, 2)->x_t,
                           bytes_of(t)) != 0,
                "perp-neg %d: a branch to the other kind, and a branch of it %s", from,
                err.message);
        sl_timeline_free(b);
        sl_timeline_free(t);
    }
}

static bool all_finite(const SlTimeline *t)
{
    const float *x = sl_timeline_moment(t, sl_timeline_total(t) - 1)->x_t;
    for (int64_t i = 0; i < sl_timeline_elements(t); i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

/* Branches, then computes the same from the origin alone. */
static void branch_again(SlModel *model, SlTimeline *parent, int step, const SlRecipe *recipe)
{
    SlError err = {0};
    SlTimeline *b = sl_timeline_branch(model, parent, step, recipe, NULL, &err), *again = NULL;
    while (b && !sl_timeline_done(b) && sl_timeline_next(b, model, &err))
        ;
    if (b)
        again = record(model, recipe, &(SlTimelineOptions){.origin = sl_timeline_origin(b)});
    int last = b ? sl_timeline_total(b) - 1 : 0;
    bool same = again && sl_timeline_done(again) && sl_timeline_total(again) == last + 1 &&
                !memcmp(sl_timeline_moment(b, last)->x_t, sl_timeline_moment(again, last)->x_t,
                        bytes_of(b)) &&
                sl_timeline_moment(b, last)->work == sl_timeline_moment(again, last)->work;
    sl_test(same && all_finite(b), "%s to %s with %d steps after step %d, twice the same: %s",
            sl_timeline_recipe(parent)->scheduler, recipe->scheduler, recipe->steps, step,
            err.message);
    sl_timeline_free(b);
    sl_timeline_free(again);
}

static void test_other_branches(SlModel *model)
{
    static const char *const to[] = {"euler", "ddim", "heun", "unipc", "lms", "dpmpp-2m", "pndm"};
    SlRecipe recipe = recipe_for(model, "pndm", 6);
    SlTimeline *t = record(model, &recipe, NULL);
    for (int i = 0; i < 7; i++) {
        SlRecipe other = recipe;
        other.scheduler = to[i];
        other.steps = 6 + i;
        branch_again(model, t, 2 + i % 3, &other);
    }
    SlRecipe guided = recipe;
    guided.guidance = 2;
    guided.prompt = "a blue lake";
    branch_again(model, t, 3, &guided);
    sl_timeline_free(t);
    recipe.scheduler = "euler";
    t = record(model, &recipe, NULL);
    recipe.scheduler = "ddim";
    branch_again(model, t, 0, &recipe);
    branch_again(model, t, 4, &recipe);
    SlError err = {0};
    SlTimeline *none = sl_timeline_branch(model, t, 6, &recipe, NULL, &err);
    sl_test(!none && strstr(err.message, "nothing is left"), "after the last step: %s",
            err.message);
    none = sl_timeline_branch(model, t, 9, &recipe, NULL, &err);
    sl_test(!none && strstr(err.message, "expected 0 to 5"), "after a step that is not there: %s",
            err.message);
    recipe.width *= 2;
    none = sl_timeline_branch(model, t, 2, &recipe, NULL, &err);
    sl_test(!none && strstr(err.message, "size"), "of another size: %s", err.message);
    sl_timeline_free(t);
}

/* A branch of a branch, out as JSON and in again, is the same run. */
static void test_origin(SlModel *model)
{
    SlError err = {0};
    SlRecipe a = recipe_for(model, "euler", 5), b = a, c;
    b.scheduler = "ddim";
    c = b;
    c.guidance = 2;
    SlTimeline *first = record(model, &a, NULL);
    SlTimeline *second = sl_timeline_branch(model, first, 2, &b, NULL, &err);
    while (second && !sl_timeline_done(second) && sl_timeline_next(second, model, &err))
        ;
    SlTimeline *third = second ? sl_timeline_branch(model, second, 4, &c, NULL, &err) : NULL;
    const SlOrigin *origin = third ? sl_timeline_origin(third) : NULL;
    cJSON *json = origin ? sl_origin_to_json(origin, &c) : NULL;
    SlOrigin *read = json ? sl_origin_from_json(json, &err) : NULL;
    char one[65] = "1", two[65] = "2", parent[65] = "3", of_second[65] = "4";
    bool ok = read && sl_run_id(&c, origin, one) && sl_run_id(&c, read, two) &&
              sl_origin_parent_id(read, parent) &&
              sl_run_id(&b, sl_timeline_origin(second), of_second);
    sl_test(ok && !strcmp(one, two) && !strcmp(parent, of_second) && sl_origin_depth(read) == 2,
            "a branch of a branch knows its parents %s", err.message);
    const cJSON *changed = cJSON_GetObjectItem(json, "changed");
    sl_test(cJSON_GetArraySize(changed) == 1 &&
                strstr(cJSON_GetArrayItem(changed, 0)->valuestring, "guidance"),
            "and what was changed");
    cJSON_ReplaceItemInObject(json, "step", cJSON_CreateNumber(77));
    SlOrigin *none = sl_origin_from_json(json, &err);
    sl_test(!none && strstr(err.message, "\"step\""), "a bad step is refused: %s", err.message);
    if (read)
        memset(read->sha256, 'f', 64);
    SlRun *run = read ? sl_origin_run(model, &c, read, NULL, &err) : NULL;
    sl_test(!run && strstr(err.message, "another one"), "another parent is noticed: %s",
            err.message);
    cJSON_Delete(json);
    sl_origin_free(read);
    sl_timeline_free(third);
    sl_timeline_free(second);
    sl_timeline_free(first);
}

/* So many moments of a long run are fetched, in no order: each is computed again from the keyframe before it,
 * and these lie at every distance from one. */
#define FETCHED        12
#define FETCH(n, from) ((n)*37 % (from))

/* A comparison of long runs, saved with its keyframes and opened again: every moment, in any order,
 * and what it goes on to. */
static void test_keyframes_file(SlModel *model, const SlRecipe *recipe, const SlTimeline *whole)
{
    char path[] = "/tmp/safelight-keyframes-XXXXXX.safelight";
    int fd = mkstemps(path, 10);
    SlError err = {0};
    SlMetadata identity, read = {0};
    SlLanes *lanes = sl_lanes_new(), *again = NULL;
    size_t bytes = bytes_of(whole);
    const SlTimelineOptions options = {.budget = bytes * 60};
    SlTimeline *t = sl_timeline_new(model, recipe, &options, &err);
    for (int i = 0; t && i < 90; i++)
        sl_timeline_next(t, model, &err);
    sl_lanes_put(lanes, t, -1);
    describe_model(model, &identity);
    if (sl_lanes_save(lanes, model, &identity, path, &err))
        again = sl_lanes_load(path, &read, &err);
    float *x_t = malloc(bytes), *x_0 = malloc(bytes);
    t = again ? sl_lanes_timeline(again, 0) : NULL;
    int last = t ? sl_timeline_count(t) : 0;
    bool same = last > 80 && sl_timeline_interval(t) > 1;
    for (int n = 0; same && n < FETCHED; n++) {
        int i = FETCH(n, last);
        const SlMoment *m = sl_timeline_moment(whole, i);
        same = sl_timeline_fetch(t, model, i, x_t, x_0, &err) && !memcmp(x_t, m->x_t, bytes) &&
               !memcmp(x_0, m->x_0, bytes);
    }
    sl_test(same, "opened again, its %d moments have the same bytes %s", last, err.message);
    while (same && !sl_timeline_done(t) && sl_timeline_next(t, model, &err))
        ;
    same = same && sl_timeline_fetch(t, model, 99, x_t, NULL, &err) &&
           !memcmp(x_t, sl_timeline_moment(whole, 99)->x_t, bytes);
    sl_test(same, "and it goes on to the same end %s", err.message);
    free(x_t);
    free(x_0);
    sl_lanes_free(lanes);
    sl_lanes_free(again);
    sl_metadata_free(&read);
    unlink(path);
    if (fd >= 0)
        close(fd);
}

/* Memory runs out while an evaluation is recorded: it was not made, and is made by the next
 * call. */
static void test_failing_memory(SlModel *model, const SlRecipe *recipe, const SlTimeline *whole)
{
    SlError err = {0}, problem = {0};
    size_t bytes = bytes_of(whole);
    const SlTimelineOptions options = {.budget = bytes * 60};
    SlTimeline *t = sl_timeline_new(model, recipe, &options, &err);
    int failed = 0, k = t ? sl_timeline_interval(t) : 1;
    bool same = t != NULL;
    for (int i = 0; same && i < 3 * k; i++) {
        saves_until_failure = i % k == k - 1 && i < 2 * k ? 0 : -1;
        if (!sl_timeline_next(t, model, &problem)) {
            failed++;
            same = problem.code == SL_MEMORY && sl_timeline_count(t) == i &&
                   sl_timeline_next(t, model, &err);
        }
    }
    float *x_t = malloc(bytes);
    for (int i = 0; same && i < 3 * k; i++)
        same = sl_timeline_fetch(t, model, i, x_t, NULL, &err) &&
               !memcmp(x_t, sl_timeline_moment(whole, i)->x_t, bytes);
    sl_test(same && failed == 2, "without memory for a keyframe nothing is lost or skipped (%d) %s",
            failed, err.message);
    free(x_t);
    sl_timeline_free(t);
}

/* A run that lets go of the model goes on to the same bytes, and its head stays as it was. */
static void test_rest(SlModel *model, const SlRecipe *recipe, const SlTimeline *whole,
                      size_t budget)
{
    SlError err = {0};
    size_t bytes = bytes_of(whole);
    const SlTimelineOptions options = {.budget = budget, .views = true};
    SlTimeline *t = sl_timeline_new(model, recipe, &options, &err), *head = NULL;
    bool same = t != NULL;
    for (int i = 0; same && !sl_timeline_done(t); i++) {
        same = sl_timeline_next(t, model, &err);
        if (i % 29 == 13)
            sl_timeline_rest(t);
        if (i == 40)
            head = sl_timeline_head(t, 41);
    }
    float *x_t = malloc(bytes);
    int apart = 1 + sl_timeline_interval(t) / 5; /* a keyframe of each interval, and some between */
    for (int i = 0; same && i < sl_timeline_total(t); i += apart)
        same = sl_timeline_fetch(t, model, i, x_t, NULL, &err) &&
               !memcmp(x_t, sl_timeline_moment(whole, i)->x_t, bytes);
    int height = 0, width = 0, channels, h, w;
    sl_timeline_size(whole, &channels, &h, &w);
    for (int i = 0; same && i < sl_timeline_total(t); i++)
        same = sl_timeline_preview(t, i, i % 2, &height, &width) != NULL && height <= h;
    sl_test(same && !sl_timeline_preview(whole, 0, false, &height, &width),
            "every %d: it rests and goes on to the same bytes %s", sl_timeline_interval(t),
            err.message);
    sl_timeline_rest(t);
    sl_timeline_free(t);
    same = head && sl_timeline_count(head) == 41 &&
           sl_timeline_fetch(head, model, 37, x_t, NULL, &err) &&
           !memcmp(x_t, sl_timeline_moment(whole, 37)->x_t, bytes);
    sl_test(same, "its first 41 moments stay for themselves %s", err.message);
    free(x_t);
    sl_timeline_free(head);
}

static void test_keyframes(void)
{
    SlModel *model = open_model("ddpm");
    SlRecipe recipe = recipe_for(model, "ddpm", 100);
    SlError err = {0};
    recipe.prompt = "";
    recipe.guidance = 1;
    SlTimeline *whole = record(model, &recipe, NULL);
    size_t bytes = bytes_of(whole), budget = bytes * 60;
    SlTimeline *t = record(model, &recipe, &(SlTimelineOptions){.budget = budget});
    int k = sl_timeline_interval(t);
    float *x_t = malloc(bytes), *x_0 = malloc(bytes);
    bool same = true, between = false;
    for (int n = 0; same && n < FETCHED; n++) {
        int i = FETCH(n, 100);
        const SlMoment *m = sl_timeline_moment(whole, i);
        between = between || !sl_timeline_moment(t, i)->x_t;
        same = sl_timeline_fetch(t, model, i, x_t, x_0, &err) && !memcmp(x_t, m->x_t, bytes) &&
               !memcmp(x_0, m->x_0, bytes);
    }
    sl_test(sl_timeline_interval(whole) == 1 && k > 1 && between,
            "a small budget keeps every %dth moment", k);
    sl_test(same, "all the others are computed again to the same bytes %s", err.message);
    sl_test(sl_timeline_bytes(t) <= budget + bytes + 100 * sizeof(SlMoment) + 4096,
            "within the budget: %zu of %zu bytes", sl_timeline_bytes(t), budget);
    sl_test(goes_on_alike(model, whole, k) && goes_on_alike(model, whole, 50),
            "the whole one branches");
    SlTimeline *b =
        sl_timeline_branch(model, t, k + 1, &recipe, &(SlTimelineOptions){.budget = budget}, &err);
    while (b && !sl_timeline_done(b) && sl_timeline_next(b, model, &err))
        ;
    sl_test(b && !memcmp(sl_timeline_moment(b, sl_timeline_total(b) - 1)->x_t,
                         sl_timeline_moment(whole, 99)->x_t, bytes),
            "a branch between keyframes gives the same bytes %s", err.message);
    sl_timeline_free(b);
    free(x_t);
    free(x_0);
    sl_timeline_free(t);
    test_keyframes_file(model, &recipe, whole);
    test_failing_memory(model, &recipe, whole);
    test_rest(model, &recipe, whole, budget);
    test_rest(model, &recipe, whole, 0);
    sl_timeline_free(whole);
    recipe.caching = SL_CACHING_DEEP;
    recipe.caching_interval = 7;
    whole = record(model, &recipe, NULL);
    test_rest(model, &recipe, whole, budget);
    test_rest(model, &recipe, whole, 0);
    sl_timeline_free(whole);
    sl_model_close(&model);
}

int main(void)
{
    SlModel *model = open_model("sd1");
    test_recording(model);
    test_look(model);
    test_same_branches(model);
    test_other_branches(model);
    test_what_if(model);
    test_caching(model);
    test_estimate(model);
    test_perp_neg(model);
    test_origin(model);
    sl_model_close(&model);
    test_keyframes();
    return sl_test_done();
}
