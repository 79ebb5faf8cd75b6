/* vae.c - AutoencoderKL: encoder and decoder (diffusers autoencoder_kl.py, vae.py).
 *
 * Easy to get wrong: all norms have eps 1e-6; the encoder's downsampling pads on the right and at
 * the bottom only; the decoder's levels have one resnet more than the encoder's and run in reverse;
 * the attention in the middle has a single head; conv_act is SiLU whatever act_fn says.
 */
#include "engine/nets/vae_private.h"

#include <stdlib.h>
#include <string.h>

#define MAX_BATCH 64
#define MAX_SIDE  16384 /* of the picture, in pixels */

/* ---- building ---- */

static SlResnetOptions resnet_options(const SlVaeConfig *c, int in, int out)
{
    SlResnetOptions o = {
        .in_channels = in,
        .out_channels = out,
        .norm = {c->norm_groups, 1e-6f, c->act},
        .output_scale_factor = 1,
    };
    return o;
}

static void bind_middle(SlVaeMiddle *m, SlBinder *b, SlPath path, const SlVaeConfig *c)
{
    int channels = c->channels[c->blocks - 1];
    SlResnetOptions o = resnet_options(c, channels, channels);
    for (int i = 0; i < 2; i++)
        sl_resnet_bind(&m->resnets[i], b, sl_child(path, "resnets.%d", i), &o);
    if (!c->mid_attention)
        return;
    m->attention = (SlAttentionBlock){
        .norm = {c->norm_groups, 1e-6f, SL_ACT_NONE},
        .channels = channels,
        .heads = 1,
        .output_scale_factor = 1,
    };
    sl_attention_block_bind(&m->attention, b, sl_child(path, "attentions.0"));
}

static void bind_level(SlVaeLevel *level, SlBinder *b, SlPath path, const SlVaeConfig *c,
                       int layers, int in, int out)
{
    for (int i = 0; i < layers; i++) {
        SlResnetOptions o = resnet_options(c, i == 0 ? in : out, out);
        sl_resnet_bind(&level->resnets[i], b, sl_child(path, "resnets.%d", i), &o);
    }
}

static void bind_resampler(SlVaeLevel *level, SlBinder *b, SlPath path, int channels)
{
    level->resampler_path = path;
    level->resampler = sl_bind_conv3(b, sl_child(path, "conv"), channels, channels);
}

static void bind_encoder(SlVae *vae, SlBinder *b)
{
    const SlVaeConfig *c = &vae->config;
    SlVaeHalf *h = &vae->encoder;
    SlPath path = sl_path("encoder");
    int last = c->blocks - 1;
    h->layers = c->layers_per_block;
    h->conv_in = sl_bind_conv3(b, sl_child(path, "conv_in"), c->in_channels, c->channels[0]);
    for (int i = 0; i <= last; i++) {
        SlPath block = sl_child(path, "down_blocks.%d", i);
        bind_level(&h->levels[i], b, block, c, h->layers, c->channels[i > 0 ? i - 1 : 0],
                   c->channels[i]);
        if (i < last)
            bind_resampler(&h->levels[i], b, sl_child(block, "downsamplers.0"), c->channels[i]);
    }
    bind_middle(&h->middle, b, sl_child(path, "mid_block"), c);
    h->conv_norm_out = sl_bind_norm(b, sl_child(path, "conv_norm_out"), c->channels[last]);
    h->conv_out =
        sl_bind_conv3(b, sl_child(path, "conv_out"), c->channels[last], 2 * c->latent_channels);
    if (c->quant_conv)
        vae->quant_conv = sl_bind_linear(b, sl_path("quant_conv"), 2 * c->latent_channels,
                                         2 * c->latent_channels);
}

