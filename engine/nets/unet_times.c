/* unet_times.c - see unet_times.h.
 *
 * Easy to get wrong: the activation after linear_2 is the resnets', which all want the same thing,
 * so it is done once here; UNet2DModel uses SiLU inside whatever its act_fn says.
 */
#include "engine/nets/unet_times.h"

#include <stdlib.h>

void sl_time_embedding_bind(SlTimeEmbedding *e, SlBinder *b, const SlUnetConfig *config)
{
    int dim = config->time_embed_dim;
    e->config = config;
    e->linear_1 = sl_bind_linear(b, sl_path("time_embedding.linear_1"), config->channels[0], dim);
    e->linear_2 = sl_bind_linear(b, sl_path("time_embedding.linear_2"), dim, dim);
    e->channels = config->center_input ? config->in_channels : 0;
}

bool sl_time_embedding_add(SlTimeEmbedding *e, SlResnet *resnet)
{
    if (e->count == SL_UNET_MAX_RESNETS)
        return false;
    e->resnets[e->count++] = resnet;
    resnet->shift_at = e->channels;
    e->channels += resnet->options.out_channels;
    return true;
}

/* act(linear_2(act(linear_1(sinusoids(t))))), [T, time_embed_dim] */
static SlTensor embed(SlDevice *dev, const SlTimeEmbedding *e, const SlTensor *t)
{
    const SlUnetConfig *c = e->config;
    SlTimestepEmbedding sinusoids = {c->flip_sin_to_cos, c->freq_shift, 10000};
    SlEpilogue inner = {.act = c->conditional ? c->act : SL_ACT_SILU}, outer = {.act = c->act};
    dev->scope = "time_embedding";
    SlTensor temb = sl_tensor_new2(dev, t->size[0], c->time_embed_dim);
    size_t mark = sl_arena_mark(dev);
    SlTensor t_emb = sl_tensor_new2(dev, t->size[0], c->channels[0]);
    SlTensor hidden = sl_tensor_like(dev, &temb);
    sl_timestep_embedding(dev, t, &sinusoids, &t_emb);
    sl_layer_linear(dev, &e->linear_1, &t_emb, &inner, &hidden);
    sl_layer_linear(dev, &e->linear_2, &hidden, &outer, &temb);
    sl_arena_reset(dev, mark);
    return temb;
}

static SlTensor part(const SlTensor *shifts, int64_t batch, int64_t at, int64_t channels)
{
    SlTensor flat = sl_slice(shifts, 0, batch * at, batch * channels);
    return sl_reshape(&flat, 2, (const int64_t[]){batch, channels});
}

SlTensor sl_resnet_shift(const SlResnet *r, const SlTensor *shifts, int64_t batch)
{
    return part(shifts, batch, r->shift_at, r->options.out_channels);
}

SlTensor sl_center_shift(const SlTimeEmbedding *e, const SlTensor *shifts, int64_t batch)
{
    return part(shifts, batch, 0, e->config->in_channels);
}

/* -1 everywhere in a view [T, n] */
static void put_minus_one(SlDevice *dev, SlTensor *view)
{
    size_t n = (size_t)sl_tensor_elements(view);
    float *values = malloc(n * sizeof *values);
    if (!values) {
        sl_device_fail(dev, SL_MEMORY, "There is not enough memory for the time embedding");
        return;
    }
    for (size_t i = 0; i < n; i++)
        values[i] = -1;
    size_t mark = sl_arena_mark(dev);
    SlTensor ones = sl_tensor_new(dev, SL_F32, view->rank, view->size);
    sl_upload(dev, values, &ones);
    free(values);
    sl_copy(dev, &ones, view);
    sl_arena_reset(dev, mark);
}

SlTensor sl_time_embedding_batch(SlDevice *dev, const SlTimeEmbedding *e, const SlTensor *t)
{
    int64_t n = t->size[0];
    SlTensor shifts = sl_tensor_new1(dev, n * e->channels);
    size_t mark = sl_arena_mark(dev);
    SlTensor temb = embed(dev, e, t);
    if (e->config->center_input) {
        SlTensor center = sl_center_shift(e, &shifts, n);
        put_minus_one(dev, &center);
    }
    for (int i = 0; i < e->count; i++) {
        SlTensor shift = sl_resnet_shift(e->resnets[i], &shifts, n);
        dev->scope = e->resnets[i]->path.text;
        sl_layer_linear(dev, &e->resnets[i]->time_emb_proj, &temb, NULL, &shift);
    }
    sl_arena_reset(dev, mark);
    return shifts;
}

void sl_time_embedding_table(SlDevice *dev, const SlTimeEmbedding *e, const SlTensor *t,
                             int64_t batch, SlTensor *table)
{
    size_t mark = sl_arena_mark(dev);
    SlTensor temb = embed(dev, e, t);
    if (e->config->center_input) {
        SlTensor center = sl_slice(table, 1, 0, batch * e->config->in_channels);
        put_minus_one(dev, &center);
    }
    for (int i = 0; i < e->count && sl_device_ok(dev); i++) {
        const SlResnet *r = e->resnets[i];
        int64_t channels = r->options.out_channels;
        size_t inner = sl_arena_mark(dev);
        SlTensor shift = sl_tensor_new2(dev, t->size[0], channels);
        dev->scope = r->path.text;
        sl_layer_linear(dev, &r->time_emb_proj, &temb, NULL, &shift);
        for (int64_t b = 0; b < batch; b++) {
            SlTensor place = sl_slice(table, 1, batch * r->shift_at + b * channels, channels);
            sl_copy(dev, &shift, &place);
        }
        sl_arena_reset(dev, inner);
    }
    sl_arena_reset(dev, mark);
    dev->scope = NULL;
}

/* `channels` values of each sample, which lie at `at` in the shifts of one. */
static void join_part(SlDevice *dev, const SlTimesJoin *join, int64_t at, int64_t channels,
                      SlTensor *shifts)
{
    int64_t each = join->batch * channels, start = join->count * join->batch * at;
    for (int k = 0; k < join->count; k++) {
        SlTensor from = sl_slice(&join->rows[k], 0, join->batch * at, each);
        SlTensor to = sl_slice(shifts, 0, start + k * each, each);
        sl_copy(dev, &from, &to);
    }
}

void sl_time_embedding_join(SlDevice *dev, const SlTimeEmbedding *e, const SlTimesJoin *join,
                            SlTensor *shifts)
{
    if (e->config->center_input)
        join_part(dev, join, 0, e->config->in_channels, shifts);
    for (int i = 0; i < e->count; i++)
        join_part(dev, join, e->resnets[i]->shift_at, e->resnets[i]->options.out_channels, shifts);
}
