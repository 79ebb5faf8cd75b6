/* stages.c - the stages of a run one by one, without a run: encoding, a step, a picture, all of
 * zeros.
 *
 * On the measure device they find out what a run would need (sl_model_cost); on a real one `bench`
 * times them over random weights. Easy to get wrong: heun evaluates twice a step, so a run keeps
 * the times of several evaluations; a prompt mode has as many chunks as a prompt needs, and evaluates
 * each part of a prompt by itself. Of prompts of different lengths the longer one counts for all.
 */
#include "engine/run/stages.h"

#include <stdlib.h>
#include <string.h>

struct SlStages {
    SlModel *model;    /* without weights */
    int height, width; /* of the sample */
    int batch;
    SlStagesTexts texts;
    SlCondition condition;
    SlContext *context;
    SlTimes *times;
};

/* ---- how long the texts are ---- */

static SlPromptMode mode_of(const SlStagesOf *of)
{
    bool exists = sl_setting_exists(sl_setting(SL_SETTING_PROMPT_MODE), of->info, NULL);
    return exists ? (SlPromptMode)of->recipe->prompt_mode : SL_PROMPT_PLAIN;
}

static void count_chunks(const SlPromptTokens *tokens, SlStagesTexts *texts)
{
    for (int i = 0; i < tokens->texts; i++) {
        int chunks = sl_prompt_tokens_rows(tokens, i) / tokens->length;
        texts->chunks = chunks > texts->chunks ? chunks : texts->chunks;
        for (int s = 0; s < tokens->text[i].sections; s++)
            texts->encoded += tokens->text[i].section[s].chunks * tokens->text[i].section[s].terms;
    }
}

static bool count_prompt(const SlStagesOf *of, const SlTokenizer *tokenizer, bool negative,
                         SlStagesTexts *texts, SlError *err)
{
    const char *text = negative ? of->recipe->negative_prompt : of->recipe->prompt;
    const SlPromptAsk ask = {.mode = mode_of(of),
                             .text = text,
                             .negative = negative,
                             .evaluations = of->recipe->steps > 0 ? of->recipe->steps : 1,
                             .emphasis = (SlEmphasis)of->recipe->emphasis};
    SlPrompt *prompt = sl_prompt_read(&ask, err);
    bool ok = prompt != NULL;
    for (int i = 0; ok && i < prompt->parts; i++) {
        const SlPromptTokensAsk tokens_of = {
            .prompt = prompt, .part = i, .text = text, .tokenizer = tokenizer};
        SlPromptTokens *tokens = sl_prompt_tokens(&tokens_of, err);
        ok = tokens != NULL;
        if (ok)
            count_chunks(tokens, texts);
        sl_prompt_tokens_free(tokens);
    }
    if (ok && prompt->parts > texts->parts)
        texts->parts = prompt->parts;
    sl_prompt_free(prompt);
    return ok;
}

/* With perp-neg there is another pass, with the negative prompt, and the empty one is encoded too. */
static void count_perp_neg(const SlStages *s, const SlRecipe *r, SlStagesTexts *texts)
{
    if (s->batch == 1 || r->guidance_method != SL_METHOD_PERP_NEG || !r->negative_prompt ||
        !*r->negative_prompt)
        return;
    texts->parts = 2;
    texts->encoded++;
}

static bool count_texts(SlStages *s, const SlStagesOf *of, SlError *err)
{
    SlTokenizer *own = NULL;
    const SlTokenizer *tokenizer = of->like ? of->like->tokenizer : NULL;
    s->texts = (SlStagesTexts){.chunks = 1, .parts = 1, .encoded = s->batch};
    if (mode_of(of) == SL_PROMPT_PLAIN || !s->model->kind->tokenizers) {
        count_perp_neg(s, of->recipe, &s->texts);
        return true;
    }
    const char *name = s->model->kind->tokenizer ? s->model->kind->tokenizer : "tokenizer";
    if (!tokenizer)
        tokenizer = own = sl_model_open_tokenizer(of->info, name, NULL, err);
    bool ok = tokenizer != NULL;
    s->texts.encoded = 0;
    for (int i = 0; ok && i < s->batch; i++)
        ok = count_prompt(of, sl_tokenizer_as(tokenizer, (SlTokenRules)of->recipe->tokenizer),
                          i == 1, &s->texts, err);
    count_perp_neg(s, of->recipe, &s->texts);
    sl_tokenizer_close(own);
    return ok;
}

SlStagesTexts sl_stages_texts(const SlStages *s)
{
    return s->texts;
}

SlStages *sl_stages_new(const SlStagesOf *of, SlDevice *dev, SlError *err)
{
    const SlModelInfo *info = of->info;
    const SlRecipe *recipe = of->recipe;
    SlStages *s = calloc(1, sizeof *s);
    if (!s) {
        sl_device_close(&dev);
        sl_fail(err, SL_MEMORY, "out of memory");
        return NULL;
    }
    SlGuidanceRule rule = sl_model_guidance(info, recipe->guidance);
    s->batch = rule == SL_GUIDANCE_CLASSIFIER_FREE ? 2 : 1;
    s->height = (recipe->height ? recipe->height : info->height) / info->factor;
    s->width = (recipe->width ? recipe->width : info->width) / info->factor;
    s->model = sl_model_shape(info, dev, of->like, of->options, err);
    if (!s->model || !count_texts(s, of, err))
        sl_stages_close(&s);
    return s;
}

