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
    sl_inspect_latents(info, &net, &pixels, 64);
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
    const SlModelInfo *info = &model->info;
    SlTextEncoderConfig text;
    SlUnetConfig net;
    SlVaeConfig pixels;
    return read_unet(&net, info, NULL, err) && read_text_encoder(&text, info, err) &&
           sl_read_vae(&pixels, info, err) &&
           sl_check_text_encoder(model, model->tokenizer, &text, err) &&
           sl_check_states(info, &net, text.hidden_size, err) &&
           sl_check_latents(info, &net, &pixels, err);
}

/* ---- texts ---- */

static bool ask_text(SlModel *model, const SlRecipe *recipe, bool negative, SlAsk *ask,
                     SlError *err)
{
    return sl_clip_ask(model, recipe, negative, false, ask, err);
}

static bool encode_text(SlModel *model, const SlAsk *ask, SlCondition *condition, SlError *err)
{
    const SlPromptEncoders encoders = {.part = {"text_encoder"},
                                       .state = {.skip = (int)ask->number[SL_CLIP_SKIPPED]}};
    return sl_clip_encode(model, ask, &encoders, condition, err);
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
    .parts = (const SlPartClass *const[]){&sl_part_unet, &sl_part_text_encoder, &vae, NULL},
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
    .parts = (const SlPartClass *const[]){&sl_part_unet, &sl_part_text_encoder, &vae, NULL},
    .tokenizers = (const char *const[]){"CLIPTokenizer", "CLIPTokenizerFast", NULL},
    .inspect = inspect_latent_consistency,
    .check = check,
    .ask = ask_text,
    .encode = encode_text,
};
