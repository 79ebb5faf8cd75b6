/* unet_times.c - see unet_times.h.
 *
 * Easy to get wrong: the activation after linear_2 is the resnets', which all want the same thing,
 * so it is done once here, behind what a class adds; the guidance number's embedding is added before
 * linear_1; an odd number of sinusoids ends in a zero; UNet2DModel uses SiLU inside whatever its act_fn says, and so does
 * add_embedding; what text_time adds comes before that activation.
 */
#include "engine/nets/unet_times.h"

#include <math.h>
#include <stdlib.h>

static void bind_classes(SlTimeEmbedding *e, SlBinder *b, int dim)
{
    const SlUnetConfig *c = e->config;
    if (c->class_timestep) {
        e->class_linear_1 =
            sl_bind_linear(b, sl_path("class_embedding.linear_1"), c->channels[0], dim);
        e->class_linear_2 = sl_bind_linear(b, sl_path("class_embedding.linear_2"), dim, dim);
    } else if (c->classes) {
        e->classes = sl_bind(b, SL_WEIGHT_TABLE, "class_embedding.weight", 2,
                             (const int64_t[]){c->classes, dim});
    }
}

void sl_time_embedding_bind(SlTimeEmbedding *e, SlBinder *b, const SlUnetConfig *config)
{
    int dim = config->time_embed_dim;
    e->config = config;
    e->linear_1 = sl_bind_linear(b, sl_path("time_embedding.linear_1"), config->channels[0], dim);
    e->linear_2 = sl_bind_linear(b, sl_path("time_embedding.linear_2"), dim, dim);
    if (config->text_time) {
        e->add_linear_1 =
            sl_bind_linear(b, sl_path("add_embedding.linear_1"), config->addition_dim, dim);
        e->add_linear_2 = sl_bind_linear(b, sl_path("add_embedding.linear_2"), dim, dim);
    }
    if (config->time_cond_proj_dim)
        e->cond_proj = sl_bind_linear_without_bias(b, sl_path("time_embedding.cond_proj"),
                                                   config->time_cond_proj_dim, config->channels[0]);
    bind_classes(e, b, dim);
    e->channels = config->center_input ? config->in_channels : 0;
}

bool sl_time_embedding_add(SlTimeEmbedding *e, SlResnet *resnet)
{
    if (e->count == SL_UNET_MAX_RESNETS)
        return false;
    e->resnets[e->count++] = resnet;
    resnet->shift_at = e->channels;
    e->channels += sl_resnet_shift_channels(resnet);
    return true;
}

/* Values of a sample that center the input. */
static int64_t centering(const SlTimeEmbedding *e)
{
    return e->config->center_input ? e->config->in_channels : 0;
}

int64_t sl_time_embedding_values(const SlTimeEmbedding *e)
{
    return e->config->text_time ? centering(e) + e->config->time_embed_dim : e->channels;
}

/* A host array of one number [count] in f32, from the arena. */
static SlTensor repeated(SlDevice *dev, float number, int64_t count)
{
    float *values = malloc((size_t)count * sizeof *values);
    SlTensor t = sl_tensor_new(dev, SL_F32, 1, &count);
    for (int64_t i = 0; values && i < count; i++)
        values[i] = number;
    if (values)
        sl_upload(dev, values, &t);
    else
        sl_device_fail(dev, SL_MEMORY, "There is not enough memory for the time embedding");
    free(values);
    return t;
}

/* Sinusoids of t f32 [T] to out [T, dim]; of an odd dim the last is 0. */
static void put_sinusoids(SlDevice *dev, const SlTensor *t, const SlTimestepEmbedding *sinusoids,
                          SlTensor *out)
{
    int64_t dim = out->size[1], rows = t->size[0];
    if (dim % 2 == 0) {
        sl_timestep_embedding(dev, t, sinusoids, out);
        return;
    }
    size_t mark = sl_arena_mark(dev);
    SlTensor zero = repeated(dev, 0, rows), last = sl_slice(out, 1, dim - 1, 1);
    SlTensor column = sl_reshape(&zero, 2, (const int64_t[]){rows, 1});
    sl_copy(dev, &column, &last);
    if (dim > 1) {
        SlTensor even = sl_tensor_new2(dev, rows, dim - 1), place = sl_slice(out, 1, 0, dim - 1);
        sl_timestep_embedding(dev, t, sinusoids, &even);
        sl_copy(dev, &even, &place);
    }
    sl_arena_reset(dev, mark);
}

