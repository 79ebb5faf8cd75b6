/* unet_blocks.c - the down, middle and up blocks of both UNets (diffusers unet_2d_blocks.py).
 *
 * Easy to get wrong: an up block's layer i gets the skip of the down path's mirrored layer, so its
 * input channels are those of the level below for the first layer and the skip's own for the last;
 * upsampling goes to the size of the next skip, which is not twice as large for odd sizes; a
 * downsampler of padding 0 pads on the right and at the bottom only.
 */
#include "engine/nets/unet_blocks.h"

/* ---- binding ---- */

static SlResnetOptions resnet_options(const SlUnetConfig *c, int in, int out)
{
    SlResnetOptions o = {
        .in_channels = in,
        .out_channels = out,
        .temb_channels = c->time_embed_dim,
        .scale_shift = c->scale_shift,
        .norm = {c->norm_groups, c->norm_eps, c->act},
        .output_scale_factor = 1,
    };
    return o;
}

static void bind_resnet(SlResnet *r, SlUnetBind *bind, SlPath path, const SlResnetOptions *o)
{
    sl_resnet_bind(r, bind->b, path, o);
    if (!sl_time_embedding_add(bind->times, r))
        bind->ok = false;
}

/* Attention over the block's own positions, as UNet2DModel has it. groups: of its norm; 0: none */
static void bind_self_attention(SlUnetLayer *layer, SlUnetBind *bind, SlPath path, int level,
                                int groups)
{
    const SlUnetConfig *c = bind->config;
    layer->attends = SL_ATTENDS_SELF;
    layer->attention = (SlAttentionBlock){
        .norm = {groups, c->norm_eps, SL_ACT_NONE},
        .channels = c->channels[level],
        .heads = c->heads[level],
        .output_scale_factor = 1,
    };
    sl_attention_block_bind(&layer->attention, bind->b, path);
}

static void bind_transformer(SlUnetLayer *layer, SlUnetBind *bind, SlPath path, int level,
                             int depth, bool only_cross_attention)
{
    const SlUnetConfig *c = bind->config;
    SlTransformerOptions o = {
        .channels = c->channels[level],
        .heads = c->heads[level],
        .layers = depth,
        .cross_attention_dim = c->cross_attention_dim[level],
        .norm_groups = c->norm_groups,
        .only_cross_attention = only_cross_attention,
    };
    layer->attends = SL_ATTENDS_TEXT;
    if (!sl_transformer_bind(&layer->transformer, bind->b, path, &o, bind->texts))
        bind->ok = false;
}

/* What a layer of a down or up block of this type has after its resnet; depth: of a
 * transformer. */
static void bind_attention(SlUnetLayer *layer, SlUnetBind *bind, SlUnetBlock type, SlPath path,
                           int level, int depth)
{
    if (type == SL_UNET_BLOCK_ATTN)
        bind_self_attention(layer, bind, path, level, bind->config->norm_groups);
    else if (type == SL_UNET_BLOCK_CROSS_ATTN)
        bind_transformer(layer, bind, path, level, depth,
                         bind->config->only_cross_attention[level]);
}

/* The resampler after the layers of a block of this type. */
static void bind_resampler(SlUnetStage *stage, SlUnetBind *bind, SlUnetBlock type, SlPath path,
                           SlResample direction)
{
    const SlUnetConfig *c = bind->config;
    bool down = direction == SL_RESAMPLE_DOWN;
    bool resnet =
        type == SL_UNET_BLOCK_RESNET ||
        (type == SL_UNET_BLOCK_ATTN && (down ? c->resnet_downsample : c->resnet_upsample));
    int channels = stage->channels;
    stage->resampler_path = path;
    if (resnet) {
        SlResnetOptions o = resnet_options(c, channels, channels);
        o.resample = direction;
        stage->resampler = SL_STAGE_RESNET;
        bind_resnet(&stage->resampler_resnet, bind, path, &o);
    } else {
        stage->resampler = SL_STAGE_CONV;
        stage->pad_only_after = down && c->downsample_conv_padding_zero;
        stage->resampler_conv = sl_bind_conv3(bind->b, sl_child(path, "conv"), channels, channels);
    }
}

void sl_unet_down_bind(SlUnetStage *stage, SlUnetBind *bind, int level)
{
    const SlUnetConfig *c = bind->config;
    SlPath path = sl_path("down_blocks.%d", level);
    stage->channels = c->channels[level];
    stage->layers = c->layers_per_block[level];
    for (int i = 0; i < stage->layers; i++) {
        int in = c->channels[i == 0 && level > 0 ? level - 1 : level];
        SlUnetLayer *layer = &stage->layer[i];
        SlResnetOptions o = resnet_options(c, in, c->channels[level]);
        bind_resnet(&layer->resnet, bind, sl_child(path, "resnets.%d", i), &o);
        bind_attention(layer, bind, c->down[level], sl_child(path, "attentions.%d", i), level,
                       c->transformer_down[level][i]);
    }
    if (level < c->blocks - 1)
        bind_resampler(stage, bind, c->down[level], sl_child(path, "downsamplers.0"),
                       SL_RESAMPLE_DOWN);
}

