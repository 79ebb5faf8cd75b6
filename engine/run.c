/* run.c - one timeline: prompts, noise, and the loop over the timesteps, one evaluation per call.
 *
 * Mirrors StableDiffusionPipeline.__call__ and DDPMPipeline.__call__: latents = noise *
 * init_noise_sigma; for t: scale_model_input, one batched UNet pass (unconditional first), uncond +
 * g (text - uncond), scheduler.step. Easy to get wrong: guidance counts only above 1; the generator
 * that drew the start goes on drawing the steps' noise; PNDM and heun have more evaluations than
 * steps.
 */
#include "engine/run_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool no_memory(SlError *err)
{
    return sl_fail(err, SL_MEMORY, "out of memory for the run");
}

/* ---- setting up ---- */

static bool copy_recipe(SlRun *run, const SlRecipe *recipe, SlError *err)
{
    const SlModelInfo *info = &run->model->info;
    run->recipe = *recipe;
    run->prompt = strdup(recipe->prompt ? recipe->prompt : "");
    run->negative_prompt = strdup(recipe->negative_prompt ? recipe->negative_prompt : "");
    if (!run->prompt || !run->negative_prompt)
        return no_memory(err);
    run->recipe.prompt = run->prompt;
    run->recipe.negative_prompt = run->negative_prompt;
    if (!recipe->scheduler)
        run->recipe.scheduler = info->scheduler;
    if (!run->recipe.width)
        run->recipe.width = info->width;
    if (!run->recipe.height)
        run->recipe.height = info->height;
    if (!sl_recipe_check(&run->recipe, info, err))
        return false;
    run->recipe.scheduler =
        sl_scheduler_find(run->recipe.scheduler)->id; /* outlives the caller's */
    return true;
}

static bool make_arrays(SlRun *run, SlError *err)
{
    const SlModelInfo *info = &run->model->info;
    run->channels = info->channels;
    run->height = run->recipe.height / info->factor;
    run->width = run->recipe.width / info->factor;
    run->elements = (int64_t)run->channels * run->height * run->width;
    bool guided = info->pipeline == SL_PIPELINE_STABLE_DIFFUSION && run->recipe.guidance > 1;
    run->batch = guided ? 2 : 1;
    run->memory = calloc((size_t)run->elements * 6, sizeof(float));
    if (!run->memory)
        return no_memory(err);
    float **arrays[] = {&run->noise, &run->sample, &run->x0, &run->input, &run->output, &run->term};
    for (int i = 0; i < 6; i++)
        *arrays[i] = run->memory + i * run->elements;
    return true;
}

static bool make_scheduler(SlRun *run, SlError *err)
{
    SlSchedulerChoice choice = {.sigmas = run->recipe.sigmas,
                                .spacing = run->recipe.spacing,
                                .variance = run->recipe.variance,
                                .eta = run->recipe.eta};
    run->scheduler =
        sl_scheduler_new(run->recipe.scheduler, run->model->scheduler_config, &choice, err);
    return run->scheduler &&
           sl_scheduler_set_timesteps(run->scheduler, run->recipe.steps, run->elements, err);
}

static void draw_start(SlRun *run, const SlRunInputs *inputs)
{
    sl_noise_init(&run->generator, run->recipe.noise, run->recipe.seed, run->recipe.noise_threads);
    if (inputs && inputs->latents)
        memcpy(run->noise, inputs->latents, (size_t)run->elements * sizeof(float));
    else
        sl_noise_normal(&run->generator, run->noise, run->elements);
    float sigma = (float)sl_scheduler_init_noise_sigma(run->scheduler);
    for (int64_t i = 0; i < run->elements; i++)
        run->sample[i] = run->noise[i] * sigma;
    run->noise_source = (SlNoiseSource){
        .generator = &run->generator,
        .given = inputs ? inputs->step_noise : NULL,
        .given_count = inputs ? inputs->step_noise_count : 0,
    };
}

