/* bench.c - see bench.h: a model is timed, and what a stage's profile counted is kept. */
#include "app/cli/bench_private.h"
#include "app/cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts values. */
double sl_bench_median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare_doubles);
    return count > 0 ? (values[(count - 1) / 2] + values[count / 2]) / 2 : 0;
}

/* ---- profiles ---- */

void sl_bench_take_profile(const SlDevice *dev, SlBenchProfile *profile, int runs, double seconds)
{
    size_t count = 0;
    const SlProfileRow *rows = sl_profile_rows(dev, &count);
    SlProfileRow *copy = count ? calloc(count, sizeof *copy) : NULL;
    if (!copy)
        return;
    memcpy(copy, rows, count * sizeof *copy);
    free(profile->rows);
    *profile = (SlBenchProfile){runs, seconds, copy, count};
}

bool sl_bench_start_profile(SlDevice *dev, const SlBenchOptions *options, SlBench *bench,
                            SlError *err)
{
    if (!options->profile)
        return true;
    bench->ceiling = sl_device_ceiling(dev);
    return sl_device_check(dev, err) && sl_profile_start(dev, err);
}

void sl_bench_clear(SlBench *bench)
{
    SlBenchProfile *const profiles[] = {&bench->text_profile, &bench->step_profile,
                                        &bench->decode_profile};
    for (int i = 0; i < 3; i++) {
        free(profiles[i]->rows);
        *profiles[i] = (SlBenchProfile){0};
    }
}

void sl_bench_take_steps(const SlDevice *dev, SlBench *bench, double *times, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += times[i];
    sl_bench_take_profile(dev, &bench->step_profile, count, sum);
    bench->steps = count;
    bench->step_median = sl_bench_median(times, count);
    bench->step_fastest = times[0];
}

/* ---- a model ---- */

static bool time_steps(SlRun *run, SlDevice *dev, SlBench *bench, SlError *err)
{
    int count = sl_run_evaluations(run) - 1; /* the first warms up */
    double *times = calloc((size_t)count + 1, sizeof *times);
    SlFrame frame;
    bool ok = times || sl_fail(err, SL_MEMORY, "memory ran out");
    for (int i = 0; ok && i <= count; i++) {
        if (i <= 1)
            sl_profile_clear(dev);
        ok = sl_run_next(run, &frame, err);
        if (ok && i > 0)
            times[i - 1] = frame.seconds;
    }
    if (ok && count > 0)
        sl_bench_take_steps(dev, bench, times, count);
    free(times);
    return ok;
}

/* As long as a person waits for something to see. */
static bool time_first_preview(SlModel *model, const SlRecipe *recipe, SlBench *bench, SlError *err)
{
    SlFrame frame;
    double start = sl_clock();
    SlRun *run = sl_run_new(model, recipe, NULL, err);
    bool ok = run && sl_run_next(run, &frame, err);
    uint8_t *rgb = ok ? malloc((size_t)frame.height * (size_t)frame.width * 3) : NULL;
    if (rgb)
        sl_preview(model, frame.x_0, frame.height, frame.width, rgb);
    bench->first_preview = sl_clock() - start;
    free(rgb);
    sl_run_free(run);
    return ok;
}

/* Steps while pictures are decoded beside them, where the device does two things at once. */
static bool time_steps_decoding(SlModel *model, const SlRecipe *recipe, SlBench *bench,
                                SlError *err)
{
    SlFrame frame;
    SlRun *run = sl_run_new(model, recipe, NULL, err);
    int count = run ? sl_run_evaluations(run) : 0, timed = 0;
    double *times = calloc((size_t)count + 1, sizeof *times);
    bool ok = run && times;
    for (int i = 0; ok && i < count; i++) {
        double start = sl_clock();
        ok = sl_run_next(run, &frame, err);
        if (i > 2) /* decoding has warmed up, too */
            times[timed++] = sl_clock() - start;
        sl_decode_take(model, NULL);
        if (ok && !sl_decode_begin(model, frame.x_0, frame.height, frame.width))
            break;
    }
    sl_decode_take(model, NULL);
    bench->step_decoding = sl_bench_median(times, timed);
    free(times);
    sl_run_free(run);
    return ok;
}

/* As many steps that leave maps. */
static bool time_maps(SlModel *model, const SlRecipe *recipe, SlBench *bench, SlError *err)
{
    SlFrame frame;
    SlRun *run = sl_run_new(model, recipe, NULL, err);
    int count = run ? sl_run_evaluations(run) : 0, timed = 0;
    double *with = calloc((size_t)count + 1, sizeof *with);
    bool ok = run && with;
    if (ok)
        sl_run_want_maps(run, SL_MAPS_TEXT);
    for (int i = 0; ok && i < count; i++) {
        ok = sl_run_next(run, &frame, err);
        if (ok && i > 0)
            with[timed++] = frame.seconds;
    }
    bench->step_maps = sl_bench_median(with, timed);
    bench->step_maps_share = bench->step_maps / bench->step_median - 1;
    free(with);
    sl_run_free(run);
    return ok;
}