/* t_emb += cond_proj(sinusoids of the guidance number), as the pipelines make them
 * (get_guidance_scale_embedding). */
static void add_guidance(SlDevice *dev, const SlTimeEmbedding *e, double guidance, SlTensor *t_emb)
{
    static const SlTimestepEmbedding sinusoids = {false, 1, 10000};
    int64_t rows = t_emb->size[0];
    size_t mark = sl_arena_mark(dev);
    SlTensor w = repeated(dev, (float)(guidance - 1) * 1000.0f, rows);
    SlTensor condition = sl_tensor_new2(dev, rows, e->config->time_cond_proj_dim);
    SlEpilogue add = {.residual = t_emb};
    put_sinusoids(dev, &w, &sinusoids, &condition);
    sl_layer_linear(dev, &e->cond_proj, &condition, &add, t_emb);
    sl_arena_reset(dev, mark);
}

/* What a class adds to the embedding, [T, time_embed_dim]. */
static void embed_class(SlDevice *dev, const SlTimeEmbedding *e, int label, SlTensor *out)
{
    const SlUnetConfig *c = e->config;
    int64_t rows = out->size[0];
    if (!c->class_timestep) {
        int32_t *ids = malloc((size_t)rows * sizeof *ids);
        SlTensor of = sl_tensor_new(dev, SL_I32, 2, (const int64_t[]){1, rows});
        SlTensor all = sl_reshape(out, 3, (const int64_t[]){1, rows, out->size[1]});
        for (int64_t i = 0; ids && i < rows; i++)
            ids[i] = label;
        if (ids)
            sl_upload(dev, ids, &of);
        else
            sl_device_fail(dev, SL_MEMORY, "There is not enough memory for the time embedding");
        free(ids);
        sl_embedding(dev, &of, e->classes, NULL, &all);
        return;
    }
    SlTimestepEmbedding sinusoids = {c->flip_sin_to_cos, c->freq_shift, 10000};
    SlEpilogue inner = {.act = SL_ACT_SILU};
    SlTensor t = repeated(dev, (float)label, rows),
             t_emb = sl_tensor_new2(dev, rows, c->channels[0]);
    SlTensor hidden = sl_tensor_like(dev, out);
    put_sinusoids(dev, &t, &sinusoids, &t_emb);
    sl_layer_linear(dev, &e->class_linear_1, &t_emb, &inner, &hidden);
    sl_layer_linear(dev, &e->class_linear_2, &hidden, NULL, out);
}

static bool has_classes(const SlUnetConfig *c)
{
    return c->class_timestep || c->classes > 0;
}

/* act(linear_2(act(linear_1(sinusoids(t)))) + class), [T, time_embed_dim]; with text_time without
 * the last activation */
static SlTensor embed(SlDevice *dev, const SlTimeEmbedding *e, const SlTensor *t,
                      const SlTimesOf *of)
{
    const SlUnetConfig *c = e->config;
    SlTimestepEmbedding sinusoids = {c->flip_sin_to_cos, c->freq_shift, 10000};
    SlEpilogue inner = {.act = c->conditional ? c->act : SL_ACT_SILU}, outer = {.act = c->act};
    if (c->text_time || has_classes(c))
        outer.act = SL_ACT_NONE;
    dev->scope = "time_embedding";
    SlTensor temb = sl_tensor_new2(dev, t->size[0], c->time_embed_dim);
    size_t mark = sl_arena_mark(dev);
    SlTensor t_emb = sl_tensor_new2(dev, t->size[0], c->channels[0]);
    SlTensor hidden = sl_tensor_like(dev, &temb), label = {0};
    put_sinusoids(dev, t, &sinusoids, &t_emb);
    if (c->time_cond_proj_dim && !isnan(of->guidance))
        add_guidance(dev, e, of->guidance, &t_emb);
    sl_layer_linear(dev, &e->linear_1, &t_emb, &inner, &hidden);
    if (has_classes(c)) {
        label = sl_tensor_like(dev, &temb);
        embed_class(dev, e, of->label, &label);
        outer.residual = &label;
    }
    sl_layer_linear(dev, &e->linear_2, &hidden, &outer, &temb);
    if (has_classes(c) && !c->text_time)
        sl_activation(dev, &temb, c->act, &temb);
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
    return part(shifts, batch, r->shift_at, sl_resnet_shift_channels(r));
}

