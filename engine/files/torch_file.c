/* torch_file.c - see torch_file.h.
 *
 * Mirrors torch/serialization.py (_legacy_load and the zip form). Easy to get wrong: in the old form four
 * pickles stand one behind the other, then one with the order of the storages, then those, each
 * behind its number of elements; and a tensor may be a row of a storage that holds a whole vocabulary.
 */
#include "engine/files/torch_file.h"

#include "engine/files/file_kind.h"
#include "engine/files/name_table.h"
#include "engine/files/pickle.h"
#include "engine/files/utf8.h"
#include "engine/files/weights_source.h"
#include "engine/files/zip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_TENSORS 4096

static const struct {
    const char *type, *dtype;
    unsigned bytes;
} types[] = {
    {"FloatStorage", "F32", 4},  {"HalfStorage", "F16", 2}, {"BFloat16Storage", "BF16", 2},
    {"DoubleStorage", "F64", 8}, {"LongStorage", "I64", 8}, {"IntStorage", "I32", 4},
    {"ShortStorage", "I16", 2},  {"CharStorage", "I8", 1},  {"ByteStorage", "U8", 1},
    {"BoolStorage", "BOOL", 1},
};

typedef struct Entry {
    SlTensorInfo info;
    char *name;
    uint64_t begin; /* in the file */
} Entry;

typedef struct Said {
    char *key, *text;
} Said;

typedef struct TorchFile {
    SlWeightSource base;
    char *path;
    int fd;
    uint64_t size;
    Entry entry[MOST_TENSORS];
    size_t count;
    SlNameTable *names;
    Said *said;
    size_t said_count;
} TorchFile;

/* ---- the source ---- */

static size_t torch_count(const SlWeightSource *s)
{
    return ((const TorchFile *)s)->count;
}

static const SlTensorInfo *torch_info(const SlWeightSource *s, size_t i)
{
    return &((const TorchFile *)s)->entry[i].info;
}

static const SlTensorInfo *torch_find(const SlWeightSource *s, const char *name)
{
    const TorchFile *f = (const TorchFile *)s;
    size_t i;
    return sl_name_table_find(f->names, name, &i) ? &f->entry[i].info : NULL;
}

static bool torch_read(const SlWeightSource *s, size_t i, uint64_t first, uint64_t bytes, void *out,
                       SlError *err)
{
    const TorchFile *f = (const TorchFile *)s;
    return sl_file_read(f->fd, f->path, out, bytes, f->entry[i].begin + first, err);
}

static const char *torch_metadata(const SlWeightSource *s, const char *key)
{
    const TorchFile *f = (const TorchFile *)s;
    for (size_t i = 0; i < f->said_count; i++)
        if (!strcmp(f->said[i].key, key))
            return f->said[i].text;
    return NULL;
}

static int torch_files(const SlWeightSource *s)
{
    (void)s;
    return 1;
}

static const char *torch_path(const SlWeightSource *s, int i)
{
    (void)i;
    return ((const TorchFile *)s)->path;
}

static const char *torch_path_of(const SlWeightSource *s, size_t i)
{
    (void)i;
    return ((const TorchFile *)s)->path;
}

static void torch_close(SlWeightSource *s)
{
    TorchFile *f = (TorchFile *)s;
    if (f->fd >= 0)
        close(f->fd);
    for (size_t i = 0; i < f->count; i++)
        free(f->entry[i].name);
    for (size_t i = 0; i < f->said_count; i++) {
        free(f->said[i].key);
        free(f->said[i].text);
    }
    sl_name_table_free(f->names);
    free(f->said);
    free(f->path);
    free(f);
}

static const SlWeightSourceOps torch_ops = {
    .count = torch_count,
    .info = torch_info,
    .find = torch_find,
    .read = torch_read,
    .metadata = torch_metadata,
    .files = torch_files,
    .file = torch_path,
    .file_of = torch_path_of,
    .close = torch_close,
};

/* ---- opening ---- */

/* Where the storages are: files of an archive, or one behind the other. */
typedef struct Opening {
    TorchFile *f;
    SlZip zip;
    char *prefix;           /* of the archive's names: "archive/" */
    SlPickle pickle, order; /* of the old form, the list of the storages' keys */
    uint64_t *place;        /* and where each of them begins */
    unsigned char *bytes;
    SlError *err;
} Opening;

