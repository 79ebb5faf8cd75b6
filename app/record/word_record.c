/* word_record.c - see word_record.h.
 *
 * Easy to get wrong: a refiner attends at levels of its own, and is told fewer tokens; a level that it
 * does not have is left out of the mean of all.
 */
#include "app/record/word_record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST_SIDE 16 /* of a level whose places are joined */

static bool no_memory(SlError *err)
{
    return sl_fail(err, SL_MEMORY, "memory ran out for the maps of the words");
}

/* ---- rows ---- */

static bool add_row(SlWordRecord *r, const SlWordRow *row, SlError *err)
{
    for (int i = 0; i < r->rows; i++)
        if (r->row[i].kind == row->kind && r->row[i].begin == row->begin &&
            r->row[i].part == row->part)
            return true;
    SlWordRow *more = realloc(r->row, (size_t)(r->rows + 1) * sizeof *more);
    if (!more)
        return no_memory(err);
    r->row = more;
    r->row[r->rows++] = *row;
    return true;
}

static int by_place(const void *a, const void *b)
{
    const SlWordRow *x = a, *y = b;
    if (x->kind != y->kind)
        return (int)x->kind - (int)y->kind;
    return x->part != y->part ? x->part - y->part : x->begin - y->begin;
}

static bool find_rows(SlWordRecord *r, SlRun *run, SlError *err)
{
    /* only a schedule in brackets changes the words on the way */
    bool changes = strchr(sl_run_recipe(run)->prompt, '[') != NULL;
    int first = sl_run_evaluation(run);
    bool ok = true;
    for (int e = first; ok && e < (changes ? sl_run_evaluations(run) : first + 1); e++) {
        SlWords words = {0};
        ok = sl_run_words(run, e, &words, err);
        for (int i = 0; ok && i < words.words; i++) {
            const SlWord *w = &words.word[i];
            const SlWordRow row = {SL_ROW_WORD, w->begin, w->end, w->part, w->weight};
            ok = add_row(r, &row, err);
        }
        sl_words_free(&words);
    }
    if (!ok || r->rows == 0)
        return ok;
    const SlWordRow start = {.kind = SL_ROW_START}, end = {.kind = SL_ROW_END};
    ok = add_row(r, &start, err) && add_row(r, &end, err);
    if (ok)
        qsort(r->row, (size_t)r->rows, sizeof *r->row, by_place);
    return ok;
}

/* ---- what is kept ---- */

static void place_levels(SlWordRecord *r)
{
    r->places = 0;
    for (int i = 0; i < r->levels; i++) {
        r->level[i].at = r->places;
        r->places += (size_t)r->level[i].kept_height * (size_t)r->level[i].kept_width;
    }
}

static size_t slot_bytes(const SlWordRecord *r)
{
    return (size_t)r->rows * (r->places + (1 + (size_t)r->levels) * sizeof *r->figures);
}

size_t sl_word_record_bytes(const SlWordRecord *r)
{
    return sizeof *r + (size_t)r->rows * sizeof *r->row + (size_t)r->moments * sizeof *r->slot +
           (size_t)r->slots * slot_bytes(r);
}

/* The level with the longest side that may be joined further; NULL: there is none. */
static SlWordRowLevel *finest(SlWordRecord *r)
{
    SlWordRowLevel *best = NULL;
    int most = SMALLEST_SIDE;
    for (int i = 0; i < r->levels; i++) {
        SlWordRowLevel *l = &r->level[i];
        int side = l->kept_height > l->kept_width ? l->kept_height : l->kept_width;
        if (side > most) {
            most = side;
            best = l;
        }
    }
    return best;
}

/* Each how many-th moment is kept, counted from the last. */
static int every_of(const SlWordRecord *r)
{
    return (r->moments + r->slots - 1) / r->slots;
}

/* Fewer places, then fewer moments. */
void sl_word_record_fit(SlWordRecord *r, size_t limit)
{
    SlWordRowLevel *l;
    while (sl_word_record_bytes(r) > limit && (l = finest(r))) {
        l->kept_height = (l->kept_height + 1) / 2;
        l->kept_width = (l->kept_width + 1) / 2;
        place_levels(r);
    }
    for (int every = 2; sl_word_record_bytes(r) > limit && r->slots > 1; every++)
        r->slots = (r->moments + every - 1) / every;
}

static bool make_arrays(SlWordRecord *r)
{
    size_t rows = (size_t)r->slots * (size_t)r->rows;
    r->slot = malloc((size_t)r->moments * sizeof *r->slot);
    r->value = calloc(rows, r->places);
    r->figures = calloc(rows, (1 + (size_t)r->levels) * sizeof *r->figures);
    for (int i = 0; r->slot && i < r->moments; i++)
        r->slot[i] = -1;
    return r->slot && r->value && r->figures;
}

