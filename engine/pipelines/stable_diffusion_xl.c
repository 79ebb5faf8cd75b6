/* stable_diffusion_xl.c - the family of Stable Diffusion XL (diffusers
 * pipelines/stable_diffusion_xl/pipeline_stable_diffusion_xl.py): two CLIP text encoders, a
 * UNet2DConditionModel that is told sizes, in the latents of an AutoencoderKL.
 *
 * Easy to get wrong: both encoders give their last state but one, without the final norm, and
 * clip_skip counts from there, for the prompt alone; the pooled text is the second encoder's, of its
 * last layer whatever is skipped; an empty negative prompt is zeros, the pooled text too, unless
 * force_zeros_for_empty_prompt is false; the sizes come height first, then top before left.
 */
#include "engine/pipelines/stable_diffusion_xl.h"
#include "engine/pipelines/builtin_configs.h"

#define SIZES \
    6 /* "time_ids": original height and width, crop top and left, target height and width */

/* ---- looking at a model ---- */

typedef struct Configs {
    SlUnetConfig unet;
    SlTextEncoderConfig text[2];
    SlVaeConfig vae;
} Configs;

static bool read_configs(Configs *c, const SlModelInfo *info, SlError *err)
{
    return sl_read_unet_condition(&c->unet, info, err) &&
           sl_read_text_encoder(&c->text[0], info, "text_encoder", err) &&
           sl_read_text_encoder(&c->text[1], info, "text_encoder_2", err) &&
           sl_read_vae(&c->vae, info, err);
}

/* Playground v2.5's latents have a mean and a deviation, and it predicts as EDM does. Its card runs it with
 * a guidance of 3. */
static bool is_playground(const SlModelInfo *info, const SlVaeConfig *vae)
{
    bool normalised = false;
    for (int i = 0; i < vae->latent_channels; i++)
        normalised = normalised || vae->latents_mean[i] != 0 || vae->latents_std[i] != 1;
    return normalised && sl_prediction_is_edm(info->prediction);
}

static bool inspect(SlModelInfo *info, SlError *err)
{
    Configs c;
    int tokens;
    if (!read_configs(&c, info, err) ||
        !sl_read_prompt_tokens(info, "tokenizer", c.text[0].max_positions, &info->prompt_tokens,
                               err) ||
        !sl_read_prompt_tokens(info, "tokenizer_2", c.text[1].max_positions, &tokens, err))
        return false;
    if (tokens != info->prompt_tokens)
        return sl_fail(err, SL_UNSUPPORTED,
                       "%s: \"model_max_length\" of the tokenizers is %d and %d; expected one "
                       "number, since their texts are put side by side",
                       info->path, info->prompt_tokens, tokens);
    sl_inspect_latents(info, &c.unet, &c.vae, SL_XL_SAMPLE);
    if (is_playground(info, &c.vae))
        info->guidance = 3;
    return true;
}

static bool recognise(const SlWeightSource *file, char arch[16], SlError *err)
{
    return sl_checkpoint_recognise(file, err) && sl_checkpoint_arch(file, arch, err) &&
           (sl_builtin_config_xl(arch, "unet") ||
            sl_fail(err, SL_UNSUPPORTED, "this is no Stable Diffusion XL checkpoint"));
}

/* ---- do the parts fit each other? ---- */

bool sl_xl_check_told(const SlXlTold *told, SlError *err)
{
    const SlUnetConfig *net = told->unet;
    const char *path = told->info->path;
    int added = told->pooled->projection_dim + told->numbers * net->addition_time_embed_dim;
    if (!sl_check_states(told->info, net, told->states, err))
        return false;
    if (!net->text_time)
        return sl_fail(err, SL_FORMAT,
                       "%s: the UNet's \"addition_embed_type\" is not \"text_time\"; expected a "
                       "UNet of Stable Diffusion XL, which is told sizes",
                       path);
    if (!told->pooled->with_projection)
        return sl_fail(err, SL_FORMAT,
                       "%s: text_encoder_2 has no projection (its \"architectures\" is not "
                       "CLIPTextModelWithProjection), and the UNet is told a pooled text",
                       path);
    return added == net->addition_dim ||
           sl_fail(err, SL_FORMAT,
                   "%s: the UNet's projection_class_embeddings_input_dim is %d, and a pooled text "
                   "of %d and %d numbers make %d; expected equal numbers",
                   path, net->addition_dim, told->pooled->projection_dim, told->numbers, added);
}