static bool no_memory(const Opening *o)
{
    return sl_fail(o->err, SL_MEMORY, "%s: out of memory", sl_show_path(o->f->path).text);
}

static bool bad(const Opening *o, const char *name, const char *what)
{
    return sl_fail(o->err, SL_FORMAT, "%s: the tensor \"%s\" %s", sl_show_path(o->f->path).text,
                   sl_show_name(name).text, what);
}

static bool find_type(const char *type, size_t *which)
{
    for (*which = 0; *which < sizeof types / sizeof types[0]; ++*which)
        if (!strcmp(types[*which].type, type))
            return true;
    return false;
}

/* ---- storages ---- */

static bool find_in_zip(const Opening *o, const SlPickleStorage *s, uint64_t bytes,
                        const char *name, uint64_t *begin)
{
    char *whole;
    if (asprintf(&whole, "%sdata/%s", o->prefix, s->key) < 0)
        return no_memory(o);
    const SlZipEntry *e = sl_zip_find(&o->zip, whole);
    free(whole);
    if (!e)
        return bad(o, name, sl_words("has numbers that are not in the archive"));
    *begin = e->at;
    return bytes <= e->bytes ||
           bad(o, name, sl_words("has more numbers than there are in the archive"));
}

static bool find_behind(const Opening *o, const SlPickleStorage *s, const char *name,
                        uint64_t *begin)
{
    const SlPickleValue *keys = o->order.root;
    for (size_t i = 0; i < keys->count; i++)
        if (keys->item[i]->kind == SL_PICKLE_TEXT && !strcmp(keys->item[i]->text, s->key)) {
            *begin = o->place[i];
            return true;
        }
    return bad(o, name, sl_words("has numbers that are not in the file"));
}

/* ---- tensors ---- */

/* Rows one behind the other, in a storage that holds them. */
static bool check_layout(const Opening *o, const SlPickleTensor *t, const char *name,
                         uint64_t *elements)
{
    int64_t count = 1, storage = t->storage->storage.elements;
    for (int i = t->rank - 1; i >= 0; i--) {
        if (t->size[i] < 1)
            return bad(o, name, sl_words("has no elements"));
        if (t->size[i] > 1 && t->stride[i] != count)
            return bad(o, name, sl_words("does not have its rows one behind the other"));
        if (__builtin_mul_overflow(count, t->size[i], &count))
            return bad(o, name, sl_words("has a shape whose product is larger than any file"));
    }
    *elements = (uint64_t)count;
    return (t->offset <= storage && count <= storage - t->offset) ||
           bad(o, name, sl_words("has more elements than its storage"));
}

static bool add_tensor(const Opening *o, const SlPickleTensor *t, char *name)
{
    TorchFile *f = o->f;
    const SlPickleStorage *s = &t->storage->storage;
    size_t type;
    uint64_t elements = 0, bytes, begin = 0;
    if (!name)
        return no_memory(o);
    if (f->count == MOST_TENSORS) {
        free(name);
        return sl_fail(o->err, SL_UNSUPPORTED, "%s: it has more than %d tensors",
                       sl_show_path(f->path).text, MOST_TENSORS);
    }
    Entry *e = &f->entry[f->count++];
    e->name = name;
    if (!find_type(s->type, &type) || !check_layout(o, t, name, &elements))
        return false;
    if (__builtin_mul_overflow((uint64_t)s->elements, types[type].bytes, &bytes))
        return bad(o, name, sl_words("has a storage that is larger than any file"));
    if (o->prefix ? !find_in_zip(o, s, bytes, name, &begin) : !find_behind(o, s, name, &begin))
        return false;
    e->begin = begin + (uint64_t)t->offset * types[type].bytes;
    e->info = (SlTensorInfo){.name = name,
                             .stored_name = name,
                             .storage = sl_storage_find(types[type].dtype),
                             .dtype = SL_U8,
                             .rank = t->rank,
                             .bytes = elements * types[type].bytes,
                             .index = f->count - 1};
    memcpy(e->info.size, t->size, sizeof e->info.size);
    snprintf(e->info.dtype_name, sizeof e->info.dtype_name, "%s", types[type].dtype);
    if (e->info.storage && e->info.storage->plain) {
        e->info.known = true;
        e->info.dtype = e->info.storage->dtype;
    }
    return sl_name_table_add(f->names, name, e->info.index) ||
           bad(o, name, sl_words("is there twice"));
}

