/* gguf.c - see gguf.h. Format: ggml's docs/gguf.md: "GGUF", the version, the numbers of tensors and
 * of keys, the keys with their values, the tensors' descriptions, then their data, aligned.
 *
 * Two programs write models of pictures so: stable-diffusion.cpp has no keys at all and keeps the
 * names of the checkpoint; ComfyUI-GGUF has the UNet alone, its names without prefix, and the real
 * shape of a tensor that it had to reshape under "comfy.gguf.orig_shape.NAME".
 *
 * Easy to get wrong: sizes are stored innermost first, so that they are turned round here; numbers
 * of tensors, lengths and offsets are 64 bits of a stranger's: nothing is allocated from one before
 * so many bytes of the file were read, and every sum may wrap.
 */
#include "engine/files/gguf.h"

#include "engine/files/file_kind.h"
#include "engine/files/gguf_blocks.h"
#include "engine/files/name_table.h"
#include "engine/files/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_AXES   8
#define MAX_NAME   1000       /* bytes of a tensor's or key's name */
#define MAX_TEXT   (1u << 20) /* of a value that is kept; longer ones are passed over */
#define MAX_NESTED 4          /* arrays within arrays */
#define WINDOW     (1u << 16) /* bytes of the header that are read at a time */
#define ALIGNMENT  32
#define SHAPE_KEY  "comfy.gguf.orig_shape."

typedef struct Entry {
    SlTensorInfo info;
    uint64_t begin; /* of its data, from the beginning of all data */
} Entry;

/* A value of a key: a text, or the sizes of a shape. */
typedef struct Value {
    char *key, *text; /* text: NULL for a shape */
    int axes;         /* of a shape, outermost first */
    int64_t size[MAX_AXES];
} Value;

typedef struct Gguf {
    SlWeightSource base;
    char *path;
    int fd;
    uint64_t bytes, data; /* of the file; where its data begins */
    uint64_t alignment;
    Entry *entries;
    size_t count, room;
    Value *values;
    size_t value_count, value_room;
    SlNameTable *names;
} Gguf;

/* ---- as a source ---- */

static size_t gguf_count(const SlWeightSource *s)
{
    return ((const Gguf *)s)->count;
}

static const SlTensorInfo *gguf_info(const SlWeightSource *s, size_t i)
{
    return &((const Gguf *)s)->entries[i].info;
}

static const SlTensorInfo *gguf_find(const SlWeightSource *s, const char *name)
{
    size_t i;
    const Gguf *g = (const Gguf *)s;
    return sl_name_table_find(g->names, name, &i) ? &g->entries[i].info : NULL;
}

static bool gguf_read(const SlWeightSource *s, size_t i, uint64_t first, uint64_t bytes, void *out,
                      SlError *err)
{
    const Gguf *g = (const Gguf *)s;
    return sl_file_read(g->fd, g->path, out, bytes, g->data + g->entries[i].begin + first, err);
}

static const char *gguf_metadata(const SlWeightSource *s, const char *key)
{
    const Gguf *g = (const Gguf *)s;
    for (size_t i = 0; i < g->value_count; i++)
        if (!strcmp(g->values[i].key, key))
            return g->values[i].text;
    return NULL;
}

static int gguf_files(const SlWeightSource *s)
{
    return 1;
}

static const char *gguf_file(const SlWeightSource *s, int i)
{
    return ((const Gguf *)s)->path;
}

static const char *gguf_file_of(const SlWeightSource *s, size_t i)
{
    return ((const Gguf *)s)->path;
}

static void gguf_close(SlWeightSource *s)
{
    Gguf *g = (Gguf *)s;
    if (g->fd >= 0)
        close(g->fd);
    for (size_t i = 0; i < g->count; i++)
        free((char *)g->entries[i].info.name);
    for (size_t i = 0; i < g->value_count; i++) {
        free(g->values[i].key);
        free(g->values[i].text);
    }
    sl_name_table_free(g->names);
    free(g->entries);
    free(g->values);
    free(g->path);
    free(g);
}

