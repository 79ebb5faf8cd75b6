/* lanes_file_words.c - see lanes_file_words.h. Sizes and numbers are checked before anything is allocated by
 * them; a row's bytes of the prompt must be whole characters of it.
 */
#include "app/record/lanes_file_words.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ROWS   4000
#define MAX_SIDE   16384
#define MAX_LAYERS 1000
#define MAX_TOKENS 100000
#define LEVEL_ROW  6
#define WORD_ROW   5

static const char *const names[2] = {"words", "word_figures"};

typedef struct Name {
    char text[64];
} Name;

static Name name_of(int lane, int which)
{
    Name name;
    snprintf(name.text, sizeof name.text, "lane.%d.%s", lane, names[which]);
    return name;
}

static size_t value_bytes(const SlWordRecord *r)
{
    return (size_t)r->rows * r->places;
}

static size_t figure_bytes(const SlWordRecord *r)
{
    return (size_t)r->rows * (1 + (size_t)r->levels) * sizeof(float);
}

/* ---- writing ---- */

static const void *row_of(const SlLaneWordsOut *w, int64_t i, bool figures, void *scratch)
{
    const SlWordRecord *r = w->record;
    int slot = r->slot[w->moment[i]];
    if (slot < 0)
        return memset(scratch, 0, figures ? figure_bytes(r) : value_bytes(r));
    return figures ? (const void *)(r->figures + (size_t)slot * figure_bytes(r) / sizeof(float))
                   : r->value + (size_t)slot * value_bytes(r);
}

static const void *value_row(const void *arg, int64_t i, void *scratch)
{
    return row_of(arg, i, false, scratch);
}

static const void *figure_row(const void *arg, int64_t i, void *scratch)
{
    return row_of(arg, i, true, scratch);
}

static bool hash(SlLaneWordsOut *w, SlError *err)
{
    const SlWordRecord *r = w->record;
    size_t bytes[2] = {value_bytes(r), figure_bytes(r)};
    char both[129];
    void *scratch = malloc(bytes[0] > bytes[1] ? bytes[0] : bytes[1]);
    if (!scratch)
        return sl_fail(err, SL_MEMORY, "memory ran out for the lanes");
    for (int k = 0; k < 2; k++) {
        SlSha256 sha;
        sl_sha256_begin(&sha);
        for (int i = 0; i < w->count; i++)
            sl_sha256_add(&sha, row_of(w, i, k == 1, scratch), bytes[k]);
        sl_sha256_end(&sha, both + 64 * k);
    }
    sl_sha256(both, 128, w->sha256);
    free(scratch);
    return true;
}

bool sl_lane_words_out(SlLaneWordsOut *words, const SlWordRecord *record, int *moment, int count,
                       SlError *err)
{
    *words = (SlLaneWordsOut){.record = record, .moment = moment, .count = count};
    return !record || hash(words, err);
}

void sl_lane_words_out_clear(SlLaneWordsOut *words)
{
    free(words->moment);
    *words = (SlLaneWordsOut){0};
}

void sl_lane_words_describe(const SlLaneWordsOut *words, SlJsonOut *out, cJSON *lane)
{
    const SlWordRecord *r = words->record;
    if (!r)
        return;
    cJSON *json = sl_out_object(out, lane, "words");
    cJSON *levels = sl_out_array(out, json, "levels"), *rows = sl_out_array(out, json, "rows");
    for (int i = 0; i < r->levels; i++) {
        const SlWordRowLevel *l = &r->level[i];
        const double values[LEVEL_ROW] = {l->height,     l->width,  l->kept_height,
                                          l->kept_width, l->layers, l->middle};
        sl_out_row(out, levels, NULL, values, LEVEL_ROW);
    }
    for (int i = 0; i < r->rows; i++) {
        const SlWordRow *row = &r->row[i];
        const double values[WORD_ROW] = {row->kind, row->begin, row->end, row->part, row->weight};
        sl_out_row(out, rows, NULL, values, WORD_ROW);
    }
    sl_out_text(out, lane, "words_sha256", words->sha256);
}

