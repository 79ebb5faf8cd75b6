/* config.c - where a model's part comes from: its configuration (from its folder or built in) and
 * its weights; what a file's own marks change in it; and what it computes in. */
#include "engine/pipelines/pipelines.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Weights that a library stored in a way of its own, which its config names. */
static bool check_quantization(const SlJson *json, SlError *err)
{
    const cJSON *config =
        cJSON_GetObjectItemCaseSensitive(sl_json_root(json), "quantization_config");
    const cJSON *method = cJSON_GetObjectItemCaseSensitive(config, "quant_method");
    if (!config || cJSON_IsNull(config))
        return true;
    return sl_fail(err, SL_UNSUPPORTED,
                   "%s: the weights were quantised by the method %s (quantization_config), which "
                   "is not supported; look for the same model in F16, in 8-bit floats or as GGUF",
                   sl_json_name(json),
                   cJSON_IsString(method) ? sl_show_name(method->valuestring).text
                                          : sl_words("(not named)"));
}

static SlJson *open_config(const char *path, SlError *err)
{
    SlJson *json = sl_json_open(path, err);
    if (!json || check_quantization(json, err))
        return json;
    sl_json_close(json);
    return NULL;
}

const SlOtherPart *sl_model_other(const SlModelInfo *info, const char *part)
{
    for (int i = 0; i < info->others; i++)
        if (!strcmp(info->other[i].part, part))
            return &info->other[i];
    return NULL;
}

const char *sl_model_denoiser_file(const SlModelInfo *info)
{
    const SlOtherPart *other = sl_model_other(info, "unet");
    if (other)
        return other->folder ? NULL : other->path;
    return info->single_file ? info->path : NULL;
}

/* *config where the file is a tiny VAE, whose sizes say what it is: a file of another part is
 * built as the model's own is. False and *err where it cannot be read. */
static bool open_tiny_config(const char *path, SlJson **config, SlError *err)
{
    SlWeightSource *file = sl_weights_open_file(path, err), *weights = NULL;
    bool tiny = file && sl_tiny_has_decoder(file), ok = file != NULL;
    if (tiny) {
        weights = sl_tiny_weights(file, err);
        *config = weights ? sl_tiny_config(weights, err) : NULL;
        ok = *config != NULL;
    }
    sl_weights_close(weights);
    sl_weights_close(file);
    return ok;
}

static SlJson *read_config(const SlModelInfo *info, const char *part, SlError *err)
{
    bool scheduler = !strcmp(part, "scheduler");
    char path[4400];
    const SlOtherPart *other = sl_model_other(info, part);
    if (other && other->folder) {
        snprintf(path, sizeof path, "%s/config.json", other->path);
        return open_config(path, err);
    }
    SlJson *tiny = NULL;
    if (other && !strcmp(part, "vae") && (!open_tiny_config(other->path, &tiny, err) || tiny))
        return tiny;
    if (info->single_file || (scheduler && info->edm.kind)) {
        const SlPipelineClass *kind = sl_pipeline_class_of(info);
        const char *arch = info->single_file ? info->arch : kind->arch(0);
        char own[64];
        snprintf(own, sizeof own, scheduler && info->edm.kind ? "%s of %s" : "%s", part,
                 info->edm.kind);
        const char *text = kind->builtin ? kind->builtin(arch, own) : NULL;
        if (!text) {
            sl_fail(err, SL_UNSUPPORTED, "%s: there is no built-in %s configuration for \"%s\"",
                    info->path, part, arch);
            return NULL;
        }
        snprintf(path, sizeof path, "%s configuration of %s", part, arch);
        return sl_json_parse(path, text, strlen(text), err);
    }
    snprintf(path, sizeof path, "%s/%s/%s", info->path, part,
             scheduler ? "scheduler_config.json" : "config.json");
    return open_config(path, err);
}

/* A file's weights over a configuration that is not theirs. */
static bool mark_distilled_denoiser(const SlModelInfo *info, SlJson *json, SlError *err)
{
    const SlDistilled *kind = info->distilled;
    if (!sl_model_denoiser_file(info))
        return true;
    if (info->single_file && kind && kind->size &&
        !sl_json_set_number(json, "sample_size", kind->size, err))
        return false;
    if (info->guidance_size > 0)
        return sl_json_set_number(json, "time_cond_proj_dim", info->guidance_size, err);
    cJSON_DeleteItemFromObjectCaseSensitive(sl_json_root(json), "time_cond_proj_dim");
    return true;
}

/* Playground v2.5's latents (edm_mean, edm_std), which its VAE's built-in configuration knows nothing
 * of. Its scaling factor is 0.5. */
