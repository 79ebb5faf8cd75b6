/* run.c - memory, numbers and guard zones of one case. */
#include "run.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

SlDevice *run_device(const char *name, SlDtype dtype, int threads)
{
    SlError err = {0};
    SlDeviceOptions options = {.name = name, .dtype = dtype, .threads = threads};
    SlDevice *dev = sl_device_open(&options, &err);
    if (!dev)
        sl_test_note("%s", err.message);
    return dev;
}

#define GUARD 64 /* elements on either side: keeps 64-byte alignment for every dtype */

static uint64_t next(Run *r)
{
    r->seed = r->seed * 6364136223846793005u + 1442695040888963407u;
    uint64_t x = r->seed >> 29 ^ r->seed;
    return x * 0x9e3779b97f4a7c15u >> 20;
}

/* Mostly around 0.3, some a hundred times smaller, some zeros: sums that cancel, rows that differ.
 */
static float number(Run *r)
{
    uint64_t u = next(r);
    float f = (float)(int64_t)(u & 0xffffff) / (float)0x800000 - 1;
    if ((u >> 24 & 15) == 0)
        return 0;
    return (u >> 24 & 15) == 1 ? f * 0.01f : f;
}

static void *host_numbers(Run *r, SlDtype dtype, int64_t n, float scale)
{
    float *f = malloc((size_t)n * sizeof *f);
    void *typed = malloc((size_t)n * 4);
    if (!f || !typed)
        abort();
    for (int64_t i = 0; i < n; i++)
        f[i] = number(r) * scale;
    sl_convert(f, SL_F32, typed, dtype, (size_t)n);
    free(f);
    return typed;
}

static SlTensor keep(Run *r, SlDtype dtype, int rank, const int64_t *size)
{
    if (r->buffers == RUN_MAX)
        abort();
    return r->buffer[r->buffers++] = sl_buffer_new(r->dev, dtype, rank, size);
}

SlTensor run_input_as(Run *r, SlDtype dtype, int rank, const int64_t *size, float scale)
{
    SlTensor t = keep(r, dtype, rank, size);
    void *host = host_numbers(r, dtype, sl_tensor_elements(&t), scale);
    sl_upload(r->dev, host, &t);
    free(host);
    return t;
}

SlTensor run_input(Run *r, int rank, const int64_t *size, float scale)
{
    return run_input_as(r, r->dev->dtype, rank, size, scale);
}

SlTensor run_ids(Run *r, int64_t n, int64_t length, int vocabulary)
{
    SlTensor t = keep(r, SL_I32, 2, SIZES(n, length));
    int32_t *host = malloc((size_t)(n * length) * sizeof *host);
    if (!host)
        abort();
    for (int64_t i = 0; i < n * length; i++)
        host[i] = (int32_t)(next(r) % (uint64_t)vocabulary);
    sl_upload(r->dev, host, &t);
    free(host);
    return t;
}

SlTensor run_values(Run *r, const float *values, int64_t n)
{
    SlTensor t = keep(r, r->dev->dtype, 1, SIZES(n));
    float typed[64];
    sl_convert(values, SL_F32, typed, r->dev->dtype, (size_t)n);
    sl_upload(r->dev, typed, &t);
    return t;
}

SlWeight *run_weight(Run *r, SlWeightKind kind, int rank, const int64_t *size, float scale)
{
    SlTensor host = sl_tensor_view(NULL, SL_F32, rank, size);
    host.data = host_numbers(r, SL_F32, sl_tensor_elements(&host), scale);
    if (r->weights == RUN_MAX)
        abort();
    SlWeight *w = sl_weight_new(r->dev, kind, &host);
    if (w && r->weights % 2) { /* half of them had other values before */
        SlTensor other = host;
        other.data = host_numbers(r, SL_F32, sl_tensor_elements(&host), 3);
        bool copy = r->weights % 4 == 1;
        SlWeight *twin = copy ? sl_weight_twin(r->dev, w) : NULL;
        sl_weight_fill(r->dev, w, &other);
        if (twin) /* there may be no memory for it */
            sl_weight_copy(r->dev, w, twin);
        else
            sl_weight_fill(r->dev, w, &host);
        sl_weight_free(r->dev, twin);
        free(other.data);
    }
    free(host.data);
    return r->weight[r->weights++] = w;
}

