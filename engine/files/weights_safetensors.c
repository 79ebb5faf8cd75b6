/* weights_safetensors.c - safetensors files as a source of weights: one file, or a sharded set. */
#include "engine/files/weights_source.h"

#include "engine/files/name_table.h"
#include "engine/files/safetensors.h"
#include "engine/files/utf8.h"

#include <stdlib.h>

typedef struct Entry {
    SlTensorInfo info;
    const SlTensorInfo *stored; /* the file's own */
    int file;
} Entry;

typedef struct Set {
    SlWeightSource base;
    SlSafetensors **files;
    int file_count;
    Entry *entries;
    size_t count;
    SlNameTable *names;
} Set;

static size_t set_count(const SlWeightSource *s)
{
    return ((const Set *)s)->count;
}

static const SlTensorInfo *set_info(const SlWeightSource *s, size_t i)
{
    return &((const Set *)s)->entries[i].info;
}

static const SlTensorInfo *set_find(const SlWeightSource *s, const char *name)
{
    const Set *set = (const Set *)s;
    size_t i;
    return sl_name_table_find(set->names, name, &i) ? &set->entries[i].info : NULL;
}

static bool set_read(const SlWeightSource *s, size_t i, uint64_t first, uint64_t bytes, void *out,
                     SlError *err)
{
    const Entry *e = &((const Set *)s)->entries[i];
    return sl_safetensors_read(((const Set *)s)->files[e->file], e->stored, first, bytes, out, err);
}

static const char *set_metadata(const SlWeightSource *s, const char *key)
{
    const Set *set = (const Set *)s;
    const char *value = NULL;
    for (int i = 0; i < set->file_count && !value; i++)
        value = sl_safetensors_metadata(set->files[i], key);
    return value;
}

static int set_files(const SlWeightSource *s)
{
    return ((const Set *)s)->file_count;
}

static const char *set_file(const SlWeightSource *s, int i)
{
    return sl_safetensors_path(((const Set *)s)->files[i]);
}

static const char *set_file_of(const SlWeightSource *s, size_t i)
{
    return set_file(s, ((const Set *)s)->entries[i].file);
}

static void set_close(SlWeightSource *s)
{
    Set *set = (Set *)s;
    for (int i = 0; i < set->file_count; i++)
        sl_safetensors_close(set->files[i]);
    sl_name_table_free(set->names);
    free(set->entries);
    free(set->files);
    free(set);
}

static const SlWeightSourceOps set_ops = {
    .count = set_count,
    .info = set_info,
    .find = set_find,
    .read = set_read,
    .metadata = set_metadata,
    .files = set_files,
    .file = set_file,
    .file_of = set_file_of,
    .close = set_close,
};

/* ---- opening ---- */

static bool no_memory(const char *path, SlError *err)
{
    return sl_fail(err, SL_MEMORY, "%s: out of memory", sl_show_path(path).text);
}

static bool open_files(Set *set, const char *const *paths, int count, SlError *err)
{
    set->files = calloc((size_t)count, sizeof(SlSafetensors *));
    if (!set->files)
        return no_memory(paths[0], err);
    for (int i = 0; i < count; i++) {
        set->files[i] = sl_safetensors_open(paths[i], err);
        if (!set->files[i])
            return false;
        set->file_count++;
        set->count += sl_safetensors_count(set->files[i]);
    }
    if (set->count == 0)
        return sl_fail(err, SL_FORMAT, "%s: the file contains no tensors",
                       sl_show_path(paths[0]).text);
    return true;
}

static bool list_tensors(Set *set, SlError *err)
{
    size_t n = 0;
    set->entries = calloc(set->count, sizeof *set->entries);
    set->names = sl_name_table_new(set->count);
    if (!set->entries || !set->names)
        return no_memory(set_file(&set->base, 0), err);
    for (int file = 0; file < set->file_count; file++)
        for (size_t i = 0; i < sl_safetensors_count(set->files[file]); i++, n++) {
            const SlTensorInfo *stored = sl_safetensors_info(set->files[file], i);
            set->entries[n] = (Entry){*stored, stored, file};
            set->entries[n].info.index = n;
            if (!sl_name_table_add(set->names, stored->name, n))
                return sl_fail(err, SL_FORMAT, "%s: tensor \"%s\" is there twice",
                               sl_show_path(set_file(&set->base, file)).text,
                               sl_show_name(stored->name).text);
        }
    return true;
}

SlWeightSource *sl_source_safetensors(const char *const *paths, int count, SlError *err)
{
    if (count > SL_SOURCE_MAX_FILES) {
        sl_fail(err, SL_UNSUPPORTED, "%s: more than %d files in one set of weights",
                sl_show_path(paths[SL_SOURCE_MAX_FILES]).text, SL_SOURCE_MAX_FILES);
        return NULL;
    }
    Set *set = calloc(1, sizeof *set);
    if (!set) {
        no_memory(paths[0], err);
        return NULL;
    }
    sl_source_init(&set->base, &set_ops);
    if (open_files(set, paths, count, err) && list_tensors(set, err))
        return &set->base;
    sl_weights_close(&set->base);
    return NULL;
}
