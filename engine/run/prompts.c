/* prompts.c - what a run is told by its prompts, at each evaluation.
 *
 * Easy to get wrong: in A1111 evaluations count from 0 and a schedule's steps from 1, and a turn
 * holds while the one is not above the other; a scheduler that evaluates twice a step counts twice.
 * Parts of different lengths are made equal by repeating the last row, prompt and negative prompt are
 * not - but in compel, by chunks without words. With perp-neg the parts are the prompt and the negative
 * prompt, and made equal by repeating all of each, which attention does not notice (as in ComfyUI).
 */
#include "engine/run/run_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool no_memory(SlError *err)
{
    return sl_fail(err, SL_MEMORY, "out of memory for the text");
}

/* Whose words. */
typedef enum Which { PROMPT, NEGATIVE, EMPTY } Which;

/* The prompt or a negative prompt. */
typedef struct Words {
    SlPrompt *prompt; /* NULL: plain text */
    int parts;
    struct Part {
        SlAsk ask;
        const SlCondition **condition; /* of each text of its schedule */
        int texts;
    } * part;
} Words;

static void free_words(Words *w)
{
    for (int i = 0; i < w->parts; i++) {
        sl_ask_clear(&w->part[i].ask);
        free(w->part[i].condition);
    }
    free(w->part);
    sl_prompt_free(w->prompt);
}

static SlPromptMode mode_of(const SlRun *run, const SlRunSide *side)
{
    bool exists = sl_setting_exists(sl_setting(SL_SETTING_PROMPT_MODE), &side->model->info, NULL);
    return exists ? (SlPromptMode)run->recipe.prompt_mode : SL_PROMPT_PLAIN;
}

/* ---- reading ---- */

static const char *text_of(const SlRun *run, Which which)
{
    return which == PROMPT ? run->prompt : which == NEGATIVE ? run->negative_prompt : "";
}

static bool read_words(SlRun *run, const SlRunSide *side, Which which, Words *w, SlError *err)
{
    SlModel *model = side->model;
    const bool negative = which != PROMPT;
    SlRecipe recipe = run->recipe;
    if (which == EMPTY)
        recipe.negative_prompt = "";
    const SlPromptAsk ask = {.mode = mode_of(run, side),
                             .text = text_of(run, which),
                             .negative = negative,
                             .evaluations =
                                 run->recipe.steps *
                                 sl_scheduler_find(run->recipe.scheduler)->evaluations_per_step,
                             .emphasis = (SlEmphasis)run->recipe.emphasis};
    if (ask.mode != SL_PROMPT_PLAIN && !(w->prompt = sl_prompt_read(&ask, err)))
        return false;
    int parts = w->prompt ? w->prompt->parts : 1;
    w->part = calloc((size_t)parts, sizeof *w->part);
    if (!w->part)
        return no_memory(err);
    for (; w->parts < parts; w->parts++) {
        SlAsk *part = &w->part[w->parts].ask;
        part->prompt = w->prompt;
        part->part = w->parts;
        part->vectors = side->vectors;
        part->vectors_count = side->vectors_count;
        part->vectors_end = run->recipe.embedding_end == SL_EMBEDDING_END_VECTORS;
        if (!model->kind->ask(model, &recipe, negative, part, err)) {
            sl_ask_clear(part);
            return false;
        }
        w->part[w->parts].texts = sl_ask_texts(part);
        if (side != run->side || side->words) /* a refiner reads what the model reads */
            continue;
        sl_run_warn(run, part->warning);
        sl_run_mark_vectors(run, side, part);
    }
    return true;
}

static void warn_of_weights(SlRun *run)
{
    if (run->recipe.emphasis != SL_EMPHASIS_ORIGINAL && mode_of(run, run->side) != SL_PROMPT_A1111)
        sl_run_warn(run, sl_words("the emphasis counts in the prompt mode a1111 alone"));

    bool could = sl_setting_exists(sl_setting(SL_SETTING_PROMPT_MODE), &run->model->info, NULL);
    bool has = sl_prompt_has_weights(run->prompt) || sl_prompt_has_weights(run->negative_prompt);
    if (could && has && mode_of(run, run->side) == SL_PROMPT_PLAIN)
        sl_run_warn(run, sl_words("the prompt has weights in brackets, which are plain text here; "
                                  "the prompt mode a1111 or comfyui reads them"));
}

/* ---- lengths ---- */