void sl_lane_words_add(const SlLaneWordsOut *words, SlTensorWriter *writer, int lane)
{
    const SlWordRecord *r = words->record;
    if (!r)
        return;
    const int64_t value[4] = {words->count, r->rows, 1, (int64_t)r->places};
    const int64_t figures[4] = {words->count, r->rows, 1, 1 + r->levels};
    const SlTensorRows value_rows = {value_row, words}, figure_rows = {figure_row, words};
    sl_tensor_writer_add_rows(writer, name_of(lane, 0).text, SL_U8, value, &value_rows);
    sl_tensor_writer_add_rows(writer, name_of(lane, 1).text, SL_F32, figures, &figure_rows);
}

/* ---- what is said ---- */

static bool wrong(const SlLaneWordsFrom *from, SlError *err, const char *what)
{
    return sl_fail(err, SL_FORMAT, "%s: lane %d: its %s", sl_safetensors_path(from->file),
                   from->lane + 1, what);
}

/* n whole numbers, at least 0; the last may be any number where `any` is set. */
static bool read_numbers(const cJSON *row, int n, bool any, double *to)
{
    const cJSON *item;
    int i = 0;
    if (!cJSON_IsArray(row) || cJSON_GetArraySize(row) != n)
        return false;
    cJSON_ArrayForEach(item, row)
    {
        double v = cJSON_IsNumber(item) ? item->valuedouble : NAN;
        bool free_number = any && i == n - 1;
        if (!(fabs(v) <= 1e9) || (!free_number && (v < 0 || v != floor(v))))
            return false;
        to[i++] = v;
    }
    return true;
}

static bool read_level(const cJSON *row, SlWordRowLevel *level)
{
    double v[LEVEL_ROW];
    if (!read_numbers(row, LEVEL_ROW, false, v) || v[0] < 1 || v[0] > MAX_SIDE || v[1] < 1 ||
        v[1] > MAX_SIDE || v[2] < 1 || v[2] > v[0] || v[3] < 1 || v[3] > v[1] || v[4] < 1 ||
        v[4] > MAX_LAYERS || v[5] > 1)
        return false;
    *level = (SlWordRowLevel){.height = (int)v[0],
                              .width = (int)v[1],
                              .kept_height = (int)v[2],
                              .kept_width = (int)v[3],
                              .layers = (int)v[4],
                              .middle = v[5] != 0};
    return true;
}

/* Between two characters of UTF-8. */
static bool is_between(const char *text, int at)
{
    return ((unsigned char)text[at] & 0xC0) != 0x80;
}

/* The beginning and the end are the last two. */
static bool read_row(const cJSON *item, const char *prompt, int from_end, SlWordRow *row)
{
    double v[WORD_ROW], length = (double)strlen(prompt);
    SlWordRowKind kind = from_end == 0 ? SL_ROW_END : (from_end == 1 ? SL_ROW_START : SL_ROW_WORD);
    if (!read_numbers(item, WORD_ROW, true, v) || v[0] != kind || v[1] > v[2] || v[2] > length ||
        v[3] > MAX_ROWS || !is_between(prompt, (int)v[1]) || !is_between(prompt, (int)v[2]))
        return false;
    *row = (SlWordRow){kind, (int)v[1], (int)v[2], (int)v[3], v[4]};
    return true;
}

static bool read_shape(SlWordRecord *shape, const SlLaneWordsFrom *from, const cJSON *json,
                       SlError *err)
{
    const cJSON *levels = cJSON_GetObjectItemCaseSensitive(json, "levels"), *item;
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(json, "rows");
    int count = cJSON_GetArraySize(rows), level_count = cJSON_GetArraySize(levels);
    if (!cJSON_IsArray(levels) || level_count < 1 || level_count > SL_WORD_MAP_LEVELS)
        return wrong(from, err, sl_words("\"words\" have no list of 1 to 9 levels"));
    if (!cJSON_IsArray(rows) || count < 3 || count > MAX_ROWS)
        return wrong(from, err, sl_words("\"words\" have no list of 3 to 4000 rows"));
    shape->row = calloc((size_t)count, sizeof *shape->row);
    if (!shape->row)
        return sl_fail(err, SL_MEMORY, "memory ran out for a comparison");
    cJSON_ArrayForEach(item, levels)
    {
        SlWordRowLevel *level = &shape->level[shape->levels];
        if (!read_level(item, level))
            return wrong(from, err, sl_words("\"words\" have a level without usable sizes"));
        level->at = shape->places;
        shape->places += (size_t)level->kept_height * (size_t)level->kept_width;
        shape->levels++;
    }
    cJSON_ArrayForEach(item, rows)
    {
        int at = shape->rows;
        if (!read_row(item, from->prompt, count - 1 - at, &shape->row[at]))
            return wrong(from, err, sl_words("\"words\" have a row that is no word of its prompt"));
        shape->rows++;
    }
    return true;
}

