/* unet.c - both UNets: building, the part that depends on the prompt only, and one evaluation
 * (diffusers unet_2d_condition.py, unet_2d.py), or a part of one.
 *
 * A part of an evaluation takes over what an earlier one found (SlReuse). The deep feature of a branch
 * is what goes into a layer of the path up (DeepCache, Ma et al. 2023: in `branch` + 1 layers from the
 * end); evaluated again are the layers from there on, and of the path down those whose outputs these
 * take as skips. The first block is that of the first-block test (diffusers hooks/first_block_cache.py,
 * which knows transformers only): conv_in and the first layer behind it, a resnet and what attends
 * there; `entry` is what goes into that layer. The layer and the last one of the path up have the same
 * size and channels, so what all between them adds is a residual, as it is in a transformer; it is
 * added before conv_norm_out.
 *
 * Easy to get wrong: UNet2DModel uses SiLU before conv_out whatever its act_fn says; nothing may be
 * uploaded during an evaluation, which a device may have remembered.
 */
#include "engine/nets/unet.h"

#include <stdlib.h>
#include <string.h>

#include "engine/nets/unet_blocks.h"

/* Largest batch and largest side of a sample: sizes within them cannot overflow anything. */
#define MAX_BATCH 64
#define MAX_SIDE  8192

struct SlUnet {
    SlUnetConfig config;
    SlLayer conv_in, conv_norm_out, conv_out;
    SlTimeEmbedding times;
    SlUnetStage down[SL_UNET_MAX_BLOCKS], mid, up[SL_UNET_MAX_BLOCKS];
    SlTextProjections texts;
    uint64_t operations; /* atomic: a progress bar reads it from its own thread */
};

/* ---- building ---- */

/* Every transformer layer has one or two cross attentions. */
static int most_cross_attentions(const SlUnetConfig *c)
{
    int layers = c->transformer_mid;
    for (int i = 0; i < c->blocks; i++)
        for (int k = 0; k <= SL_UNET_MAX_LAYERS; k++)
            layers +=
                (k < SL_UNET_MAX_LAYERS ? c->transformer_down[i][k] : 0) + c->transformer_up[i][k];
    return 2 * layers;
}

SlUnet *sl_unet_new(const SlUnetConfig *config, SlBinder *b, SlError *err)
{
    SlUnet *unet = calloc(1, sizeof *unet);
    int most = config->conditional ? most_cross_attentions(config) : 0;
    if (unet && most > 0)
        unet->texts.list = calloc((size_t)most, sizeof *unet->texts.list);
    if (!unet || (most > 0 && !unet->texts.list)) {
        free(unet);
        sl_fail(err, SL_MEMORY, "There is not enough memory for the UNet");
        return NULL;
    }
    unet->config = *config;
    unet->texts.capacity = most;
    const int *channels = config->channels;
    int last = config->blocks - 1;
    SlUnetBind bind = {b, &unet->config, &unet->texts, &unet->times, true};
    unet->conv_in = sl_bind_conv3(b, sl_path("conv_in"), config->in_channels, channels[0]);
    sl_time_embedding_bind(&unet->times, b, &unet->config);
    for (int level = 0; level <= last; level++)
        sl_unet_down_bind(&unet->down[level], &bind, level);
    if (config->mid_block)
        sl_unet_mid_bind(&unet->mid, &bind);
    for (int level = last; level >= 0; level--)
        sl_unet_up_bind(&unet->up[last - level], &bind, level);
    unet->conv_norm_out = sl_bind_norm(b, sl_path("conv_norm_out"), channels[0]);
    unet->conv_out = sl_bind_conv3(b, sl_path("conv_out"), channels[0], config->out_channels);
    if (!bind.ok) {
        sl_unet_free(unet);
        sl_fail(err, SL_MEMORY, "There is not enough memory for the UNet");
        return NULL;
    }
    return unet;
}

void sl_unet_free(SlUnet *unet)
{
    if (!unet)
        return;
    for (int i = 0; i < unet->config.blocks; i++) {
        sl_unet_stage_clear(&unet->down[i]);
        sl_unet_stage_clear(&unet->up[i]);
    }
    sl_unet_stage_clear(&unet->mid);
    free(unet->texts.list);
    free(unet);
}

const SlUnetConfig *sl_unet_get_config(const SlUnet *unet)
{
    return &unet->config;
}

int sl_unet_size_multiple(const SlUnetConfig *config)
{
    /* UNet2DModel upsamples by exactly two. */
    return config->conditional ? 1 : 1 << (config->blocks - 1);
}

