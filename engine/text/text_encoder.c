/* text_encoder.c - CLIPTextModel, with or without projection (transformers clip/modeling_clip.py).
 *
 * Easy to get wrong: attention is causal, and padding is attended to like anything else; the pooled
 * state is taken at the largest id where eos_token_id is 2 (what old configurations say) and else
 * at the first eos_token_id; a skipped layer does not spare the final_layer_norm, but in Stable
 * Diffusion XL, whose pooled state has it nevertheless.
 */
#include "engine/text/text_encoder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/nets/nets.h"

#define MAX_BATCH  64
#define MAX_LAYERS 128

typedef struct EncoderLayer {
    SlPath path;
    SlLayer layer_norm1, q_proj, k_proj, v_proj, out_proj, layer_norm2, fc1, fc2;
} EncoderLayer;

struct SlTextEncoder {
    SlTextEncoderConfig config;
    SlDtype dtype; /* computed in */
    SlWeight *token_embedding, *position_embedding;
    EncoderLayer *layers;
    SlLayer final_layer_norm;
    SlLayer text_projection; /* weight NULL: none */
};

/* ---- configuration ---- */

static void read_config(SlTextEncoderConfig *c, const SlJson *json, SlError *err)
{
    c->vocab_size = (int)sl_json_int(json, "vocab_size", 49408, 1, 1 << 22, err);
    c->hidden_size = (int)sl_json_int(json, "hidden_size", 512, 1, 16384, err);
    c->intermediate_size = (int)sl_json_int(json, "intermediate_size", 2048, 1, 65536, err);
    c->projection_dim = (int)sl_json_int(json, "projection_dim", 512, 1, 16384, err);
    c->layers = (int)sl_json_int(json, "num_hidden_layers", 12, 1, MAX_LAYERS, err);
    c->heads = (int)sl_json_int(json, "num_attention_heads", 8, 1, 16384, err);
    c->max_positions = (int)sl_json_int(json, "max_position_embeddings", 77, 1, 65536, err);
    c->act = sl_config_activation(json, "hidden_act", SL_ACT_QUICK_GELU, err);
    c->layer_norm_eps = (float)sl_json_double(json, "layer_norm_eps", 1e-5, 0, 1, err);
    c->eos_token_id = (int)sl_json_int(json, "eos_token_id", 49407, 0, 1 << 22, err);
    if (err->code == SL_OK)
        sl_config_divides(json, "num_attention_heads", c->heads, "hidden_size", c->hidden_size,
                          err);
}

/* The class is the model_index.json's: what "architectures" says beside it (CLIPModel, of a file cut
 * out of the whole) matters as little as to transformers. */
static void read_class(SlTextEncoderConfig *c, const SlJson *json, SlError *err)
{
    const char *names[4] = {"CLIPTextModel"};
    const char *type = sl_json_string(json, "model_type", "clip_text_model", err);
    sl_json_strings(json, "architectures", names, 4, err);
    c->with_projection = strcmp(names[0], "CLIPTextModelWithProjection") == 0;
    if (err->code == SL_OK && strcmp(type, "clip_text_model") != 0)
        sl_fail(err, SL_UNSUPPORTED,
                "%s: \"model_type\" is \"%s\", and this program runs \"clip_text_model\"",
                sl_json_name(json), type);
}

bool sl_text_encoder_config(SlTextEncoderConfig *config, const SlJson *json, SlError *err)
{
    /* With this setting diffusers' pipeline masks the padding, which is not supported. */
    static const char *const refused[] = {"use_attention_mask", NULL};
    SlError first = {0};
    memset(config, 0, sizeof *config);
    read_class(config, json, &first);
    if (first.code == SL_OK && sl_config_refuse(json, refused, &first))
        read_config(config, json, &first);
    if (first.code != SL_OK && err)
        *err = first;
    return first.code == SL_OK;
}

/* ---- building ---- */

static void bind_layer(EncoderLayer *l, SlBinder *b, SlPath path, const SlTextEncoderConfig *c)
{
    int d = c->hidden_size;
    l->path = path;
    l->layer_norm1 = sl_bind_norm(b, sl_child(path, "layer_norm1"), d);
    l->q_proj = sl_bind_linear(b, sl_child(path, "self_attn.q_proj"), d, d);
    l->k_proj = sl_bind_linear(b, sl_child(path, "self_attn.k_proj"), d, d);
    l->v_proj = sl_bind_linear(b, sl_child(path, "self_attn.v_proj"), d, d);
    l->out_proj = sl_bind_linear(b, sl_child(path, "self_attn.out_proj"), d, d);
    l->layer_norm2 = sl_bind_norm(b, sl_child(path, "layer_norm2"), d);
    l->fc1 = sl_bind_linear(b, sl_child(path, "mlp.fc1"), d, c->intermediate_size);
    l->fc2 = sl_bind_linear(b, sl_child(path, "mlp.fc2"), c->intermediate_size, d);
}

