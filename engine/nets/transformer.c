/* transformer.c - Transformer2DModel and BasicTransformerBlock.
 *
 * Easy to get wrong: the outer group norm has eps 1e-6 whatever the configuration says, the layer
 * norms 1e-5; proj_in and proj_out are linear layers in SD 2.x and convolutions of size 1 in
 * SD 1.x, which over channels-last memory is the same thing; queries, keys and values have no bias,
 * to_out has one; GEGLU's gate is the second half.
 */
#include "engine/nets/transformer.h"

#include <math.h>
#include <stdlib.h>

static SlTransformerAttention bind_self(SlBinder *b, SlPath path, int channels)
{
    SlPath q = sl_child(path, "to_q.weight"), k = sl_child(path, "to_k.weight"),
           v = sl_child(path, "to_v.weight");
    const char *names[] = {q.text, k.text, v.text};
    SlTransformerAttention a = {
        .to_qkv = sl_bind_stacked(b, names, 3, channels, channels),
        .to_out = sl_bind_linear(b, sl_child(path, "to_out.0"), channels, channels),
    };
    return a;
}

static SlTransformerAttention bind_cross(SlBinder *b, SlPath path, const SlTransformerOptions *o,
                                         SlTextProjections *texts)
{
    SlPath k = sl_child(path, "to_k.weight"), v = sl_child(path, "to_v.weight");
    const char *names[] = {k.text, v.text};
    SlTransformerAttention a = {
        .to_q = sl_bind_linear_without_bias(b, sl_child(path, "to_q"), o->channels, o->channels),
        .text_index = texts->count++,
        .to_out = sl_bind_linear(b, sl_child(path, "to_out.0"), o->channels, o->channels),
    };
    texts->list[a.text_index] = (SlTextProjection){
        .path = path,
        .to_kv = sl_bind_stacked(b, names, 2, o->channels, o->cross_attention_dim),
        .channels = o->channels,
        .text_channels = o->cross_attention_dim,
    };
    return a;
}

static void bind_block(SlTransformerBlock *t, SlBinder *b, SlPath path,
                       const SlTransformerOptions *o, SlTextProjections *texts)
{
    int c = o->channels;
    t->path = path;
    t->norm1 = sl_bind_norm(b, sl_child(path, "norm1"), c);
    t->attn1 = o->only_cross_attention ? bind_cross(b, sl_child(path, "attn1"), o, texts)
                                       : bind_self(b, sl_child(path, "attn1"), c);
    t->norm2 = sl_bind_norm(b, sl_child(path, "norm2"), c);
    t->attn2 = bind_cross(b, sl_child(path, "attn2"), o, texts);
    t->norm3 = sl_bind_norm(b, sl_child(path, "norm3"), c);
    t->ff_in = sl_bind_linear(b, sl_child(path, "ff.net.0.proj"), c, 8 * (int64_t)c);
    t->ff_out = sl_bind_linear(b, sl_child(path, "ff.net.2"), 4 * (int64_t)c, c);
}

bool sl_transformer_bind(SlTransformer *t, SlBinder *b, SlPath path,
                         const SlTransformerOptions *options, SlTextProjections *texts)
{
    int c = options->channels;
    if (texts->count + 2 * options->layers > texts->capacity)
        return false;
    t->path = path;
    t->options = *options;
    t->norm = sl_bind_norm(b, sl_child(path, "norm"), c);
    t->proj_in = sl_bind_linear(b, sl_child(path, "proj_in"), c, c);
    t->blocks = calloc((size_t)options->layers, sizeof *t->blocks);
    if (!t->blocks)
        return false;
    for (int i = 0; i < options->layers; i++)
        bind_block(&t->blocks[i], b, sl_child(path, "transformer_blocks.%d", i), options, texts);
    t->proj_out = sl_bind_linear(b, sl_child(path, "proj_out"), c, c);
    return true;
}

void sl_transformer_clear(SlTransformer *t)
{
    free(t->blocks);
    t->blocks = NULL;
}

/* The samples of a batch that a map is of. */
static SlTensor chosen(const SlTensor *t, const SlMaps *maps)
{
    SlTensor some = sl_slice(t, 0, maps->first, t->size[0] - maps->first);
    some.size[0] = (some.size[0] + maps->every - 1) / maps->every;
    some.stride[0] *= maps->every;
    return some;
}

