/* weights.c - see weights.h: the tensors of one component over one or more files, and reading them.
 *
 * Easy to get wrong: a value that is not finite spreads through the whole picture, so every tensor
 * is looked at while it is read; tensors are converted in pieces, so that loading needs no second
 * copy of the model.
 */
#include "engine/files/weights_private.h"

#include "engine/files/utf8.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Elements of a piece that one thread reads at a time. */
#define READ_PIECE ((size_t)1 << 18)
/* Bytes of a file that wait for their conversion: in the first cache, on the stack. */
#define HELD (32 << 10)

static bool no_memory(const SlWeights *w, SlError *err)
{
    return sl_fail(err, SL_MEMORY, "%s: out of memory",
                   w->file_count ? sl_show_path(sl_weights_file(w, 0)).text : "weights");
}

SlWeights *sl_weights_new(const char *path, SlError *err)
{
    SlWeights *w = calloc(1, sizeof *w);
    if (!w)
        sl_fail(err, SL_MEMORY, "%s: out of memory", sl_show_path(path).text);
    return w;
}

void sl_weights_close(SlWeights *w)
{
    if (!w)
        return;
    for (int i = 0; i < w->file_count; i++)
        sl_safetensors_close(w->files[i]);
    for (size_t i = 0; i < w->translated_count; i++)
        free(w->translated[i]);
    free(w->translated);
    sl_name_table_free(w->names);
    free(w->entries);
    free(w);
}

int sl_weights_add_file(SlWeights *w, const char *path, SlError *err)
{
    if (w->file_count == SL_WEIGHTS_MAX_FILES) {
        sl_fail(err, SL_UNSUPPORTED, "%s: more than %d files in one set of weights",
                sl_show_path(path).text, SL_WEIGHTS_MAX_FILES);
        return -1;
    }
    w->files[w->file_count] = sl_safetensors_open(path, err);
    return w->files[w->file_count] ? w->file_count++ : -1;
}

bool sl_weights_add(SlWeights *w, const SlWeightsEntry *entry, SlError *err)
{
    if (w->count == w->room) {
        size_t room = w->room ? w->room * 2 : 256;
        SlWeightsEntry *moved = realloc(w->entries, room * sizeof *moved);
        if (!moved)
            return no_memory(w, err);
        w->entries = moved;
        w->room = room;
    }
    w->entries[w->count++] = *entry;
    return true;
}

bool sl_weights_add_all(SlWeights *w, int file, SlError *err)
{
    const SlSafetensors *st = w->files[file];
    for (size_t i = 0; i < sl_safetensors_count(st); i++) {
        const SlTensorInfo *info = sl_safetensors_info(st, i);
        SlWeightsEntry entry = {.info = *info, .file = file, .stored = info};
        if (!sl_weights_add(w, &entry, err))
            return false;
    }
    return true;
}

const char *sl_weights_keep_name(SlWeights *w, const char *name, SlError *err)
{
    if (w->translated_count == w->translated_room) {
        size_t room = w->translated_room ? w->translated_room * 2 : 256;
        char **moved = realloc(w->translated, room * sizeof *moved);
        if (!moved) {
            no_memory(w, err);
            return NULL;
        }
        w->translated = moved;
        w->translated_room = room;
    }
    char *copy = strdup(name);
    if (copy)
        w->translated[w->translated_count++] = copy;
    else
        no_memory(w, err);
    return copy;
}

bool sl_weights_finish(SlWeights *w, SlError *err)
{
    if (w->count == 0)
        return sl_fail(err, SL_FORMAT, "%s: the file contains no tensors",
                       sl_show_path(sl_weights_file(w, 0)).text);
    w->names = sl_name_table_new(w->count);
    if (!w->names)
        return no_memory(w, err);
    for (size_t i = 0; i < w->count; i++)
        if (!sl_name_table_add(w->names, w->entries[i].info.name, i))
            return sl_fail(err, SL_FORMAT, "%s: tensor \"%s\" is there twice",
                           sl_show_path(sl_weights_file(w, w->entries[i].file)).text,
                           sl_show_name(w->entries[i].info.name).text);
    return true;
}

SlWeights *sl_weights_open_file(const char *path, SlError *err)
{
    SlWeights *w = sl_weights_new(path, err);
    int file = w ? sl_weights_add_file(w, path, err) : -1;
    if (file >= 0 && sl_weights_add_all(w, file, err) && sl_weights_finish(w, err))
        return w;
    sl_weights_close(w);
    return NULL;
}

/* ---- questions ---- */

size_t sl_weights_count(const SlWeights *w)
{
    return w->count;
}

const SlTensorInfo *sl_weights_info(const SlWeights *w, size_t i)
{
    return &w->entries[i].info;
}

const SlTensorInfo *sl_weights_find(const SlWeights *w, const char *name)
{
    size_t i;
    return sl_name_table_find(w->names, name, &i) ? &w->entries[i].info : NULL;
}

int sl_weights_files(const SlWeights *w)
{
    return w->file_count;
}

const char *sl_weights_file(const SlWeights *w, int i)
{
    return sl_safetensors_path(w->files[i]);
}

static const SlWeightsEntry *entry_of(const SlTensorInfo *info)
{
    return (const SlWeightsEntry *)info;
}

