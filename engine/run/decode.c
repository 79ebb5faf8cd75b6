/* decode.c - a sample to a picture: the VAE (or nothing, for pixel-space DDPM) and rounding.
 *
 * A picture for which the device's memory is too small is decoded in strips. What is not finite is
 * no picture but an error.
 * Mirrors StableDiffusionPipeline.decode_latents / VaeImageProcessor.postprocess and DDPMPipeline:
 * image = clamp(x / 2 + 0.5, 0, 1), rounded half to even to 8 bits.
 */
#include "engine/run/run.h"

#include <stdlib.h>
#include <string.h>

static bool has_vae(const SlModel *model)
{
    return sl_model_part_for(model, SL_USE_DECODE) >= 0;
}

/* On the host, for the scaled sample, and then for the picture. It is asked for before the device works:
 * strips would not help where it is not there. NULL and *err; free(). */
static float *make_room(const SlModel *model, const SlVae *net, int height, int width, SlError *err)
{
    size_t area = (size_t)height * (size_t)width, f = (size_t)model->info.factor;
    size_t sample = net ? (size_t)sl_vae_get_config(net)->latent_channels : 0, picture = f * f * 3;
    float *room = malloc(area * (sample > picture ? sample : picture) * sizeof *room);
    if (!room)
        sl_fail(err, SL_MEMORY, "no memory for a picture of %lld pixels",
                (long long)(area * f * f));
    return room;
}

/* Uploads a sample [latent_channels, height, width], scaled in room, as [1, height, width,
 * latent_channels] in the VAE's dtype. */
static SlTensor upload_sample(SlDevice *dev, const SlVae *net, const float *sample, int64_t height,
                              int64_t width, float *room)
{
    const SlVaeConfig *vae = sl_vae_get_config(net);
    double scale = vae->scaling_factor;
    int64_t chw[4] = {1, vae->latent_channels, height, width}, each = height * width;
    int64_t n = chw[1] * each;
    SlTensor plain = sl_tensor_new(dev, SL_F32, 4, chw);
    SlTensor x =
        sl_tensor_new(dev, sl_vae_dtype(net), 4, (const int64_t[]){1, height, width, chw[1]});
    for (int64_t i = 0; i < n; i++)
        room[i] =
            (float)(sample[i] / scale * vae->latents_std[i / each] + vae->latents_mean[i / each]);
    sl_upload(dev, room, &plain);
    SlTensor view = sl_permute(&plain, (const int[]){0, 2, 3, 1});
    sl_copy(dev, &view, &x);
    return x;
}

/* A grey picture [1, H, W, 1] as one with three equal channels. */
static SlTensor coloured(SlDevice *dev, const SlTensor *grey)
{
    SlTensor image =
        sl_tensor_new(dev, SL_F32, 4, (const int64_t[]){1, grey->size[1], grey->size[2], 3});
    for (int c = 0; c < 3; c++) {
        SlTensor channel = sl_slice(&image, 3, c, 1);
        sl_copy(dev, grey, &channel);
    }
    return image;
}

/* The picture [1, H, W, 3] in f32, -1..1, of this VAE (NULL: the sample is one), on the device, which
 * is the model's or one beside it. strip: rows that are decoded at a time, 0 for all of them. */
static SlTensor decode_tensor(SlModel *model, const SlVae *net, SlDevice *dev, const float *sample,
                              int height, int width, int strip, float *room)
{
    int f = model->info.factor;
    int channels = net ? sl_vae_get_config(net)->out_channels : model->info.channels;
    SlTensor image =
        sl_tensor_new(dev, SL_F32, 4, (const int64_t[]){1, height * f, width * f, channels});
    if (net) {
        SlTensor z = upload_sample(dev, net, sample, height, width, room);
        if (strip > 0)
            sl_vae_decode_strips(dev, net, &z, strip, &image, NULL);
        else
            sl_vae_decode(dev, net, &z, &image, NULL);
    } else {
        int64_t chw[4] = {1, channels, height, width};
        SlTensor plain = sl_tensor_new(dev, SL_F32, 4, chw);
        sl_upload(dev, sample, &plain);
        SlTensor view = sl_permute(&plain, (const int[]){0, 2, 3, 1});
        sl_copy(dev, &view, &image);
    }
    return channels == 1 ? coloured(dev, &image) : image;
}

/* [H, W, 3] in -1..1 to [3, H, W] in 0..1 */
static void to_planes(const float *pixels, int64_t n, float *image)
{
    for (int64_t i = 0; i < n; i++)
        for (int c = 0; c < 3; c++) {
            float v = pixels[i * 3 + c] / 2 + 0.5f;
            image[c * n + i] = v < 0 ? 0 : v > 1 ? 1 : v;
        }
}

/* Rounding would make black of NaN, and white of infinity. */
static void check_pixels(SlModel *model, const float *pixels, int64_t n)
{
    if (sl_device_ok(model->dev) && sl_first_bad(pixels, n * 3) >= 0)
        sl_device_fail(model->dev, SL_FORMAT, "%s is not a finite number",
                       has_vae(model) ? sl_words("the VAE's picture") : sl_words("the sample"));
}

static bool download_picture(SlModel *model, const SlTensor *picture, float *pixels, float *image,
                             uint8_t *rgb)
{
    SlDevice *dev = model->dev;
    int64_t n = picture->size[1] * picture->size[2];
    if (rgb) {
        SlTensor bytes = sl_tensor_new(dev, SL_U8, 4, picture->size);
        sl_to_rgb8(dev, picture, &bytes);
        sl_download(dev, &bytes, rgb);
    }
    sl_download(dev, picture, pixels);
    check_pixels(model, pixels, n);
    if (image && sl_device_ok(dev))
        to_planes(pixels, n, image);
    return sl_device_ok(dev);
}

