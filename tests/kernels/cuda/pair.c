/* pair.c - see pair.h. The limits are those of tests/kernels: roundings of the type, sums in
 * another order. */
#include "pair.h"

#include "kernels/cuda/emu/report.h"
#include "test.h"

#include <math.h>
#include <string.h>

#if SL_CUDA_CHECK
#define GUARD 0
#else
#define GUARD 256 /* bytes on either side */
#endif

static void *must(void *p)
{
    if (!p)
        abort();
    return p;
}

static void *dev_new(Bench *b, size_t bytes)
{
    void *p = NULL;
    if (b->devs == 32 || cudaMalloc(&p, bytes ? bytes : 1) != cudaSuccess)
        abort();
    return b->dev_memory[b->devs++] = p;
}

static void *host_new(Bench *b, size_t bytes)
{
    if (b->hosts == 32)
        abort();
    return b->host_memory[b->hosts++] = must(calloc(bytes ? bytes : 1, 1));
}

static void *dev_copy(Bench *b, const void *host, size_t bytes)
{
    void *p = dev_new(b, bytes);
    if (bytes && cudaMemcpy(p, host, bytes, cudaMemcpyHostToDevice) != cudaSuccess)
        abort();
    return p;
}

bool bench_open(Bench *b, SlDtype dtype)
{
    SlError err;
    SlDeviceOptions options = {.name = "ref", .dtype = dtype, .threads = 1};
    *b = (Bench){.ref = sl_device_open(&options, &err), .dtype = dtype, .seed = 1};
    return b->ref && cudaStreamCreateWithFlags(&b->stream, cudaStreamNonBlocking) == cudaSuccess;
}

static void clear(Bench *b)
{
    for (int i = 0; i < b->weight_count; i++)
        sl_weight_free(b->ref, b->weights[i]);
    for (int i = 0; i < b->hosts; i++)
        free(b->host_memory[i]);
    for (int i = 0; i < b->devs; i++)
        cudaFree(b->dev_memory[i]);
    b->weight_count = b->hosts = b->devs = 0;
}

void bench_close(Bench *b)
{
    clear(b);
    cudaStreamDestroy(b->stream);
    sl_device_close(&b->ref);
}

static float random_number(Bench *b)
{
    b->seed = b->seed * 6364136223846793005u + 1442695040888963407u;
    return (float)(int32_t)(b->seed >> 32) / 2147483648.f;
}

float *pair_random(Bench *b, int64_t n, float scale)
{
    float *f = must(malloc((size_t)(n ? n : 1) * sizeof *f));
    for (int64_t i = 0; i < n; i++)
        f[i] = random_number(b) * scale;
    return f;
}

Pair pair_values(Bench *b, SlDtype dtype, int64_t n, const void *values)
{
    size_t bytes = (size_t)n * sl_dtype_size(dtype);
    void *host = host_new(b, bytes);
    memcpy(host, values, bytes);
    return (Pair){sl_tensor_view(host, dtype, 1, &n),
                  sl_tensor_view(dev_copy(b, host, bytes), dtype, 1, &n)};
}

static Pair floats_as(Bench *b, SlDtype dtype, int rank, const int64_t *size, const float *values)
{
    SlTensor shape = sl_tensor_view(NULL, dtype, rank, size);
    int64_t n = sl_tensor_elements(&shape);
    void *typed = must(malloc((size_t)(n ? n : 1) * 4));
    sl_convert(values, SL_F32, typed, dtype, (size_t)n);
    Pair p = pair_values(b, dtype, n, typed);
    free(typed);
    p.host = sl_tensor_view(p.host.data, dtype, rank, size);
    p.dev = sl_tensor_view(p.dev.data, dtype, rank, size);
    return p;
}

Pair pair_floats(Bench *b, int rank, const int64_t *size, const float *values)
{
    return floats_as(b, b->dtype, rank, size, values);
}