size_t sl_weights_index(const SlWeights *w, const SlTensorInfo *info)
{
    return (size_t)(entry_of(info) - w->entries);
}

const char *sl_weights_file_of(const SlWeights *w, const SlTensorInfo *info)
{
    return sl_weights_file(w, entry_of(info)->file);
}

/* ---- reading ---- */

/* Is one of n values NaN or infinite: all bits of its exponent set? */
static bool any_not_finite(SlDtype dtype, const void *data, size_t n)
{
    unsigned found = 0;
    if (dtype == SL_F32) {
        const uint32_t *v = data;
        for (size_t i = 0; i < n; i++)
            found |= (v[i] & 0x7f800000u) == 0x7f800000u;
    } else if (dtype == SL_F16 || dtype == SL_BF16) {
        const uint16_t *v = data;
        uint16_t mask = dtype == SL_F16 ? 0x7c00 : 0x7f80;
        for (size_t i = 0; i < n; i++)
            found |= (v[i] & mask) == mask;
    }
    return found != 0;
}

static bool read_part(const SlWeights *w, const SlTensorInfo *info, uint64_t first, uint64_t bytes,
                      void *out, SlError *err)
{
    const SlWeightsEntry *e = entry_of(info);
    if (!sl_safetensors_read(w->files[e->file], e->stored, e->first + first, bytes, out, err))
        return false;
    if (info->known && any_not_finite(info->dtype, out, (size_t)bytes / sl_dtype_size(info->dtype)))
        return sl_fail(err, SL_FORMAT,
                       "%s: tensor \"%s\" contains a value that is not a finite number (NaN or "
                       "infinity): the file is damaged or was saved from a broken model",
                       sl_show_path(sl_weights_file_of(w, info)).text,
                       sl_show_name(e->stored->name).text);
    return true;
}

bool sl_weights_read(const SlWeights *w, const SlTensorInfo *info, void *out, SlError *err)
{
    return read_part(w, info, 0, info->bytes, out, err);
}

/* Reading a tensor, looked at and converted piece by piece, by one thread or by all. */
typedef struct Reading {
    const SlWeights *w;
    const SlTensorInfo *info;
    char *out;
    SlDtype dtype; /* of out */
    pthread_mutex_t lock;
    int64_t failed; /* the first piece that could not be read; -1: none */
    SlError err;
} Reading;

/* Elements from first on, with a stop on the way where they change their dtype. */
static bool read_elements(const Reading *r, size_t first, size_t count, SlError *err)
{
    SlDtype dtype = r->info->dtype;
    size_t size = sl_dtype_size(dtype), to_size = sl_dtype_size(r->dtype);
    _Alignas(64) char held[HELD];
    if (dtype == r->dtype)
        return read_part(r->w, r->info, first * size, count * size, r->out + first * size, err);
    while (count > 0) {
        size_t n = count < sizeof held / size ? count : sizeof held / size;
        if (!read_part(r->w, r->info, first * size, n * size, held, err))
            return false;
        sl_convert(held, dtype, r->out + first * to_size, r->dtype, n);
        first += n;
        count -= n;
    }
    return true;
}

static void read_pieces(void *arg, int64_t first, int64_t last)
{
    Reading *r = arg;
    size_t all = (size_t)r->info->bytes / sl_dtype_size(r->info->dtype);
    for (int64_t i = first; i < last; i++) {
        SlError err = {0};
        size_t at = (size_t)i * READ_PIECE, left = all - at;
        if (read_elements(r, at, left < READ_PIECE ? left : READ_PIECE, &err))
            continue;
        pthread_mutex_lock(&r->lock);
        if (r->failed < 0 || i < r->failed) {
            r->failed = i;
            r->err = err;
        }
        pthread_mutex_unlock(&r->lock);
    }
}

bool sl_weights_read_on(const SlDevice *dev, const SlWeights *w, const SlTensorInfo *info,
                        const SlTensor *out, SlError *err)
{
    Reading r = {.w = w, .info = info, .out = out->data, .dtype = out->dtype, .failed = -1};
    size_t all = (size_t)info->bytes / sl_dtype_size(info->dtype);
    pthread_mutex_init(&r.lock, NULL);
    sl_parallel_for(dev, (int64_t)((all + READ_PIECE - 1) / READ_PIECE), 1, read_pieces, &r);
    pthread_mutex_destroy(&r.lock);
    return r.failed < 0 || sl_fail(err, r.err.code, "%s", r.err.message);
}

bool sl_weights_read_f32(const SlWeights *w, const SlTensorInfo *info, float *out, SlError *err)
{
    const Reading r = {.w = w, .info = info, .out = (char *)out, .dtype = SL_F32};
    if (!info->known || (info->dtype != SL_F32 && info->dtype != SL_F16 && info->dtype != SL_BF16))
        return sl_fail(err, SL_UNSUPPORTED,
                       "%s: tensor \"%s\" has the dtype %s; expected F32, F16 or BF16",
                       sl_show_path(sl_weights_file_of(w, info)).text,
                       sl_show_name(info->name).text, info->dtype_name);
    return read_elements(&r, 0, (size_t)info->bytes / sl_dtype_size(info->dtype), err);
}