uint64_t sl_unet_operations(const SlUnet *unet)
{
    return __atomic_load_n(&unet->operations, __ATOMIC_RELAXED);
}

/* ---- the prompt ---- */

static bool check_text(const SlUnet *unet, const SlTensor *text, SlError *err)
{
    if (!text || text->rank != 3 || text->size[0] < 1 || text->size[0] > MAX_BATCH)
        return sl_fail(err, SL_ARGUMENT, "The text's hidden states are not a batch of sequences");
    for (int i = 0; i < unet->texts.count; i++)
        if (unet->texts.list[i].text_channels != text->size[2])
            return sl_fail(err, SL_FORMAT,
                           "The UNet expects text of %d channels and the text encoder makes %lld: "
                           "they are not from the same model",
                           unet->texts.list[i].text_channels, (long long)text->size[2]);
    return true;
}

/* The pooled text and the sizes fill what is added to the time exactly. */
static bool check_added(const SlUnet *unet, const SlUnetTold *told, SlError *err)
{
    const SlUnetConfig *c = &unet->config;
    const SlTensor *pooled = told->text_embeds, *ids = told->time_ids;
    if (!c->text_time)
        return (!pooled && !ids) ||
               sl_fail(err, SL_ARGUMENT, "This UNet is told no sizes and no pooled text");
    if (!pooled || !ids || pooled->rank != 2 || ids->rank != 2 ||
        pooled->size[0] != told->text->size[0] || ids->size[0] != pooled->size[0])
        return sl_fail(
            err, SL_ARGUMENT,
            "This UNet is told a pooled text and sizes beside each text's hidden states");
    long long numbers = ids->size[1], each = c->addition_time_embed_dim;
    return pooled->size[1] + numbers * each == c->addition_dim ||
           sl_fail(
               err, SL_FORMAT,
               "The UNet's projection_class_embeddings_input_dim is %d, and it is told a pooled "
               "text of %lld and %lld numbers of %lld each: they are not from the same model",
               c->addition_dim, (long long)pooled->size[1], numbers, each);
}

SlContext *sl_unet_context_new(SlDevice *dev, const SlUnet *unet, const SlUnetTold *told,
                               SlError *err)
{
    const SlTensor *text = told->text;
    if (!check_text(unet, text, err) || !check_added(unet, told, err))
        return NULL;
    int count = unet->texts.count;
    SlContext *context = sl_context_new(text->size[0], count + unet->config.text_time);
    if (!context) {
        sl_fail(err, SL_MEMORY, "There is not enough memory for the prompt");
        return NULL;
    }
    for (int i = 0; i < count && sl_device_ok(dev); i++) {
        const SlTextProjection *p = &unet->texts.list[i];
        int64_t size[] = {text->size[0], text->size[1], 2 * (int64_t)p->channels};
        dev->scope = p->path.text;
        context->tensor[i] = sl_buffer_new(dev, dev->dtype, 3, size);
        sl_linear(dev, text, p->to_kv, NULL, &context->tensor[i]);
    }
    if (unet->config.text_time && sl_device_ok(dev)) {
        int64_t size[] = {text->size[0], unet->config.time_embed_dim};
        context->tensor[count] = sl_buffer_new(dev, dev->dtype, 2, size);
        sl_time_embedding_added(dev, &unet->times, told->text_embeds, told->time_ids,
                                &context->tensor[count]);
    }
    dev->scope = NULL;
    if (!sl_device_check(dev, err)) {
        sl_context_free(dev, context);
        return NULL;
    }
    return context;
}

/* ---- one evaluation ---- */

/* Smallest side: with padding 0 and with pooling, sizes are halved rounding down. */
static int64_t smallest_side(const SlUnetConfig *c)
{
    bool rounds_down = c->downsample_conv_padding_zero || !c->conditional;
    return rounds_down ? (int64_t)1 << (c->blocks - 1) : 1;
}