static char *join(const char *first, const char *second)
{
    char *whole;
    return asprintf(&whole, "%s.%s", first, second) < 0 ? NULL : whole;
}

/* ---- what else it says ---- */

static bool add_said(const Opening *o, const char *key, const SlPickleValue *v)
{
    TorchFile *f = o->f;
    char number[40];
    const char *text = v->kind == SL_PICKLE_TEXT ? v->text : number;
    if (v->kind == SL_PICKLE_INT)
        snprintf(number, sizeof number, "%lld", (long long)v->whole);
    else if (v->kind != SL_PICKLE_TEXT)
        return true;
    Said *more = realloc(f->said, (f->said_count + 1) * sizeof *more);
    if (!more)
        return no_memory(o);
    f->said = more;
    more += f->said_count;
    *more = (Said){strdup(key), strdup(text)};
    f->said_count++;
    return (more->key && more->text) || no_memory(o);
}

/* ---- the dict ---- */

static const char *text_key(const SlPickleValue *dict, size_t i)
{
    return dict->item[i]->kind == SL_PICKLE_TEXT ? dict->item[i]->text : NULL;
}

/* The items that are looked at are counted: one dict may stand in another many times. */
static bool add_inner(const Opening *o, const char *key, const SlPickleValue *dict, size_t *looked)
{
    for (size_t i = 0; i + 1 < dict->count; i += 2) {
        const char *inner = text_key(dict, i);
        const SlPickleValue *v = dict->item[i + 1];
        if (++*looked > SL_PICKLE_MAX_BYTES)
            return sl_fail(o->err, SL_FORMAT, "%s: its pickle says more than it holds",
                           sl_show_path(o->f->path).text);
        if (inner && v->kind == SL_PICKLE_TENSOR && !add_tensor(o, &v->tensor, join(key, inner)))
            return false;
    }
    return true;
}

static bool add_all(const Opening *o)
{
    const SlPickleValue *root = o->pickle.root;
    size_t looked = 0;
    bool ok = true;
    if (root->kind == SL_PICKLE_TENSOR)
        return add_tensor(o, &root->tensor, strdup(""));
    if (root->kind != SL_PICKLE_DICT)
        return sl_fail(o->err, SL_FORMAT,
                       "%s: what was saved is neither a tensor nor a dict of them",
                       sl_show_path(o->f->path).text);
    for (size_t i = 0; ok && i + 1 < root->count; i += 2) {
        const char *key = text_key(root, i);
        const SlPickleValue *v = root->item[i + 1];
        if (key)
            ok = v->kind == SL_PICKLE_TENSOR ? add_tensor(o, &v->tensor, strdup(key))
                 : v->kind == SL_PICKLE_DICT ? add_inner(o, key, v, &looked)
                                             : add_said(o, key, v);
    }
    return ok && (o->f->count > 0 || sl_fail(o->err, SL_FORMAT, "%s: the file contains no tensors",
                                             sl_show_path(o->f->path).text));
}

/* ---- the zip form ---- */

/* Bytes of the file into o->bytes. */
static bool load(Opening *o, uint64_t at, uint64_t bytes)
{
    free(o->bytes);
    o->bytes = malloc(bytes + 1);
    return o->bytes ? sl_file_read(o->f->fd, o->f->path, o->bytes, bytes, at, o->err)
                    : no_memory(o);
}

static const SlZipEntry *find_pickle(const Opening *o)
{
    static const char wanted[] = "/data.pkl";
    for (size_t i = 0; i < o->zip.count; i++) {
        const char *slash = strchr(o->zip.entry[i].name, '/');
        if (slash && !strcmp(slash, wanted))
            return &o->zip.entry[i];
    }
    sl_fail(o->err, SL_FORMAT, "%s: this zip archive has no data.pkl: torch.save did not make it",
            sl_show_path(o->f->path).text);
    return NULL;
}

