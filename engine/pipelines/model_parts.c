/* model_parts.c - loading text encoder, UNet and VAE: config, weights, binding, progress.
 *
 * Building a part binds every weight by its diffusers name, so a file that does not fit its config
 * is named here.
 */
#include "engine/pipelines/pipelines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Progress over all parts: a part's share is its bytes among all. */
typedef struct Loading {
    SlModel *model;
    const SlModelOptions *options;
    const char *what;
    uint64_t before, total;
} Loading;

static void on_progress(void *arg, uint64_t done, uint64_t total)
{
    Loading *l = arg;
    (void)total;
    if (l->options->cancel && __atomic_load_n(l->options->cancel, __ATOMIC_RELAXED))
        sl_device_cancel(l->model->dev);
    if (l->options->progress && l->total > 0)
        l->options->progress(l->options->progress_arg,
                             (double)(l->before + done) / (double)l->total, l->what);
}

static SlWeights *open_weights(const SlModelInfo *info, SlComponent component, SlError *err)
{
    static const char *const folders[] = {"unet", "vae", "text_encoder"};
    static const char *const bases[] = {"diffusion_pytorch_model", "diffusion_pytorch_model",
                                        "model"};
    char folder[4400];
    if (info->single_file)
        return sl_weights_open_checkpoint(info->path, component, err);
    snprintf(folder, sizeof folder, "%s/%s", info->path, folders[component]);
    return sl_weights_open(folder, bases[component], err);
}

static uint64_t total_bytes(const SlModelInfo *info)
{
    uint64_t total = 0;
    for (int i = 0; i < info->parts; i++)
        total += info->part[i].bytes;
    return total;
}

/* Opens weights and config of one part, gives its binder to build(), and checks that everything was
 * used. */
typedef bool (*BuildPart)(SlModel *model, SlPart *part, SlError *err);

static bool load_part(Loading *l, SlComponent component, SlPart *part, BuildPart build,
                      SlError *err)
{
    static const char *const names[] = {"unet", "vae", "text_encoder"};
    SlModel *model = l->model;
    l->what = names[component];
    part->config = sl_model_config(&model->info, names[component], err);
    if (!part->config)
        return false;
    SlWeights *weights = open_weights(&model->info, component, err);
    if (!weights)
        return false;
    part->binder = sl_binder_new(&(SlBinderOptions){
        .dev = model->dev,
        .weights = weights,
        .component = names[component],
        .progress = on_progress,
        .progress_arg = l,
    });
    bool ok = part->binder ? build(model, part, err)
                           : sl_fail(err, SL_MEMORY, "%s: out of memory", names[component]);
    if (part->binder && ok)
        ok = sl_binder_finish(part->binder, false, err);
    if (ok && sl_binder_warning(part->binder)) {
        size_t used = strlen(model->warning);
        snprintf(model->warning + used, sizeof model->warning - used, "%s%s", used ? "\n" : "",
                 sl_binder_warning(part->binder));
    }
    for (size_t i = 0; i < sl_weights_count(weights); i++)
        l->before += sl_weights_info(weights, i)->bytes;
    sl_weights_close(weights);
    return ok && sl_device_check(model->dev, err);
}

/* A constructor that found weights missing has no sentence of its own: the binder's names the
 * tensor. */
static bool built(bool made, SlPart *part, SlError *err)
{
    if (made)
        return true;
    SlError own = {0};
    if (!sl_binder_finish(part->binder, false, &own) && err)
        *err = own;
    return false;
}

static bool build_text_encoder(SlModel *model, SlPart *part, SlError *err)
{
    SlTextEncoderConfig config;
    if (!sl_text_encoder_config(&config, part->config, err))
        return false;
    model->text_encoder = sl_text_encoder_new(&config, part->binder, err);
    return built(model->text_encoder != NULL, part, err);
}

static bool build_unet(SlModel *model, SlPart *part, SlError *err)
{
    SlUnetConfig config;
    if (!sl_unet_config(&config, part->config, err))
        return false;
    if (config.conditional != (model->info.pipeline == SL_PIPELINE_STABLE_DIFFUSION))
        return sl_fail(err, SL_FORMAT,
                       "%s: the UNet's _class_name does not belong to the pipeline in "
                       "model_index.json",
                       sl_json_name(part->config));
    model->unet = sl_unet_new(&config, part->binder, err);
    return built(model->unet != NULL, part, err);
}

static bool build_vae(SlModel *model, SlPart *part, SlError *err)
{
    SlVaeConfig config;
    if (!sl_vae_config(&config, part->config, err))
        return false;
    if (config.latent_channels > SL_MAX_LATENT_CHANNELS)
        return sl_fail(err, SL_UNSUPPORTED, "%s: latent_channels is %d; at most %d are supported",
                       sl_json_name(part->config), config.latent_channels, SL_MAX_LATENT_CHANNELS);
    model->vae = sl_vae_new(&config, part->binder, err);
    return built(model->vae != NULL, part, err);
}

bool sl_model_load_parts(SlModel *model, const SlModelOptions *options, SlError *err)
{
    Loading l = {.model = model, .options = options, .total = total_bytes(&model->info)};
    if (!load_part(&l, SL_COMPONENT_UNET, &model->unet_part, build_unet, err))
        return false;
    if (model->info.pipeline == SL_PIPELINE_DDPM)
        return true;
    return load_part(&l, SL_COMPONENT_TEXT_ENCODER, &model->text_part, build_text_encoder, err) &&
           load_part(&l, SL_COMPONENT_VAE, &model->vae_part, build_vae, err);
}

static void free_part(SlPart *part)
{
    sl_binder_free(part->binder);
    sl_json_close(part->config);
    *part = (SlPart){0};
}

void sl_model_drop_text_encoder(SlModel *model)
{
    sl_text_encoder_free(model->text_encoder);
    model->text_encoder = NULL;
    free_part(&model->text_part);
}

bool sl_model_need_text_encoder(SlModel *model, SlError *err)
{
    static const SlModelOptions silent;
    Loading l = {.model = model, .options = &silent};
    if (model->text_encoder)
        return true;
    size_t warned = strlen(model->warning);
    bool ok = load_part(&l, SL_COMPONENT_TEXT_ENCODER, &model->text_part, build_text_encoder, err);
    model->warning[warned] = 0; /* it was said the first time */
    if (!ok)
        sl_model_drop_text_encoder(model);
    return ok;
}

void sl_model_free_parts(SlModel *model)
{
    sl_text_encoder_free(model->text_encoder);
    sl_unet_free(model->unet);
    sl_vae_free(model->vae);
    free_part(&model->text_part);
    free_part(&model->unet_part);
    free_part(&model->vae_part);
}
