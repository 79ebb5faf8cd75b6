/* preview_decoder.c - a tiny VAE beside the model, for previews: found out about, checked against the
 * model, loaded.
 *
 * Mirrors how diffusers runs an AutoencoderTiny: the sample as the denoiser sees it, divided by
 * the tiny VAE's own scaling factor, which is 1. So the model's scaling factor is no number of the
 * computation, but it tells whose latents they are: those of SD 1.x and SDXL have the same size and
 * mean other colours.
 */
#include "engine/run/run.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_ROOM 4400

/* The tiny VAEs that there are, by what their files are called; a name that another one begins with
 * comes behind it. */
typedef struct Known {
    const char *name;
    int channels;
    double scale; /* of the VAE whose latents they take */
    const char *models;
} Known;

static const Known known[] = {
    {"taesdxl", 4, 0.13025, "Stable Diffusion XL"},
    {"taesd3", 16, 1.5305, "Stable Diffusion 3"},
    {"taef1", 16, 0.3611, "FLUX.1"},
    {"taesd", 4, 0.18215, "Stable Diffusion 1 and 2"},
};

#define N_KNOWN (sizeof known / sizeof known[0])

static const Known *known_by_scale(double scale)
{
    for (size_t i = 0; i < N_KNOWN; i++)
        if (fabs(known[i].scale - scale) < 1e-4)
            return &known[i];
    return NULL;
}

/* A "taesd" with an "xl" anywhere is not taken for either. */
static const Known *known_by_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    char name[300];
    snprintf(name, sizeof name, "%s", slash && slash[1] ? slash + 1 : path);
    for (char *c = name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    for (size_t i = 0; i < N_KNOWN; i++)
        if (strstr(name, known[i].name))
            return i == N_KNOWN - 1 && strstr(name, "xl") ? NULL : &known[i];
    return NULL;
}

/* ---- its file ---- */

/* What is read of it before it is loaded. */
typedef struct Tiny {
    SlJson *json;
    SlWeightSource *weights;
    SlVaeConfig config;
    const Known *kind; /* NULL: nothing says it */
} Tiny;

static void tiny_close(Tiny *tiny)
{
    sl_json_close(tiny->json);
    sl_weights_close(tiny->weights);
}

/* The folder with config.json: this one, or "vae" of a model. */
static bool open_folder(Tiny *tiny, const char *path, SlError *err)
{
    char folder[PATH_ROOM], config[PATH_ROOM + 20];
    struct stat st;
    snprintf(folder, sizeof folder, "%s/vae", path);
    snprintf(config, sizeof config, "%s/config.json", folder);
    if (stat(config, &st))
        snprintf(folder, sizeof folder, "%s", path);
    snprintf(config, sizeof config, "%s/config.json", folder);
    if (stat(config, &st))
        return sl_file_check(path, SL_WANT_TINY_VAE, err);
    tiny->json = sl_json_open(config, err);
    if (!tiny->json)
        return false;
    if (sl_json_has(tiny->json, "architectures")) /* it is transformers': no VAE at all */
        return sl_file_check(path, SL_WANT_TINY_VAE, err);
    SlError ignored = {0};
    tiny->kind = known_by_name(sl_json_string(tiny->json, "_name_or_path", "", &ignored));
    tiny->weights = sl_weights_open(folder, "diffusion_pytorch_model", err);
    return tiny->weights != NULL;
}

static bool open_file(Tiny *tiny, const char *path, SlError *err)
{
    SlWeightSource *file =
        sl_file_check(path, SL_WANT_TINY_VAE, err) ? sl_weights_open_file(path, err) : NULL;
    if (!file)
        return false;
    tiny->kind = known_by_scale(sl_tiny_scale(file));
    if (sl_weights_unless_known(file, SL_WANT_TINY_VAE, err))
        tiny->weights = sl_tiny_weights(file, err);
    tiny->json = tiny->weights ? sl_tiny_config(tiny->weights, err) : NULL;
    sl_weights_close(file);
    return tiny->json != NULL;
}

static bool tiny_open(Tiny *tiny, const char *path, SlError *err)
{
    struct stat st;
    bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    *tiny = (Tiny){0};
    if (!(folder ? open_folder(tiny, path, err) : open_file(tiny, path, err)) ||
        !sl_vae_config(&tiny->config, tiny->json, err))
        return false;
    if (!tiny->kind)
        tiny->kind = known_by_name(path);
    return tiny->config.kind == SL_VAE_TINY ||
           sl_fail(err, SL_UNSUPPORTED,
                   "%s: this is a VAE of full size; previews are made by a tiny one (an "
                   "AutoencoderTiny, such as taesd)",
                   sl_show_path(path).text);
}

