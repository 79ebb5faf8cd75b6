/* test_runs.c - what a run promises: the same bytes again, from a saved state, after a cancel,
 * and for any number of threads; frames; and clear refusals. */
#include "engine/engine.h"
#include "tests/engine/run/canceller.h"
#include "tests/test.h"

#include <string.h>

static SlModel *open_model(const char *name, const char *device, int threads)
{
    char relative[128];
    SlError err = {0};
    snprintf(relative, sizeof relative, "goldens/model/%s", name);
    char *folder = sl_test_path(relative);
    SlModel *model =
        sl_model_open(folder, &(SlModelOptions){.device = device, .threads = threads}, &err);
    if (!model)
        sl_test_note("%s", err.message);
    free(folder);
    return model;
}

static SlRecipe recipe_for(SlModel *model, const char *scheduler, int steps)
{
    SlRecipe recipe;
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.prompt = "a photograph of an astronaut riding a horse";
    recipe.scheduler = scheduler;
    recipe.steps = steps;
    recipe.seed = 42;
    return recipe;
}

/* SHA-256 of the last sample of a whole run, "" on failure. */
static void digest_of_run(SlModel *model, const SlRecipe *recipe, char hex[65])
{
    SlError err = {0};
    SlRun *run = sl_run_new(model, recipe, NULL, &err);
    hex[0] = 0;
    while (run && !sl_run_done(run) && sl_run_next(run, NULL, &err))
        ;
    if (run && sl_run_done(run))
        sl_sha256(sl_run_sample(run), (size_t)sl_run_sample_elements(run) * sizeof(float), hex);
    else
        sl_test_note("%s", err.message);
    sl_run_free(run);
}

static void test_same_bytes(void)
{
    char first[65], other[65];
    SlModel *model = open_model("sd1", "cpu", 1);
    SlRecipe recipe = recipe_for(model, "euler-a", 6);
    digest_of_run(model, &recipe, first);
    digest_of_run(model, &recipe, other);
    sl_test(first[0] && !strcmp(first, other), "the same recipe gives the same bytes");
    recipe.seed++;
    digest_of_run(model, &recipe, other);
    sl_test(strcmp(first, other) != 0, "another seed gives another picture");
    sl_model_close(&model);
    for (int threads = 2; threads <= 3; threads++) {
        model = open_model("sd1", "cpu", threads);
        recipe = recipe_for(model, "euler-a", 6);
        digest_of_run(model, &recipe, other);
        sl_test(!strcmp(first, other), "%d threads give the same bytes as one", threads);
        sl_model_close(&model);
    }
}

/* Saves at evaluation `at`, runs on; restores into a new run and runs on: equal? */
static bool branch_equals(SlModel *model, const SlRecipe *recipe, int at, const char *whole)
{
    SlError err = {0};
    size_t bytes = 0;
    char hex[65] = "";
    SlRun *run = sl_run_new(model, recipe, NULL, &err), *branch = NULL;
    for (int i = 0; run && i < at; i++)
        sl_run_next(run, NULL, &err);
    void *state = run ? sl_run_save(run, &bytes) : NULL;
    branch = state ? sl_run_new(model, recipe, NULL, &err) : NULL;
    bool ok = branch && sl_run_restore(branch, state, bytes, &err);
    while (ok && !sl_run_done(branch))
        ok = sl_run_next(branch, NULL, &err);
    if (ok)
        sl_sha256(sl_run_sample(branch), (size_t)sl_run_sample_elements(branch) * sizeof(float),
                  hex);
    if (ok && bytes > 100)
        ok = !sl_run_restore(branch, state, bytes - 1, NULL) &&
             !sl_run_restore(branch, state, 10, NULL);
    free(state);
    sl_run_free(run);
    sl_run_free(branch);
    return ok && !strcmp(hex, whole);
}

/* A sanitizer has seen the code after one of them, in the middle. */
#ifdef __SANITIZE_ADDRESS__
#define FIRST_RESTORED 2
#define LAST_RESTORED  2
#else
#define FIRST_RESTORED 0
#define LAST_RESTORED  5
#endif

static void test_branches(void)
{
    SlModel *model = open_model("sd1", "cpu", 0);
    for (int i = 0; i < sl_scheduler_count(); i++) {
        const char *id = sl_scheduler_info(i)->id;
        if (!sl_scheduler_suits(sl_scheduler_info(i), sl_model_info(model)->prediction))
            continue;
        SlRecipe recipe = recipe_for(model, id, 5);
        char whole[65];
        digest_of_run(model, &recipe, whole);
        bool ok = whole[0] != 0;
        for (int at = FIRST_RESTORED; ok && at <= LAST_RESTORED; at++)
            ok = branch_equals(model, &recipe, at, whole);
        sl_test(ok, "%s: a run restored at any step goes on to the same bytes", id);
    }
    sl_model_close(&model);
}

