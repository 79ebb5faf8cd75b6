/* vae_config.c - vae/config.json of AutoencoderKL, AsymmetricAutoencoderKL and AutoencoderTiny,
 * checked completely.
 *
 * Easy to get wrong: diffusers' default is a single block of 64 channels; shift_factor is read by
 * no pipeline of the families that are here; where force_upcast is not said, it is true.
 */
#include <string.h>

#include "engine/nets/config.h"
#include "engine/nets/vae.h"

#define MAX_CHANNELS 16384

static void read_levels(SlVaeConfig *c, const SlJson *json, const char *key, SlError *err)
{
    int64_t channels[SL_VAE_MAX_BLOCKS] = {64, 64, 64, 64};
    int count = sl_json_ints(json, key, channels, SL_VAE_MAX_BLOCKS, 0, 1, MAX_CHANNELS, err);
    if (count == 0 && sl_json_has(json, key) && err->code == SL_OK)
        sl_fail(err, SL_FORMAT, "%s: \"%s\" is empty", sl_json_name(json), key);
    c->blocks = count > 0 ? count : c->kind == SL_VAE_TINY ? 4 : 1;
    for (int i = 0; i < c->blocks; i++)
        c->channels[i] = (int)channels[i];
    c->factor = 1 << (c->blocks - 1);
}

static void check_block_types(const SlVaeConfig *c, const SlJson *json, const char *key,
                              const char *expected, SlError *err)
{
    const char *names[SL_VAE_MAX_BLOCKS] = {expected};
    int count = sl_json_strings(json, key, names, SL_VAE_MAX_BLOCKS, err);
    if (!sl_json_has(json, key))
        count = 1;
    if (err->code != SL_OK || !sl_config_per_block(json, key, count, c->blocks, err))
        return;
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], expected) != 0) {
            sl_fail(err, SL_UNSUPPORTED,
                    "%s: \"%s\" contains \"%s\", and this program has \"%s\" only",
                    sl_json_name(json), key, names[i], expected);
            return;
        }
}

/* latents_mean or latents_std: one number for each latent channel. */
static bool read_latents(const SlVaeConfig *c, const SlJson *json, const char *key, double *out,
                         SlError *err)
{
    if (!sl_json_has(json, key) || err->code != SL_OK)
        return false;
    int count = sl_json_doubles(json, key, out, SL_VAE_MAX_LATENTS, err);
    return err->code == SL_OK &&
           (count == c->latent_channels ||
            sl_fail(err, SL_FORMAT,
                    "%s: \"%s\" has %d numbers, and there are %d in \"latent_channels\"",
                    sl_json_name(json), key, count, c->latent_channels));
}

/* As diffusers' pipelines use them, which look at both or at none of them. */
static void read_normalization(SlVaeConfig *c, const SlJson *json, SlError *err)
{
    double mean[SL_VAE_MAX_LATENTS], std[SL_VAE_MAX_LATENTS];
    bool has_mean = read_latents(c, json, "latents_mean", mean, err);
    bool has_std = read_latents(c, json, "latents_std", std, err);
    for (int i = 0; i < c->latent_channels; i++) {
        c->latents_mean[i] = has_mean && has_std ? mean[i] : 0;
        c->latents_std[i] = has_mean && has_std ? std[i] : 1;
    }
}

