/* unet_denoiser.c - both UNets as denoisers (denoiser.h).
 *
 * Easy to get wrong: a key that a mask takes away has no weight in an attention, which is what
 * leaving it out means; so a masked text is one of fewer tokens (diffusers'
 * encoder_attention_mask).
 */
#include "engine/nets/unet.h"

#include <stdlib.h>
#include <string.h>

/* ---- building ---- */

static void *build(const SlJson *json, bool conditional, SlBinder *b, SlError *err)
{
    SlUnetConfig config;
    return sl_unet_config(&config, json, err) && sl_unet_of_kind(&config, json, conditional, err)
               ? sl_unet_new(&config, b, err)
               : NULL;
}

static void *build_condition(const SlJson *json, SlBinder *b, SlError *err)
{
    return build(json, true, b, err);
}

static void *build_plain(const SlJson *json, SlBinder *b, SlError *err)
{
    return build(json, false, b, err);
}

static void free_net(void *net)
{
    sl_unet_free(net);
}

/* ---- conditions ---- */

/* The hidden states of all rows in f32, [count, L, D]; malloc'ed, NULL and *err on failure. */
static float *join_states(const SlCondition *const *conditions, int count, int64_t size[3],
                          SlError *err)
{
    float *joined = NULL;
    for (int i = 0; i < count; i++) {
        const SlConditionTensor *t = sl_condition_find(conditions[i], "hidden_states");
        if (!t || t->rank != 2 || conditions[i]->count != 1 || sl_condition_rows(t) == 0) {
            free(joined);
            sl_fail(err, SL_ARGUMENT,
                    "a UNet is told \"hidden_states\" of two sizes, of at least one token, and "
                    "nothing else");
            return NULL;
        }
        size[0] = count;
        size[1] = sl_condition_rows(t);
        size[2] = t->size[1];
        if (!joined)
            joined = malloc((size_t)(count * size[1] * size[2]) * sizeof *joined);
        if (!joined) {
            sl_fail(err, SL_MEMORY, "There is not enough memory for the prompt");
            return NULL;
        }
        sl_condition_take(t, joined + i * size[1] * size[2]);
    }
    return joined;
}

static SlContext *prepare(SlDevice *dev, const void *net, const SlCondition *const *conditions,
                          int count, SlError *err)
{
    int64_t size[3];
    float *states = join_states(conditions, count, size, err);
    if (!states)
        return NULL;
    size_t mark = sl_arena_mark(dev);
    SlTensor f32 = sl_tensor_new(dev, SL_F32, 3, size);
    SlTensor hidden = sl_tensor_new3(dev, size[0], size[1], size[2]);
    sl_upload(dev, states, &f32);
    sl_copy(dev, &f32, &hidden);
    SlContext *context = sl_unet_context_new(dev, net, &hidden, err);
    sl_arena_reset(dev, mark);
    free(states);
    return context;
}

/* ---- the rest is the UNet's ---- */

static int64_t time_values(const void *net)
{
    return sl_unet_time_values(net);
}

static void times(SlDevice *dev, const void *net, const SlTensor *t, int64_t batch, SlTensor *table)
{
    sl_unet_times(dev, net, t, batch, table);
}

static void join_times(SlDevice *dev, const void *net, const SlTimesJoin *join, SlTensor *row)
{
    sl_unet_times_join(dev, net, join, row);
}

static bool evaluate(SlDevice *dev, void *net, const SlTensor *x, const SlTensor *row,
                     const SlContext *context, SlTensor *out, SlError *err)
{
    return sl_unet_forward_at(dev, net, x, row, context, out, err);
}

static uint64_t operations(const void *net)
{
    return sl_unet_operations(net);
}

const SlDenoiserClass sl_denoiser_unet_condition = {
    .build = build_condition,
    .free = free_net,
    .prepare = prepare,
    .time_values = time_values,
    .times = times,
    .join_times = join_times,
    .evaluate = evaluate,
    .operations = operations,
};

const SlDenoiserClass sl_denoiser_unet = {
    .build = build_plain,
    .free = free_net,
    .time_values = time_values,
    .times = times,
    .join_times = join_times,
    .evaluate = evaluate,
    .operations = operations,
};
