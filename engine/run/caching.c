/* caching.c - evaluations that take over a part of what an earlier one found (SlCaching).
 *
 * deep is DeepCache (Ma et al. 2023, the package DeepCache 0.1.1 with skip_mode "uniform"): of the steps
 * that have caching the first evaluation and every n-th behind it is of the whole model and leaves its
 * deep feature; those between are made around it. first-block is the rule of diffusers'
 * hooks/first_block_cache.py: the first block is always evaluated, and where what it adds differs from what
 * it added at the last whole evaluation by no more than a share of that (the means of absolute values, of
 * all samples of the evaluation together), what the rest adds is taken from there. What these parts are of a
 * UNet is said in nets/unet.c.
 *
 * Easy to get wrong: what is kept is void as soon as the model is told anything else or has other weights
 * (a LoRA whose strength follows the steps, a prompt with a schedule, an end of the guidance, a refiner):
 * then the evaluation is a whole one, whatever its number. And a run that is taken up again has to go on to
 * the same bytes: so its state names the last whole evaluation with its input, which is a small array, and
 * the evaluation is made once more, in a batch of the same size, before one takes something over from it.
 * What it leaves on the device is therefore never part of a state or a file. Such a run's evaluation is not
 * another run's either (share.c): nothing would be kept of it.
 */
#include "engine/run/run_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is kept, and whether it holds ---- */

static void add_text(SlSha256 *sha, const char *text)
{
    sl_sha256_add(sha, text, strlen(text) + 1);
}

/* The strengths of the adapters in the denoiser; a refiner has none. */
static void add_adapters(const SlRun *run, int evaluation, SlSha256 *sha)
{
    for (int k = 0; k < run->adapters.count; k++) {
        const SlAdapterUse *use = &run->adapters.use[k];
        double strength = sl_adapter_use_at(use, evaluation, sl_run_evaluations(run));
        add_text(sha, use->name);
        add_text(sha, use->hash);
        sl_sha256_add(sha, &strength, sizeof strength);
    }
}

/* Of all that an evaluation depends on beside its sample and its time. */
static void identify(const SlRun *run, int evaluation, char hex[65])
{
    const SlRunSide *side = sl_run_side_at((SlRun *)run, evaluation);
    const SlRecipe *r = &run->recipe;
    int batch = sl_run_batch(run, side, evaluation);
    const int numbers[] = {(int)r->caching, r->caching == SL_CACHING_DEEP ? r->caching_branch : 0,
                           (int)(side - run->side), batch, r->class_label};
    double guidance = side->model->info.told_guidance ? r->guidance : 0;
    SlSha256 sha;
    sl_sha256_begin(&sha);
    sl_sha256_add(&sha, numbers, sizeof numbers);
    sl_sha256_add(&sha, &guidance, sizeof guidance);
    for (int i = side->batch - batch; side->words && i < side->batch; i++)
        add_text(&sha, side->words[evaluation].condition[i]->identity);
    if (side == run->side)
        add_adapters(run, evaluation, &sha);
    sl_sha256_end(&sha, hex);
}

static bool holds(const SlRun *run, int evaluation)
{
    char told[65];
    if (run->kept.evaluation < 0 || run->kept.evaluation >= evaluation)
        return false;
    identify(run, evaluation, told);
    return strcmp(told, run->kept.told) == 0;
}

void sl_run_note_whole(SlRun *run, int evaluation, int place, int together)
{
    run->kept.evaluation = evaluation;
    run->kept.place = place;
    run->kept.together = together > 0 ? together : 1;
    identify(run, evaluation, run->kept.told);
    memcpy(run->kept.input, run->input, (size_t)run->elements * sizeof(float));
}

/* ---- how an evaluation is made ---- */

static int step_of(const SlRun *run, int evaluation)
{
    bool ends;
    const SlRunSide *side = sl_run_side_at((SlRun *)run, evaluation);
    return sl_scheduler_step_of(side->scheduler, evaluation, &ends);
}

SlRunReuse sl_run_reuse(const SlRun *run, int evaluation)
{
    const SlRecipe *r = &run->recipe;
    int first = evaluation;
    if (!sl_recipe_caches(r, step_of(run, evaluation)))
        return SL_RUN_WHOLE;
    if (r->caching == SL_CACHING_FIRST_BLOCK)
        return SL_RUN_TESTS;
    while (first > 0 && sl_recipe_caches(r, step_of(run, first - 1)))
        first--;
    return (evaluation - first) % r->caching_interval == 0 || !holds(run, evaluation)
               ? SL_RUN_KEEPS
               : SL_RUN_TAKES;
}

