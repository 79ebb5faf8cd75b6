/* inspect.c - what a model folder or file is, without loading its weights.
 *
 * Mirrors the part of diffusers pipelines/pipeline_utils.py (from_pretrained) that reads
 * model_index.json. Every weight file's header is validated here, so that a damaged download is
 * named before anyone waits for a load. Easy to get wrong: the folder a person picks is often one
 * too deep (unet/) or has the checkpoint lying in it; both get a sentence that says where to go.
 */
#include "engine/files/files.h"
#include "engine/pipelines/pipelines.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_ROOM 4600

/* ---- names ---- */

static bool set_names(SlModelInfo *info, const char *path, SlError *err)
{
    if (snprintf(info->path, sizeof info->path, "%s", path) >= (int)sizeof info->path)
        return sl_fail(err, SL_IO, "%s: the path is longer than %zu bytes", sl_show_path(path).text,
                       sizeof info->path - 1);
    size_t n = strlen(info->path);
    while (n > 1 && info->path[n - 1] == '/')
        info->path[--n] = 0;
    const char *slash = strrchr(info->path, '/');
    const char *last = slash && slash[1] ? slash + 1 : info->path;
    char *real = !strcmp(last, ".") || !strcmp(last, "..") ? realpath(info->path, NULL) : NULL;
    if (real && strrchr(real, '/')[1])
        last = strrchr(real, '/') + 1;
    snprintf(info->name, sizeof info->name, "%.255s", last);
    free(real);
    return true;
}

/* ---- weights ---- */

static bool add_files(SlModelInfo *info, const SlWeights *w, SlError *err)
{
    size_t skip = strlen(info->path) + 1;
    for (int i = 0; i < sl_weights_files(w); i++) {
        struct stat st;
        const char *path = sl_weights_file(w, i);
        if (info->files == SL_MODEL_MAX_FILES)
            return sl_fail(err, SL_UNSUPPORTED, "%s: more than %d weight files",
                           sl_show_path(info->path).text, SL_MODEL_MAX_FILES);
        if (stat(path, &st))
            return sl_fail(err, SL_IO, "%s: %s", sl_show_path(path).text, strerror(errno));
        SlModelFile *file = &info->file[info->files++];
        if (snprintf(file->name, sizeof file->name, "%s",
                     info->single_file ? info->name : path + skip) >= (int)sizeof file->name)
            return sl_fail(err, SL_IO, "%s: the name of the weight file is too long",
                           sl_show_path(path).text);
        file->bytes = (uint64_t)st.st_size;
        file->sha256[0] = 0;
    }
    return true;
}

static void count_tensors(SlModelPart *part, const SlWeights *w)
{
    part->tensors = sl_weights_count(w);
    for (size_t i = 0; i < part->tensors; i++) {
        const SlTensorInfo *t = sl_weights_info(w, i);
        uint64_t elements = 1; /* cannot wrap: elements times their size was checked */
        for (int d = 0; d < t->rank; d++)
            elements *= (uint64_t)t->size[d];
        part->parameters += elements;
        part->bytes += t->bytes;
        if (!strcmp(t->dtype_name, "I64") && t->rank == 2 && t->size[0] == 1)
            continue; /* position_ids */
        if (!part->dtype[0])
            snprintf(part->dtype, sizeof part->dtype, "%.7s", t->dtype_name);
        else if (strncmp(part->dtype, t->dtype_name, sizeof part->dtype - 1))
            snprintf(part->dtype, sizeof part->dtype, "mixed");
    }
}

/* One part with weights. class_name is what its config or the index calls it. */
static bool add_part(SlModelInfo *info, SlComponent component, const char *class_name, SlError *err)
{
    static const char *const names[] = {"unet", "vae", "text_encoder"};
    static const char *const bases[] = {"diffusion_pytorch_model", "diffusion_pytorch_model",
                                        "model"};
    char folder[PATH_ROOM];
    SlWeights *w;
    snprintf(folder, sizeof folder, "%s/%s", info->path, names[component]);
    w = info->single_file ? sl_weights_open_checkpoint(info->path, component, err)
                          : sl_weights_open(folder, bases[component], err);
    if (!w)
        return false;
    SlModelPart *part = &info->part[info->parts++];
    *part = (SlModelPart){0};
    snprintf(part->name, sizeof part->name, "%s", names[component]);
    snprintf(part->class_name, sizeof part->class_name, "%s", class_name);
    count_tensors(part, w);
    bool ok = (info->single_file && info->files > 0) || add_files(info, w, err);
    sl_weights_close(w);
    return ok;
}