static void read_config(SlVaeConfig *c, const SlJson *json, SlError *err)
{
    c->in_channels = (int)sl_json_int(json, "in_channels", 3, 1, 64, err);
    c->out_channels = (int)sl_json_int(json, "out_channels", 3, 1, 64, err);
    c->latent_channels = (int)sl_json_int(json, "latent_channels", 4, 1, SL_VAE_MAX_LATENTS, err);
    bool asymmetric = c->kind == SL_VAE_ASYMMETRIC;
    c->layers_per_block =
        (int)sl_json_int(json, asymmetric ? "layers_per_up_block" : "layers_per_block", 1, 1,
                         SL_VAE_MAX_LAYERS, err);
    c->norm_groups = (int)sl_json_int(json, "norm_num_groups", 32, 1, MAX_CHANNELS, err);
    c->act = sl_config_activation(json, "act_fn", SL_ACT_SILU, err);
    c->mid_attention = sl_json_bool(json, "mid_block_add_attention", true, err);
    c->quant_conv = sl_json_bool(json, "use_quant_conv", true, err);
    c->post_quant_conv = sl_json_bool(json, "use_post_quant_conv", true, err);
    c->scaling_factor = (float)sl_json_double(json, "scaling_factor", 0.18215, 1e-6, 1e6, err);
    c->force_upcast = sl_json_bool(json, "force_upcast", true, err);
    read_normalization(c, json, err);
    read_levels(c, json, asymmetric ? "up_block_out_channels" : "block_out_channels", err);
    if (!asymmetric) /* the encoder may have another number of levels */
        check_block_types(c, json, "down_block_types", "DownEncoderBlock2D", err);
    check_block_types(c, json, "up_block_types", "UpDecoderBlock2D", err);
    for (int i = 0; i < c->blocks && err->code == SL_OK; i++)
        sl_config_divides(json, "norm_num_groups", c->norm_groups, "block_out_channels",
                          c->channels[i], err);
}

static void read_tiny_blocks(SlVaeConfig *c, const SlJson *json, SlError *err)
{
    int64_t blocks[SL_VAE_MAX_BLOCKS] = {3, 3, 3, 1};
    const char *key = "num_decoder_blocks";
    int count = sl_json_ints(json, key, blocks, SL_VAE_MAX_BLOCKS, 0, 0, SL_VAE_MAX_LAYERS, err);
    if (!sl_json_has(json, key))
        count = 4;
    if (err->code != SL_OK || !sl_config_per_block(json, key, count, c->blocks, err))
        return;
    for (int i = 0; i < c->blocks; i++) {
        c->tiny_blocks[i] = (int)blocks[i];
        if (c->channels[i] != c->channels[0])
            sl_fail(err, SL_UNSUPPORTED,
                    "%s: \"decoder_block_out_channels\" has both %d and %d; diffusers itself runs "
                    "equal numbers only",
                    sl_json_name(json), c->channels[0], c->channels[i]);
    }
}

static void read_tiny(SlVaeConfig *c, const SlJson *json, SlError *err)
{
    static const char *const nearest[] = {"nearest", NULL};
    c->in_channels = (int)sl_json_int(json, "in_channels", 3, 1, 64, err);
    c->out_channels = (int)sl_json_int(json, "out_channels", 3, 1, 64, err);
    c->latent_channels = (int)sl_json_int(json, "latent_channels", 4, 1, SL_VAE_MAX_LATENTS, err);
    c->act = sl_config_activation(json, "act_fn", SL_ACT_RELU, err);
    c->scaling_factor = (float)sl_json_double(json, "scaling_factor", 1, 1e-6, 1e6, err);
    sl_json_choice(json, "upsample_fn", nearest, 0, err);
    sl_json_int(json, "upsampling_scaling_factor", 2, 2, 2, err);
    read_normalization(c, json, err);
    read_levels(c, json, "decoder_block_out_channels", err);
    read_tiny_blocks(c, json, err);
}

bool sl_vae_config(SlVaeConfig *config, const SlJson *json, SlError *err)
{
    static const char *const kinds[] = {"AutoencoderKL", "AsymmetricAutoencoderKL",
                                        "AutoencoderTiny", NULL};
    SlError first = {0};
    memset(config, 0, sizeof *config);
    int kind = sl_json_choice(json, "_class_name", kinds, SL_VAE_KL, &first);
    config->kind = kind < 0 ? SL_VAE_KL : (SlVaeKind)kind;
    config->encodes = config->kind == SL_VAE_KL;
    if (first.code != SL_OK)
        first.code = SL_UNSUPPORTED;
    else if (config->kind == SL_VAE_TINY)
        read_tiny(config, json, &first);
    else
        read_config(config, json, &first);
    if (first.code != SL_OK && err)
        *err = first;
    return first.code == SL_OK;
}