static bool check_order(Opening *o)
{
    char *name;
    if (asprintf(&name, "%sbyteorder", o->prefix) < 0)
        return no_memory(o);
    const SlZipEntry *e = sl_zip_find(&o->zip, name);
    free(name);
    if (!e)
        return true;
    if (e->bytes == 6 && !load(o, e->at, 6))
        return false;
    return (e->bytes == 6 && !memcmp(o->bytes, "little", 6)) ||
           sl_fail(o->err, SL_UNSUPPORTED, "%s: its numbers are not little-endian",
                   sl_show_path(o->f->path).text);
}

static bool read_pickle(const Opening *o, const SlPickleBytes *bytes, SlPickle *pickle)
{
    return sl_pickle_read(bytes, pickle, o->err);
}

static bool open_zip(Opening *o)
{
    TorchFile *f = o->f;
    if (!sl_zip_read(f->fd, f->path, f->size, &o->zip, o->err))
        return false;
    const SlZipEntry *e = find_pickle(o);
    if (!e)
        return false;
    if (e->bytes > SL_PICKLE_MAX_BYTES)
        return sl_fail(
            o->err, SL_UNSUPPORTED, "%s: its pickle has %llu bytes; at most %zu are read",
            sl_show_path(f->path).text, (unsigned long long)e->bytes, SL_PICKLE_MAX_BYTES);
    o->prefix = strndup(e->name, strlen(e->name) - strlen("data.pkl"));
    if (!o->prefix)
        return no_memory(o);
    if (!check_order(o) || !load(o, e->at, e->bytes))
        return false;
    const SlPickleBytes bytes = {f->path, e->at, o->bytes, e->bytes};
    return read_pickle(o, &bytes, &o->pickle);
}

/* ---- the form before ---- */

/* The number 0x1950a86a20f9469cfc6c as a pickle, with which such a file begins. */
static const unsigned char magic[] = {0x80, 2,    0x8a, 10,   'l', 0xfc, 0x9c, 'F',
                                      0xf9, 0x20, 'j',  0xa8, 'P', 0x19, '.'};

/* The pickle's storages by their keys: the places of `list`, which is theirs to free. */
static SlNameTable *list_storages(const Opening *o, const SlPickleStorage ***list)
{
    size_t count = 0, room = 0;
    for (const SlPickleValue *v = o->pickle.values; v; v = v->next)
        room += v->kind == SL_PICKLE_STORAGE;
    SlNameTable *keys = sl_name_table_new(room);
    *list = calloc(room + 1, sizeof **list);
    for (const SlPickleValue *v = o->pickle.values; keys && *list && v; v = v->next)
        if (v->kind == SL_PICKLE_STORAGE && sl_name_table_add(keys, v->storage.key, count))
            (*list)[count++] = &v->storage;
    if (!keys || !*list)
        no_memory(o);
    return keys;
}

/* A storage of the file: its number of elements, and these. *at moves behind it. */
static bool place_storage(const Opening *o, const SlPickleStorage *s, size_t i, uint64_t *at)
{
    const TorchFile *f = o->f;
    int64_t elements = 0;
    uint64_t bytes = 0;
    size_t type;
    if (*at > f->size || f->size - *at < 8)
        return sl_fail(o->err, SL_FORMAT, "%s: the file is cut off; download it again",
                       sl_show_path(f->path).text);
    if (!sl_file_read(f->fd, f->path, &elements, 8, *at, o->err))
        return false;
    if (!s || s->elements != elements || !find_type(s->type, &type) ||
        __builtin_mul_overflow((uint64_t)elements, types[type].bytes, &bytes))
        return sl_fail(o->err, SL_FORMAT, "%s: its storage %zu is not what its pickle says",
                       sl_show_path(f->path).text, i + 1);
    *at += 8;
    o->place[i] = *at;
    if (bytes > f->size - *at)
        return sl_fail(o->err, SL_FORMAT, "%s: the file is cut off; download it again",
                       sl_show_path(f->path).text);
    *at += bytes;
    return true;
}

