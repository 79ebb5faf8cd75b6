/* test_configs.c - configurations of models: the real ones are read, damaged and unsupported ones
 * are refused with a sentence that names the file and the key.
 */
#include <string.h>

#include "tests/engine/nets/model_test.h"

#define FILE_NAME "m/config.json"

typedef union Config {
    SlTextEncoderConfig text;
    SlUnetConfig unet;
    SlVaeConfig vae;
} Config;

typedef enum Model { TEXT, UNET, VAE } Model;

static bool read_config(Model model, const char *text, Config *config, SlError *err)
{
    SlJson *json = sl_json_parse(FILE_NAME, text, strlen(text), err);
    bool ok = json && (model == TEXT   ? sl_text_encoder_config(&config->text, json, err)
                       : model == UNET ? sl_unet_config(&config->unet, json, err)
                                       : sl_vae_config(&config->vae, json, err));
    sl_json_close(json);
    return ok;
}

#define COND  "\"_class_name\": \"UNet2DConditionModel\""
#define PLAIN "\"_class_name\": \"UNet2DModel\""
#define TWO_COND                                                                 \
    COND ", \"down_block_types\": [\"CrossAttnDownBlock2D\", \"DownBlock2D\"], " \
         "\"up_block_types\": [\"UpBlock2D\", \"CrossAttnUpBlock2D\"], "         \
         "\"block_out_channels\": [32, 64]"
#define TWO_PLAIN                                                            \
    PLAIN ", \"down_block_types\": [\"DownBlock2D\", \"AttnDownBlock2D\"], " \
          "\"up_block_types\": [\"AttnUpBlock2D\", \"UpBlock2D\"], "         \
          "\"block_out_channels\": [32, 64]"