/* transformers 5 leaves out "text_model." where it saves a CLIPTextModel that it has not read from a
 * file with these names. */
static const char *prefix_of(const SlBinder *b)
{
    static const char full[] = "text_model.embeddings.token_embedding.weight";
    const char *bare = full + strlen("text_model.");
    return !sl_binder_has(b, full) && sl_binder_has(b, bare) ? "" : "text_model.";
}

SlTextEncoder *sl_text_encoder_new(const SlTextEncoderConfig *config, SlBinder *b, SlError *err)
{
    SlTextEncoder *te = calloc(1, sizeof *te);
    if (te)
        te->layers = calloc((size_t)config->layers, sizeof *te->layers);
    if (!te || !te->layers) {
        free(te);
        sl_fail(err, SL_MEMORY, "There is not enough memory for the text encoder");
        return NULL;
    }
    te->config = *config;
    te->dtype = sl_binder_dtype(b);
    int64_t tokens[] = {config->vocab_size, config->hidden_size};
    int64_t positions[] = {config->max_positions, config->hidden_size};
    const char *prefix = prefix_of(b);
    SlPath embeddings = sl_path("%sembeddings", prefix);
    te->token_embedding =
        sl_bind(b, SL_WEIGHT_TABLE, sl_child(embeddings, "token_embedding.weight").text, 2, tokens);
    te->position_embedding = sl_bind(
        b, SL_WEIGHT_TABLE, sl_child(embeddings, "position_embedding.weight").text, 2, positions);
    sl_binder_ignore(b, sl_child(embeddings, "position_ids").text);
    for (int i = 0; i < config->layers; i++)
        bind_layer(&te->layers[i], b, sl_path("%sencoder.layers.%d", prefix, i), config);
    te->final_layer_norm =
        sl_bind_norm(b, sl_path("%sfinal_layer_norm", prefix), config->hidden_size);
    if (config->with_projection)
        te->text_projection = sl_bind_linear_without_bias(
            b, sl_path("text_projection"), config->hidden_size, config->projection_dim);
    else
        sl_binder_ignore(b, "text_projection.weight");
    return te;
}

void sl_text_encoder_free(SlTextEncoder *te)
{
    if (!te)
        return;
    free(te->layers);
    free(te);
}

const SlTextEncoderConfig *sl_text_encoder_get_config(const SlTextEncoder *te)
{
    return &te->config;
}

/* ---- forward ---- */

static void norm(SlDevice *dev, const SlTextEncoder *te, const SlLayer *layer, const SlTensor *x,
                 SlTensor *out)
{
    sl_layer_norm(dev, x, layer->weight, layer->bias, te->config.layer_norm_eps, out);
}

/* Rows of the second axis, of a batch of one, to and from a tensor without those between. */
static void take_rows(SlDevice *dev, const SlTensor *all, const int mask[2], SlTensor *kept)
{
    int64_t before = mask[0], behind = all->size[1] - mask[1];
    SlTensor from = sl_slice(all, 1, 0, before), to = sl_slice(kept, 1, 0, before);
    sl_copy(dev, &from, &to);
    if (behind == 0)
        return;
    from = sl_slice(all, 1, mask[1], behind);
    to = sl_slice(kept, 1, before, behind);
    sl_copy(dev, &from, &to);
}

static void put_rows(SlDevice *dev, const SlTensor *kept, const int mask[2], SlTensor *all)
{
    int64_t before = mask[0], behind = all->size[1] - mask[1];
    SlTensor from = sl_slice(kept, 1, 0, before), to = sl_slice(all, 1, 0, before);
    sl_copy(dev, &from, &to);
    if (behind == 0)
        return;
    from = sl_slice(kept, 1, before, behind);
    to = sl_slice(all, 1, mask[1], behind);
    sl_copy(dev, &from, &to);
}

/* q, k and v of a sequence. */
typedef struct Heads {
    SlTensor query, key, value;
} Heads;