static bool place_storages(Opening *o, uint64_t at)
{
    const SlPickleValue *order = o->order.root;
    const SlPickleStorage **list = NULL;
    if (order->kind != SL_PICKLE_LIST || order->count > MOST_TENSORS)
        return sl_fail(o->err, SL_FORMAT, "%s: the list of its storages is damaged",
                       sl_show_path(o->f->path).text);
    o->place = calloc(order->count + 1, sizeof *o->place);
    SlNameTable *keys = list_storages(o, &list);
    bool ok = (o->place || no_memory(o)) && keys && list;
    for (size_t i = 0, k; ok && i < order->count; i++) {
        bool known = order->item[i]->kind == SL_PICKLE_TEXT &&
                     sl_name_table_find(keys, order->item[i]->text, &k);
        ok = place_storage(o, known ? list[k] : NULL, i, &at);
    }
    sl_name_table_free(keys);
    free(list);
    return ok;
}

static bool open_old(Opening *o)
{
    TorchFile *f = o->f;
    SlPickle ignored;
    uint64_t at = sizeof magic;
    uint64_t bytes = f->size < SL_PICKLE_MAX_BYTES ? f->size : SL_PICKLE_MAX_BYTES;
    if (!load(o, 0, bytes))
        return false;
    bool ok = true;
    for (int i = 0; ok && i < 4; i++) { /* protocol version, system, what was saved, storages */
        SlPickle *into = i == 2 ? &o->pickle : i == 3 ? &o->order : &ignored;
        const SlPickleBytes rest = {f->path, at, o->bytes + at, bytes - at};
        ok = read_pickle(o, &rest, into);
        at += into->used;
        if (i == 0 && ok && (into->root->kind != SL_PICKLE_INT || into->root->whole != 1001))
            ok = sl_fail(o->err, SL_UNSUPPORTED,
                         "%s: this is a form of torch.save that is not known",
                         sl_show_path(f->path).text);
        if (i < 2)
            sl_pickle_free(&ignored);
    }
    return ok && place_storages(o, at);
}

/* ---- the whole ---- */

static bool begins_with(int fd, const char *path, uint64_t size, const void *bytes, size_t count,
                        SlError *err)
{
    unsigned char head[16];
    return size >= count && sl_file_read(fd, path, head, count, 0, err) &&
           !memcmp(head, bytes, count);
}

bool sl_torch_file_is(const char *path)
{
    uint64_t size;
    int fd = sl_file_open(path, &size, NULL);
    if (fd < 0)
        return false;
    bool is = begins_with(fd, path, size, "PK\3\4", 4, NULL) ||
              begins_with(fd, path, size, magic, sizeof magic, NULL);
    close(fd);
    return is;
}

static bool open_either(Opening *o)
{
    TorchFile *f = o->f;
    SlError own = {0};
    if (begins_with(f->fd, f->path, f->size, "PK\3\4", 4, &own))
        return open_zip(o);
    if (own.code == SL_OK && begins_with(f->fd, f->path, f->size, magic, sizeof magic, &own))
        return open_old(o);
    return own.code == SL_OK ? sl_fail(o->err, SL_FORMAT, "%s: torch.save did not make this file",
                                       sl_show_path(f->path).text)
                             : sl_fail(o->err, own.code, "%s", own.message);
}

SlWeightSource *sl_torch_file_open(const char *path, SlError *err)
{
    TorchFile *f = calloc(1, sizeof *f);
    if (f)
        f->path = strdup(path);
    if (!f || !f->path) {
        free(f);
        sl_fail(err, SL_MEMORY, "%s: out of memory", sl_show_path(path).text);
        return NULL;
    }
    Opening o = {.f = f, .err = err};
    sl_source_init(&f->base, &torch_ops);
    f->names = sl_name_table_new(MOST_TENSORS);
    f->fd = f->names ? sl_file_open(path, &f->size, err) : -1;
    bool ok = (f->names || no_memory(&o)) && f->fd >= 0 && open_either(&o) && add_all(&o);
    sl_pickle_free(&o.pickle);
    sl_pickle_free(&o.order);
    sl_zip_free(&o.zip);
    free(o.prefix);
    free(o.place);
    free(o.bytes);
    if (ok)
        return &f->base;
    sl_weights_close(&f->base);
    return NULL;
}
