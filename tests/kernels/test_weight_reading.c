/* test_weight_reading.c - weights that the cpu device lays out while it reads them: the same bytes as
 * from the host's memory, for any number of threads, and nothing left of one that cannot be read; and
 * weights that wait for the product that wants them. */
#include "kernels/kernels.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

typedef struct Case {
    const char *id;
    SlWeightKind kind;
    int rank;
    int64_t size[4];
} Case;

static const Case cases[] = {
    {"a matrix", SL_WEIGHT_LINEAR, 2, {40, 96}},
    {"a matrix of long rows", SL_WEIGHT_LINEAR, 2, {33, 9000}},
    {"a convolution", SL_WEIGHT_CONV, 4, {40, 64, 3, 3}},
    {"one of long rows", SL_WEIGHT_CONV, 4, {70, 600, 3, 3}},
    {"a small one", SL_WEIGHT_CONV, 4, {4, 3, 3, 3}},
    {"a vector", SL_WEIGHT_VECTOR, 1, {300000}},
    {"a table", SL_WEIGHT_TABLE, 2, {500, 1024}},
};

typedef struct Stored {
    const char *values;
    SlDtype dtype;
    int64_t end; /* elements from here on cannot be read */
} Stored;

static bool read(void *arg, int64_t first, int64_t count, void *out)
{
    const Stored *s = arg;
    size_t size = sl_dtype_size(s->dtype);
    if (first + count > s->end)
        return false;
    memcpy(out, s->values + (size_t)first * size, (size_t)count * size);
    return true;
}

static void *make_values(int64_t n, SlDtype dtype)
{
    float *values = malloc((size_t)n * sizeof *values);
    void *stored = malloc((size_t)n * sizeof *values);
    unsigned seed = 1;
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        values[i] = (float)(int32_t)seed / 0x1p31f;
    }
    sl_convert(values, SL_F32, stored, dtype, (size_t)n);
    free(values);
    return stored;
}

static bool same(const SlWeight *a, const SlWeight *b)
{
    size_t bytes = (size_t)sl_tensor_elements(&a->value) * sl_dtype_size(a->value.dtype);
    return a->value.dtype == b->value.dtype && a->rank == b->rank &&
           sl_tensor_elements(&a->value) == sl_tensor_elements(&b->value) &&
           !memcmp(a->value.data, b->value.data, bytes);
}

/* Whether the device reads it at all. */
static bool test_case(SlDevice *dev, const Case *c, SlDtype dtype)
{
    SlTensor host = sl_tensor_view(NULL, dtype, c->rank, c->size);
    Stored stored = {.dtype = dtype, .end = sl_tensor_elements(&host)};
    if (!sl_weight_reads(dev, c->kind, &host))
        return false;
    const SlWeightReader reader = {host, read, &stored};
    size_t before = dev->work.weight_bytes;
    host.data = make_values(stored.end, dtype);
    stored.values = host.data;
    SlWeight *whole = sl_weight_new(dev, c->kind, &host);
    size_t bytes = dev->work.weight_bytes - before;
    SlWeight *pieces = sl_weight_read(dev, c->kind, &reader);
    sl_test(whole && pieces && same(whole, pieces) && dev->work.weight_bytes - before == 2 * bytes,
            "%s of %s, %d threads: the same bytes", c->id, sl_dtype_name(dtype), dev->threads);
    stored.end -= 1;
    SlWeight *none = sl_weight_read(dev, c->kind, &reader);
    sl_test(!none && sl_device_ok(dev) && dev->work.weight_bytes - before == 2 * bytes,
            "%s of %s that cannot be read is none, and the device goes on", c->id,
            sl_dtype_name(dtype));
    sl_weight_free(dev, whole);
    sl_weight_free(dev, pieces);
    free(host.data);
    return true;
}

static void test_stopped(SlDevice *dev)
{
    const Case *c = &cases[3];
    SlTensor host = sl_tensor_view(NULL, SL_F16, c->rank, c->size);
    Stored stored = {.dtype = SL_F16, .end = sl_tensor_elements(&host)};
    const SlWeightReader reader = {host, read, &stored};
    size_t before = dev->work.weight_bytes;
    host.data = make_values(stored.end, SL_F16);
    stored.values = host.data;
    sl_device_cancel(dev);
    SlWeight *w = sl_weight_read(dev, c->kind, &reader);
    sl_test(!w && dev->status == SL_CANCELLED && dev->work.weight_bytes == before,
            "a cancel stops reading");
    sl_device_clear(dev);
    free(host.data);
}

/* ---- weights that wait ---- */

enum { ROWS = 7, DEPTH = 96, OUTPUTS = 40 };

typedef struct Made {
    SlDevice *dev;
    SlTensor host;
    bool cancel; /* comes while it is made */
    int count;
} Made;

static SlWeight *make(void *arg)
{
    Made *m = arg;
    m->count++;
    if (m->cancel)
        sl_device_cancel(m->dev);
    return sl_weight_new(m->dev, SL_WEIGHT_LINEAR, &m->host);
}

/* [ROWS, outputs] to out. */
static void multiply(SlDevice *dev, const SlWeight *w, float *out)
{
    size_t mark = sl_arena_mark(dev);
    SlTensor x = sl_tensor_new(dev, SL_F32, 2, (const int64_t[]){ROWS, w->size[1]});
    SlTensor y = sl_tensor_new(dev, SL_F32, 2, (const int64_t[]){ROWS, w->size[0]});
    float *values = make_values(ROWS * w->size[1], SL_F32);
    sl_upload(dev, values, &x);
    sl_linear(dev, &x, w, NULL, &y);
    if (sl_device_ok(dev))
        sl_download(dev, &y, out);
    free(values);
    sl_arena_reset(dev, mark);
}