static const struct {
    Model model;
    const char *json;
    const char *says; /* a part of the sentence beside the file's name */
} refused[] = {
    {UNET, "{}", "_class_name"},
    {UNET, "{\"_class_name\": \"FluxTransformer2DModel\"}", "FluxTransformer2DModel"},
    {UNET, "{\"_class_name\": 3}", "_class_name"},
    {UNET, "{" COND ", \"block_out_channels\": [32, 64]}", "down_block_types"},
    {UNET, "{" COND ", \"block_out_channels\": []}", "block_out_channels"},
    {UNET, "{" COND ", \"block_out_channels\": [32, -64]}", "block_out_channels"},
    {UNET, "{" COND ", \"block_out_channels\": [32, 1000000000]}", "block_out_channels"},
    {UNET, "{" COND ", \"block_out_channels\": [32, 1e308]}", "block_out_channels"},
    {UNET, "{" COND ", \"block_out_channels\": \"320\"}", "block_out_channels"},
    {UNET, "{" COND ", \"block_out_channels\": [8, 8, 8, 8, 8, 8, 8, 8, 8]}", "block_out_channels"},
    {UNET, "{" COND ", \"block_out_channels\": [320, 640, 1280, 1250]}", "norm_num_groups"},
    {UNET, "{" TWO_COND ", \"norm_num_groups\": 0}", "norm_num_groups"},
    {UNET, "{" TWO_COND ", \"norm_num_groups\": -1}", "norm_num_groups"},
    {UNET, "{" TWO_COND ", \"norm_num_groups\": null}", "norm_num_groups"},
    {UNET, "{" TWO_COND ", \"norm_eps\": -1}", "norm_eps"},
    {UNET, "{" TWO_COND ", \"freq_shift\": 16}", "freq_shift"},
    {UNET, "{" TWO_COND ", \"attention_head_dim\": 7}", "attention_head_dim"},
    {UNET, "{" TWO_COND ", \"attention_head_dim\": 0}", "attention_head_dim"},
    {UNET, "{" TWO_COND ", \"attention_head_dim\": [8, 8, 8]}", "attention_head_dim"},
    {UNET, "{" TWO_COND ", \"num_attention_heads\": 8}", "num_attention_heads"},
    {UNET, "{" TWO_COND ", \"cross_attention_dim\": [768, 1024]}", "cross_attention_dim"},
    {UNET, "{" TWO_COND ", \"layers_per_block\": 0}", "layers_per_block"},
    {UNET, "{" TWO_COND ", \"layers_per_block\": 1000}", "layers_per_block"},
    {UNET, "{" TWO_COND ", \"layers_per_block\": [1]}", "layers_per_block"},
    {UNET, "{" TWO_COND ", \"only_cross_attention\": [true]}", "only_cross_attention"},
    {UNET, "{" TWO_COND ", \"layers_per_block\": []}", "layers_per_block"},
    {UNET, "{" TWO_COND ", \"transformer_layers_per_block\": [1, [1, 2]]}",
     "transformer_layers_per_block"},
    {UNET, "{" TWO_COND ", \"transformer_layers_per_block\": [1, 65]}",
     "transformer_layers_per_block"},
    {UNET, "{" TWO_COND ", \"transformer_layers_per_block\": [1, 1, 1]}",
     "transformer_layers_per_block"},
    {UNET,
     "{" TWO_COND ", \"transformer_layers_per_block\": [[1, 2], [1]], "
     "\"reverse_transformer_layers_per_block\": [1, 1]}",
     "transformer_layers_per_block"},
    {UNET, "{" TWO_COND ", \"reverse_transformer_layers_per_block\": [[1, 2], 1]}",
     "reverse_transformer_layers_per_block"},
    {UNET, "{" TWO_COND ", \"reverse_transformer_layers_per_block\": [\"1\", 1]}",
     "reverse_transformer_layers_per_block"},
    {UNET, "{" TWO_COND ", \"dual_cross_attention\": true}", "dual_cross_attention"},
    {UNET, "{" TWO_COND ", \"class_embed_type\": \"timestep\"}", "class_embed_type"},
    {UNET, "{" TWO_COND ", \"addition_embed_type\": \"text_time\"}", "addition_time_embed_dim"},
    {UNET,
     "{" TWO_COND ", \"addition_embed_type\": \"text_time\", \"addition_time_embed_dim\": 256, "
     "\"projection_class_embeddings_input_dim\": 1e12}",
     "projection_class_embeddings_input_dim"},
    {UNET, "{" TWO_COND ", \"addition_embed_type\": \"image\"}", "addition_embed_type"},
    {UNET, "{" TWO_COND ", \"encoder_hid_dim\": 32}", "encoder_hid_dim"},
    {UNET, "{" TWO_COND ", \"resnet_time_scale_shift\": \"ada_group\"}", "resnet_time_scale_shift"},
    {UNET, "{" TWO_COND ", \"time_embedding_type\": \"fourier\"}", "fourier"},
    {UNET, "{" TWO_COND ", \"conv_in_kernel\": 1}", "conv_in_kernel"},
    {UNET, "{" TWO_COND ", \"act_fn\": \"celu\"}", "act_fn"},
    {UNET, "{" TWO_COND ", \"mid_block_type\": \"UNetMidBlock2DSimpleCrossAttn\"}",
     "mid_block_type"},
    {UNET, "{" TWO_COND ", \"in_channels\": 0}", "in_channels"},
    {UNET, "{" TWO_COND ", \"sample_size\": [64, 64, 64]}", "sample_size"},
    {UNET, "{" TWO_COND ", \"mid_block_scale_factor\": 0}", "mid_block_scale_factor"},
    {UNET, "{" TWO_COND ", \"downsample_padding\": 2}", "downsample_padding"},
    {UNET,
     "{" COND ", \"down_block_types\": [\"KDownBlock2D\"], \"up_block_types\": [\"UpBlock2D\"], "
     "\"block_out_channels\": [32]}",
     "KDownBlock2D"},
    {UNET,
     "{" COND ", \"down_block_types\": [\"AttnDownBlock2D\"], \"up_block_types\": [\"UpBlock2D\"], "
     "\"block_out_channels\": [32]}",
     "AttnDownBlock2D"},
    {UNET, "{" TWO_PLAIN ", \"attention_head_dim\": 48}", "attention_head_dim"},
    {UNET, "{" TWO_PLAIN ", \"attn_norm_num_groups\": 7}", "attn_norm_num_groups"},
    {UNET, "{" TWO_PLAIN ", \"downsample_type\": \"fir\"}", "downsample_type"},
    {UNET, "{" TWO_PLAIN ", \"layers_per_block\": [1, 2]}", "layers_per_block"},
    {UNET, "{" TWO_PLAIN ", \"num_class_embeds\": -10}", "num_class_embeds"},
    {UNET, "{" TWO_PLAIN ", \"class_embed_type\": \"identity\"}", "class_embed_type"},
    {UNET, "{" TWO_COND ", \"num_class_embeds\": 10}", "num_class_embeds"},
    {UNET, "{" TWO_PLAIN ", \"time_embedding_dim\": -4}", "time_embedding_dim"},

    {VAE, "{\"_class_name\": \"AutoencoderTinier\"}", "AutoencoderTinier"},
    {VAE, "{\"_class_name\": \"AutoencoderTiny\", \"decoder_block_out_channels\": [8, 4, 8, 8]}",
     "decoder_block_out_channels"},
    {VAE, "{\"_class_name\": \"AutoencoderTiny\", \"num_decoder_blocks\": [1, 2]}",
     "num_decoder_blocks"},
    {VAE, "{\"_class_name\": \"AutoencoderTiny\", \"num_decoder_blocks\": [1, 1, 1, 99]}",
     "num_decoder_blocks"},
    {VAE, "{\"_class_name\": \"AutoencoderTiny\", \"upsampling_scaling_factor\": 3}",
     "upsampling_scaling_factor"},
    {VAE, "{\"block_out_channels\": [64, 128]}", "down_block_types"},
    {VAE, "{\"block_out_channels\": [48]}", "norm_num_groups"},
    {VAE, "{\"block_out_channels\": []}", "block_out_channels"},
    {VAE, "{\"down_block_types\": [\"AttnDownEncoderBlock2D\"]}", "AttnDownEncoderBlock2D"},
    {VAE, "{\"scaling_factor\": 0}", "scaling_factor"},
    {VAE, "{\"scaling_factor\": \"0.18215\"}", "scaling_factor"},
    {VAE, "{\"latents_mean\": [0, 0, 0]}", "latents_mean"},
    {VAE, "{\"latents_std\": [1, 1, 1, \"1\"]}", "latents_std"},
    {VAE, "{\"norm_num_groups\": 0}", "norm_num_groups"},
    {VAE, "{\"latent_channels\": 1000}", "latent_channels"},
    {VAE, "{\"layers_per_block\": -2}", "layers_per_block"},

    {TEXT, "{\"model_type\": \"t5\"}", "model_type"},
    {TEXT, "{\"hidden_size\": 768, \"num_attention_heads\": 7}", "num_attention_heads"},
    {TEXT, "{\"num_attention_heads\": 0}", "num_attention_heads"},
    {TEXT, "{\"hidden_size\": -1}", "hidden_size"},
    {TEXT, "{\"vocab_size\": 1e12}", "vocab_size"},
    {TEXT, "{\"num_hidden_layers\": 100000}", "num_hidden_layers"},
    {TEXT, "{\"hidden_act\": \"celu\"}", "hidden_act"},
    {TEXT, "{\"layer_norm_eps\": null, \"max_position_embeddings\": 0}", "max_position_embeddings"},
    {TEXT, "{\"use_attention_mask\": true}", "use_attention_mask"},
};

