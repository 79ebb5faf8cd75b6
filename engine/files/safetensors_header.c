/* safetensors_header.c - the header of a safetensors file, read and checked completely.
 *
 * A pull parser of its own, because a general JSON reader keeps numbers as doubles (an offset above
 * 2^53 would be rounded), allows duplicate keys, and builds a tree ten times the header's size. Its
 * words are taken by safetensors_text.c.
 *
 * Easy to get wrong: every sum and product of numbers from the file can wrap; a shape with a zero
 * in it can still hold factors whose product wraps; zero-sized tensors may share an offset.
 */
#include "engine/files/safetensors_private.h"
#include "engine/files/safetensors_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RANK 8

typedef SlSafetensorsEntry Entry;
typedef SlSafetensorsPair Pair;

/* ---- the types of the format ---- */

typedef struct Type {
    const char *name;
    unsigned bits;
    bool known;
    SlDtype dtype;
} Type;

static const Type types[] = {
    {"F32", 32, true, SL_F32},        {"F16", 16, true, SL_F16},
    {"BF16", 16, true, SL_BF16},      {"I32", 32, true, SL_I32},
    {"U8", 8, true, SL_U8},           {"BOOL", 8, false, SL_U8},
    {"I8", 8, false, SL_U8},          {"I16", 16, false, SL_U8},
    {"U16", 16, false, SL_U8},        {"U32", 32, false, SL_U8},
    {"I64", 64, false, SL_U8},        {"U64", 64, false, SL_U8},
    {"F64", 64, false, SL_U8},        {"C64", 64, false, SL_U8},
    {"F8_E4M3", 8, false, SL_U8},     {"F8_E5M2", 8, false, SL_U8},
    {"F8_E8M0", 8, false, SL_U8},     {"F8_E4M3FNUZ", 8, false, SL_U8},
    {"F8_E5M2FNUZ", 8, false, SL_U8}, {"F6_E2M3", 6, false, SL_U8},
    {"F6_E3M2", 6, false, SL_U8},     {"F4", 4, false, SL_U8},
};

static const Type *find_type(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (!strcmp(types[i].name, name))
            return &types[i];
    return NULL;
}

/* ---- entries ---- */

static bool bad(const SlHeaderText *s, const char *name, const char *found)
{
    return sl_fail(s->err, SL_FORMAT, "%s: tensor \"%s\" %s", s->st->shown.text,
                   sl_show_name(name).text, found);
}

static bool take_dtype(SlHeaderText *s, Entry *e, const Type **type)
{
    sl_header_skip_space(s);
    if (s->p < s->end && *s->p != '"')
        return bad(s, e->info.name,
                   sl_words("has a dtype that is not a text; expected \"F16\" or the like"));
    const char *text = sl_header_string(s, SL_WORDS("a dtype"));
    if (!text)
        return false;
    *type = find_type(text);
    if (!*type) {
        char found[600];
        snprintf(
            found, sizeof found,
            sl_words(
                "has the unknown dtype \"%s\"; expected F32, F16, BF16 or another of the format's"),
            sl_show_name(text).text);
        return bad(s, e->info.name, found);
    }
    snprintf(e->info.dtype_name, sizeof e->info.dtype_name, "%s", (*type)->name);
    e->info.known = (*type)->known;
    e->info.storage = sl_storage_find((*type)->name);
    e->info.dtype = (*type)->dtype;
    return true;
}

/* Of more dimensions than any model here has, the last counts for the rest. */
static bool take_shape(SlHeaderText *s, Entry *e)
{
    uint64_t size;
    if (!sl_header_take(s, '['))
        return bad(s, e->info.name, sl_words("has a shape that is not a list of numbers"));
    e->info.rank = 0;
    if (sl_header_take(s, ']'))
        return true;
    do {
        if (!sl_header_u64(s, &size) || size > INT64_MAX)
            return bad(
                s, e->info.name,
                sl_words("has a size that is not a whole number from 0 to 2^63 - 1 in its shape"));
        int64_t *last = &e->info.size[MAX_RANK - 1];
        if (e->info.rank < MAX_RANK)
            e->info.size[e->info.rank++] = (int64_t)size;
        else if (__builtin_mul_overflow(*last, (int64_t)size, last))
            return bad(s, e->info.name,
                       sl_words("has a shape whose product is larger than any file"));
    } while (sl_header_take(s, ','));
    return sl_header_expect(s, ']');
}

