/* run_new.c - a timeline is set up: recipe, arrays, scheduler, noise, prompts.
 *
 * Mirrors the beginning of StableDiffusionPipeline.__call__ and DDPMPipeline.__call__: latents =
 * noise * init_noise_sigma. Easy to get wrong: guidance counts only above 1; the generator that
 * drew the start goes on drawing the steps' noise.
 */
#include "engine/run/run_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    run->lora = strdup(recipe->lora ? recipe->lora : "");
    if (!run->prompt || !run->negative_prompt || !run->lora)
        return no_memory(err);
    run->recipe.lora = run->lora;
    run->recipe.prompt = run->prompt;
    run->recipe.negative_prompt = run->negative_prompt;
    if (!recipe->scheduler && !*info->unknown_scheduler)
        run->recipe.scheduler = info->scheduler;
    if (!run->recipe.scheduler)
        return sl_fail(err, SL_ARGUMENT,
                       "the scheduler of the model %s is a %s, which is not known here; choose "
                       "another (`safelight schedulers` lists them)",
                       info->name, info->unknown_scheduler);
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
    run->rule = sl_model_guidance(info, run->recipe.guidance);
    run->batch = run->rule == SL_GUIDANCE_CLASSIFIER_FREE ? 2 : 1;
    run->memory = calloc((size_t)run->elements * SL_RUN_ARRAYS, sizeof(float));
    if (!run->memory)
        return no_memory(err);
    float **arrays[] = {&run->noise, &run->sample, &run->x0, &run->input, &run->output, &run->term};
    for (int i = 0; i < SL_RUN_ARRAYS; i++)
        *arrays[i] = run->memory + i * run->elements;
    return true;
}