static void test_refused(void)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        Config config;
        SlError err = {0};
        bool ok = read_config(refused[i].model, refused[i].json, &config, &err);
        if (!sl_test(!ok && strstr(err.message, refused[i].says) && strstr(err.message, FILE_NAME),
                     "refused for %s: %s", refused[i].says, err.message))
            sl_test_note("%s", refused[i].json);
    }
}

static void test_defaults(void)
{
    Config c;
    SlError err = {0};
    sl_test(read_config(UNET, "{" COND "}", &c, &err) && c.unet.blocks == 4 &&
                c.unet.channels[3] == 1280 && c.unet.heads[0] == 8 &&
                c.unet.down[0] == SL_UNET_BLOCK_CROSS_ATTN &&
                c.unet.down[3] == SL_UNET_BLOCK_PLAIN && c.unet.up[0] == SL_UNET_BLOCK_PLAIN &&
                c.unet.cross_attention_dim[0] == 1280 && c.unet.time_embed_dim == 1280 &&
                c.unet.mid_attention && c.unet.flip_sin_to_cos,
            "UNet2DConditionModel's defaults %s", err.message);
    sl_test(read_config(UNET, "{" PLAIN "}", &c, &err) && c.unet.channels[0] == 224 &&
                c.unet.heads[1] == 56 && c.unet.down[0] == SL_UNET_BLOCK_PLAIN &&
                c.unet.up[0] == SL_UNET_BLOCK_ATTN && c.unet.in_channels == 3,
            "UNet2DModel's defaults %s", err.message);
    sl_test(read_config(VAE, "{}", &c, &err) && c.vae.blocks == 1 && c.vae.factor == 1 &&
                c.vae.latent_channels == 4 && c.vae.quant_conv && c.vae.mid_attention,
            "AutoencoderKL's defaults %s", err.message);
    sl_test(read_config(TEXT, "{}", &c, &err) && c.text.hidden_size == 512 &&
                c.text.eos_token_id == 49407 && c.text.act == SL_ACT_QUICK_GELU &&
                !c.text.with_projection,
            "CLIPTextModel's defaults %s", err.message);
}