/* ---- configurations ---- */

static bool read_scheduler(SlModelInfo *info, SlError *err)
{
    SlSchedulerChoice choice = {.eta = -1};
    SlJson *json = sl_model_config(info, "scheduler", err);
    if (!json)
        return false;
    SlScheduler *scheduler = sl_scheduler_new(info->scheduler, json, &choice, err);
    if (scheduler)
        info->prediction = sl_scheduler_prediction(scheduler);
    sl_scheduler_free(scheduler);
    sl_json_close(json);
    return scheduler != NULL;
}

/* Native size without a VAE's factor, and what the UNet allows. */
static bool read_unet(SlModelInfo *info, SlUnetConfig *unet, SlError *err)
{
    SlJson *json = sl_model_config(info, "unet", err);
    bool ok = json && sl_unet_config(unet, json, err);
    bool conditional = info->pipeline == SL_PIPELINE_STABLE_DIFFUSION;
    if (ok && unet->conditional != conditional)
        ok = sl_fail(err, SL_FORMAT, "%s: \"_class_name\" is %s; the pipeline needs %s",
                     sl_json_name(json), unet->conditional ? "UNet2DConditionModel" : "UNet2DModel",
                     conditional ? "UNet2DConditionModel" : "UNet2DModel");
    if (ok && unet->in_channels != unet->out_channels)
        ok = sl_fail(err, SL_UNSUPPORTED,
                     "%s: the UNet takes %d channels and gives %d; inpainting, editing and "
                     "learned variances are not supported: expected equal numbers",
                     sl_json_name(json), unet->in_channels, unet->out_channels);
    if (ok && !conditional && (!unet->sample_width || !unet->sample_height))
        ok = sl_fail(err, SL_FORMAT, "%s: \"sample_size\" is missing; expected the picture's size",
                     sl_json_name(json));
    sl_json_close(json);
    return ok;
}

/* model_max_length; absent or the huge number that stands for "no limit" is what the text encoder
 * can take. */
static bool read_prompt_tokens(SlModelInfo *info, int max_positions, SlError *err)
{
    char path[PATH_ROOM];
    SlError own = {0};
    info->prompt_tokens = max_positions;
    if (info->single_file)
        return true;
    snprintf(path, sizeof path, "%s/tokenizer/tokenizer_config.json", info->path);
    SlJson *json = sl_json_open(path, err);
    if (!json)
        return false;
    double length = sl_json_double(json, "model_max_length", max_positions, 3, 1e300, &own);
    if (length < 1e9)
        info->prompt_tokens = (int)length;
    sl_json_close(json);
    return own.code == SL_OK || sl_fail(err, own.code, "%s", own.message);
}

static bool read_text_encoder(SlModelInfo *info, SlError *err)
{
    SlTextEncoderConfig config;
    SlJson *json = sl_model_config(info, "text_encoder", err);
    bool ok = json && sl_text_encoder_config(&config, json, err) &&
              read_prompt_tokens(info, config.max_positions, err);
    sl_json_close(json);
    return ok;
}

static bool read_vae(SlVaeConfig *vae, const SlModelInfo *info, SlError *err)
{
    SlJson *json = sl_model_config(info, "vae", err);
    bool ok = json && sl_vae_config(vae, json, err);
    sl_json_close(json);
    return ok;
}

/* Is a decode no dearer than a step? Found on the measure device; a model that cannot be measured
 * will say why when it is loaded, and gets no previews from its VAE until then. */
static bool decode_is_cheap(const SlModelInfo *info)
{
    SlRecipe recipe;
    SlCost cost;
    sl_recipe_defaults(&recipe, info);
    return sl_model_cost(info, &recipe, NULL, &cost, NULL) && cost.decode_flops < cost.step_flops;
}

static bool read_configs(SlModelInfo *info, SlError *err)
{
    SlUnetConfig unet;
    SlVaeConfig vae = {.factor = 1};
    bool sd = info->pipeline == SL_PIPELINE_STABLE_DIFFUSION;
    if (!read_scheduler(info, err) || !read_unet(info, &unet, err))
        return false;
    if (sd && (!read_text_encoder(info, err) || !read_vae(&vae, info, err)))
        return false;
    info->channels = unet.in_channels;
    info->factor = vae.factor;
    info->size_multiple = vae.factor * sl_unet_size_multiple(&unet);
    info->width = (unet.sample_width ? unet.sample_width : 64) * vae.factor;
    info->height = (unet.sample_height ? unet.sample_height : 64) * vae.factor;
    info->cheap_decode = !sd || decode_is_cheap(info);
    return true;
}