/* By their configurations: a part may be left for later. */
static bool check(const SlModel *model, SlError *err)
{
    Configs c;
    if (!read_configs(&c, &model->info, err) ||
        !sl_check_text_encoder(model, model->tokenizer, &c.text[0], err) ||
        !sl_check_text_encoder(model, model->tokenizer_2, &c.text[1], err))
        return false;
    const SlXlTold told = {&model->info, &c.unet, &c.text[1],
                           c.text[0].hidden_size + c.text[1].hidden_size, SIZES};
    return sl_xl_check_told(&told, err) && sl_check_latents(&model->info, &c.unet, &c.vae, err);
}

/* ---- texts ---- */

static bool empty(const char *text)
{
    return !text || !*text;
}

bool sl_xl_is_zeros(const SlModel *model, const SlRecipe *recipe, const SlPrompt *prompt)
{
    bool usual = prompt ? prompt->mode == SL_PROMPT_A1111 : model->info.force_zeros;
    bool zeros = recipe->empty_negative == SL_EMPTY_NEGATIVE_ZEROS ||
                 (recipe->empty_negative == SL_EMPTY_NEGATIVE_MODEL && usual);
    return empty(recipe->negative_prompt) && zeros;
}

SlXlSizes sl_xl_sizes(const SlRecipe *r)
{
    return (SlXlSizes){r->original_height ? r->original_height : r->height,
                       r->original_width ? r->original_width : r->width,
                       r->target_height ? r->target_height : r->height,
                       r->target_width ? r->target_width : r->width};
}

static void tell_sizes(const SlRecipe *r, float out[SIZES])
{
    SlXlSizes s = sl_xl_sizes(r);
    const int sizes[SIZES] = {s.original_height, s.original_width, r->crop_top,
                              r->crop_left,      s.target_height,  s.target_width};
    for (int i = 0; i < SIZES; i++)
        out[i] = (float)sizes[i];
}

static bool ask_text(SlModel *model, const SlRecipe *recipe, bool negative, SlAsk *ask,
                     SlError *err)
{
    tell_sizes(recipe, ask->told);
    return sl_clip_ask(model, recipe, negative,
                       negative && sl_xl_is_zeros(model, recipe, ask->prompt), ask, err);
}

SlTextState sl_xl_state(const SlAsk *ask)
{
    return (SlTextState){.skip = (int)ask->number[SL_CLIP_SKIPPED] + 1, .unnormed = true};
}

static bool encode_text(SlModel *model, const SlAsk *ask, SlCondition *condition, SlError *err)
{
    const SlPromptEncoders encoders = {{"text_encoder", "text_encoder_2"}, true, sl_xl_state(ask)};
    return sl_clip_encode(model, ask, &encoders, condition, err);
}

/* The buckets of the training around one megapixel that are no narrower than 12 to 5. */
static const int training_sizes[][2] = {
    {1024, 1024}, {1152, 896}, {896, 1152}, {1216, 832}, {832, 1216},
    {1344, 768},  {768, 1344}, {1536, 640}, {640, 1536}, {0, 0},
};

const SlPipelineClass sl_class_stable_diffusion_xl = {
    .info = {.id = "stable-diffusion-xl",
             .class_name = "StableDiffusionXLPipeline",
             .name = "Stable Diffusion XL",
             .has = SL_HAS_PROMPT | SL_HAS_NEGATIVE_PROMPT | SL_HAS_GUIDANCE | SL_HAS_CLIP |
                    SL_HAS_ADAPTERS | SL_HAS_SIZES | SL_HAS_ZEROS,
             .guidance_rule = SL_GUIDANCE_CLASSIFIER_FREE,
             .passes_eta = true,
             .steps = 30,
             .guidance = 5,
             .bench_scheduler = "euler",
             .sizes = training_sizes},
    .class_names = (const char *const[]){"StableDiffusionXLPipeline", NULL},
    .parts = (const SlPartClass *const[]){&sl_part_unet, &sl_part_text_encoder,
                                          &sl_part_text_encoder_2, &sl_part_vae, NULL},
    .tokenizers = (const char *const[]){"CLIPTokenizer", "CLIPTokenizerFast", NULL},
    .two_texts = true,
    .told = "time_ids",
    .told_count = SIZES,
    .recognise = recognise,
    .builtin = sl_builtin_config_xl,
    .arch = sl_builtin_arch_xl,
    .inspect = inspect,
    .check = check,
    .ask = ask_text,
    .encode = encode_text,
};