static const SlWeightSourceOps gguf_ops = {
    .count = gguf_count,
    .info = gguf_info,
    .find = gguf_find,
    .read = gguf_read,
    .metadata = gguf_metadata,
    .files = gguf_files,
    .file = gguf_file,
    .file_of = gguf_file_of,
    .close = gguf_close,
};

/* ---- bytes of the header ---- */

typedef struct Header {
    Gguf *g;
    uint64_t at; /* in the file */
    unsigned char *window;
    uint64_t first, filled; /* what of the file is in the window */
    SlNameTable *shapes;    /* values that are shapes, by their tensors' names */
    SlError *err;
} Header;

__attribute__((format(printf, 2, 3))) static bool bad(const Header *h, const char *format, ...)
{
    char found[600];
    va_list args;
    va_start(args, format);
    vsnprintf(found, sizeof found, format, args);
    va_end(args);
    return sl_fail(h->err, SL_FORMAT, "%s: %s", sl_show_path(h->g->path).text, found);
}

static bool no_memory(const Header *h)
{
    return sl_fail(h->err, SL_MEMORY, "%s: out of memory for the %zu tensors of its header",
                   sl_show_path(h->g->path).text, h->g->count);
}

/* Are so many bytes left, of the file and of what a header may have? */
static bool has_left(const Header *h, uint64_t bytes)
{
    if (bytes > h->g->bytes - h->at)
        return bad(
            h,
            sl_words("its GGUF header ends at byte %llu, where %llu more are expected: the file "
                     "is cut off or damaged; download it again"),
            (unsigned long long)h->g->bytes, (unsigned long long)(bytes - (h->g->bytes - h->at)));
    return h->at + bytes <= SL_GGUF_MAX_HEADER ||
           bad(h, sl_words("its header has more than %u bytes"), SL_GGUF_MAX_HEADER);
}

static bool take(Header *h, void *out, uint64_t bytes)
{
    char *to = out;
    if (!has_left(h, bytes))
        return false;
    while (bytes > 0) {
        if (h->at >= h->first + h->filled) {
            uint64_t left = h->g->bytes - h->at;
            h->first = h->at;
            h->filled = left < WINDOW ? left : WINDOW;
            if (!sl_file_read(h->g->fd, h->g->path, h->window, h->filled, h->first, h->err))
                return false;
        }
        uint64_t n = h->first + h->filled - h->at;
        n = n < bytes ? n : bytes;
        memcpy(to, h->window + (h->at - h->first), (size_t)n);
        h->at += n;
        to += n;
        bytes -= n;
    }
    return true;
}

static bool skip(Header *h, uint64_t bytes)
{
    if (!has_left(h, bytes))
        return false;
    h->at += bytes;
    if (h->at > h->first + h->filled)
        h->filled = 0;
    return true;
}

static bool take_u32(Header *h, uint32_t *out)
{
    return take(h, out, sizeof *out); /* little endian, as every machine that this runs on */
}

static bool take_u64(Header *h, uint64_t *out)
{
    return take(h, out, sizeof *out);
}

/* A text of `length` bytes, malloc'ed. */
static char *take_text(Header *h, uint64_t length, const char *what)
{
    char *text = has_left(h, length) ? malloc((size_t)length + 1) : NULL;
    if (!text) {
        if (!h->err || h->err->code == SL_OK)
            no_memory(h);
        return NULL;
    }
    bool ok = take(h, text, length);
    text[length] = 0;
    if (ok && strlen(text) == length && sl_utf8_valid(text, (size_t)length))
        return text;
    if (ok)
        bad(h, sl_words("%s is not a text: the file is damaged"), sl_words(what));
    free(text);
    return NULL;
}

static char *take_name(Header *h, const char *what)
{
    uint64_t length;
    if (!take_u64(h, &length))
        return NULL;
    if (length == 0 || length > MAX_NAME) {
        bad(h, sl_words("%s has %llu bytes; expected 1 to %d"), sl_words(what),
            (unsigned long long)length, MAX_NAME);
        return NULL;
    }
    return take_text(h, length, what);
}