static bool take_offsets(SlHeaderText *s, Entry *e, uint64_t *end)
{
    if (!sl_header_take(s, '[') || !sl_header_u64(s, &e->begin) || !sl_header_take(s, ',') ||
        !sl_header_u64(s, end) || !sl_header_take(s, ']'))
        return bad(s, e->info.name,
                   sl_words("has data_offsets that are not two whole numbers [begin, end]"));
    return true;
}

/* Do shape, dtype and offsets agree, and do they lie in the file? */
static bool check_entry(const SlHeaderText *s, Entry *e, const Type *type, uint64_t end)
{
    char found[600];
    uint64_t bits = type->bits, data = s->st->data_bytes;
    for (int i = 0; i < e->info.rank; i++)
        if (__builtin_mul_overflow(bits, (uint64_t)e->info.size[i], &bits))
            return bad(s, e->info.name,
                       sl_words("has a shape whose product is larger than any file"));
    if (bits % 8)
        return bad(s, e->info.name,
                   sl_words("ends inside a byte: its shape does not fit its dtype"));
    if (e->begin > end) {
        snprintf(found, sizeof found,
                 sl_words("begins at %llu and ends at %llu, before its beginning"),
                 (unsigned long long)e->begin, (unsigned long long)end);
        return bad(s, e->info.name, found);
    }
    if (end - e->begin != bits / 8) {
        snprintf(
            found, sizeof found,
            sl_words(
                "has %llu bytes of data; its shape and dtype %s need %llu: the file is damaged"),
            (unsigned long long)(end - e->begin), type->name, (unsigned long long)bits / 8);
        return bad(s, e->info.name, found);
    }
    if (end > data) {
        snprintf(
            found, sizeof found,
            sl_words("ends at byte %llu of the data, the file has %llu: it is cut off; download it "
                     "again"),
            (unsigned long long)end, (unsigned long long)data);
        return bad(s, e->info.name, found);
    }
    e->info.bytes = bits / 8;
    return true;
}

/* The object of one tensor: each of the three members exactly once, and whatever else. */
static bool take_entry(SlHeaderText *s, Entry *e)
{
    static const char *const members[] = {"dtype", "shape", "data_offsets"};
    const Type *type = NULL;
    uint64_t end = 0;
    unsigned seen = 0;
    if (!sl_header_take(s, '{'))
        return bad(s, e->info.name, sl_words("is not described by an object {...}"));
    do {
        const char *key = sl_header_string(s, SL_WORDS("a member's name"));
        unsigned m = 0;
        if (!key || !sl_header_expect(s, ':'))
            return false;
        while (m < 3 && strcmp(key, members[m]))
            m++;
        if (m == 3) {
            if (!sl_header_skip_value(s))
                return false;
            continue;
        }
        if (seen & 1u << m) {
            char found[600];
            snprintf(
                found, sizeof found,
                sl_words(
                    "has the member \"%s\" twice; expected dtype, shape and data_offsets, once "
                    "each"),
                members[m]);
            return bad(s, e->info.name, found);
        }
        seen |= 1u << m;
        if (m == 0   ? !take_dtype(s, e, &type)
            : m == 1 ? !take_shape(s, e)
                     : !take_offsets(s, e, &end))
            return false;
    } while (sl_header_take(s, ','));
    if (!sl_header_expect(s, '}'))
        return false;
    for (unsigned m = 0; m < 3; m++)
        if (!(seen & 1u << m)) {
            char found[600];
            snprintf(found, sizeof found, sl_words("has no %s"), members[m]);
            return bad(s, e->info.name, found);
        }
    return check_entry(s, e, type, end);
}

/* Makes room for one more; what is allocated grows with what was read, not with what is claimed. */
static bool grow(const SlHeaderText *s, void **items, size_t *room, size_t count, size_t item)
{
    if (count < *room)
        return true;
    size_t more = *room ? *room * 2 : 64;
    void *moved = realloc(*items, more * item);
    if (!moved)
        return sl_fail(s->err, SL_MEMORY, "%s: out of memory for its %zu tensors",
                       s->st->shown.text, count);
    *items = moved;
    *room = more;
    return true;
}

