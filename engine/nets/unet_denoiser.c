/* unet_denoiser.c - both UNets as denoisers (denoiser.h).
 *
 * Easy to get wrong: a key that a mask takes away has no weight in an attention, which is what
 * leaving it out means; so a masked text is one of fewer tokens (diffusers'
 * encoder_attention_mask).
 */
#include "engine/nets/layers.h"
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

/* What a UNet is told, and which tensors of a condition hold it. */
static const char *const told_names[] = {"hidden_states", "text_embeds", "time_ids"};

/* Whether a condition is what the UNet is told. */
static bool check_condition(const SlCondition *condition, bool text_time, SlError *err)
{
    bool fits = condition->count == (text_time ? 3 : 1);
    for (int i = 0; fits && i < condition->count; i++) {
        const SlConditionTensor *t = sl_condition_find(condition, told_names[i]);
        fits = t && t->rank == (i == 0 ? 2 : 1) && sl_condition_rows(t) > 0;
    }
    if (fits)
        return true;
    return sl_fail(
        err, SL_ARGUMENT,
        text_time ? SL_WORDS("this UNet is told \"hidden_states\" of two sizes, of at least one "
                             "token, \"text_embeds\" and \"time_ids\", and nothing else")
                  : SL_WORDS("a UNet is told \"hidden_states\" of two sizes, of at least one "
                             "token, and nothing else"));
}

/* A tensor of all rows in f32, [count, ...]; malloc'ed, NULL and *err on failure. */
static float *join_rows(const SlCondition *const *conditions, int count, const char *name,
                        int64_t size[3], SlError *err)
{
    float *joined = NULL;
    for (int i = 0; i < count; i++) {
        const SlConditionTensor *t = sl_condition_find(conditions[i], name);
        size[0] = count;
        size[1] = sl_condition_rows(t);
        size[2] = t->rank > 1 ? t->size[1] : 1;
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

/* The same on the device, in f32 or the device's dtype; rank 3 for states, else 2. */
static bool upload_rows(SlDevice *dev, const SlCondition *const *conditions, int count, int told,
                        SlTensor *out, SlError *err)
{
    int64_t size[3];
    float *rows = join_rows(conditions, count, told_names[told], size, err);
    if (!rows)
        return false;
    SlTensor f32 = sl_tensor_new(dev, SL_F32, told == 0 ? 3 : 2, size);
    sl_upload(dev, rows, &f32);
    free(rows);
    *out = told == 2 ? f32 : sl_in_dtype(dev, &f32); /* sizes are too large for half precision */
    return true;
}

static SlContext *prepare(SlDevice *dev, const void *net, const SlCondition *const *conditions,
                          int count, SlError *err)
{
    SlTensor rows[3];
    SlContext *context = NULL;
    int told = sl_unet_get_config(net)->text_time ? 3 : 1;
    bool ok = true;
    size_t mark = sl_arena_mark(dev);
    for (int i = 0; ok && i < count; i++)
        ok = check_condition(conditions[i], told == 3, err);
    for (int i = 0; ok && i < told; i++)
        ok = upload_rows(dev, conditions, count, i, &rows[i], err);
    if (ok) {
        const SlUnetTold of = {&rows[0], told == 3 ? &rows[1] : NULL, told == 3 ? &rows[2] : NULL};
        context = sl_unet_context_new(dev, net, &of, err);
    }
    sl_arena_reset(dev, mark);
    return context;
}

/* ---- the rest is the UNet's ---- */

static int64_t time_values(const void *net)
{
    return sl_unet_time_values(net);
}

static void times(SlDevice *dev, const void *net, const SlTensor *t, const SlTimesOf *of,
                  SlTensor *table)
{
    sl_unet_times(dev, net, t, of, table);
}

static void join_times(SlDevice *dev, const void *net, const SlTimesJoin *join, SlTensor *row)
{
    sl_unet_times_join(dev, net, join, row);
}

static bool evaluate(SlDevice *dev, void *net, const SlEvaluation *e, SlError *err)
{
    return sl_unet_forward_at(dev, net, e, err);
}

static int map_levels(const void *net, int h, int w, SlMapLevel levels[SL_MAP_LEVELS])
{
    return sl_unet_map_levels(net, h, w, levels);
}

static int branches(const void *net)
{
    return sl_unet_branches(sl_unet_get_config(net));
}

static void kept_size(const void *net, int branch, const int64_t x[4], int64_t size[4])
{
    sl_unet_kept_size(net, branch, x, size);
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
    .branches = branches,
    .kept_size = kept_size,
    .map_levels = map_levels,
};

const SlDenoiserClass sl_denoiser_unet = {
    .build = build_plain,
    .free = free_net,
    .time_values = time_values,
    .times = times,
    .join_times = join_times,
    .evaluate = evaluate,
    .operations = operations,
    .branches = branches,
    .kept_size = kept_size,
};
