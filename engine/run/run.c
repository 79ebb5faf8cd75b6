/* run.c - one timeline's loop over the timesteps, one evaluation per call; run_new.c sets it up.
 *
 * Mirrors StableDiffusionPipeline.__call__ and DDPMPipeline.__call__: for t: scale_model_input, one
 * batched pass of the denoiser (unconditional first), uncond + g (text - uncond), scheduler.step.
 * Easy to get wrong: PNDM and heun have more evaluations than steps.
 */
#include "engine/run/run_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- one evaluation ---- */

static SlShareKey first_key(const SlRun *run)
{
    const SlRunSide *side = &run->side[0];
    return (SlShareKey){.told = side->told,
                        .timestep = (float)sl_scheduler_timestep(side->scheduler, 0),
                        .guidance = side->model->info.told_guidance ? run->recipe.guidance : 0,
                        .label = run->recipe.class_label,
                        .elements = run->elements,
                        .width = run->width,
                        .batch = sl_run_batch(run, side, 0),
                        .input = run->input};
}

/* What the first evaluation said, for the other runs that begin so. */
static void leave_first(const SlRun *run, SlStep *step)
{
    const SlShareKey key = first_key(run);
    size_t bytes = (size_t)run->elements * (size_t)key.batch * sizeof(float);
    float *said = malloc(bytes);
    if (said && sl_step_said(step, said, NULL))
        sl_share_keep(run->side[0].share, &key, said);
    free(said);
}

/* The first evaluation of a run that shares: another one's, or computed and left for the others. */
static bool evaluate_shared(SlRun *run, SlStep *step, const SlStepRun *of_run, SlError *err)
{
    const SlShareKey key = first_key(run);
    const float *known = run->want_maps ? NULL : sl_share_find(run->side[0].share, &key);
    run->shared = known != NULL;
    if (known)
        return sl_step_guide(step, known, of_run->guidance, run->output, err);
    if (!sl_step_evaluate(step, of_run, err))
        return false;
    leave_first(run, step);
    return true;
}

static void begin_step(const SlRun *run, const SlRunSide *side, const SlStepShape *shape)
{
    SlModel *model = run->model;
    const SlDenoiser *denoiser = sl_model_denoiser(side->model);
    uint64_t each = denoiser ? sl_denoiser_operations(denoiser) : 0;
    uint64_t all = each * (uint64_t)(sl_step_passes(shape) * (shape->batch == 2 ? side->parts : 1));
    __atomic_store_n(&model->step_operations, all, __ATOMIC_RELAXED);
    __atomic_store_n(&model->step_start, sl_device_ops_done(model->dev), __ATOMIC_RELAXED);
}

/* Behind a first evaluation, whose frame was shown meanwhile, what has waited for that is loaded: what
 * is wrong with it is known then, and not only when the last step is decoded.
 * What the run is told at evaluation i, by the adapters that it has there. */
static bool tell(SlRun *run, int i, SlError *err)
{
    SlRunSide *side = sl_run_side_at(run, i);
    if ((run->evaluation > 0 || run->model->framed) && !sl_model_need_waiting(run->model, err))
        return false;
    return sl_run_want(run, i, err) && sl_run_need_side(run, side, err) &&
           sl_run_tell(run, side, i, 0, err);
}

/* The parts of a prompt with AND, each evaluated beside the negative prompt: what they say together is
 * the negative prompt's prediction and, of each, the weight times how far it is from there. With
 * perp-neg the parts are the prompt and the negative prompt, each beside the empty one. */
static bool evaluate_parts(SlRun *run, SlStep *step, int i, SlError *err)
{
    SlRunSide *side = sl_run_side_at(run, i);
    SlStepRun ask = sl_run_ask(run, i);
    size_t n = (size_t)run->elements;
    float *said = malloc(2 * n * sizeof *said), *sum = malloc(2 * n * sizeof *sum);
    bool ok = (said && sum) || sl_fail(err, SL_MEMORY, "out of memory for the run");
    ask.output = NULL;
    for (int part = 0; ok && part < side->parts; part++) {
        float weight = (float)side->part_weight[part];
        ok = sl_run_tell(run, side, i, part, err);
        ask.told = side->told;
        ok = ok && sl_step_evaluate(step, &ask, err) && sl_step_said(step, said, err) &&
             sl_run_take_maps(run, side, step, 0, part, err);
        if (ok && part == 0) {
            memcpy(sum, said, n * sizeof *sum);
            memcpy(sum + n, said, n * sizeof *sum);
        }
        if (ok && part == 1 && side->perp_neg) {
            sl_run_less_negative(run, said, said + n, sum + n);
            break;
        }
        for (size_t k = 0; ok && k < n; k++)
            sum[n + k] += weight * (said[n + k] - said[k]);
    }
    ok = ok && sl_step_guide(step, sum, ask.guidance, run->output, err);
    free(said);
    free(sum);
    return ok;
}