Pair pair_input_as(Bench *b, SlDtype dtype, int rank, const int64_t *size, float scale)
{
    SlTensor shape = sl_tensor_view(NULL, dtype, rank, size);
    float *f = pair_random(b, sl_tensor_elements(&shape), scale);
    Pair p = floats_as(b, dtype, rank, size, f);
    free(f);
    return p;
}

Pair pair_input(Bench *b, int rank, const int64_t *size, float scale)
{
    return pair_input_as(b, b->dtype, rank, size, scale);
}

Pair *pair_output(Bench *b, SlDtype dtype, int rank, const int64_t *size, int64_t pitch)
{
    SlTensor t = sl_tensor_view(NULL, dtype, rank, size);
    int64_t span = pitch > size[rank - 1] ? pitch : size[rank - 1];
    for (int i = rank - 2; i >= 0; i--) {
        t.stride[i] = span;
        span *= size[i];
    }
    b->guard = GUARD;
    b->out_bytes = (size_t)span * sl_dtype_size(dtype) + 2 * GUARD;
    unsigned char *pattern = host_new(b, b->out_bytes);
    memset(pattern, 0x5a, b->out_bytes);
    b->out_memory = dev_new(b, b->out_bytes);
    if (cudaMemcpy(b->out_memory, pattern, b->out_bytes, cudaMemcpyHostToDevice) != cudaSuccess)
        abort();
    b->out = (Pair){t, t};
    b->out.host.data = pattern + GUARD;
    b->out.dev.data = (char *)b->out_memory + GUARD;
    return &b->out;
}

void pair_in_place(Bench *b, const Pair *p)
{
    b->out = *p;
    b->out_memory = p->dev.data;
    b->out_bytes = (size_t)sl_tensor_elements(&p->dev) * sl_dtype_size(p->dev.dtype);
    b->guard = 0;
}

void *pair_scratch(Bench *b, size_t bytes)
{
    return bytes ? dev_new(b, bytes) : NULL;
}

static SlWeight *keep(Bench *b, SlWeight *w)
{
    if (b->weight_count == 8)
        abort();
    return b->weights[b->weight_count++] = must(w);
}

Vector vector_input(Bench *b, int64_t n, float scale)
{
    float *f = pair_random(b, n, scale);
    SlTensor t = sl_tensor_view(f, SL_F32, 1, &n);
    Vector v = {keep(b, sl_weight_new(b->ref, SL_WEIGHT_VECTOR, &t)),
                dev_copy(b, f, (size_t)n * sizeof *f)};
    free(f);
    return v;
}

const void *conv_weight(Bench *b, const int64_t size[4], SlWeight **host)
{
    float *f = pair_random(b, size[0] * size[1] * size[2] * size[3],
                           1 / sqrtf((float)(size[1] * size[2] * size[3])));
    SlTensor t = sl_tensor_view(f, SL_F32, 4, size);
    *host = keep(b, sl_weight_new(b->ref, SL_WEIGHT_CONV, &t));
    int64_t taps = size[2] * size[3], in = b->dtype == SL_F32 ? size[1] : (size[1] + 7) / 8 * 8;
    size_t bytes = (size_t)(size[0] * taps * in) * sl_dtype_size(b->dtype);
    char *reordered = host_new(b, bytes);
    for (int64_t o = 0; o < size[0]; o++)
        for (int64_t i = 0; i < size[1]; i++)
            for (int64_t k = 0; k < taps; k++)
                sl_convert(f + (o * size[1] + i) * taps + k, SL_F32,
                           reordered + (size_t)((o * taps + k) * in + i) * sl_dtype_size(b->dtype),
                           b->dtype, 1);
    free(f);
    return dev_copy(b, reordered, bytes);
}

/* ---- comparing ---- */

typedef struct Limits {
    double nmse, worst; /* worst: largest difference over the largest value */
} Limits;

