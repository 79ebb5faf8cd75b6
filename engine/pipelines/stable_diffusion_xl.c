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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZES \
    6 /* "time_ids": original height and width, crop top and left, target height and width */

/* ---- parts ---- */

const SlPartClass sl_xl_unet = {
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

const SlPartClass sl_xl_text_encoder_2 = {
    .name = "text_encoder_2",
    .base = "model",
    .classes = (const char *const[]){"CLIPTextModelWithProjection", NULL},
    .use = SL_USE_ENCODE,
    .build = sl_build_text_encoder,
    .free = sl_free_text_encoder,
};

const SlPartClass sl_xl_vae = {
    .name = "vae",
    .base = "diffusion_pytorch_model",
    .classes = (const char *const[]){"AutoencoderKL", "AutoencoderTiny", NULL},
    .use = SL_USE_DECODE,
    .compute = SL_COMPUTE_UPCAST,
    .build = sl_build_vae,
    .free = sl_free_vae,
};

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

void sl_xl_inspect(SlModelInfo *info, const SlUnetConfig *unet, const SlVaeConfig *vae)
{
    info->told_guidance = unet->time_cond_proj_dim > 0;
    if (info->told_guidance)
        info->lacks |= SL_HAS_NEGATIVE_PROMPT | SL_HAS_ZEROS;
    info->channels = unet->in_channels;
    info->factor = vae->factor;
    info->size_multiple = vae->factor * sl_unet_size_multiple(unet);
    info->width = (unet->sample_width ? unet->sample_width : 128) * vae->factor;
    info->height = (unet->sample_height ? unet->sample_height : 128) * vae->factor;
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
    sl_xl_inspect(info, &c.unet, &c.vae);
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
    for (int i = 0; i < net->blocks; i++)
        if (net->cross_attention_dim[i] != told->states)
            return sl_fail(err, SL_FORMAT,
                           "%s: the UNet expects text embeddings of size %d (cross_attention_dim), "
                           "the text encoders make %d",
                           path, net->cross_attention_dim[i], told->states);
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

bool sl_xl_check_latents(const SlModelInfo *info, const SlUnetConfig *unet, const SlVaeConfig *vae,
                         SlError *err)
{
    return (unet->in_channels == vae->latent_channels &&
            unet->out_channels == vae->latent_channels) ||
           sl_fail(err, SL_UNSUPPORTED,
                   "%s: the UNet has %d input and %d output channels, the VAE %d latent channels; "
                   "only text to picture models with equal numbers can run",
                   info->path, unet->in_channels, unet->out_channels, vae->latent_channels);
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
    return sl_xl_check_told(&told, err) && sl_xl_check_latents(&model->info, &c.unet, &c.vae, err);
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

/* What finds no room may be other tokens for each encoder: then each is named. */
static void join_warnings(SlAsk *ask, const SlAsk *second)
{
    char first[sizeof ask->warning];
    if (!strcmp(ask->warning, second->warning))
        return;
    strcpy(first, ask->warning);
    snprintf(ask->warning, sizeof ask->warning, "%s%.450s%s%s%.450s", *first ? "tokenizer: " : "",
             first, *first && *second->warning ? "\n" : "", *second->warning ? "tokenizer_2: " : "",
             second->warning);
}

static bool ask_text(SlModel *model, const SlRecipe *recipe, bool negative, SlAsk *ask,
                     SlError *err)
{
    tell_sizes(recipe, ask->told);
    ask->number[SL_XL_SKIPPED] = negative && !ask->prompt ? 0 : recipe->clip_skip;
    ask->number[SL_XL_ZEROS] = negative && sl_xl_is_zeros(model, recipe, ask->prompt);
    if (ask->prompt && !ask->number[SL_XL_ZEROS])
        return sl_tokenize_prompt(model, recipe, negative, ask, err);
    ask->length = 2 * sl_tokenizer_max_length(model->tokenizer);
    ask->ids = calloc((size_t)ask->length, sizeof *ask->ids);
    if (!ask->ids)
        return sl_fail(err, SL_MEMORY, "out of memory for the text");
    if (ask->number[SL_XL_ZEROS])
        return true;
    SlAsk second = {.vectors = ask->vectors, .vectors_count = ask->vectors_count};
    bool ok = sl_tokenize_text(model->tokenizer, recipe, negative, ask->ids, ask, err) &&
              sl_tokenize_text(model->tokenizer_2, recipe, negative, ask->ids + ask->length / 2,
                               &second, err);
    if (ok)
        join_warnings(ask, &second);
    return ok;
}

SlTextState sl_xl_state(const SlAsk *ask)
{
    return (SlTextState){.skip = (int)ask->number[SL_XL_SKIPPED] + 1, .unnormed = true};
}

bool sl_xl_encode(SlModel *model, const SlXlEncoding *e, SlError *err)
{
    SlDevice *dev = model->dev;
    const SlTextEncoder *te = sl_model_net(model, e->part);
    int64_t length = e->states->size[0], width = sl_text_encoder_get_config(te)->hidden_size;
    SlTextState which = {.skip = e->skipped + 1, .unnormed = true};
    /* zeros, where the device computes nothing */
    float *host = calloc((size_t)(length * width), sizeof *host);
    if (!host)
        return sl_fail(err, SL_MEMORY, "out of memory for the text");
    size_t mark = sl_arena_mark(dev);
    SlTensor tokens = sl_tensor_new(dev, SL_I32, 2, (const int64_t[]){1, length});
    SlTensor f32 = sl_tensor_new(dev, SL_F32, 3, (const int64_t[]){1, length, width});
    SlTensor hidden = {0}, text = {0};
    sl_upload(dev, e->ids, &tokens);
    SlTextExtras extras = {.vectors_end = e->vectors_end};
    bool ok = sl_model_text_extras(model, e->part, &extras, err) &&
              sl_text_encoder_forward_with(dev, te, &tokens, &extras, which, &hidden,
                                           e->pooled ? &text : NULL, err);
    if (ok) {
        sl_copy(dev, &hidden, &f32);
        sl_download(dev, &f32, host);
        if (e->pooled) {
            SlTensor wide = sl_tensor_new(dev, SL_F32, 2, text.size);
            sl_copy(dev, &text, &wide);
            sl_download(dev, &wide, e->pooled->values);
        }
        ok = sl_device_check(dev, err);
    }
    sl_arena_reset(dev, mark);
    if (e->pooled)
        ok = ok && sl_check_finite_text(e->pooled, err);
    for (int64_t i = 0; ok && i < length; i++)
        memcpy(e->states->values + i * e->states->size[1] + e->column, host + i * width,
               (size_t)width * sizeof *host);
    free(host);
    return ok;
}

static bool encode_text(SlModel *model, const SlAsk *ask, SlCondition *condition, SlError *err)
{
    const SlPromptEncoders encoders = {{"text_encoder", "text_encoder_2"}, true, sl_xl_state(ask)};
    if (ask->tokens[0])
        return sl_encode_prompt(model, ask, &encoders, condition, err);
    const SlTextEncoderConfig *first =
        sl_text_encoder_get_config(sl_model_net(model, "text_encoder"));
    const SlTextEncoderConfig *second =
        sl_text_encoder_get_config(sl_model_net(model, "text_encoder_2"));
    const int64_t half = ask->length / 2, columns = first->hidden_size + second->hidden_size;
    const int64_t size[] = {half, columns}, pooled_size = second->projection_dim;
    SlConditionTensor *states = sl_condition_add(condition, "hidden_states", 2, size, err);
    SlConditionTensor *pooled =
        states ? sl_condition_add(condition, "text_embeds", 1, &pooled_size, err) : NULL;
    int skipped = (int)ask->number[SL_XL_SKIPPED];
    if (!pooled)
        return false;
    if (ask->number[SL_XL_ZEROS])
        return true;
    const SlXlEncoding encodings[] = {{"text_encoder", ask->ids, skipped, 0, states, NULL},
                                      {"text_encoder_2", ask->ids + half, skipped,
                                       first->hidden_size, states, pooled, ask->vectors_end}};
    return sl_xl_encode(model, &encodings[0], err) && sl_xl_encode(model, &encodings[1], err) &&
           sl_check_finite_text(states, err);
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
    .parts = (const SlPartClass *const[]){&sl_xl_unet, &text_encoder, &sl_xl_text_encoder_2,
                                          &sl_xl_vae, NULL},
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