/* ---- folders ---- */

/* A folder without model_index.json: is it one part, or does a checkpoint lie in it? */
static bool refuse_folder(const char *path, SlError *err)
{
    SlShown shown = sl_show_path(path), checkpoint = {""};
    char config[PATH_ROOM];
    bool part;
    struct stat st;
    snprintf(config, sizeof config, "%s/config.json", path);
    part = stat(config, &st) == 0;
    DIR *dir = opendir(path);
    if (!dir)
        return sl_fail(err, SL_IO, "%s: the folder cannot be read: %s", shown.text,
                       strerror(errno));
    for (struct dirent *d; (d = readdir(dir));) {
        size_t n = strlen(d->d_name);
        if (n > 12 && !strcmp(d->d_name + n - 12, ".safetensors"))
            checkpoint = sl_show_name(d->d_name);
    }
    closedir(dir);
    if (part)
        return sl_fail(err, SL_FORMAT,
                       "%s: this folder is one part of a model (it has a config.json); open the "
                       "folder above it, which holds model_index.json",
                       shown.text);
    if (*checkpoint.text)
        return sl_fail(err, SL_FORMAT,
                       "%s: there is no model_index.json in this folder; to open the checkpoint in "
                       "it, choose the file %s",
                       shown.text, checkpoint.text);
    return sl_fail(err, SL_FORMAT,
                   "%s: there is no model_index.json in this folder; expected a model in "
                   "diffusers' layout",
                   shown.text);
}

/* The class of a component: the second of ["library", "Class"], one of classes. NULL and *err. */
static const char *component_class(const SlJson *index, const char *name,
                                   const char *const *classes, SlError *err)
{
    const cJSON *entry = cJSON_GetObjectItemCaseSensitive(sl_json_root(index), name);
    const cJSON *value = cJSON_GetArrayItem(entry, 1);
    char list[200] = "";
    if (!cJSON_IsArray(entry) || !cJSON_IsString(value)) {
        sl_fail(err, SL_FORMAT,
                "%s: the component \"%s\" is %s; expected [\"library\", \"ClassName\"]",
                sl_json_name(index), name,
                !entry                                       ? "missing"
                : cJSON_IsNull(entry) || cJSON_IsNull(value) ? "null"
                                                             : "not a list of two names");
        return NULL;
    }
    for (int i = 0; classes && classes[i]; i++) {
        if (!strcmp(value->valuestring, classes[i]))
            return classes[i];
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? " or " : "",
                 classes[i]);
    }
    if (!classes)
        return value->valuestring;
    sl_fail(err, SL_UNSUPPORTED, "%s: the component \"%s\" is a \"%s\"; supported: %s",
            sl_json_name(index), name, sl_show_name(value->valuestring).text, list);
    return NULL;
}

static bool find_scheduler(SlModelInfo *info, const SlJson *index, SlError *err)
{
    const char *class_name = component_class(index, "scheduler", NULL, err);
    if (!class_name)
        return false;
    const SlSchedulerInfo *scheduler = sl_scheduler_find_class(class_name);
    if (!scheduler)
        return sl_fail(err, SL_UNSUPPORTED,
                       "%s: the component \"scheduler\" is a \"%s\", which is not known here; "
                       "`safelight schedulers` lists those that are",
                       sl_json_name(index), sl_show_name(class_name).text);
    snprintf(info->scheduler, sizeof info->scheduler, "%s", scheduler->id);
    return true;
}

static bool add_folder_part(SlModelInfo *info, const SlJson *index, SlComponent component,
                            SlError *err)
{
    static const char *const unet[] = {"UNet2DConditionModel", NULL};
    static const char *const unet_plain[] = {"UNet2DModel", NULL};
    static const char *const vae[] = {"AutoencoderKL", NULL};
    static const char *const text[] = {"CLIPTextModel", "CLIPTextModelWithProjection", NULL};
    static const char *const names[] = {"unet", "vae", "text_encoder"};
    const char *const *classes = component == SL_COMPONENT_VAE            ? vae
                                 : component == SL_COMPONENT_TEXT_ENCODER ? text
                                 : info->pipeline == SL_PIPELINE_DDPM     ? unet_plain
                                                                          : unet;
    const char *class_name = component_class(index, names[component], classes, err);
    return class_name && add_part(info, component, class_name, err);
}