bool sl_decode(SlModel *model, const float *sample, int height, int width, float *image,
               uint8_t *rgb, SlError *err)
{
    SlDevice *dev = model->dev;
    if (!sl_model_need(model, SL_USE_DECODE, err))
        return false;
    float *room = make_room(model, sl_model_vae(model), height, width, err);
    if (!room)
        return false;
    static const int strips[] = {0, 64, 16, 4, 1};
    bool ok = false;
    for (size_t i = 0; i < sizeof strips / sizeof strips[0] && !ok; i++) {
        size_t mark = sl_arena_mark(dev);
        SlTensor picture =
            decode_tensor(model, sl_model_vae(model), dev, sample, height, width, strips[i], room);
        ok = sl_device_ok(dev) && download_picture(model, &picture, room, image, rgb);
        sl_arena_reset(dev, mark);
        if (dev->status != SL_MEMORY || !has_vae(model) || strips[i] == 1)
            break;
        sl_device_clear(dev);
        if (mark == 0)
            sl_arena_release(dev);
    }
    free(room);
    if (!ok) {
        sl_device_check(dev, err);
        sl_device_clear(dev);
    }
    return ok;
}

/* ---- previews ---- */

/* A block of a tiny VAE has its input and two results at once, at the picture's size, and the level
 * before it is still there; then there is the picture. */
static size_t preview_bytes(const SlVae *net, size_t pixels)
{
    return pixels *
           (4 * (size_t)sl_vae_get_config(net)->channels[0] * sl_dtype_size(sl_vae_dtype(net)) +
            2 * 12);
}

/* Where the device computes in the host's memory, which the system may promise and not have. */
static bool check_memory(const SlModel *model, const SlVae *net, int height, int width,
                         SlError *err)
{
    int f = model->info.factor;
    size_t need = preview_bytes(net, (size_t)height * (size_t)width * (size_t)(f * f));
    size_t left = sl_host_memory_left(""), own = sl_arena_capacity(model->dev);
    return sl_model_memory_is_limited(model) || need <= own || need - own <= left ||
           sl_fail(err, SL_MEMORY,
                   "a preview of %d x %d needs %s of memory, and this process may use %s",
                   width * f, height * f, sl_bytes_text(need).text, sl_bytes_text(left).text);
}

bool sl_decode_preview(SlModel *model, const float *sample, int height, int width, uint8_t *rgb,
                       SlError *err)
{
    SlDevice *dev = model->dev;
    const SlVae *net = model->preview_decoder.vae;
    if (!net)
        return sl_fail(err, SL_ARGUMENT, "there is no tiny VAE for previews");
    float *room = check_memory(model, net, height, width, err)
                      ? make_room(model, net, height, width, err)
                      : NULL;
    if (!room)
        return false;
    size_t mark = sl_arena_mark(dev);
    SlTensor picture = decode_tensor(model, net, dev, sample, height, width, 0, room);
    bool ok = sl_device_ok(dev) && download_picture(model, &picture, room, NULL, rgb);
    sl_arena_reset(dev, mark);
    free(room);
    if (!ok) {
        sl_device_check(dev, err);
        sl_device_clear(dev);
    }
    return ok;
}

/* ---- beside the run ---- */

/* The device beside the model's, opened when it is first wanted; NULL where there is none. */
static SlDevice *beside(SlModel *model)
{
    if (!model->beside && !model->beside_tried) {
        model->beside_tried = true;
        model->beside = sl_device_beside(model->dev, NULL);
    }
    return model->beside;
}

static bool begin(SlModel *model, const SlVae *net, const float *sample, int height, int width)
{
    SlDevice *dev = !model->pending ? beside(model) : NULL;
    float *room = dev ? make_room(model, net, height, width, NULL) : NULL;
    if (!room)
        return false;
    size_t mark = sl_arena_mark(dev);
    SlTensor picture = decode_tensor(model, net, dev, sample, height, width, 0, room);
    free(room);
    SlTensor bytes = sl_tensor_new(dev, SL_U8, 4, picture.size);
    sl_to_rgb8(dev, &picture, &bytes);
    model->pending = sl_fetch(dev, &bytes);
    model->pending_bytes = (size_t)sl_tensor_elements(&bytes);
    sl_arena_reset(dev, mark); /* the next work there waits for this one */
    if (!sl_device_ok(dev)) {
        model->pending = NULL;
        sl_device_close(&model->beside); /* its memory serves the run better */
    }
    return model->pending != NULL;
}

bool sl_decode_begin(SlModel *model, const float *sample, int height, int width)
{
    int part = sl_model_part_for(model, SL_USE_DECODE);
    if (part >= 0 && !model->part[part].net) /* loading it would keep the run waiting */
        return false;
    return begin(model, sl_model_vae(model), sample, height, width);
}

bool sl_decode_preview_begin(SlModel *model, const float *sample, int height, int width)
{
    const SlVae *net = model->preview_decoder.vae;
    return net && begin(model, net, sample, height, width);
}

bool sl_decode_ready(SlModel *model)
{
    return model->pending && sl_device_idle(model->beside);
}

bool sl_decode_take(SlModel *model, uint8_t *rgb)
{
    if (!model->pending)
        return false;
    sl_device_finish(model->beside);
    bool ok = sl_device_ok(model->beside);
    if (ok && rgb)
        memcpy(rgb, model->pending, model->pending_bytes);
    model->pending = NULL;
    sl_device_clear(model->beside);
    return ok;
}