/* ---- is it the model's? ---- */

/* False where the model has no VAE. */
static bool read_vae(SlVaeConfig *config, const SlModelInfo *info)
{
    SlJson *json = info->factor > 1 ? sl_model_config(info, "vae", NULL) : NULL;
    bool ok = json && sl_vae_config(config, json, NULL);
    sl_json_close(json);
    return ok;
}

static bool check(const SlModelInfo *info, const Tiny *tiny, const char *path, SlError *err)
{
    SlVaeConfig own;
    const SlVaeConfig *c = &tiny->config;
    SlShown shown = sl_show_path(path);
    if (!read_vae(&own, info))
        return sl_fail(err, SL_UNSUPPORTED,
                       "%s: the samples of the model %s are pixels, which no VAE decodes",
                       shown.text, info->name);
    const Known *suits = own.kind == SL_VAE_TINY ? NULL : known_by_scale(own.scaling_factor);
    if (tiny->kind && suits && tiny->kind != suits)
        return sl_fail(err, SL_UNSUPPORTED,
                       "%s: this is %s, for the latents of %s; those of the model %s are of %s: "
                       "expected %s",
                       shown.text, tiny->kind->name, tiny->kind->models, info->name, suits->models,
                       suits->name);
    if (c->latent_channels != own.latent_channels || c->out_channels != 3)
        return sl_fail(err, SL_UNSUPPORTED,
                       "%s: this tiny VAE makes pictures of %d channels from latents of %d; the "
                       "latents of the model %s have %d, and its pictures 3",
                       shown.text, c->out_channels, c->latent_channels, info->name,
                       own.latent_channels);
    return c->factor == own.factor ||
           sl_fail(err, SL_UNSUPPORTED,
                   "%s: this tiny VAE makes %d pixels of a latent; the model %s has %d", shown.text,
                   c->factor, info->name, own.factor);
}

const char *sl_preview_decoder_name(const SlModelInfo *info)
{
    SlVaeConfig own;
    const Known *suits =
        read_vae(&own, info) && own.kind != SL_VAE_TINY ? known_by_scale(own.scaling_factor) : NULL;
    return suits && suits->channels == own.latent_channels ? suits->name : NULL;
}

bool sl_preview_decoder_check(const SlModelInfo *info, const char *path, SlError *err)
{
    Tiny tiny;
    bool ok = tiny_open(&tiny, path, err) && check(info, &tiny, path, err);
    tiny_close(&tiny);
    return ok;
}

/* ---- loading ---- */

static void clear(SlPreviewDecoder *d)
{
    sl_vae_free(d->vae);
    sl_binder_free(d->binder);
    free(d->path);
    *d = (SlPreviewDecoder){0};
}

static bool load(SlModel *model, const Tiny *tiny, const char *path, SlError *err)
{
    SlPreviewDecoder *d = &model->preview_decoder;
    const SlBinderOptions options = {.dev = model->dev,
                                     .weights = tiny->weights,
                                     .own_dtype = true, /* not in 8 bits: it is small */
                                     .dtype = model->dev->dtype,
                                     .component = "preview decoder"};
    d->path = strdup(path);
    d->binder = sl_binder_new(&options);
    if (!d->path || !d->binder)
        return sl_fail(err, SL_MEMORY, "memory ran out for the preview decoder");
    d->vae = sl_vae_new(&tiny->config, d->binder, err);
    return d->vae && sl_binder_finish(d->binder, false, err) && sl_device_check(model->dev, err);
}

bool sl_model_set_preview_decoder(SlModel *model, const char *path, SlError *err)
{
    Tiny tiny;
    sl_decode_take(model, NULL); /* what is on its way may be of the one before */
    clear(&model->preview_decoder);
    if (!path)
        return true;
    bool ok = tiny_open(&tiny, path, err) && check(&model->info, &tiny, path, err);
    if (ok && !load(model, &tiny, path, err)) {
        ok = false;
        clear(&model->preview_decoder);
        sl_device_clear(model->dev);
    }
    tiny_close(&tiny);
    return ok;
}

const char *sl_model_preview_decoder(const SlModel *model)
{
    return model->preview_decoder.path;
}
