/* safetensors_writer.c - see safetensors_writer.h. The layout is little endian, as every machine
 * this program runs on; the header is padded with spaces so that the data starts aligned.
 */
#include "app/core/safetensors_writer.h"
#include "app/core/atomic_file.h"
#include "app/core/text.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct Entry {
    void *data;
    size_t bytes;
} Entry;

struct SlTensorWriter {
    SlText header; /* without the braces */
    Entry *entry;
    size_t count, bytes;
    bool failed;
};

SlTensorWriter *sl_tensor_writer_new(void)
{
    return calloc(1, sizeof(SlTensorWriter));
}

void sl_tensor_writer_set_metadata(SlTensorWriter *w, const char *key, const char *value)
{
    cJSON *text = cJSON_CreateString(value);
    char *quoted = text ? cJSON_PrintUnformatted(text) : NULL;
    if (quoted)
        sl_text_addf(&w->header, "\"__metadata__\":{\"%s\":%s}", key, quoted);
    else
        w->failed = true;
    cJSON_free(quoted);
    cJSON_Delete(text);
}

void sl_tensor_writer_add(SlTensorWriter *w, const char *name, int rank, const int64_t *size,
                          const float *data)
{
    sl_tensor_writer_add_typed(w, name, "F32", rank, size, data);
}

void sl_tensor_writer_add_typed(SlTensorWriter *w, const char *name, const char *dtype, int rank,
                                const int64_t *size, const void *data)
{
    size_t bytes = !strcmp(dtype, "F32") ? 4 : !strcmp(dtype, "F16") ? 2 : 1;
    for (int i = 0; i < rank; i++)
        if (__builtin_mul_overflow(bytes, (size_t)size[i], &bytes))
            w->failed = true;
    Entry *grown = w->failed ? NULL : realloc(w->entry, (w->count + 1) * sizeof *grown);
    void *copy = grown ? malloc(bytes ? bytes : 1) : NULL;
    if (grown)
        w->entry = grown;
    if (!copy) {
        w->failed = true;
        return;
    }
    memcpy(copy, data, bytes);
    w->entry[w->count++] = (Entry){copy, bytes};
    sl_text_addf(&w->header, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", w->header.length ? "," : "",
                 name, dtype);
    for (int i = 0; i < rank; i++)
        sl_text_addf(&w->header, "%s%" PRId64, i ? "," : "", size[i]);
    sl_text_addf(&w->header, "],\"data_offsets\":[%zu,%zu]}", w->bytes, w->bytes + bytes);
    w->bytes += bytes;
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
    if (w->failed || w->header.failed || header.failed)
        sl_fail(err, SL_MEMORY, "%s: memory ran out", path);
    else
        file = sl_atomic_open(path, err);
    if (file) {
        uint64_t length = header.length;
        sl_atomic_write(file, &length, sizeof length);
        sl_atomic_write(file, header.data, header.length);
        for (size_t i = 0; i < w->count; i++)
            sl_atomic_write(file, w->entry[i].data, w->entry[i].bytes);
    }
    sl_text_free(&header);
    return file && sl_atomic_commit(file, err);
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
