/* builtin_configs_xl.c - see builtin_configs.h. Mirrors the configurations of
 * stable-diffusion-xl-base-1.0, of SSD-1B, Segmind-Vega and KOALA, which leave layers of it out,
 * and of stable-diffusion-xl-refiner-1.0.
 *
 * Easy to get wrong: what attends is per layer in SSD-1B, and other on the way up; the middle blocks
 * of both are a single resnet.
 */
#include "engine/pipelines/builtin_configs.h"

#include <stddef.h>
#include <string.h>

#define UNET(layers, depths)                                                                       \
    "{\"_class_name\": \"UNet2DConditionModel\", \"act_fn\": \"silu\","                            \
    "\"addition_embed_type\": \"text_time\", \"addition_time_embed_dim\": 256,"                    \
    "\"attention_head_dim\": [5, 10, 20], \"block_out_channels\": [320, 640, 1280],"               \
    "\"cross_attention_dim\": 2048,"                                                               \
    "\"down_block_types\": [\"DownBlock2D\", \"CrossAttnDownBlock2D\", \"CrossAttnDownBlock2D\"]," \
    "\"up_block_types\": [\"CrossAttnUpBlock2D\", \"CrossAttnUpBlock2D\", \"UpBlock2D\"],"         \
    "\"flip_sin_to_cos\": true, \"freq_shift\": 0, \"in_channels\": 4, \"out_channels\": 4,"       \
    "\"layers_per_block\": " layers ", \"norm_eps\": 1e-05, \"norm_num_groups\": 32,"              \
    "\"projection_class_embeddings_input_dim\": 2816, \"sample_size\": 128,"                       \
    "\"use_linear_projection\": true," depths "}"

static const char vae[] =
    "{\"_class_name\": \"AutoencoderKL\", \"act_fn\": \"silu\","
    "\"block_out_channels\": [128, 256, 512, 512],"
    "\"down_block_types\": [\"DownEncoderBlock2D\", \"DownEncoderBlock2D\", "
    "\"DownEncoderBlock2D\", \"DownEncoderBlock2D\"],"
    "\"up_block_types\": [\"UpDecoderBlock2D\", \"UpDecoderBlock2D\", \"UpDecoderBlock2D\","
    " \"UpDecoderBlock2D\"],"
    "\"force_upcast\": true, \"in_channels\": 3, \"latent_channels\": 4, \"layers_per_block\": 2,"
    "\"norm_num_groups\": 32, \"out_channels\": 3, \"sample_size\": 1024,"
    "\"scaling_factor\": 0.13025}";

static const char text_encoder[] =
    "{\"architectures\": [\"CLIPTextModel\"], \"eos_token_id\": 2, \"hidden_act\": \"quick_gelu\","
    "\"hidden_size\": 768, \"intermediate_size\": 3072, \"layer_norm_eps\": 1e-05,"
    "\"max_position_embeddings\": 77, \"num_attention_heads\": 12, \"num_hidden_layers\": 12,"
    "\"projection_dim\": 768, \"vocab_size\": 49408}";

static const char text_encoder_2[] =
    "{\"architectures\": [\"CLIPTextModelWithProjection\"], \"eos_token_id\": 2,"
    "\"hidden_act\": \"gelu\", \"hidden_size\": 1280, \"intermediate_size\": 5120,"
    "\"layer_norm_eps\": 1e-05, \"max_position_embeddings\": 77, \"num_attention_heads\": 20,"
    "\"num_hidden_layers\": 32, \"projection_dim\": 1280, \"vocab_size\": 49408}";

static const char scheduler[] =
    "{\"_class_name\": \"EulerDiscreteScheduler\", \"beta_end\": 0.012,"
    "\"beta_schedule\": \"scaled_linear\", \"beta_start\": 0.00085, \"clip_sample\": false,"
    "\"interpolation_type\": \"linear\", \"num_train_timesteps\": 1000,"
    "\"prediction_type\": \"epsilon\", \"set_alpha_to_one\": false, \"skip_prk_steps\": true,"
    "\"steps_offset\": 1, \"timestep_spacing\": \"leading\", \"trained_betas\": null}";

/* As diffusers' documentation runs CosXL, and as Playground v2.5's folder says. */
static const char scheduler_cosxl[] =
    "{\"_class_name\": \"EDMEulerScheduler\", \"num_train_timesteps\": 1000,"
    "\"prediction_type\": \"v_prediction\", \"sigma_data\": 1.0, \"sigma_max\": 120.0,"
    "\"sigma_min\": 0.002, \"sigma_schedule\": \"exponential\"}";