/* ---- prompts ---- */

static bool tokenize(SlRun *run, const char *name, const char *text, int *ids, SlError *err)
{
    char *unused = NULL;
    int count = 0;
    if (!sl_tokenize_padded(run->model->tokenizer, text, ids, &unused, &count, err))
        return false;
    if (unused) {
        size_t used = strlen(run->warning);
        snprintf(run->warning + used, sizeof run->warning - used,
                 "%s%d token%s of the %s %s not used: %s", used ? "\n" : "", count,
                 count == 1 ? "" : "s", name, count == 1 ? "was" : "were", unused);
    }
    free(unused);
    return true;
}

static bool encode_prompts(SlRun *run, SlError *err)
{
    SlModel *model = run->model;
    if (model->info.pipeline != SL_PIPELINE_STABLE_DIFFUSION)
        return true;
    int length = sl_tokenizer_max_length(model->tokenizer);
    int *ids = calloc((size_t)length * 2, sizeof *ids);
    if (!ids)
        return no_memory(err);
    int *text_ids = ids + (run->batch - 1) * length;
    bool ok = run->batch == 1 || tokenize(run, "negative prompt", run->negative_prompt, ids, err);
    ok = ok && tokenize(run, "prompt", run->prompt, text_ids, err);
    if (ok)
        run->text = sl_share_text(
            run->share, &(SlShareAsk){run->batch, length, run->recipe.clip_skip, ids}, err);
    free(ids);
    return run->text != NULL;
}

/* What the UNet derives from the timesteps: of evaluation i and its neighbours. Which those are does
 * not depend on where a run was taken up, so that its bytes do not either. */
static bool need_times(SlRun *run, int i, SlError *err)
{
    SlModel *model = run->model;
    int first = i / SL_UNET_TIMES * SL_UNET_TIMES, rest = sl_run_evaluations(run) - first;
    int count = rest < SL_UNET_TIMES ? rest : SL_UNET_TIMES;
    float timesteps[SL_UNET_TIMES];
    if (run->times && run->times_first == first)
        return true;
    sl_unet_times_free(model->dev, run->times);
    for (int k = 0; k < count; k++)
        timesteps[k] = (float)sl_scheduler_timestep(run->scheduler, first + k);
    run->times = sl_unet_times_new(model->dev, model->unet, timesteps, count, run->batch, err);
    run->times_first = first;
    return run->times != NULL;
}

SlRun *sl_run_new(SlModel *model, const SlRecipe *recipe, const SlRunInputs *inputs, SlError *err)
{
    SlRun *run = calloc(1, sizeof *run);
    if (!run) {
        no_memory(err);
        return NULL;
    }
    run->model = model;
    bool ok = copy_recipe(run, recipe, err) && make_arrays(run, err) && make_scheduler(run, err);
    run->share = inputs && inputs->share ? inputs->share : sl_share_new(model);
    run->own_share = !inputs || !inputs->share;
    if (!run->share)
        ok = no_memory(err);
    if (ok) {
        draw_start(run, inputs);
        ok = encode_prompts(run, err) && sl_model_make_room(model, &run->recipe, err) &&
             need_times(run, 0, err);
    }
    if (!ok) {
        sl_device_clear(model->dev);
        sl_run_free(run);
        return NULL;
    }
    return run;
}

void sl_run_free(SlRun *run)
{
    if (!run)
        return;
    sl_step_leave(run->model->step, run);
    if (run->own_share)
        sl_share_free(run->share);
    sl_unet_times_free(run->model->dev, run->times);
    sl_scheduler_free(run->scheduler);
    free(run->memory);
    free(run->prompt);
    free(run->negative_prompt);
    free(run);
}

/* ---- one evaluation ---- */

