/* stable_diffusion.c - the family of Stable Diffusion 1.x and 2.x (diffusers
 * pipelines/stable_diffusion/pipeline_stable_diffusion.py): a CLIP text encoder, a
 * UNet2DConditionModel in the latents of an AutoencoderKL, classifier-free guidance. And that of
 * its latent consistency models (pipelines/latent_consistency_models/
 * pipeline_latent_consistency_text2img.py), whose UNet was distilled with guidance and is told the
 * number instead: LatentConsistencyModelPipeline corrects nothing and knows no negative prompt.
 *
 * Easy to get wrong: this pipeline corrects old folders (corrections.h), and does not know a VAE's
 * mean and deviation.
 */
#include "engine/pipelines/builtin_configs.h"
#include "engine/pipelines/corrections.h"
#include "engine/pipelines/latent_parts.h"

#include <stdlib.h>

/* ---- parts ---- */

static void *build_vae(const SlJson *json, SlBinder *b, SlError *err)
{
    SlVaeConfig config;
    if (!sl_vae_config_to_decode(&config, json, err))
        return NULL;
    for (int i = 0; i < config.latent_channels; i++) {
        config.latents_mean[i] = 0; /* this pipeline knows the scaling factor only */
        config.latents_std[i] = 1;
    }
    return sl_vae_new(&config, b, err);
}

static const SlPartClass unet = {
    .name = "unet",
    .base = "diffusion_pytorch_model",
    .classes = (const char *const[]){"UNet2DConditionModel", NULL},
    .use = SL_USE_DENOISE,
    .build = sl_build_unet_condition,
    .free = sl_free_unet_condition,
};

static const SlPartClass text_encoder = {
    .name = "text_encoder",
    .base = "model",
    .classes = (const char *const[]){"CLIPTextModel", "CLIPTextModelWithProjection", NULL},
    .use = SL_USE_ENCODE,
    .build = sl_build_text_encoder,
    .free = sl_free_text_encoder,
};

static const SlPartClass vae = {
    .name = "vae",
    .base = "diffusion_pytorch_model",
    .classes =
        (const char *const[]){"AutoencoderKL", "AsymmetricAutoencoderKL", "AutoencoderTiny", NULL},
    .use = SL_USE_DECODE,
    .build = build_vae,
    .free = sl_free_vae,
};

/* ---- looking at a model ---- */

/* correct: whose sample_size is to be what the pipeline takes it for; NULL: as it is. */
static bool read_unet(SlUnetConfig *config, const SlModelInfo *info, SlModelInfo *correct,
                      SlError *err)
{
    SlJson *json = correct ? sl_model_config(info, "unet", err) : NULL;
    bool ok = sl_read_unet_condition(config, info, err) && (!correct || json);
    if (ok && correct)
        sl_correct_sample_size(config, json, correct);
    sl_json_close(json);
    return ok;
}

static bool read_text_encoder(SlTextEncoderConfig *config, const SlModelInfo *info, SlError *err)
{
    return sl_read_text_encoder(config, info, "text_encoder", err);
}

/* correct: as read_unet's. */
static bool inspect_parts(SlModelInfo *info, SlModelInfo *correct, SlError *err)
{
    SlUnetConfig net;
    SlTextEncoderConfig text;
    SlVaeConfig pixels;
    if (!read_unet(&net, info, correct, err) || !read_text_encoder(&text, info, err) ||
        !sl_read_prompt_tokens(info, "tokenizer", text.max_positions, &info->prompt_tokens, err) ||
        !sl_read_vae(&pixels, info, err))
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

/* ---- do the parts fit each other? ---- */

/* By their configurations: a part may be left for later. */
static bool check(const SlModel *model, SlError *err)
{
    const char *path = model->info.path;
    SlTextEncoderConfig text;
    SlUnetConfig net;
    SlVaeConfig pixels;
    if (!read_unet(&net, &model->info, NULL, err) || !read_text_encoder(&text, &model->info, err) ||
        !sl_read_vae(&pixels, &model->info, err) ||
        !sl_check_text_encoder(model, model->tokenizer, &text, err))
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
 * prompt's only: the negative prompt keeps all layers. Other programs skip them in both. */
static bool ask_text(SlModel *model, const SlRecipe *recipe, bool negative, SlAsk *ask,
                     SlError *err)
{
    if (ask->prompt) {
        ask->number[0] = recipe->clip_skip;
        return sl_tokenize_prompt(model, recipe, negative, ask, err);
    }
    ask->length = sl_tokenizer_max_length(model->tokenizer);
    ask->ids = calloc((size_t)ask->length, sizeof *ask->ids);
    if (!ask->ids)
        return sl_fail(err, SL_MEMORY, "out of memory for the text");
    ask->number[0] = negative ? 0 : recipe->clip_skip;
    return sl_tokenize_text(model->tokenizer, recipe, negative, ask->ids, ask, err);
}

static bool encode_text(SlModel *model, const SlAsk *ask, SlCondition *condition, SlError *err)
{
    const SlPromptEncoders encoders = {.part = {"text_encoder"},
                                       .state = {.skip = (int)ask->number[0]}};
    if (ask->tokens[0])
        return sl_encode_prompt(model, ask, &encoders, condition, err);
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
    SlTextExtras extras = {.vectors_end = ask->vectors_end};
    bool ok = sl_model_text_extras(model, "text_encoder", &extras, err) &&
              sl_text_encoder_forward_with(dev, te, &tokens, &extras, state, &states, NULL, err);
    if (ok) {
        sl_copy(dev, &states, &f32);
        sl_download(dev, &f32, out->values);
        ok = sl_device_check(dev, err) && sl_check_finite_text(out, err);
    }
    sl_arena_reset(dev, mark);
    return ok;
}

const SlPipelineClass sl_class_stable_diffusion = {
    .info = {.id = "stable-diffusion",
             .class_name = "StableDiffusionPipeline",
             .name = "Stable Diffusion",
             .has = SL_HAS_PROMPT | SL_HAS_NEGATIVE_PROMPT | SL_HAS_GUIDANCE | SL_HAS_CLIP |
                    SL_HAS_ADAPTERS,
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
             .name = "Latent Consistency",
             .has = SL_HAS_PROMPT | SL_HAS_GUIDANCE | SL_HAS_CLIP | SL_HAS_ADAPTERS,
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