/* One that is made as a whole, or another run's. */
static bool evaluate_whole(SlRun *run, SlStep *step, int i, SlError *err)
{
    const SlStepRun of_run = sl_run_ask(run, i);
    return i == 0 && !run->own_share ? evaluate_shared(run, step, &of_run, err)
                                     : sl_step_evaluate(step, &of_run, err);
}

static bool evaluate_part(SlRun *run, SlStep *step, int i, bool look, SlError *err)
{
    if (!sl_run_evaluate_part(run, step, i, look, err))
        return false;
    if (i == 0 && !run->own_share && !look)
        leave_first(run, step);
    return true;
}

/* run->input at evaluation i to run->output and run->term. look: of a run that does not go on from
 * there. */
static bool evaluate(SlRun *run, int i, bool look, SlError *err)
{
    SlModel *model = run->model;
    const SlRunSide *side = sl_run_side_at(run, i);
    bool whole =
        look && i != run->evaluation; /* what it takes over is known where the run stands */
    bool told = tell(run, i, err) && (whole || sl_run_need_kept(run, i, err)) &&
                sl_run_need_times(run, i, err);
    const SlStepShape shape = sl_run_shape(run, side, i);
    SlStep *step = told ? sl_run_step(side, shape, run->want_maps, err) : NULL;
    begin_step(run, side, &shape);
    run->shared = run->cached = run->has_maps = false;
    run->has_said = run->has_term = shape.batch == 2;
    bool parts = sl_run_parts(run, side, i) > 1;
    whole = whole || sl_run_reuse(run, i) == SL_RUN_WHOLE;
    bool ok = step && (parts   ? evaluate_parts(run, step, i, err)
                       : whole ? evaluate_whole(run, step, i, err)
                               : evaluate_part(run, step, i, look, err));
    ok = ok && (parts || run->cached || sl_run_take_maps(run, side, step, 0, 0, err));
    if (!ok)
        sl_device_clear(model->dev);
    return ok && sl_run_guide(run, side, i, err);
}

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fill_frame(const SlRun *run, int evaluation, double seconds, SlFrame *frame)
{
    bool ends = false;
    const SlRunSide *side = sl_run_side_at((SlRun *)run, evaluation);
    const SlRunSide *next = sl_run_side_at((SlRun *)run, evaluation + 1);
    *frame = (SlFrame){
        .evaluation = evaluation,
        .evaluations = sl_run_evaluations(run),
        .step = sl_scheduler_step_of(side->scheduler, evaluation, &ends),
        .steps = run->recipe.steps,
        .last = sl_run_done(run),
        .timestep = sl_scheduler_timestep(side->scheduler, evaluation),
        .sigma = sl_scheduler_sigma(side->scheduler, evaluation),
        .level = evaluation + 1 < sl_run_evaluations(run)
                     ? sl_scheduler_sigma(next->scheduler, evaluation + 1)
                     : 0,
        .shared = run->shared,
        .cached = run->cached,
        .refined = side != run->side,
        .x_t = run->sample,
        .x_0 = run->x0,
        .model_output = run->output,
        .said = run->has_said ? run->said : NULL,
        .guidance_term = run->has_said && run->has_term ? run->term : NULL,
        .channels = run->channels,
        .height = run->height,
        .width = run->width,
        .seconds = seconds,
    };
    frame->ends_step = ends;
    frame->together = 1;
    frame->maps = run->has_maps ? &run->maps : NULL;
}

static bool finished(SlError *err)
{
    return sl_fail(err, SL_ARGUMENT, "the run is finished: there is no next step");
}