static bool grow(const Header *h, void **items, size_t *room, size_t count, size_t item)
{
    if (count < *room)
        return true;
    size_t more = *room ? *room * 2 : 64;
    void *moved = realloc(*items, more * item);
    if (!moved)
        return no_memory(h);
    *items = moved;
    *room = more;
    return true;
}

/* ---- keys and values ---- */

enum { TYPE_U32 = 4, TYPE_I32 = 5, TYPE_TEXT = 8, TYPE_ARRAY = 9, TYPE_U64 = 10, TYPE_I64 = 11 };

/* Bytes of the value types that have a fixed size; 0: texts and arrays. */
static const uint8_t type_bytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
#define TYPES (sizeof type_bytes)

static bool check_type(const Header *h, const char *key, uint32_t type)
{
    if (type < TYPES)
        return true;
    bad(h, sl_words("the value of \"%s\" has the type %u; expected 0 to 12"),
        sl_show_name(key).text, type);
    return false;
}

static bool skip_value(Header *h, const char *key, uint32_t type, int nested)
{
    uint64_t count, bytes;
    uint32_t of;
    if (!check_type(h, key, type))
        return false;
    if (type_bytes[type])
        return skip(h, type_bytes[type]);
    if (type == TYPE_TEXT)
        return take_u64(h, &bytes) && skip(h, bytes);
    if (nested == MAX_NESTED)
        return bad(h, sl_words("the value of \"%s\" has more than %d arrays within each other"),
                   sl_show_name(key).text, MAX_NESTED);
    if (!take_u32(h, &of) || !take_u64(h, &count) || !check_type(h, key, of))
        return false;
    if (type_bytes[of])
        return __builtin_mul_overflow(count, (uint64_t)type_bytes[of], &bytes)
                   ? bad(h, sl_words("the array of \"%s\" is larger than any file"),
                         sl_show_name(key).text)
                   : skip(h, bytes);
    for (uint64_t i = 0; i < count; i++)
        if (!skip_value(h, key, of, nested + 1))
            return false;
    return true;
}

static bool take_text_value(Header *h, Value *value)
{
    uint64_t length;
    if (!take_u64(h, &length))
        return false;
    if (length > MAX_TEXT) /* a picture of the model, and the like */
        return skip(h, length);
    value->text = take_text(h, length, SL_WORDS("the value of a key"));
    return value->text != NULL;
}

static bool take_number(Header *h, uint32_t type, int64_t *out)
{
    uint32_t small;
    uint64_t large;
    if (type_bytes[type] == 4) {
        if (!take_u32(h, &small))
            return false;
        *out = type == TYPE_I32 ? (int64_t)(int32_t)small : (int64_t)small;
        return true;
    }
    if (!take_u64(h, &large))
        return false;
    *out = large > INT64_MAX ? -1 : (int64_t)large;
    return true;
}

static bool is_number(uint32_t type)
{
    return type == TYPE_U32 || type == TYPE_I32 || type == TYPE_U64 || type == TYPE_I64;
}

static bool take_shape(Header *h, Value *value)
{
    uint32_t of;
    uint64_t count;
    SlShown name = sl_show_name(value->key);
    if (!take_u32(h, &of) || !take_u64(h, &count))
        return false;
    if (!is_number(of) || count > MAX_AXES)
        return bad(h, sl_words("\"%s\" is not a list of at most %d whole numbers"), name.text,
                   MAX_AXES);
    value->axes = (int)count;
    for (int i = 0; i < value->axes; i++) {
        if (!take_number(h, of, &value->size[i]))
            return false;
        if (value->size[i] < 0)
            return bad(h, sl_words("\"%s\" has a negative size"), name.text);
    }
    return true;
}

static bool take_alignment(Header *h)
{
    uint32_t alignment;
    if (!take_u32(h, &alignment))
        return false;
    h->g->alignment = alignment;
    return (alignment >= 1 && alignment <= 1u << 20 && !(alignment & (alignment - 1))) ||
           bad(h, sl_words("general.alignment is %u; expected a power of two up to 2^20"),
               alignment);
}

