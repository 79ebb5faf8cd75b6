/* test_q8.c - weights kept in 8 bits: every product of the cpu device against ref's, which holds the
 * same rounded weights as plain numbers; what they take; who keeps them and who refuses. */
#include "kernels/q8.h"
#include "tests/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static SlDevice *cpu, *ref;

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

/* ---- products ---- */

typedef struct Case {
    const char *id;
    bool geglu;
    int64_t n, h, w, in, out, taps; /* taps 0: linear, n rows of it */
    SlConv conv;
} Case;

/* f32 [.., out] of a case on a device, malloc'ed. */
static float *compute(SlDevice *dev, const Case *c, const float *x, const float *weight,
                      const float *bias, int64_t *count)
{
    bool conv = c->taps > 0;
    const int64_t ws[] = {c->out, c->in, c->taps, c->taps}, xs[] = {c->n, c->h, c->w, c->in};
    int64_t oh =
        (c->h + c->conv.pad_top + c->conv.pad_bottom - c->taps) / (c->conv.stride + !conv) + 1;
    int64_t ow =
        (c->w + c->conv.pad_left + c->conv.pad_right - c->taps) / (c->conv.stride + !conv) + 1;
    SlTensor hw = sl_tensor_view((void *)weight, SL_F32, conv ? 4 : 2, ws);
    SlTensor hb = sl_tensor_view((void *)bias, SL_F32, 1, ws);
    SlWeight *w = sl_weight_new(dev, conv ? SL_WEIGHT_CONV : SL_WEIGHT_LINEAR, &hw);
    SlWeight *b = sl_weight_new(dev, SL_WEIGHT_VECTOR, &hb);
    size_t mark = sl_arena_mark(dev);
    const int64_t linear_in[] = {c->n, c->in},
                  linear_out[] = {c->n, c->geglu ? c->out / 2 : c->out};
    const int64_t conv_out[] = {c->n, oh, ow, c->out};
    SlTensor in =
        conv ? sl_tensor_new(dev, SL_F32, 4, xs) : sl_tensor_new(dev, SL_F32, 2, linear_in);
    SlTensor out =
        conv ? sl_tensor_new(dev, SL_F32, 4, conv_out) : sl_tensor_new(dev, SL_F32, 2, linear_out);
    const SlEpilogue e = {.bias = b};
    sl_upload(dev, x, &in);
    if (conv)
        sl_conv2d(dev, &in, w, &c->conv, &e, &out);
    else if (c->geglu)
        sl_linear_geglu(dev, &in, w, b, &out);
    else
        sl_linear(dev, &in, w, &e, &out);
    *count = sl_tensor_elements(&out);
    float *values = malloc((size_t)*count * sizeof *values);
    sl_download(dev, &out, values);
    sl_arena_reset(dev, mark);
    sl_weight_free(dev, w);
    sl_weight_free(dev, b);
    return values;
}

static void test_case(const Case *c)
{
    int64_t n = 0, depth = c->in * (c->taps ? c->taps * c->taps : 1);
    float *x = noise(c->taps ? c->n * c->h * c->w * c->in : c->n * c->in, 1);
    float *weight = noise(c->out * depth, 2), *bias = noise(c->out, 3);
    float *got = compute(cpu, c, x, weight, bias, &n), *want = compute(ref, c, x, weight, bias, &n);
    double error = 0, energy = 0;
    for (int64_t i = 0; i < n; i++) {
        error += ((double)got[i] - want[i]) * ((double)got[i] - want[i]);
        energy += (double)want[i] * want[i];
    }
    sl_test(sl_device_ok(cpu) && sl_device_ok(ref) && error < 1e-10 * energy,
            "%s: as ref has it (NMSE %.1e)", c->id, error / energy);
    free(x);
    free(weight);
    free(bias);
    free(got);
    free(want);
}

static void test_products(void)
{
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
        {"3x3 with stride", false, 1, 17, 16, 48, 40, 3, {2, 0, 0, 1, 1}},
        {"1x1", false, 2, 9, 8, 50, 70, 1, {1, 0, 0, 0, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        test_case(&cases[i]);
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
    sl_test(kept * 10 < plain * 3 && measured == kept, "%zu bytes instead of %zu, measured %zu",
            kept, plain, measured);
    free(values);
}

static void test_refused(void)
{
    SlError err = {0};
    SlDevice *dev = sl_device_open(&(SlDeviceOptions){.name = "auto", .q8 = true}, &err);
    sl_test(dev && !strcmp(dev->name, "cpu") && strstr(sl_device_why(dev), "8 bits"),
            "auto is the CPU then, and says why");
    if (dev)
        sl_device_close(&dev);
    dev = sl_device_open(&(SlDeviceOptions){.name = "cuda", .q8 = true}, &err);
    sl_test(!dev && err.message[0], "the GPU refuses: %s", err.message);
}

int main(void)
{
    SlError err = {0};
    cpu = sl_device_open(&(SlDeviceOptions){.name = "cpu", .threads = 2, .q8 = true}, &err);
    ref = sl_device_open(&(SlDeviceOptions){.name = "ref", .q8 = true}, &err);
    if (!sl_test(cpu && ref, "devices with weights in 8 bits %s", err.message))
        return 1;
    test_rounding();
    test_products();
    test_memory();
    test_refused();
    sl_device_close(&cpu);
    sl_device_close(&ref);
    return sl_test_done();
}
