/* vae_tiny.c - the decoder of AutoencoderTiny (TAESD): diffusers
 * models/autoencoders/autoencoder_tiny.py, DecoderTiny in vae.py, AutoencoderTinyBlock in
 * models/unets/unet_2d_blocks.py. Plain convolutions without norms.
 *
 * Easy to get wrong: activations and upsamplings count among the numbers of "decoder.layers"; the
 * convolutions between the stages have no bias; what goes in is bounded softly to -3 .. 3; what
 * comes out is 0 .. 1.
 */
#include "engine/nets/vae_private.h"

#include <stdlib.h>

static void bind_block(SlVaeTinyBlock *block, SlBinder *b, SlPath path, int channels)
{
    block->path = path;
    for (int i = 0; i < 3; i++)
        block->conv[i] = sl_bind_conv3(b, sl_child(path, "conv.%d", 2 * i), channels, channels);
}

void sl_vae_tiny_bind(SlVae *vae, SlBinder *b)
{
    const SlVaeConfig *c = &vae->config;
    SlVaeTiny *tiny = vae->tiny;
    int at = 0, channels = c->channels[0];
    SlPath layers = sl_path("decoder.layers");
    tiny->conv_in = sl_bind_conv3(b, sl_child(layers, "%d", at), c->latent_channels, channels);
    at += 2;
    for (int i = 0; i < c->blocks; i++) {
        bool last = i == c->blocks - 1;
        for (int k = 0; k < c->tiny_blocks[i]; k++)
            bind_block(&tiny->block[i][k], b, sl_child(layers, "%d", at++), channels);
        at += !last;
        SlPath path = sl_child(layers, "%d", at++);
        tiny->conv[i] = last ? sl_bind_conv3(b, path, channels, c->out_channels)
                             : sl_bind_conv3_without_bias(b, path, channels, channels);
    }
}

/* x = relu(x + conv(act(conv(act(conv(x)))))) */
static void block_forward(SlDevice *dev, const SlVae *vae, const SlVaeTinyBlock *block, SlTensor *x)
{
    if (!sl_device_ok(dev))
        return;
    dev->scope = block->path.text;
    size_t mark = sl_arena_mark(dev);
    SlEpilogue act = {.act = vae->config.act}, add = {.residual = x};
    SlTensor first = sl_tensor_like(dev, x), second = sl_tensor_like(dev, x);
    sl_layer_conv3(dev, &block->conv[0], x, &act, &first);
    sl_layer_conv3(dev, &block->conv[1], &first, &act, &second);
    sl_layer_conv3(dev, &block->conv[2], &second, &add, x);
    sl_activation(dev, x, SL_ACT_RELU, x);
    sl_arena_reset(dev, mark);
}

/* tanh(z / 3) * 3 */
static SlTensor bounded(SlDevice *dev, const SlTensor *z)
{
    SlTensor out = sl_tensor_like(dev, z);
    sl_add(dev, z, z, 1.0f / 6, &out);
    sl_activation(dev, &out, SL_ACT_TANH, &out);
    sl_add(dev, &out, &out, 1.5f, &out);
    return out;
}

/* From 0 .. 1 to -1 .. 1: 2 (x - 1/2). */
static SlTensor head(SlDevice *dev, const SlVae *vae, const SlTensor *x)
{
    const SlVaeConfig *c = &vae->config;
    int64_t n = x->size[0] * c->out_channels;
    float *halves = malloc((size_t)n * sizeof *halves);
    SlTensor out = sl_tensor_new4(dev, x->size[0], x->size[1], x->size[2], c->out_channels);
    if (!halves) {
        sl_device_fail(dev, SL_MEMORY, "There is not enough memory for the VAE");
        return out;
    }
    for (int64_t i = 0; i < n; i++)
        halves[i] = -0.5f;
    SlTensor f32 = sl_tensor_new(dev, SL_F32, 2, (const int64_t[]){x->size[0], c->out_channels});
    SlTensor shift = sl_tensor_new2(dev, x->size[0], c->out_channels);
    sl_upload(dev, halves, &f32);
    free(halves);
    sl_copy(dev, &f32, &shift);
    SlEpilogue e = {.per_channel = &shift, .scale = 2};
    sl_layer_conv3(dev, &vae->tiny->conv[c->blocks - 1], x, &e, &out);
    return out;
}

SlTensor sl_vae_tiny_decode(SlDevice *dev, const SlVae *vae, const SlTensor *z)
{
    const SlVaeConfig *c = &vae->config;
    const SlVaeTiny *tiny = vae->tiny;
    int64_t height = z->size[1], width = z->size[2];
    dev->scope = "decoder.layers.0";
    SlTensor input = bounded(dev, z);
    SlTensor x = sl_tensor_new4(dev, z->size[0], height, width, c->channels[0]);
    SlEpilogue act = {.act = c->act}, none = {0};
    sl_layer_conv3(dev, &tiny->conv_in, &input, &act, &x);
    for (int i = 0; i < c->blocks && sl_device_ok(dev); i++) {
        for (int k = 0; k < c->tiny_blocks[i]; k++)
            block_forward(dev, vae, &tiny->block[i][k], &x);
        if (i == c->blocks - 1)
            break;
        height *= 2;
        width *= 2;
        SlTensor larger = sl_tensor_new4(dev, z->size[0], height, width, c->channels[0]);
        sl_upsample_conv2d(dev, &x, tiny->conv[i].weight, &none, &larger);
        x = larger;
    }
    dev->scope = "decoder";
    return head(dev, vae, &x);
}