static void test_frames(void)
{
    SlModel *model = open_model("sd1", "cpu", 0);
    const struct {
        const char *scheduler;
        int evaluations;
    } cases[] = {{"pndm", 11}, {"heun", 19}, {"euler", 10}, {"unipc", 10}};
    for (int i = 0; i < 4; i++) {
        SlRecipe recipe = recipe_for(model, cases[i].scheduler, 10);
        SlError err = {0};
        SlFrame frame;
        SlRun *run = sl_run_new(model, &recipe, NULL, &err);
        int frames = 0, ends = 0;
        double sigma = 1e9;
        bool falls = true, last = false;
        while (run && !sl_run_done(run) && sl_run_next(run, &frame, &err)) {
            falls = falls && frame.sigma <= sigma + 1e-9 && frame.evaluation == frames &&
                    frame.x_0 && frame.guidance_term;
            sigma = frame.sigma;
            ends += frame.ends_step;
            last = frame.last;
            frames++;
        }
        sl_test(frames == cases[i].evaluations && ends == 10 && last,
                "%s: %d evaluations for 10 steps (%d, %d steps ended) %s", cases[i].scheduler,
                cases[i].evaluations, frames, ends, err.message);
        sl_test(falls, "%s: frames are numbered, complete, and sigma falls", cases[i].scheduler);
        sl_run_free(run);
    }
    sl_model_close(&model);
}

/* ---- what runs share, and going on without the model ---- */

static void digest_with(SlModel *model, const SlRecipe *recipe, SlShare *share, char hex[65])
{
    SlError err = {0};
    SlRun *run = sl_run_new(model, recipe, &(SlRunInputs){.share = share}, &err);
    hex[0] = 0;
    while (run && !sl_run_done(run) && sl_run_next(run, NULL, &err))
        ;
    if (run && sl_run_done(run))
        sl_sha256(sl_run_sample(run), (size_t)sl_run_sample_elements(run) * sizeof(float), hex);
    sl_run_free(run);
}

/* A picture turned by 90 degrees has as many elements, and the same noise. */
static void test_share_turned(void)
{
    SlModel *model = open_model("sd1", "cpu", 0);
    SlShare *share = sl_share_new(model);
    SlRecipe wide = recipe_for(model, "ddim", 2), high = wide;
    char apart[65], together[65];
    wide.width *= 2;
    high.height *= 2;
    digest_with(model, &wide, share, together);
    digest_with(model, &high, share, together);
    digest_of_run(model, &high, apart);
    sl_test(apart[0] && !strcmp(together, apart),
            "a run that is as high as another is wide shares no evaluation with it");
    sl_share_free(share);
    sl_model_close(&model);
}

static void test_share(void)
{
    static const char *const ids[] = {"pndm", "ddim", "ddim", "ddim", "unipc"};
    static const double guidance[] = {7.5, 7.5, 3, 1, 7.5};
    SlModel *model = open_model("sd1", "cpu", 0);
    SlShare *share = sl_share_new(model);
    bool same = true;
    for (int i = 0; i < 5; i++) {
        char apart[65], together[65];
        SlRecipe recipe = recipe_for(model, ids[i], 4);
        recipe.guidance = guidance[i];
        digest_of_run(model, &recipe, apart);
        digest_with(model, &recipe, share, together);
        same = same && apart[0] && !strcmp(apart, together);
    }
    SlShareCounts counts = sl_share_counts(share);
    sl_test(same, "runs that share give the bytes of runs apart");
    sl_test(counts.texts == 2, "two texts are encoded for five runs (%d)", counts.texts);
    sl_test(counts.evaluations_shared == 2,
            "pndm, ddim and ddim with another guidance share the first evaluation (%d)",
            counts.evaluations_shared);
    sl_share_free(share);
    sl_model_close(&model);
}

/* Records a run's outputs; a second run is advanced with them: the same frames. */
static bool advances_alike(SlModel *model, const SlRecipe *recipe)
{
    SlError err = {0};
    SlRun *run = sl_run_new(model, recipe, NULL, &err),
          *again = sl_run_new(model, recipe, NULL, &err);
    bool ok = run && again;
    while (ok && !sl_run_done(run)) {
        SlFrame a, b;
        const float *said = NULL;
        ok = sl_run_next(run, &a, &err);
        if (ok && sl_run_needs_said(again))
            said = a.said;
        ok = ok &&
             sl_run_advance(again, &(SlKnown){.output = a.model_output, .said = said}, &b, &err);
        size_t bytes = ok ? (size_t)sl_run_sample_elements(run) * sizeof(float) : 0;
        ok = ok && !memcmp(a.x_t, b.x_t, bytes) && !memcmp(a.x_0, b.x_0, bytes) &&
             a.level == b.level && !b.guidance_term && a.evaluation == b.evaluation;
    }
    ok = ok && sl_run_done(again);
    sl_run_free(run);
    sl_run_free(again);
    return ok;
}

