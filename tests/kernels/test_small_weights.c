/* test_small_weights.c - weights kept in 8 bits, and in f16 and bf16 where the device computes in
 * f32: every product of the cpu device against ref's, which holds the same weights as plain numbers;
 * what they take. */
#include "kernels/q8.h"
#include "tests/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static SlDevice *cpu, *ref; /* their weights in 8 bits */
static SlDevice *cpu_f32, *ref_f32;
static SlDevice *cpu_bf16, *ref_bf16; /* in 8 bits, activations in bf16 */

/* As in test_operations.c: roundings to bf16, of which a fused operation has fewer. */
#define BF16_LIMIT 3.1e-5

static float *noise(int64_t n, unsigned seed)
{
    float *values = malloc((size_t)n * sizeof *values);
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        values[i] = (float)(int32_t)seed / 0x1p31f * (i % 97 == 0 ? 4.0f : 1.0f);
    }
    return values;
}

/* ---- rounding ---- */

static void test_rounding(void)
{
    float *values = noise(SL_Q8_BLOCK, 5), back[SL_Q8_BLOCK];
    int8_t first[SL_Q8_BLOCK], second[SL_Q8_BLOCK];
    float scale = sl_q8_round(values, first), worst = 0;
    for (int i = 0; i < SL_Q8_BLOCK; i++) {
        back[i] = scale * (float)first[i];
        worst = fmaxf(worst, fabsf(back[i] - values[i]) / scale);
    }
    sl_test(worst < 0.6f, "a value is off by half a step at most, and the scale's rounding (%.3f)",
            (double)worst);
    sl_test(sl_q8_round(back, second) == scale && !memcmp(first, second, sizeof first),
            "what was rounded is not changed again");
    memset(values, 0, SL_Q8_BLOCK * sizeof *values);
    sl_test(sl_q8_round(values, first) == 0 && first[0] == 0 && first[31] == 0, "zeros stay zeros");
    free(values);
}

/* What sl_q8_round says it does, in the plainest way. */
static float round_plainly(const float *values, int8_t *out)
{
    float most = 0;
    for (int i = 0; i < SL_Q8_BLOCK; i++)
        most = fabsf(values[i]) > most ? fabsf(values[i]) : most;
    float scale = most / 127, by = scale > 0 ? 1 / scale : 0;
    for (int i = 0; i < SL_Q8_BLOCK; i++) {
        float n = roundf(values[i] * by);
        out[i] = (int8_t)(n >= 127 ? 127 : n <= -127 ? -127 : n == n ? n : 0);
    }
    return sl_f16_to_f32(sl_f32_to_f16(scale));
}

static void test_rounding_hard(void)
{
    int different = 0, tried = 0;
    for (unsigned seed = 1; seed <= 400; seed++) {
        float *values = noise(SL_Q8_BLOCK, seed);
        float scale = ldexpf(1, (int)(seed % 300) - 150); /* also subnormal and too large */
        int8_t got[SL_Q8_BLOCK], want[SL_Q8_BLOCK];
        for (int i = 0; i < SL_Q8_BLOCK; i++) {
            if (i % 3 == 1) /* a half, and its neighbours */
                values[i] = nextafterf((float)(i - 16) + 0.5f, seed % 2 ? 200 : i - 16.0f);
            if (i % 3 == 2)
                values[i] = (float)(i - 16) + 0.5f;
            values[i] *= scale;
        }
        values[3] = 127 * scale;
        if (seed % 50 == 0)
            values[4] = NAN;
        if (seed % 70 == 0)
            values[9] = -INFINITY;
        float a = sl_q8_round(values, got), b = round_plainly(values, want);
        different += memcmp(&a, &b, sizeof a) || memcmp(got, want, sizeof got);
        tried++;
        free(values);
    }
    sl_test(!different,
            "halves, their neighbours, infinite values: %d of %d blocks are rounded "
            "otherwise than one by one",
            different, tried);
}