/* run->output is known: the scheduler's part. */
static bool advance(SlRun *run, double start, SlFrame *frame, SlError *err)
{
    int evaluation = run->evaluation;
    SlScheduler *scheduler = sl_run_side(run)->scheduler;
    if (run->has_said && run->recipe.guidance_method == SL_METHOD_CFG_PP)
        sl_scheduler_take_noise_of(scheduler, run->said);
    if (!sl_scheduler_step(scheduler, run->output, run->sample, run->x0, &run->noise_source, err))
        return false;
    sl_run_follow(run);
    run->evaluation++;
    run->model->framed = true;
    if (sl_run_refines(run) && run->evaluation == run->handover && !sl_run_hand_over(run, err))
        return false;
    if (frame)
        fill_frame(run, evaluation, seconds_now() - start, frame);
    return true;
}

bool sl_run_next(SlRun *run, SlFrame *frame, SlError *err)
{
    if (sl_run_done(run))
        return finished(err);
    double start = seconds_now();
    sl_scheduler_input(sl_run_side(run)->scheduler, run->sample, run->input);
    return evaluate(run, run->evaluation, false, err) && advance(run, start, frame, err);
}

/* Whether two runs' next evaluations have the same adapters in the denoiser. */
static bool same_adapters(const SlRun *a, const SlRun *b)
{
    bool same = a->adapters.count == b->adapters.count;
    int of_a = sl_run_evaluations(a), of_b = sl_run_evaluations(b);
    for (int i = 0; same && i < a->adapters.count; i++)
        same = a->adapter[i] == b->adapter[i] &&
               sl_adapter_use_at(&a->adapters.use[i], a->evaluation, of_a) ==
                   sl_adapter_use_at(&b->adapters.use[i], b->evaluation, of_b);
    return same;
}

bool sl_runs_match(const SlRun *a, const SlRun *b)
{
    /* with one refiner the shapes of its side are equal where the model's are */
    const SlStepShape of_a = sl_run_shape(a, &a->side[0], a->evaluation);
    const SlStepShape of_b = sl_run_shape(b, &b->side[0], b->evaluation);
    return sl_run_side(a)->model == sl_run_side(b)->model && a->side[0].parts == 1 &&
           b->side[0].parts == 1 && sl_step_same_shape(&of_a, &of_b) && same_adapters(a, b) &&
           sl_run_reuse_matches(a, b);
}

static SlReusePart part_of(SlRunReuse reuse)
{
    return reuse == SL_RUN_KEEPS   ? SL_REUSE_KEEP
           : reuse == SL_RUN_TAKES ? SL_REUSE_DEEP
                                   : SL_REUSE_NOTHING;
}

/* The inputs of all, and one evaluation of them as a batch; only: the run whose output is
 * wanted, -1: all. */
static bool evaluate_together(SlRun *const *runs, int count, int only, SlError *err)
{
    const SlRunSide *side = sl_run_side(runs[0]);
    SlStepRun ask[SL_RUNS_TOGETHER];
    SlMapHalves maps = SL_MAPS_NONE;
    SlRunReuse reuse = sl_run_reuse(runs[0], runs[0]->evaluation); /* all have the same */
    bool ok = true;
    for (int r = 0; ok && r < count; r++) {
        SlRun *run = runs[r];
        int i = run->evaluation;
        maps = run->want_maps > maps ? run->want_maps : maps;
        sl_scheduler_input(sl_run_side(run)->scheduler, run->sample, run->input);
        run->shared = run->has_maps = false;
        run->cached = reuse == SL_RUN_TAKES;
        run->has_said = run->has_term = sl_run_guides(run, sl_run_side(run), i);
        ok = tell(run, i, err) && sl_run_need_kept(run, i, err) && sl_run_need_times(run, i, err);
        ask[r] = sl_run_ask(run, i);
        ask[r].kept = &run->kept.left;
        if (only >= 0 && r != only) {
            ask[r].output = NULL;
            ask[r].kept = run->cached ? ask[r].kept : NULL;
        }
    }
    SlStepShape shape = sl_run_shape(runs[0], side, runs[0]->evaluation);
    shape.runs = count;
    SlStep *step = ok ? sl_run_step(side, shape, maps, err) : NULL;
    begin_step(runs[0], side, &shape);
    ok = step &&
         sl_step_evaluate_part(step, ask, part_of(reuse), runs[0]->recipe.caching_branch, err);
    for (int r = 0; r < count && reuse == SL_RUN_KEEPS; r++)
        if (only < 0 || r == only) {
            runs[r]->kept.there = ok;
            if (ok)
                sl_run_note_whole(runs[r], runs[r]->evaluation, r, count);
        }
    for (int r = 0; ok && r < count; r++)
        ok = !ask[r].output || runs[r]->cached ||
             sl_run_take_maps(runs[r], sl_run_side(runs[r]), step, r, 0, err);
    if (!ok)
        sl_device_clear(side->model->dev);
    for (int r = 0; ok && r < count; r++)
        ok =
            !ask[r].output || sl_run_guide(runs[r], sl_run_side(runs[r]), runs[r]->evaluation, err);
    return ok;
}