/* Looks at each evaluation from the sample before it: what the run had. */
static bool looks_alike(SlModel *model, const SlRecipe *recipe)
{
    SlError err = {0};
    SlRun *run = sl_run_new(model, recipe, NULL, &err),
          *eye = sl_run_new(model, recipe, NULL, &err);
    size_t bytes = run ? (size_t)sl_run_sample_elements(run) * sizeof(float) : 0;
    float *before = malloc(bytes);
    bool ok = run && eye && before;
    for (int i = 0; ok && !sl_run_done(run); i++) {
        SlFrame a, b;
        memcpy(before, sl_run_sample(run), bytes);
        ok = sl_run_next(run, &a, &err) && sl_run_look(eye, i, before, &b, &err) &&
             !memcmp(a.model_output, b.model_output, bytes) &&
             !memcmp(a.guidance_term, b.guidance_term, bytes) && sl_run_evaluation(eye) == 0;
    }
    ok = ok && !sl_run_look(eye, sl_run_evaluations(eye), before, &(SlFrame){0}, &err);
    free(before);
    sl_run_free(run);
    sl_run_free(eye);
    return ok;
}

static void test_known_outputs(void)
{
    SlModel *model = open_model("sd1", "cpu", 0);
    for (int i = 0; i < sl_scheduler_count(); i++) {
        if (!sl_scheduler_suits(sl_scheduler_info(i), sl_model_info(model)->prediction))
            continue;
        SlRecipe recipe = recipe_for(model, sl_scheduler_info(i)->id, 4);
        sl_test(advances_alike(model, &recipe), "%s: known outputs lead to the same samples",
                recipe.scheduler);
        sl_test(looks_alike(model, &recipe), "%s: any evaluation can be looked at again",
                recipe.scheduler);
    }
    sl_model_close(&model);
}

/* ---- refusals ---- */

static void refused(SlModel *model, SlRecipe recipe, const char *what, const char *expected)
{
    SlError err = {0};
    SlRun *run = sl_run_new(model, &recipe, NULL, &err);
    sl_test(!run && err.code != SL_OK && strstr(err.message, expected), "%s is refused: %s", what,
            err.message);
    sl_run_free(run);
}

static void test_refusals(void)
{
    SlModel *model = open_model("sd1", "cpu", 0);
    SlRecipe good = recipe_for(model, "euler", 5), bad = good;
    bad.width = 33;
    refused(model, bad, "a width that does not fit", "width is 33");
    bad = good;
    bad.height = 1 << 20;
    refused(model, bad, "a height of a million", "height is 1048576");
    bad = good;
    bad.steps = 0;
    refused(model, bad, "no steps", "steps is 0");
    bad = good;
    bad.guidance = 0.0 / 0.0;
    refused(model, bad, "guidance NaN", "guidance is");
    bad = good;
    bad.scheduler = "best";
    refused(model, bad, "an unknown scheduler", "\"best\"");
    bad = good;
    bad.prompt = "caf\xe9";
    refused(model, bad, "a prompt that is not UTF-8", "UTF-8");
    bad = good;
    bad.clip_skip = 50;
    refused(model, bad, "more clip skip than layers", "skip");
    SlError err = {0};
    SlModel *none = sl_model_open("/nonexistent/model", NULL, &err);
    sl_test(!none && strstr(err.message, "/nonexistent/model"), "a folder that is not there: %s",
            err.message);
    none = sl_model_open(sl_model_info(model)->path, &(SlModelOptions){.device = "abacus"}, &err);
    sl_test(!none && strstr(err.message, "abacus"), "an unknown device: %s", err.message);
    sl_model_close(&model);
}

static void test_prompt_too_long(void)
{
    SlModel *model = open_model("odd", "cpu", 0);
    SlRecipe recipe = recipe_for(model, NULL, 2);
    SlError err = {0};
    recipe.prompt = "a photograph of an astronaut riding a horse on the moon, with stars";
    SlRun *run = sl_run_new(model, &recipe, NULL, &err);
    const char *warning = run ? sl_run_warning(run) : NULL;
    sl_test(warning && strstr(warning, "not used: "), "a prompt that is too long says so: %s",
            warning ? warning : err.message);
    sl_run_free(run);
    sl_model_close(&model);
}