/* times: for how many samples there are timesteps */
static bool check_pass(const SlUnet *unet, const SlTensor *x, int64_t times,
                       const SlContext *context, SlError *err)
{
    const SlUnetConfig *c = &unet->config;
    if (x->rank != 4 || x->size[3] != c->in_channels)
        return sl_fail(err, SL_ARGUMENT, "The sample has %lld channels, and this UNet takes %d",
                       (long long)x->size[x->rank - 1], c->in_channels);
    if (x->size[0] < 1 || x->size[0] > MAX_BATCH || times != x->size[0])
        return sl_fail(
            err, SL_ARGUMENT,
            "The batch is %lld samples with %lld timesteps; expected 1 to %d with as many",
            (long long)x->size[0], (long long)times, MAX_BATCH);
    int multiple = sl_unet_size_multiple(c);
    for (int i = 1; i <= 2; i++)
        if (x->size[i] < smallest_side(c) || x->size[i] > MAX_SIDE || x->size[i] % multiple != 0)
            return sl_fail(
                err, SL_ARGUMENT,
                "The sample is %lld x %lld, and this UNet takes sides of %lld to %d that "
                "are multiples of %d",
                (long long)x->size[2], (long long)x->size[1], (long long)smallest_side(c), MAX_SIDE,
                multiple);
    if ((unet->texts.count > 0 || c->text_time) && (!context || context->batch != x->size[0]))
        return sl_fail(err, SL_ARGUMENT, "The batch is %lld samples, and there are %lld prompts",
                       (long long)x->size[0], (long long)(context ? context->batch : 0));
    return true;
}

/* 2 x - 1. There is no operation for it, since hardly any model asks for it; the -1 lies among the
 * time embedding's shifts. */
static void center_input(SlDevice *dev, const SlTensor *x, const SlTensor *minus_one, SlTensor *out)
{
    SlTensor twice = sl_tensor_like(dev, x);
    sl_add(dev, x, x, 1, &twice);
    sl_add_per_channel(dev, &twice, minus_one, out);
}

static SlTensor conv_in(SlDevice *dev, const SlUnet *unet, const SlTensor *x, const SlTensor *row)
{
    SlTensor sample =
        sl_tensor_new4(dev, x->size[0], x->size[1], x->size[2], unet->config.channels[0]);
    dev->scope = "conv_in";
    size_t mark = sl_arena_mark(dev);
    SlTensor input = *x;
    if (unet->config.center_input) {
        SlTensor minus_one = sl_center_shift(&unet->times, row, x->size[0]);
        input = sl_tensor_like(dev, x);
        center_input(dev, x, &minus_one, &input);
    }
    sl_layer_conv3(dev, &unet->conv_in, &input, NULL, &sample);
    sl_arena_reset(dev, mark);
    return sample;
}

static void conv_out(SlDevice *dev, const SlUnet *unet, const SlTensor *x, SlTensor *out)
{
    const SlUnetConfig *c = &unet->config;
    SlGroupNorm norm = {c->norm_groups, c->norm_eps, c->conditional ? c->act : SL_ACT_SILU};
    dev->scope = "conv_out";
    SlTensor normed = sl_tensor_like(dev, x);
    SlTensor result = out->dtype == dev->dtype ? *out : sl_tensor_like(dev, out);
    sl_layer_group_norm(dev, &unet->conv_norm_out, &norm, x, &normed);
    sl_layer_conv3(dev, &unet->conv_out, &normed, NULL, &result);
    if (result.data != out->data)
        sl_copy(dev, &result, out);
}

/* ---- maps ---- */

static int cross_attentions(const SlUnetStage *stage)
{
    int count = 0;
    for (int i = 0; i < stage->layers; i++)
        if (stage->layer[i].attends == SL_ATTENDS_TEXT)
            count += stage->layer[i].transformer.options.layers;
    return count;
}

/* Of a level of the down and up blocks; of the middle block: level = blocks. */
static int layers_of(const SlUnet *unet, int level)
{
    int blocks = unet->config.blocks;
    if (level == blocks)
        return unet->config.mid_block ? cross_attentions(&unet->mid) : 0;
    return cross_attentions(&unet->down[level]) + cross_attentions(&unet->up[blocks - 1 - level]);
}

int sl_unet_map_levels(const SlUnet *unet, int h, int w, SlMapLevel levels[SL_MAP_LEVELS])
{
    int64_t height = h, width = w;
    int count = 0, blocks = unet->config.blocks;
    for (int level = 0; level <= blocks; level++) {
        int layers = layers_of(unet, level);
        if (layers > 0)
            levels[count++] =
                (SlMapLevel){(int)height, (int)width, layers, .middle = level == blocks};
        if (level < blocks) {
            height = sl_unet_down_side(&unet->down[level], height);
            width = sl_unet_down_side(&unet->down[level], width);
        }
    }
    return count;
}

/* The pass goes on at a level (as layers_of counts them). */
static void enter(SlUnetPass *pass, const SlUnet *unet, int level)
{
    pass->maps.level = 0;
    for (int i = 0; i < level; i++)
        pass->maps.level += layers_of(unet, i) > 0;
}

