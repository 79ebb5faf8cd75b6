/* test_lanes.c - recorded runs: the bytes of plain runs, branches that go on to the same bytes, moments computed again between keyframes, lanes in turn
 * and lined up, and what they take of memory. */
#include "app/core/lanes_file.h"
#include "app/core/recipe_text.h"
#include "tests/test.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static SlModel *open_model(const char *name)
{
    char relative[128];
    SlError err = {0};
    snprintf(relative, sizeof relative, "goldens/model/%s", name);
    char *folder = sl_test_path(relative);
    SlModel *model = sl_model_open(folder, &(SlModelOptions){.device = "cpu", .threads = 1}, &err);
    if (!model)
        sl_test_note("%s", err.message);
    free(folder);
    return model;
}

static SlRecipe recipe_for(SlModel *model, const char *scheduler, int steps)
{
    SlRecipe recipe;
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.prompt = "a red house";
    recipe.negative_prompt = "";
    recipe.scheduler = scheduler;
    recipe.steps = steps;
    recipe.seed = 3;
    if (recipe.width > 32)
        recipe.width = recipe.height = 32;
    return recipe;
}

static SlTimeline *record(SlModel *model, const SlRecipe *recipe, const SlTimelineOptions *options)
{
    SlError err = {0};
    SlTimeline *t = sl_timeline_new(model, recipe, options, &err);
    while (t && !sl_timeline_done(t) && sl_timeline_next(t, model, &err))
        ;
    if (!t || !sl_timeline_done(t))
        sl_test_note("%s", err.message);
    return t;
}

static size_t bytes_of(const SlTimeline *t)
{
    return (size_t)sl_timeline_elements(t) * sizeof(float);
}

/* ---- recording ---- */