/* As many steps, of which those count that take over a part. */
static bool time_cached(SlModel *model, const SlRecipe *recipe, SlBench *bench, SlError *err)
{
    bool ok = true;
    for (int i = 0; ok && i < 2; i++) {
        SlRecipe own = *recipe;
        own.caching = SL_CACHING_DEEP + (SlCaching)i;
        own.caching_interval = (int)sl_setting(SL_SETTING_CACHING_INTERVAL)->max;
        own.caching_threshold = sl_setting(SL_SETTING_CACHING_THRESHOLD)->max;
        SlRun *run = sl_run_new(model, &own, NULL, err);
        int count = run ? sl_run_evaluations(run) : 0, timed = 0;
        double *cached = calloc((size_t)count + 1, sizeof *cached);
        ok = run && cached;
        for (int k = 0; ok && k < count; k++) {
            SlFrame frame;
            ok = sl_run_next(run, &frame, err);
            if (ok && frame.cached && k > 1) /* the second warms up */
                cached[timed++] = frame.seconds;
        }
        bench->step_cached[i] = sl_bench_median(cached, timed);
        bench->step_cached_share[i] = bench->step_cached[i] / bench->step_median - 1;
        free(cached);
        sl_run_free(run);
    }
    return ok;
}

static bool time_pictures(SlModel *model, const SlRun *run, SlBench *bench, SlError *err)
{
    const SlModelInfo *info = sl_model_info(model);
    const SlRecipe *recipe = sl_run_recipe(run);
    int h = recipe->height / info->factor, w = recipe->width / info->factor;
    uint8_t *rgb = malloc((size_t)recipe->height * (size_t)recipe->width * 3);
    if (!rgb)
        return sl_fail(err, SL_MEMORY, "memory ran out");
    double start = sl_clock();
    sl_preview(model, sl_run_sample(run), h, w, rgb);
    bench->preview = sl_clock() - start;
    bool ok = sl_decode(model, sl_run_sample(run), h, w, NULL, rgb, err); /* warms up */
    sl_profile_clear(sl_model_device(model));
    start = sl_clock();
    ok = ok && sl_decode(model, sl_run_sample(run), h, w, NULL, rgb, err);
    bench->decode = sl_clock() - start;
    sl_bench_take_profile(sl_model_device(model), &bench->decode_profile, 1, bench->decode);
    free(rgb);
    return ok;
}

bool sl_bench_model(SlModel *model, const SlBenchOptions *options, SlBench *bench, SlError *err)
{
    const SlModelInfo *info = sl_model_info(model);
    SlDevice *dev = sl_model_device(model);
    SlRecipe recipe;
    SlCost cost;
    sl_recipe_defaults(&recipe, info);
    recipe.prompt = "a photograph of an astronaut riding a horse";
    recipe.scheduler = info->pipeline->bench_scheduler;
    recipe.steps = options->steps + 1;
    recipe.width = options->width > 0 ? options->width : recipe.width;
    recipe.height = options->height > 0 ? options->height : recipe.height;
    if (!sl_model_cost(info, &recipe, sl_model_dtypes(model), &cost, err) ||
        !sl_bench_start_profile(dev, options, bench, err))
        return false;
    sl_run_free(sl_run_new(model, &recipe, NULL, err)); /* warms up */
    sl_profile_clear(dev);
    double start = sl_clock();
    SlRun *run = sl_run_new(model, &recipe, NULL, err);
    bench->text = sl_clock() - start;
    sl_bench_take_profile(dev, &bench->text_profile, 1, bench->text);
    bool ok = run && time_steps(run, dev, bench, err) && time_pictures(model, run, bench, err);
    sl_profile_stop(dev);
    ok = ok && time_first_preview(model, sl_run_recipe(run), bench, err) &&
         time_steps_decoding(model, sl_run_recipe(run), bench, err) &&
         (!options->maps || time_maps(model, sl_run_recipe(run), bench, err)) &&
         (!options->cached || time_cached(model, sl_run_recipe(run), bench, err));
    recipe = run ? *sl_run_recipe(run) : recipe;
    snprintf(bench->what, sizeof bench->what, "%.60s, %d x %d", info->name, recipe.width,
             recipe.height);
    sl_run_free(run);
    bench->held_bytes = dev->work.weight_bytes + dev->work.arena_peak + dev->work.buffer_bytes;
    snprintf(bench->device, sizeof bench->device, "%s", sl_device_describe(dev));
    bench->dtype = dev->dtype;
    snprintf(bench->dtypes, sizeof bench->dtypes, "%s", sl_model_dtypes(model));
    bench->text_flops = cost.text_flops;
    bench->step_flops = cost.step_flops;
    bench->decode_flops = cost.decode_flops;
    bench->device_bytes = cost.peak_bytes;
    bench->weight_bytes = dev->work.weight_bytes;
    return ok;
}