static bool take_value(Header *h)
{
    Gguf *g = h->g;
    uint32_t type;
    if (!grow(h, (void **)&g->values, &g->value_room, g->value_count, sizeof *g->values))
        return false;
    Value *value = &g->values[g->value_count];
    *value = (Value){.key = take_name(h, SL_WORDS("the name of a key"))};
    if (!value->key)
        return false;
    g->value_count++; /* freed with the file from here on */
    if (!take_u32(h, &type))
        return false;
    if (type == TYPE_TEXT)
        return take_text_value(h, value);
    if (type == TYPE_U32 && !strcmp(value->key, "general.alignment"))
        return take_alignment(h);
    if (type == TYPE_ARRAY && !strncmp(value->key, SHAPE_KEY, strlen(SHAPE_KEY)))
        return take_shape(h, value);
    return skip_value(h, value->key, type, 0);
}

/* ---- tensors ---- */

/* The types by their numbers in files. All are known by size; a model can be made of those that
 * have a storage. */
static const struct {
    const char *name;
    uint16_t elements, bytes;
} types[] = {
    [0] = {"F32", 1, 4},         [1] = {"F16", 1, 2},         [2] = {"Q4_0", 32, 18},
    [3] = {"Q4_1", 32, 20},      [6] = {"Q5_0", 32, 22},      [7] = {"Q5_1", 32, 24},
    [8] = {"Q8_0", 32, 34},      [9] = {"Q8_1", 32, 40},      [10] = {"Q2_K", 256, 84},
    [11] = {"Q3_K", 256, 110},   [12] = {"Q4_K", 256, 144},   [13] = {"Q5_K", 256, 176},
    [14] = {"Q6_K", 256, 210},   [15] = {"Q8_K", 256, 292},   [16] = {"IQ2_XXS", 256, 66},
    [17] = {"IQ2_XS", 256, 74},  [18] = {"IQ3_XXS", 256, 98}, [19] = {"IQ1_S", 256, 50},
    [20] = {"IQ4_NL", 32, 18},   [21] = {"IQ3_S", 256, 110},  [22] = {"IQ2_S", 256, 82},
    [23] = {"IQ4_XS", 256, 136}, [24] = {"I8", 1, 1},         [25] = {"I16", 1, 2},
    [26] = {"I32", 1, 4},        [27] = {"I64", 1, 8},        [28] = {"F64", 1, 8},
    [29] = {"IQ1_M", 256, 56},   [30] = {"BF16", 1, 2},       [34] = {"TQ1_0", 256, 54},
    [35] = {"TQ2_0", 256, 66},   [39] = {"MXFP4", 32, 17},    [40] = {"NVFP4", 64, 36},
};
#define TENSOR_TYPES (sizeof types / sizeof types[0])

/* Turned round: outermost first. */
static bool take_sizes(Header *h, SlTensorInfo *info)
{
    uint32_t axes;
    SlShown name = sl_show_name(info->name);
    if (!take_u32(h, &axes))
        return false;
    if (axes > MAX_AXES)
        return bad(h, sl_words("tensor \"%s\" has %u axes; expected at most %d"), name.text, axes,
                   MAX_AXES);
    info->rank = (int)axes;
    for (int i = info->rank - 1; i >= 0; i--) {
        uint64_t size;
        if (!take_u64(h, &size))
            return false;
        if (size > INT64_MAX)
            return bad(h, sl_words("tensor \"%s\" has a size of %llu"), name.text,
                       (unsigned long long)size);
        info->size[i] = (int64_t)size;
    }
    return true;
}

