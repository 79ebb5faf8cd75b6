/* safetensors.c - see safetensors.h: opening a file, what it holds, reading from it. */
#include "engine/files/safetensors_private.h"

#include "engine/files/file_kind.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static SlSafetensors *new_safetensors(const char *path, SlError *err)
{
    SlSafetensors *st = calloc(1, sizeof *st);
    char *copy = strdup(path);
    if (!st || !copy) {
        sl_fail(err, SL_MEMORY, "%s: out of memory", sl_show_path(path).text);
        free(copy);
        free(st);
        return NULL;
    }
    st->path = copy;
    st->shown = sl_show_path(path);
    st->fd = -1;
    return st;
}

SlSafetensors *sl_safetensors_parse(const char *name, const void *header, size_t header_bytes,
                                    uint64_t data_bytes, SlError *err)
{
    SlSafetensors *st = new_safetensors(name, err);
    if (!st)
        return NULL;
    st->header = malloc(header_bytes + 1);
    st->header_bytes = header_bytes;
    st->data_bytes = data_bytes;
    bool ok = st->header || sl_fail(err, SL_MEMORY, "%s: out of memory", st->shown.text);
    if (ok)
        memcpy(st->header, header, header_bytes);
    if (ok && sl_safetensors_parse_header(st, err))
        return st;
    sl_safetensors_close(st);
    return NULL;
}

/* Why the first bytes cannot be a header; names the file's kind where it is known. */
static bool refuse_head(const SlSafetensors *st, const unsigned char *head, size_t length,
                        uint64_t claimed, uint64_t size, SlError *err)
{
    const char *name = st->shown.text;
    unsigned long long n = claimed, total = size;
    if (!sl_file_unless_known(st->path, sl_file_kind(head, length), SL_WANT_MODEL, err))
        return false;
    if (size < 8)
        return sl_fail(err, SL_FORMAT,
                       "%s: the file has %llu bytes; a safetensors file has at least 10: it is "
                       "cut off or something else",
                       name, total);
    if (claimed < 2)
        return sl_fail(err, SL_FORMAT,
                       "%s: its header has %llu bytes, expected at least 2 (\"{}\")", name, n);
    if (claimed > SL_SAFETENSORS_MAX_HEADER)
        return sl_fail(err, SL_FORMAT,
                       "%s: not a safetensors file: its first 8 bytes give a header of %llu bytes; "
                       "at most 100000000 are allowed",
                       name, n);
    if (claimed > size - 8)
        return sl_fail(err, SL_FORMAT,
                       "%s: its header should have %llu bytes, but the file has only %llu: it is "
                       "cut off; download it again",
                       name, n, total);
    return sl_fail(err, SL_FORMAT,
                   "%s: not a safetensors file: its header begins with \"%s\", expected '{'", name,
                   sl_show_name((char[]){(char)head[8], 0}).text);
}

/* Length and first characters, before anything is allocated. */
static bool check_head(SlSafetensors *st, uint64_t size, SlError *err)
{
    unsigned char head[SL_FILE_HEAD];
    size_t length = size < sizeof head ? (size_t)size : sizeof head, i = 8;
    uint64_t claimed = 0;
    if (!sl_file_read(st->fd, st->path, head, length, 0, err))
        return false;
    for (int b = 7; b >= 0 && size >= 8; b--)
        claimed = claimed << 8 | head[b];
    if (size < 8 || claimed < 2 || claimed > SL_SAFETENSORS_MAX_HEADER || claimed > size - 8)
        return refuse_head(st, head, length, claimed, size, err);
    while (i < length && (head[i] == ' ' || head[i] == '\n' || head[i] == '\t' || head[i] == '\r'))
        i++; /* some writers pad in front */
    if (i < length && head[i] != '{')
        return refuse_head(st, head, length, claimed, size, err);
    st->header_bytes = claimed;
    st->data_bytes = size - 8 - claimed;
    return true;
}

SlSafetensors *sl_safetensors_open(const char *path, SlError *err)
{
    uint64_t size;
    SlSafetensors *st = new_safetensors(path, err);
    if (!st)
        return NULL;
    st->fd = sl_file_open(path, &size, err);
    bool ok = st->fd >= 0 && check_head(st, size, err);
    if (ok) {
        st->header = malloc((size_t)st->header_bytes + 1);
        ok = st->header || sl_fail(err, SL_MEMORY, "%s: out of memory for a header of %llu bytes",
                                   st->shown.text, (unsigned long long)st->header_bytes);
    }
    if (ok && sl_file_read(st->fd, path, st->header, st->header_bytes, 8, err) &&
        sl_safetensors_parse_header(st, err))
        return st;
    sl_safetensors_close(st);
    return NULL;
}

void sl_safetensors_close(SlSafetensors *st)
{
    if (!st)
        return;
    if (st->fd >= 0)
        close(st->fd);
    sl_name_table_free(st->names);
    free(st->metadata);
    free(st->entries);
    free(st->header);
    free(st->path);
    free(st);
}

const char *sl_safetensors_path(const SlSafetensors *st)
{
    return st->path;
}

size_t sl_safetensors_count(const SlSafetensors *st)
{
    return st->count;
}

const SlTensorInfo *sl_safetensors_info(const SlSafetensors *st, size_t i)
{
    return &st->entries[i].info;
}

const SlTensorInfo *sl_safetensors_find(const SlSafetensors *st, const char *name)
{
    size_t i;
    return sl_name_table_find(st->names, name, &i) ? &st->entries[i].info : NULL;
}

const char *sl_safetensors_metadata(const SlSafetensors *st, const char *key)
{
    for (size_t i = 0; i < st->metadata_count; i++)
        if (!strcmp(st->metadata[i].key, key))
            return st->metadata[i].value;
    return NULL;
}

bool sl_safetensors_read(const SlSafetensors *st, const SlTensorInfo *info, uint64_t first,
                         uint64_t bytes, void *out, SlError *err)
{
    const SlSafetensorsEntry *e = (const SlSafetensorsEntry *)info;
    if (st->fd < 0 || first > info->bytes || bytes > info->bytes - first)
        return sl_fail(err, SL_IO, "%s: tensor \"%s\" has no bytes to read there", st->shown.text,
                       sl_show_name(info->name).text);
    return sl_file_read(st->fd, st->path, out, bytes, 8 + st->header_bytes + e->begin + first, err);
}