bool sl_run_reuse_matches(const SlRun *a, const SlRun *b)
{
    SlRunReuse of_a = sl_run_reuse(a, a->evaluation), of_b = sl_run_reuse(b, b->evaluation);
    bool one_by_one = of_a == SL_RUN_TESTS; /* what each finds decides what it does next */
    return of_a == of_b && !one_by_one &&
           (of_a == SL_RUN_WHOLE || a->recipe.caching_branch == b->recipe.caching_branch);
}

/* The first block, then the rest of it or none; kept NULL: what is found is not wanted later. */
static bool evaluate_testing(SlRun *run, SlStep *step, SlStepRun *ask, bool known, bool keeps,
                             SlError *err)
{
    SlRunKept *kept = &run->kept;
    float *output = ask->output;
    double share = NAN;
    ask->output = NULL;
    if (!sl_step_evaluate_part(step, ask, SL_REUSE_FIRST, 0, err) ||
        (known && !sl_step_first_change(step, &kept->left, &share, err)))
        return false;
    ask->output = output;
    run->cached = share <= run->recipe.caching_threshold;
    ask->kept = run->cached || keeps ? &kept->left : NULL;
    if (!run->cached && keeps) {
        kept->there = false;
        if (!sl_step_keep_first(step, &kept->left, err))
            return false;
    }
    return sl_step_evaluate_part(step, ask, run->cached ? SL_REUSE_SKIP : SL_REUSE_REST, 0, err);
}

/* The evaluation that is kept once more, for what it left. The run has been told of the one that takes it
 * over, and that is the same. */
static bool make_again(SlRun *run, SlError *err)
{
    SlRunKept *kept = &run->kept;
    SlRunSide *side = sl_run_side_at(run, kept->evaluation);
    SlStepRun ask[SL_RUNS_TOGETHER];
    SlStepShape shape = sl_run_shape(run, side, kept->evaluation);
    shape.runs = kept->together;
    if (kept->there)
        return true;
    if (!sl_run_need_times(run, kept->evaluation, err))
        return false;
    SlStep *step = sl_run_step(side, shape, run->want_maps, err);
    if (!step)
        return false;
    for (int r = 0; r < kept->together; r++) {
        ask[r] = sl_run_ask(run, kept->evaluation);
        ask[r].input = kept->input;
        ask[r].output = NULL;
        ask[r].kept = r == kept->place ? &kept->left : NULL;
    }
    kept->there =
        run->recipe.caching == SL_CACHING_DEEP
            ? sl_step_evaluate_part(step, ask, SL_REUSE_KEEP, run->recipe.caching_branch, err)
            : evaluate_testing(run, step, ask, false, true, err);
    return kept->there;
}

bool sl_run_need_kept(SlRun *run, int evaluation, SlError *err)
{
    SlRunReuse reuse = sl_run_reuse(run, evaluation);
    bool wanted = reuse == SL_RUN_TAKES || (reuse == SL_RUN_TESTS && holds(run, evaluation));
    return !wanted || make_again(run, err);
}

bool sl_run_evaluate_part(SlRun *run, SlStep *step, int evaluation, bool look, SlError *err)
{
    SlRunReuse reuse = sl_run_reuse(run, evaluation);
    SlStepRun ask = sl_run_ask(run, evaluation);
    int branch = run->recipe.caching_branch;
    bool known = holds(run, evaluation), ok;
    if (look && reuse != SL_RUN_TAKES && !(reuse == SL_RUN_TESTS && known))
        return sl_step_evaluate(step, &ask, err);
    ask.kept = &run->kept.left;
    if (reuse == SL_RUN_TAKES) {
        run->cached = true;
        return sl_step_evaluate_part(step, &ask, SL_REUSE_DEEP, branch, err);
    }
    if (reuse == SL_RUN_KEEPS) {
        run->kept.there = false;
        ok = sl_step_evaluate_part(step, &ask, SL_REUSE_KEEP, branch, err);
    } else {
        ok = evaluate_testing(run, step, &ask, known, !look, err);
    }
    if (ok && !look && !run->cached) {
        sl_run_note_whole(run, evaluation, 0, 1);
        run->kept.there = true;
    }
    return ok;
}

void sl_run_kept_free(SlRunKept *kept)
{
    sl_step_kept_free(&kept->left);
}