static bool take_type(Header *h, SlTensorInfo *info)
{
    uint32_t type;
    uint64_t elements = 1, inner = info->rank ? (uint64_t)info->size[info->rank - 1] : 1;
    SlShown name = sl_show_name(info->name);
    if (!take_u32(h, &type))
        return false;
    if (type >= TENSOR_TYPES || !types[type].name)
        return bad(h, sl_words("tensor \"%s\" has the type number %u, which is not known"),
                   name.text, type);
    for (int i = 0; i < info->rank; i++)
        if (__builtin_mul_overflow(elements, (uint64_t)info->size[i], &elements))
            return bad(h,
                       sl_words("tensor \"%s\" has a shape whose product is larger than any file"),
                       name.text);
    if (inner % types[type].elements)
        return bad(h, sl_words("tensor \"%s\" has rows of %llu elements; %s has blocks of %u"),
                   name.text, (unsigned long long)inner, types[type].name, types[type].elements);
    if (__builtin_mul_overflow(elements / types[type].elements, (uint64_t)types[type].bytes,
                               &info->bytes) ||
        elements > INT64_MAX / 8)
        return bad(h, sl_words("tensor \"%s\" is larger than any file"), name.text);
    snprintf(info->dtype_name, sizeof info->dtype_name, "%s", types[type].name);
    info->storage = sl_storage_find(types[type].name);
    if (!info->storage)
        info->storage = sl_gguf_storage(types[type].name);
    info->known = info->storage && info->storage->plain;
    info->dtype = info->known ? info->storage->dtype : SL_U8;
    return true;
}

/* The shape that the tensor had before it was reshaped for its blocks. */
static bool restore_shape(const Header *h, SlTensorInfo *info)
{
    uint64_t before = sl_tensor_info_elements(info), after = 1;
    size_t place;
    const Value *shape = h->shapes && sl_name_table_find(h->shapes, info->name, &place)
                             ? &h->g->values[place]
                             : NULL;
    if (!shape)
        return true;
    for (int i = 0; i < shape->axes; i++)
        if (__builtin_mul_overflow(after, (uint64_t)shape->size[i], &after))
            after = UINT64_MAX;
    if (before != after)
        return bad(h, sl_words("tensor \"%s\" has %llu elements, its original shape %llu"),
                   sl_show_name(info->name).text, (unsigned long long)before,
                   (unsigned long long)after);
    info->rank = shape->axes;
    memcpy(info->size, shape->size, sizeof info->size);
    return true;
}

static bool take_tensor(Header *h)
{
    Gguf *g = h->g;
    if (!grow(h, (void **)&g->entries, &g->room, g->count, sizeof *g->entries))
        return false;
    Entry *e = &g->entries[g->count];
    *e = (Entry){.info = {.index = g->count}};
    e->info.name = e->info.stored_name = take_name(h, SL_WORDS("the name of a tensor"));
    if (!e->info.name)
        return false;
    g->count++;
    if (!take_sizes(h, &e->info) || !take_type(h, &e->info) || !take_u64(h, &e->begin))
        return false;
    return (e->begin % g->alignment == 0 ||
            bad(h,
                sl_words("tensor \"%s\" begins at byte %llu of the data, which is not a multiple "
                         "of %llu"),
                sl_show_name(e->info.name).text, (unsigned long long)e->begin,
                (unsigned long long)g->alignment)) &&
           restore_shape(h, &e->info);
}

static bool list_shapes(Header *h)
{
    const Gguf *g = h->g;
    size_t prefix = strlen(SHAPE_KEY);
    h->shapes = sl_name_table_new(g->value_count);
    if (!h->shapes)
        return no_memory(h);
    for (size_t i = 0; i < g->value_count; i++)
        if (!strncmp(g->values[i].key, SHAPE_KEY, prefix) && !g->values[i].text &&
            !sl_name_table_add(h->shapes, g->values[i].key + prefix, i))
            return bad(h, sl_words("the key \"%s\" stands there twice"),
                       sl_show_name(g->values[i].key).text);
    return true;
}

/* ---- the whole ---- */

typedef struct Span {
    uint64_t begin, end;
    const char *name;
} Span;

