/* cost.c - what a run would need, found by building the model and running each stage once on the
 * measure device: nothing is read or computed. */
#include "engine/run/run.h"

#include <string.h>

typedef struct Measuring {
    const SlModelInfo *info;
    const SlRecipe *recipe;
    SlDevice *dev;
    SlCost *cost;
    SlPart part[SL_MAX_PARTS]; /* in memory at once until the end */
    int parts;
} Measuring;

/* NULL and *err when it cannot be built. */
static void *sizes_only(Measuring *m, const char *name, SlError *err)
{
    for (const SlPartClass *const *kind = sl_pipeline_class_of(m->info)->parts; *kind; kind++)
        if (!strcmp((*kind)->name, name)) {
            SlPart *part = &m->part[m->parts++];
            part->kind = *kind;
            sl_part_build(part, sl_model_config(m->info, name, err),
                          &(SlBinderOptions){.dev = m->dev, .component = name}, err);
            return part->net;
        }
    return NULL;
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
    SlTextEncoder *te = sizes_only(m, "text_encoder", err);
    SlTensor ids =
        sl_tensor_new(m->dev, SL_I32, 2, (const int64_t[]){batch, m->info->prompt_tokens});
    bool ok = te && sl_text_encoder_forward(m->dev, te, &ids, 0, hidden, NULL, err);
    m->cost->text_flops = take_flops(m->dev);
    return ok;
}

static bool measure_step(Measuring *m, const SlTensor *text, int batch, SlError *err)
{
    int h = m->recipe->height / m->info->factor, w = m->recipe->width / m->info->factor;
    SlUnet *unet = sizes_only(m, "unet", err);
    SlUnetContext *context = unet && text ? sl_unet_context_new(m->dev, unet, text, err) : NULL;
    SlUnetTimes *times = NULL;
    if (unet && (context || !text)) /* heun evaluates twice a step */
        times = sl_unet_times_new(m->dev, unet, NULL, SL_UNET_TIMES, batch, err);
    m->cost->text_flops += take_flops(m->dev);
    bool ok = times != NULL;
    if (ok) {
        const SlUnetConfig config = *sl_unet_get_config(unet);
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
    return ok;
}

static bool measure_decode(Measuring *m, SlError *err)
{
    int h = m->recipe->height / m->info->factor, w = m->recipe->width / m->info->factor;
    SlVae *vae = sizes_only(m, "vae", err);
    bool ok = vae != NULL;
    if (vae) {
        const SlVaeConfig config = *sl_vae_get_config(vae);
        SlTensor z = sl_tensor_new4(m->dev, 1, h, w, config.latent_channels);
        SlTensor image = sl_tensor_new(
            m->dev, SL_F32, 4,
            (const int64_t[]){1, m->recipe->height, m->recipe->width, config.out_channels});
        ok = sl_vae_decode(m->dev, vae, &z, &image, err);
        m->cost->decode_flops = take_flops(m->dev);
    }
    return ok;
}

static bool measure_all(Measuring *m, SlError *err)
{
    bool sd = m->info->pipeline->prompt;
    SlGuidanceRule rule = sl_pipeline_guidance(m->info->pipeline, m->recipe->guidance);
    int batch = rule == SL_GUIDANCE_CLASSIFIER_FREE ? 2 : 1;
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
    for (int i = 0; i < m.parts; i++)
        sl_part_free(&m.part[i]);
    sl_device_close(&m.dev);
    return ok;
}

/* A model that cannot be measured has said why when it was loaded. */
bool sl_model_decode_is_cheap(const SlModelInfo *info)
{
    SlRecipe recipe;
    SlCost cost;
    sl_recipe_defaults(&recipe, info);
    return sl_model_cost(info, &recipe, NULL, &cost, NULL) && cost.decode_flops < cost.step_flops;
}