SlStages *sl_stages_open(const char *arch, const SlModelOptions *options, int width, int height,
                         SlError *err)
{
    SlDtypes types;
    SlModelInfo *info = malloc(sizeof *info);
    SlRecipe recipe;
    SlStages *stages = NULL;
    if (!info) {
        sl_fail(err, SL_MEMORY, "out of memory");
        return NULL;
    }
    SlDevice *dev =
        sl_model_shape_info(arch, info, err) ? sl_dtypes_open_device(options, &types, err) : NULL;
    if (dev) {
        sl_recipe_defaults(&recipe, info);
        recipe.width = width;
        recipe.height = height;
        stages = sl_stages_new(&(SlStagesOf){info, &recipe, NULL, options}, dev, err);
    }
    free(info);
    return stages;
}

/* What the last encoding made. */
static void forget(SlStages *s)
{
    sl_condition_clear(&s->condition);
    sl_context_free(s->model->dev, s->context);
    sl_times_free(s->model->dev, s->times);
    s->context = NULL;
    s->times = NULL;
}

void sl_stages_close(SlStages **stages)
{
    SlStages *s = *stages;
    if (s && s->model) {
        forget(s);
        sl_model_unload(s->model);
    }
    free(s);
    *stages = NULL;
}

SlDevice *sl_stages_device(SlStages *s)
{
    return s->model->dev;
}

const char *sl_stages_dtypes(const SlStages *s)
{
    return sl_model_dtypes(s->model);
}

int sl_stages_width(const SlStages *s)
{
    return s->width * s->model->info.factor;
}

int sl_stages_height(const SlStages *s)
{
    return s->height * s->model->info.factor;
}

/* The condition as long as all chunks of the longest text. */
static bool lengthen(SlStages *s, SlError *err)
{
    SlCondition longer = {0};
    bool ok = true;
    for (int i = 0; ok && i < s->condition.count; i++) {
        const SlConditionTensor *from = &s->condition.tensor[i];
        int64_t size[4];
        memcpy(size, from->size, sizeof size);
        if (!strcmp(from->name, "hidden_states"))
            size[0] *= s->texts.chunks;
        ok = sl_condition_add(&longer, from->name, from->rank, size, err) != NULL;
    }
    sl_condition_finish(&longer);
    if (!ok) {
        sl_condition_clear(&longer);
        return false;
    }
    sl_condition_clear(&s->condition);
    s->condition = longer;
    return true;
}

#define MOST_ENCODED \
    1000 /* of a schedule that changes at every step; those beyond are not counted */

/* A chunk of text as often as there are any: each is encoded by itself. */
static bool encode_texts(SlStages *s, SlError *err)
{
    SlModel *model = s->model;
    SlAsk ask = {.length = model->info.prompt_tokens * (model->kind->two_texts ? 2 : 1)};
    ask.ids = calloc((size_t)ask.length + 1, sizeof *ask.ids);
    bool ok = ask.ids || sl_fail(err, SL_MEMORY, "out of memory for the text");
    int encoded = s->texts.encoded < MOST_ENCODED ? s->texts.encoded : MOST_ENCODED;
    for (int i = 0; ok && i < encoded; i++) {
        sl_condition_clear(&s->condition);
        ok = sl_model_encode(model, &ask, NULL, &s->condition, err);
    }
    sl_ask_clear(&ask);
    return ok && (s->texts.chunks == 1 || lengthen(s, err));
}

bool sl_stages_encode(SlStages *s, SlError *err)
{
    static const float timesteps[SL_TIMES];
    SlModel *model = s->model;
    const SlCondition *conditions[2] = {&s->condition, &s->condition};
    forget(s);
    if (model->kind->encode) {
        if (!encode_texts(s, err))
            return false;
        s->context =
            sl_denoiser_prepare(model->dev, sl_model_denoiser(model), conditions, s->batch, err);
        if (!s->context)
            return false;
    }
    const SlTimesOf of = {timesteps, SL_TIMES, s->batch, 1, 0};
    s->times = sl_times_new(model->dev, sl_model_denoiser(model), &of, err);
    return s->times != NULL;
}

/* Zeros [n, height, width, channels] on the device, in its dtype. */
static SlTensor zeros(SlDevice *dev, const int64_t size[4])
{
    SlTensor t = sl_tensor_new(dev, dev->dtype, 4, size);
    void *host = calloc((size_t)sl_tensor_elements(&t) + 1, sl_dtype_size(dev->dtype));
    if (host && t.data)
        sl_upload(dev, host, &t);
    else if (!host)
        sl_device_fail(dev, SL_MEMORY, "no memory for a sample");
    free(host);
    return t;
}