SlTensor sl_center_shift(const SlTimeEmbedding *e, const SlTensor *row, int64_t batch)
{
    return part(row, batch, 0, e->config->in_channels);
}

/* With text_time: the embedding [N, time_embed_dim] in a row. */
static SlTensor embedding_in(const SlTimeEmbedding *e, const SlTensor *row, int64_t batch)
{
    return part(row, batch, centering(e), e->config->time_embed_dim);
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

/* What each resnet makes of the embedding [N, time_embed_dim]. */
static void put_shifts(SlDevice *dev, const SlTimeEmbedding *e, const SlTensor *temb,
                       SlTensor *shifts)
{
    for (int i = 0; i < e->count; i++) {
        SlTensor shift = sl_resnet_shift(e->resnets[i], shifts, temb->size[0]);
        dev->scope = e->resnets[i]->path.text;
        sl_layer_linear(dev, &e->resnets[i]->time_emb_proj, temb, NULL, &shift);
    }
}

SlTensor sl_time_embedding_batch(SlDevice *dev, const SlTimeEmbedding *e, const SlTensor *t)
{
    int64_t n = t->size[0];
    SlTensor row = sl_tensor_new1(dev, n * sl_time_embedding_values(e));
    size_t mark = sl_arena_mark(dev);
    const SlTimesOf plain = {.guidance = NAN};
    SlTensor temb = embed(dev, e, t, &plain);
    if (e->config->center_input) {
        SlTensor center = sl_center_shift(e, &row, n);
        put_minus_one(dev, &center);
    }
    if (e->config->text_time) {
        SlTensor place = embedding_in(e, &row, n);
        sl_copy(dev, &temb, &place);
    } else {
        put_shifts(dev, e, &temb, &row);
    }
    sl_arena_reset(dev, mark);
    return row;
}

/* In the table, for each sample of the batch the same: values [T, channels], which begin behind
 * `at` values of a sample. */
static void put_in_table(SlDevice *dev, const SlTensor *values, int64_t batch, int64_t at,
                         SlTensor *table)
{
    int64_t channels = values->size[1];
    for (int64_t b = 0; b < batch; b++) {
        SlTensor place = sl_slice(table, 1, batch * at + b * channels, channels);
        sl_copy(dev, values, &place);
    }
}

void sl_time_embedding_table(SlDevice *dev, const SlTimeEmbedding *e, const SlTensor *t,
                             const SlTimesOf *of, SlTensor *table)
{
    int64_t batch = of->batch;
    size_t mark = sl_arena_mark(dev);
    SlTensor temb = embed(dev, e, t, of);
    if (e->config->center_input) {
        SlTensor center = sl_slice(table, 1, 0, batch * e->config->in_channels);
        put_minus_one(dev, &center);
    }
    if (e->config->text_time)
        put_in_table(dev, &temb, batch, centering(e), table);
    for (int i = 0; !e->config->text_time && i < e->count && sl_device_ok(dev); i++) {
        const SlResnet *r = e->resnets[i];
        size_t inner = sl_arena_mark(dev);
        SlTensor shift = sl_tensor_new2(dev, t->size[0], sl_resnet_shift_channels(r));
        dev->scope = r->path.text;
        sl_layer_linear(dev, &r->time_emb_proj, &temb, NULL, &shift);
        put_in_table(dev, &shift, batch, r->shift_at, table);
        sl_arena_reset(dev, inner);
    }
    sl_arena_reset(dev, mark);
    dev->scope = NULL;
}

/* ---- text_time ---- */

/* [text_embeds, sinusoids of each number], [N, addition_dim] */
static SlTensor join_added(SlDevice *dev, const SlTimeEmbedding *e, const SlTensor *text_embeds,
                           const SlTensor *time_ids)
{
    const SlUnetConfig *c = e->config;
    SlTimestepEmbedding sinusoids = {c->flip_sin_to_cos, c->freq_shift, 10000};
    int64_t n = time_ids->size[0], numbers = time_ids->size[1], pooled = text_embeds->size[1];
    SlTensor all = sl_tensor_new2(dev, n, c->addition_dim);
    SlTensor text = sl_slice(&all, 1, 0, pooled);
    SlTensor sizes = sl_slice(&all, 1, pooled, numbers * c->addition_time_embed_dim);
    size_t mark = sl_arena_mark(dev);
    SlTensor flat = sl_reshape(time_ids, 1, (const int64_t[]){n * numbers});
    SlTensor waves = sl_tensor_new2(dev, n * numbers, c->addition_time_embed_dim);
    sl_timestep_embedding(dev, &flat, &sinusoids, &waves);
    SlTensor rows = sl_reshape(&waves, 2, sizes.size);
    sl_copy(dev, text_embeds, &text);
    sl_copy(dev, &rows, &sizes);
    sl_arena_reset(dev, mark);
    return all;
}

void sl_time_embedding_added(SlDevice *dev, const SlTimeEmbedding *e, const SlTensor *text_embeds,
                             const SlTensor *time_ids, SlTensor *added)
{
    SlEpilogue inner = {.act = SL_ACT_SILU};
    dev->scope = "add_embedding";
    size_t mark = sl_arena_mark(dev);
    SlTensor all = join_added(dev, e, text_embeds, time_ids);
    SlTensor hidden = sl_tensor_like(dev, added);
    sl_layer_linear(dev, &e->add_linear_1, &all, &inner, &hidden);
    sl_layer_linear(dev, &e->add_linear_2, &hidden, NULL, added);
    sl_arena_reset(dev, mark);
}

SlTensor sl_time_embedding_shifts(SlDevice *dev, const SlTimeEmbedding *e, const SlTensor *row,
                                  const SlTensor *added)
{
    int64_t n = added->size[0];
    SlTensor shifts = sl_tensor_new1(dev, n * e->channels);
    size_t mark = sl_arena_mark(dev);
    SlTensor temb = embedding_in(e, row, n), sum = sl_tensor_like(dev, added);
    dev->scope = "add_embedding";
    sl_add(dev, &temb, added, 1, &sum);
    SlTensor activated = sl_tensor_like(dev, added);
    sl_activation(dev, &sum, e->config->act, &activated);
    put_shifts(dev, e, &activated, &shifts);
    sl_arena_reset(dev, mark);
    return shifts;
}

/* ---- joining ---- */

/* `channels` values of each sample, which lie at `at` in the row of one. */
static void join_part(SlDevice *dev, const SlTimesJoin *join, int64_t at, int64_t channels,
                      SlTensor *row)
{
    int64_t each = join->batch * channels, start = join->count * join->batch * at;
    for (int k = 0; k < join->count; k++) {
        SlTensor from = sl_slice(&join->rows[k], 0, join->batch * at, each);
        SlTensor to = sl_slice(row, 0, start + k * each, each);
        sl_copy(dev, &from, &to);
    }
}

void sl_time_embedding_join(SlDevice *dev, const SlTimeEmbedding *e, const SlTimesJoin *join,
                            SlTensor *row)
{
    if (e->config->center_input)
        join_part(dev, join, 0, e->config->in_channels, row);
    if (e->config->text_time)
        join_part(dev, join, centering(e), e->config->time_embed_dim, row);
    for (int i = 0; !e->config->text_time && i < e->count; i++)
        join_part(dev, join, e->resnets[i]->shift_at, sl_resnet_shift_channels(e->resnets[i]), row);
}
