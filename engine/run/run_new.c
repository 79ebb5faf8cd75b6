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
    run->embedding = strdup(recipe->embedding ? recipe->embedding : "");
    run->sigma_list = strdup(recipe->sigma_list ? recipe->sigma_list : "");
    if (!run->prompt || !run->negative_prompt || !run->lora || !run->embedding || !run->sigma_list)
        return no_memory(err);
    run->recipe.embedding = run->embedding;
    run->recipe.sigma_list = run->sigma_list;
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
    if (run->model->refiner && !run->recipe.refine_from)
        run->recipe.refine_from = sl_setting(SL_SETTING_REFINE_FROM)->usual;
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
    run->memory = calloc((size_t)run->elements * SL_RUN_ARRAYS, sizeof(float));
    if (!run->memory)
        return no_memory(err);
    float **arrays[SL_RUN_ARRAYS] = {&run->noise, &run->sample,   &run->x0,
                                     &run->input, &run->output,   &run->said,
                                     NULL, /* said has two */
                                     &run->term,  &run->momentum, &run->kept.input};
    for (int i = 0; i < SL_RUN_ARRAYS; i++)
        if (arrays[i])
            *arrays[i] = run->memory + i * run->elements;
    return true;
}

/* What is said of what the model predicts is not said of its refiner. */
static bool make_scheduler(const SlRun *run, SlRunSide *side, SlError *err)
{
    const SlModel *model = side->model;
    SlSchedulerChoice choice = sl_run_scheduler_choice(&model->info, &run->recipe);
    if (side != run->side) {
        choice.prediction = SL_PREDICTION_MODEL;
        choice.zero_snr = SL_ZERO_SNR_MODEL;
    }
    side->scheduler = sl_model_scheduler(model, run->recipe.scheduler, &choice, err);
    const SlSchedulerRun of = {.steps = run->recipe.steps,
                               .size = run->elements,
                               .height = run->height,
                               .width = run->width};
    return side->scheduler && sl_scheduler_set_timesteps(side->scheduler, &of, err);
}

/* The model, and where it hands the run to another that one. */
static bool make_sides(SlRun *run, SlShare *share, SlError *err)
{
    SlModel *refiner = run->recipe.refine_from < 1 ? run->model->refiner : NULL;
    run->side[0] = (SlRunSide){.model = run->model, .share = share};
    run->sides = 1;
    if (refiner) {
        run->side[1] = (SlRunSide){.model = refiner, .share = sl_share_refiner(share)};
        run->sides = 2;
        if (!run->side[1].share)
            return no_memory(err);
    }
    for (int i = 0; i < run->sides; i++) {
        SlRunSide *side = &run->side[i];
        side->rule = sl_model_guidance(&side->model->info, run->recipe.guidance);
        side->batch = side->rule == SL_GUIDANCE_CLASSIFIER_FREE ? 2 : 1;
        if (!make_scheduler(run, side, err))
            return false;
    }
    return !refiner || sl_run_find_handover(run, err);
}

static void draw_start(SlRun *run, const SlRunInputs *inputs)
{
    sl_noise_init(&run->generator, run->recipe.noise, run->recipe.seed, run->recipe.noise_threads);
    if (inputs && inputs->latents)
        memcpy(run->noise, inputs->latents, (size_t)run->elements * sizeof(float));
    else
        sl_noise_normal(&run->generator, run->noise, run->elements);
    float sigma = (float)sl_scheduler_init_noise_sigma(sl_run_side(run)->scheduler);
    for (int64_t i = 0; i < run->elements; i++)
        run->sample[i] = run->noise[i] * sigma;
    run->noise_source = (SlNoiseSource){
        .generator = &run->generator,
        .given = inputs ? inputs->step_noise : NULL,
        .given_count = inputs ? inputs->step_noise_count : 0,
    };
}

/* ---- adapters ---- */

/* The k-th, or what stands in its way. A tag of the prompt whose file is not here is a warning, as in
 * the programs that have them. */
static bool find_adapter(SlRun *run, int k, bool tag, SlError *err)
{
    const SlAdapterUse *use = &run->adapters.use[k];
    SlError problem = {0};
    char text[900];
    run->adapter[k] = sl_model_find_adapter(run->model, use->name, use->hash, &problem);
    if (run->adapter[k] >= 0)
        return true;
    if (!tag || problem.code != SL_IO)
        return sl_fail(err, problem.code, "%s", problem.message);
    snprintf(text, sizeof text, sl_words("a LoRA of the prompt has no effect: %.600s"),
             problem.message);
    sl_run_warn(run, text);
    return true;
}

/* The recipe as it counts for the model, which may read no language but plain text. */
static bool list_adapters(SlRun *run, int *said, SlError *err)
{
    SlRecipe recipe = run->recipe;
    if (!sl_setting_exists(sl_setting(SL_SETTING_PROMPT_MODE), &run->model->info, NULL))
        recipe.prompt_mode = SL_PROMPT_PLAIN;
    return sl_recipe_adapters(&recipe, &run->adapters, said, err);
}