static const SlTensorInfo *find(const SlLaneWordsFrom *from, int which, SlDtype dtype, int rows,
                                int64_t last, SlError *err)
{
    const SlTensorInfo *t = sl_safetensors_find(from->file, name_of(from->lane, which).text);
    if (t && t->known && t->dtype == dtype && t->rank == 4 && t->size[0] == from->frames &&
        t->size[1] == rows && t->size[2] == 1 && t->size[3] == last)
        return t;
    sl_fail(err, SL_FORMAT,
            "%s: lane %d: its tensor %s is missing, or is not [%d, %d, 1, %lld] in %s",
            sl_safetensors_path(from->file), from->lane + 1, name_of(from->lane, which).text,
            from->frames, rows, (long long)last, sl_dtype_name(dtype));
    return NULL;
}

bool sl_lane_words_look(SlLaneWordsIn *in, const SlLaneWordsFrom *from, SlError *err)
{
    const cJSON *json = cJSON_GetObjectItemCaseSensitive(from->json, "words");
    *in = (SlLaneWordsIn){0};
    if (!json)
        return true;
    SlWordRecord *s = &in->shape;
    if (!read_shape(s, from, json, err))
        return false;
    in->value = find(from, 0, SL_U8, s->rows, (int64_t)s->places, err);
    in->figures = in->value ? find(from, 1, SL_F32, s->rows, 1 + s->levels, err) : NULL;
    return in->figures != NULL;
}

void sl_lane_words_in_clear(SlLaneWordsIn *in)
{
    free(in->shape.row);
    *in = (SlLaneWordsIn){0};
}

/* ---- what is in it ---- */

static bool check_figures(const SlWordRecord *r, const SlLaneWordsFrom *from, SlError *err)
{
    size_t each = 1 + (size_t)r->levels, n = (size_t)r->slots * (size_t)r->rows * each;
    for (size_t i = 0; i < n; i++) {
        float v = r->figures[i];
        bool tokens = i % each == 0;
        bool good = tokens ? v >= 0 && v <= MAX_TOKENS : v == -1 || (v >= 0 && v <= 1.001f);
        if (!good)
            return wrong(from, err, sl_words("words have figures that are none"));
    }
    return true;
}

static bool check_hash(const SlWordRecord *r, const SlLaneWordsFrom *from, SlError *err)
{
    const char *expected =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(from->json, "words_sha256"));
    char both[129], sha256[65];
    sl_sha256(r->value, (size_t)r->slots * value_bytes(r), both);
    sl_sha256(r->figures, (size_t)r->slots * figure_bytes(r), both + 64);
    sl_sha256(both, 128, sha256);
    return (expected && strcmp(expected, sha256) == 0) ||
           wrong(from, err, sl_words("words were changed or damaged"));
}

SlWordRecord *sl_lane_words_read(const SlLaneWordsIn *in, const SlLaneWordsFrom *from, int moments,
                                 const int *moment, SlError *err)
{
    SlWordRecord shape = in->shape;
    shape.moments = moments;
    shape.slots = from->frames;
    SlWordRecord *r = sl_word_record_shaped(&shape);
    if (!r) {
        sl_fail(err, SL_MEMORY, "memory ran out for a comparison");
        return NULL;
    }
    bool ok =
        sl_safetensors_read(from->file, in->value, 0, in->value->bytes, r->value, err) &&
        sl_safetensors_read(from->file, in->figures, 0, in->figures->bytes, r->figures, err) &&
        check_hash(r, from, err) && check_figures(r, from, err);
    for (int i = 0; ok && i < from->frames; i++)
        r->slot[moment[i]] = i;
    if (ok)
        return r;
    sl_word_record_free(r);
    return NULL;
}