void sl_unet_mid_bind(SlUnetStage *stage, SlUnetBind *bind)
{
    const SlUnetConfig *c = bind->config;
    int level = c->blocks - 1;
    SlPath path = sl_path("mid_block");
    SlUnetLayer *first = &stage->layer[0];
    stage->channels = c->channels[level];
    /* A conditional UNet's "UNetMidBlock2D" is a single resnet, UNet2DModel's always has two. */
    stage->layers = c->mid_attention || !c->conditional ? 2 : 1;
    for (int i = 0; i < stage->layers; i++) {
        SlResnetOptions o = resnet_options(c, stage->channels, stage->channels);
        o.output_scale_factor = c->mid_block_scale;
        bind_resnet(&stage->layer[i].resnet, bind, sl_child(path, "resnets.%d", i), &o);
    }
    if (!c->mid_attention)
        return;
    SlPath attention = sl_child(path, "attentions.0");
    if (c->conditional) {
        bind_transformer(first, bind, attention, level, c->transformer_mid, false);
        return;
    }
    bind_self_attention(first, bind, attention, level, c->attn_norm_groups);
    first->attention.output_scale_factor = c->mid_block_scale;
}

void sl_unet_up_bind(SlUnetStage *stage, SlUnetBind *bind, int level)
{
    const SlUnetConfig *c = bind->config;
    int index = c->blocks - 1 - level;
    int channels = c->channels[level];
    int below = c->channels[index == 0 ? level : level + 1];
    int skip = c->channels[level == 0 ? 0 : level - 1];
    SlPath path = sl_path("up_blocks.%d", index);
    stage->channels = channels;
    stage->layers = c->layers_per_block[level] + 1;
    for (int i = 0; i < stage->layers; i++) {
        int in = (i == 0 ? below : channels) + (i == stage->layers - 1 ? skip : channels);
        SlUnetLayer *layer = &stage->layer[i];
        SlResnetOptions o = resnet_options(c, in, channels);
        bind_resnet(&layer->resnet, bind, sl_child(path, "resnets.%d", i), &o);
        bind_attention(layer, bind, c->up[index], sl_child(path, "attentions.%d", i), level,
                       c->transformer_up[index][i]);
    }
    if (level > 0)
        bind_resampler(stage, bind, c->up[index], sl_child(path, "upsamplers.0"), SL_RESAMPLE_UP);
}

void sl_unet_stage_clear(SlUnetStage *stage)
{
    for (int i = 0; i < stage->layers; i++)
        sl_transformer_clear(&stage->layer[i].transformer);
}

/* ---- forward ---- */

static void resnet_forward(SlUnetPass *pass, const SlResnet *r, const SlTensor *x, SlTensor *out)
{
    SlTensor shift = sl_resnet_shift(r, &pass->shifts, x->size[0]);
    sl_resnet_forward(pass->dev, r, x, &shift, out);
}

/* out = attention(resnet(x)) */
static void layer_forward(SlUnetPass *pass, const SlUnetLayer *layer, const SlTensor *x,
                          SlTensor *out)
{
    SlDevice *dev = pass->dev;
    if (layer->attends == SL_ATTENDS_NOT) {
        resnet_forward(pass, &layer->resnet, x, out);
        return;
    }
    size_t mark = sl_arena_mark(dev);
    SlTensor hidden_states = sl_tensor_like(dev, out);
    resnet_forward(pass, &layer->resnet, x, &hidden_states);
    if (layer->attends == SL_ATTENDS_SELF)
        sl_attention_block_forward(dev, &layer->attention, &hidden_states, out);
    else
        sl_transformer_forward(dev, &layer->transformer, &hidden_states, pass->text_kv, &pass->maps,
                               out);
    sl_arena_reset(dev, mark);
}

int64_t sl_unet_down_side(const SlUnetStage *stage, int64_t side)
{
    /* Padding 1 rounds up, the other two ways round down. */
    int64_t round = stage->resampler == SL_STAGE_CONV && !stage->pad_only_after ? 1 : 0;
    return stage->resampler == SL_STAGE_KEEPS_SIZE ? side : (side + round) / 2;
}

