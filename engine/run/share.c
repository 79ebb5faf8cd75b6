/* share.c - see share.h.
 *
 * Texts are kept on the host as f32, which holds every dtype exactly, one row per prompt, so that
 * two lanes with different prompts still share the empty one. First evaluations are recognised by
 * their bytes: a lane that differs in the last bit of its input is another one.
 */
#include "engine/run/share.h"

#include <stdlib.h>
#include <string.h>

#define KEPT_EVALUATIONS 8

typedef struct Row {
    struct Row *next;
    int *ids;
    int length, skip;
    float *hidden; /* [L, D] */
} Row;

typedef struct Text {
    struct Text *next;
    SlShareText text;
    int batch;
    const Row *row[2];
} Text;

typedef struct Evaluation {
    SlShareKey key; /* input is ours */
    float *input, *said;
} Evaluation;

struct SlShare {
    SlModel *model;
    int hidden; /* D; known once a text was encoded */
    Row *rows;
    Text *texts;
    Evaluation kept[KEPT_EVALUATIONS];
    int kept_count;
    SlShareCounts counts;
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
    free(row->ids);
    free(row->hidden);
    free(row);
}

static void free_text(SlShare *share, Text *text)
{
    sl_unet_context_free(share->model->dev, text->text.context);
    free(text->text.text);
    free(text);
}

void sl_share_free(SlShare *share)
{
    if (!share)
        return;
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

SlShareCounts sl_share_counts(const SlShare *share)
{
    return share->counts;
}

/* ---- texts ---- */

static bool finite_text(const SlShare *share, const Row *row, SlError *err)
{
    int64_t bad = sl_first_bad(row->hidden, (int64_t)row->length * share->hidden);
    return bad < 0 ||
           sl_fail(err, SL_FORMAT,
                   "the text encoder's output is not a finite number at token %d of %d: no step "
                   "can be computed with it",
                   (int)(bad / share->hidden) + 1, row->length);
}

static bool encode(SlShare *share, Row *row, SlError *err)
{
    SlModel *model = share->model;
    SlDevice *dev = model->dev;
    size_t mark = sl_arena_mark(dev);
    SlTensor tokens = sl_tensor_new(dev, SL_I32, 2, (const int64_t[]){1, row->length});
    SlTensor f32 = sl_tensor_new(dev, SL_F32, 3, (const int64_t[]){1, row->length, share->hidden});
    SlTensor states = {0};
    sl_upload(dev, row->ids, &tokens);
    bool ok = sl_text_encoder_forward(dev, sl_model_net(model, "text_encoder"), &tokens, row->skip,
                                      &states, NULL, err);
    if (ok) {
        sl_copy(dev, &states, &f32);
        sl_download(dev, &f32, row->hidden);
        ok = sl_device_check(dev, err) && finite_text(share, row, err);
    }
    sl_arena_reset(dev, mark);
    return ok;
}

static Row *new_row(SlShare *share, const int *ids, int length, int skip)
{
    Row *row = calloc(1, sizeof *row);
    if (!row)
        return NULL;
    row->length = length;
    row->skip = skip;
    row->ids = malloc((size_t)length * sizeof *ids);
    row->hidden = malloc((size_t)length * (size_t)share->hidden * sizeof(float));
    if (row->ids && row->hidden) {
        memcpy(row->ids, ids, (size_t)length * sizeof *ids);
        return row;
    }
    free_row(row);
    return NULL;
}

static const Row *find_row(SlShare *share, const int *ids, int length, int skip, SlError *err)
{
    for (const Row *row = share->rows; row; row = row->next)
        if (row->length == length && row->skip == skip &&
            !memcmp(row->ids, ids, (size_t)length * sizeof *ids)) {
            share->counts.texts_shared++;
            return row;
        }
    if (!sl_model_need(share->model, SL_USE_ENCODE, err))
        return NULL;
    share->hidden =
        sl_text_encoder_get_config(sl_model_net(share->model, "text_encoder"))->hidden_size;
    Row *row = new_row(share, ids, length, skip);
    if (!row) {
        sl_fail(err, SL_MEMORY, "out of memory for the text");
        return NULL;
    }
    if (!encode(share, row, err)) {
        free_row(row);
        return NULL;
    }
    row->next = share->rows;
    share->rows = row;
    share->counts.texts++;
    return row;
}

static bool make_context(SlShare *share, SlShareText *text, SlError *err)
{
    SlDevice *dev = share->model->dev;
    size_t mark = sl_arena_mark(dev);
    SlTensor f32 = sl_tensor_new(dev, SL_F32, 3, text->size);
    SlTensor hidden = sl_tensor_new3(dev, text->size[0], text->size[1], text->size[2]);
    sl_upload(dev, text->text, &f32);
    sl_copy(dev, &f32, &hidden);
    text->context = sl_unet_context_new(dev, sl_model_net(share->model, "unet"), &hidden, err);
    sl_arena_reset(dev, mark);
    return text->context != NULL;
}

static Text *new_text(SlShare *share, const SlShareAsk *ask, const Row *const row[2], SlError *err)
{
    Text *text = calloc(1, sizeof *text);
    size_t values = (size_t)ask->length * (size_t)share->hidden;
    float *joined = text ? malloc(values * (size_t)ask->batch * sizeof *joined) : NULL;
    if (!joined) {
        free(text);
        sl_fail(err, SL_MEMORY, "out of memory for the text");
        return NULL;
    }
    for (int i = 0; i < ask->batch; i++)
        memcpy(joined + (size_t)i * values, row[i]->hidden, values * sizeof *joined);
    *text = (Text){.text = {.text = joined, .size = {ask->batch, ask->length, share->hidden}},
                   .batch = ask->batch,
                   .row = {row[0], row[1]}};
    if (make_context(share, &text->text, err))
        return text;
    free_text(share, text);
    return NULL;
}

const SlShareText *sl_share_text(SlShare *share, const SlShareAsk *ask, SlError *err)
{
    const Row *row[2] = {NULL, NULL};
    for (int i = 0; i < ask->batch; i++) {
        /* as in diffusers, clip_skip is the prompt's only: the negative prompt keeps all layers */
        int skip = i == ask->batch - 1 ? ask->clip_skip : 0;
        row[i] =
            find_row(share, ask->ids + (size_t)i * (size_t)ask->length, ask->length, skip, err);
        if (!row[i])
            return NULL;
    }
    for (Text *text = share->texts; text; text = text->next)
        if (text->batch == ask->batch && text->row[0] == row[0] && text->row[1] == row[1])
            return &text->text;
    Text *text = new_text(share, ask, row, err);
    if (!text)
        return NULL;
    text->next = share->texts;
    share->texts = text;
    return &text->text;
}

/* ---- first evaluations ---- */

const float *sl_share_find(SlShare *share, const SlShareKey *key)
{
    for (int i = 0; i < share->kept_count; i++) {
        const SlShareKey *k = &share->kept[i].key;
        if (k->text == key->text && k->timestep == key->timestep && k->batch == key->batch &&
            k->elements == key->elements &&
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