/* Blocks that are read together are those that are read alone. */
static void test_reading(int64_t channels, int64_t taps, SlDtype dtype)
{
    const int64_t size[] = {3, channels, taps, taps}, n = 3 * channels * taps * taps;
    float *values = noise(n, 8);
    void *stored = malloc((size_t)n * sizeof(float));
    sl_convert(values, SL_F32, stored, dtype, (size_t)n);
    SlTensor host = sl_tensor_view(stored, dtype, 4, size);
    SlQ8Weight w = sl_q8_weight(&host);
    int64_t blocks = (w.depth + SL_Q8_BLOCK - 1) / SL_Q8_BLOCK, read = 0, different = 0;
    for (int64_t o = 0; o < 3; o++)
        for (int64_t done = 0; done < blocks;) {
            float run[SL_Q8_RUN][SL_Q8_BLOCK], alone[SL_Q8_BLOCK];
            int64_t place[SL_Q8_RUN], count = sl_q8_read_run(&w, o, done, run, place);
            for (int64_t b = 0; b < count; b++) {
                sl_q8_read(&w, o, place[b] * SL_Q8_BLOCK, alone);
                different += memcmp(alone, run[b], sizeof alone) != 0;
                for (int64_t i = 0; i < SL_Q8_BLOCK && place[b] * SL_Q8_BLOCK + i < w.depth; i++) {
                    float v;
                    int64_t at = sl_q8_place(&w, o, place[b] * SL_Q8_BLOCK + i);
                    sl_convert((char *)stored + (size_t)at * sl_dtype_size(dtype), dtype, &v,
                               SL_F32, 1);
                    different += v != alone[i];
                }
            }
            read += count;
            done += count;
        }
    sl_test(read == 3 * blocks && !different, "%d channels, %d x %d, %s: %d of %d blocks read",
            (int)channels, (int)taps, (int)taps, sl_dtype_name(dtype), (int)read,
            (int)(3 * blocks));
    free(values);
    free(stored);
}

/* ---- products ---- */

typedef struct Case {
    const char *id;
    bool geglu;
    int64_t n, h, w, in, out, taps; /* taps 0: linear, n rows of it */
    SlConv conv;
} Case;

/* What a case computes with. */
typedef struct Data {
    float *x, *bias;
    void *weight[SL_BF16 + 1]; /* in f32, f16, bf16 */
} Data;

static int64_t depth_of(const Case *c)
{
    return c->in * (c->taps ? c->taps * c->taps : 1);
}

static Data make_data(const Case *c)
{
    int64_t n = c->out * depth_of(c);
    Data data = {.x = noise(c->taps ? c->n * c->h * c->w * c->in : c->n * c->in, 1),
                 .bias = noise(c->out, 3)};
    data.weight[SL_F32] = noise(n, 2);
    for (SlDtype dtype = SL_F16; dtype <= SL_BF16; dtype++) {
        data.weight[dtype] = malloc((size_t)n * sizeof(uint16_t));
        sl_convert(data.weight[SL_F32], SL_F32, data.weight[dtype], dtype, (size_t)n);
    }
    return data;
}

static void free_data(Data *data)
{
    free(data->x);
    free(data->bias);
    for (SlDtype dtype = SL_F32; dtype <= SL_BF16; dtype++)
        free(data->weight[dtype]);
}

/* f32 [.., out] of a case on a device, malloc'ed; weight is of `dtype`. */
static float *compute(SlDevice *dev, const Case *c, const Data *data, SlDtype dtype, int64_t *count)
{
    bool conv = c->taps > 0;
    const int64_t ws[] = {c->out, c->in, c->taps, c->taps}, xs[] = {c->n, c->h, c->w, c->in};
    int64_t oh =
        (c->h + c->conv.pad_top + c->conv.pad_bottom - c->taps) / (c->conv.stride + !conv) + 1;
    int64_t ow =
        (c->w + c->conv.pad_left + c->conv.pad_right - c->taps) / (c->conv.stride + !conv) + 1;
    SlTensor hw = sl_tensor_view(data->weight[dtype], dtype, conv ? 4 : 2, ws);
    SlTensor hb = sl_tensor_view(data->bias, SL_F32, 1, ws);
    SlWeight *w = sl_weight_new(dev, conv ? SL_WEIGHT_CONV : SL_WEIGHT_LINEAR, &hw);
    SlWeight *b = sl_weight_new(dev, SL_WEIGHT_VECTOR, &hb);
    size_t mark = sl_arena_mark(dev);
    const int64_t linear_in[] = {c->n, c->in},
                  linear_out[] = {c->n, c->geglu ? c->out / 2 : c->out};
    const int64_t conv_out[] = {c->n, oh, ow, c->out};
    SlTensor in = sl_tensor_new(dev, dev->dtype, conv ? 4 : 2, conv ? xs : linear_in);
    SlTensor out = sl_tensor_new(dev, dev->dtype, conv ? 4 : 2, conv ? conv_out : linear_out);
    const SlEpilogue e = {.bias = b};
    void *half = malloc((size_t)sl_tensor_elements(&in) * sizeof(float));
    sl_convert(data->x, SL_F32, half, in.dtype, (size_t)sl_tensor_elements(&in));
    sl_upload(dev, half, &in);
    free(half);
    if (conv)
        sl_conv2d(dev, &in, w, &c->conv, &e, &out);
    else if (c->geglu)
        sl_linear_geglu(dev, &in, w, b, &out);
    else
        sl_linear(dev, &in, w, &e, &out);
    *count = sl_tensor_elements(&out);
    float *values = malloc((size_t)*count * sizeof *values);
    void *got = malloc((size_t)*count * sizeof *values);
    sl_download(dev, &out, got);
    sl_convert(got, out.dtype, values, SL_F32, (size_t)*count);
    free(got);
    sl_arena_reset(dev, mark);
    sl_weight_free(dev, w);
    sl_weight_free(dev, b);
    return values;
}