static void test_recording(SlModel *model)
{
    for (int i = 0; i < sl_scheduler_count(); i++) {
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
                   m->level == f.level && m->step == f.step && m->ends_step == f.ends_step &&
                   m->work == k + 1 && m->elapsed >= elapsed;
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
        SlRecipe recipe = recipe_for(model, sl_scheduler_info(i)->id, 5);
        SlTimeline *t = record(model, &recipe, NULL);
        bool ok = true;
        for (int step = 0; ok && step < 5; step++)
            ok = goes_on_alike(model, t, step);
        sl_test(ok, "%s: a branch with the same settings gives the same bytes", recipe.scheduler);
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

static void describe_model(SlModel *model, SlMetadata *m)
{
    memset(m, 0, sizeof *m);
    snprintf(m->program, sizeof m->program, "safelight test");
    snprintf(m->device, sizeof m->device, "cpu");
    snprintf(m->dtype, sizeof m->dtype, "f32");
    sl_metadata_set_model(m, sl_model_info(model));
}

/* ---- keyframes ---- */

/* A comparison of long runs, saved with its keyframes and opened again: every moment, in any order, and
 * what it goes on to. */
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
    for (int n = 0; same && n < last; n++) {
        int i = n * 37 % last;
        const SlMoment *m = sl_timeline_moment(whole, i);
        same = sl_timeline_fetch(t, model, i, x_t, x_0, &err) && !memcmp(x_t, m->x_t, bytes) &&
               !memcmp(x_0, m->x_0, bytes);
    }
    sl_test(same, "opened again, all %d moments have the same bytes %s", last, err.message);
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
    for (int n = 0; same && n < 100; n++) {
        int i = n * 37 % 100;
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
    sl_timeline_free(whole);
    sl_model_close(&model);
}

/* ---- lanes ---- */

static void test_lanes(SlModel *model)
{
    static const char *const ids[] = {"euler", "heun", "ddim", "pndm"};
    static const int steps[] = {6, 4, 8, 6}, evaluations[] = {6, 7, 8, 7};
    SlError err = {0};
    SlLanes *lanes = sl_lanes_new();
    int lane = 0, order[8], turns = 0;
    bool ok = true;
    for (int i = 0; i < 4; i++) {
        SlRecipe recipe = recipe_for(model, ids[i], steps[i]);
        ok = ok && sl_lanes_add(lanes, model, &recipe, NULL, 4, &err) == i;
    }
    while (ok && sl_lanes_next(lanes, model, &lane, &err) && lane >= 0)
        if (turns++ < 8)
            order[turns - 1] = lane;
    sl_test(ok && turns == 28 && !memcmp(order, (int[]){0, 1, 2, 3, 0, 1, 2, 3}, sizeof order),
            "four lanes advance in turn, 28 evaluations (%d) %s", turns, err.message);
    sl_test(sl_lanes_shared(lanes).texts == 2, "two texts are encoded for all (%d)",
            sl_lanes_shared(lanes).texts);
    for (int i = 0; i < 4; i++) {
        SlTimeline *t = sl_lanes_timeline(lanes, i);
        SlRecipe recipe = recipe_for(model, ids[i], steps[i]);
        SlTimeline *alone = record(model, &recipe, NULL);
        int last = sl_timeline_total(t) - 1;
        sl_test(last + 1 == evaluations[i] &&
                    !memcmp(sl_timeline_noise(t), sl_timeline_noise(sl_lanes_timeline(lanes, 0)),
                            bytes_of(t)) &&
                    !memcmp(sl_timeline_moment(t, last)->x_t, sl_timeline_moment(alone, last)->x_t,
                            bytes_of(t)),
                "lane %d is what it is alone, from the same noise", i);
        for (SlLineUp l = SL_LINE_UP_STEP; l <= SL_LINE_UP_EVALUATIONS; l++) {
            SlPlace end = sl_lanes_place(lanes, i, l, 1), start = sl_lanes_place(lanes, i, l, 0);
            /* heun's and pndm's first step ends with the second evaluation; pndm's second has the
             * noise level of the first */
            int begin = i == 3 && l == SL_LINE_UP_SIGMA ? 2 : i % 2;
            sl_test(end.lane == i && end.moment == last && start.moment == begin,
                    "by %s: its ends (%d, %d)", sl_line_up_names[l], start.moment, end.moment);
        }
        sl_timeline_free(alone);
    }
    sl_test(sl_lanes_stops(lanes, SL_LINE_UP_STEP) == 8 &&
                sl_lanes_value(lanes, SL_LINE_UP_STEP, 1) == 8,
            "by step: 8 positions");
    /* 4 evaluations: euler's step 4, heun's second step, pndm's third */
    double at = 3 / 7.;
    sl_test(sl_lanes_value(lanes, SL_LINE_UP_EVALUATIONS, at) == 4 &&
                sl_lanes_place(lanes, 0, SL_LINE_UP_EVALUATIONS, at).moment == 3 &&
                sl_lanes_place(lanes, 1, SL_LINE_UP_EVALUATIONS, at).moment == 3 &&
                sl_lanes_place(lanes, 3, SL_LINE_UP_EVALUATIONS, at).moment == 3,
            "by evaluations: the same cost");
    double position = sl_lanes_position(lanes, SL_LINE_UP_SIGMA, 0, 3);
    SlPlace place = sl_lanes_place(lanes, 0, SL_LINE_UP_SIGMA, position);
    double sigma = sl_timeline_moment(sl_lanes_timeline(lanes, 0), 3)->sigma;
    sl_test(place.moment == 3 &&
                fabs(sl_lanes_value(lanes, SL_LINE_UP_SIGMA, position) / sigma - 1) < 1e-9,
            "by sigma: a moment's position leads back to it");
    SlRecipe other = recipe_for(model, "ddim", 6);
    int b = sl_lanes_branch(lanes, model, 0, 3, &other, &err);
    while (b >= 0 && sl_lanes_next(lanes, model, &lane, &err) && lane >= 0)
        ;
    sl_test(b == 4 && sl_lanes_parent(lanes, b) == 0 &&
                sl_lanes_place(lanes, b, SL_LINE_UP_STEP, 0).lane == 0 &&
                sl_lanes_place(lanes, b, SL_LINE_UP_STEP, 1).lane == b,
            "a branch shows its parent before it begins %s", err.message);
    sl_lanes_free(lanes);
}

/* As large as nine lanes of 50 steps at 512 x 512 of a model with 4 channels and a factor of 8. */
static void test_memory(SlModel *model)
{
    static const char *const ids[] = {"pndm", "ddim",  "euler",    "euler-a",     "heun",
                                      "lms",  "unipc", "dpmpp-2m", "dpmpp-2m-sde"};
    SlError err = {0};
    SlLanes *lanes = sl_lanes_new();
    const SlModelInfo *info = sl_model_info(model);
    bool ok = info->channels == 4, whole = true;
    for (int i = 0; ok && i < 9; i++) {
        SlRecipe recipe = recipe_for(model, ids[i], 50);
        recipe.width = recipe.height = 64 * info->factor;
        ok = sl_lanes_add(lanes, model, &recipe, NULL, 9, &err) == i;
        whole = ok && whole && sl_timeline_interval(sl_lanes_timeline(lanes, i)) == 1;
    }
    sl_test(ok && whole && sl_lanes_bytes(lanes) < (size_t)200 << 20,
            "9 lanes of 50 steps keep every moment in %.1f MiB %s",
            (double)sl_lanes_bytes(lanes) / (1 << 20), err.message);
    sl_lanes_free(lanes);
}

/* ---- the file ---- */

static bool same_timeline(const SlTimeline *a, const SlTimeline *b)
{
    bool same = sl_timeline_count(a) == sl_timeline_count(b) &&
                sl_timeline_total(a) == sl_timeline_total(b) && bytes_of(a) == bytes_of(b) &&
                sl_recipe_equal(sl_timeline_recipe(a), sl_timeline_recipe(b)) &&
                sl_origin_depth(sl_timeline_origin(a)) == sl_origin_depth(sl_timeline_origin(b));
    for (int i = 0; same && i < sl_timeline_count(a); i++) {
        const SlMoment *m = sl_timeline_moment(a, i), *n = sl_timeline_moment(b, i);
        same = m->step == n->step && m->ends_step == n->ends_step && m->sigma == n->sigma &&
               m->timestep == n->timestep && m->level == n->level && m->work == n->work &&
               m->seconds == n->seconds && m->evaluation == n->evaluation && m->last == n->last &&
               !m->x_t == !n->x_t;
        same = same && (!m->x_t || (!memcmp(m->x_t, n->x_t, bytes_of(a)) &&
                                    !memcmp(m->x_0, n->x_0, bytes_of(a))));
    }
    return same;
}

static SlLanes *make_lanes(SlModel *model)
{
    SlError err = {0};
    SlLanes *lanes = sl_lanes_new();
    SlRecipe a = recipe_for(model, "euler", 5), b = recipe_for(model, "heun", 4), c = a;
    int lane = 0;
    c.scheduler = "ddim";
    bool ok = sl_lanes_add(lanes, model, &a, NULL, 3, &err) == 0 &&
              sl_lanes_add(lanes, model, &b, NULL, 3, &err) == 1;
    for (int i = 0; ok && i < 10; i++) /* heun is left where it is */
        ok = sl_lanes_next(lanes, model, &lane, &err);
    ok = ok && sl_lanes_branch(lanes, model, 0, 2, &c, &err) == 2;
    sl_lanes_pause(lanes, 1, true);
    while (ok && sl_lanes_next(lanes, model, &lane, &err) && lane >= 0)
        ;
    if (!ok)
        sl_test_note("%s", err.message);
    return lanes;
}

/* Every damage of the file is one sentence, never a comparison. */
static void test_damage(const char *path, const char *bad)
{
    static uint8_t data[1 << 21];
    FILE *f = fopen(path, "rb");
    size_t bytes = f ? fread(data, 1, sizeof data, f) : 0;
    int refused = 0, tried = 0;
    if (f)
        fclose(f);
    for (size_t k = 0; bytes && k < 60; k++) {
        size_t at = 8 + (bytes - 9) * k / 60, cut = k % 2 ? bytes : at;
        uint8_t was = data[at];
        data[at] ^= 0x10;
        SlError err = {0};
        SlMetadata identity = {0};
        FILE *out = fopen(bad, "wb");
        fwrite(data, 1, cut, out);
        fclose(out);
        data[at] = was;
        SlLanes *lanes = sl_lanes_load(bad, &identity, &err);
        tried++;
        /* a changed preview, or a changed letter in a prompt, is another file, not a damaged one */
        refused += !lanes && err.message[0] && strstr(err.message, bad);
        if (lanes && cut < bytes)
            refused = -1000;
        if (lanes)
            sl_metadata_free(&identity);
        sl_lanes_free(lanes);
    }
    sl_test(refused >= 30 && tried == 60, "damaged files are refused by name: %d of %d", refused,
            tried);
}

static void test_file(SlModel *model)
{
    char path[] = "/tmp/safelight-lanes-XXXXXX.safelight", bad[64];
    int fd = mkstemps(path, 10);
    SlError err = {0};
    SlMetadata identity, read = {0};
    SlLanes *lanes = make_lanes(model);
    describe_model(model, &identity);
    bool ok = fd >= 0 && sl_lanes_save(lanes, model, &identity, path, &err);
    SlLanes *again = ok ? sl_lanes_load(path, &read, &err) : NULL;
    sl_test(again && sl_lanes_count(again) == 3 && sl_lanes_parent(again, 2) == 0 &&
                !strcmp(read.model, identity.model),
            "a comparison is saved and opened %s", err.message);
    SlLaneCheck checks[3] = {{0}};
    bool computed = again && sl_lanes_verify(again, model, checks, &err);
    for (int i = 0; again && i < 3; i++) {
        SlLaneCheck check = checks[i];
        sl_test(same_timeline(sl_lanes_timeline(lanes, i), sl_lanes_timeline(again, i)),
                "lane %d has all its moments", i);
        sl_test(computed && check.noise && check.same == check.kept && check.kept > 0,
                "and they are computed again to the same bytes (%d of %d) %s", check.same,
                check.kept, err.message);
    }
    if (again) {
        SlTimeline *t = sl_lanes_timeline(again, 1);
        while (!sl_timeline_done(t) && sl_timeline_next(t, model, &err))
            ;
        SlRecipe recipe = recipe_for(model, "heun", 4);
        SlTimeline *whole = record(model, &recipe, NULL);
        sl_test(sl_timeline_done(t) && !memcmp(sl_timeline_moment(t, 6)->x_t,
                                               sl_timeline_moment(whole, 6)->x_t, bytes_of(t)),
                "a lane that was not done goes on %s", err.message);
        sl_timeline_free(whole);
        sl_metadata_free(&read);
    }
    snprintf(bad, sizeof bad, "%s.bad", path);
    test_damage(path, bad);
    unlink(path);
    unlink(bad);
    if (fd >= 0)
        close(fd);
    sl_lanes_free(again);
    sl_lanes_free(lanes);
}

int main(void)
{
    SlModel *model = open_model("sd1");
    test_recording(model);
    test_look(model);
    test_same_branches(model);
    test_other_branches(model);
    test_origin(model);
    test_lanes(model);
    test_memory(model);
    test_file(model);
    sl_model_close(&model);
    test_keyframes();
    return sl_test_done();
}
