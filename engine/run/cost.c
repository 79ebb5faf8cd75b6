/* cost.c - what a run would need, found by building the model and running each stage once on the
 * measure device: nothing is read or computed. */
#include "engine/pipelines/pipelines.h"

#include <string.h>

typedef struct Measuring {
    const SlModelInfo *info;
    const SlRecipe *recipe;
    SlDevice *dev;
    SlCost *cost;
    SlBinder *binders[3]; /* alive until the end: all parts are in memory at once */
    int binder_count;
} Measuring;

static SlBinder *sizes_only(Measuring *m, const char *component)
{
    SlBinder *b = sl_binder_new(&(SlBinderOptions){.dev = m->dev, .component = component});
    if (b)
        m->binders[m->binder_count++] = b;
    return b;
}

/* Flops since the last call. */
static double take_flops(SlDevice *dev)
{
    double flops = dev->work.flops;
    dev->work.flops = 0;
    return flops;
}

static bool measure_text(Measuring *m, SlTensor *hidden, int batch, SlError *err)
{
    SlTextEncoderConfig config;
    SlJson *json = sl_model_config(m->info, "text_encoder", err);
    SlBinder *b = sizes_only(m, "text_encoder");
    bool ok = json && b && sl_text_encoder_config(&config, json, err);
    SlTextEncoder *te = ok ? sl_text_encoder_new(&config, b, err) : NULL;
    SlTensor ids =
        sl_tensor_new(m->dev, SL_I32, 2, (const int64_t[]){batch, m->info->prompt_tokens});
    ok = te && sl_text_encoder_forward(m->dev, te, &ids, 0, hidden, NULL, err);
    m->cost->text_flops = take_flops(m->dev);
    sl_text_encoder_free(te);
    sl_json_close(json);
    return ok;
}

static bool measure_step(Measuring *m, const SlTensor *text, int batch, SlError *err)
{
    SlUnetConfig config;
    int h = m->recipe->height / m->info->factor, w = m->recipe->width / m->info->factor;
    SlJson *json = sl_model_config(m->info, "unet", err);
    SlBinder *b = sizes_only(m, "unet");
    bool ok = json && b && sl_unet_config(&config, json, err);
    SlUnet *unet = ok ? sl_unet_new(&config, b, err) : NULL;
    SlUnetContext *context = unet && text ? sl_unet_context_new(m->dev, unet, text, err) : NULL;
    SlUnetTimes *times = NULL;
    if (unet && (context || !text)) /* heun evaluates twice a step */
        times = sl_unet_times_new(m->dev, unet, NULL, SL_UNET_TIMES, batch, err);
    m->cost->text_flops += take_flops(m->dev);
    ok = times != NULL;
    if (ok) {
        SlTensor x = sl_tensor_new4(m->dev, batch, h, w, config.in_channels);
        SlTensor shifts = sl_unet_times_at(times, 0);
        SlTensor out =
            sl_tensor_new(m->dev, SL_F32, 4, (const int64_t[]){batch, h, w, config.out_channels});
        ok = sl_unet_forward_at(m->dev, unet, &x, &shifts, context, &out, err);
        m->cost->step_flops = take_flops(m->dev);
    }
    m->cost->step_bytes = m->dev->work.arena_peak + m->dev->work.buffer_bytes;
    sl_unet_times_free(m->dev, times);
    sl_unet_context_free(m->dev, context);
    sl_unet_free(unet);
    sl_json_close(json);
    return ok;
}

static bool measure_decode(Measuring *m, SlError *err)
{
    SlVaeConfig config;
    int h = m->recipe->height / m->info->factor, w = m->recipe->width / m->info->factor;
    SlJson *json = sl_model_config(m->info, "vae", err);
    SlBinder *b = sizes_only(m, "vae");
    bool ok = json && b && sl_vae_config(&config, json, err);
    SlVae *vae = ok ? sl_vae_new(&config, b, err) : NULL;
    if (vae) {
        SlTensor z = sl_tensor_new4(m->dev, 1, h, w, config.latent_channels);
        SlTensor image = sl_tensor_new(
            m->dev, SL_F32, 4,
            (const int64_t[]){1, m->recipe->height, m->recipe->width, config.out_channels});
        ok = sl_vae_decode(m->dev, vae, &z, &image, err);
        m->cost->decode_flops = take_flops(m->dev);
    }
    sl_vae_free(vae);
    sl_json_close(json);
    return ok && vae;
}

static bool measure_all(Measuring *m, SlError *err)
{
    bool sd = m->info->pipeline == SL_PIPELINE_STABLE_DIFFUSION;
    int batch = sd && m->recipe->guidance > 1 ? 2 : 1;
    SlTensor text = {0};
    if (sd && !measure_text(m, &text, batch, err))
        return false;
    return measure_step(m, sd ? &text : NULL, batch, err) && (!sd || measure_decode(m, err));
}

bool sl_model_cost(const SlModelInfo *info, const SlRecipe *recipe, const char *dtype, SlCost *cost,
                   SlError *err)
{
    SlDeviceOptions options = {.name = "measure"};
    SlRecipe sized = *recipe;
    *cost = (SlCost){0};
    if (!sl_dtype_parse(dtype, NULL, &options.dtype, err))
        return false;
    if (!sized.width)
        sized.width = info->width;
    if (!sized.height)
        sized.height = info->height;
    if (!sl_recipe_check(&sized, info, err))
        return false;
    Measuring m = {.info = info, .recipe = &sized, .cost = cost};
    m.dev = sl_device_open(&options, err);
    if (!m.dev)
        return false;
    bool ok = measure_all(&m, err) && sl_device_check(m.dev, err);
    cost->weight_bytes = m.dev->work.weight_bytes;
    cost->peak_bytes = cost->weight_bytes + m.dev->work.arena_peak + m.dev->work.buffer_bytes;
    for (int i = 0; i < m.binder_count; i++)
        sl_binder_free(m.binders[i]);
    sl_device_close(&m.dev);
    return ok;
}
