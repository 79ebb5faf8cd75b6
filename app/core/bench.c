/* bench.c - see bench.h. A shape without weights is built twice by the same code: once on the
 * measure device, which counts the operations, and once on the real one, which is timed.
 */
#include "app/core/bench.h"
#include "app/core/interrupt.h"
#include "app/core/progress.h"
#include "engine/builtin_configs.h"
#include "engine/text_encoder.h"
#include "engine/unet.h"
#include "engine/vae.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts values. */
static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare_doubles);
    return count > 0 ? (values[(count - 1) / 2] + values[count / 2]) / 2 : 0;
}

/* Sorts times. */
static void set_step_times(SlBench *bench, double *times, int count)
{
    bench->steps = count;
    bench->step_median = median(times, count);
    bench->step_fastest = times[0];
}

/* ---- profiles ---- */

/* What the device's profile counted since the last clear becomes a stage's; nothing without one. */
static void take_profile(const SlDevice *dev, SlBenchProfile *profile, int runs, double seconds)
{
    size_t count = 0;
    const SlProfileRow *rows = sl_profile_rows(dev, &count);
    SlProfileRow *copy = count ? calloc(count, sizeof *copy) : NULL;
    if (!copy)
        return;
    memcpy(copy, rows, count * sizeof *copy);
    free(profile->rows);
    *profile = (SlBenchProfile){runs, seconds, copy, count};
}

static bool start_profile(SlDevice *dev, const SlBenchOptions *options, SlBench *bench,
                          SlError *err)
{
    if (!options->profile)
        return true;
    bench->ceiling = sl_device_ceiling(dev);
    return sl_device_check(dev, err) && sl_profile_start(dev, err);
}

void sl_bench_clear(SlBench *bench)
{
    SlBenchProfile *const profiles[] = {&bench->text_profile, &bench->step_profile,
                                        &bench->decode_profile};
    for (int i = 0; i < 3; i++) {
        free(profiles[i]->rows);
        *profiles[i] = (SlBenchProfile){0};
    }
}

static double sum_of(const double *times, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += times[i];
    return sum;
}

/* ---- a model ---- */

static bool time_steps(SlRun *run, SlDevice *dev, SlBench *bench, SlError *err)
{
    int count = sl_run_evaluations(run) - 1; /* the first warms up */
    double *times = calloc((size_t)count + 1, sizeof *times);
    SlFrame frame;
    bool ok = times || sl_fail(err, SL_MEMORY, "memory ran out");
    for (int i = 0; ok && i <= count; i++) {
        if (i <= 1)
            sl_profile_clear(dev);
        ok = sl_run_next(run, &frame, err);
        if (ok && i > 0)
            times[i - 1] = frame.seconds;
    }
    if (ok && count > 0) {
        take_profile(dev, &bench->step_profile, count, sum_of(times, count));
        set_step_times(bench, times, count);
    }
    free(times);
    return ok;
}

/* As long as a person waits for something to see. */
static bool time_first_preview(SlModel *model, const SlRecipe *recipe, SlBench *bench, SlError *err)
{
    SlFrame frame;
    double start = sl_clock();
    SlRun *run = sl_run_new(model, recipe, NULL, err);
    bool ok = run && sl_run_next(run, &frame, err);
    uint8_t *rgb = ok ? malloc((size_t)frame.height * (size_t)frame.width * 3) : NULL;
    if (rgb)
        sl_preview(model, frame.x_0, frame.height, frame.width, rgb);
    bench->first_preview = sl_clock() - start;
    free(rgb);
    sl_run_free(run);
    return ok;
}

/* Steps while pictures are decoded beside them, where the device does two things at once. */
static bool time_steps_decoding(SlModel *model, const SlRecipe *recipe, SlBench *bench,
                                SlError *err)
{
    SlFrame frame;
    SlRun *run = sl_run_new(model, recipe, NULL, err);
    int count = run ? sl_run_evaluations(run) : 0, timed = 0;
    double *times = calloc((size_t)count + 1, sizeof *times);
    bool ok = run && times;
    for (int i = 0; ok && i < count; i++) {
        double start = sl_clock();
        ok = sl_run_next(run, &frame, err);
        if (i > 2) /* decoding has warmed up, too */
            times[timed++] = sl_clock() - start;
        sl_decode_take(model, NULL);
        if (ok && !sl_decode_begin(model, frame.x_0, frame.height, frame.width))
            break;
    }
    sl_decode_take(model, NULL);
    bench->step_decoding = median(times, timed);
    free(times);
    sl_run_free(run);
    return ok;
}