/* ---- what is evaluated of it ---- */

int sl_unet_branches(const SlUnetConfig *config)
{
    int layers = 0;
    for (int level = 0; level < config->blocks; level++)
        layers += config->layers_per_block[level] + 1;
    return layers;
}

/* A layer of the path up. */
typedef struct UpPlace {
    int stage, layer;
    int number; /* counted from the path's first one */
} UpPlace;

/* The first one that a branch evaluates again. */
static UpPlace branch_place(const SlUnet *unet, int branch)
{
    UpPlace at = {.number = sl_unet_branches(&unet->config) - 1 - branch};
    at.layer = at.number;
    while (at.layer >= unet->up[at.stage].layers)
        at.layer -= unet->up[at.stage++].layers;
    return at;
}

void sl_unet_kept_size(const SlUnet *unet, int branch, const int64_t x[4], int64_t size[4])
{
    memcpy(size, x, 4 * sizeof *size);
    size[3] = unet->config.channels[0];
    if (branch == SL_REUSE_FIRST_BLOCK)
        return;
    UpPlace at = branch_place(unet, branch);
    int level = unet->config.blocks - 1 - at.stage;
    for (int i = 0; i < level; i++)
        for (int axis = 1; axis <= 2; axis++)
            size[axis] = sl_unet_down_side(&unet->down[i], size[axis]);
    int before = at.layer > 0 || at.stage == 0 ? at.stage : at.stage - 1;
    size[3] = unet->up[before].channels;
}

/* From layer `from` of the first down block to the end of the path up. */
static SlTensor all_from(SlUnetPass *pass, const SlUnet *unet, int from, SlTensor sample)
{
    SlDevice *dev = pass->dev;
    int blocks = unet->config.blocks;
    for (int i = 0; i < blocks && sl_device_ok(dev); i++) {
        enter(pass, unet, i);
        sample = sl_unet_down_forward(pass, &unet->down[i], i == 0 ? from : 0,
                                      unet->down[i].layers + 1, &sample);
    }
    enter(pass, unet, blocks);
    if (unet->config.mid_block && sl_device_ok(dev))
        sample = sl_unet_mid_forward(pass, &unet->mid, &sample);
    for (int i = 0; i < blocks && sl_device_ok(dev); i++) {
        enter(pass, unet, blocks - 1 - i);
        sample = sl_unet_up_forward(pass, &unet->up[i], 0, &sample);
    }
    return sample;
}

/* Around the deep feature. */
static SlTensor around(SlUnetPass *pass, const SlUnet *unet, const SlReuse *reuse, SlTensor sample)
{
    SlDevice *dev = pass->dev;
    UpPlace at = branch_place(unet, reuse->branch);
    int blocks = unet->config.blocks, level = blocks - 1 - at.stage;
    int skips = unet->up[at.stage].layers - at.layer; /* that its layers take, one is there */
    for (int i = 0; i <= level && sl_device_ok(dev); i++)
        sample = sl_unet_down_forward(pass, &unet->down[i], 0,
                                      i == level ? skips - 1 : unet->down[i].layers + 1, &sample);
    sample = reuse->kept;
    for (int i = at.stage; i < blocks && sl_device_ok(dev); i++)
        sample = sl_unet_up_forward(pass, &unet->up[i], i == at.stage ? at.layer : 0, &sample);
    return sample;
}

/* out = a - b */
static void subtract(SlDevice *dev, const SlTensor *a, const SlTensor *b, SlTensor *out)
{
    size_t mark = sl_arena_mark(dev);
    SlTensor minus = sl_tensor_like(dev, b);
    sl_add(dev, b, b, -0.5F, &minus);
    sl_add(dev, a, &minus, 1, out);
    sl_arena_reset(dev, mark);
}

/* The first block by itself. */
static void first_block(SlUnetPass *pass, const SlUnet *unet, const SlReuse *reuse, SlTensor sample)
{
    SlTensor entry = reuse->entry, first = reuse->first;
    enter(pass, unet, 0);
    sl_copy(pass->dev, &sample, &entry);
    sample = sl_unet_down_forward(pass, &unet->down[0], 0, 1, &sample);
    sl_copy(pass->dev, &sample, &first);
}

