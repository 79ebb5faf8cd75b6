/* stages.c - the stages of a run one by one, without a run: encoding, a step, a picture, all of
 * zeros.
 *
 * On the measure device they find out what a run would need (sl_model_cost); on a real one `bench`
 * times them over random weights. Easy to get wrong: heun evaluates twice a step, so a run keeps
 * the times of several evaluations.
 */
#include "engine/run/stages.h"

#include <stdlib.h>

struct SlStages {
    SlModel *model;    /* without weights */
    int height, width; /* of the sample */
    int batch;
    SlCondition condition;
    SlContext *context;
    SlTimes *times;
};

SlStages *sl_stages_new(const SlStagesOf *of, SlDevice *dev, SlError *err)
{
    const SlModelInfo *info = of->info;
    const SlRecipe *recipe = of->recipe;
    SlStages *s = calloc(1, sizeof *s);
    if (!s) {
        sl_device_close(&dev);
        sl_fail(err, SL_MEMORY, "out of memory");
        return NULL;
    }
    SlGuidanceRule rule = sl_model_guidance(info, recipe->guidance);
    s->batch = rule == SL_GUIDANCE_CLASSIFIER_FREE ? 2 : 1;
    s->height = (recipe->height ? recipe->height : info->height) / info->factor;
    s->width = (recipe->width ? recipe->width : info->width) / info->factor;
    s->model = sl_model_shape(info, dev, of->like, err);
    if (!s->model)
        sl_stages_close(&s);
    return s;
}

SlStages *sl_stages_open(const char *arch, const SlDeviceOptions *device, int width, int height,
                         SlError *err)
{
    SlModelInfo *info = malloc(sizeof *info);
    SlRecipe recipe;
    SlStages *stages = NULL;
    if (!info) {
        sl_fail(err, SL_MEMORY, "out of memory");
        return NULL;
    }
    SlDevice *dev = sl_model_shape_info(arch, info, err) ? sl_device_open(device, err) : NULL;
    if (dev) {
        sl_recipe_defaults(&recipe, info);
        recipe.width = width;
        recipe.height = height;
        stages = sl_stages_new(&(SlStagesOf){info, &recipe, NULL}, dev, err);
    }
    free(info);
    return stages;
}

/* What the last encoding made. */
static void forget(SlStages *s)
{
    sl_condition_clear(&s->condition);
    sl_context_free(s->model->dev, s->context);
    sl_times_free(s->model->dev, s->times);
    s->context = NULL;
    s->times = NULL;
}

void sl_stages_close(SlStages **stages)
{
    SlStages *s = *stages;
    if (s && s->model) {
        forget(s);
        sl_model_unload(s->model);
    }
    free(s);
    *stages = NULL;
}

SlDevice *sl_stages_device(SlStages *s)
{
    return s->model->dev;
}

int sl_stages_width(const SlStages *s)
{
    return s->width * s->model->info.factor;
}

int sl_stages_height(const SlStages *s)
{
    return s->height * s->model->info.factor;
}

/* The text as often as there are prompts: each is encoded by itself. */
static bool encode_texts(SlStages *s, SlError *err)
{
    SlModel *model = s->model;
    SlAsk ask = {.length = model->info.prompt_tokens * (model->kind->two_texts ? 2 : 1)};
    ask.ids = calloc((size_t)ask.length + 1, sizeof *ask.ids);
    bool ok = ask.ids || sl_fail(err, SL_MEMORY, "out of memory for the text");
    for (int i = 0; ok && i < s->batch; i++) {
        sl_condition_clear(&s->condition);
        ok = sl_model_encode(model, &ask, NULL, &s->condition, err);
    }
    sl_ask_clear(&ask);
    return ok;
}

bool sl_stages_encode(SlStages *s, SlError *err)
{
    static const float timesteps[SL_TIMES];
    SlModel *model = s->model;
    const SlCondition *conditions[2] = {&s->condition, &s->condition};
    forget(s);
    if (model->kind->encode) {
        if (!encode_texts(s, err))
            return false;
        s->context =
            sl_denoiser_prepare(model->dev, sl_model_denoiser(model), conditions, s->batch, err);
        if (!s->context)
            return false;
    }
    const SlTimesOf of = {timesteps, SL_TIMES, s->batch, 1, 0};
    s->times = sl_times_new(model->dev, sl_model_denoiser(model), &of, err);
    return s->times != NULL;
}

/* Zeros [n, height, width, channels] on the device, in its dtype. */
static SlTensor zeros(SlDevice *dev, const int64_t size[4])
{
    SlTensor t = sl_tensor_new(dev, dev->dtype, 4, size);
    void *host = calloc((size_t)sl_tensor_elements(&t) + 1, sl_dtype_size(dev->dtype));
    if (host && t.data)
        sl_upload(dev, host, &t);
    else if (!host)
        sl_device_fail(dev, SL_MEMORY, "no memory for a sample");
    free(host);
    return t;
}

bool sl_stages_step(SlStages *s, SlError *err)
{
    SlDevice *dev = s->model->dev;
    const int64_t size[] = {s->batch, s->height, s->width, s->model->info.channels};
    size_t mark = sl_arena_mark(dev);
    SlTensor x = zeros(dev, size), row = sl_times_at(s->times, 0);
    SlTensor out = sl_tensor_new(dev, SL_F32, 4, size);
    bool ok =
        sl_denoiser_evaluate(dev, sl_model_denoiser(s->model), &x, &row, s->context, &out, err);
    sl_arena_reset(dev, mark);
    return ok && sl_device_check(dev, err);
}

bool sl_stages_decode(SlStages *s, SlError *err)
{
    SlDevice *dev = s->model->dev;
    const SlVae *vae = sl_model_vae(s->model);
    const SlModelInfo *info = &s->model->info;
    if (!vae)
        return true;
    size_t mark = sl_arena_mark(dev);
    SlTensor z = zeros(dev, (const int64_t[]){1, s->height, s->width, info->channels});
    SlTensor image = sl_tensor_new(dev, SL_F32, 4,
                                   (const int64_t[]){1, (int64_t)s->height * info->factor,
                                                     (int64_t)s->width * info->factor,
                                                     sl_vae_get_config(vae)->out_channels});
    bool ok = sl_vae_decode(dev, vae, &z, &image, err);
    sl_arena_reset(dev, mark);
    return ok && sl_device_check(dev, err);
}
