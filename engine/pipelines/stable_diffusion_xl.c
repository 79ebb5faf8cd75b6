/* stable_diffusion_xl.c - the family of Stable Diffusion XL (diffusers
 * pipelines/stable_diffusion_xl/pipeline_stable_diffusion_xl.py): two CLIP text encoders, a
 * UNet2DConditionModel that is told sizes, in the latents of an AutoencoderKL.
 *
 * Easy to get wrong: both encoders give their last state but one, without the final norm, and
 * clip_skip counts from there, for the prompt alone; the pooled text is the second encoder's, of its
 * last layer whatever is skipped; an empty negative prompt is zeros, the pooled text too, unless
 * force_zeros_for_empty_prompt is false; the sizes come height first, then top before left.
 */
#include "engine/pipelines/builtin_configs.h"
#include "engine/pipelines/latent_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZES \
    6 /* "time_ids": original height and width, crop top and left, target height and width */

/* ---- parts ---- */

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

static const SlPartClass text_encoder_2 = {
    .name = "text_encoder_2",
    .base = "model",
    .classes = (const char *const[]){"CLIPTextModelWithProjection", NULL},
    .use = SL_USE_ENCODE,
    .build = sl_build_text_encoder,
    .free = sl_free_text_encoder,
};

static const SlPartClass vae = {
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
    info->told_guidance = c.unet.time_cond_proj_dim > 0;
    if (info->told_guidance)
        info->lacks |= SL_HAS_NEGATIVE_PROMPT | SL_HAS_ZEROS;
    info->channels = c.unet.in_channels;
    info->factor = c.vae.factor;
    info->size_multiple = c.vae.factor * sl_unet_size_multiple(&c.unet);
    info->width = (c.unet.sample_width ? c.unet.sample_width : 128) * c.vae.factor;
    info->height = (c.unet.sample_height ? c.unet.sample_height : 128) * c.vae.factor;
    return true;
}

static bool recognise(const SlWeightSource *file, char arch[16], SlError *err)
{
    return sl_checkpoint_recognise(file, err) && sl_checkpoint_arch(file, arch, err) &&
           (sl_builtin_config_xl(arch, "unet") ||
            sl_fail(err, SL_UNSUPPORTED, "this is no Stable Diffusion XL checkpoint"));
}

/* ---- do the parts fit each other? ---- */

static bool check_unet(const char *path, const Configs *c, SlError *err)
{
    const SlUnetConfig *net = &c->unet;
    int states = c->text[0].hidden_size + c->text[1].hidden_size;
    int added = c->text[1].projection_dim + SIZES * net->addition_time_embed_dim;
    for (int i = 0; i < net->blocks; i++)
        if (net->cross_attention_dim[i] != states)
            return sl_fail(err, SL_FORMAT,
                           "%s: the UNet expects text embeddings of size %d (cross_attention_dim), "
                           "the two text encoders make %d and %d",
                           path, net->cross_attention_dim[i], c->text[0].hidden_size,
                           c->text[1].hidden_size);
    if (!net->text_time)
        return sl_fail(err, SL_FORMAT,
                       "%s: the UNet's \"addition_embed_type\" is not \"text_time\"; expected a "
                       "UNet of Stable Diffusion XL, which is told sizes",
                       path);
    if (!c->text[1].with_projection)
        return sl_fail(err, SL_FORMAT,
                       "%s: text_encoder_2 has no projection (its \"architectures\" is not "
                       "CLIPTextModelWithProjection), and the UNet is told a pooled text",
                       path);
    return added == net->addition_dim ||
           sl_fail(err, SL_FORMAT,
                   "%s: the UNet's projection_class_embeddings_input_dim is %d, and a pooled text "
                   "of %d and %d sizes make %d; expected equal numbers",
                   path, net->addition_dim, c->text[1].projection_dim, SIZES, added);
}

/* By their configurations: a part may be left for later. */
static bool check(const SlModel *model, SlError *err)
{
    Configs c;
    const char *path = model->info.path;
    if (!read_configs(&c, &model->info, err) ||
        !sl_check_text_encoder(model, model->tokenizer, &c.text[0], err) ||
        !sl_check_text_encoder(model, model->tokenizer_2, &c.text[1], err) ||
        !check_unet(path, &c, err))
        return false;
    if (c.unet.in_channels != c.vae.latent_channels || c.unet.out_channels != c.vae.latent_channels)
        return sl_fail(err, SL_UNSUPPORTED,
                       "%s: the UNet has %d input and %d output channels, the VAE %d latent "
                       "channels; only text to picture models with equal numbers can run",
                       path, c.unet.in_channels, c.unet.out_channels, c.vae.latent_channels);
    return true;
}

