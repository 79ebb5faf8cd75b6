/* step.c - see step.h.
 *
 * Easy to get wrong: the timestep, the prompt and the guidance change from evaluation to evaluation,
 * and must change in memory only.
 */
#include "engine/run/step.h"

#include <math.h>
#include <stdlib.h>

struct SlStep {
    SlDevice *dev;
    SlUnet *unet;
    SlStepShape shape;
    SlTensor sample;               /* f32 [runs, C, h, w] */
    SlTensor shifts;               /* of this evaluation's timesteps */
    SlTensor scale;                /* f32 [runs]: guidance */
    float guidance[SL_STEP_RUNS];  /* what scale holds */
    SlTensor results;              /* f32 [1 or 3 per run, C, h, w]: guided, unconditional, text */
    SlUnetContext *context;        /* the prompts at a fixed place, where that is needed */
    const void *run[SL_STEP_RUNS]; /* whose prompts are there */
    SlRepeat *repeat;
    /* of the evaluation in progress */
    const SlUnetContext *using;
    bool ok;
    SlError err;
};

/* Of results, per run. */
static int rows_of(const SlStepShape *shape)
{
    return shape->batch == 2 ? 3 : 1;
}

SlStep *sl_step_new(SlDevice *dev, SlUnet *unet, const SlStepShape *shape, SlError *err)
{
    SlStep *s = calloc(1, sizeof *s);
    if (s)
        s->repeat = sl_repeat_new();
    if (!s || !s->repeat) {
        free(s);
        sl_fail(err, SL_MEMORY, "out of memory for the run");
        return NULL;
    }
    int64_t n = shape->runs, rows = n * rows_of(shape);
    int64_t c = shape->channels, h = shape->height, w = shape->width;
    s->dev = dev;
    s->unet = unet;
    s->shape = *shape;
    for (int r = 0; r < SL_STEP_RUNS; r++)
        s->guidance[r] = NAN;
    s->scale = sl_buffer_new(dev, SL_F32, 1, (const int64_t[]){n});
    s->sample = sl_buffer_new(dev, SL_F32, 4, (const int64_t[]){n, c, h, w});
    s->results = sl_buffer_new(dev, SL_F32, 4, (const int64_t[]){rows, c, h, w});
    if (!sl_device_check(dev, err)) {
        sl_step_free(s);
        return NULL;
    }
    return s;
}

void sl_step_free(SlStep *s)
{
    if (!s)
        return;
    sl_repeat_free(s->dev, s->repeat);
    sl_unet_context_free(s->dev, s->context);
    sl_buffer_free(s->dev, &s->sample);
    sl_buffer_free(s->dev, &s->shifts);
    sl_buffer_free(s->dev, &s->scale);
    sl_buffer_free(s->dev, &s->results);
    free(s);
}

bool sl_step_fits(const SlStep *s, const SlStepShape *shape)
{
    return s && s->shape.runs == shape->runs && s->shape.batch == shape->batch &&
           s->shape.channels == shape->channels && s->shape.height == shape->height &&
           s->shape.width == shape->width;
}

void sl_step_leave(SlStep *s, const void *run)
{
    for (int r = 0; s && r < SL_STEP_RUNS; r++)
        if (s->run[r] == run)
            s->run[r] = NULL;
}

/* ---- what is repeated ---- */

/* [runs, C, h, w] in f32 to [runs batch, h, w, C] in the device's dtype */
static SlTensor spread(const SlStep *s)
{
    const SlStepShape *shape = &s->shape;
    SlTensor x = sl_tensor_new4(s->dev, shape->runs * shape->batch, shape->height, shape->width,
                                shape->channels);
    for (int r = 0; r < shape->runs; r++) {
        SlTensor sample = sl_slice(&s->sample, 0, r, 1);
        SlTensor view = sl_permute(&sample, (const int[]){0, 2, 3, 1});
        SlTensor place = sl_slice(&x, 0, r * shape->batch, shape->batch);
        view.size[0] = shape->batch;
        view.stride[0] = 0; /* the same for all */
        sl_copy(s->dev, &view, &place);
    }
    return x;
}

/* What the model says of run r before guidance. */
static SlTensor rows_said(const SlStep *s, int r)
{
    int rows = rows_of(&s->shape);
    return sl_slice(&s->results, 0, r * rows + (rows > 1), s->shape.batch);
}

