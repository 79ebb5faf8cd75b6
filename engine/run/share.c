/* share.c - see share.h.
 *
 * Conditions are kept one per prompt, so that two lanes with different prompts still share the
 * empty one. First evaluations are recognised by their bytes: a lane that differs in the last bit
 * of its input is another one.
 */
#include "engine/run/share.h"

#include <stdlib.h>
#include <string.h>

#define KEPT_EVALUATIONS 8
#define KEPT_MIXES       12 /* sets of adapters whose contexts stay */
#define KEPT_TEXTS       64 /* texts whose contexts stay */

typedef struct Row {
    struct Row *next;
    SlAsk ask;    /* with what it owns; nothing for a condition that was given */
    unsigned mix; /* of adapters that it was encoded with */
    bool given;
    SlCondition *condition; /* one for each text of the ask */
    int conditions;
} Row;

typedef struct Text {
    struct Text *next;
    SlTold told;
    uint64_t asked; /* when, by the share's clock */
} Text;

typedef struct Evaluation {
    SlShareKey key; /* input is ours */
    float *input, *said;
} Evaluation;

struct SlShare {
    SlModel *model;
    SlShare *refiner; /* of the model that goes on; NULL before it is asked for */
    Row *rows;
    Text *texts;
    Evaluation kept[KEPT_EVALUATIONS];
    int kept_count;
    SlShareCounts counts;
    uint64_t clock;
};

SlShare *sl_share_new(SlModel *model)
{
    SlShare *share = calloc(1, sizeof *share);
    if (share)
        share->model = model;
    return share;
}

static void free_row(Row *row)
{
    sl_ask_clear(&row->ask);
    for (int i = 0; i < row->conditions; i++)
        sl_condition_clear(&row->condition[i]);
    free(row->condition);
    free(row);
}

static void free_contexts(SlShare *share, Text *text)
{
    for (int i = 0; i < text->told.contexts; i++)
        sl_context_free(share->model->dev, text->told.context[i]);
    free(text->told.text);
    text->told.contexts = 0;
    text->told.text = NULL;
}

static void free_text(SlShare *share, Text *text)
{
    free_contexts(share, text);
    free(text);
}

void sl_share_free(SlShare *share)
{
    if (!share)
        return;
    sl_share_free(share->refiner);
    for (Row *row = share->rows, *next; row; row = next) {
        next = row->next;
        free_row(row);
    }
    for (Text *text = share->texts, *next; text; text = next) {
        next = text->next;
        free_text(share, text);
    }
    for (int i = 0; i < share->kept_count; i++) {
        free(share->kept[i].input);
        free(share->kept[i].said);
    }
    free(share);
}

SlShare *sl_share_refiner(SlShare *share)
{
    if (!share->refiner && share->model->refiner)
        share->refiner = sl_share_new(share->model->refiner);
    return share->refiner;
}

SlShareCounts sl_share_counts(const SlShare *share)
{
    return share->counts;
}

/* ---- conditions ---- */

static bool same_tokens(const SlPromptTokens *a, const SlPromptTokens *b)
{
    return a && b ? !strcmp(a->identity, b->identity) : a == b;
}

/* Whether what encode makes of them is the same. */
static bool same_text(const SlAsk *a, const SlAsk *b)
{
    return a->length == b->length && a->vectors_end == b->vectors_end &&
           !memcmp(a->number, b->number, sizeof a->number) &&
           same_tokens(a->tokens[0], b->tokens[0]) && same_tokens(a->tokens[1], b->tokens[1]) &&
           (a->length == 0 || !memcmp(a->ids, b->ids, (size_t)a->length * sizeof *a->ids));
}

static bool same_ask(const SlAsk *a, const SlAsk *b)
{
    return same_text(a, b) && !memcmp(a->told, b->told, sizeof a->told);
}

static Row *new_row(int conditions, SlError *err)
{
    Row *row = calloc(1, sizeof *row);
    if (row)
        row->condition = calloc((size_t)conditions, sizeof *row->condition);
    if (!row || !row->condition) {
        free(row);
        sl_fail(err, SL_MEMORY, "out of memory for the text");
        return NULL;
    }
    row->conditions = conditions;
    return row;
}

static const SlCondition *keep(SlShare *share, Row *row)
{
    row->next = share->rows;
    share->rows = row;
    return row->condition;
}

const SlCondition *sl_share_conditions(SlShare *share, SlAsk *ask, SlError *err)
{
    SlModel *model = share->model;
    const SlCondition *encoded = NULL; /* of the same text, told other numbers */
    for (const Row *row = share->rows; row; row = row->next) {
        if (row->given || row->mix != model->text_mix || !same_text(&row->ask, ask))
            continue;
        encoded = row->condition;
        if (same_ask(&row->ask, ask)) {
            share->counts.texts_shared++;
            return encoded;
        }
    }
    Row *row = encoded || sl_model_need(model, SL_USE_ENCODE, err) ? new_row(sl_ask_texts(ask), err)
                                                                   : NULL;
    if (!row)
        return NULL;
    row->mix = model->text_mix;
    if (!sl_model_encode(model, ask, encoded, row->condition, err)) {
        free_row(row);
        return NULL;
    }
    row->ask = *ask;
    row->ask.prompt = NULL;
    row->ask.vectors = NULL;
    row->ask.vectors_count = 0;
    ask->ids = NULL;
    ask->tokens[0] = ask->tokens[1] = NULL;
    share->counts.texts += !encoded;
    share->counts.texts_shared += encoded != NULL;
    return keep(share, row);
}