/* Causal attention in which masked rows are keys of none. What is left of the sequence attends to
 * itself as if they were not there; they themselves see what is before them all. */
static void attend_masked(SlDevice *dev, const Heads *h, const int mask[2],
                          const SlAttention *attention, SlTensor *out)
{
    int64_t width = out->size[2], kept = out->size[1] - (mask[1] - mask[0]);
    SlTensor query = sl_tensor_new3(dev, 1, kept, width);
    SlTensor key = sl_tensor_new3(dev, 1, kept, width);
    SlTensor value = sl_tensor_new3(dev, 1, kept, width);
    SlTensor result = sl_tensor_new3(dev, 1, kept, width);
    take_rows(dev, &h->query, mask, &query);
    take_rows(dev, &h->key, mask, &key);
    take_rows(dev, &h->value, mask, &value);
    sl_attention(dev, &query, &key, &value, attention, &result);
    put_rows(dev, &result, mask, out);
    SlAttention all = *attention;
    all.causal = false;
    SlTensor masked = sl_slice(&h->query, 1, mask[0], mask[1] - mask[0]);
    SlTensor to = sl_slice(out, 1, mask[0], mask[1] - mask[0]);
    SlTensor keys = sl_slice(&h->key, 1, 0, mask[0]), values = sl_slice(&h->value, 1, 0, mask[0]);
    sl_attention(dev, &masked, &keys, &values, &all, &to);
}

/* hidden_states += self_attn(layer_norm1(hidden_states)) */
static void self_attention(SlDevice *dev, const SlTextEncoder *te, const EncoderLayer *l,
                           const int mask[2], SlTensor *hidden_states)
{
    int heads = te->config.heads;
    size_t mark = sl_arena_mark(dev);
    SlTensor normed = sl_tensor_like(dev, hidden_states);
    SlTensor query = sl_tensor_like(dev, hidden_states);
    SlTensor key = sl_tensor_like(dev, hidden_states);
    SlTensor value = sl_tensor_like(dev, hidden_states);
    norm(dev, te, &l->layer_norm1, hidden_states, &normed);
    sl_layer_linear(dev, &l->q_proj, &normed, NULL, &query);
    sl_layer_linear(dev, &l->k_proj, &normed, NULL, &key);
    sl_layer_linear(dev, &l->v_proj, &normed, NULL, &value);
    SlAttention attention = {heads, 1 / sqrtf((float)(te->config.hidden_size / heads)), true};
    if (mask[1] > mask[0])
        attend_masked(dev, &(Heads){query, key, value}, mask, &attention, &normed);
    else
        sl_attention(dev, &query, &key, &value, &attention, &normed);
    SlEpilogue e = {.residual = hidden_states};
    sl_layer_linear(dev, &l->out_proj, &normed, &e, hidden_states);
    sl_arena_reset(dev, mark);
}

/* hidden_states += mlp(layer_norm2(hidden_states)) */
static void mlp(SlDevice *dev, const SlTextEncoder *te, const EncoderLayer *l,
                SlTensor *hidden_states)
{
    size_t mark = sl_arena_mark(dev);
    SlTensor normed = sl_tensor_like(dev, hidden_states);
    SlTensor wide = sl_tensor_new3(dev, hidden_states->size[0], hidden_states->size[1],
                                   te->config.intermediate_size);
    SlEpilogue act = {.act = te->config.act}, add = {.residual = hidden_states};
    norm(dev, te, &l->layer_norm2, hidden_states, &normed);
    sl_layer_linear(dev, &l->fc1, &normed, &act, &wide);
    sl_layer_linear(dev, &l->fc2, &wide, &add, hidden_states);
    sl_arena_reset(dev, mark);
}

/* Where the prompt of each sequence ends. */
static int64_t end_position(const SlTextEncoderConfig *c, const int32_t *ids, int64_t length)
{
    int64_t end = 0;
    for (int64_t i = 0; i < length; i++) {
        if (c->eos_token_id != 2 && ids[i] == c->eos_token_id)
            return i;
        if (c->eos_token_id == 2 && ids[i] > ids[end])
            end = i;
    }
    return end;
}

