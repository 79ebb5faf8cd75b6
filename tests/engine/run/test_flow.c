/* test_flow.c - a model that predicts flow, from its folder to a branch: what its configuration
 * says is recognised, the schedulers that suit it run and the others are refused, and a branch into
 * another one crosses to that one's level.
 */
#include "engine/engine.h"
#include "tests/engine/run/scheduler_model.h"

#include <math.h>
#include <string.h>

static SlRecipe recipe_for(SlModel *model, const char *scheduler, int steps)
{
    SlRecipe recipe;
    sl_recipe_defaults(&recipe, sl_model_info(model));
    recipe.prompt = "a red house";
    recipe.scheduler = scheduler;
    recipe.steps = steps;
    recipe.seed = 42;
    return recipe;
}

/* To the end; every evaluation's level is the next one's sigma. */
static bool runs_through(SlRun *run, SlError *err)
{
    SlFrame frame = {.level = 1};
    double level = sl_scheduler_sigma(sl_run_scheduler(run), sl_run_evaluation(run));
    while (!sl_run_done(run)) {
        if (!sl_run_next(run, &frame, err))
            return false;
        if (frame.sigma != level || frame.sigma > 1)
            return sl_fail(err, SL_FORMAT, "evaluation %d is at %g", frame.evaluation, frame.sigma);
        level = frame.level;
    }
    return frame.last && level == 0;
}

static void test_schedulers(SlModel *model)
{
    int count = 0;
    for (int i = 0; i < sl_scheduler_count(); i++) {
        const SlSchedulerInfo *info = sl_scheduler_info(i);
        SlRecipe recipe = recipe_for(model, info->id, 5);
        SlError err = {0};
        SlRun *run = sl_run_new(model, &recipe, NULL, &err);
        bool suits = sl_scheduler_suits(info, SL_PREDICT_FLOW);
        count += suits;
        if (suits)
            sl_test(run && runs_through(run, &err), "%s runs %s", info->id, err.message);
        else
            sl_test(!run &&
                        strstr(err.message, info->only_edm ? "for models that are trained as EDM is"
                                                           : "for models that do not predict "
                                                             "flow; expected "),
                    "%s: %s", info->id, err.message);
        sl_run_free(run);
    }
    sl_test(count == 8, "8 schedulers suit, not %d", count);
}

/* A solver lays out flow in one way. */
static void test_sigmas(SlModel *model)
{
    SlRecipe recipe = recipe_for(model, "unipc", 5);
    SlError err = {0};
    recipe.sigmas = SL_SIGMAS_KARRAS;
    sl_test(!sl_recipe_check(&recipe, sl_model_info(model), &err) && strstr(err.message, "sigmas"),
            "unipc with Karras: %s", err.message);
    recipe.scheduler = "flow-euler";
    SlRun *run = sl_run_new(model, &recipe, NULL, &err);
    sl_test(run && runs_through(run, &err), "flow-euler has the choice %s", err.message);
    sl_run_free(run);
}

/* The sigmas follow the size: a larger picture stays longer in the noise. */
static void test_size(SlModel *model)
{
    double second[2] = {0};
    for (int i = 0; i < 2; i++) {
        SlError err = {0};
        SlRecipe recipe = recipe_for(model, "flow-euler", 5);
        recipe.width = recipe.height = i ? 64 : 32;
        SlRun *run = sl_run_new(model, &recipe, NULL, &err);
        second[i] = run ? sl_scheduler_sigma(sl_run_scheduler(run), 1) : 0;
        sl_run_free(run);
    }
    sl_test(second[0] > 0 && second[1] > second[0], "dynamic shifting by size: %g, %g", second[0],
            second[1]);
}

/* ---- branches ---- */

/* The branch's sample holds from's last x_0 and the noise that went with it, at its own level. */
static double apart(const SlRun *from, const float *x_0, const SlRun *branch)
{
    const SlScheduler *a = sl_run_scheduler(from), *b = sl_run_scheduler(branch);
    SlNoiseLevel here = sl_scheduler_level(a, sl_run_evaluation(from));
    SlNoiseLevel there = sl_scheduler_level(b, sl_run_evaluation(branch));
    const float *x = sl_run_sample(from), *got = sl_run_sample(branch);
    double worst = 0, top = 0;
    for (int64_t i = 0; i < sl_run_sample_elements(from); i++) {
        double noise = (x[i] - here.alpha * x_0[i]) / here.sigma;
        worst = fmax(worst, fabs(there.alpha * x_0[i] + there.sigma * noise - got[i]));
        top = fmax(top, fabs(got[i]));
    }
    return worst / top;
}

static void test_branch(SlModel *model, const char *from_id, const char *to_id)
{
    SlError err = {0};
    SlFrame frame = {0};
    SlRecipe of_from = recipe_for(model, from_id, 8), of_branch = recipe_for(model, to_id, 11);
    SlRun *from = sl_run_new(model, &of_from, NULL, &err);
    SlRun *branch = from ? sl_run_new(model, &of_branch, NULL, &err) : NULL;
    bool ok = branch != NULL;
    while (ok && !(frame.ends_step && frame.step == 2))
        ok = sl_run_next(from, &frame, &err);
    ok = ok && sl_run_continue(branch, from, &err);
    if (sl_test(ok, "%s goes on as %s %s", from_id, to_id, err.message)) {
        double reached = frame.level,
               entered = sl_scheduler_sigma(sl_run_scheduler(branch), sl_run_evaluation(branch));
        sl_test(entered < reached && entered > reached / 2,
                "at the next level of its own, %.3f after %.3f", entered, reached);
        double error = apart(from, frame.x_0, branch);
        sl_test(error < 1e-6, "with the same x_0 and noise: %.2g", error);
        sl_test(runs_through(branch, &err), "to the end %s", err.message);
    }
    sl_run_free(from);
    sl_run_free(branch);
}

int main(void)
{
    SlError err = {0};
    SlModelInfo info;
    char folder[] = "/tmp/safelight-flow-XXXXXX";
    if (!sl_test(mkdtemp(folder) && scheduler_model_named(folder, "sd1", FLOW_SCHEDULER),
                 "a folder with a flow model's scheduler"))
        return sl_test_done();
    bool known = sl_model_inspect(folder, &info, &err);
    sl_test(known && !strcmp(info.scheduler, "flow-euler") && info.prediction == SL_PREDICT_FLOW,
            "is recognised %s", err.message);
    SlModel *model = sl_model_open(folder, &(SlModelOptions){.device = "cpu"}, &err);
    if (sl_test(model != NULL, "and opened %s", err.message)) {
        test_schedulers(model);
        test_sigmas(model);
        test_size(model);
        test_branch(model, "flow-euler", "unipc");
        test_branch(model, "dpmpp-2m", "flow-heun");
        test_branch(model, "flow-heun", "deis");
        test_branch(model, "flow-lcm", "flow-euler");
    }
    sl_model_close(&model);
    scheduler_model_remove(folder);
    return sl_test_done();
}
