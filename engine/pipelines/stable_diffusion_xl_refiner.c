/* stable_diffusion_xl_refiner.c - the family of Stable Diffusion XL's refiners (diffusers
 * pipelines/stable_diffusion_xl/pipeline_stable_diffusion_xl_img2img.py with an index that says
 * requires_aesthetics_score): the second text encoder alone, and a UNet that is told sizes and an
 * aesthetic score. A base model hands a picture that it has begun to it (engine/run/handover.c); by
 * itself it begins from noise like any other model.
 *
 * Easy to get wrong: the folder's text_encoder and tokenizer are null, and what it has is
 * text_encoder_2 and tokenizer_2; it is told the score in place of the target size; the negative
 * prompt has a score of its own, and a crop of 0, 0 whatever the prompt's is.
 */
#include "engine/pipelines/builtin_configs.h"
#include "engine/pipelines/stable_diffusion_xl.h"

#include <string.h>

#define NUMBERS 5 /* "time_ids": original height and width, crop top and left, the score */

/* ---- looking at a model ---- */

typedef struct Configs {
    SlUnetConfig unet;
    SlTextEncoderConfig text;
    SlVaeConfig vae;
} Configs;

static bool read_configs(Configs *c, const SlModelInfo *info, SlError *err)
{
    return sl_read_unet_condition(&c->unet, info, err) &&
           sl_read_text_encoder(&c->text, info, "text_encoder_2", err) &&
           sl_read_vae(&c->vae, info, err);
}

static bool inspect(SlModelInfo *info, SlError *err)
{
    Configs c;
    if (!read_configs(&c, info, err) ||
        !sl_read_prompt_tokens(info, "tokenizer_2", c.text.max_positions, &info->prompt_tokens,
                               err))
        return false;
    sl_inspect_latents(info, &c.unet, &c.vae, SL_XL_SAMPLE);
    return true;
}

static bool recognise(const SlWeightSource *file, char arch[16], SlError *err)
{
    return sl_checkpoint_recognise(file, err) && sl_checkpoint_arch(file, arch, err) &&
           (!strcmp(arch, "sdxl-refiner") ||
            sl_fail(err, SL_UNSUPPORTED, "this is no refiner of Stable Diffusion XL"));
}

/* By their configurations: a part may be left for later. */
static bool check(const SlModel *model, SlError *err)
{
    Configs c;
    if (!read_configs(&c, &model->info, err) ||
        !sl_check_text_encoder(model, model->tokenizer, &c.text, err))
        return false;
    const SlXlTold told = {&model->info, &c.unet, &c.text, c.text.hidden_size, NUMBERS};
    return sl_xl_check_told(&told, err) && sl_check_latents(&model->info, &c.unet, &c.vae, err);
}

/* ---- texts ---- */

static void tell_numbers(const SlRecipe *r, bool negative, float out[NUMBERS])
{
    SlXlSizes s = sl_xl_sizes(r);
    const double numbers[NUMBERS] = {s.original_height, s.original_width,
                                     negative ? 0 : r->crop_top, negative ? 0 : r->crop_left,
                                     negative ? r->negative_aesthetic_score : r->aesthetic_score};
    for (int i = 0; i < NUMBERS; i++)
        out[i] = (float)numbers[i];
}

static bool ask_text(SlModel *model, const SlRecipe *recipe, bool negative, SlAsk *ask,
                     SlError *err)
{
    tell_numbers(recipe, negative, ask->told);
    return sl_clip_ask(model, recipe, negative,
                       negative && sl_xl_is_zeros(model, recipe, ask->prompt), ask, err);
}

static bool encode_text(SlModel *model, const SlAsk *ask, SlCondition *condition, SlError *err)
{
    const SlPromptEncoders encoders = {{"text_encoder_2"}, true, sl_xl_state(ask)};
    return sl_clip_encode(model, ask, &encoders, condition, err);
}

const SlPipelineClass sl_class_stable_diffusion_xl_refiner = {
    .info = {.id = "stable-diffusion-xl-refiner",
             .class_name = "StableDiffusionXLImg2ImgPipeline",
             .has = SL_HAS_PROMPT | SL_HAS_NEGATIVE_PROMPT | SL_HAS_GUIDANCE | SL_HAS_CLIP |
                    SL_HAS_SIZES | SL_HAS_ZEROS | SL_HAS_AESTHETICS,
             .guidance_rule = SL_GUIDANCE_CLASSIFIER_FREE,
             .passes_eta = true,
             .refines = true,
             .steps = 30,
             .guidance = 5,
             .bench_scheduler = "euler"},
    .class_names = (const char *const[]){"StableDiffusionXLImg2ImgPipeline", NULL},
    .parts =
        (const SlPartClass *const[]){&sl_part_unet, &sl_part_text_encoder_2, &sl_part_vae, NULL},
    .tokenizers = (const char *const[]){"CLIPTokenizer", "CLIPTokenizerFast", NULL},
    .tokenizer = "tokenizer_2",
    .told = "time_ids",
    .told_count = NUMBERS,
    .recognise = recognise,
    .builtin = sl_builtin_config_refiner,
    .arch = sl_builtin_arch_refiner,
    .inspect = inspect,
    .check = check,
    .ask = ask_text,
    .encode = encode_text,
};