SlWordRecord *sl_word_record_shaped(const SlWordRecord *shape)
{
    SlWordRecord *r = malloc(sizeof *r);
    if (!r)
        return NULL;
    *r = *shape;
    r->row = malloc((size_t)r->rows * sizeof *r->row);
    place_levels(r);
    if (!make_arrays(r) || !r->row) {
        sl_word_record_free(r);
        return NULL;
    }
    memcpy(r->row, shape->row, (size_t)r->rows * sizeof *r->row);
    return r;
}

bool sl_word_record_keep(SlWordRecord *r, SlError *err)
{
    int every = every_of(r), used = 0;
    if (!make_arrays(r))
        return no_memory(err);
    for (int i = 0; i < r->moments; i++)
        r->slot[i] = (r->moments - 1 - i) % every == 0 ? used++ : -1;
    return true;
}

bool sl_word_record_new(SlWordRecord **record, SlRun *run, int moments, SlError *err)
{
    SlWordMaps sizes;
    *record = NULL;
    sl_run_map_levels(run, &sizes);
    if (sizes.levels == 0)
        return true;
    SlWordRecord *r = calloc(1, sizeof *r);
    if (!r)
        return no_memory(err);
    r->moments = r->slots = moments;
    r->levels = sizes.levels;
    for (int i = 0; i < sizes.levels; i++) {
        const SlWordMapLevel *l = &sizes.level[i];
        r->level[i] = (SlWordRowLevel){.height = l->height,
                                       .width = l->width,
                                       .kept_height = l->height,
                                       .kept_width = l->width,
                                       .layers = l->layers,
                                       .middle = l->middle};
    }
    bool ok = find_rows(r, run, err);
    place_levels(r);
    if (ok && r->rows > 0)
        *record = r;
    else
        sl_word_record_free(r);
    return ok;
}

void sl_word_record_free(SlWordRecord *r)
{
    if (!r)
        return;
    free(r->row);
    free(r->slot);
    free(r->value);
    free(r->figures);
    free(r);
}

/* ---- adding ---- */

static uint8_t *values_of(const SlWordRecord *r, int slot, int row)
{
    return r->value + ((size_t)slot * (size_t)r->rows + (size_t)row) * r->places;
}

static float *figures_of(const SlWordRecord *r, int slot, int row)
{
    return r->figures + ((size_t)slot * (size_t)r->rows + (size_t)row) * (1 + (size_t)r->levels);
}

/* Which row each token of the maps belongs to. What is in no word ends the text or pads it. NULL without
 * memory. */
static int *rows_of_tokens(const SlWordRecord *r, const SlWords *words, int tokens)
{
    int *of = malloc((size_t)(tokens + 1) * sizeof *of);
    for (int t = 0; of && t < tokens; t++)
        of[t] = r->rows - (words->length > 0 && t % words->length == 0 ? 2 : 1);
    for (int i = 0; of && i < words->words; i++) {
        const SlWord *w = &words->word[i];
        int row = 0;
        while (row < r->rows - 2 && (r->row[row].begin != w->begin || r->row[row].part != w->part))
            row++;
        for (int n = 0; row < r->rows - 2 && n < w->rows; n++) {
            int token = sl_word_token(words, w, n);
            if (token < tokens)
                of[token] = row;
        }
    }
    return of;
}

/* The mean of the places of the net's that became one. */
static void join_places(const float *from, const SlWordRowLevel *l, float *to)
{
    int by_y = (l->height + l->kept_height - 1) / l->kept_height;
    int by_x = (l->width + l->kept_width - 1) / l->kept_width;
    for (int y = 0; y < l->kept_height; y++)
        for (int x = 0; x < l->kept_width; x++) {
            int bottom = (y + 1) * by_y < l->height ? (y + 1) * by_y : l->height;
            int right = (x + 1) * by_x < l->width ? (x + 1) * by_x : l->width;
            float sum = 0;
            for (int i = y * by_y; i < bottom; i++)
                for (int k = x * by_x; k < right; k++)
                    sum += from[i * l->width + k];
            int count = (bottom - y * by_y) * (right - x * by_x);
            to[y * l->kept_width + x] = count > 0 ? sum / (float)count : 0;
        }
}

/* values are at least 0; what 255 is */
static float to_bytes(const float *values, size_t count, uint8_t *to)
{
    float top = 0;
    for (size_t i = 0; i < count; i++)
        top = values[i] > top ? values[i] : top;
    for (size_t i = 0; i < count; i++)
        to[i] = top > 0 ? (uint8_t)(values[i] / top * 255.0f + 0.5f) : 0;
    return top;
}