/* compel: the shorter ones get chunks without words. */
static bool pad_tokens(Words *words, int count, SlError *err)
{
    int rows = 0;
    bool ok = true;
    for (int i = 0; i < count; i++)
        if (!words[i].prompt || words[i].prompt->mode != SL_PROMPT_COMPEL ||
            !words[i].part[0].ask.tokens[0])
            return true;
    for (int i = 0; i < count; i++) {
        int own = sl_prompt_tokens_rows(words[i].part[0].ask.tokens[0], 0);
        rows = own > rows ? own : rows;
    }
    for (int i = 0; ok && i < count; i++)
        for (int k = 0; ok && k < 2; k++)
            ok = !words[i].part[0].ask.tokens[k] ||
                 sl_prompt_tokens_pad(words[i].part[0].ask.tokens[k], rows, err);
    return ok;
}

/* The condition with so many rows: its last one is repeated, or all are. */
static const SlCondition *longer(SlShare *share, const SlCondition *c, int64_t rows, bool all,
                                 SlError *err)
{
    SlCondition copy = {0};
    bool ok = true;
    for (int i = 0; ok && i < c->count; i++) {
        const SlConditionTensor *from = &c->tensor[i];
        int64_t size[4], width = from->rank > 1 ? from->size[1] : 1;
        bool states = !strcmp(from->name, "hidden_states");
        memcpy(size, from->size, sizeof size);
        size[0] = states ? rows : size[0];
        SlConditionTensor *to = sl_condition_add(&copy, from->name, from->rank, size, err);
        ok = to != NULL;
        for (int64_t k = 0; ok && k < size[0]; k++) {
            int64_t own = from->size[0], row = k < own ? k : all ? k % own : own - 1;
            memcpy(to->values + k * width, from->values + row * width,
                   (size_t)width * sizeof *to->values);
        }
    }
    sl_condition_finish(&copy);
    const SlCondition *kept = ok ? sl_share_given(share, &copy, err) : NULL;
    sl_condition_clear(&copy);
    return kept;
}

static int64_t rows_of(const SlCondition *c)
{
    const SlConditionTensor *t = sl_condition_find(c, "hidden_states");
    return t ? t->size[0] : 0;
}

static bool even_parts(SlShare *share, Words *w, SlError *err)
{
    int64_t most = 0;
    for (int i = 0; i < w->parts; i++) {
        int64_t rows = rows_of(w->part[i].condition[0]);
        most = rows > most ? rows : most;
    }
    for (int i = 0; i < w->parts; i++)
        for (int t = 0; t < w->part[i].texts; t++) {
            const SlCondition **condition = &w->part[i].condition[t];
            if (rows_of(*condition) < most &&
                !(*condition = longer(share, *condition, most, false, err)))
                return false;
        }
    return true;
}

static bool repeat(SlRunSide *side, Words *w, int copies, SlError *err)
{
    for (int t = 0; copies > 1 && t < w->part[0].texts; t++) {
        const SlCondition **c = &w->part[0].condition[t];
        if (!(*c = longer(side->share, *c, rows_of(*c) * copies, true, err)))
            return false;
    }
    return true;
}

/* Perp-neg: the prompt and the negative prompt become as long as their least common multiple. */
static bool even_negative(SlRunSide *side, Words *prompt, Words *negative, SlError *err)
{
    int64_t a = rows_of(prompt->part[0].condition[0]), b = rows_of(negative->part[0].condition[0]);
    int64_t rows = a;
    while (b > 0 && rows % b)
        rows += a;
    side->copies[0] = a > 0 ? (int)(rows / a) : 1;
    side->copies[1] = b > 0 ? (int)(rows / b) : 1;
    return repeat(side, prompt, side->copies[0], err) &&
           repeat(side, negative, side->copies[1], err);
}

/* ---- what is told ---- */

static bool encode_words(SlShare *share, Words *w, SlError *err)
{
    for (int i = 0; i < w->parts; i++) {
        struct Part *part = &w->part[i];
        const SlCondition *found = sl_share_conditions(share, &part->ask, err);
        if (!found)
            return false;
        part->condition = calloc((size_t)part->texts, sizeof(const SlCondition *));
        if (!part->condition)
            return no_memory(err);
        for (int t = 0; t < part->texts; t++)
            part->condition[t] = &found[t];
    }
    return w->parts == 1 || even_parts(share, w, err);
}

/* Which text of its schedule a part is at an evaluation. */
static int number_at(const Words *w, int part, int evaluation)
{
    const SlPromptPart *of = w->prompt ? &w->prompt->part[part] : NULL;
    int text = of && of->turns && w->part[part].texts > 1 ? of->turn[0].text : 0;
    for (int i = 0; of && w->part[part].texts > 1 && i < of->turns; i++)
        if (evaluation <= of->turn[i].last) {
            text = of->turn[i].text;
            break;
        }
    return text;
}