static bool inspect_index(SlModelInfo *info, const SlJson *index, SlError *err)
{
    static const char *const pipelines[] = {"StableDiffusionPipeline", "DDPMPipeline", NULL};
    static const char *const tokenizers[] = {"CLIPTokenizer", "CLIPTokenizerFast", NULL};
    SlError own = {0};
    int pipeline = sl_json_choice(index, "_class_name", pipelines, 2, &own);
    if (own.code != SL_OK)
        return sl_fail(err, SL_UNSUPPORTED, "%s", own.message);
    if (pipeline == 2)
        return sl_fail(err, SL_FORMAT,
                       "%s: \"_class_name\" is missing; expected StableDiffusionPipeline or "
                       "DDPMPipeline",
                       sl_json_name(index));
    info->pipeline = pipeline == 0 ? SL_PIPELINE_STABLE_DIFFUSION : SL_PIPELINE_DDPM;
    if (!find_scheduler(info, index, err) || !add_folder_part(info, index, SL_COMPONENT_UNET, err))
        return false;
    return info->pipeline == SL_PIPELINE_DDPM ||
           (component_class(index, "tokenizer", tokenizers, err) &&
            add_folder_part(info, index, SL_COMPONENT_TEXT_ENCODER, err) &&
            add_folder_part(info, index, SL_COMPONENT_VAE, err));
}

static bool inspect_folder(SlModelInfo *info, SlError *err)
{
    char path[PATH_ROOM];
    struct stat st;
    snprintf(path, sizeof path, "%s/model_index.json", info->path);
    if (lstat(path, &st))
        return refuse_folder(info->path, err);
    SlJson *index = sl_json_open(path, err);
    bool ok = index && inspect_index(info, index, err);
    sl_json_close(index);
    return ok && read_configs(info, err);
}

/* ---- single files ---- */

static bool inspect_file(SlModelInfo *info, SlError *err)
{
    SlSafetensors *st = sl_safetensors_open(info->path, err);
    bool ok = st && sl_checkpoint_recognise(st, err) && sl_checkpoint_arch(st, info->arch, err);
    sl_safetensors_close(st);
    info->single_file = true;
    info->pipeline = SL_PIPELINE_STABLE_DIFFUSION;
    if (!ok)
        return false;
    SlJson *json = sl_model_config(info, "scheduler", err);
    const char *class_name = json ? sl_json_string(json, "_class_name", "", err) : "";
    const SlSchedulerInfo *scheduler = sl_scheduler_find_class(class_name);
    if (scheduler)
        snprintf(info->scheduler, sizeof info->scheduler, "%s", scheduler->id);
    sl_json_close(json);
    if (!scheduler)
        return sl_fail(err, SL_UNSUPPORTED, "%s: its scheduler is not known here",
                       sl_show_path(info->path).text);
    return add_part(info, SL_COMPONENT_UNET, "UNet2DConditionModel", err) &&
           add_part(info, SL_COMPONENT_TEXT_ENCODER, "CLIPTextModel", err) &&
           add_part(info, SL_COMPONENT_VAE, "AutoencoderKL", err) && read_configs(info, err);
}

/* ---- the whole ---- */

bool sl_model_inspect(const char *path, SlModelInfo *info, SlError *err)
{
    struct stat st;
    *info = (SlModelInfo){0};
    if (!*path)
        return sl_fail(err, SL_ARGUMENT, "no model was given: the path is empty");
    if (!set_names(info, path, err))
        return false;
    if (stat(info->path, &st) == 0 && S_ISDIR(st.st_mode))
        return inspect_folder(info, err);
    return inspect_file(info, err); /* opening it says what is wrong with it */
}

bool sl_model_hash(SlModelInfo *info, SlHashFile hash, const int *cancel, SlError *err)
{
    char path[PATH_ROOM];
    for (int i = 0; i < info->files; i++) {
        SlModelFile *file = &info->file[i];
        if (info->single_file)
            snprintf(path, sizeof path, "%s", info->path);
        else
            snprintf(path, sizeof path, "%s/%s", info->path, file->name);
        if (!(hash ? hash : sl_sha256_file)(path, file->sha256, cancel, err))
            return false;
    }
    return true;
}