/* The model's step, made anew for another size than the last run's. */
static SlStep *step_of(SlRun *run, int runs, SlError *err)
{
    SlModel *model = run->model;
    SlStepShape shape = {runs, run->batch, run->channels, run->height, run->width};
    if (!sl_step_fits(model->step, &shape)) {
        sl_step_free(model->step);
        model->step = sl_step_new(model->dev, model->unet, &shape, err);
    }
    return model->step;
}

/* The first evaluation of a run that shares: another one's, or computed and left for the others. */
static bool evaluate_shared(SlRun *run, SlStep *step, const SlStepRun *of_run, SlError *err)
{
    const SlShareKey key = {.text = run->text,
                            .timestep = (float)sl_scheduler_timestep(run->scheduler, 0),
                            .elements = run->elements,
                            .batch = run->batch,
                            .input = run->input};
    const float *known = sl_share_find(run->share, &key);
    run->shared = known != NULL;
    if (known)
        return sl_step_guide(step, known, of_run->guidance, run->output, err);
    if (!sl_step_evaluate(step, of_run, err))
        return false;
    size_t bytes = (size_t)run->elements * (size_t)run->batch * sizeof(float);
    float *said = malloc(bytes);
    if (said && sl_step_said(step, said, NULL))
        sl_share_keep(run->share, &key, said);
    free(said);
    return true;
}

/* Asks for run->output from run->input at evaluation i, whose times are there. */
static SlStepRun ask_of(SlRun *run, int i)
{
    return (SlStepRun){.run = run,
                       .times = run->times,
                       .row = i - run->times_first,
                       .context = run->text ? run->text->context : NULL,
                       .guidance = run->recipe.guidance,
                       .input = run->input,
                       .output = run->output};
}

static void begin_step(SlModel *model)
{
    __atomic_store_n(&model->step_start, sl_device_ops_done(model->dev), __ATOMIC_RELAXED);
}

static void find_term(SlRun *run)
{
    float g = (float)run->recipe.guidance;
    for (int64_t k = 0; run->batch == 2 && k < run->elements; k++)
        run->term[k] = (run->output[k] - run->term[k]) / g;
}

/* run->input at evaluation i to run->output and run->term. */
static bool evaluate(SlRun *run, int i, SlError *err)
{
    SlModel *model = run->model;
    SlStep *step = need_times(run, i, err) ? step_of(run, 1, err) : NULL;
    const SlStepRun of_run = ask_of(run, i);
    begin_step(model);
    run->shared = false;
    bool ok = step && (i == 0 && !run->own_share ? evaluate_shared(run, step, &of_run, err)
                                                 : sl_step_evaluate(step, &of_run, err));
    if (ok)
        find_term(run);
    else
        sl_device_clear(model->dev);
    return ok;
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
    *frame = (SlFrame){
        .evaluation = evaluation,
        .evaluations = sl_run_evaluations(run),
        .step = sl_scheduler_step_of(run->scheduler, evaluation, &ends),
        .steps = run->recipe.steps,
        .last = sl_run_done(run),
        .timestep = sl_scheduler_timestep(run->scheduler, evaluation),
        .sigma = sl_scheduler_sigma(run->scheduler, evaluation),
        .level = evaluation + 1 < sl_run_evaluations(run)
                     ? sl_scheduler_sigma(run->scheduler, evaluation + 1)
                     : 0,
        .shared = run->shared,
        .x_t = run->sample,
        .x_0 = run->x0,
        .model_output = run->output,
        .guidance_term = run->batch == 2 ? run->term : NULL,
        .channels = run->channels,
        .height = run->height,
        .width = run->width,
        .seconds = seconds,
    };
    frame->ends_step = ends;
    frame->together = 1;
}

static bool finished(SlError *err)
{
    return sl_fail(err, SL_ARGUMENT, "the run is finished: there is no next step");
}