static bool find_adapters(SlRun *run, SlError *err)
{
    SlMix texts = {.count = 0};
    int said, kept = 0;
    if (!list_adapters(run, &said, err))
        return false;
    for (int i = 0; i < run->adapters.count; i++) {
        if (!find_adapter(run, i, i >= said, err))
            return false;
        if (run->adapter[i] < 0)
            continue;
        run->adapter[kept] = run->adapter[i];
        run->adapters.use[kept++] = run->adapters.use[i];
    }
    run->adapters.count = kept;
    for (int i = 0; i < kept; i++) {
        texts.use[i].adapter = run->adapter[i];
        texts.use[i].strength = run->adapters.use[i].text;
    }
    texts.count = kept;
    return sl_model_mix(run->model, &texts, &run->text_mix, err);
}

/* The number of the set that the denoiser has at evaluation i. */
static bool find_mix(const SlRun *run, int i, unsigned *number, SlError *err)
{
    SlMix mix = {.count = 0};
    for (int k = 0; k < run->adapters.count; k++) {
        mix.use[mix.count].adapter = run->adapter[k];
        mix.use[mix.count++].strength =
            sl_adapter_use_at(&run->adapters.use[k], i, sl_run_evaluations(run));
    }
    return sl_model_mix(run->model, &mix, number, err);
}

bool sl_run_want(SlRun *run, int i, SlError *err)
{
    bool last = i + 1 == sl_run_evaluations(run);
    unsigned next = 0, *mix = &run->side[0].mix;
    if (sl_run_side_at(run, i) != run->side) /* a refiner's weights are its own */
        return true;
    if (!find_mix(run, i, mix, err) || (!last && !find_mix(run, i + 1, &next, err)))
        return false;
    sl_model_want(run->model, run->text_mix, *mix, !last && next == *mix);
    return true;
}

/* What a LoRA does not change: weights that this model has not, and its refiner. */
static void warn_of_unmatched(SlRun *run)
{
    SlAdapterCounts counts;
    char text[900];
    if (run->sides > 1 && run->adapters.count > 0)
        sl_run_warn(run,
                    sl_words("LoRAs change the model alone: its refiner goes on without them"));
    for (int i = 0; i < run->adapters.count; i++) {
        const SlAdapterUse *use = &run->adapters.use[i];
        if (!sl_model_adapter(run->model, use->name, use->hash, &counts, NULL) ||
            counts.matched == counts.modules)
            continue;
        snprintf(
            text, sizeof text,
            sl_words("LoRA %.100s: %d of its %d modules change no weight of this model (%s, ...)"),
            use->name, counts.modules - counts.matched, counts.modules, counts.unmatched);
        sl_run_warn(run, text);
    }
}

/* ---- prompts ---- */

static bool encode_prompts(SlRun *run, const SlRunInputs *inputs, SlError *err)
{
    const SlCondition *const *given = inputs && inputs->condition[0] ? inputs->condition : NULL;
    if (!run->model->kind->ask && given)
        return sl_fail(err, SL_ARGUMENT, "%s is a model that is told nothing",
                       run->model->info.name);
    return sl_run_find_told(run, &run->side[0], given, err);
}

/* ---- the whole ---- */

SlRun *sl_run_new(SlModel *model, const SlRecipe *recipe, const SlRunInputs *inputs, SlError *err)
{
    SlRun *run = calloc(1, sizeof *run);
    if (!run) {
        no_memory(err);
        return NULL;
    }
    run->model = model;
    run->share = inputs && inputs->share ? inputs->share : sl_share_new(model);
    run->own_share = !inputs || !inputs->share;
    run->settled = inputs && inputs->settled;
    run->kept.evaluation = -1;
    bool ok = (run->share || no_memory(err)) && copy_recipe(run, recipe, err) &&
              sl_model_check_memory(model, &run->recipe, 0, err) && make_arrays(run, err) &&
              make_sides(run, run->share, err) &&
              (run->sides < 2 || sl_model_check_refiner(run->side[1].model, &run->recipe, err));
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
    for (int i = 0; i < run->sides; i++) {
        sl_times_free(run->side[i].model->dev, run->side[i].times);
        sl_scheduler_free(run->side[i].scheduler);
        free(run->side[i].words);
        free(run->side[i].vectors);
        free(run->side[i].part_weight);
    }
    sl_run_kept_free(&run->kept);
    if (run->own_share)
        sl_share_free(run->share);
    sl_adapter_uses_free(&run->adapters);
    free(run->memory);
    sl_run_free_embeddings(run);
    free(run->map_memory);
    free(run->lora);
    free(run->embedding);
    free(run->sigma_list);
    free(run->prompt);
    free(run->negative_prompt);
    free(run);
}