/* ---- texts ---- */

/* Of an ask's numbers. */
enum { SKIPPED, ZEROS };

static bool empty(const char *text)
{
    return !text || !*text;
}

/* Whether the negative prompt is zeros instead of a text. */
static bool is_zeros(const SlModel *model, const SlRecipe *recipe)
{
    bool zeros = recipe->empty_negative == SL_EMPTY_NEGATIVE_ZEROS ||
                 (recipe->empty_negative == SL_EMPTY_NEGATIVE_MODEL && model->info.force_zeros);
    return empty(recipe->negative_prompt) && zeros;
}

/* What is not said is the picture's size; the crop is 0, 0. */
static void tell_sizes(const SlRecipe *r, float out[SIZES])
{
    int height = r->height, width = r->width;
    const int sizes[SIZES] = {r->original_height ? r->original_height : height,
                              r->original_width ? r->original_width : width,
                              r->crop_top,
                              r->crop_left,
                              r->target_height ? r->target_height : height,
                              r->target_width ? r->target_width : width};
    for (int i = 0; i < SIZES; i++)
        out[i] = (float)sizes[i];
}

static bool ask_text(SlModel *model, const SlRecipe *recipe, bool negative, SlAsk *ask,
                     SlError *err)
{
    ask->length = 2 * sl_tokenizer_max_length(model->tokenizer);
    ask->ids = calloc((size_t)ask->length, sizeof *ask->ids);
    if (!ask->ids)
        return sl_fail(err, SL_MEMORY, "out of memory for the text");
    tell_sizes(recipe, ask->told);
    ask->number[SKIPPED] = negative ? 0 : recipe->clip_skip;
    ask->number[ZEROS] = negative && is_zeros(model, recipe);
    if (ask->number[ZEROS])
        return true;
    int *second = ask->ids + ask->length / 2;
    return sl_tokenize_text(model->tokenizer, recipe, negative, ask->ids, ask, err) &&
           sl_tokenize_text(model->tokenizer_2, recipe, negative, second, NULL, err);
}

/* What one encoder is to do. */
typedef struct Encoding {
    const char *part;
    const int *ids;
    int skipped;
    int64_t column;            /* of the states, from which on its own lie */
    SlConditionTensor *states; /* [length, columns] */
    SlConditionTensor *pooled; /* NULL: not wanted */
} Encoding;

static bool encode_one(SlModel *model, const Encoding *e, SlError *err)
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
    bool ok =
        sl_text_encoder_forward(dev, te, &tokens, which, &hidden, e->pooled ? &text : NULL, err);
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
    for (int64_t i = 0; ok && i < length; i++)
        memcpy(e->states->values + i * e->states->size[1] + e->column, host + i * width,
               (size_t)width * sizeof *host);
    free(host);
    return ok;
}

static bool encode_text(SlModel *model, const SlAsk *ask, SlCondition *condition, SlError *err)
{
    const SlTextEncoderConfig *first =
        sl_text_encoder_get_config(sl_model_net(model, "text_encoder"));
    const SlTextEncoderConfig *second =
        sl_text_encoder_get_config(sl_model_net(model, "text_encoder_2"));
    const int64_t half = ask->length / 2, columns = first->hidden_size + second->hidden_size;
    const int64_t size[] = {half, columns}, pooled_size = second->projection_dim;
    SlConditionTensor *states = sl_condition_add(condition, "hidden_states", 2, size, err);
    SlConditionTensor *pooled =
        states ? sl_condition_add(condition, "text_embeds", 1, &pooled_size, err) : NULL;
    int skipped = (int)ask->number[SKIPPED];
    if (!pooled)
        return false;
    if (ask->number[ZEROS])
        return true;
    const Encoding encodings[] = {
        {"text_encoder", ask->ids, skipped, 0, states, NULL},
        {"text_encoder_2", ask->ids + half, skipped, first->hidden_size, states, pooled}};
    return encode_one(model, &encodings[0], err) && encode_one(model, &encodings[1], err) &&
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
             .has = SL_HAS_PROMPT | SL_HAS_NEGATIVE_PROMPT | SL_HAS_GUIDANCE | SL_HAS_CLIP |
                    SL_HAS_ADAPTERS | SL_HAS_SIZES | SL_HAS_ZEROS,
             .guidance_rule = SL_GUIDANCE_CLASSIFIER_FREE,
             .passes_eta = true,
             .steps = 30,
             .guidance = 5,
             .bench_scheduler = "euler",
             .sizes = training_sizes},
    .class_names = (const char *const[]){"StableDiffusionXLPipeline", NULL},
    .parts = (const SlPartClass *const[]){&unet, &text_encoder, &text_encoder_2, &vae, NULL},
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
