/* denoiser.c - see denoiser.h: what all denoisers have in common around their own functions. */
#include "engine/nets/denoiser.h"

#include "engine/nets/layers.h"

#include <stdlib.h>
#include <string.h>

/* ---- contexts ---- */

SlContext *sl_context_new(int64_t batch, int count)
{
    SlContext *context = calloc(1, sizeof *context);
    if (context)
        context->tensor = calloc((size_t)count + 1, sizeof *context->tensor);
    if (!context || !context->tensor) {
        free(context);
        return NULL;
    }
    context->batch = batch;
    context->count = count;
    return context;
}

void sl_context_free(SlDevice *dev, SlContext *context)
{
    if (!context)
        return;
    for (int i = 0; i < context->count; i++)
        sl_buffer_free(dev, &context->tensor[i]);
    free(context->tensor);
    free(context);
}

/* Whether b is as large as count contexts like a. */
static bool same_sizes(const SlContext *a, int count, const SlContext *b)
{
    if (!b || a->count != b->count || a->batch * count != b->batch)
        return false;
    for (int i = 0; i < a->count; i++)
        for (int axis = 1; axis < a->tensor[i].rank; axis++)
            if (a->tensor[i].size[axis] != b->tensor[i].size[axis])
                return false;
    return true;
}

/* NULL when the host's or the device's memory is out. */
static SlContext *context_like(SlDevice *dev, const SlContext *from, int count)
{
    SlContext *context = sl_context_new(from->batch * count, from->count);
    for (int i = 0; context && i < from->count; i++) {
        SlTensor like = from->tensor[i];
        like.size[0] *= count;
        context->tensor[i] = sl_buffer_new(dev, like.dtype, like.rank, like.size);
    }
    if (sl_device_ok(dev))
        return context;
    sl_context_free(dev, context);
    return NULL;
}

bool sl_context_join(SlDevice *dev, const SlContext *const *from, int count, SlContext **to,
                     SlError *err)
{
    if (!same_sizes(from[0], count, *to)) {
        sl_context_free(dev, *to);
        *to = context_like(dev, from[0], count);
        if (!*to)
            return sl_device_check(dev, err) &&
                   sl_fail(err, SL_MEMORY, "There is not enough memory for the prompt");
    }
    for (int k = 0; k < count; k++)
        for (int i = 0; i < from[k]->count; i++) {
            const SlTensor *part = &from[k]->tensor[i];
            SlTensor place = sl_slice(&(*to)->tensor[i], 0, k * part->size[0], part->size[0]);
            sl_copy(dev, part, &place);
        }
    return sl_device_check(dev, err);
}

/* ---- denoisers ---- */

SlDenoiser *sl_denoiser_new(const SlDenoiserClass *kind, const SlJson *config, SlBinder *b,
                            SlError *err)
{
    SlDenoiser *d = calloc(1, sizeof *d);
    if (!d) {
        sl_fail(err, SL_MEMORY, "There is not enough memory for the model");
        return NULL;
    }
    d->kind = kind;
    d->dtype = sl_binder_dtype(b);
    d->net = kind->build(config, b, err);
    if (d->net)
        return d;
    free(d);
    return NULL;
}

void sl_denoiser_free(SlDenoiser *d)
{
    if (d)
        d->kind->free(d->net);
    free(d);
}

SlContext *sl_denoiser_prepare(SlDevice *dev, const SlDenoiser *d,
                               const SlCondition *const *conditions, int count, SlError *err)
{
    SlConditionShape first = sl_condition_shape(conditions[0]);
    for (int i = 1; i < count; i++) {
        SlConditionShape shape = sl_condition_shape(conditions[i]);
        if (!sl_condition_same_shape(&first, &shape)) {
            sl_fail(err, SL_ARGUMENT, "conditions of different sizes cannot be one batch");
            return NULL;
        }
    }
    if (d->kind->prepare) {
        SlDtype before = sl_device_use_dtype(dev, d->dtype);
        SlContext *context = d->kind->prepare(dev, d->net, conditions, count, err);
        sl_device_use_dtype(dev, before);
        return context;
    }
    sl_fail(err, SL_ARGUMENT, "this model is told nothing, and there is a condition");
    return NULL;
}

bool sl_denoiser_evaluate(SlDevice *dev, SlDenoiser *d, const SlEvaluation *e, SlError *err)
{
    SlDtype before = sl_device_use_dtype(dev, d->dtype);
    size_t mark = sl_arena_mark(dev);
    SlTensor input = sl_in_dtype(dev, e->x);
    SlEvaluation own = *e;
    own.x = &input;
    bool ok = d->kind->evaluate(dev, d->net, &own, err);
    sl_arena_reset(dev, mark);
    sl_device_use_dtype(dev, before);
    return ok;
}

uint64_t sl_denoiser_operations(const SlDenoiser *d)
{
    return d->kind->operations(d->net);
}

int sl_denoiser_map_levels(const SlDenoiser *d, int h, int w, SlMapLevel levels[SL_MAP_LEVELS])
{
    return d->kind->map_levels ? d->kind->map_levels(d->net, h, w, levels) : 0;
}

int sl_denoiser_branches(const SlDenoiser *d)
{
    return d->kind->branches ? d->kind->branches(d->net) : 0;
}

void sl_denoiser_kept_size(const SlDenoiser *d, int branch, const int64_t x[4], int64_t size[4])
{
    d->kind->kept_size(d->net, branch, x, size);
}

/* ---- times ---- */

SlTimes *sl_times_new(SlDevice *dev, const SlDenoiser *d, const SlTimesOf *of, SlError *err)
{
    SlTimes *times = calloc(1, sizeof *times);
    if (!times) {
        sl_fail(err, SL_MEMORY, "There is not enough memory for the time embedding");
        return NULL;
    }
    const int64_t size[] = {of->count, of->batch * d->kind->time_values(d->net)};
    size_t mark = sl_arena_mark(dev);
    SlTensor t = sl_tensor_new(dev, SL_F32, 1, size);
    SlDtype before = sl_device_use_dtype(dev, d->dtype);
    times->table = sl_buffer_new(dev, d->dtype, 2, size);
    sl_upload(dev, of->timesteps, &t);
    d->kind->times(dev, d->net, &t, of, &times->table);
    sl_arena_reset(dev, mark);
    sl_device_use_dtype(dev, before);
    if (!sl_device_check(dev, err)) {
        sl_times_free(dev, times);
        return NULL;
    }
    return times;
}

void sl_times_free(SlDevice *dev, SlTimes *times)
{
    if (times)
        sl_buffer_free(dev, &times->table);
    free(times);
}

SlTensor sl_times_at(const SlTimes *times, int i)
{
    SlTensor row = sl_slice(&times->table, 0, i, 1);
    return sl_reshape(&row, 1, &row.size[1]);
}

void sl_times_join(SlDevice *dev, const SlDenoiser *d, const SlTimesJoin *join, SlTensor *row)
{
    if (join->count > 1 && d->kind->join_times) {
        SlDtype before = sl_device_use_dtype(dev, d->dtype);
        d->kind->join_times(dev, d->net, join, row);
        sl_device_use_dtype(dev, before);
        return;
    }
    for (int k = 0; k < join->count; k++) {
        SlTensor place = sl_slice(row, 0, k * join->rows[k].size[0], join->rows[k].size[0]);
        sl_copy(dev, &join->rows[k], &place);
    }
}