static void evaluate(void *arg)
{
    SlStep *s = arg;
    SlDevice *dev = s->dev;
    int rows = rows_of(&s->shape), batch = s->shape.batch;
    size_t mark = sl_arena_mark(dev);
    SlTensor x = spread(s);
    SlTensor out = sl_tensor_new(dev, dev->dtype, 4, x.size);
    s->ok = sl_unet_forward_at(dev, s->unet, &x, &s->shifts, s->using, &out, &s->err);
    SlTensor all = sl_permute(&out, (const int[]){0, 3, 1, 2});
    for (int r = 0; r < s->shape.runs; r++) {
        SlTensor view = sl_slice(&all, 0, r * batch, batch), scale = sl_slice(&s->scale, 0, r, 1);
        SlTensor results = sl_slice(&s->results, 0, r * rows, rows);
        if (batch == 2)
            sl_guidance(dev, &view, &scale, &results);
        else
            sl_copy(dev, &view, &results);
    }
    sl_arena_reset(dev, mark);
}

/* ---- around it ---- */

/* The timesteps' shifts to their place. */
static void set_times(SlStep *s, const SlStepRun *runs)
{
    SlTensor rows[SL_STEP_RUNS];
    const SlTimesJoin join = {rows, s->shape.runs, s->shape.batch};
    for (int r = 0; r < s->shape.runs; r++)
        rows[r] = sl_unet_times_at(runs[r].times, runs[r].row);
    if (!s->shifts.data) {
        const int64_t size = rows[0].size[0] * s->shape.runs;
        s->shifts = sl_buffer_new(s->dev, rows[0].dtype, 1, &size);
    }
    sl_unet_times_join(s->dev, s->unet, &join, &s->shifts);
}

static bool has_prompts(const SlStep *s, const SlStepRun *runs)
{
    for (int r = 0; r < s->shape.runs; r++)
        if (s->run[r] != runs[r].run)
            return false;
    return s->context != NULL;
}

/* The runs' prompts to their place, unless they are there. */
static bool set_prompts(SlStep *s, const SlStepRun *runs, SlError *err)
{
    const SlUnetContext *contexts[SL_STEP_RUNS];
    s->using = runs[0].context;
    if (!runs[0].context || (s->shape.runs == 1 && !sl_repeat_remembers(s->dev)))
        return true;
    for (int r = 0; r < s->shape.runs; r++)
        contexts[r] = runs[r].context;
    if (!has_prompts(s, runs)) {
        s->run[0] = NULL;
        if (!sl_unet_context_join(s->dev, contexts, s->shape.runs, &s->context, err))
            return false;
        for (int r = 0; r < s->shape.runs; r++)
            s->run[r] = runs[r].run;
    }
    s->using = s->context;
    return true;
}

static void set_guidance(SlStep *s, int r, double guidance)
{
    float value = (float)guidance;
    SlTensor scale = sl_slice(&s->scale, 0, r, 1);
    if (s->guidance[r] == value)
        return;
    sl_upload(s->dev, &value, &scale);
    s->guidance[r] = sl_device_ok(s->dev) ? value : NAN;
}

static bool fetch_output(SlStep *s, int r, float *output, SlError *err)
{
    SlTensor wanted = sl_slice(&s->results, 0, r * rows_of(&s->shape), s->shape.batch);
    sl_download(s->dev, &wanted, output);
    return sl_device_check(s->dev, err);
}

bool sl_step_evaluate(SlStep *s, const SlStepRun *runs, SlError *err)
{
    SlDevice *dev = s->dev;
    bool ok = true;
    for (int r = 0; r < s->shape.runs; r++) {
        SlTensor sample = sl_slice(&s->sample, 0, r, 1);
        sl_upload(dev, runs[r].input, &sample);
        set_guidance(s, r, runs[r].guidance);
    }
    set_times(s, runs);
    if (!sl_device_check(dev, err) || !set_prompts(s, runs, err))
        return false;
    s->ok = true; /* replayed work says nothing */
    sl_repeat_run(dev, s->repeat, evaluate, s);
    if (!s->ok) {
        if (err)
            *err = s->err;
        return false;
    }
    for (int r = 0; ok && r < s->shape.runs; r++)
        ok = !runs[r].output || fetch_output(s, r, runs[r].output, err);
    return ok;
}

bool sl_step_said(SlStep *s, float *said, SlError *err)
{
    SlTensor rows = rows_said(s, 0);
    sl_download(s->dev, &rows, said);
    return sl_device_check(s->dev, err);
}

bool sl_step_guide(SlStep *s, const float *said, double guidance, float *output, SlError *err)
{
    SlTensor rows = rows_said(s, 0);
    sl_upload(s->dev, said, &rows);
    set_guidance(s, 0, guidance);
    if (s->shape.batch == 2)
        sl_guidance(s->dev, &rows, &s->scale, &s->results);
    return fetch_output(s, 0, output, err);
}