static const Case cases[] = {
    {.id = "linear 7 x 64 -> 32", .n = 7, .in = 64, .out = 32},
    {.id = "linear 300 x 1000 -> 130", .n = 300, .in = 1000, .out = 130},
    {.id = "linear with odd sizes", .n = 3, .in = 45, .out = 33},
    {.id = "GEGLU", .geglu = true, .n = 50, .in = 96, .out = 256},
    {.id = "GEGLU with odd sizes", .geglu = true, .n = 5, .in = 40, .out = 48},
    {"3x3, small", false, 1, 6, 5, 7, 9, 3, {1, 1, 1, 1, 1}},
    {"3x3, large enough for Winograd", false, 1, 32, 32, 64, 64, 3, {1, 1, 1, 1, 1}},
    {"3x3 with channels that are no multiple of a block",
     false,
     2,
     24,
     20,
     40,
     48,
     3,
     {1, 1, 1, 1, 1}},
    {"3x3 of one row of tiles", false, 1, 8, 8, 96, 40, 3, {1, 1, 1, 1, 1}},
    {"3x3 with stride", false, 1, 17, 16, 48, 40, 3, {2, 0, 0, 1, 1}},
    {"1x1", false, 2, 9, 8, 50, 70, 1, {1, 0, 0, 0, 0}},
    {"3x3 with a depth that is cut", false, 2, 12, 12, 480, 80, 3, {1, 1, 1, 1, 1}},
    {.id = "linear with a depth that is cut", .n = 90, .in = 3520, .out = 100},
    {.id = "GEGLU with a depth that is cut", .geglu = true, .n = 40, .in = 3200, .out = 192},
};

/* NMSE of the cpu's values beside ref's. */
static void check_within(const Case *c, const char *kind, double limit, float *values[2], int64_t n)
{
    float *got = values[0], *want = values[1];
    double error = 0, energy = 0;
    for (int64_t i = 0; i < n; i++) {
        error += ((double)got[i] - want[i]) * ((double)got[i] - want[i]);
        energy += (double)want[i] * want[i];
    }
    sl_test(error < limit * energy, "%s, %s: as ref has it (NMSE %.1e)", c->id, kind,
            error / energy);
    free(got);
    free(want);
}

static void check_values(const Case *c, const char *kind, float *got, float *want, int64_t n)
{
    check_within(c, kind, 1e-10, (float *[]){got, want}, n);
}

static void test_case(const Case *c)
{
    int64_t n = 0;
    Data data = make_data(c);
    float *got = compute(cpu, c, &data, SL_F32, &n);
    check_values(c, "in 8 bits", got, compute(ref, c, &data, SL_F32, &n), n);
    for (SlDtype dtype = SL_F16; dtype <= SL_BF16; dtype++) {
        got = compute(cpu_f32, c, &data, dtype, &n);
        check_values(c, sl_dtype_name(dtype), got, compute(ref_f32, c, &data, dtype, &n), n);
    }
    float *both[2] = {compute(cpu_bf16, c, &data, SL_F32, &n),
                      compute(ref_bf16, c, &data, SL_F32, &n)};
    check_within(c, "in 8 bits beside bf16", BF16_LIMIT, both, n);
    sl_test(sl_device_ok(cpu_bf16) && sl_device_ok(ref_bf16) && sl_device_ok(cpu) &&
                sl_device_ok(ref) && sl_device_ok(cpu_f32) && sl_device_ok(ref_f32),
            "%s: no device failed", c->id);
    free_data(&data);
}

