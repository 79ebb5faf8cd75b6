/* model.c - opening a model: a diffusers folder or a single checkpoint onto a device.
 *
 * Mirrors diffusers pipelines/pipeline_utils.py (from_pretrained) as far as the two pipelines need
 * it. Easy to get wrong: parts that load well one by one but do not fit each other (another
 * tokenizer, another VAE) must be refused here, with both numbers, before the first product runs
 * past a table.
 */
#include "engine/pipelines/pipelines.h"
#include "engine/run/step.h"

#include "engine/pipelines/builtin_configs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

SlJson *sl_model_config(const SlModelInfo *info, const char *part, SlError *err)
{
    bool scheduler = !strcmp(part, "scheduler");
    char path[4400];
    if (info->single_file) {
        const char *text = sl_builtin_config(info->arch, part);
        if (!text) {
            sl_fail(err, SL_UNSUPPORTED, "%s: there is no built-in %s configuration for \"%s\"",
                    info->path, part, info->arch);
            return NULL;
        }
        snprintf(path, sizeof path, "%s configuration of %s", part, info->arch);
        return sl_json_parse(path, text, strlen(text), err);
    }
    snprintf(path, sizeof path, "%s/%s/%s", info->path, part,
             scheduler ? "scheduler_config.json" : "config.json");
    return sl_json_open(path, err);
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A single file carries no vocabulary: the option, a folder "tokenizer" beside the file, or one
 * named as the file without its ending. */
static bool find_tokenizer(const SlModelInfo *info, const SlModelOptions *options, char *out,
                           size_t size, SlError *err)
{
    if (!info->single_file) {
        snprintf(out, size, "%s/tokenizer", info->path);
        return true;
    }
    if (options->tokenizer) {
        snprintf(out, size, "%s", options->tokenizer);
        return true;
    }
    const char *slash = strrchr(info->path, '/');
    int folder = slash ? (int)(slash - info->path) : 1;
    snprintf(out, size, "%.*s/tokenizer", folder, slash ? info->path : ".");
    if (is_folder(out))
        return true;
    int stem = (int)strlen(info->path) - (int)strlen(".safetensors");
    snprintf(out, size, "%.*s/tokenizer", stem > 0 ? stem : 0, info->path);
    if (is_folder(out))
        return true;
    return sl_fail(err, SL_IO,
                   "%s: a single checkpoint does not contain the tokenizer's vocabulary; put the "
                   "\"tokenizer\" folder of a Stable Diffusion model (vocab.json, merges.txt) "
                   "beside the file",
                   info->path);
}

static bool open_tokenizer(SlModel *model, const SlModelOptions *options, SlError *err)
{
    char folder[4400];
    if (model->info.pipeline != SL_PIPELINE_STABLE_DIFFUSION)
        return true;
    if (!find_tokenizer(&model->info, options, folder, sizeof folder, err))
        return false;
    model->tokenizer = sl_tokenizer_open(folder, err);
    return model->tokenizer != NULL;
}

bool sl_dtype_parse(const char *name, const char *device, SlDtype *dtype, SlError *err)
{
    static const struct {
        const char *name;
        SlDtype dtype;
    } dtypes[] = {{"f32", SL_F32}, {"f16", SL_F16}, {"bf16", SL_BF16}};
    if (!name || !strcmp(name, "auto")) {
        *dtype = device && !strcmp(device, "cuda") ? SL_F16 : SL_F32;
        return true;
    }
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
        if (!strcmp(name, dtypes[i].name)) {
            *dtype = dtypes[i].dtype;
            return true;
        }
    return sl_fail(err, SL_ARGUMENT, "the data type is \"%s\"; expected auto, f32, bf16 or f16",
                   name);
}

static bool open_device(SlModel *model, const SlModelOptions *options, SlError *err)
{
    SlDeviceOptions device = {
        .name = options->device ? options->device : "auto",
        .threads = options->threads,
        .any_dtype = !options->dtype || !strcmp(options->dtype, "auto"),
    };
    if (!sl_dtype_parse(options->dtype, device.name, &device.dtype, err))
        return false;
    model->dev = sl_device_open(&device, err);
    return model->dev != NULL;
}

/* Do the parts fit each other? Sizes inside a part were checked when its weights were bound. */
static bool check_fit(const SlModel *model, SlError *err)
{
    if (model->info.pipeline != SL_PIPELINE_STABLE_DIFFUSION)
        return true;
    const char *path = model->info.path;
    const SlTextEncoderConfig *text = sl_text_encoder_get_config(model->text_encoder);
    const SlUnetConfig *unet = sl_unet_get_config(model->unet);
    const SlVaeConfig *vae = sl_vae_get_config(model->vae);
    int vocab = sl_tokenizer_vocab_size(model->tokenizer);
    int length = sl_tokenizer_max_length(model->tokenizer);
    if (vocab > text->vocab_size)
        return sl_fail(err, SL_FORMAT,
                       "%s: the tokenizer has %d tokens, the text encoder knows %d: they belong to "
                       "different models",
                       path, vocab, text->vocab_size);
    if (length > text->max_positions)
        return sl_fail(err, SL_FORMAT,
                       "%s: the tokenizer's model_max_length is %d, the text encoder has %d "
                       "positions",
                       path, length, text->max_positions);
    for (int i = 0; i < unet->blocks; i++)
        if (unet->cross_attention_dim[i] != text->hidden_size)
            return sl_fail(err, SL_FORMAT,
                           "%s: the UNet expects text embeddings of size %d (cross_attention_dim), "
                           "the text encoder makes %d",
                           path, unet->cross_attention_dim[i], text->hidden_size);
    if (unet->in_channels != vae->latent_channels || unet->out_channels != vae->latent_channels)
        return sl_fail(err, SL_UNSUPPORTED,
                       "%s: the UNet has %d input and %d output channels, the VAE %d latent "
                       "channels; only text to picture models with equal numbers can run",
                       path, unet->in_channels, unet->out_channels, vae->latent_channels);
    return true;
}

static bool open_all(SlModel *model, const SlModelOptions *options, SlError *err)
{
    if (!open_tokenizer(model, options, err) || !open_device(model, options, err))
        return false;
    model->scheduler_config = sl_model_config(&model->info, "scheduler", err);
    if (!model->scheduler_config)
        return false;
    return sl_model_load_parts(model, options, err) && check_fit(model, err) &&
           sl_model_find_preview(model, err);
}

SlModel *sl_model_open(const char *path, const SlModelOptions *options, SlError *err)
{
    static const SlModelOptions none;
    SlModel *model = calloc(1, sizeof *model);
    if (!model) {
        sl_fail(err, SL_MEMORY, "%s: out of memory", path);
        return NULL;
    }
    if (!sl_model_inspect(path, &model->info, err) ||
        !open_all(model, options ? options : &none, err))
        sl_model_close(&model);
    return model;
}

void sl_model_close(SlModel **model)
{
    SlModel *m = *model;
    if (!m)
        return;
    sl_device_close(&m->beside);
    sl_step_free(m->step);
    sl_model_free_parts(m);
    sl_json_close(m->scheduler_config);
    sl_tokenizer_close(m->tokenizer);
    sl_device_close(&m->dev);
    free(m);
    *model = NULL;
}

const SlModelInfo *sl_model_info(const SlModel *model)
{
    return &model->info;
}

SlDevice *sl_model_device(SlModel *model)
{
    return model->dev;
}

const SlTokenizer *sl_model_tokenizer(const SlModel *model)
{
    return model->tokenizer;
}

const char *sl_model_warning(const SlModel *model)
{
    return model->warning[0] ? model->warning : NULL;
}

void sl_model_cancel(SlModel *model)
{
    sl_device_cancel(model->dev);
}

void sl_model_clear_cancel(SlModel *model)
{
    sl_device_clear(model->dev);
}

double sl_model_step_fraction(const SlModel *model)
{
    uint64_t total = sl_unet_operations(model->unet);
    uint64_t start = __atomic_load_n(&model->step_start, __ATOMIC_RELAXED);
    uint64_t done = sl_device_ops_done(model->dev) - start;
    if (total == 0)
        return 0;
    return done >= total ? 1 : (double)done / (double)total;
}
