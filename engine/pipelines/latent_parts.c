/* latent_parts.c - see latent_parts.h.
 *
 * Easy to get wrong: parts that load well one by one but do not fit each other (another tokenizer,
 * another VAE) must be refused with both numbers, before the first product runs past a table.
 */
#include "engine/pipelines/latent_parts.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- the parts ---- */

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

bool sl_vae_config_to_decode(SlVaeConfig *config, const SlJson *json, SlError *err)
{
    if (!sl_vae_config(config, json, err))
        return false;
    config->encodes = false;
    return config->latent_channels <= SL_MAX_LATENT_CHANNELS ||
           sl_fail(err, SL_UNSUPPORTED, "%s: latent_channels is %d; at most %d are supported",
                   sl_json_name(json), config->latent_channels, SL_MAX_LATENT_CHANNELS);
}

static void *build_vae(const SlJson *json, SlBinder *b, SlError *err)
{
    SlVaeConfig config;
    return sl_vae_config_to_decode(&config, json, err) ? sl_vae_new(&config, b, err) : NULL;
}

void sl_free_vae(void *vae)
{
    sl_vae_free(vae);
}

const SlPartClass sl_part_unet = {
    .name = "unet",
    .base = "diffusion_pytorch_model",
    .classes = (const char *const[]){"UNet2DConditionModel", NULL},
    .use = SL_USE_DENOISE,
    .build = build_unet,
    .free = free_unet,
};

const SlPartClass sl_part_text_encoder = {
    .name = "text_encoder",
    .base = "model",
    .classes = (const char *const[]){"CLIPTextModel", "CLIPTextModelWithProjection", NULL},
    .use = SL_USE_ENCODE,
    .build = build_text_encoder,
    .free = free_text_encoder,
};

const SlPartClass sl_part_text_encoder_2 = {
    .name = "text_encoder_2",
    .base = "model",
    .classes = (const char *const[]){"CLIPTextModelWithProjection", NULL},
    .use = SL_USE_ENCODE,
    .build = build_text_encoder,
    .free = free_text_encoder,
};

const SlPartClass sl_part_vae = {
    .name = "vae",
    .base = "diffusion_pytorch_model",
    .classes = (const char *const[]){"AutoencoderKL", "AutoencoderTiny", NULL},
    .use = SL_USE_DECODE,
    .compute = SL_COMPUTE_UPCAST,
    .build = build_vae,
    .free = sl_free_vae,
};

/* ---- configurations ---- */

bool sl_read_text_encoder(SlTextEncoderConfig *config, const SlModelInfo *info, const char *part,
                          SlError *err)
{
    SlJson *json = sl_model_config(info, part, err);
    bool ok = json && sl_text_encoder_config(config, json, err);
    sl_json_close(json);
    return ok;
}

bool sl_read_unet_condition(SlUnetConfig *config, const SlModelInfo *info, SlError *err)
{
    SlJson *json = sl_model_config(info, "unet", err);
    bool ok = json && sl_unet_config(config, json, err) && sl_unet_of_kind(config, json, true, err);
    sl_json_close(json);
    return ok;
}

bool sl_read_vae(SlVaeConfig *config, const SlModelInfo *info, SlError *err)
{
    SlJson *json = sl_model_config(info, "vae", err);
    bool ok = json && sl_vae_config(config, json, err);
    sl_json_close(json);
    return ok;
}

bool sl_read_prompt_tokens(const SlModelInfo *info, const char *folder, int max_positions,
                           int *tokens, SlError *err)
{
    char path[sizeof info->path + 64];
    SlError own = {0};
    *tokens = max_positions;
    if (info->single_file)
        return true;
    snprintf(path, sizeof path, "%s/%s/tokenizer_config.json", info->path, folder);
    SlJson *json = sl_json_open(path, err);
    if (!json)
        return false;
    double length = sl_json_double(json, "model_max_length", max_positions, 3, 1e300, &own);
    if (length < 1e9)
        *tokens = (int)length;
    sl_json_close(json);
    return own.code == SL_OK || sl_fail(err, own.code, "%s", own.message);
}

void sl_inspect_latents(SlModelInfo *info, const SlUnetConfig *unet, const SlVaeConfig *vae,
                        int usual)
{
    info->told_guidance = unet->time_cond_proj_dim > 0;
    if (info->told_guidance)
        info->lacks |= SL_HAS_NEGATIVE_PROMPT | SL_HAS_ZEROS;
    info->channels = unet->in_channels;
    info->factor = vae->factor;
    info->size_multiple = vae->factor * sl_unet_size_multiple(unet);
    info->branches = sl_unet_branches(unet);
    info->also_has |= SL_HAS_BRANCHES;
    info->width = (unet->sample_width ? unet->sample_width : usual) * vae->factor;
    info->height = (unet->sample_height ? unet->sample_height : usual) * vae->factor;
}

/* ---- do they fit each other? Sizes inside a part were checked when its weights were bound ---- */

bool sl_check_text_encoder(const SlModel *model, const SlTokenizer *tokenizer,
                           const SlTextEncoderConfig *text, SlError *err)
{
    int vocab = sl_tokenizer_vocab_size(tokenizer);
    int length = sl_tokenizer_max_length(tokenizer);
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

bool sl_check_states(const SlModelInfo *info, const SlUnetConfig *unet, int width, SlError *err)
{
    for (int i = 0; i < unet->blocks; i++)
        if (unet->cross_attention_dim[i] != width)
            return sl_fail(err, SL_FORMAT,
                           "%s: the UNet expects text embeddings of size %d (cross_attention_dim), "
                           "the model's texts have %d",
                           info->path, unet->cross_attention_dim[i], width);
    return true;
}

bool sl_check_latents(const SlModelInfo *info, const SlUnetConfig *unet, const SlVaeConfig *vae,
                      SlError *err)
{
    return (unet->in_channels == vae->latent_channels &&
            unet->out_channels == vae->latent_channels) ||
           sl_fail(err, SL_UNSUPPORTED,
                   "%s: the UNet has %d input and %d output channels, the VAE %d latent channels; "
                   "only text to picture models with equal numbers can run",
                   info->path, unet->in_channels, unet->out_channels, vae->latent_channels);
}