static float *as_f32(SlDevice *dev, const SlTensor *t)
{
    int64_t n = sl_tensor_elements(t);
    void *raw = malloc((size_t)n * 4);
    float *f = malloc((size_t)n * sizeof *f);
    if (!raw || !f)
        abort();
    memset(raw, 0, (size_t)n * 4);
    sl_download(dev, t, raw);
    if (t->dtype == SL_U8)
        for (int64_t i = 0; i < n; i++)
            f[i] = ((uint8_t *)raw)[i];
    else if (t->dtype == SL_I32)
        for (int64_t i = 0; i < n; i++)
            f[i] = (float)((int32_t *)raw)[i];
    else
        sl_convert(raw, t->dtype, f, SL_F32, (size_t)n);
    free(raw);
    return f;
}

SlTensor run_output(Run *r, SlDtype dtype, int rank, const int64_t *size, int64_t gap)
{
    SlTensor view = sl_tensor_view(NULL, dtype, rank, size);
    int64_t pitch = size[rank - 1] + gap;
    for (int i = rank - 2; i >= 0; i--) {
        view.stride[i] = pitch;
        pitch *= size[i];
    }
    r->out_memory = keep(r, dtype, 1, SIZES(pitch + 2 * GUARD));
    size_t bytes = (size_t)(pitch + 2 * GUARD) * sl_dtype_size(dtype);
    char *pattern = malloc(bytes);
    if (!pattern)
        abort();
    for (size_t i = 0; i < bytes; i++)
        pattern[i] = (char)(dtype == SL_U8 ? 0xa5 : 0x3f + i % 2);
    sl_upload(r->dev, pattern, &r->out_memory);
    free(pattern);
    if (r->out_memory.data)
        view.data = (char *)r->out_memory.data + GUARD * sl_dtype_size(dtype);
    r->before = as_f32(r->dev, &r->out_memory);
    return r->out = view;
}

void run_in_place(Run *r, const SlTensor *t)
{
    r->out = *t;
    r->out_memory = *t;
}

/* Where element i of the output lies in the memory around it. */
static int64_t place(const Run *r, int64_t i)
{
    int64_t at = r->before ? GUARD : 0;
    for (int axis = r->out.rank - 1; axis >= 0; axis--) {
        at += i % r->out.size[axis] * r->out.stride[axis];
        i /= r->out.size[axis];
    }
    return at;
}

float *run_result(Run *r, int64_t *n)
{
    *n = sl_tensor_elements(&r->out);
    if (!sl_device_check(r->dev, NULL))
        return NULL;
    float *all = as_f32(r->dev, &r->out_memory), *result = malloc((size_t)*n * sizeof *result);
    if (!result)
        abort();
    for (int64_t i = 0; i < *n; i++)
        result[i] = all[place(r, i)];
    free(all);
    return result;
}

int64_t run_stray_writes(Run *r)
{
    if (!r->before)
        return 0;
    int64_t stray = 0, total = sl_tensor_elements(&r->out_memory);
    float *after = as_f32(r->dev, &r->out_memory);
    for (int64_t i = 0; i < sl_tensor_elements(&r->out); i++)
        after[place(r, i)] = r->before[place(r, i)];
    for (int64_t i = 0; i < total; i++)
        stray += memcmp(after + i, r->before + i, sizeof *after) != 0;
    free(after);
    return stray;
}

void run_free(Run *r)
{
    for (int i = 0; i < r->weights; i++)
        sl_weight_free(r->dev, r->weight[i]);
    for (int i = 0; i < r->buffers; i++)
        sl_buffer_free(r->dev, &r->buffer[i]);
    free(r->before);
}