static void test_cost(void)
{
    SlModel *model = open_model("sd1", "cpu", 0);
    SlRecipe recipe = recipe_for(model, NULL, 5);
    SlError err = {0};
    SlCost small, large;
    bool ok = sl_model_cost(sl_model_info(model), &recipe, "f32", &small, &err);
    recipe.width = recipe.height = sl_model_info(model)->width * 2;
    ok = ok && sl_model_cost(sl_model_info(model), &recipe, "f32", &large, &err);
    sl_test(ok && small.step_flops > 0 && small.decode_flops > 0 && small.text_flops > 0 &&
                small.weight_bytes > 100000,
            "the cost of a run is known before it: %.3g operations a step %s", small.step_flops,
            err.message);
    sl_test(ok && large.step_flops > 3.5 * small.step_flops && large.peak_bytes > small.peak_bytes,
            "four times the pixels cost about four times as much");
    sl_model_close(&model);
}

/* ---- cancel from another thread ---- */

static void test_cancel(void)
{
    SlModel *model = open_model("sd1", "ref", 1);
    SlRecipe recipe = recipe_for(model, "dpmpp-2m", 4);
    char whole[65], hex[65] = "";
    int cancelled = 0;
    SlError err = {0};
    digest_of_run(model, &recipe, whole);
    SlRun *run = sl_run_new(model, &recipe, NULL, &err);
    for (long us = 500; run && !sl_run_done(run) && us < 200000000; us = us * 3 / 2) {
        Canceller c;
        canceller_begin(&c, model, us % 900000);
        if (!sl_run_next(run, NULL, &err) && err.code == SL_CANCELLED)
            cancelled++;
        canceller_end(&c);
    }
    /* where a step takes longer than any of these times, as under a sanitizer on a busy machine */
    while (run && !sl_run_done(run) && sl_run_next(run, NULL, &err))
        ;
    if (run)
        sl_sha256(sl_run_sample(run), (size_t)sl_run_sample_elements(run) * sizeof(float), hex);
    sl_test(cancelled > 0, "a step can be cancelled inside (%d times)", cancelled);
    sl_test(!strcmp(hex, whole), "a run goes on after a cancel to the same bytes");
    sl_run_free(run);
    sl_model_close(&model);
}

/* What a schedule says before a run is what the run does. */
static void schedule_is_that_of_run(SlModel *model, const SlRecipe *recipe)
{
    SlSchedule schedule;
    SlError err = {0};
    bool made = sl_schedule_make(sl_model_info(model), recipe, &schedule, &err);
    SlRun *run = sl_run_new(model, recipe, NULL, &err);
    bool same = made && run && schedule.steps == recipe->steps, begins = true, ends;
    for (int i = 0; same && i < sl_run_evaluations(run); i++) {
        const SlScheduler *s = sl_run_scheduler(run);
        int step = sl_scheduler_step_of(s, i, &ends);
        same = !begins || (schedule.sigmas[step] == sl_scheduler_sigma(s, i) &&
                           schedule.timesteps[step] == sl_scheduler_timestep(s, i));
        begins = ends;
    }
    sl_test(same, "the schedule of %s is known before the run %s",
            recipe->scheduler ? recipe->scheduler : "the model's own", err.message);
    sl_run_free(run);
    sl_schedule_free(&schedule);
}

static void test_schedule(void)
{
    static const char *const schedulers[] = {NULL, "heun", "pndm", "dpmpp-2m", "euler", "ddim"};
    SlModel *model = open_model("sd1", "cpu", 1);
    SlSchedule schedule;
    SlError err = {0};
    SlRecipe recipe;
    for (size_t i = 0; i < sizeof schedulers / sizeof *schedulers; i++) {
        recipe = recipe_for(model, schedulers[i], 7);
        recipe.width = recipe.height = 0;
        schedule_is_that_of_run(model, &recipe);
    }
    recipe = recipe_for(model, "euler", 3);
    recipe.sigma_list = "9,3.5,0.5,0";
    schedule_is_that_of_run(model, &recipe);
    recipe.steps = 4;
    sl_test(!sl_schedule_make(sl_model_info(model), &recipe, &schedule, &err) &&
                strstr(err.message, "expected 3"),
            "what a run refuses: %s", err.message);
    sl_schedule_free(&schedule);
    sl_model_close(&model);
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "threads")) {
        test_cancel();
        return sl_test_done();
    }
    test_same_bytes();
    test_branches();
    test_schedule();
    test_frames();
    test_share();
    test_share_turned();
    test_known_outputs();
    test_refusals();
    test_prompt_too_long();
    test_cost();
    return sl_test_done();
}