static void add_maps(SlDevice *dev, const SlAttention *attention, const SlTensor *query,
                     const SlTensor *key, SlTransformerMaps *maps)
{
    for (int i = 0; i < maps->count; i++) {
        SlTensor q = chosen(query, &maps->maps[i]), k = chosen(key, &maps->maps[i]);
        sl_attention_map(dev, &q, &k, attention, maps->begun[maps->level],
                         &maps->maps[i].level[maps->level]);
    }
    maps->begun[maps->level] = true;
}

/* hidden_states += to_out(attention(norm(hidden_states))); maps NULL: none are wanted of it. */
static void attend(SlDevice *dev, const SlTransformer *t, const SlLayer *norm,
                   const SlTransformerAttention *a, const SlTensor *text_kv,
                   SlTransformerMaps *maps, SlTensor *hidden_states)
{
    int64_t c = t->options.channels;
    size_t mark = sl_arena_mark(dev);
    SlTensor normed = sl_tensor_like(dev, hidden_states);
    sl_layer_norm(dev, hidden_states, norm->weight, norm->bias, 1e-5f, &normed);
    SlTensor query, key, value;
    if (a->to_qkv) {
        SlTensor qkv = sl_tensor_new3(dev, normed.size[0], normed.size[1], 3 * c);
        sl_linear(dev, &normed, a->to_qkv, NULL, &qkv);
        query = sl_slice(&qkv, 2, 0, c);
        key = sl_slice(&qkv, 2, c, c);
        value = sl_slice(&qkv, 2, 2 * c, c);
    } else {
        query = sl_tensor_like(dev, &normed);
        sl_layer_linear(dev, &a->to_q, &normed, NULL, &query);
        key = sl_slice(&text_kv[a->text_index], 2, 0, c);
        value = sl_slice(&text_kv[a->text_index], 2, c, c);
    }
    SlAttention attention = {t->options.heads, 1 / sqrtf((float)(c / t->options.heads)), false};
    if (maps && maps->count > 0)
        add_maps(dev, &attention, &query, &key, maps);
    sl_attention(dev, &query, &key, &value, &attention, &normed);
    SlEpilogue e = {.residual = hidden_states};
    sl_layer_linear(dev, &a->to_out, &normed, &e, hidden_states);
    sl_arena_reset(dev, mark);
}

/* hidden_states += ff(norm3(hidden_states)) */
static void feed_forward(SlDevice *dev, const SlTransformerBlock *t, SlTensor *hidden_states)
{
    const int64_t *size = hidden_states->size;
    size_t mark = sl_arena_mark(dev);
    SlTensor gated = sl_tensor_new3(dev, size[0], size[1], 4 * size[2]);
    SlTensor normed = sl_tensor_like(dev, hidden_states);
    sl_layer_norm(dev, hidden_states, t->norm3.weight, t->norm3.bias, 1e-5f, &normed);
    sl_linear_geglu(dev, &normed, t->ff_in.weight, t->ff_in.bias, &gated);
    SlEpilogue e = {.residual = hidden_states};
    sl_layer_linear(dev, &t->ff_out, &gated, &e, hidden_states);
    sl_arena_reset(dev, mark);
}

void sl_transformer_forward(SlDevice *dev, const SlTransformer *t, const SlTensor *x,
                            const SlTensor *text_kv, SlTransformerMaps *maps, SlTensor *out)
{
    if (!sl_device_ok(dev))
        return;
    dev->scope = t->path.text;
    size_t mark = sl_arena_mark(dev);
    SlTensor tokens = sl_as_tokens(x), out_tokens = sl_as_tokens(out);
    SlTensor hidden_states = sl_tensor_like(dev, &tokens);

    SlGroupNorm norm = {t->options.norm_groups, 1e-6f, SL_ACT_NONE};
    sl_layer_group_norm(dev, &t->norm, &norm, &tokens, &out_tokens);
    sl_layer_linear(dev, &t->proj_in, &out_tokens, NULL, &hidden_states);
    for (int i = 0; i < t->options.layers && sl_device_ok(dev); i++) {
        const SlTransformerBlock *block = &t->blocks[i];
        dev->scope = block->path.text;
        attend(dev, t, &block->norm1, &block->attn1, text_kv, NULL, &hidden_states);
        attend(dev, t, &block->norm2, &block->attn2, text_kv, maps, &hidden_states);
        feed_forward(dev, block, &hidden_states);
    }
    SlEpilogue e = {.residual = &tokens};
    sl_layer_linear(dev, &t->proj_out, &hidden_states, &e, &out_tokens);
    sl_arena_reset(dev, mark);
}