/* A weight of 8 bits, whose loops are cut by a cancel while it is made (oneDNN's are not). */
static void test_cancelled(SlDevice *dev, SlWeight *w, size_t before)
{
    float out[ROWS * OUTPUTS];
    multiply(dev, w, out);
    sl_test(dev->status == SL_CANCELLED && dev->work.weight_bytes == before && !dev->passing,
            "a cancel while one is laid out leaves nothing of it");
    sl_device_clear(dev);
    sl_test(!sl_weight_settle(dev, w) && dev->status == SL_CANCELLED && dev->waits == 1,
            "nor does one while it is settled");
    sl_device_clear(dev);
}

static void test_waiting(bool q8)
{
    SlError err = {0};
    SlDevice *dev = sl_device_open(&(SlDeviceOptions){.name = "cpu", .threads = 2, .q8 = q8}, &err);
    if (!sl_test(dev && sl_weight_can_wait(dev, SL_WEIGHT_LINEAR) &&
                     !sl_weight_can_wait(dev, SL_WEIGHT_VECTOR),
                 "products' weights can wait %s", err.message))
        return;
    const char *type = q8 ? "q8" : "f32";
    float right[ROWS * OUTPUTS], out[5][ROWS * OUTPUTS] = {{0}};
    SlTensor host = sl_tensor_view(NULL, SL_F32, 2, (const int64_t[]){OUTPUTS, DEPTH});
    host.data = make_values(OUTPUTS * DEPTH, SL_F32);
    SlWeight *plain = sl_weight_new(dev, SL_WEIGHT_LINEAR, &host);
    multiply(dev, plain, right);
    size_t before = dev->work.weight_bytes, held[5];

    Made made = {.dev = dev, .host = host, .cancel = q8};
    SlWeight *w = sl_weight_later(dev, SL_WEIGHT_LINEAR, &host, &(SlWeightMaker){make, &made});
    if (q8)
        test_cancelled(dev, w, before);
    made.cancel = false;
    made.count = 0;
    bool all = true;
    for (int i = 1; i < 5; i++) {
        multiply(dev, w, out[i]);
        held[i] = dev->work.weight_bytes;
        all = all && !memcmp(out[i], right, sizeof right);
    }
    sl_test(all, "%s: its products are the same bytes each time", type);
    sl_test(held[1] == before && held[2] == before && held[3] > before && held[4] == held[3] &&
                made.count == 3 && dev->waits == 0,
            "%s: it is laid out for two products, and the third's stays (made %d times)", type,
            made.count);
    sl_weight_free(dev, w);
    w = sl_weight_later(dev, SL_WEIGHT_LINEAR, &host, &(SlWeightMaker){make, &made});
    sl_weight_free(dev, w);
    sl_test(dev->work.weight_bytes == before && dev->waits == 0, "%s: one that nobody wanted",
            type);
    sl_weight_free(dev, plain);
    free(host.data);
    sl_device_close(&dev);
}

/* What a weight that waits is said to take is what it takes, in whatever type it is stored. */
static void test_counted(SlDtype computes)
{
    SlError err = {0};
    SlDevice *dev =
        sl_device_open(&(SlDeviceOptions){.name = "cpu", .threads = 1, .dtype = computes}, &err);
    if (!sl_test(dev != NULL, "the device %s", err.message))
        return;
    for (SlDtype stored = SL_F32; stored <= SL_BF16; stored++) {
        SlTensor host = sl_tensor_view(NULL, stored, 2, (const int64_t[]){64, 96});
        host.data = make_values(64 * 96, stored);
        Made made = {.dev = dev, .host = host};
        SlWeight *w = sl_weight_later(dev, SL_WEIGHT_LINEAR, &host, &(SlWeightMaker){make, &made});
        uint64_t before = dev->work.weight_bytes, said = dev->waiting_bytes;
        bool settled = sl_weight_settle(dev, w);
        uint64_t held = dev->work.weight_bytes - before;
        sl_test(settled && said == held && dev->waiting_bytes == 0,
                "%s stored in %s: %llu bytes wait, %llu are held", sl_dtype_name(computes),
                sl_dtype_name(stored), (unsigned long long)said, (unsigned long long)held);
        sl_weight_free(dev, w);
        free(host.data);
    }
    sl_device_close(&dev);
}

static bool test_device(int threads, SlDtype computes)
{
    SlError err = {0};
    int read_count = 0;
    SlDevice *dev = sl_device_open(
        &(SlDeviceOptions){.name = "cpu", .threads = threads, .dtype = computes}, &err);
    if (!sl_test(dev != NULL, "the device %s", err.message))
        return false;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (SlDtype dtype = SL_F32; dtype <= SL_BF16; dtype++)
            read_count += test_case(dev, &cases[i], dtype);
    /* a vector and a table; all products of bf16 may be oneDNN's */
    int least = computes == SL_F32 ? 4 : 2;
    sl_test(read_count >= least, "%d of these are read", read_count);
    if (computes == SL_F32)
        test_stopped(dev);
    sl_device_close(&dev);
    return true;
}

int main(void)
{
    bool ok = test_device(1, SL_F32) && test_device(3, SL_F32) && test_device(2, SL_BF16);
    test_waiting(false);
    test_waiting(true);
    test_counted(SL_F32);
    test_counted(SL_BF16);
    return ok ? sl_test_done() : 1;
}
