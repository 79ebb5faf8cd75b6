/* bench_shape.c - a shape without weights is built twice by the same code: once on the measure device,
 * which counts the operations, and once on the real one, which is timed.
 */
#include "app/cli/bench_private.h"
#include "app/cli/interrupt.h"
#include "app/cli/progress.h"
#include "engine/engine.h"
#include "engine/nets/nets.h"
#include "engine/pipelines/builtin_configs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT, UNET, VAE, PARTS };

typedef struct Shape {
    SlDevice *dev;
    SlBinder *binder[PARTS];
    SlTextEncoder *text_encoder;
    SlUnet *unet;
    SlVae *vae;
    const SlBenchOptions *options;
    int height, width; /* of the latents */
} Shape;

static SlJson *shape_config(const char *arch, const char *part, SlError *err)
{
    const char *text = sl_builtin_config(arch, part);
    if (text)
        return sl_json_parse(arch, text, strlen(text), err);
    sl_fail(err, SL_UNSUPPORTED, "the shape %s is not supported: this program runs SD 1.x and 2.x",
            arch);
    return NULL;
}

static SlBinder *random_weights(Shape *s, int part, const char *name)
{
    s->binder[part] = sl_binder_new(&(SlBinderOptions){.dev = s->dev, .component = name});
    return s->binder[part];
}

static bool build_text_encoder(Shape *s, const char *arch, SlError *err)
{
    SlTextEncoderConfig config;
    SlJson *json = shape_config(arch, "text_encoder", err);
    if (json && sl_text_encoder_config(&config, json, err) &&
        random_weights(s, TEXT, "text_encoder"))
        s->text_encoder = sl_text_encoder_new(&config, s->binder[TEXT], err);
    sl_json_close(json);
    return s->text_encoder != NULL;
}

static bool build_unet(Shape *s, const char *arch, SlError *err)
{
    SlUnetConfig config;
    SlJson *json = shape_config(arch, "unet", err);
    if (json && sl_unet_config(&config, json, err) && random_weights(s, UNET, "unet"))
        s->unet = sl_unet_new(&config, s->binder[UNET], err);
    s->height = s->unet ? config.sample_height : 0;
    s->width = s->unet ? config.sample_width : 0;
    sl_json_close(json);
    return s->unet != NULL;
}

static bool build_vae(Shape *s, const char *arch, SlError *err)
{
    SlVaeConfig config;
    SlJson *json = shape_config(arch, "vae", err);
    if (json && sl_vae_config(&config, json, err) && random_weights(s, VAE, "vae"))
        s->vae = sl_vae_new(&config, s->binder[VAE], err);
    if (s->vae && s->options->height > 0)
        s->height = s->options->height / config.factor;
    if (s->vae && s->options->width > 0)
        s->width = s->options->width / config.factor;
    sl_json_close(json);
    return s->vae != NULL;
}

/* Seconds on a real device, operations on the measure device, since the last call. */
typedef struct Stage {
    double clock, flops;
} Stage;

static Stage stage_now(const SlDevice *dev)
{
    return (Stage){sl_clock(), dev->work.flops};
}

static void stage_end(SlDevice *dev, Stage start, double *seconds, double *flops)
{
    sl_device_finish(dev);
    *seconds = sl_clock() - start.clock;
    *flops = dev->work.flops - start.flops;
}

/* Zeros on the device. */
static SlTensor zeros(SlDevice *dev, SlDtype dtype, int rank, const int64_t *size)
{
    SlTensor t = sl_tensor_new(dev, dtype, rank, size);
    size_t bytes = (size_t)sl_tensor_elements(&t) * sl_dtype_size(dtype);
    void *host = calloc(1, bytes);
    if (host && t.data)
        sl_upload(dev, host, &t);
    free(host);
    return t;
}

static bool run_unet(Shape *s, const SlTensor *text, int steps, SlBench *bench, SlError *err)
{
    SlDevice *dev = s->dev;
    const SlUnetConfig *config = sl_unet_get_config(s->unet);
    SlUnetContext *context = sl_unet_context_new(dev, s->unet, text, err);
    SlTensor x =
        zeros(dev, dev->dtype, 4, (int64_t[]){2, s->height, s->width, config->in_channels});
    SlTensor t = zeros(dev, SL_F32, 1, (int64_t[]){2});
    SlTensor out = zeros(dev, SL_F32, 4, (int64_t[]){2, s->height, s->width, config->out_channels});
    double *times = calloc((size_t)steps + 1, sizeof *times);
    bool ok = context && times;
    for (int i = 0; ok && i <= steps; i++) {
        Stage stage = stage_now(dev);
        if (i <= 1)
            sl_profile_clear(dev); /* the first warms up */
        ok = !sl_interrupted() || sl_fail(err, SL_CANCELLED, "interrupted");
        ok = ok && sl_unet_forward(dev, s->unet, &x, &t, context, &out, err);
        stage_end(dev, stage, &times[i > 0 ? i - 1 : 0], &bench->step_flops);
    }
    if (ok)
        sl_bench_take_steps(dev, bench, times, steps);
    free(times);
    sl_unet_context_free(dev, context);
    return ok;
}