static const SlCondition *text_at(const Words *w, int part, int evaluation)
{
    return w->part[part].condition[number_at(w, part, evaluation)];
}

/* Room for what is told, of so many parts. */
static bool make_room(const SlRun *run, SlRunSide *side, int parts, SlError *err)
{
    size_t evaluations = (size_t)sl_run_evaluations(run);
    side->parts = parts;
    side->words = calloc(evaluations * (size_t)parts, sizeof *side->words);
    side->part_weight = calloc((size_t)parts, sizeof *side->part_weight);
    for (int i = 0; side->part_weight && i < parts; i++)
        side->part_weight[i] = 1;
    return (side->words && side->part_weight) || no_memory(err);
}

/* words: of the empty prompt, the prompt and the negative prompt, which is a part like it. */
static bool tell_perp_neg(const SlRun *run, SlRunSide *side, Words *words, SlError *err)
{
    const SlPrompt *prompt = words[1].prompt;
    if (words[1].parts > 1 || words[2].parts > 1)
        return sl_fail(err, SL_ARGUMENT,
                       "The prompt weighs its parts against the negative prompt (\"AND\"), which "
                       "guidance method perp-neg cannot do; expected a prompt without, or another "
                       "method");
    if (!even_negative(side, &words[1], &words[2], err) || !make_room(run, side, 2, err))
        return false;
    side->perp_neg = true;
    side->part_weight[0] = prompt ? prompt->part[0].weight : 1;
    for (int e = 0; e < sl_run_evaluations(run); e++)
        for (int i = 0; i < 2; i++)
            side->words[e * 2 + i] =
                (SlRunWords){{text_at(&words[0], 0, e), text_at(&words[1 + i], 0, e)}};
    return true;
}

/* words: of the negative prompt first, where there are two. */
static bool tell(const SlRun *run, SlRunSide *side, const Words *words, SlError *err)
{
    const Words *prompt = &words[side->batch - 1];
    if (!make_room(run, side, prompt->parts, err))
        return false;
    for (int i = 0; prompt->prompt && i < side->parts; i++)
        side->part_weight[i] = prompt->prompt->part[i].weight;
    if (side->batch == 1 && (side->parts > 1 || side->part_weight[0] != 1))
        return sl_fail(err, SL_ARGUMENT,
                       "The prompt weighs its parts against the negative prompt (\"AND\", or a "
                       "number behind a last colon), which needs a guidance scale above 1");
    if (side->parts > 1 && (run->recipe.guidance_from > 0 || run->recipe.guidance_to < 1))
        return sl_fail(err, SL_ARGUMENT,
                       "The prompt weighs its parts against the negative prompt (\"AND\"), which "
                       "needs guidance at every step; it is from %.4g to %.4g",
                       run->recipe.guidance_from, run->recipe.guidance_to);
    for (int e = 0; e < sl_run_evaluations(run); e++)
        for (int i = 0; i < side->parts; i++)
            side->words[e * side->parts + i] = (SlRunWords){
                {text_at(&words[0], side->batch == 2 ? 0 : i, e), text_at(prompt, i, e)}};
    return true;
}

/* Without a negative prompt there is nothing to be taken out, and it is plain guidance. */
static bool asks_perp_neg(const SlRun *run, const SlRunSide *side)
{
    return side->batch == 2 && run->recipe.guidance_method == SL_METHOD_PERP_NEG &&
           run->negative_prompt && *run->negative_prompt;
}

static bool tell_words(SlRun *run, SlRunSide *side, SlError *err)
{
    Words words[3] = {0};
    bool first = side == run->side, perp_neg = asks_perp_neg(run, side);
    const Which which[] = {side->batch == 1 ? PROMPT
                           : perp_neg       ? EMPTY
                                            : NEGATIVE,
                           PROMPT, NEGATIVE};
    int count = side->batch + perp_neg;
    bool ok = (!first || sl_run_find_embeddings(run, mode_of(run, side), err)) &&
              sl_run_name_vectors(run, side, mode_of(run, side), err);
    for (int i = 0; ok && i < count; i++)
        ok = read_words(run, side, which[i], &words[i], err);
    ok = ok && (!first || sl_run_settle_embeddings(run, mode_of(run, side), err)) &&
         pad_tokens(words, count, err);
    for (int i = 0; ok && i < count; i++)
        ok = encode_words(side->share, &words[i], err);
    ok = ok && (perp_neg ? tell_perp_neg(run, side, words, err) : tell(run, side, words, err));
    if (side == run->side)
        warn_of_weights(run);
    for (int i = 0; i < count; i++)
        free_words(&words[i]);
    return ok;
}