static const char scheduler_playground[] =
    "{\"_class_name\": \"EDMDPMSolverMultistepScheduler\", \"algorithm_type\": \"dpmsolver++\","
    "\"final_sigmas_type\": \"zero\", \"num_train_timesteps\": 1000,"
    "\"prediction_type\": \"epsilon\", \"rho\": 7.0, \"sigma_data\": 0.5, \"sigma_max\": 80.0,"
    "\"sigma_min\": 0.002, \"solver_order\": 2, \"solver_type\": \"midpoint\"}";

static const struct {
    const char *arch, *unet;
} nets[] = {
    {"sdxl", UNET("2", "\"transformer_layers_per_block\": [1, 2, 10]")},
    {"ssd-1b", UNET("2", "\"mid_block_type\": \"UNetMidBlock2D\","
                         "\"transformer_layers_per_block\": [1, [2, 2], [4, 4]],"
                         "\"reverse_transformer_layers_per_block\": [[4, 4, 10], [2, 1, 1], 1]")},
    {"vega",
     UNET("2",
          "\"mid_block_type\": \"UNetMidBlock2D\", \"transformer_layers_per_block\": [1, 1, 2]")},
    {"koala-1b", UNET("1", "\"transformer_layers_per_block\": [1, 2, 6]")},
    {"koala-700m",
     UNET("1", "\"mid_block_type\": null, \"transformer_layers_per_block\": [1, 2, 5]")},
};

static const char refiner_unet[] =
    "{\"_class_name\": \"UNet2DConditionModel\", \"act_fn\": \"silu\","
    "\"addition_embed_type\": \"text_time\", \"addition_time_embed_dim\": 256,"
    "\"attention_head_dim\": [6, 12, 24, 24], \"block_out_channels\": [384, 768, 1536, 1536],"
    "\"cross_attention_dim\": 1280,"
    "\"down_block_types\": [\"DownBlock2D\", \"CrossAttnDownBlock2D\", \"CrossAttnDownBlock2D\","
    " \"DownBlock2D\"],"
    "\"up_block_types\": [\"UpBlock2D\", \"CrossAttnUpBlock2D\", \"CrossAttnUpBlock2D\","
    " \"UpBlock2D\"],"
    "\"flip_sin_to_cos\": true, \"freq_shift\": 0, \"in_channels\": 4, \"out_channels\": 4,"
    "\"layers_per_block\": 2, \"norm_eps\": 1e-05, \"norm_num_groups\": 32,"
    "\"projection_class_embeddings_input_dim\": 2560, \"sample_size\": 128,"
    "\"transformer_layers_per_block\": 4, \"use_linear_projection\": true}";

/* What all have in common, by part. */
static const struct {
    const char *part, *text;
} parts[] = {
    {"vae", vae},
    {"text_encoder", text_encoder},
    {"text_encoder_2", text_encoder_2},
    {"scheduler", scheduler},
    {"scheduler of cosxl", scheduler_cosxl},
    {"scheduler of playground", scheduler_playground},
    {"tokenizer", "{\"pad_token\": \"<|endoftext|>\"}"},
    {"tokenizer_2", "{\"pad_token\": \"!\"}"},
};

static const char *common(const char *part)
{
    for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++)
        if (!strcmp(parts[k].part, part))
            return parts[k].text;
    return NULL;
}

const char *sl_builtin_config_xl(const char *arch, const char *part)
{
    for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
        if (!strcmp(nets[i].arch, arch))
            return strcmp(part, "unet") ? common(part) : nets[i].unet;
    }
    return NULL;
}

const char *sl_builtin_config_refiner(const char *arch, const char *part)
{
    if (strcmp(arch, "sdxl-refiner") != 0 || !strcmp(part, "text_encoder"))
        return NULL;
    return strcmp(part, "unet") ? common(part) : refiner_unet;
}

const char *sl_builtin_arch_refiner(int i)
{
    return i == 0 ? "sdxl-refiner" : NULL;
}

const char *sl_builtin_arch_xl(int i)
{
    return i >= 0 && i < (int)(sizeof nets / sizeof nets[0]) ? nets[i].arch : NULL;
}