static bool run_vae(Shape *s, SlBench *bench, SlError *err)
{
    SlDevice *dev = s->dev;
    const SlVaeConfig *config = sl_vae_get_config(s->vae);
    int64_t height = (int64_t)s->height * config->factor,
            width = (int64_t)s->width * config->factor;
    SlTensor z =
        zeros(dev, dev->dtype, 4, (int64_t[]){1, s->height, s->width, config->latent_channels});
    SlTensor image = zeros(dev, SL_F32, 4, (int64_t[]){1, height, width, config->out_channels});
    bool ok = true;
    for (int i = 0; ok && i < 2; i++) { /* the first warms up */
        Stage stage = stage_now(dev);
        sl_profile_clear(dev);
        ok = !sl_interrupted() || sl_fail(err, SL_CANCELLED, "interrupted");
        ok = ok && sl_vae_decode(dev, s->vae, &z, &image, err);
        stage_end(dev, stage, &bench->decode, &bench->decode_flops);
    }
    sl_bench_take_profile(dev, &bench->decode_profile, 1, bench->decode);
    return ok;
}

static bool run_text_encoder(Shape *s, SlTensor *hidden, SlBench *bench, SlError *err)
{
    SlDevice *dev = s->dev;
    const SlTextEncoderConfig *config = sl_text_encoder_get_config(s->text_encoder);
    SlTensor ids = zeros(dev, SL_I32, 2, (int64_t[]){2, config->max_positions});
    bool ok = true;
    for (int i = 0; ok && i < 2; i++) { /* the first warms up */
        Stage stage = stage_now(dev);
        sl_profile_clear(dev);
        ok = sl_text_encoder_forward(dev, s->text_encoder, &ids, 0, hidden, NULL, err);
        stage_end(dev, stage, &bench->text, &bench->text_flops);
    }
    sl_bench_take_profile(dev, &bench->text_profile, 1, bench->text);
    return ok;
}

static bool run_shape(Shape *s, const char *arch, SlBench *bench, SlError *err)
{
    SlDevice *dev = s->dev;
    SlTensor hidden;
    if (!build_text_encoder(s, arch, err) || !build_unet(s, arch, err) || !build_vae(s, arch, err))
        return false;
    bool ok = sl_bench_start_profile(dev, s->options, bench, err) &&
              run_text_encoder(s, &hidden, bench, err) &&
              run_unet(s, &hidden, s->options->steps, bench, err) && run_vae(s, bench, err);
    sl_profile_stop(dev);
    bench->device_bytes = dev->work.weight_bytes + dev->work.arena_peak + dev->work.buffer_bytes;
    snprintf(bench->device, sizeof bench->device, "%s", sl_device_describe(dev));
    return ok && sl_device_check(dev, err);
}

static bool bench_on(const char *arch, const SlDeviceOptions *device, const SlBenchOptions *options,
                     SlBench *bench, SlError *err)
{
    Shape s = {.dev = sl_device_open(device, err), .options = options};
    if (!s.dev)
        return false;
    bool ok = run_shape(&s, arch, bench, err);
    snprintf(bench->what, sizeof bench->what, "%.40s, %d x %d, random weights", arch,
             s.vae ? sl_vae_get_config(s.vae)->factor * s.width : 0,
             s.vae ? sl_vae_get_config(s.vae)->factor * s.height : 0);
    sl_text_encoder_free(s.text_encoder);
    sl_unet_free(s.unet);
    sl_vae_free(s.vae);
    for (int i = 0; i < PARTS; i++)
        if (s.binder[i])
            sl_binder_free(s.binder[i]);
    sl_device_close(&s.dev);
    return ok;
}

bool sl_bench_shape(const char *arch, const SlDeviceOptions *device, const SlBenchOptions *options,
                    SlBench *bench, SlError *err)
{
    SlBench counted = {0};
    SlDeviceOptions measure = {.name = "measure", .dtype = device->dtype};
    SlBenchOptions count = *options;
    count.steps = 1;
    count.profile = false;
    if (!bench_on(arch, &measure, &count, &counted, err) ||
        !bench_on(arch, device, options, bench, err))
        return false;
    bench->text_flops = counted.text_flops;
    bench->step_flops = counted.step_flops;
    bench->decode_flops = counted.decode_flops;
    bench->device_bytes = counted.device_bytes;
    return true;
}