static void bind_decoder(SlVae *vae, SlBinder *b)
{
    const SlVaeConfig *c = &vae->config;
    SlVaeHalf *h = &vae->decoder;
    SlPath path = sl_path("decoder");
    int last = c->blocks - 1;
    h->layers = c->layers_per_block + 1;
    if (c->post_quant_conv)
        vae->post_quant_conv =
            sl_bind_linear(b, sl_path("post_quant_conv"), c->latent_channels, c->latent_channels);
    h->conv_in = sl_bind_conv3(b, sl_child(path, "conv_in"), c->latent_channels, c->channels[last]);
    bind_middle(&h->middle, b, sl_child(path, "mid_block"), c);
    for (int i = 0; i <= last; i++) {
        SlPath block = sl_child(path, "up_blocks.%d", i);
        int in = c->channels[i > 0 ? last - i + 1 : last], out = c->channels[last - i];
        bind_level(&h->levels[i], b, block, c, h->layers, in, out);
        if (i < last)
            bind_resampler(&h->levels[i], b, sl_child(block, "upsamplers.0"), out);
    }
    h->conv_norm_out = sl_bind_norm(b, sl_child(path, "conv_norm_out"), c->channels[0]);
    h->conv_out = sl_bind_conv3(b, sl_child(path, "conv_out"), c->channels[0], c->out_channels);
}

/* What is there for encoding, and for the masks of AsymmetricAutoencoderKL. */
static void ignore_encoder(SlBinder *b)
{
    sl_binder_ignore_all(b, "encoder.");
    sl_binder_ignore_all(b, "quant_conv.");
    sl_binder_ignore_all(b, "decoder.condition_encoder.");
}

SlVae *sl_vae_new(const SlVaeConfig *config, SlBinder *b, SlError *err)
{
    SlVae *vae = calloc(1, sizeof *vae);
    if (!vae) {
        sl_fail(err, SL_MEMORY, "There is not enough memory for the VAE");
        return NULL;
    }
    vae->config = *config;
    vae->dtype = sl_binder_dtype(b);
    if (config->kind == SL_VAE_TINY && !(vae->tiny = calloc(1, sizeof *vae->tiny))) {
        free(vae);
        sl_fail(err, SL_MEMORY, "There is not enough memory for the VAE");
        return NULL;
    }
    if (config->encodes)
        bind_encoder(vae, b);
    else
        ignore_encoder(b);
    if (vae->tiny)
        sl_vae_tiny_bind(vae, b);
    else
        bind_decoder(vae, b);
    return vae;
}

void sl_vae_free(SlVae *vae)
{
    if (vae)
        free(vae->tiny);
    free(vae);
}

const SlVaeConfig *sl_vae_get_config(const SlVae *vae)
{
    return &vae->config;
}

SlDtype sl_vae_dtype(const SlVae *vae)
{
    return vae->dtype;
}

/* ---- forward ---- */

static SlTensor middle(SlDevice *dev, const SlVaeMiddle *m, bool attends, const SlTensor *x)
{
    SlTensor out = sl_tensor_like(dev, x);
    size_t mark = sl_arena_mark(dev);
    SlTensor hidden_states = sl_tensor_like(dev, x);
    if (attends) {
        /* out serves as the first resnet's place: it is free until the last one writes to it. */
        sl_resnet_forward(dev, &m->resnets[0], x, NULL, &out);
        sl_attention_block_forward(dev, &m->attention, &out, &hidden_states);
    } else {
        sl_resnet_forward(dev, &m->resnets[0], x, NULL, &hidden_states);
    }
    sl_resnet_forward(dev, &m->resnets[1], &hidden_states, NULL, &out);
    sl_arena_reset(dev, mark);
    return out;
}

/* The resnets of a level, then its resampler; out has the level's final size. Places are taken when
 * they are needed: the first resnet of a level, whose input is the largest, is alone with one. */
static void level_forward(SlDevice *dev, const SlVaeLevel *level, int layers, SlResample how,
                          const SlTensor *x, SlTensor *out)
{
    size_t mark = sl_arena_mark(dev);
    SlTensor spare[2] = {{0}, how == SL_RESAMPLE_NONE ? *out : (SlTensor){0}};
    SlTensor hidden_states = *x;
    for (int i = 0; i < layers && sl_device_ok(dev); i++) {
        /* Two places take turns, so that the last resnet writes to spare[1]. */
        SlTensor *next = &spare[(layers - i) % 2];
        if (next->rank == 0)
            *next = sl_tensor_new4(dev, x->size[0], x->size[1], x->size[2], out->size[3]);
        sl_resnet_forward(dev, &level->resnets[i], &hidden_states, NULL, next);
        hidden_states = *next;
    }
    if (how != SL_RESAMPLE_NONE)
        dev->scope = level->resampler_path.text;
    SlEpilogue e = {.bias = level->resampler.bias};
    if (how == SL_RESAMPLE_DOWN)
        sl_layer_downsample(dev, &level->resampler, true, &hidden_states, out);
    else if (how == SL_RESAMPLE_UP)
        sl_upsample_conv2d(dev, &hidden_states, level->resampler.weight, &e, out);
    sl_arena_reset(dev, mark);
}

