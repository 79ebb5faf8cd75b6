/* safetensors_writer.c - see safetensors_writer.h. The layout is little endian, as every machine
 * this program runs on; the header is padded with spaces so that the data starts aligned.
 */
#include "app/files/safetensors_writer.h"
#include "app/files/atomic_file.h"
#include "app/files/json_out.h"
#include "app/files/text.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct Entry {
    void *data; /* NULL: from rows */
    size_t bytes;
    int64_t count; /* of rows */
    SlTensorRows rows;
} Entry;

struct SlTensorWriter {
    SlText header; /* without the braces */
    Entry *entry;
    size_t count, bytes;
    bool failed;
    SlAtomicCheck check;
    void *check_arg;
};

SlTensorWriter *sl_tensor_writer_new(void)
{
    return calloc(1, sizeof(SlTensorWriter));
}

void sl_tensor_writer_set_metadata(SlTensorWriter *w, const char *key, const char *value)
{
    SlJsonOut out = {0};
    cJSON *object = sl_out_object(&out, NULL, NULL);
    sl_out_text(&out, object, key, value);
    char *text = sl_out_end_text(&out, object);
    if (text)
        sl_text_addf(&w->header, "\"__metadata__\":%s", text);
    else
        w->failed = true;
    free(text);
}

void sl_tensor_writer_add(SlTensorWriter *w, const char *name, int rank, const int64_t *size,
                          const float *data)
{
    sl_tensor_writer_add_typed(w, name, SL_F32, rank, size, data);
}

/* Its place in the file, without its data; NULL when that failed. */
static Entry *declare(SlTensorWriter *w, const char *name, SlDtype dtype, int rank,
                      const int64_t *size)
{
    static const char *const words[] = {
        [SL_F32] = "F32", [SL_F16] = "F16", [SL_BF16] = "BF16", [SL_U8] = "U8"};
    const char *word = words[dtype];
    size_t bytes = sl_dtype_size(dtype);
    for (int i = 0; i < rank; i++)
        if (__builtin_mul_overflow(bytes, (size_t)size[i], &bytes))
            w->failed = true;
    Entry *grown = w->failed ? NULL : realloc(w->entry, (w->count + 1) * sizeof *grown);
    if (!grown) {
        w->failed = true;
        return NULL;
    }
    w->entry = grown;
    sl_text_addf(&w->header, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", w->header.length ? "," : "",
                 name, word);
    for (int i = 0; i < rank; i++)
        sl_text_addf(&w->header, "%s%" PRId64, i ? "," : "", size[i]);
    sl_text_addf(&w->header, "],\"data_offsets\":[%zu,%zu]}", w->bytes, w->bytes + bytes);
    w->bytes += bytes;
    w->entry[w->count] = (Entry){.bytes = bytes};
    return &w->entry[w->count++];
}

void sl_tensor_writer_add_typed(SlTensorWriter *w, const char *name, SlDtype dtype, int rank,
                                const int64_t *size, const void *data)
{
    Entry *entry = declare(w, name, dtype, rank, size);
    if (entry && !(entry->data = malloc(entry->bytes ? entry->bytes : 1)))
        w->failed = true;
    if (entry && entry->data)
        memcpy(entry->data, data, entry->bytes);
}

void sl_tensor_writer_add_rows(SlTensorWriter *w, const char *name, SlDtype dtype,
                               const int64_t size[4], const SlTensorRows *rows)
{
    Entry *entry = declare(w, name, dtype, 4, size);
    if (entry) {
        entry->rows = *rows;
        entry->count = size[0];
    }
}

static void write_rows(SlAtomicFile *file, const Entry *entry, void *scratch)
{
    for (int64_t i = 0; i < entry->count; i++)
        sl_atomic_write(file, entry->rows.row(entry->rows.arg, i, scratch),
                        entry->bytes / (size_t)entry->count);
}

/* Room for the longest row. */
static void *make_scratch(const SlTensorWriter *w)
{
    size_t most = 1;
    for (size_t i = 0; i < w->count; i++)
        if (w->entry[i].count && w->entry[i].bytes / (size_t)w->entry[i].count > most)
            most = w->entry[i].bytes / (size_t)w->entry[i].count;
    return malloc(most);
}

bool sl_tensor_writer_save(const SlTensorWriter *w, const char *path, SlError *err)
{
    SlText header = {0};
    sl_text_add(&header, "{");
    sl_text_append(&header, w->header.data ? w->header.data : "", w->header.length);
    sl_text_add(&header, "}");
    while (header.length % 8 && !header.failed)
        sl_text_add(&header, " ");
    SlAtomicFile *file = NULL;
    void *scratch = make_scratch(w);
    if (!scratch || w->failed || w->header.failed || header.failed)
        sl_fail(err, SL_MEMORY, "%s: memory ran out", path);
    else
        file = sl_atomic_open(path, err);
    if (file) {
        uint64_t length = header.length;
        sl_atomic_write(file, &length, sizeof length);
        sl_atomic_write(file, header.data, header.length);
        for (size_t i = 0; i < w->count; i++)
            if (w->entry[i].data)
                sl_atomic_write(file, w->entry[i].data, w->entry[i].bytes);
            else
                write_rows(file, &w->entry[i], scratch);
    }
    free(scratch);
    sl_text_free(&header);
    return file && sl_atomic_commit_checked(file, w->check, w->check_arg, err);
}

void sl_tensor_writer_check(SlTensorWriter *w, SlAtomicCheck check, void *arg)
{
    w->check = check;
    w->check_arg = arg;
}

void sl_tensor_writer_free(SlTensorWriter *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->count; i++)
        free(w->entry[i].data);
    free(w->entry);
    sl_text_free(&w->header);
    free(w);
}