/* Where null is not the same as absent. */
static void test_nulls(void)
{
    Config c;
    SlError err = {0};
    sl_test(read_config(UNET, "{" TWO_PLAIN ", \"attention_head_dim\": null}", &c, &err) &&
                c.unet.heads[0] == 1 && c.unet.heads[1] == 1,
            "attention_head_dim null: one head %s", err.message);
    sl_test(read_config(UNET, "{" TWO_PLAIN "}", &c, &err) && c.unet.heads[1] == 8,
            "attention_head_dim absent: heads of 8 channels %s", err.message);
    sl_test(read_config(UNET, "{" TWO_COND ", \"mid_block_type\": null}", &c, &err) &&
                !c.unet.mid_block && !c.unet.mid_attention,
            "mid_block_type null: none %s", err.message);
    sl_test(read_config(UNET, "{" TWO_COND ", \"class_embed_type\": null}", &c, &err),
            "class_embed_type null is fine %s", err.message);
    sl_test(read_config(VAE, "{\"shift_factor\": 0.5, \"latents_mean\": null}", &c, &err),
            "shift_factor is not read %s", err.message);
}

/* google/ddpm-cat-256 */
static void test_ddpm_cat(void)
{
    Config c;
    SlError err = {0};
    const char *json =
        "{" PLAIN ", \"_diffusers_version\": \"0.0.4\", \"act_fn\": \"silu\", "
        "\"attention_head_dim\": null, \"block_out_channels\": [128, 128, 256, 256, 512, 512], "
        "\"center_input_sample\": false, \"down_block_types\": [\"DownBlock2D\", \"DownBlock2D\", "
        "\"DownBlock2D\", \"DownBlock2D\", \"AttnDownBlock2D\", \"DownBlock2D\"], "
        "\"downsample_padding\": 0, \"flip_sin_to_cos\": false, \"freq_shift\": 1, "
        "\"in_channels\": 3, \"layers_per_block\": 2, \"mid_block_scale_factor\": 1, "
        "\"norm_eps\": 1e-06, \"norm_num_groups\": 32, \"out_channels\": 3, \"sample_size\": 256, "
        "\"time_embedding_type\": \"positional\", \"up_block_types\": [\"UpBlock2D\", "
        "\"AttnUpBlock2D\", \"UpBlock2D\", \"UpBlock2D\", \"UpBlock2D\", \"UpBlock2D\"]}";
    sl_test(read_config(UNET, json, &c, &err) && c.unet.heads[4] == 1 &&
                c.unet.downsample_conv_padding_zero && c.unet.sample_height == 256 &&
                sl_unet_size_multiple(&c.unet) == 32 && c.unet.norm_eps == 1e-6f,
            "google/ddpm-cat-256 %s", err.message);
}

int main(void)
{
    test_refused();
    test_defaults();
    test_nulls();
    test_ddpm_cat();
    return sl_test_done();
}