static SlTensor downsample(SlUnetPass *pass, const SlUnetStage *stage, const SlTensor *x)
{
    SlDevice *dev = pass->dev;
    SlTensor out = sl_tensor_new4(dev, x->size[0], sl_unet_down_side(stage, x->size[1]),
                                  sl_unet_down_side(stage, x->size[2]), stage->channels);
    dev->scope = stage->resampler_path.text;
    if (stage->resampler == SL_STAGE_RESNET)
        resnet_forward(pass, &stage->resampler_resnet, x, &out);
    else
        sl_layer_downsample(dev, &stage->resampler_conv, stage->pad_only_after, x, &out);
    return out;
}

SlTensor sl_unet_down_forward(SlUnetPass *pass, const SlUnetStage *stage, int from, int to,
                              const SlTensor *x)
{
    SlTensor hidden_states = *x;
    for (int i = from; i < to && i < stage->layers; i++) {
        SlTensor out =
            sl_tensor_new4(pass->dev, x->size[0], x->size[1], x->size[2], stage->channels);
        layer_forward(pass, &stage->layer[i], &hidden_states, &out);
        hidden_states = pass->skips[pass->skip_count++] = out;
    }
    if (to > stage->layers && stage->resampler != SL_STAGE_KEEPS_SIZE)
        hidden_states = pass->skips[pass->skip_count++] = downsample(pass, stage, &hidden_states);
    return hidden_states;
}

SlTensor sl_unet_mid_forward(SlUnetPass *pass, const SlUnetStage *stage, const SlTensor *x)
{
    SlDevice *dev = pass->dev;
    SlTensor out = sl_tensor_like(dev, x);
    if (stage->layers == 1) {
        layer_forward(pass, &stage->layer[0], x, &out);
        return out;
    }
    size_t mark = sl_arena_mark(dev);
    SlTensor hidden_states = sl_tensor_like(dev, x);
    layer_forward(pass, &stage->layer[0], x, &hidden_states);
    layer_forward(pass, &stage->layer[1], &hidden_states, &out);
    sl_arena_reset(dev, mark);
    return out;
}

/* out = layer(concat(x, the next skip)) */
static void up_layer_forward(SlUnetPass *pass, const SlUnetLayer *layer, const SlTensor *x,
                             SlTensor *out)
{
    SlDevice *dev = pass->dev;
    const SlTensor *skip = &pass->skips[--pass->skip_count];
    size_t mark = sl_arena_mark(dev);
    SlTensor both =
        sl_tensor_new4(dev, x->size[0], x->size[1], x->size[2], x->size[3] + skip->size[3]);
    dev->scope = layer->resnet.path.text;
    sl_concat(dev, x, skip, &both);
    layer_forward(pass, layer, &both, out);
    sl_arena_reset(dev, mark);
}

static void upsample(SlUnetPass *pass, const SlUnetStage *stage, const SlTensor *x, SlTensor *out)
{
    pass->dev->scope = stage->resampler_path.text;
    if (stage->resampler == SL_STAGE_RESNET) {
        resnet_forward(pass, &stage->resampler_resnet, x, out);
        return;
    }
    SlEpilogue e = {.bias = stage->resampler_conv.bias};
    sl_upsample_conv2d(pass->dev, x, stage->resampler_conv.weight, &e, out);
}

SlTensor sl_unet_up_forward(SlUnetPass *pass, const SlUnetStage *stage, int from, const SlTensor *x)
{
    SlDevice *dev = pass->dev;
    bool grows = stage->resampler != SL_STAGE_KEEPS_SIZE;
    /* After this block's layers, the skip on top is the one that the next block starts with. */
    const SlTensor *size = grows ? &pass->skips[pass->skip_count - 1 - (stage->layers - from)] : x;
    SlTensor out = sl_tensor_new4(dev, x->size[0], size->size[1], size->size[2], stage->channels);

    size_t mark = sl_arena_mark(dev);
    SlTensor spare[2];
    for (int i = 0; i < 2; i++)
        spare[i] = grows || i == 0
                       ? sl_tensor_new4(dev, x->size[0], x->size[1], x->size[2], stage->channels)
                       : out;
    SlTensor hidden_states = *x;
    for (int i = from; i < stage->layers; i++) {
        if (pass->up_layers++ == pass->keep_at)
            sl_copy(dev, &hidden_states, &pass->kept);
        /* Two places take turns, so that the last layer writes to spare[1]. */
        SlTensor next = spare[(stage->layers - i) % 2];
        up_layer_forward(pass, &stage->layer[i], &hidden_states, &next);
        hidden_states = next;
    }
    if (grows)
        upsample(pass, stage, &hidden_states, &out);
    sl_arena_reset(dev, mark);
    return out;
}
