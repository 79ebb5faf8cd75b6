/* builtin_configs.c - see builtin_configs.h. Mirrors diffusers loaders/single_file_utils.py (the
 * configs that it fetches by checkpoint type) and the config.json files of stable-diffusion-v1-5
 * and stable-diffusion-2-1. */
#include "engine/pipelines/builtin_configs.h"

#include <stddef.h>
#include <string.h>

#define UNET_COMMON                                                                                \
    "\"_class_name\": \"UNet2DConditionModel\", \"act_fn\": \"silu\","                             \
    "\"block_out_channels\": [320, 640, 1280, 1280], \"center_input_sample\": false,"              \
    "\"down_block_types\": [\"CrossAttnDownBlock2D\", \"CrossAttnDownBlock2D\","                   \
    " \"CrossAttnDownBlock2D\", \"DownBlock2D\"],"                                                 \
    "\"up_block_types\": [\"UpBlock2D\", \"CrossAttnUpBlock2D\", \"CrossAttnUpBlock2D\","          \
    " \"CrossAttnUpBlock2D\"],"                                                                    \
    "\"downsample_padding\": 1, \"flip_sin_to_cos\": true, \"freq_shift\": 0, \"in_channels\": 4," \
    "\"layers_per_block\": 2, \"mid_block_scale_factor\": 1, \"norm_eps\": 1e-05,"                 \
    "\"norm_num_groups\": 32, \"out_channels\": 4,"

#define SCHEDULER_COMMON                                                                   \
    "\"_class_name\": \"PNDMScheduler\", \"beta_end\": 0.012, \"beta_schedule\": "         \
    "\"scaled_linear\","                                                                   \
    "\"beta_start\": 0.00085, \"num_train_timesteps\": 1000, \"set_alpha_to_one\": false," \
    "\"skip_prk_steps\": true, \"steps_offset\": 1, \"trained_betas\": null,"

/* Of each text encoder's tokenizer: with what it pads. */
static const char pads_end[] = "{\"pad_token\": \"<|endoftext|>\"}";
static const char pads_bang[] = "{\"pad_token\": \"!\"}";

static const char vae[] =
    "{\"_class_name\": \"AutoencoderKL\", \"act_fn\": \"silu\","
    "\"block_out_channels\": [128, 256, 512, 512],"
    "\"down_block_types\": [\"DownEncoderBlock2D\", \"DownEncoderBlock2D\", "
    "\"DownEncoderBlock2D\","
    " \"DownEncoderBlock2D\"],"
    "\"up_block_types\": [\"UpDecoderBlock2D\", \"UpDecoderBlock2D\", \"UpDecoderBlock2D\","
    " \"UpDecoderBlock2D\"],"
    "\"in_channels\": 3, \"latent_channels\": 4, \"layers_per_block\": 2, \"norm_num_groups\": 32,"
    "\"out_channels\": 3, \"sample_size\": 512, \"scaling_factor\": 0.18215}";

static const struct {
    const char *arch, *part, *text;
} configs[] = {
    {"sd15", "unet",
     "{" UNET_COMMON
     "\"attention_head_dim\": 8, \"cross_attention_dim\": 768, \"sample_size\": 64}"},
    {"sd15", "vae", vae},
    {"sd15", "tokenizer", pads_end},
    {"sd15", "text_encoder",
     "{\"architectures\": [\"CLIPTextModel\"], \"eos_token_id\": 2, \"hidden_act\": \"quick_gelu\","
     "\"hidden_size\": 768, \"intermediate_size\": 3072, \"layer_norm_eps\": 1e-05,"
     "\"max_position_embeddings\": 77, \"num_attention_heads\": 12, \"num_hidden_layers\": 12,"
     "\"projection_dim\": 768, \"vocab_size\": 49408}"},
    {"sd15", "scheduler", "{" SCHEDULER_COMMON "\"clip_sample\": false}"},
    {"sd21-base", "unet",
     "{" UNET_COMMON "\"attention_head_dim\": [5, 10, 20, 20], \"cross_attention_dim\": 1024,"
     "\"use_linear_projection\": true, \"sample_size\": 64}"},
    {"sd21-base", "vae", vae},
    {"sd21-base", "tokenizer", pads_bang},
    {"sd21-base", "text_encoder",
     "{\"architectures\": [\"CLIPTextModel\"], \"eos_token_id\": 2, \"hidden_act\": \"gelu\","
     "\"hidden_size\": 1024, \"intermediate_size\": 4096, \"layer_norm_eps\": 1e-05,"
     "\"max_position_embeddings\": 77, \"num_attention_heads\": 16, \"num_hidden_layers\": 23,"
     "\"projection_dim\": 512, \"vocab_size\": 49408}"},
    {"sd21-base", "scheduler",
     "{" SCHEDULER_COMMON "\"clip_sample\": false, \"prediction_type\": \"epsilon\"}"},
    {"sd21", "unet",
     "{" UNET_COMMON "\"attention_head_dim\": [5, 10, 20, 20], \"cross_attention_dim\": 1024,"
     "\"use_linear_projection\": true, \"upcast_attention\": true, \"sample_size\": 96}"},
    {"sd21", "vae", vae},
    {"sd21", "tokenizer", pads_bang},
    {"sd21", "text_encoder",
     "{\"architectures\": [\"CLIPTextModel\"], \"eos_token_id\": 2, \"hidden_act\": \"gelu\","
     "\"hidden_size\": 1024, \"intermediate_size\": 4096, \"layer_norm_eps\": 1e-05,"
     "\"max_position_embeddings\": 77, \"num_attention_heads\": 16, \"num_hidden_layers\": 23,"
     "\"projection_dim\": 512, \"vocab_size\": 49408}"},
    {"sd21", "scheduler",
     "{" SCHEDULER_COMMON "\"clip_sample\": false, \"prediction_type\": \"v_prediction\"}"},
};

const char *sl_builtin_config(const char *arch, const char *part)
{
    for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++)
        if (!strcmp(configs[i].arch, arch) && !strcmp(configs[i].part, part))
            return configs[i].text;
    return NULL;
}

const char *sl_builtin_arch(int i)
{
    const char *last = "";
    for (size_t k = 0; k < sizeof configs / sizeof configs[0]; k++) {
        if (strcmp(configs[k].arch, last) != 0 && i-- == 0)
            return configs[k].arch;
        last = configs[k].arch;
    }
    return NULL;
}