static SlResample resampling(const SlVae *vae, SlResample how, int level)
{
    return level < vae->config.blocks - 1 ? how : SL_RESAMPLE_NONE;
}

/* [N, H, W, C] of what a level gives for x. */
static void level_size(const SlVae *vae, SlResample how, int level, const int64_t x[4],
                       int64_t size[4])
{
    const SlVaeConfig *c = &vae->config;
    const SlResample now = resampling(vae, how, level);
    size[0] = x[0];
    for (int i = 1; i <= 2; i++)
        size[i] = now == SL_RESAMPLE_DOWN ? x[i] / 2 : now == SL_RESAMPLE_UP ? x[i] * 2 : x[i];
    size[3] = c->channels[how == SL_RESAMPLE_UP ? c->blocks - 1 - level : level];
}

/* The first levels in their order. A level reads what the one before it gave, and nothing else, so two
 * places take turns. */
static SlTensor levels_forward(SlDevice *dev, const SlVae *vae, const SlVaeHalf *h, SlResample how,
                               int levels, const SlTensor *x)
{
    int64_t size[SL_VAE_MAX_BLOCKS + 1][4], most[2] = {0, 0};
    memcpy(size[0], x->size, sizeof size[0]);
    for (int i = 0; i < levels; i++) {
        int64_t *out = size[i + 1];
        level_size(vae, how, i, size[i], out);
        const int64_t elements = out[0] * out[1] * out[2] * out[3];
        most[i % 2] = elements > most[i % 2] ? elements : most[i % 2];
    }
    SlTensor hidden_states = *x, place[2] = {{0}, {0}};
    for (int i = 0; i < 2 && i < levels; i++)
        place[i] = sl_tensor_new1(dev, most[i]);
    for (int i = 0; i < levels && sl_device_ok(dev); i++) {
        SlTensor out = sl_tensor_view(place[i % 2].data, place[i % 2].dtype, 4, size[i + 1]);
        level_forward(dev, &h->levels[i], h->layers, resampling(vae, how, i), &hidden_states, &out);
        hidden_states = out;
    }
    return hidden_states;
}

static SlTensor head(SlDevice *dev, const SlVae *vae, const SlVaeHalf *h, const SlTensor *x,
                     int64_t channels)
{
    SlGroupNorm norm = {vae->config.norm_groups, 1e-6f, SL_ACT_SILU};
    SlTensor out = sl_tensor_new4(dev, x->size[0], x->size[1], x->size[2], channels);
    size_t mark = sl_arena_mark(dev);
    SlTensor normed = sl_tensor_like(dev, x);
    sl_layer_group_norm(dev, &h->conv_norm_out, &norm, x, &normed);
    sl_layer_conv3(dev, &h->conv_out, &normed, NULL, &out);
    sl_arena_reset(dev, mark);
    return out;
}

SlTensor sl_vae_decoder_start(SlDevice *dev, const SlVae *vae, const SlTensor *z, int levels)
{
    const SlVaeConfig *c = &vae->config;
    const SlVaeHalf *h = &vae->decoder;
    SlTensor input = *z;
    dev->scope = "decoder.conv_in";
    if (c->post_quant_conv) {
        input = sl_tensor_like(dev, z);
        sl_layer_linear(dev, &vae->post_quant_conv, z, NULL, &input);
    }
    SlTensor sample =
        sl_tensor_new4(dev, z->size[0], z->size[1], z->size[2], c->channels[c->blocks - 1]);
    sl_layer_conv3(dev, &h->conv_in, &input, NULL, &sample);
    sample = middle(dev, &h->middle, c->mid_attention, &sample);
    return levels_forward(dev, vae, h, SL_RESAMPLE_UP, levels, &sample);
}

