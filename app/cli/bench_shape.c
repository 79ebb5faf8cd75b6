/* bench_shape.c - a shape without weights goes through its stages twice by the same code: on the
 * measure device, which counts the operations, and on the real one, which is timed.
 */
#include "app/cli/bench_private.h"
#include "app/cli/interrupt.h"
#include "app/cli/progress.h"
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>

typedef bool (*RunStage)(SlStages *stages, SlError *err);

/* Runs a stage once: its seconds on a real device, its operations on the measure device. */
static bool run_stage(SlStages *stages, RunStage stage, double *seconds, double *flops,
                      SlError *err)
{
    SlDevice *dev = sl_stages_device(stages);
    double start = sl_clock(), before = dev->work.flops;
    bool ok =
        (!sl_interrupted() || sl_fail(err, SL_CANCELLED, "interrupted")) && stage(stages, err);
    sl_device_finish(dev);
    *seconds = sl_clock() - start;
    *flops = dev->work.flops - before;
    return ok;
}

/* Twice: the first warms up. */
static bool time_stage(SlStages *stages, RunStage stage, double *seconds, double *flops,
                       SlBenchProfile *profile, SlError *err)
{
    SlDevice *dev = sl_stages_device(stages);
    bool ok = true;
    for (int i = 0; ok && i < 2; i++) {
        sl_profile_clear(dev);
        ok = run_stage(stages, stage, seconds, flops, err);
    }
    sl_bench_take_profile(dev, profile, 1, *seconds);
    return ok;
}

static bool time_steps(SlStages *stages, int steps, SlBench *bench, SlError *err)
{
    double *times = calloc((size_t)steps + 1, sizeof *times);
    bool ok = times || sl_fail(err, SL_MEMORY, "memory ran out");
    for (int i = 0; ok && i <= steps; i++) {
        if (i <= 1)
            sl_profile_clear(sl_stages_device(stages)); /* the first warms up */
        ok = run_stage(stages, sl_stages_step, &times[i > 0 ? i - 1 : 0], &bench->step_flops, err);
    }
    if (ok)
        sl_bench_take_steps(sl_stages_device(stages), bench, times, steps);
    free(times);
    return ok;
}

/* Steps with maps, each behind one without: a machine is not as fast at all times. */
static bool time_maps(SlStages *stages, int steps, SlBench *bench, SlError *err)
{
    double *plain = calloc(2 * (size_t)steps + 1, sizeof *plain), *with = plain + steps, flops;
    bool ok = plain || sl_fail(err, SL_MEMORY, "memory ran out");
    for (int i = 0; ok && i < steps; i++)
        ok = run_stage(stages, sl_stages_step, &plain[i], &flops, err) &&
             run_stage(stages, sl_stages_step_maps, &with[i], &flops, err);
    if (ok) {
        bench->step_maps = sl_bench_median(with, steps);
        bench->step_maps_share = bench->step_maps / sl_bench_median(plain, steps) - 1;
    }
    free(plain);
    return ok;
}

/* The same of steps that take over a part. */
static bool time_cached(SlStages *stages, int steps, SlBench *bench, SlError *err)
{
    static const RunStage stage[] = {sl_stages_step_deep, sl_stages_step_first_block};
    double *plain = calloc(2 * (size_t)steps + 1, sizeof *plain), *cached = plain + steps, flops;
    bool ok = plain || sl_fail(err, SL_MEMORY, "memory ran out");
    for (int k = 0; ok && k < 2; k++) {
        ok = run_stage(stages, stage[k], &cached[0], &flops, err); /* warms up */
        for (int i = 0; ok && i < steps; i++)
            ok = run_stage(stages, sl_stages_step, &plain[i], &flops, err) &&
                 run_stage(stages, stage[k], &cached[i], &flops, err);
        if (ok) {
            bench->step_cached[k] = sl_bench_median(cached, steps);
            bench->step_cached_share[k] = bench->step_cached[k] / sl_bench_median(plain, steps) - 1;
        }
    }
    free(plain);
    return ok;
}

static bool run_stages(SlStages *stages, const SlBenchOptions *options, SlBench *bench,
                       SlError *err)
{
    SlDevice *dev = sl_stages_device(stages);
    bool ok = sl_bench_start_profile(dev, options, bench, err) &&
              time_stage(stages, sl_stages_encode, &bench->text, &bench->text_flops,
                         &bench->text_profile, err) &&
              time_steps(stages, options->steps, bench, err) &&
              (!options->maps || time_maps(stages, options->steps, bench, err)) &&
              (!options->cached || time_cached(stages, options->steps, bench, err)) &&
              time_stage(stages, sl_stages_decode, &bench->decode, &bench->decode_flops,
                         &bench->decode_profile, err);
    sl_profile_stop(dev);
    bench->weight_bytes = dev->work.weight_bytes;
    bench->device_bytes = dev->work.weight_bytes + dev->work.arena_peak + dev->work.buffer_bytes;
    snprintf(bench->device, sizeof bench->device, "%s", sl_device_describe(dev));
    bench->dtype = dev->dtype;
    snprintf(bench->dtypes, sizeof bench->dtypes, "%s", sl_stages_dtypes(stages));
    return ok;
}

static bool bench_on(const char *arch, const SlModelOptions *on, const SlBenchOptions *options,
                     SlBench *bench, SlError *err)
{
    SlStages *stages = sl_stages_open(arch, on, options->width, options->height, err);
    if (!stages)
        return false;
    bool ok = run_stages(stages, options, bench, err);
    snprintf(bench->what, sizeof bench->what, "%.40s, %d x %d, random weights", arch,
             sl_stages_width(stages), sl_stages_height(stages));
    sl_stages_close(&stages);
    return ok;
}

bool sl_bench_shape(const char *arch, const SlModelOptions *on, const SlBenchOptions *options,
                    SlBench *bench, SlError *err)
{
    SlBench counted = {0};
    SlBenchOptions count = *options;
    count.steps = 1;
    count.profile = count.maps = count.cached = false;
    if (!bench_on(arch, on, options, bench, err))
        return false;
    const SlModelOptions measure = {.device = "measure", .dtype = bench->dtypes};
    if (!bench_on(arch, &measure, &count, &counted, err))
        return false;
    bench->text_flops = counted.text_flops;
    bench->step_flops = counted.step_flops;
    bench->decode_flops = counted.decode_flops;
    bench->device_bytes = counted.device_bytes;
    return true;
}