static bool take_metadata(SlHeaderText *s)
{
    SlSafetensors *st = s->st;
    if (st->has_metadata)
        return sl_fail(s->err, SL_FORMAT, "%s: __metadata__ stands there twice", st->shown.text);
    st->has_metadata = true;
    if (sl_header_take_word(s, "null"))
        return true;
    if (!sl_header_take(s, '{'))
        return sl_fail(s->err, SL_FORMAT, "%s: __metadata__ is not an object {...}",
                       st->shown.text);
    if (sl_header_take(s, '}'))
        return true;
    do {
        Pair pair;
        pair.key = sl_header_string(s, SL_WORDS("a key of __metadata__"));
        if (!pair.key || !sl_header_expect(s, ':'))
            return false;
        sl_header_skip_space(s);
        if (s->p < s->end && *s->p != '"')
            return sl_fail(s->err, SL_FORMAT,
                           "%s: the value of \"%s\" in __metadata__ is not a text", st->shown.text,
                           sl_show_name(pair.key).text);
        pair.value = sl_header_string(s, SL_WORDS("a value in __metadata__"));
        if (!pair.value ||
            !grow(s, (void **)&st->metadata, &st->metadata_room, st->metadata_count, sizeof pair))
            return false;
        st->metadata[st->metadata_count++] = pair;
    } while (sl_header_take(s, ','));
    return sl_header_expect(s, '}');
}

static bool take_header(SlHeaderText *s)
{
    SlSafetensors *st = s->st;
    if (!sl_header_expect(s, '{'))
        return false;
    if (!sl_header_take(s, '}')) {
        do {
            Entry e = {0};
            e.info.name = sl_header_string(s, SL_WORDS("a tensor's name"));
            if (!e.info.name || !sl_header_expect(s, ':'))
                return false;
            e.info.stored_name = e.info.name;
            if (!strcmp(e.info.name, "__metadata__")) {
                if (!take_metadata(s))
                    return false;
                continue;
            }
            if (!*e.info.name)
                return sl_fail(s->err, SL_FORMAT, "%s: a tensor has an empty name", st->shown.text);
            if (!take_entry(s, &e) ||
                !grow(s, (void **)&st->entries, &st->room, st->count, sizeof e))
                return false;
            st->entries[st->count++] = e;
        } while (sl_header_take(s, ','));
        if (!sl_header_expect(s, '}'))
            return false;
    }
    sl_header_skip_space(s);
    return s->p == s->end ||
           sl_header_syntax(s, SL_WORDS("nothing but spaces after the header's last '}'"));
}

/* ---- the whole ---- */

static int compare_begin(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->info.bytes > y->info.bytes) - (x->info.bytes < y->info.bytes);
}

static void sort_entries(SlSafetensors *st)
{
    size_t i = 1;
    while (i < st->count && compare_begin(&st->entries[i - 1], &st->entries[i]) <= 0)
        i++;
    if (i < st->count) /* most writers sort already */
        qsort(st->entries, st->count, sizeof *st->entries, compare_begin);
}

/* No hole, no overlap, nothing after the last tensor. */
static bool check_layout(const SlHeaderText *s)
{
    const SlSafetensors *st = s->st;
    uint64_t expected = 0;
    char found[600];
    for (size_t i = 0; i < st->count; i++) {
        const Entry *e = &st->entries[i];
        if (e->begin != expected) {
            snprintf(found, sizeof found,
                     sl_words("begins at byte %llu of the data, expected %llu: %s"),
                     (unsigned long long)e->begin, (unsigned long long)expected,
                     e->begin < expected ? sl_words("it overlaps another tensor")
                                         : sl_words("there is a hole before it"));
            return bad(s, e->info.name, found);
        }
        expected += e->info.bytes; /* end <= data_bytes was checked */
    }
    if (expected != st->data_bytes)
        return sl_fail(s->err, SL_FORMAT,
                       "%s: %llu bytes of data follow the header, its tensors use %llu: the file "
                       "has trailing bytes or is damaged",
                       st->shown.text, (unsigned long long)st->data_bytes,
                       (unsigned long long)expected);
    return true;
}

static bool check_names(SlSafetensors *st, SlError *err)
{
    st->names = sl_name_table_new(st->count);
    if (!st->names)
        return sl_fail(err, SL_MEMORY, "%s: out of memory for its %zu tensors", st->shown.text,
                       st->count);
    for (size_t i = 0; i < st->count; i++) {
        st->entries[i].info.index = i;
        if (!sl_name_table_add(st->names, st->entries[i].info.name, i))
            return sl_fail(err, SL_FORMAT, "%s: tensor \"%s\" stands there twice", st->shown.text,
                           sl_show_name(st->entries[i].info.name).text);
    }
    return true;
}

bool sl_safetensors_parse_header(SlSafetensors *st, SlError *err)
{
    SlHeaderText s = {st, st->header, st->header + st->header_bytes, err};
    if (!sl_utf8_valid(st->header, (size_t)st->header_bytes))
        return sl_fail(err, SL_FORMAT,
                       "%s: its header is not valid UTF-8: the file is damaged or not safetensors",
                       st->shown.text);
    if (!take_header(&s))
        return false;
    sort_entries(st);
    return check_layout(&s) && check_names(st, err);
}