static bool make_scheduler(SlRun *run, SlError *err)
{
    SlSchedulerChoice choice = {.sigmas = run->recipe.sigmas,
                                .spacing = run->recipe.spacing,
                                .variance = run->recipe.variance,
                                .prediction = run->recipe.prediction,
                                .zero_snr = run->recipe.zero_snr,
                                .eta = run->recipe.eta};
    const SlModel *model = run->model;
    if (choice.eta < 0 && model->info.pipeline->passes_eta)
        choice.eta = 0;
    run->scheduler = sl_model_scheduler(model, run->recipe.scheduler, &choice, err);
    const SlSchedulerRun of = {.steps = run->recipe.steps,
                               .size = run->elements,
                               .height = run->height,
                               .width = run->width};
    return run->scheduler && sl_scheduler_set_timesteps(run->scheduler, &of, err);
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

/* ---- adapters ---- */

static void add_warning(SlRun *run, const char *text)
{
    size_t used = strlen(run->warning);
    if (*text)
        snprintf(run->warning + used, sizeof run->warning - used, "%s%s", used ? "\n" : "", text);
}

static bool find_adapters(SlRun *run, SlError *err)
{
    SlModel *model = run->model;
    SlMix texts = {.count = 0};
    if (!sl_adapter_uses_parse(run->recipe.lora ? run->recipe.lora : "", &run->adapters, err))
        return false;
    for (int i = 0; i < run->adapters.count; i++) {
        const SlAdapterUse *use = &run->adapters.use[i];
        run->adapter[i] = sl_model_find_adapter(model, use->name, use->hash, err);
        if (run->adapter[i] < 0)
            return false;
        texts.use[texts.count].adapter = run->adapter[i];
        texts.use[texts.count++].strength = use->text;
    }
    return sl_model_mix(model, &texts, &run->text_mix, err);
}

bool sl_run_want(SlRun *run, int i, SlError *err)
{
    int n = sl_scheduler_evaluations(run->scheduler);
    SlMix mix = {.count = 0};
    for (int k = 0; k < run->adapters.count; k++) {
        mix.use[mix.count].adapter = run->adapter[k];
        mix.use[mix.count++].strength = sl_adapter_use_at(&run->adapters.use[k], i, n);
    }
    if (!sl_model_mix(run->model, &mix, &run->mix, err))
        return false;
    sl_model_want(run->model, run->text_mix, run->mix);
    return true;
}

static void warn_of_unmatched(SlRun *run)
{
    SlAdapterCounts counts;
    char text[500];
    for (int i = 0; i < run->adapters.count; i++) {
        const SlAdapterUse *use = &run->adapters.use[i];
        if (!sl_model_adapter(run->model, use->name, use->hash, &counts, NULL) ||
            counts.matched == counts.modules)
            continue;
        snprintf(text, sizeof text,
                 "LoRA %.100s: %d of its %d modules change no weight of this model (%s, ...)",
                 use->name, counts.modules - counts.matched, counts.modules, counts.unmatched);
        add_warning(run, text);
    }
}

/* ---- prompts ---- */

/* The condition of the prompt or of the negative prompt, from the share. */
static const SlCondition *condition_of(SlRun *run, bool negative, SlError *err)
{
    SlModel *model = run->model;
    SlAsk ask = {0};
    const SlCondition *condition = NULL;
    if (model->kind->ask(model, &run->recipe, negative, &ask, err)) {
        add_warning(run, ask.warning);
        condition = sl_share_condition(run->share, &ask, err);
    }
    free(ask.ids);
    return condition;
}

/* The share's copies of conditions that were given, or what the family makes of the texts. */
static bool find_conditions(SlRun *run, const SlRunInputs *inputs, const SlCondition **found,
                            SlError *err)
{
    bool given = inputs && inputs->condition[0];
    for (int i = 0; i < run->batch; i++) {
        bool negative = i < run->batch - 1;
        if (given && !inputs->condition[i])
            return sl_fail(err, SL_ARGUMENT, "guidance needs two conditions, and there is one");
        found[i] = given ? sl_share_given(run->share, inputs->condition[i], err)
                         : condition_of(run, negative, err);
        if (!found[i])
            return false;
    }
    return true;
}

static bool encode_prompts(SlRun *run, const SlRunInputs *inputs, SlError *err)
{
    const SlCondition **found = run->condition;
    const int64_t size[] = {run->channels, run->height, run->width};
    if (!run->model->kind->ask && inputs && inputs->condition[0])
        return sl_fail(err, SL_ARGUMENT, "%s is a model that is told nothing",
                       run->model->info.name);
    if (run->model->kind->ask) {
        if (!find_conditions(run, inputs, found, err))
            return false;
        run->told = sl_share_told(run->share, found, run->batch, err);
        if (!run->told)
            return false;
    }
    run->shape = sl_step_shape(run->model, run->rule, size, run->told);
    return true;
}

/* ---- the whole ---- */

bool sl_run_need_times(SlRun *run, int i, SlError *err)
{
    SlModel *model = run->model;
    int first = i / SL_TIMES * SL_TIMES, rest = sl_scheduler_evaluations(run->scheduler) - first;
    int count = rest < SL_TIMES ? rest : SL_TIMES;
    float timesteps[SL_TIMES];
    if (run->times && run->times_first == first && run->times_mix == run->mix)
        return true;
    if (!sl_model_need(model, SL_USE_DENOISE, err))
        return false;
    sl_times_free(model->dev, run->times);
    for (int k = 0; k < count; k++)
        timesteps[k] = (float)sl_scheduler_timestep(run->scheduler, first + k);
    const SlTimesOf of = {.timesteps = timesteps,
                          .count = count,
                          .batch = run->batch / sl_step_passes(&run->shape),
                          .guidance = model->info.told_guidance ? run->recipe.guidance : NAN,
                          .label = run->recipe.class_label};
    run->times = sl_times_new(model->dev, sl_model_denoiser(model), &of, err);
    run->times_first = first;
    run->times_mix = run->mix;
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
    bool ok = copy_recipe(run, recipe, err) && sl_model_check_memory(model, &run->recipe, 0, err) &&
              make_arrays(run, err) && make_scheduler(run, err);
    run->share = inputs && inputs->share ? inputs->share : sl_share_new(model);
    run->own_share = !inputs || !inputs->share;
    if (!run->share)
        ok = no_memory(err);
    if (ok) {
        draw_start(run, inputs);
        ok = find_adapters(run, err) && sl_run_want(run, 0, err) &&
             encode_prompts(run, inputs, err) && sl_model_make_room(model, &run->recipe, err) &&
             sl_run_need_times(run, 0, err);
    }
    if (!ok) {
        sl_device_clear(model->dev);
        sl_run_free(run);
        return NULL;
    }
    warn_of_unmatched(run);
    return run;
}

void sl_run_free(SlRun *run)
{
    if (!run)
        return;
    if (run->own_share)
        sl_share_free(run->share);
    sl_times_free(run->model->dev, run->times);
    sl_scheduler_free(run->scheduler);
    sl_adapter_uses_free(&run->adapters);
    free(run->memory);
    free(run->lora);
    free(run->prompt);
    free(run->negative_prompt);
    free(run);
}