static SlTensor decoder(SlDevice *dev, const SlVae *vae, const SlTensor *z)
{
    if (vae->tiny)
        return sl_vae_tiny_decode(dev, vae, z);
    SlTensor sample = sl_vae_decoder_start(dev, vae, z, vae->config.blocks);
    dev->scope = "decoder.conv_out";
    return head(dev, vae, &vae->decoder, &sample, vae->config.out_channels);
}

static SlTensor encoder(SlDevice *dev, const SlVae *vae, const SlTensor *image)
{
    const SlVaeConfig *c = &vae->config;
    const SlVaeHalf *h = &vae->encoder;
    SlTensor sample =
        sl_tensor_new4(dev, image->size[0], image->size[1], image->size[2], c->channels[0]);
    dev->scope = "encoder.conv_in";
    sl_layer_conv3(dev, &h->conv_in, image, NULL, &sample);
    sample = levels_forward(dev, vae, h, SL_RESAMPLE_DOWN, c->blocks, &sample);
    sample = middle(dev, &h->middle, c->mid_attention, &sample);
    dev->scope = "encoder.conv_out";
    SlTensor moments = head(dev, vae, h, &sample, 2 * c->latent_channels);
    if (!c->quant_conv)
        return moments;
    SlTensor quantised = sl_tensor_like(dev, &moments);
    sl_layer_linear(dev, &vae->quant_conv, &moments, NULL, &quantised);
    return quantised;
}

/* pixels [N, H, W, C] and latents [N, h, w, c], with H = h factor or a little more */
static bool check_sizes(const SlVaeConfig *c, const SlTensor *pixels, int pixel_channels,
                        const SlTensor *latents, int latent_channels, SlError *err)
{
    bool fits = pixels->rank == 4 && latents->rank == 4 && pixels->size[0] == latents->size[0] &&
                pixels->size[0] >= 1 && pixels->size[0] <= MAX_BATCH &&
                pixels->size[3] == pixel_channels && latents->size[3] == latent_channels;
    for (int i = 1; i <= 2 && fits; i++)
        fits = latents->size[i] >= 1 && pixels->size[i] <= MAX_SIDE &&
               pixels->size[i] / c->factor == latents->size[i];
    return fits || sl_fail(err, SL_ARGUMENT,
                           "The VAE turns pictures of up to %d pixels a side into latents %d times "
                           "smaller and back",
                           MAX_SIDE, c->factor);
}

/* Runs one half and puts its result into out, which is f32. */
static bool run(SlDevice *dev, const SlVae *vae,
                SlTensor (*half)(SlDevice *, const SlVae *, const SlTensor *), const SlTensor *x,
                SlTensor *out, SlError *err)
{
    size_t mark = sl_arena_mark(dev);
    SlDtype before = sl_device_use_dtype(dev, vae->dtype);
    SlTensor input = sl_in_dtype(dev, x), result = half(dev, vae, &input);
    sl_copy(dev, &result, out);
    sl_arena_reset(dev, mark);
    sl_device_use_dtype(dev, before);
    dev->scope = NULL;
    return sl_device_check(dev, err);
}

bool sl_vae_check_decode(const SlVae *vae, const SlTensor *z, const SlTensor *image, SlError *err)
{
    const SlVaeConfig *c = &vae->config;
    return check_sizes(c, image, c->out_channels, z, c->latent_channels, err);
}

bool sl_vae_decode(SlDevice *dev, const SlVae *vae, const SlTensor *z, SlTensor *image,
                   SlError *err)
{
    return sl_vae_check_decode(vae, z, image, err) && run(dev, vae, decoder, z, image, err);
}

bool sl_vae_encode(SlDevice *dev, const SlVae *vae, const SlTensor *image, SlTensor *moments,
                   SlError *err)
{
    const SlVaeConfig *c = &vae->config;
    if (!c->encodes)
        return sl_fail(err, SL_ARGUMENT, "The VAE was made without its encoder");
    return check_sizes(c, image, c->in_channels, moments, 2 * c->latent_channels, err) &&
           run(dev, vae, encoder, image, moments, err);
}
