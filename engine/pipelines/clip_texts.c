/* clip_texts.c - how a text becomes what a net is told, in families with CLIP's text encoders: the ask
 * (its ids) and the condition (the encoders' hidden states side by side, and the last one's pooled
 * text). Prompts with a grammar are prompt_encode.c's. Private to engine/; declared in latent_parts.h.
 *
 * Mirrors encode_prompt of diffusers pipelines/stable_diffusion/pipeline_stable_diffusion.py and
 * stable_diffusion_xl/pipeline_stable_diffusion_xl.py. Easy to get wrong: clip_skip is the prompt's
 * alone, the negative prompt keeps all layers (other programs skip them in both).
 */
#include "engine/pipelines/latent_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- ids ---- */

SlTokenizer *sl_ask_tokenizer(const SlTokenizer *t, const SlAsk *ask, SlError *err)
{
    return sl_tokenizer_with_vectors(t, ask->vectors, ask->vectors_count, err);
}

/* The prompt's or the negative prompt's ids, as many as the tokenizer's length; what of the text finds
 * no room into the ask's warning. */
static bool tokenize_text(const SlTokenizer *tokenizer, const SlRecipe *recipe, bool negative,
                          int *ids, SlAsk *ask, SlError *err)
{
    char *unused = NULL;
    int count = 0;
    SlTokenizer *t =
        sl_ask_tokenizer(sl_tokenizer_as(tokenizer, (SlTokenRules)recipe->tokenizer), ask, err);
    char *text =
        t ? sl_tokenizer_expand(t, negative ? recipe->negative_prompt : recipe->prompt, err) : NULL;
    bool ok = text && sl_tokenize_padded(t, text, ids, &unused, &count, err);
    if (ok && unused)
        snprintf(ask->warning, sizeof ask->warning,
                 sl_words("%d token%s of the %s %s not used: %s"), count, count == 1 ? "" : "s",
                 negative ? sl_words("negative prompt") : sl_words("prompt"),
                 count == 1 ? "was" : "were", unused);
    free(unused);
    free(text);
    sl_tokenizer_without(t);
    return ok;
}

/* The tokens of the ask's prompt for the first text encoder, and the second where there is one. */
static bool tokenize_prompt(const SlModel *model, const SlRecipe *recipe, bool negative, SlAsk *ask,
                            SlError *err)
{
    const SlTokenizer *tokenizers[2] = {model->tokenizer, model->tokenizer_2};
    for (int i = 0; i < (model->kind->two_texts ? 2 : 1); i++) {
        const SlTokenizer *t = sl_tokenizer_as(tokenizers[i], (SlTokenRules)recipe->tokenizer);
        bool compel = ask->prompt->mode == SL_PROMPT_COMPEL;
        SlTokenizer *with = compel ? sl_ask_tokenizer(t, ask, err) : NULL;
        const SlPromptTokensAsk of = {.prompt = ask->prompt,
                                      .part = ask->part,
                                      .text = negative ? recipe->negative_prompt : recipe->prompt,
                                      .tokenizer = compel ? with : t,
                                      .vectors = ask->vectors,
                                      .vectors_count = compel ? 0 : ask->vectors_count};
        ask->tokens[i] = compel && !with ? NULL : sl_prompt_tokens(&of, err);
        sl_tokenizer_without(with);
        if (!ask->tokens[i])
            return false;
    }
    for (int t = 0; ask->tokens[1] && t < ask->tokens[0]->texts; t++)
        if (sl_prompt_tokens_rows(ask->tokens[0], t) != sl_prompt_tokens_rows(ask->tokens[1], t))
            return sl_fail(err, SL_FORMAT,
                           "The model's two tokenizers split the prompt into %d and %d rows; "
                           "expected equal numbers",
                           sl_prompt_tokens_rows(ask->tokens[0], t),
                           sl_prompt_tokens_rows(ask->tokens[1], t));
    return true;
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

bool sl_clip_ask(SlModel *model, const SlRecipe *recipe, bool negative, bool zeros, SlAsk *ask,
                 SlError *err)
{
    bool two = model->kind->two_texts;
    ask->number[SL_CLIP_SKIPPED] = negative && !ask->prompt ? 0 : recipe->clip_skip;
    ask->number[SL_CLIP_ZEROS] = zeros;
    if (ask->prompt && !zeros)
        return tokenize_prompt(model, recipe, negative, ask, err);
    int length = sl_tokenizer_max_length(model->tokenizer);
    ask->length = length * (two ? 2 : 1);
    ask->ids = calloc((size_t)ask->length, sizeof *ask->ids);
    if (!ask->ids)
        return sl_fail(err, SL_MEMORY, "out of memory for the text");
    if (zeros)
        return true;
    SlAsk second = {.vectors = ask->vectors, .vectors_count = ask->vectors_count};
    bool ok = tokenize_text(model->tokenizer, recipe, negative, ask->ids, ask, err) &&
              (!two || tokenize_text(model->tokenizer_2, recipe, negative, ask->ids + length,
                                     &second, err));
    if (ok && two)
        join_warnings(ask, &second);
    return ok;
}

/* ---- conditions ---- */

/* The states of one encoder into its columns. */
static bool encode_beside(SlModel *model, const SlEncodeIds *e, int64_t column,
                          SlConditionTensor *states, SlConditionTensor *pooled, SlError *err)
{
    const int64_t width = sl_text_encoder_get_config(sl_model_net(model, e->part))->hidden_size;
    float *own = calloc((size_t)(e->length * width), sizeof *own);
    bool ok = own ? sl_encode_ids(model, e, own, pooled, err)
                  : sl_fail(err, SL_MEMORY, "out of memory for the text");
    for (int64_t i = 0; ok && i < e->length; i++)
        memcpy(states->values + i * states->size[1] + column, own + i * width,
               (size_t)width * sizeof *own);
    free(own);
    return ok;
}

bool sl_clip_encode(SlModel *model, const SlAsk *ask, const SlPromptEncoders *encoders,
                    SlCondition *conditions, SlError *err)
{
    if (ask->tokens[0])
        return sl_encode_prompt(model, ask, encoders, conditions, err);
    const int count = encoders->part[1] ? 2 : 1, length = ask->length / count;
    const SlTextEncoderConfig *config[2] = {0};
    int64_t columns = 0;
    for (int i = 0; i < count; i++) {
        config[i] = sl_text_encoder_get_config(sl_model_net(model, encoders->part[i]));
        columns += config[i]->hidden_size;
    }
    const int64_t size[] = {length, columns}, pooled_size = config[count - 1]->projection_dim;
    SlConditionTensor *states = sl_condition_add(conditions, "hidden_states", 2, size, err);
    SlConditionTensor *pooled =
        states && encoders->pooled
            ? sl_condition_add(conditions, "text_embeds", 1, &pooled_size, err)
            : NULL;
    bool ok = states && (pooled || !encoders->pooled);
    if (!ok || ask->number[SL_CLIP_ZEROS])
        return ok;
    for (int i = 0; ok && i < count; i++) {
        bool last = i == count - 1;
        const SlEncodeIds e = {.part = encoders->part[i],
                               .ids = ask->ids + i * length,
                               .length = length,
                               .state = encoders->state,
                               .vectors_end = ask->vectors_end};
        ok = encode_beside(model, &e, i ? config[0]->hidden_size : 0, states, last ? pooled : NULL,
                           err);
    }
    return ok && (!pooled || sl_check_finite_text(pooled, err)) &&
           sl_check_finite_text(states, err);
}