/* A product in 8 bits of one thread, and the same of three. */
static void test_threads(const Case *c, SlDtype dtype)
{
    SlError err = {0};
    Data data = make_data(c);
    int64_t n = 0;
    float *values[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++) {
        SlDeviceOptions options = {.name = "cpu", .threads = i ? 3 : 1, .dtype = dtype, .q8 = true};
        SlDevice *dev = sl_device_open(&options, &err);
        values[i] = dev ? compute(dev, c, &data, SL_F32, &n) : NULL;
        sl_device_close(&dev);
    }
    sl_test(values[0] && values[1] && !memcmp(values[0], values[1], (size_t)n * sizeof(float)),
            "%s, in 8 bits beside %s: the same bytes for one thread and three", c->id,
            sl_dtype_name(dtype));
    free(values[0]);
    free(values[1]);
    free_data(&data);
}

/* ---- memory, and who has it ---- */

static size_t bytes_of(const SlDeviceOptions *options, const SlTensor *host)
{
    SlError err = {0};
    SlDevice *dev = sl_device_open(options, &err);
    size_t before = dev->work.weight_bytes;
    SlWeight *w = sl_weight_new(dev, SL_WEIGHT_LINEAR, host);
    size_t bytes = dev->work.weight_bytes - before;
    sl_weight_free(dev, w);
    sl_test(dev->work.weight_bytes == before, "freed again on %s", options->name);
    sl_device_close(&dev);
    return bytes;
}

static void test_memory(void)
{
    const int64_t size[] = {640, 1280};
    float *values = noise(size[0] * size[1], 9);
    SlTensor host = sl_tensor_view(values, SL_F32, 2, size);
    size_t plain = bytes_of(&(SlDeviceOptions){.name = "cpu", .threads = 1}, &host);
    size_t kept = bytes_of(&(SlDeviceOptions){.name = "cpu", .threads = 1, .q8 = true}, &host);
    size_t measured = bytes_of(&(SlDeviceOptions){.name = "measure", .q8 = true}, &host);
    sl_test(kept * 128 == plain * 34 && measured == kept,
            "%zu bytes instead of %zu (34 for 32 weights), measured %zu", kept, plain, measured);
    host.dtype = SL_F16; /* whatever numbers these are now */
    kept = bytes_of(&(SlDeviceOptions){.name = "cpu", .threads = 1}, &host);
    measured = bytes_of(&(SlDeviceOptions){.name = "measure"}, &host);
    sl_test(kept * 2 == plain && measured == kept, "f16: %zu bytes, measured %zu", kept, measured);
    free(values);
}

/* The GPU's products beside a type, emulated: ref's own, but for the order of the sums. */
static bool test_cuda_beside(SlDtype dtype)
{
    SlError err = {0};
    cpu = sl_device_open(&(SlDeviceOptions){.name = "cuda", .dtype = dtype, .q8 = true}, &err);
    ref = sl_device_open(&(SlDeviceOptions){.name = "ref", .dtype = dtype, .q8 = true}, &err);
    if (!sl_test(cpu && ref, "devices %s", err.message))
        return false;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t n = 0;
        Data data = make_data(&cases[i]);
        float *both[2] = {compute(cpu, &cases[i], &data, SL_F32, &n),
                          compute(ref, &cases[i], &data, SL_F32, &n)};
        check_within(&cases[i], sl_device_dtype_name(cpu), dtype == SL_F32 ? 1e-10 : BF16_LIMIT,
                     both, n);
        free_data(&data);
    }
    sl_test(sl_device_ok(cpu), "no device failed");
    sl_device_close(&cpu);
    sl_device_close(&ref);
    return true;
}

static int test_cuda(void)
{
    for (SlDtype dtype = SL_F32; dtype <= SL_BF16; dtype++)
        if (!test_cuda_beside(dtype))
            return 1;
    const int64_t size[] = {640, 1280};
    float *values = noise(size[0] * size[1], 9);
    SlTensor host = sl_tensor_view(values, SL_F32, 2, size);
    size_t kept = bytes_of(&(SlDeviceOptions){.name = "cuda", .q8 = true}, &host);
    size_t measured = bytes_of(&(SlDeviceOptions){.name = "measure", .q8 = true}, &host);
    sl_test(measured == kept, "%zu bytes, measured %zu", kept, measured);
    free(values);
    return sl_test_done();
}

