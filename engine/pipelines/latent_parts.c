/* latent_parts.c - see latent_parts.h.
 *
 * Easy to get wrong: parts that load well one by one but do not fit each other (another tokenizer,
 * another VAE) must be refused with both numbers, before the first product runs past a table.
 */
#include "engine/pipelines/latent_parts.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- building ---- */

void *sl_build_text_encoder(const SlJson *json, SlBinder *b, SlError *err)
{
    SlTextEncoderConfig config;
    return sl_text_encoder_config(&config, json, err) ? sl_text_encoder_new(&config, b, err) : NULL;
}

void sl_free_text_encoder(void *te)
{
    sl_text_encoder_free(te);
}

void *sl_build_unet_condition(const SlJson *json, SlBinder *b, SlError *err)
{
    return sl_denoiser_new(&sl_denoiser_unet_condition, json, b, err);
}

void sl_free_unet_condition(void *unet)
{
    sl_denoiser_free(unet);
}

bool sl_vae_config_to_decode(SlVaeConfig *config, const SlJson *json, SlError *err)
{
    if (!sl_vae_config(config, json, err))
        return false;
    config->encodes = false;
    return config->latent_channels <= SL_MAX_LATENT_CHANNELS ||
           sl_fail(err, SL_UNSUPPORTED, "%s: latent_channels is %d; at most %d are supported",
                   sl_json_name(json), config->latent_channels, SL_MAX_LATENT_CHANNELS);
}

void *sl_build_vae(const SlJson *json, SlBinder *b, SlError *err)
{
    SlVaeConfig config;
    return sl_vae_config_to_decode(&config, json, err) ? sl_vae_new(&config, b, err) : NULL;
}

void sl_free_vae(void *vae)
{
    sl_vae_free(vae);
}

/* ---- configurations ---- */

bool sl_read_text_encoder(SlTextEncoderConfig *config, const SlModelInfo *info, const char *part,
                          SlError *err)
{
    SlJson *json = sl_model_config(info, part, err);
    bool ok = json && sl_text_encoder_config(config, json, err);
    sl_json_close(json);
    return ok;
}

bool sl_read_unet_condition(SlUnetConfig *config, const SlModelInfo *info, SlError *err)
{
    SlJson *json = sl_model_config(info, "unet", err);
    bool ok = json && sl_unet_config(config, json, err) && sl_unet_of_kind(config, json, true, err);
    sl_json_close(json);
    return ok;
}

bool sl_read_vae(SlVaeConfig *config, const SlModelInfo *info, SlError *err)
{
    SlJson *json = sl_model_config(info, "vae", err);
    bool ok = json && sl_vae_config(config, json, err);
    sl_json_close(json);
    return ok;
}

bool sl_read_prompt_tokens(const SlModelInfo *info, const char *folder, int max_positions,
                           int *tokens, SlError *err)
{
    char path[sizeof info->path + 64];
    SlError own = {0};
    *tokens = max_positions;
    if (info->single_file)
        return true;
    snprintf(path, sizeof path, "%s/%s/tokenizer_config.json", info->path, folder);
    SlJson *json = sl_json_open(path, err);
    if (!json)
        return false;
    double length = sl_json_double(json, "model_max_length", max_positions, 3, 1e300, &own);
    if (length < 1e9)
        *tokens = (int)length;
    sl_json_close(json);
    return own.code == SL_OK || sl_fail(err, own.code, "%s", own.message);
}

/* ---- do they fit each other? Sizes inside a part were checked when its weights were bound ---- */

bool sl_check_text_encoder(const SlModel *model, const SlTokenizer *tokenizer,
                           const SlTextEncoderConfig *text, SlError *err)
{
    int vocab = sl_tokenizer_vocab_size(tokenizer);
    int length = sl_tokenizer_max_length(tokenizer);
    if (vocab > text->vocab_size)
        return sl_fail(err, SL_FORMAT,
                       "%s: the tokenizer has %d tokens, the text encoder knows %d: they belong to "
                       "different models",
                       model->info.path, vocab, text->vocab_size);
    return length <= text->max_positions ||
           sl_fail(err, SL_FORMAT,
                   "%s: the tokenizer's model_max_length is %d, the text encoder has %d "
                   "positions",
                   model->info.path, length, text->max_positions);
}

bool sl_check_finite_text(const SlConditionTensor *t, SlError *err)
{
    int64_t bad = sl_first_bad(t->values, t->size[0] * (t->rank > 1 ? t->size[1] : 1));
    if (bad >= 0 && t->rank == 1)
        return sl_fail(err, SL_FORMAT,
                       "the text encoder's pooled text is not a finite number: no step can be "
                       "computed with it");
    return bad < 0 ||
           sl_fail(err, SL_FORMAT,
                   "the text encoder's output is not a finite number at token %d of %d: no step "
                   "can be computed with it",
                   (int)(bad / t->size[1]) + 1, (int)t->size[0]);
}

/* ---- texts ---- */

SlTokenizer *sl_ask_tokenizer(const SlTokenizer *t, const SlAsk *ask, SlError *err)
{
    int count = 0, total = 0;
    for (int i = 0; i < ask->vectors_count; i++)
        total += ask->vectors[i].count;
    SlAddedWord *words = calloc((size_t)total + 1, sizeof *words);
    char **names = calloc((size_t)total + 1, sizeof *names);
    bool ok = words && names;
    for (int i = 0; i < ask->vectors_count; i++)
        for (int k = 0; ok && k < ask->vectors[i].count; k++) {
            const SlPromptVectors *v = &ask->vectors[i];
            ok = (k ? asprintf(&names[count], "%s_%d", v->name, k)
                    : asprintf(&names[count], "%s", v->name)) >= 0;
            if (ok) {
                words[count] = (SlAddedWord){names[count], v->first + k};
                count++;
            }
        }
    SlTokenizer *with = ok ? sl_tokenizer_with(t, words, count, err) : NULL;
    if (!ok)
        sl_fail(err, SL_MEMORY, "out of memory for the text");
    for (int i = 0; names && i < count; i++)
        free(names[i]);
    free(names);
    free(words);
    return with;
}

bool sl_tokenize_text(const SlTokenizer *tokenizer, const SlRecipe *recipe, bool negative, int *ids,
                      SlAsk *ask, SlError *err)
{
    char *unused = NULL;
    int count = 0;
    SlTokenizer *t =
        sl_ask_tokenizer(sl_tokenizer_as(tokenizer, (SlTokenRules)recipe->tokenizer), ask, err);
    char *text =
        t ? sl_tokenizer_expand(t, negative ? recipe->negative_prompt : recipe->prompt, err) : NULL;
    bool ok = text && sl_tokenize_padded(t, text, ids, &unused, &count, err);
    if (ok && unused)
        snprintf(ask->warning, sizeof ask->warning, "%d token%s of the %s %s not used: %s", count,
                 count == 1 ? "" : "s", negative ? "negative prompt" : "prompt",
                 count == 1 ? "was" : "were", unused);
    free(unused);
    free(text);
    sl_tokenizer_without(t);
    return ok;
}

bool sl_tokenize_prompt(const SlModel *model, const SlRecipe *recipe, bool negative, SlAsk *ask,
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