/* run->output is known: the scheduler's part. */
static bool advance(SlRun *run, double start, SlFrame *frame, SlError *err)
{
    int evaluation = run->evaluation;
    if (!sl_scheduler_step(run->scheduler, run->output, run->sample, run->x0, &run->noise_source,
                           err))
        return false;
    run->evaluation++;
    if (frame)
        fill_frame(run, evaluation, seconds_now() - start, frame);
    return true;
}

bool sl_run_next(SlRun *run, SlFrame *frame, SlError *err)
{
    if (sl_run_done(run))
        return finished(err);
    double start = seconds_now();
    sl_scheduler_input(run->scheduler, run->sample, run->input);
    return evaluate(run, run->evaluation, err) && advance(run, start, frame, err);
}

bool sl_runs_match(const SlRun *a, const SlRun *b)
{
    return a->model == b->model && a->batch == b->batch && a->elements == b->elements &&
           a->width == b->width && !a->text == !b->text;
}

/* The inputs of all, and one evaluation of them as a batch; only: the run whose output is wanted, -1: all. */
static bool evaluate_together(SlRun *const *runs, int count, int only, SlError *err)
{
    SlModel *model = runs[0]->model;
    SlStepRun ask[SL_RUNS_TOGETHER];
    bool ok = true;
    for (int r = 0; ok && r < count; r++) {
        SlRun *run = runs[r];
        sl_scheduler_input(run->scheduler, run->sample, run->input);
        run->shared = false;
        ok = need_times(run, run->evaluation, err);
        ask[r] = ask_of(run, run->evaluation);
        if (only >= 0 && r != only)
            ask[r].output = NULL;
    }
    SlStep *step = ok ? step_of(runs[0], count, err) : NULL;
    begin_step(model);
    ok = step && sl_step_evaluate(step, ask, err);
    for (int r = 0; ok && r < count; r++)
        if (ask[r].output)
            find_term(runs[r]);
    if (!ok)
        sl_device_clear(model->dev);
    return ok;
}

static bool too_many(int count, SlError *err)
{
    return sl_fail(err, SL_ARGUMENT, "%d runs together; expected 1 to %d", count, SL_RUNS_TOGETHER);
}

bool sl_runs_next(SlRun *const *runs, int count, SlFrame *frames, SlError *errs, SlError *err)
{
    double start = seconds_now();
    for (int r = 0; r < count; r++)
        if (sl_run_done(runs[r]) || !sl_runs_match(runs[0], runs[r]))
            return sl_fail(err, SL_ARGUMENT, "run %d does not go on with the others", r + 1);
    if (count < 1 || count > SL_RUNS_TOGETHER)
        return too_many(count, err);
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

bool sl_run_advance(SlRun *run, const float *model_output, SlFrame *frame, SlError *err)
{
    if (sl_run_done(run))
        return finished(err);
    memcpy(run->output, model_output, (size_t)run->elements * sizeof *model_output);
    run->shared = false;
    bool ok = advance(run, seconds_now(), frame, err);
    if (frame)
        frame->guidance_term = NULL;
    return ok;
}

bool sl_run_look(SlRun *run, int evaluation, const float *x_t, SlFrame *frame, SlError *err)
{
    if (evaluation < 0 || evaluation >= sl_run_evaluations(run))
        return sl_fail(err, SL_ARGUMENT, "the run has no evaluation %d; expected 1 to %d",
                       evaluation + 1, sl_run_evaluations(run));
    double start = seconds_now();
    sl_scheduler_input_at(run->scheduler, evaluation, x_t, run->input);
    if (!evaluate(run, evaluation, err))
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
    return run->scheduler;
}

const char *sl_run_warning(const SlRun *run)
{
    return run->warning[0] ? run->warning : NULL;
}

int sl_run_evaluations(const SlRun *run)
{
    return sl_scheduler_evaluations(run->scheduler);
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
    if (run->text)
        memcpy(size, run->text->size, sizeof run->text->size);
    return run->text ? run->text->text : NULL;
}