/* pooled [N, D]: the states at the ends, projected where the model has a projection */
static void pool(SlDevice *dev, const SlTextEncoder *te, const SlTensor *normed, const int32_t *ids,
                 SlTensor *pooled)
{
    const SlTextEncoderConfig *c = &te->config;
    int64_t length = normed->size[1];
    size_t mark = sl_arena_mark(dev);
    SlTensor ends =
        c->with_projection ? sl_tensor_new2(dev, normed->size[0], c->hidden_size) : *pooled;
    for (int64_t i = 0; i < normed->size[0]; i++) {
        SlTensor sequence = sl_slice(normed, 0, i, 1);
        SlTensor state = sl_slice(&sequence, 1, end_position(c, ids + i * length, length), 1);
        SlTensor row = sl_slice(&ends, 0, i, 1);
        SlTensor flat = sl_reshape(&state, 2, row.size);
        sl_copy(dev, &flat, &row);
    }
    if (c->with_projection)
        sl_layer_linear(dev, &te->text_projection, &ends, NULL, pooled);
    sl_arena_reset(dev, mark);
}

/* The ids on the host, each checked to be in the vocabulary or one of the vectors; malloc'ed. */
static int32_t *checked_ids(SlDevice *dev, const SlTextEncoderConfig *c, const SlTensor *ids,
                            const SlTextExtras *extras, SlError *err)
{
    int64_t vectors = extras->vectors ? extras->vectors->size[0] : 0;
    int64_t n = ids->size[0] * ids->size[1];
    int32_t *host = calloc((size_t)n, sizeof *host);
    if (!host) {
        sl_fail(err, SL_MEMORY, "There is not enough memory for the prompt");
        return NULL;
    }
    sl_download(dev, ids, host);
    for (int64_t i = 0; i < n; i++)
        if (host[i] < 0 || (host[i] >= c->vocab_size &&
                            (host[i] < extras->first || host[i] - extras->first >= vectors))) {
            sl_fail(err, SL_FORMAT,
                    "The tokenizer gives token %d, and the text encoder knows tokens up to %d: "
                    "they are not from the same model",
                    host[i], c->vocab_size - 1);
            free(host);
            return NULL;
        }
    return host;
}

static bool check(const SlTextEncoderConfig *c, const SlTensor *ids, int skip, SlError *err)
{
    if (ids->rank != 2 || ids->dtype != SL_I32 || ids->size[0] < 1 || ids->size[0] > MAX_BATCH)
        return sl_fail(err, SL_ARGUMENT, "The text encoder takes a batch of token sequences");
    if (ids->size[1] < 1 || ids->size[1] > c->max_positions)
        return sl_fail(err, SL_ARGUMENT,
                       "The prompt is %lld tokens long, and the text encoder takes 1 to %d",
                       (long long)ids->size[1], c->max_positions);
    if (skip < 0 || skip > c->layers)
        return sl_fail(err, SL_ARGUMENT,
                       "The text encoder has %d layers, so 0 to %d can be skipped, not %d",
                       c->layers, c->layers, skip);
    return true;
}

/* Rows of the hidden states that are a textual inversion's vector become that, with their position;
 * host ids of vectors become 0 where they are no ends. */
static void put_vectors(SlDevice *dev, const SlTextEncoder *te, const SlTextExtras *extras,
                        int32_t *host_ids, SlTensor *hidden_states)
{
    int64_t n = hidden_states->size[0], length = hidden_states->size[1];
    int32_t *which = calloc((size_t)(n * length), sizeof *which);
    if (!which) {
        sl_device_fail(dev, SL_MEMORY, "There is not enough memory for the prompt");
        return;
    }
    for (int64_t i = 0; i < n * length; i++)
        which[i] = host_ids[i] >= te->config.vocab_size ? host_ids[i] - extras->first : 0;
    SlTensor ids = sl_tensor_new(dev, SL_I32, 2, (const int64_t[]){n, length});
    SlTensor vectors = sl_tensor_like(dev, hidden_states);
    sl_upload(dev, which, &ids);
    free(which);
    sl_embedding(dev, &ids, extras->vectors, te->position_embedding, &vectors);
    for (int64_t i = 0; i < n * length; i++) {
        if (host_ids[i] < te->config.vocab_size)
            continue;
        SlTensor from = sl_slice(&vectors, 0, i / length, 1),
                 to = sl_slice(hidden_states, 0, i / length, 1);
        from = sl_slice(&from, 1, i % length, 1);
        to = sl_slice(&to, 1, i % length, 1);
        sl_copy(dev, &from, &to);
        host_ids[i] = extras->vectors_end ? host_ids[i] : 0;
    }
}