/* The mean of a row's tokens at a level; sum and small: room for a level each. */
static void keep_level(SlWordRecord *r, int slot, int row, int i, const SlWordMaps *maps,
                       const int *of, float *sum)
{
    const SlWordRowLevel *l = &r->level[i];
    float *figures = figures_of(r, slot, row);
    size_t places = (size_t)l->height * (size_t)l->width;
    size_t kept = (size_t)l->kept_height * (size_t)l->kept_width;
    const SlWordMapLevel *from = i < maps->levels ? &maps->level[i] : NULL;
    if (!from || from->height != l->height || from->width != l->width) {
        figures[1 + i] = -1;
        return;
    }
    memset(sum, 0, places * sizeof *sum);
    for (int t = 0; t < maps->tokens; t++)
        for (size_t p = 0; of[t] == row && p < places; p++)
            sum[p] += from->text[(size_t)t * places + p];
    for (size_t p = 0; p < places; p++)
        sum[p] /= figures[0];
    join_places(sum, l, sum + places);
    figures[1 + i] = to_bytes(sum + places, kept, values_of(r, slot, row) + l->at);
}

static bool keep_rows(SlWordRecord *r, int slot, const SlWords *words, const SlWordMaps *maps,
                      SlError *err)
{
    size_t most = 0;
    for (int i = 0; i < r->levels; i++) {
        size_t places = (size_t)r->level[i].height * (size_t)r->level[i].width;
        most = places > most ? places : most;
    }
    int *of = rows_of_tokens(r, words, maps->tokens);
    float *room = malloc(2 * most * sizeof *room + 1);
    bool ok = (of && room) || no_memory(err);
    for (int row = 0; ok && row < r->rows; row++) {
        int tokens = 0;
        for (int t = 0; t < maps->tokens; t++)
            tokens += of[t] == row;
        figures_of(r, slot, row)[0] = (float)tokens;
        for (int i = 0; tokens > 0 && i < r->levels; i++)
            keep_level(r, slot, row, i, maps, of, room);
    }
    free(of);
    free(room);
    return ok;
}

bool sl_word_record_add(SlWordRecord *r, int moment, SlRun *run, const SlFrame *frame, SlError *err)
{
    SlWords words = {0};
    if (r->slot[moment] < 0 || !frame->maps)
        return true;
    bool ok = sl_run_words(run, frame->evaluation, &words, err) &&
              keep_rows(r, r->slot[moment], &words, frame->maps, err);
    sl_words_free(&words);
    return ok;
}

/* ---- looking ---- */

bool sl_word_record_told(const SlWordRecord *r, int moment, int row)
{
    return r->slot[moment] >= 0 && figures_of(r, r->slot[moment], row)[0] > 0;
}

/* Some row always is told something, if only where the text begins. */
bool sl_word_record_has(const SlWordRecord *r, int moment)
{
    for (int row = 0; row < r->rows; row++)
        if (sl_word_record_told(r, moment, row))
            return true;
    return false;
}

bool sl_word_record_map(const SlWordRecord *r, int moment, int row, int level, int height,
                        int width, float *out, SlError *err)
{
    SlWordMaps one = {.levels = r->levels, .tokens = 1};
    if (!sl_word_record_told(r, moment, row))
        return sl_fail(err, SL_ARGUMENT,
                       "the word was not told at this evaluation, or its map was "
                       "not kept");
    float *values = malloc(r->places * sizeof *values + 1);
    if (!values)
        return no_memory(err);
    const uint8_t *bytes = values_of(r, r->slot[moment], row);
    const float *figures = figures_of(r, r->slot[moment], row);
    for (int i = 0; i < r->levels; i++) {
        const SlWordRowLevel *l = &r->level[i];
        size_t kept = (size_t)l->kept_height * (size_t)l->kept_width;
        float top = figures[1 + i];
        for (size_t p = 0; p < kept; p++)
            values[l->at + p] = top > 0 ? (float)bytes[l->at + p] * (top / 255.0f) : 0;
        one.level[i] = (SlWordMapLevel){.height = l->kept_height,
                                        .width = l->kept_width,
                                        .layers = top < 0 ? 0 : l->layers,
                                        .middle = l->middle,
                                        .text = values + l->at};
    }
    bool ok = sl_word_map_join(&one, level, height, width, out, err);
    free(values);
    return ok;
}

double sl_word_record_share(const SlWordRecord *r, int moment, int row, int level)
{
    double sum = 0, layers = 0;
    if (!sl_word_record_told(r, moment, row))
        return 0;
    const uint8_t *bytes = values_of(r, r->slot[moment], row);
    const float *figures = figures_of(r, r->slot[moment], row);
    for (int i = 0; i < r->levels; i++) {
        const SlWordRowLevel *l = &r->level[i];
        size_t kept = (size_t)l->kept_height * (size_t)l->kept_width;
        uint64_t total = 0;
        if ((level == SL_ALL_LEVELS ? l->middle : i != level) || figures[1 + i] < 0)
            continue;
        for (size_t p = 0; p < kept; p++)
            total += bytes[l->at + p];
        sum += (double)total / 255 * figures[1 + i] / (double)kept * l->layers;
        layers += l->layers;
    }
    return layers > 0 ? sum / layers * figures[0] : 0;
}
