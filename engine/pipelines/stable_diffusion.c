/* stable_diffusion.c - the family of Stable Diffusion 1.x and 2.x (diffusers
 * pipelines/stable_diffusion/pipeline_stable_diffusion.py): a CLIP text encoder, a
 * UNet2DConditionModel in the latents of an AutoencoderKL, classifier-free guidance. And that of
 * its latent consistency models (pipelines/latent_consistency_models/
 * pipeline_latent_consistency_text2img.py), whose UNet was distilled with guidance and is told the
 * number instead: LatentConsistencyModelPipeline corrects nothing and knows no negative prompt.
 *
 * Easy to get wrong: parts that load well one by one but do not fit each other (another tokenizer,
 * another VAE) must be refused with both numbers, before the first product runs past a table.
 */
#include "engine/pipelines/builtin_configs.h"
#include "engine/pipelines/corrections.h"
#include "engine/pipelines/pipelines.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- parts ---- */

static void *build_text_encoder(const SlJson *json, SlBinder *b, SlError *err)
{
    SlTextEncoderConfig config;
    return sl_text_encoder_config(&config, json, err) ? sl_text_encoder_new(&config, b, err) : NULL;
}

static void free_text_encoder(void *te)
{
    sl_text_encoder_free(te);
}

static void *build_unet(const SlJson *json, SlBinder *b, SlError *err)
{
    return sl_denoiser_new(&sl_denoiser_unet_condition, json, b, err);
}

static void free_unet(void *unet)
{
    sl_denoiser_free(unet);
}

static void *build_vae(const SlJson *json, SlBinder *b, SlError *err)
{
    SlVaeConfig config;
    if (!sl_vae_config(&config, json, err))
        return NULL;
    if (config.latent_channels > SL_MAX_LATENT_CHANNELS) {
        sl_fail(err, SL_UNSUPPORTED, "%s: latent_channels is %d; at most %d are supported",
                sl_json_name(json), config.latent_channels, SL_MAX_LATENT_CHANNELS);
        return NULL;
    }
    for (int i = 0; i < config.latent_channels; i++) {
        config.latents_mean[i] = 0; /* this pipeline knows the scaling factor only */
        config.latents_std[i] = 1;
    }
    config.encodes = false;
    return sl_vae_new(&config, b, err);
}

static void free_vae(void *vae)
{
    sl_vae_free(vae);
}

static const SlPartClass unet = {
    .name = "unet",
    .base = "diffusion_pytorch_model",
    .classes = (const char *const[]){"UNet2DConditionModel", NULL},
    .use = SL_USE_DENOISE,
    .build = build_unet,
    .free = free_unet,
};

static const SlPartClass text_encoder = {
    .name = "text_encoder",
    .base = "model",
    .classes = (const char *const[]){"CLIPTextModel", "CLIPTextModelWithProjection", NULL},
    .use = SL_USE_ENCODE,
    .build = build_text_encoder,
    .free = free_text_encoder,
};

static const SlPartClass vae = {
    .name = "vae",
    .base = "diffusion_pytorch_model",
    .classes =
        (const char *const[]){"AutoencoderKL", "AsymmetricAutoencoderKL", "AutoencoderTiny", NULL},
    .use = SL_USE_DECODE,
    .build = build_vae,
    .free = free_vae,
};

/* ---- looking at a model ---- */

/* correct: whose sample_size is to be what the pipeline takes it for; NULL: as it is. */
static bool read_unet(SlUnetConfig *config, const SlModelInfo *info, SlModelInfo *correct,
                      SlError *err)
{
    SlJson *json = sl_model_config(info, "unet", err);
    bool ok = json && sl_unet_config(config, json, err) && sl_unet_of_kind(config, json, true, err);
    if (ok && correct)
        sl_correct_sample_size(config, json, correct);
    sl_json_close(json);
    return ok;
}

/* model_max_length; absent or the huge number that stands for "no limit" is what the text encoder
 * can take. */