/* Conditions that were given. */
static bool tell_given(const SlRun *run, SlRunSide *side, const SlCondition *const *given,
                       SlError *err)
{
    const SlCondition *found[2];
    if (side->batch == 2 && run->recipe.guidance_method == SL_METHOD_PERP_NEG)
        return sl_fail(err, SL_ARGUMENT,
                       "guidance method perp-neg needs prompts, and conditions were given");
    for (int i = 0; i < side->batch; i++) {
        if (!given[i])
            return sl_fail(err, SL_ARGUMENT, "guidance needs two conditions, and there is one");
        found[i] = sl_share_given(side->share, given[i], err);
        if (!found[i])
            return false;
    }
    if (!make_room(run, side, 1, err))
        return false;
    for (int e = 0; e < sl_run_evaluations(run); e++)
        side->words[e] = (SlRunWords){{found[0], found[side->batch - 1]}};
    return true;
}

static bool tell_at(SlRunSide *side, int at, int batch, SlError *err)
{
    if (!side->words)
        return true;
    const SlCondition *const *all = side->words[at].condition;
    side->told = sl_share_told(side->share, all + (side->batch - batch), batch, err);
    return side->told != NULL;
}

static int evaluation_at(const SlRun *run, int evaluation)
{
    int last = sl_run_evaluations(run) - 1;
    return evaluation < last ? evaluation : last;
}

bool sl_run_tell(SlRun *run, SlRunSide *side, int evaluation, int part, SlError *err)
{
    int e = evaluation_at(run, evaluation);
    return tell_at(side, e * side->parts + part, sl_run_batch(run, side, e), err);
}

bool sl_run_tell_all(SlRun *run, SlRunSide *side, int evaluation, int part, SlError *err)
{
    int e = evaluation_at(run, evaluation);
    return tell_at(side, e * side->parts + part, side->batch, err);
}

bool sl_run_find_words(SlRun *run, SlRunSide *side, const SlCondition *const *given, SlError *err)
{
    side->parts = 1;
    if (!side->model->kind->ask)
        return true;
    side->given = given != NULL;
    return given ? tell_given(run, side, given, err) : tell_words(run, side, err);
}

/* ---- words, for maps ---- */

/* Those of a part, as tokens from `first` on, behind the others. */
static bool add_part(const SlRun *run, const SlRunSide *side, const Words *w, const int at[2],
                     int first, SlWords *out, SlError *err)
{
    const SlModel *model = side->model;
    SlTextWords found = {0};
    const SlAsk *of_part = &w->part[at[0]].ask;
    const SlTokenizer *t = sl_tokenizer_as(model->tokenizer, (SlTokenRules)run->recipe.tokenizer);
    bool named = !w->prompt || w->prompt->mode == SL_PROMPT_COMPEL;
    SlTokenizer *with = named ? sl_ask_tokenizer(t, of_part, err) : NULL;
    if (named && !with)
        return false;
    const SlTextWordsAsk ask = {.typed = run->prompt,
                                .tokenizer = with ? with : t,
                                .prompt = w->prompt,
                                .tokens = of_part->tokens[0],
                                .part = at[0],
                                .text = at[1]};
    bool ok = sl_text_words(&ask, &found, err);
    SlWord *more =
        ok ? realloc(out->word, (size_t)(out->words + found.words + 1) * sizeof *more) : NULL;
    if (ok && !more)
        ok = no_memory(err);
    for (int i = 0; ok && i < found.words; i++) {
        const SlTextWord *of = &found.word[i];
        more[out->words + i] =
            (SlWord){of->begin, of->end, at[0], first + of->row, of->rows, of->weight};
    }
    if (ok) {
        out->word = more;
        out->words += found.words;
        out->length = found.length;
    }
    sl_text_words_free(&found);
    sl_tokenizer_without(with);
    return ok;
}

bool sl_run_words(SlRun *run, int evaluation, SlWords *out, SlError *err)
{
    const SlRunSide *side = sl_run_side_at(run, evaluation);
    Words words = {0};
    int rows = 0; /* of each part: they are as long as the longest */
    *out = (SlWords){0};
    if (side->given || !side->model->kind->ask || !side->model->tokenizer)
        return true;
    bool ok = read_words(run, side, PROMPT, &words, err);
    for (int i = 0; ok && words.prompt && i < words.parts; i++) {
        int own = sl_prompt_tokens_rows(words.part[i].ask.tokens[0], 0);
        rows = own > rows ? own : rows;
    }
    for (int i = 0; ok && i < words.parts; i++)
        ok = add_part(run, side, &words, (const int[]){i, number_at(&words, i, evaluation)},
                      i * rows, out, err);
    free_words(&words);
    if (!ok)
        sl_words_free(out);
    return ok;
}