/* The first hidden states: tokens, vectors and positions. */
static void embed(SlDevice *dev, const SlTextEncoder *te, const SlTextExtras *extras,
                  const SlTensor *ids, int32_t *host_ids, SlTensor *hidden_states)
{
    int64_t count = ids->size[0] * ids->size[1];
    bool vectors = false;
    int32_t *known = calloc((size_t)count, sizeof *known);
    if (!known) {
        sl_device_fail(dev, SL_MEMORY, "There is not enough memory for the prompt");
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        vectors |= host_ids[i] >= te->config.vocab_size;
        known[i] = host_ids[i] >= te->config.vocab_size ? 0 : host_ids[i];
    }
    dev->scope = "text_model.embeddings";
    if (!vectors) {
        sl_embedding(dev, ids, te->token_embedding, te->position_embedding, hidden_states);
    } else {
        SlTensor base = sl_tensor_new(dev, SL_I32, 2, ids->size);
        sl_upload(dev, known, &base);
        sl_embedding(dev, &base, te->token_embedding, te->position_embedding, hidden_states);
        put_vectors(dev, te, extras, host_ids, hidden_states);
    }
    free(known);
}

/* ids, also on the host, and what belongs to them. */
typedef struct TextInput {
    const SlTensor *ids;
    int32_t *host_ids;
    const SlTextExtras *extras;
} TextInput;

/* Fills *hidden, and *pooled if wanted. */
static void forward(SlDevice *dev, const SlTextEncoder *te, const TextInput *in, SlTextState state,
                    SlTensor *hidden, SlTensor *pooled)
{
    const SlTextEncoderConfig *c = &te->config;
    int64_t n = in->ids->size[0], length = in->ids->size[1];
    *hidden = sl_tensor_new3(dev, n, length, c->hidden_size);
    if (pooled)
        *pooled = sl_tensor_new2(dev, n, c->with_projection ? c->projection_dim : c->hidden_size);
    size_t mark = sl_arena_mark(dev);
    SlTensor hidden_states = sl_tensor_like(dev, hidden);
    embed(dev, te, in->extras, in->ids, in->host_ids, &hidden_states);
    int last = c->layers - state.skip, layers = pooled ? c->layers : last;
    for (int i = 0; i <= layers && sl_device_ok(dev); i++) {
        if (i == last && state.unnormed)
            sl_copy(dev, &hidden_states, hidden);
        else if (i == last)
            norm(dev, te, &te->final_layer_norm, &hidden_states, hidden);
        if (i == layers)
            break;
        dev->scope = te->layers[i].path.text;
        self_attention(dev, te, &te->layers[i], in->extras->mask, &hidden_states);
        mlp(dev, te, &te->layers[i], &hidden_states);
    }
    if (pooled) {
        SlTensor normed = sl_tensor_like(dev, hidden);
        norm(dev, te, &te->final_layer_norm, &hidden_states, &normed);
        pool(dev, te, &normed, in->host_ids, pooled);
    }
    sl_arena_reset(dev, mark);
}

bool sl_text_encoder_forward_with(SlDevice *dev, const SlTextEncoder *te, const SlTensor *ids,
                                  const SlTextExtras *extras, SlTextState state, SlTensor *hidden,
                                  SlTensor *pooled, SlError *err)
{
    static const SlTextExtras none;
    extras = extras ? extras : &none;
    if (!check(&te->config, ids, state.skip, err))
        return false;
    if (extras->mask[1] > extras->mask[0] &&
        (ids->size[0] != 1 || extras->mask[0] < 1 || extras->mask[1] > ids->size[1]))
        return sl_fail(err, SL_ARGUMENT,
                       "Rows %d to %d of a text cannot be masked; expected some of one text, "
                       "without the first",
                       extras->mask[0], extras->mask[1]);
    int32_t *host_ids = checked_ids(dev, &te->config, ids, extras, err);
    if (!host_ids)
        return false;
    SlDtype before = sl_device_use_dtype(dev, te->dtype);
    forward(dev, te, &(TextInput){ids, host_ids, extras}, state, hidden, pooled);
    sl_device_use_dtype(dev, before);
    free(host_ids);
    dev->scope = NULL;
    return sl_device_check(dev, err);
}

bool sl_text_encoder_forward(SlDevice *dev, const SlTextEncoder *te, const SlTensor *ids,
                             SlTextState state, SlTensor *hidden, SlTensor *pooled, SlError *err)
{
    return sl_text_encoder_forward_with(dev, te, ids, NULL, state, hidden, pooled, err);
}