static bool too_many(int count, SlError *err)
{
    return sl_fail(err, SL_ARGUMENT, "%d runs together; expected 1 to %d", count, SL_RUNS_TOGETHER);
}

bool sl_runs_next(SlRun *const *runs, int count, SlFrame *frames, SlError *errs, SlError *err)
{
    double start = seconds_now();
    if (count < 1 || count > SL_RUNS_TOGETHER)
        return too_many(count, err);
    for (int r = 0; r < count; r++)
        if (sl_run_done(runs[r]) || !sl_runs_match(runs[0], runs[r]))
            return sl_fail(err, SL_ARGUMENT, "run %d does not go on with the others", r + 1);
    if (!evaluate_together(runs, count, -1, err))
        return false;
    double each = (seconds_now() - start) / count;
    for (int r = 0; r < count; r++) {
        errs[r] = (SlError){0};
        if (advance(runs[r], seconds_now() - each, &frames[r], &errs[r]))
            errs[r].code = SL_OK;
        frames[r].place = r;
        frames[r].together = count;
    }
    return true;
}

bool sl_run_next_among(SlRun *run, int place, int together, SlFrame *frame, SlError *err)
{
    SlRun *runs[SL_RUNS_TOGETHER];
    double start = seconds_now();
    if (together == 1)
        return sl_run_next(run, frame, err);
    if (sl_run_done(run))
        return finished(err);
    if (together < 1 || together > SL_RUNS_TOGETHER || place < 0 || place >= together)
        return too_many(together, err);
    for (int r = 0; r < together; r++)
        runs[r] = run;
    if (!evaluate_together(runs, together, place, err) || !advance(run, start, frame, err))
        return false;
    if (frame) {
        frame->place = place;
        frame->together = together;
    }
    return true;
}

/* What an evaluation said before guidance, [2, elements]; NULL: not known. */
static void take_said(SlRun *run, const float *said)
{
    run->shared = run->has_maps = run->has_term = false;
    run->has_said = said && sl_run_guides(run, sl_run_side(run), run->evaluation);
    if (run->has_said)
        memcpy(run->said, said, 2 * (size_t)run->elements * sizeof *said);
}

bool sl_run_needs_said(const SlRun *run)
{
    return (sl_run_remembers(run) || run->recipe.guidance_method == SL_METHOD_CFG_PP) &&
           sl_run_guides(run, sl_run_side(run), run->evaluation);
}

/* What is known of an evaluation with caching is noted as if it had been made. */
static bool follow_caching(SlRun *run, const SlKnown *known, SlError *err)
{
    int i = run->evaluation;
    SlRunSide *side = sl_run_side_at(run, i);
    bool ends;
    run->cached = known->cached;
    if (!sl_recipe_caches(&run->recipe, sl_scheduler_step_of(side->scheduler, i, &ends)))
        return true;
    if (!sl_run_need_side(run, side, err))
        return false;
    if (known->cached)
        return true;
    sl_scheduler_input(side->scheduler, run->sample, run->input);
    run->kept.there = false;
    sl_run_note_whole(run, i, known->place, known->together);
    return true;
}

bool sl_run_advance(SlRun *run, const SlKnown *known, SlFrame *frame, SlError *err)
{
    if (sl_run_done(run))
        return finished(err);
    if (!known->said && sl_run_needs_said(run))
        return sl_fail(err, SL_ARGUMENT,
                       "what the model said without the prompt is not known of evaluation %d",
                       run->evaluation + 1);
    if (!follow_caching(run, known, err))
        return false;
    memcpy(run->output, known->output, (size_t)run->elements * sizeof *known->output);
    take_said(run, known->said);
    return advance(run, seconds_now(), frame, err);
}

/* ---- other guidance ---- */