static bool read_prompt_tokens(SlModelInfo *info, int max_positions, SlError *err)
{
    char path[sizeof info->path + 64];
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

static bool read_text_config(SlTextEncoderConfig *config, const SlModelInfo *info, SlError *err)
{
    SlJson *json = sl_model_config(info, "text_encoder", err);
    bool ok = json && sl_text_encoder_config(config, json, err);
    sl_json_close(json);
    return ok;
}

static bool read_text_encoder(SlModelInfo *info, SlError *err)
{
    SlTextEncoderConfig config;
    return read_text_config(&config, info, err) &&
           read_prompt_tokens(info, config.max_positions, err);
}

static bool read_vae(SlVaeConfig *config, const SlModelInfo *info, SlError *err)
{
    SlJson *json = sl_model_config(info, "vae", err);
    bool ok = json && sl_vae_config(config, json, err);
    sl_json_close(json);
    return ok;
}

/* correct: as read_unet's. */
static bool inspect_parts(SlModelInfo *info, SlModelInfo *correct, SlError *err)
{
    SlUnetConfig net;
    SlVaeConfig pixels;
    if (!read_unet(&net, info, correct, err) || !read_text_encoder(info, err) ||
        !read_vae(&pixels, info, err))
        return false;
    if (pixels.out_channels != 3 && pixels.out_channels != 1)
        return sl_fail(
            err, SL_UNSUPPORTED,
            "%s: the VAE's pictures have %d channels; expected 3, or 1 for grey pictures",
            sl_show_path(info->path).text, pixels.out_channels);
    info->told_guidance = net.time_cond_proj_dim > 0;
    if (info->told_guidance)
        info->lacks |= SL_HAS_NEGATIVE_PROMPT;
    info->channels = net.in_channels;
    info->factor = pixels.factor;
    info->size_multiple = pixels.factor * sl_unet_size_multiple(&net);
    info->width = (net.sample_width ? net.sample_width : 64) * pixels.factor;
    info->height = (net.sample_height ? net.sample_height : 64) * pixels.factor;
    return true;
}

static bool inspect(SlModelInfo *info, SlError *err)
{
    return sl_note_scheduler(info, err) && inspect_parts(info, info, err);
}

static bool inspect_latent_consistency(SlModelInfo *info, SlError *err)
{
    return inspect_parts(info, NULL, err) &&
           (info->told_guidance ||
            sl_fail(err, SL_UNSUPPORTED,
                    "%s: LatentConsistencyModelPipeline needs a UNet that is told the guidance "
                    "(time_cond_proj_dim), and this one is not",
                    sl_show_path(info->path).text));
}

static bool recognise(const SlWeightSource *file, char arch[16], SlError *err)
{
    return sl_checkpoint_recognise(file, err) && sl_checkpoint_arch(file, arch, err) &&
           (sl_builtin_config(arch, "unet") ||
            sl_fail(err, SL_UNSUPPORTED, "this is a Stable Diffusion XL checkpoint"));
}

/* ---- do the parts fit each other? Sizes inside a part were checked when its weights were bound
 * ---- */

static bool check_text(const SlModel *model, const SlTextEncoderConfig *text, SlError *err)
{
    int vocab = sl_tokenizer_vocab_size(model->tokenizer);
    int length = sl_tokenizer_max_length(model->tokenizer);
    if (vocab > text->vocab_size)
        return sl_fail(err, SL_FORMAT,
                       "%s: the tokenizer has %d tokens, the text encoder knows %d: they belong to "
                       "different models",
                       model->info.path, vocab, text->vocab_size);
    return length <= text->max_positions ||
           sl_fail(err, SL_FORMAT,
                   "%s: the tokenizer's model_max_length is %d, the text encoder has %d "
                   "positions",
                   model->info.path, length, text->max_positions);
}

/* By their configurations: a part may be left for later. */
static bool check(const SlModel *model, SlError *err)
{
    const char *path = model->info.path;
    SlTextEncoderConfig text;
    SlUnetConfig net;
    SlVaeConfig pixels;
    if (!read_unet(&net, &model->info, NULL, err) || !read_text_config(&text, &model->info, err) ||
        !read_vae(&pixels, &model->info, err) || !check_text(model, &text, err))
        return false;
    for (int i = 0; i < net.blocks; i++)
        if (net.cross_attention_dim[i] != text.hidden_size)
            return sl_fail(err, SL_FORMAT,
                           "%s: the UNet expects text embeddings of size %d (cross_attention_dim), "
                           "the text encoder makes %d",
                           path, net.cross_attention_dim[i], text.hidden_size);
    if (net.in_channels != pixels.latent_channels || net.out_channels != pixels.latent_channels)
        return sl_fail(err, SL_UNSUPPORTED,
                       "%s: the UNet has %d input and %d output channels, the VAE %d latent "
                       "channels; only text to picture models with equal numbers can run",
                       path, net.in_channels, net.out_channels, pixels.latent_channels);
    return true;
}

/* ---- texts ---- */

/* number[0]: how many of the text encoder's last layers are skipped. As in diffusers, that is the
 * prompt's only: the negative prompt keeps all layers. */
static bool ask_text(SlModel *model, const SlRecipe *recipe, bool negative, SlAsk *ask,
                     SlError *err)
{
    char *unused = NULL;
    int count = 0;
    ask->length = sl_tokenizer_max_length(model->tokenizer);
    ask->ids = calloc((size_t)ask->length, sizeof *ask->ids);
    if (!ask->ids)
        return sl_fail(err, SL_MEMORY, "out of memory for the text");
    ask->number[0] = negative ? 0 : recipe->clip_skip;
    const SlTokenizer *t = sl_tokenizer_as(model->tokenizer, (SlTokenRules)recipe->tokenizer);
    char *text = sl_tokenizer_expand(t, negative ? recipe->negative_prompt : recipe->prompt, err);
    bool ok = text && sl_tokenize_padded(t, text, ask->ids, &unused, &count, err);
    free(text);
    if (!ok)
        return false;
    if (unused)
        snprintf(ask->warning, sizeof ask->warning, "%d token%s of the %s %s not used: %s", count,
                 count == 1 ? "" : "s", negative ? "negative prompt" : "prompt",
                 count == 1 ? "was" : "were", unused);
    free(unused);
    return true;
}

static bool finite_text(const SlConditionTensor *t, SlError *err)
{
    int64_t bad = sl_first_bad(t->values, t->size[0] * t->size[1]);
    return bad < 0 ||
           sl_fail(err, SL_FORMAT,
                   "the text encoder's output is not a finite number at token %d of %d: no step "
                   "can be computed with it",
                   (int)(bad / t->size[1]) + 1, (int)t->size[0]);
}

static bool encode_text(SlModel *model, const SlAsk *ask, SlCondition *condition, SlError *err)
{
    SlDevice *dev = model->dev;
    const SlTextEncoder *te = sl_model_net(model, "text_encoder");
    const int64_t size[] = {ask->length, sl_text_encoder_get_config(te)->hidden_size};
    SlConditionTensor *out = sl_condition_add(condition, "hidden_states", 2, size, err);
    if (!out)
        return false;
    size_t mark = sl_arena_mark(dev);
    SlTensor tokens = sl_tensor_new(dev, SL_I32, 2, (const int64_t[]){1, size[0]});
    SlTensor f32 = sl_tensor_new(dev, SL_F32, 3, (const int64_t[]){1, size[0], size[1]});
    SlTensor states = {0};
    sl_upload(dev, ask->ids, &tokens);
    SlTextState state = {.skip = (int)ask->number[0]};
    bool ok = sl_text_encoder_forward(dev, te, &tokens, state, &states, NULL, err);
    if (ok) {
        sl_copy(dev, &states, &f32);
        sl_download(dev, &f32, out->values);
        ok = sl_device_check(dev, err) && finite_text(out, err);
    }
    sl_arena_reset(dev, mark);
    return ok;
}

const SlPipelineClass sl_class_stable_diffusion = {
    .info = {.id = "stable-diffusion",
             .class_name = "StableDiffusionPipeline",
             .has = SL_HAS_PROMPT | SL_HAS_NEGATIVE_PROMPT | SL_HAS_GUIDANCE | SL_HAS_CLIP,
             .guidance_rule = SL_GUIDANCE_CLASSIFIER_FREE,
             .passes_eta = true,
             .steps = 25,
             .guidance = 7.5,
             .bench_scheduler = "euler"},
    .class_names = (const char *const[]){"StableDiffusionPipeline", NULL},
    .parts = (const SlPartClass *const[]){&unet, &text_encoder, &vae, NULL},
    .tokenizers = (const char *const[]){"CLIPTokenizer", "CLIPTokenizerFast", NULL},
    .recognise = recognise,
    .builtin = sl_builtin_config,
    .arch = sl_builtin_arch,
    .inspect = inspect,
    .correct_scheduler = sl_correct_scheduler,
    .check = check,
    .ask = ask_text,
    .encode = encode_text,
};

const SlPipelineClass sl_class_latent_consistency = {
    .info = {.id = "latent-consistency",
             .class_name = "LatentConsistencyModelPipeline",
             .has = SL_HAS_PROMPT | SL_HAS_GUIDANCE | SL_HAS_CLIP,
             .guidance_rule = SL_GUIDANCE_NUMBER,
             .steps = 4,
             .guidance = 8.5,
             .bench_scheduler = "lcm"},
    .class_names = (const char *const[]){"LatentConsistencyModelPipeline", NULL},
    .parts = (const SlPartClass *const[]){&unet, &text_encoder, &vae, NULL},
    .tokenizers = (const char *const[]){"CLIPTokenizer", "CLIPTokenizerFast", NULL},
    .inspect = inspect_latent_consistency,
    .check = check,
    .ask = ask_text,
    .encode = encode_text,
};