static bool mark_latents(const SlModelInfo *info, SlJson *json, SlError *err)
{
    const SlOtherPart *other = sl_model_other(info, "vae");
    const SlEdmMarks *edm = &info->edm;
    SlError ignored = {0};
    const char *class_name = sl_json_string(json, "_class_name", "", &ignored);
    if (!edm->kind || strcmp(edm->kind, "playground") || (other && other->folder) ||
        strcmp(class_name, "AutoencoderKL"))
        return true;
    return sl_json_set_number(json, "scaling_factor", 0.5, err) &&
           sl_json_set_numbers(json, "latents_mean", edm->latents_mean, 4, err) &&
           sl_json_set_numbers(json, "latents_std", edm->latents_std, 4, err);
}

SlJson *sl_model_config(const SlModelInfo *info, const char *part, SlError *err)
{
    SlJson *json = read_config(info, part, err);
    bool ok = json && (strcmp(part, "unet") || mark_distilled_denoiser(info, json, err)) &&
              (strcmp(part, "vae") || mark_latents(info, json, err));
    if (ok)
        return json;
    sl_json_close(json);
    return NULL;
}

bool sl_model_has_part(const SlModelInfo *info, const SlPartClass *part)
{
    if (info->parts == 0)
        return !part->optional;
    for (int i = 0; i < info->parts; i++)
        if (!strcmp(info->part[i].name, part->name))
            return true;
    return false;
}

SlWeightSource *sl_model_weights(const SlModelInfo *info, const SlPartClass *part, SlError *err)
{
    char folder[4400];
    const SlOtherPart *other = sl_model_other(info, part->name);
    if (other)
        return other->folder ? sl_weights_open(other->path, part->base, err)
                             : sl_weights_open_part(other->path, part->name, err);
    if (info->single_file)
        return sl_weights_open_checkpoint(info->path, part->name, err);
    snprintf(folder, sizeof folder, "%s/%s", info->path, part->name);
    return sl_weights_open(folder, part->base, err);
}

/* What a distilled model needs of its scheduler. */
static bool mark_distilled_scheduler(const SlModelInfo *info, SlJson *json, SlError *err)
{
    const SlDistilled *kind = info->distilled;
    if (!kind || (!sl_model_denoiser_file(info) && !sl_model_other(info, "unet")))
        return true;
    return (kind->spacing != SL_SPACING_TRAILING ||
            sl_json_set_string(json, "timestep_spacing", "trailing", err)) &&
           (!kind->predicts_sample || sl_json_set_string(json, "prediction_type", "sample", err)) &&
           (!kind->original_steps ||
            sl_json_set_number(json, "original_inference_steps", kind->original_steps, err)) &&
           (!kind->only_timestep ||
            sl_json_set_number(json, SL_ONLY_TIMESTEP, kind->only_timestep, err));
}

/* What the file says of its noise, into its built-in configuration. With zero terminal SNR the
 * first timestep must be the last of training, which trailing spacing alone begins with. */
static bool mark_scheduler(const SlModelInfo *info, SlJson *json, SlError *err)
{
    static const char *const names[] = {
        [SL_PREDICT_EPSILON] = "epsilon",     [SL_PREDICT_V] = "v_prediction",
        [SL_PREDICT_SAMPLE] = "sample",       [SL_PREDICT_FLOW] = "flow_prediction",
        [SL_PREDICT_EDM_EPSILON] = "epsilon", [SL_PREDICT_EDM_V] = "v_prediction"};
    if (info->edm.kind && (!sl_json_set_number(json, "sigma_min", info->edm.sigma_min, err) ||
                           !sl_json_set_number(json, "sigma_max", info->edm.sigma_max, err)))
        return false;
    if (info->prediction_marked &&
        !sl_json_set_string(json, "prediction_type", names[info->prediction], err))
        return false;
    return mark_distilled_scheduler(info, json, err) &&
           (!info->zero_snr_marked ||
            (sl_json_set_bool(json, "rescale_betas_zero_snr", true, err) &&
             sl_json_set_string(json, "timestep_spacing", "trailing", err)));
}

SlJson *sl_model_scheduler_config(const SlModelInfo *info, bool own, SlError *err)
{
    const SlPipelineClass *kind = sl_pipeline_class_of(info);
    SlJson *json = sl_model_config(info, "scheduler", err);
    if (json && !mark_scheduler(info, json, err)) {
        sl_json_close(json);
        return NULL;
    }
    if (json && kind->correct_scheduler && !kind->correct_scheduler(json, own, err)) {
        sl_json_close(json);
        return NULL;
    }
    return json;
}

SlScheduler *sl_model_scheduler(const SlModel *model, const char *id,
                                const SlSchedulerChoice *choice, SlError *err)
{
    bool own = !strcmp(id, model->info.scheduler) && !*model->info.unknown_scheduler;
    return sl_scheduler_new(id, own ? model->own_scheduler_config : model->scheduler_config, choice,
                            err);
}

void sl_model_note(SlModelInfo *info, const char *format, ...)
{
    size_t used = strlen(info->notes);
    va_list args;
    va_start(args, format);
    if (used && used + 1 < sizeof info->notes)
        used += (size_t)snprintf(info->notes + used, sizeof info->notes - used, "\n");
    vsnprintf(info->notes + used, sizeof info->notes - used, format, args);
    va_end(args);
}