bool sl_run_set_guidance(SlRun *run, const SlRecipe *recipe, SlError *err)
{
    SlRecipe changed = run->recipe;
    sl_recipe_change(&changed, recipe, SL_SETTINGS_GUIDANCE);
    if (!sl_recipe_check(&changed, &run->model->info, err))
        return false;
    bool before = run->recipe.guidance_method == SL_METHOD_PERP_NEG;
    bool after = changed.guidance_method == SL_METHOD_PERP_NEG;
    if (before != after)
        return sl_fail(err, SL_ARGUMENT,
                       "with guidance method %s the model is asked otherwise than it was here",
                       sl_setting(SL_SETTING_GUIDANCE_METHOD)->choices[changed.guidance_method]);
    if (before && changed.perp_neg_scale != run->recipe.perp_neg_scale)
        return sl_fail(err, SL_ARGUMENT,
                       "the predictions here are those of the Perp-Neg scale %.4g; another one, "
                       "%.4g, needs an evaluation",
                       run->recipe.perp_neg_scale, changed.perp_neg_scale);
    for (int i = 0; i < run->sides; i++)
        if (sl_model_guidance(&run->side[i].model->info, changed.guidance) != run->side[i].rule)
            return sl_fail(err, SL_ARGUMENT,
                           "with guidance %.4g the model is asked otherwise than it was here",
                           changed.guidance);
    run->recipe = changed;
    return true;
}

bool sl_run_say(SlRun *run, const float *said, SlFrame *frame, SlError *err)
{
    if (sl_run_done(run))
        return finished(err);
    int i = run->evaluation;
    SlRunSide *side = sl_run_side_at(run, i);
    double start = seconds_now();
    if (!sl_run_guides(run, side, i))
        return sl_fail(err, SL_ARGUMENT,
                       "step %d would have no guidance, which another evaluation would show",
                       sl_scheduler_step_of(side->scheduler, i, &(bool){0}) + 1);
    if (!sl_run_need_side(run, side, err))
        return false;
    SlStep *step = sl_run_step(side, sl_run_shape(run, side, i), SL_MAPS_NONE, err);
    if (!step || !sl_step_guide(step, said, sl_run_guidance_of(run, side), run->output, err)) {
        sl_device_clear(side->model->dev);
        return false;
    }
    take_said(run, said);
    run->has_term = true;
    sl_scheduler_input(side->scheduler, run->sample, run->input);
    /* of the first-block test nobody says how it came out */
    const SlKnown known = {.cached = sl_run_reuse(run, i) >= SL_RUN_TAKES};
    return follow_caching(run, &known, err) && sl_run_guide(run, side, i, err) &&
           advance(run, start, frame, err);
}

bool sl_run_look(SlRun *run, int evaluation, const float *x_t, SlFrame *frame, SlError *err)
{
    if (evaluation < 0 || evaluation >= sl_run_evaluations(run))
        return sl_fail(err, SL_ARGUMENT, "the run has no evaluation %d; expected 1 to %d",
                       evaluation + 1, sl_run_evaluations(run));
    double start = seconds_now();
    sl_scheduler_input_at(sl_run_side_at(run, evaluation)->scheduler, evaluation, x_t, run->input);
    if (!evaluate(run, evaluation, true, err))
        return false;
    fill_frame(run, evaluation, seconds_now() - start, frame);
    frame->x_t = frame->x_0 = NULL;
    return true;
}

/* ---- looking at it ---- */

const SlRecipe *sl_run_recipe(const SlRun *run)
{
    return &run->recipe;
}

const SlScheduler *sl_run_scheduler(const SlRun *run)
{
    return run->side[0].scheduler;
}

const char *sl_run_warning(const SlRun *run)
{
    return run->warning[0] ? run->warning : NULL;
}

int sl_run_evaluation(const SlRun *run)
{
    return run->evaluation;
}

bool sl_run_done(const SlRun *run)
{
    return run->evaluation >= sl_run_evaluations(run);
}

const float *sl_run_noise(const SlRun *run)
{
    return run->noise;
}

const float *sl_run_sample(const SlRun *run)
{
    return run->sample;
}

int64_t sl_run_sample_elements(const SlRun *run)
{
    return run->elements;
}

const float *sl_run_text_embeddings(const SlRun *run, int64_t size[3])
{
    const SlTold *told = run->side[0].told;
    if (told)
        memcpy(size, told->size, sizeof told->size);
    return told ? told->text : NULL;
}