static int compare_spans(const void *a, const void *b)
{
    const Span *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

/* All tensors lie in the file, and none over another. */
static bool check_layout(const Header *h)
{
    const Gguf *g = h->g;
    uint64_t data = g->data <= g->bytes ? g->bytes - g->data : 0;
    Span *spans = malloc((g->count + 1) * sizeof *spans);
    if (!spans)
        return no_memory(h);
    bool ok = true;
    for (size_t i = 0; i < g->count && ok; i++) {
        const Entry *e = &g->entries[i];
        spans[i] = (Span){e->begin, e->begin + e->info.bytes, e->info.name};
        if (e->begin > data || e->info.bytes > data - e->begin)
            ok = bad(
                h,
                sl_words("tensor \"%s\" needs %llu bytes from byte %llu of the data on, which has "
                         "%llu: the file is cut off; download it again"),
                sl_show_name(e->info.name).text, (unsigned long long)e->info.bytes,
                (unsigned long long)e->begin, (unsigned long long)data);
    }
    if (ok)
        qsort(spans, g->count, sizeof *spans, compare_spans);
    for (size_t i = 1; i < g->count && ok; i++)
        if (spans[i].begin < spans[i - 1].end)
            ok = bad(h, sl_words("the tensors \"%s\" and \"%s\" lie over each other"),
                     sl_show_name(spans[i - 1].name).text, sl_show_name(spans[i].name).text);
    free(spans);
    return ok;
}

static bool list_names(const Header *h)
{
    Gguf *g = h->g;
    g->names = sl_name_table_new(g->count);
    if (!g->names)
        return no_memory(h);
    for (size_t i = 0; i < g->count; i++)
        if (!sl_name_table_add(g->names, g->entries[i].info.name, i))
            return bad(h, sl_words("tensor \"%s\" stands there twice"),
                       sl_show_name(g->entries[i].info.name).text);
    return true;
}

static bool take_version(Header *h)
{
    char magic[4];
    uint32_t version;
    if (!take(h, magic, sizeof magic) || !take_u32(h, &version))
        return false;
    if (memcmp(magic, "GGUF", 4))
        return bad(h, sl_words("this is not a GGUF file: it does not begin with \"GGUF\""));
    if (version > 0xffff)
        return bad(
            h, sl_words("the numbers of this GGUF file are big-endian; expected little-endian"));
    return version == 2 || version == 3 ||
           bad(h, sl_words("this is version %u of GGUF; expected 2 or 3"), version);
}

static bool take_header(Header *h)
{
    uint64_t tensors, keys;
    if (!take_version(h) || !take_u64(h, &tensors) || !take_u64(h, &keys))
        return false;
    if (tensors == 0)
        return bad(h, sl_words("the file contains no tensors"));
    for (uint64_t i = 0; i < keys; i++)
        if (!take_value(h))
            return false;
    if (!list_shapes(h))
        return false;
    for (uint64_t i = 0; i < tensors; i++)
        if (!take_tensor(h))
            return false;
    h->g->data = (h->at + h->g->alignment - 1) / h->g->alignment * h->g->alignment;
    return check_layout(h) && list_names(h);
}

bool sl_gguf_is(const char *path)
{
    uint64_t size;
    char magic[4] = {0};
    int fd = sl_file_open(path, &size, NULL);
    if (fd < 0)
        return false;
    bool is = size >= sizeof magic && sl_file_read(fd, path, magic, sizeof magic, 0, NULL) &&
              !memcmp(magic, "GGUF", sizeof magic);
    close(fd);
    return is;
}

SlWeightSource *sl_source_gguf(const char *path, SlError *err)
{
    SlError own = {0};
    Gguf *g = calloc(1, sizeof *g);
    Header h = {.g = g, .window = malloc(WINDOW), .err = &own};
    bool ok = g && h.window && (g->path = strdup(path));
    if (!ok)
        sl_fail(err, SL_MEMORY, "%s: out of memory", sl_show_path(path).text);
    if (g) {
        sl_source_init(&g->base, &gguf_ops);
        g->alignment = ALIGNMENT;
        g->fd = ok ? sl_file_open(path, &g->bytes, err) : -1;
    }
    if (ok && g->fd >= 0) {
        ok = take_header(&h);
        if (!ok)
            sl_fail(err, own.code, "%s", own.message);
    } else {
        ok = false;
    }
    sl_name_table_free(h.shapes);
    free(h.window);
    if (ok)
        return &g->base;
    if (g)
        sl_weights_close(&g->base);
    return NULL;
}
