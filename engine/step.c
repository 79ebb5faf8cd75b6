/* step.c - see step.h.
 *
 * Easy to get wrong: the timestep, the prompt and the guidance change from evaluation to evaluation,
 * and must change in memory only.
 */
#include "engine/step.h"

#include <math.h>
#include <stdlib.h>

struct SlStep {
    SlDevice *dev;
    SlUnet *unet;
    SlStepShape shape;
    SlTensor sample;        /* f32 [1, C, h, w] */
    SlTensor shifts;        /* of this evaluation's timestep */
    SlTensor scale;         /* f32 [1]: guidance */
    float guidance;         /* what scale holds */
    SlTensor results;       /* f32 [1 or 3, C, h, w]: guided, unconditional, text */
    SlUnetContext *context; /* the prompt at a fixed place, where the device remembers */
    const void *run;        /* whose prompt is there */
    SlRepeat *repeat;
    /* of the evaluation in progress */
    const SlUnetContext *using;
    bool ok;
    SlError err;
};

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
    int64_t rows = shape->batch == 2 ? 3 : 1;
    int64_t c = shape->channels, h = shape->height, w = shape->width;
    s->dev = dev;
    s->unet = unet;
    s->shape = *shape;
    s->guidance = NAN;
    s->scale = sl_buffer_new(dev, SL_F32, 1, (const int64_t[]){1});
    s->sample = sl_buffer_new(dev, SL_F32, 4, (const int64_t[]){1, c, h, w});
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
    return s && s->shape.batch == shape->batch && s->shape.channels == shape->channels &&
           s->shape.height == shape->height && s->shape.width == shape->width;
}

void sl_step_leave(SlStep *s, const void *run)
{
    if (s && s->run == run)
        s->run = NULL;
}

/* ---- what is repeated ---- */

/* [1, C, h, w] in f32 to [batch, h, w, C] in the device's dtype */
static SlTensor spread(const SlStep *s)
{
    SlTensor x =
        sl_tensor_new4(s->dev, s->shape.batch, s->shape.height, s->shape.width, s->shape.channels);
    SlTensor view = sl_permute(&s->sample, (const int[]){0, 2, 3, 1});
    view.size[0] = s->shape.batch;
    view.stride[0] = 0; /* the same for all */
    sl_copy(s->dev, &view, &x);
    return x;
}

/* What the model says before guidance. */
static SlTensor rows_said(const SlStep *s)
{
    return sl_slice(&s->results, 0, s->shape.batch == 2 ? 1 : 0, s->shape.batch);
}

static void evaluate(void *arg)
{
    SlStep *s = arg;
    SlDevice *dev = s->dev;
    size_t mark = sl_arena_mark(dev);
    SlTensor x = spread(s);
    SlTensor out = sl_tensor_new(dev, dev->dtype, 4, x.size);
    s->ok = sl_unet_forward_at(dev, s->unet, &x, &s->shifts, s->using, &out, &s->err);
    SlTensor view = sl_permute(&out, (const int[]){0, 3, 1, 2});
    if (s->shape.batch == 2)
        sl_guidance(dev, &view, &s->scale, &s->results);
    else
        sl_copy(dev, &view, &s->results);
    sl_arena_reset(dev, mark);
}

/* ---- around it ---- */

/* The timestep's shifts to their place. */
static void set_time(SlStep *s, const SlUnetTimes *times, int i)
{
    SlTensor row = sl_unet_times_at(times, i);
    if (!s->shifts.data)
        s->shifts = sl_buffer_new(s->dev, row.dtype, row.rank, row.size);
    sl_copy(s->dev, &row, &s->shifts);
}

/* The run's prompt to its place, unless it is there. */
static bool set_prompt(SlStep *s, const SlStepRun *run, SlError *err)
{
    s->using = run->context;
    if (!run->context || !sl_repeat_remembers(s->dev))
        return true;
    if (!s->context || s->run != run->run) {
        s->run = NULL;
        if (!sl_unet_context_copy(s->dev, run->context, &s->context, err))
            return false;
        s->run = run->run;
    }
    s->using = s->context;
    return true;
}

static void set_guidance(SlStep *s, double guidance)
{
    float value = (float)guidance;
    if (s->guidance == value)
        return;
    sl_upload(s->dev, &value, &s->scale);
    s->guidance = sl_device_ok(s->dev) ? value : NAN;
}

static bool fetch_output(SlStep *s, float *output, SlError *err)
{
    SlTensor wanted = sl_slice(&s->results, 0, 0, s->shape.batch);
    sl_download(s->dev, &wanted, output);
    return sl_device_check(s->dev, err);
}

bool sl_step_evaluate(SlStep *s, const SlStepRun *run, int i, const float *input, float *output,
                      SlError *err)
{
    SlDevice *dev = s->dev;
    sl_upload(dev, input, &s->sample);
    set_time(s, run->times, i);
    set_guidance(s, run->guidance);
    if (!sl_device_check(dev, err) || !set_prompt(s, run, err))
        return false;
    s->ok = true; /* replayed work says nothing */
    sl_repeat_run(dev, s->repeat, evaluate, s);
    if (!s->ok) {
        if (err)
            *err = s->err;
        return false;
    }
    return fetch_output(s, output, err);
}

bool sl_step_said(SlStep *s, float *said, SlError *err)
{
    SlTensor rows = rows_said(s);
    sl_download(s->dev, &rows, said);
    return sl_device_check(s->dev, err);
}

bool sl_step_guide(SlStep *s, const float *said, double guidance, float *output, SlError *err)
{
    SlTensor rows = rows_said(s);
    sl_upload(s->dev, said, &rows);
    set_guidance(s, guidance);
    if (s->shape.batch == 2)
        sl_guidance(s->dev, &rows, &s->scale, &s->results);
    return fetch_output(s, output, err);
}