/* A weight of two bytes that is given other values: what is added to it must not be rounded. */
static void test_filled(void)
{
    const int64_t size[] = {40, 96}, n = size[0] * size[1];
    float *values = noise(n, 4), x[96], got[40], want[40];
    uint16_t *half = malloc((size_t)n * sizeof *half);
    sl_convert(values, SL_F32, half, SL_F16, (size_t)n);
    SlTensor plain = sl_tensor_view(values, SL_F32, 2, size),
             small = sl_tensor_view(half, SL_F16, 2, size);
    size_t before = cpu_f32->work.weight_bytes;
    SlWeight *w = sl_weight_new(cpu_f32, SL_WEIGHT_LINEAR, &small);
    size_t bytes = cpu_f32->work.weight_bytes - before, mark = sl_arena_mark(cpu_f32);
    SlTensor in = sl_tensor_new2(cpu_f32, 1, 96), out = sl_tensor_new2(cpu_f32, 1, 40);
    for (int i = 0; i < 96; i++)
        x[i] = i == 7;
    sl_upload(cpu_f32, x, &in);
    for (int o = 0; o < 40; o++)
        want[o] = values[o * 96 + 7];
    bool ok = sl_weight_fill(cpu_f32, w, &plain);
    sl_linear(cpu_f32, &in, w, &(SlEpilogue){0}, &out);
    sl_download(cpu_f32, &out, got);
    sl_test(ok && !memcmp(got, want, sizeof got), "filled with f32, it has exactly these values");
    ok = sl_weight_fill(cpu_f32, w, &small);
    sl_test(ok && cpu_f32->work.weight_bytes - before == bytes, "and with f16 its two bytes again");
    sl_linear(cpu_f32, &in, w, &(SlEpilogue){0}, &out);
    sl_download(cpu_f32, &out, got);
    for (int o = 0; o < 40; o++)
        sl_convert(&half[o * 96 + 7], SL_F16, &want[o], SL_F32, 1);
    sl_test(!memcmp(got, want, sizeof got), "with the values of those");
    sl_arena_reset(cpu_f32, mark);
    sl_weight_free(cpu_f32, w);
    sl_test(cpu_f32->work.weight_bytes == before, "all is given back");
    free(values);
    free(half);
}

static SlDevice *open_as(const char *name, SlDeviceOptions options, SlError *err)
{
    options.name = name;
    return sl_device_open(&options, err);
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "cuda"))
        return test_cuda();
    SlError err = {0};
    cpu = sl_device_open(&(SlDeviceOptions){.name = "cpu", .threads = 2, .q8 = true}, &err);
    ref = sl_device_open(&(SlDeviceOptions){.name = "ref", .q8 = true}, &err);
    cpu_f32 = sl_device_open(&(SlDeviceOptions){.name = "cpu", .threads = 2}, &err);
    ref_f32 = sl_device_open(&(SlDeviceOptions){.name = "ref"}, &err);
    const SlDeviceOptions bf16 = {.threads = 2, .dtype = SL_BF16, .q8 = true};
    cpu_bf16 = open_as("cpu", bf16, &err);
    ref_bf16 = open_as("ref", bf16, &err);
    if (!sl_test(cpu && ref && cpu_f32 && ref_f32 && cpu_bf16 && ref_bf16, "devices %s",
                 err.message))
        return 1;
    test_rounding();
    test_rounding_hard();
    for (SlDtype dtype = SL_F32; dtype <= SL_BF16; dtype++) {
        test_reading(64, 3, dtype);
        test_reading(40, 3, dtype);
        test_reading(45, 1, dtype);
        test_reading(32, 5, dtype);
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        test_case(&cases[i]);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        test_threads(&cases[i], SL_F32);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        test_threads(&cases[i], SL_BF16);
    test_memory();
    test_filled();
    sl_device_close(&cpu);
    sl_device_close(&ref);
    sl_device_close(&cpu_f32);
    sl_device_close(&ref_f32);
    sl_device_close(&cpu_bf16);
    sl_device_close(&ref_bf16);
    return sl_test_done();
}