static Limits limits_of(SlDtype dtype)
{
    return dtype == SL_F32    ? (Limits){1e-11, 1e-5}
           : dtype == SL_BF16 ? (Limits){3.1e-5, 1.6e-2}
           : dtype == SL_F16  ? (Limits){4.8e-7, 2e-3}
           : dtype == SL_U8   ? (Limits){1e-4, 1.01 / 255} /* a rounding may fall the other way */
                              : (Limits){0, 0};
}

static float value(const SlTensor *t, const void *data, int64_t i)
{
    int64_t at = 0;
    for (int a = t->rank - 1; a >= 0; a--) {
        at += i % t->size[a] * t->stride[a];
        i /= t->size[a];
    }
    const char *p = (const char *)data + (size_t)at * sl_dtype_size(t->dtype);
    float f;
    switch (t->dtype) {
    case SL_U8:
        return *(const uint8_t *)p;
    case SL_I32:
        return (float)*(const int32_t *)p;
    default:
        sl_convert(p, t->dtype, &f, SL_F32, 1);
        return f;
    }
}

static bool same_kind(float a, float b)
{
    return isnan(a) ? isnan(b) : isinf(a) ? a == b : !isnan(b) && !isinf(b);
}

static bool alike(const SlTensor *want, const void *got)
{
    Limits limits = limits_of(want->dtype);
    double error = 0, norm = 0, worst = 0, top = 0;
    for (int64_t i = 0; i < sl_tensor_elements(want); i++) {
        float w = value(want, want->data, i), g = value(want, got, i);
        if (!same_kind(g, w)) {
            sl_test_note("element %lld is %g, ref has %g", (long long)i, g, w);
            return false;
        }
        if (isnan(w) || isinf(w))
            continue;
        error += ((double)g - w) * ((double)g - w);
        norm += (double)w * w;
        worst = fmax(worst, fabs((double)g - w));
        top = fmax(top, fabs((double)w));
    }
    if (error <= limits.nmse * norm && worst <= limits.worst * top)
        return true;
    sl_test_note("normalised squared error %.3g (limit %.3g), worst %.3g of %.3g", error / norm,
                 limits.nmse, worst, top);
    return false;
}

/* ref's output holds the same pattern beside the elements, so the bytes around must be the same. */
static bool nothing_beside(const Bench *b, const unsigned char *got)
{
    const SlTensor *t = &b->out.host;
    size_t size = sl_dtype_size(t->dtype);
    unsigned char *mark = must(calloc(b->out_bytes, 1));
    for (int64_t i = 0; i < sl_tensor_elements(t); i++) {
        int64_t at = 0, rest = i;
        for (int a = t->rank - 1; a >= 0; a--) {
            at += rest % t->size[a] * t->stride[a];
            rest /= t->size[a];
        }
        memset(mark + b->guard + (size_t)at * size, 1, size);
    }
    size_t stray = 0;
    for (size_t i = 0; i < b->out_bytes; i++)
        stray += !mark[i] && got[i] != 0x5a;
    free(mark);
    if (stray)
        sl_test_note("%zu bytes beside the output changed", stray);
    return stray == 0;
}

void bench_compare(Bench *b, cudaError_t launched, const char *format, ...)
{
    char name[200];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    long before = cuda_emu_error_count();
    unsigned char *got = must(malloc(b->out_bytes));
    cudaError_t e = launched == cudaSuccess ? cudaStreamSynchronize(b->stream) : launched;
    if (e == cudaSuccess)
        e = cudaMemcpy(got, b->out_memory, b->out_bytes, cudaMemcpyDeviceToHost);
    if (e != cudaSuccess)
        sl_test_note("%s", cudaGetErrorName(e));
    bool ok = e == cudaSuccess && alike(&b->out.host, got + b->guard) && nothing_beside(b, got);
    static long reported;
    bool clean = before == reported && cuda_emu_error_count() == before;
    reported = cuda_emu_error_count();
    sl_test(ok && clean, "%s %s", name, sl_dtype_name(b->dtype));
    free(got);
    clear(b);
}

int bench_done(void)
{
    return sl_test_done();
}