static bool time_pictures(SlModel *model, const SlRun *run, SlBench *bench, SlError *err)
{
    const SlModelInfo *info = sl_model_info(model);
    const SlRecipe *recipe = sl_run_recipe(run);
    int h = recipe->height / info->factor, w = recipe->width / info->factor;
    uint8_t *rgb = malloc((size_t)recipe->height * (size_t)recipe->width * 3);
    if (!rgb)
        return sl_fail(err, SL_MEMORY, "memory ran out");
    double start = sl_clock();
    sl_preview(model, sl_run_sample(run), h, w, rgb);
    bench->preview = sl_clock() - start;
    bool ok = sl_decode(model, sl_run_sample(run), h, w, NULL, rgb, err); /* warms up */
    sl_profile_clear(sl_model_device(model));
    start = sl_clock();
    ok = ok && sl_decode(model, sl_run_sample(run), h, w, NULL, rgb, err);
    bench->decode = sl_clock() - start;
    take_profile(sl_model_device(model), &bench->decode_profile, 1, bench->decode);
    free(rgb);
    return ok;
}

bool sl_bench_model(SlModel *model, const SlBenchOptions *options, SlBench *bench, SlError *err)
{
    const SlModelInfo *info = sl_model_info(model);
    SlDevice *dev = sl_model_device(model);
    SlRecipe recipe;
    SlCost cost;
    sl_recipe_defaults(&recipe, info);
    recipe.prompt = "a photograph of an astronaut riding a horse";
    recipe.scheduler = info->pipeline == SL_PIPELINE_DDPM ? "ddpm" : "euler";
    recipe.steps = options->steps + 1;
    recipe.width = options->width > 0 ? options->width : recipe.width;
    recipe.height = options->height > 0 ? options->height : recipe.height;
    if (!sl_model_cost(info, &recipe, sl_dtype_name(dev->dtype), &cost, err) ||
        !start_profile(dev, options, bench, err))
        return false;
    sl_run_free(sl_run_new(model, &recipe, NULL, err)); /* warms up */
    sl_profile_clear(dev);
    double start = sl_clock();
    SlRun *run = sl_run_new(model, &recipe, NULL, err);
    bench->text = sl_clock() - start;
    take_profile(dev, &bench->text_profile, 1, bench->text);
    bool ok = run && time_steps(run, dev, bench, err) && time_pictures(model, run, bench, err);
    sl_profile_stop(dev);
    ok = ok && time_first_preview(model, sl_run_recipe(run), bench, err) &&
         time_steps_decoding(model, sl_run_recipe(run), bench, err);
    recipe = run ? *sl_run_recipe(run) : recipe;
    snprintf(bench->what, sizeof bench->what, "%.60s, %d x %d", info->name, recipe.width,
             recipe.height);
    sl_run_free(run);
    bench->held_bytes = dev->work.weight_bytes + dev->work.arena_peak + dev->work.buffer_bytes;
    snprintf(bench->device, sizeof bench->device, "%s", sl_device_describe(dev));
    bench->text_flops = cost.text_flops;
    bench->step_flops = cost.step_flops;
    bench->decode_flops = cost.decode_flops;
    bench->device_bytes = cost.peak_bytes;
    return ok;
}

/* ---- a shape ---- */

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
    if (ok) {
        take_profile(dev, &bench->step_profile, steps, sum_of(times, steps));
        set_step_times(bench, times, steps);
    }
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
    take_profile(dev, &bench->decode_profile, 1, bench->decode);
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
    take_profile(dev, &bench->text_profile, 1, bench->text);
    return ok;
}

static bool run_shape(Shape *s, const char *arch, SlBench *bench, SlError *err)
{
    SlDevice *dev = s->dev;
    SlTensor hidden;
    if (!build_text_encoder(s, arch, err) || !build_unet(s, arch, err) || !build_vae(s, arch, err))
        return false;
    bool ok = start_profile(dev, s->options, bench, err) &&
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