/* Room for the maps of the prompt's half. */
static SlMaps maps_of(SlStages *s)
{
    SlDevice *dev = s->model->dev;
    SlMaps maps = {.first = s->batch - 1, .every = s->batch};
    SlMapLevel level[SL_MAP_LEVELS];
    int count = sl_denoiser_map_levels(sl_model_denoiser(s->model), s->height, s->width, level);
    for (int i = 0; i < count; i++) {
        const int64_t size[] = {1, (int64_t)level[i].height * level[i].width,
                                s->context->tensor[0].size[1]};
        maps.level[i] = sl_tensor_new(dev, SL_F32, 3, size);
    }
    return maps;
}

/* What a step is: a whole evaluation, or the given parts of one. */
typedef struct StepOf {
    bool maps;
    SlReusePart part[2];
    int parts; /* 0: all of it */
    int branch;
} StepOf;

static bool step(SlStages *s, const StepOf *of, SlError *err)
{
    SlDevice *dev = s->model->dev;
    const int64_t size[] = {s->batch, s->height, s->width, s->model->info.channels};
    size_t mark = sl_arena_mark(dev);
    SlTensor x = zeros(dev, size), row = sl_times_at(s->times, 0);
    SlTensor out = sl_tensor_new(dev, SL_F32, 4, size);
    SlEvaluation e = {.x = &x, .row = &row, .context = s->context, .out = &out};
    SlMaps maps;
    if (of->maps && s->context) {
        maps = maps_of(s);
        e.maps = &maps;
        e.maps_count = 1;
    }
    SlDenoiser *denoiser = sl_model_denoiser(s->model);
    bool ok = of->parts > 0 || sl_denoiser_evaluate(dev, denoiser, &e, err);
    for (int i = 0; ok && i < of->parts; i++) {
        bool deep = of->part[i] == SL_REUSE_DEEP;
        int64_t kept[4];
        sl_denoiser_kept_size(denoiser, deep ? of->branch : SL_REUSE_FIRST_BLOCK, size, kept);
        SlReuse reuse = {.part = of->part[i], .branch = of->branch, .kept = zeros(dev, kept)};
        reuse.entry = deep ? reuse.kept : zeros(dev, kept);
        reuse.first = deep ? reuse.kept : zeros(dev, kept);
        e.reuse = &reuse;
        ok = sl_denoiser_evaluate(dev, denoiser, &e, err);
    }
    sl_arena_reset(dev, mark);
    return ok && sl_device_check(dev, err);
}

bool sl_stages_step(SlStages *s, SlError *err)
{
    return step(s, &(StepOf){0}, err);
}

bool sl_stages_step_maps(SlStages *s, SlError *err)
{
    return step(s, &(StepOf){.maps = true}, err);
}

bool sl_stages_step_deep(SlStages *s, SlError *err)
{
    return sl_stages_step_branch(s, 0, err);
}

bool sl_stages_step_branch(SlStages *s, int branch, SlError *err)
{
    return step(s, &(StepOf){.part = {SL_REUSE_DEEP}, .parts = 1, .branch = branch}, err);
}

bool sl_stages_step_first_block(SlStages *s, SlError *err)
{
    return step(s, &(StepOf){.part = {SL_REUSE_FIRST, SL_REUSE_SKIP}, .parts = 2}, err);
}

/* In the step and in the run: the deep feature, or the first block's input and output and what the rest
 * adds. */
size_t sl_stages_kept_bytes(const SlStages *s, const SlRecipe *recipe)
{
    const SlDenoiser *denoiser = sl_model_denoiser(s->model);
    const int64_t x[] = {s->batch, s->height, s->width, s->model->info.channels};
    bool deep = recipe->caching == SL_CACHING_DEEP;
    int64_t size[4];
    if (recipe->caching == SL_CACHING_OFF)
        return 0;
    sl_denoiser_kept_size(denoiser, deep ? recipe->caching_branch : SL_REUSE_FIRST_BLOCK, x, size);
    size_t values = (size_t)(size[0] * size[1] * size[2] * size[3]);
    size_t bytes = values * sl_dtype_size(denoiser->dtype);
    return deep ? 2 * bytes : 6 * bytes;
}

bool sl_stages_decode(SlStages *s, SlError *err)
{
    SlDevice *dev = s->model->dev;
    const SlVae *vae = sl_model_vae(s->model);
    const SlModelInfo *info = &s->model->info;
    if (!vae)
        return true;
    size_t mark = sl_arena_mark(dev);
    SlTensor z = zeros(dev, (const int64_t[]){1, s->height, s->width, info->channels});
    SlTensor image = sl_tensor_new(dev, SL_F32, 4,
                                   (const int64_t[]){1, (int64_t)s->height * info->factor,
                                                     (int64_t)s->width * info->factor,
                                                     sl_vae_get_config(vae)->out_channels});
    bool ok = sl_vae_decode(dev, vae, &z, &image, err);
    sl_arena_reset(dev, mark);
    return ok && sl_device_check(dev, err);
}