/* What goes into conv_norm_out, behind the first block, which has been evaluated. */
static SlTensor behind_first(SlUnetPass *pass, const SlUnet *unet, const SlReuse *reuse)
{
    SlDevice *dev = pass->dev;
    SlTensor kept = reuse->kept;
    if (reuse->part == SL_REUSE_SKIP) {
        SlTensor moved = sl_tensor_like(dev, &reuse->first);
        dev->scope = "first block";
        sl_add(dev, &reuse->first, &kept, 1, &moved);
        return moved;
    }
    pass->skips[pass->skip_count++] = reuse->entry;
    pass->skips[pass->skip_count++] = reuse->first;
    SlTensor sample = all_from(pass, unet, 1, reuse->first);
    if (sl_device_ok(dev)) {
        dev->scope = "first block";
        subtract(dev, &sample, &reuse->first, &kept);
    }
    return sample;
}

static void evaluate(SlUnetPass *pass, const SlUnet *unet, const SlEvaluation *e)
{
    static const SlReuse all = {.part = SL_REUSE_NOTHING};
    const SlReuse *reuse = e->reuse ? e->reuse : &all;
    SlDevice *dev = pass->dev;
    SlTensor sample;
    if (reuse->part == SL_REUSE_REST || reuse->part == SL_REUSE_SKIP)
        sample = behind_first(pass, unet, reuse);
    else {
        sample = pass->skips[pass->skip_count++] = conv_in(dev, unet, e->x, e->row);
        if (reuse->part == SL_REUSE_FIRST) {
            first_block(pass, unet, reuse, sample);
            return;
        }
        if (reuse->part == SL_REUSE_KEEP) {
            pass->keep_at = branch_place(unet, reuse->branch).number;
            pass->kept = reuse->kept;
        }
        sample = reuse->part == SL_REUSE_DEEP ? around(pass, unet, reuse, sample)
                                              : all_from(pass, unet, 0, sample);
    }
    if (sl_device_ok(dev))
        conv_out(dev, unet, &sample, e->out);
}

/* Without checks. */
static bool forward(SlDevice *dev, SlUnet *unet, const SlEvaluation *e, SlError *err)
{
    uint64_t before = sl_device_ops_done(dev);
    size_t mark = sl_arena_mark(dev);
    SlUnetPass pass = {.dev = dev,
                       .text_kv = e->context ? e->context->tensor : NULL,
                       .shifts = *e->row,
                       .keep_at = -1,
                       .maps = {.maps = e->maps, .count = e->maps_count}};
    if (unet->config.text_time)
        pass.shifts = sl_time_embedding_shifts(dev, &unet->times, e->row,
                                               &e->context->tensor[unet->texts.count]);
    evaluate(&pass, unet, e);
    sl_arena_reset(dev, mark);
    dev->scope = NULL;
    if (!sl_device_check(dev, err))
        return false;
    if (!e->reuse || e->reuse->part <= SL_REUSE_KEEP) /* all of it */
        __atomic_store_n(&unet->operations, sl_device_ops_done(dev) - before, __ATOMIC_RELAXED);
    return true;
}

bool sl_unet_forward(SlDevice *dev, SlUnet *unet, const SlTensor *x, const SlTensor *t,
                     const SlContext *context, SlTensor *out, SlError *err)
{
    if (!check_pass(unet, x, t->rank == 1 ? t->size[0] : 0, context, err))
        return false;
    size_t mark = sl_arena_mark(dev);
    SlTensor row = sl_time_embedding_batch(dev, &unet->times, t);
    const SlEvaluation e = {.x = x, .row = &row, .context = context, .out = out};
    bool ok = forward(dev, unet, &e, err);
    sl_arena_reset(dev, mark);
    return ok;
}

bool sl_unet_forward_at(SlDevice *dev, SlUnet *unet, const SlEvaluation *e, SlError *err)
{
    int64_t each = sl_unet_time_values(unet);
    return check_pass(unet, e->x, each > 0 ? sl_tensor_elements(e->row) / each : 0, e->context,
                      err) &&
           forward(dev, unet, e, err);
}

/* ---- the times of a run ---- */

int64_t sl_unet_time_values(const SlUnet *unet)
{
    return sl_time_embedding_values(&unet->times);
}

void sl_unet_times(SlDevice *dev, const SlUnet *unet, const SlTensor *t, const SlTimesOf *of,
                   SlTensor *table)
{
    sl_time_embedding_table(dev, &unet->times, t, of, table);
}

void sl_unet_times_join(SlDevice *dev, const SlUnet *unet, const SlTimesJoin *join, SlTensor *row)
{
    sl_time_embedding_join(dev, &unet->times, join, row);
}