const SlCondition *sl_share_given(SlShare *share, const SlCondition *condition, SlError *err)
{
    SlCondition copy;
    if (!sl_condition_copy(&copy, condition, err))
        return NULL;
    for (const Row *row = share->rows; row; row = row->next)
        for (int i = 0; i < row->conditions; i++)
            if (!strcmp(row->condition[i].identity, copy.identity)) {
                sl_condition_clear(&copy);
                return &row->condition[i];
            }
    Row *row = new_row(1, err);
    if (!row) {
        sl_condition_clear(&copy);
        return NULL;
    }
    row->given = true;
    row->condition[0] = copy;
    return keep(share, row);
}

/* ---- what a run is told ---- */

/* The hidden states of all one behind the other, where they have one length. */
static bool join_texts(SlTold *told, SlError *err)
{
    const SlConditionTensor *t = sl_condition_find(told->condition[0], "hidden_states");
    if (!t || t->rank != 2 || told->contexts > 1)
        return true;
    size_t values = (size_t)(sl_condition_rows(t) * t->size[1]);
    told->text = malloc(values * (size_t)told->conditions * sizeof *told->text + 1);
    if (!told->text)
        return sl_fail(err, SL_MEMORY, "out of memory for the text");
    for (int i = 0; i < told->conditions; i++) {
        t = sl_condition_find(told->condition[i], "hidden_states");
        sl_condition_take(t, told->text + (size_t)i * values);
    }
    told->size[0] = told->conditions;
    told->size[1] = sl_condition_rows(t);
    told->size[2] = t->size[1];
    return true;
}

static bool make_contexts(SlShare *share, SlTold *told, SlError *err)
{
    SlModel *model = share->model;
    SlConditionShape first = sl_condition_shape(told->condition[0]);
    SlConditionShape last = sl_condition_shape(told->condition[told->conditions - 1]);
    int contexts = sl_condition_same_shape(&first, &last) ? 1 : 2;
    int each = told->conditions / contexts;
    if (!sl_model_need(model, SL_USE_DENOISE, err))
        return false;
    for (; told->contexts < contexts; told->contexts++) {
        told->context[told->contexts] = sl_denoiser_prepare(
            model->dev, sl_model_denoiser(model), &told->condition[told->contexts], each, err);
        if (!told->context[told->contexts])
            return false;
    }
    return true;
}

static Text *find_text(SlShare *share, const SlCondition *const *conditions, int count)
{
    for (Text *text = share->texts; text; text = text->next)
        if (text->told.mix == share->model->denoise_mix && text->told.conditions == count &&
            text->told.condition[0] == conditions[0] &&
            text->told.condition[count - 1] == conditions[count - 1])
            return text;
    return NULL;
}

static Text *new_text(SlShare *share, const SlCondition *const *conditions, int count, SlError *err)
{
    Text *text = calloc(1, sizeof *text);
    if (!text) {
        sl_fail(err, SL_MEMORY, "out of memory for the text");
        return NULL;
    }
    text->told.mix = share->model->denoise_mix;
    text->told.conditions = count;
    for (int i = 0; i < count; i++)
        text->told.condition[i] = conditions[i];
    text->next = share->texts;
    share->texts = text;
    return text;
}

/* A strength that follows the steps makes a set of each, a prompt that changes at each a text. */
static void drop_old_contexts(SlShare *share, bool mixed, int most)
{
    Text *oldest = NULL;
    int kept = 0;
    for (Text *text = share->texts; text; text = text->next) {
        if ((mixed && text->told.mix == 0) || text->told.contexts == 0)
            continue;
        kept++;
        oldest = !oldest || text->asked < oldest->asked ? text : oldest;
    }
    if (kept > most)
        free_contexts(share, oldest);
}

const SlTold *sl_share_told(SlShare *share, const SlCondition *const *conditions, int count,
                            SlError *err)
{
    Text *text = find_text(share, conditions, count);
    if (!text && !(text = new_text(share, conditions, count, err)))
        return NULL;
    text->asked = ++share->clock;
    if (text->told.contexts > 0)
        return &text->told;
    if (!make_contexts(share, &text->told, err) || !join_texts(&text->told, err)) {
        free_contexts(share, text);
        return NULL;
    }
    drop_old_contexts(share, true, KEPT_MIXES);
    drop_old_contexts(share, false, KEPT_TEXTS);
    return &text->told;
}

/* ---- first evaluations ---- */

const float *sl_share_find(SlShare *share, const SlShareKey *key)
{
    for (int i = 0; i < share->kept_count; i++) {
        const SlShareKey *k = &share->kept[i].key;
        if (k->told == key->told && k->timestep == key->timestep && k->guidance == key->guidance &&
            k->label == key->label && k->batch == key->batch && k->elements == key->elements &&
            k->width == key->width &&
            !memcmp(k->input, key->input, (size_t)key->elements * sizeof(float))) {
            share->counts.evaluations_shared++;
            return share->kept[i].said;
        }
    }
    return NULL;
}

void sl_share_keep(SlShare *share, const SlShareKey *key, const float *said)
{
    if (share->kept_count == KEPT_EVALUATIONS)
        return;
    size_t bytes = (size_t)key->elements * sizeof(float);
    Evaluation e = {*key, malloc(bytes), malloc(bytes * (size_t)key->batch)};
    if (!e.input || !e.said) {
        free(e.input);
        free(e.said);
        return;
    }
    memcpy(e.input, key->input, bytes);
    memcpy(e.said, said, bytes * (size_t)key->batch);
    e.key.input = e.input;
    share->kept[share->kept_count++] = e;
}
