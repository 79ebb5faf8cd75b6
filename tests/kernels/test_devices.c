/* test_devices.c - what all devices promise beside their numbers: names, cancel, the same bytes for
 * any number of threads, and a check device that finds what is broken.
 *
 *     test_devices            ref, cpu and check
 *     test_devices DEVICE     what is asked of any other
 *     test_devices --bf16     cpu in bf16 alone
 *
 * A broken operation is played by a copy of the device's table whose slot spoils an element.
 */
#include "kernels/devices.h"
#include "kernels/kernels.h"
#include "run.h"
#include "test.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

/* ---- names ---- */

static void test_names(void)
{
    SlError err = {0};
    SlDeviceOptions options = {.name = "abacus"};
    SlDevice *dev = sl_device_open(&options, &err);
    sl_test(!dev && err.code == SL_ARGUMENT && strstr(err.message, "abacus"),
            "an unknown device is refused by name");
    options.name = "auto";
    dev = sl_device_open(&options, &err);
    sl_test(dev && sl_device_describe(dev)[0], "auto opens a device: %s",
            dev ? sl_device_describe(dev) : err.message);
    if (dev)
        sl_device_close(&dev);
    sl_test(!dev, "close clears the pointer");
}

/* ---- half precision ---- */

/* The value of an f16 by its definition. */
static double f16_value(unsigned h)
{
    double sign = h & 0x8000 ? -1 : 1, fraction = h & 1023;
    int exponent = h >> 10 & 31;
    if (exponent == 31)
        return fraction != 0 ? NAN : sign * INFINITY;
    return sign * (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
}

static bool same_bits(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void test_half(void)
{
    int values = 0, back = 0, bf16 = 0, rounding = 0;
    for (unsigned h = 0; h < 65536; h++) {
        double v = f16_value(h);
        float f = sl_f16_to_f32((uint16_t)h), b = sl_bf16_to_f32((uint16_t)h);
        uint32_t bits = (uint32_t)h << 16;
        float by_bits;
        memcpy(&by_bits, &bits, sizeof by_bits);
        values += isnan(v) ? isnan(f) : same_bits(f, (float)v);
        back += isnan(v) ? isnan(sl_f16_to_f32(sl_f32_to_f16(f))) : sl_f32_to_f16(f) == h;
        bf16 += isnan(b) ? isnan(sl_bf16_to_f32(sl_f32_to_bf16(b)))
                         : same_bits(b, by_bits) && sl_f32_to_bf16(b) == h;
    }
    sl_test(values == 65536, "all f16 codes have their value (%d)", values);
    sl_test(back == 65536, "all f16 codes come back (%d)", back);
    sl_test(bf16 == 65536, "all bf16 codes have their value and come back (%d)", bf16);
    for (unsigned h = 0; h < 0x7bff; h++) { /* between neighbours, and exactly between */
        double low = f16_value(h), high = f16_value(h + 1), middle = (low + high) / 2;
        unsigned even = h & 1 ? h + 1 : h;
        rounding += sl_f32_to_f16((float)middle) == even &&
                    sl_f32_to_f16(nextafterf((float)middle, 0)) == h &&
                    sl_f32_to_f16(nextafterf((float)middle, INFINITY)) == h + 1;
    }
    sl_test(rounding == 0x7bff, "f16 rounds to nearest, ties to even (%d)", rounding);
    sl_test(sl_f32_to_f16(65520) == 0x7c00 && sl_f32_to_f16(65519) == 0x7bff &&
                sl_f32_to_f16(-1e-9f) == 0x8000 && sl_f32_to_bf16(1.00390625f) == 0x3f80 &&
                sl_f32_to_bf16(1.01171875f) == 0x3f82,
            "overflow, underflow and bf16 ties");
    float from[300], to[300];
    uint16_t half[300];
    for (int i = 0; i < 300; i++)
        from[i] = (float)i / 8;
    sl_convert(from, SL_F32, half, SL_F16, 300);
    sl_convert(half, SL_F16, to, SL_F32, 300);
    sl_test(!memcmp(from, to, sizeof from), "arrays convert");
}

/* ---- cancel ---- */

static void test_cancel(const char *name)
{
    SlDevice *dev = run_device(name, SL_F32, 1);
    SlTensor x = sl_tensor_new2(dev, 4, 8);
    float zeros[32] = {0}, got[32];
    sl_upload(dev, zeros, &x);
    uint64_t before = sl_device_ops_done(dev);
    sl_activation(dev, &x, SL_ACT_SILU, &x);
    sl_test(sl_device_ops_done(dev) == before + 1, "%s: an operation is counted", name);
    sl_device_cancel(dev);
    sl_activation(dev, &x, SL_ACT_SILU, &x);
    sl_add(dev, &x, &x, 1, &x);
    SlError err = {0};
    sl_test(sl_device_ops_done(dev) == before + 1 && !sl_device_check(dev, &err) &&
                err.code == SL_CANCELLED && !sl_device_ok(dev),
            "%s: after a cancel nothing is computed", name);
    sl_device_clear(dev);
    sl_activation(dev, &x, SL_ACT_SILU, &x);
    sl_download(dev, &x, got);
    sl_test(sl_device_ok(dev) && sl_device_ops_done(dev) == before + 2,
            "%s: after clear it goes on", name);
    sl_device_close(&dev);
}

/* Operations that are long enough to be done in pieces: a cancel that comes when one has begun ends
 * it, and nothing is written any more. */
typedef struct Long {
    const char *name;
    void (*front)(SlDevice *dev, SlTensor *x, SlWeight *w, SlTensor *out);
    void (*slot)(SlDevice *dev, SlTensor *x, SlWeight *w, SlTensor *out);
} Long;

static const SlAttention long_heads = {.heads = 2, .scale = 0.1f};
static const SlConv long_conv = {1, 1, 1, 1, 1};
static const SlGroupNorm long_norm = {.groups = 4, .eps = 1e-5f};

/* [1, 48, 64, 32] as rows: [1, 3072, 32] */
static SlTensor long_rows(const SlTensor *t)
{
    return sl_reshape(t, 3, SIZES(1, 3072, 32));
}

#define LONG(NAME, FRONT, SLOT)                                                      \
    static void front_##NAME(SlDevice *dev, SlTensor *x, SlWeight *w, SlTensor *out) \
    {                                                                                \
        SlTensor rows = long_rows(x), to = long_rows(out);                           \
        (void)rows, (void)to, (void)w;                                               \
        FRONT;                                                                       \
    }                                                                                \
    static void slot_##NAME(SlDevice *dev, SlTensor *x, SlWeight *w, SlTensor *out)  \
    {                                                                                \
        SlTensor rows = long_rows(x), to = long_rows(out);                           \
        (void)rows, (void)to, (void)w;                                               \
        dev->ops->SLOT;                                                              \
    }
LONG(attention, sl_attention(dev, &rows, &rows, &rows, &long_heads, &to),
     attention(dev, &rows, &rows, &rows, &long_heads, &to))
LONG(conv, sl_conv2d(dev, x, w, &long_conv, NULL, out), conv2d(dev, x, w, NULL, &long_conv, out))
LONG(norm, sl_group_norm(dev, x, NULL, NULL, &long_norm, out),
     group_norm(dev, x, NULL, NULL, &long_norm, out))
LONG(layer, sl_layer_norm(dev, x, NULL, NULL, 1e-5f, out),
     layer_norm(dev, x, NULL, NULL, 1e-5f, out))
LONG(silu, sl_activation(dev, x, SL_ACT_SILU, out), activation(dev, x, SL_ACT_SILU, out))
LONG(add, sl_add(dev, x, x, 1, out), add(dev, x, x, 1, out))
static const Long longs[] = {
    {"attention", front_attention, slot_attention}, {"conv2d", front_conv, slot_conv},
    {"group_norm", front_norm, slot_norm},          {"layer_norm", front_layer, slot_layer},
    {"activation", front_silu, slot_silu},          {"add", front_add, slot_add},
};

/* all: not only the products, which are the first. The slots are called as if the cancel came when
 * the front had looked. */
static void test_cancel_within(const char *name, bool all)
{
    SlDevice *dev = run_device(name, SL_F32, 2);
    if (!dev)
        return;
    Run r = {.dev = dev, .seed = 5, .repeat = 1};
    dev->cut_flops = 1e6; /* of devices that cut products */
    SlTensor x = run_input(&r, 4, SIZES(1, 48, 64, 32), 1);
    SlWeight *w = run_weight(&r, SL_WEIGHT_CONV, 4, SIZES(32, 32, 3, 3), 0.1f);
    SlTensor out = run_input(&r, 4, SIZES(1, 48, 64, 32), 1);
    size_t bytes = 48 * 64 * 32 * sizeof(float);
    float *before = malloc(bytes), *after = malloc(bytes);
    int count = all ? (int)(sizeof longs / sizeof longs[0]) : 2;
    for (int i = 0; i < count && before && after; i++) {
        uint64_t started = sl_device_ops_done(dev);
        longs[i].front(dev, &x, w, &out);
        uint64_t pieces = sl_device_ops_done(dev) - started;
        sl_test(sl_device_ok(dev) && (pieces > 1 || i > 1), "%s: %s is %d pieces of progress", name,
                longs[i].name, (int)pieces);
        sl_download(dev, &x, before);
        sl_upload(dev, before, &out);
        sl_device_cancel(dev);
        longs[i].slot(dev, &x, w, &out);
        bool stopped = dev->status == SL_CANCELLED;
        sl_device_clear(dev);
        sl_download(dev, &out, after);
        /* the last value is that of before: nothing came so far */
        sl_test(stopped && !memcmp(before + bytes / 4 - 1, after + bytes / 4 - 1, 4),
                "%s: a cancel ends %s within", name, longs[i].name);
    }
    free(before);
    free(after);
    run_free(&r);
    sl_device_close(&dev);
}

typedef struct Repeated {
    SlDevice *dev;
    SlTensor *x;
    SlWeight *w;
    SlTensor *out;
    int times;
} Repeated;

static void repeated(void *arg)
{
    Repeated *r = arg;
    r->times++;
    sl_conv2d(r->dev, r->x, r->w, &long_conv, NULL, r->out);
}

/* What is long is not remembered as one: it could not be stopped within. */
static void test_long_repeats(const char *name)
{
    SlDevice *dev = run_device(name, SL_F32, 1);
    if (!dev)
        return;
    Run r = {.dev = dev, .seed = 6, .repeat = 1};
    SlTensor x = run_input(&r, 4, SIZES(1, 8, 8, 8), 1),
             out = run_input(&r, 4, SIZES(1, 8, 8, 8), 1);
    SlWeight *w = run_weight(&r, SL_WEIGHT_CONV, 4, SIZES(8, 8, 3, 3), 1);
    const double work = 2.0 * 8 * 8 * 8 * 8 * 9;
    for (int is_long = 0; is_long < 2; is_long++) {
        SlRepeat *repeat = sl_repeat_new();
        Repeated arg = {dev, &x, w, &out, 0};
        dev->repeat_flops = is_long ? work - 1 : work;
        for (int i = 0; i < 4 && repeat; i++)
            sl_repeat_run(dev, repeat, repeated, &arg);
        sl_test(sl_device_ok(dev) && arg.times == (is_long ? 4 : 2),
                "%s: %s work is called %d times for four repetitions", name,
                is_long ? "long" : "short", arg.times);
        sl_repeat_free(dev, repeat);
    }
    run_free(&r);
    sl_device_close(&dev);
}

typedef struct Canceller {
    SlDevice *dev;
    uint64_t at;
} Canceller;

static void *cancel_at(void *arg)
{
    Canceller *c = arg;
    while (sl_device_ops_done(c->dev) < c->at)
        ;
    sl_device_cancel(c->dev);
    return NULL;
}

/* From another thread, in the middle of a sequence. */
static void test_cancel_thread(void)
{
    SlDevice *dev = run_device("ref", SL_F32, 1);
    SlTensor x = sl_tensor_new2(dev, 64, 1024);
    float *zeros = calloc(64 * 1024, sizeof *zeros);
    sl_upload(dev, zeros, &x);
    free(zeros);
    Canceller c = {dev, 5};
    pthread_t thread;
    if (pthread_create(&thread, NULL, cancel_at, &c))
        abort();
    for (int i = 0; i < 100000 && sl_device_ok(dev); i++)
        sl_activation(dev, &x, SL_ACT_GELU, &x);
    pthread_join(thread, NULL);
    sl_test(dev->status == SL_CANCELLED && sl_device_ops_done(dev) < 100000,
            "another thread stops a sequence after %llu operations",
            (unsigned long long)sl_device_ops_done(dev));
    sl_device_close(&dev);
}

/* ---- threads ---- */

/* The output of a case (malloc'ed). */
static float *output_of(SlDevice *dev, const Case *c, int64_t *n)
{
    Run r = {.dev = dev, .seed = 99, .repeat = 1};
    c->run(&r);
    float *result = run_result(&r, n);
    run_free(&r);
    return result;
}

static bool same_output(SlDevice *a, SlDevice *b, const Case *c)
{
    int64_t n, m;
    float *one = output_of(a, c, &n), *other = output_of(b, c, &m);
    bool same = one && other && n == m && !memcmp(one, other, (size_t)n * sizeof *one);
    free(one);
    free(other);
    return same;
}

static void test_threads(SlDtype dtype, const Case *list, int count)
{
    int different = 0;
    SlDevice *one = run_device("cpu", dtype, 1);
    for (int threads = 2; threads <= 3; threads++) {
        SlDevice *more = run_device("cpu", dtype, threads);
        for (int i = 0; i < count; i++) {
            if (same_output(one, more, &list[i]))
                continue;
            sl_test_note("%s differs with %d threads", list[i].name, threads);
            different++;
        }
        sl_device_close(&more);
    }
    sl_device_close(&one);
    sl_test(different == 0, "%s: 1, 2 and 3 threads give the same bytes in %d cases",
            sl_dtype_name(dtype), count);
}

/* A device that computed something small must not make the next one smaller. */
static void test_default_threads(void)
{
    SlDevice *first = run_device("cpu", SL_F32, 0);
    int64_t n;
    free(output_of(first, &cases[1], &n));
    SlDevice *second = run_device("cpu", SL_F32, 0);
    sl_test(first->threads > 0 && second->threads == first->threads,
            "the default is all cores (%d), also the second time", second->threads);
    sl_device_close(&first);
    sl_device_close(&second);
}

/* ---- the check device ---- */

static void (*real_geglu)(SlDevice *dev, const SlTensor *x, SlTensor *out);

static void broken_geglu(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    real_geglu(dev, x, out);
    ((float *)out->data)[13] += 0.5f;
}

static void test_check(void)
{
    SlError err = {0};
    SlDevice *tested = run_device("cpu", SL_F32, 2);
    SlOps broken = *tested->ops;
    real_geglu = broken.geglu;
    broken.geglu = broken_geglu;
    tested->ops = &broken;
    SlDevice *dev = sl_check_over(tested, &err);
    if (!sl_test(dev != NULL, "check opens over a device"))
        return;
    dev->scope = "down_blocks.1.attentions.0";
    Run r = {.dev = dev, .seed = 3, .repeat = 1};
    SlTensor x = run_input(&r, 2, SIZES(4, 32), 1), y = run_input(&r, 2, SIZES(4, 16), 1);
    sl_activation(dev, &x, SL_ACT_SILU, &x);
    sl_test(sl_device_ok(dev), "what is right passes");
    sl_geglu(dev, &x, &y);
    sl_device_check(dev, &err);
    sl_test(err.code == SL_MISMATCH && strstr(err.message, "geglu") &&
                strstr(err.message, "operation 2") && strstr(err.message, "down_blocks.1") &&
                strstr(err.message, "element 13") && strstr(err.message, "[4, 32]"),
            "what is broken is named: %s", err.message);
    sl_device_clear(dev);
    sl_activation(dev, &y, SL_ACT_SILU, &y);
    sl_test(sl_device_ok(dev), "after clear it goes on");
    run_free(&r);
    sl_device_close(&dev);
}

/* ---- measure and refusals ---- */

static void test_measure(void)
{
    SlDevice *dev = run_device("measure", SL_BF16, 1);
    const int64_t size[] = {1000, 2000};
    SlTensor host = sl_tensor_view(NULL, SL_F32, 2, size); /* no data: only sizes are read */
    SlWeight *w = sl_weight_new(dev, SL_WEIGHT_LINEAR, &host);
    SlTensor x = sl_tensor_new2(dev, 300, 2000), y = sl_tensor_new2(dev, 300, 1000);
    sl_linear(dev, &x, w, NULL, &y);
    sl_test(dev->work.flops == 2.0 * 300 * 1000 * 2000, "measure counts a product's flops");
    sl_test(dev->work.weight_bytes == 2 * 1000 * 2000, "and the bytes of its weight");
    sl_test(dev->work.arena_peak >= 300 * 3000 * 2 && dev->work.arena_peak < 300 * 3000 * 2 + 4096,
            "and the memory of its tensors");
    int64_t huge = (int64_t)1 << 36;
    SlTensor t = sl_tensor_new1(dev, huge);
    sl_test(t.data && sl_device_ok(dev), "128 GiB can be measured anywhere");
    sl_weight_free(dev, w);
    sl_test(dev->work.weight_bytes == 0, "a freed weight is not counted");
    sl_device_close(&dev);
}

/* A fused operation is one row, however many slots it calls; the same call is the same bytes. */
static void test_profile(const char *name)
{
    SlDevice *dev = run_device(name, SL_F32, 1);
    Run r = {.dev = dev, .seed = 3, .repeat = 1};
    SlTensor x = run_input(&r, 2, SIZES(6, 16), 1), out = run_input(&r, 2, SIZES(6, 8), 1);
    SlWeight *w = run_weight(&r, SL_WEIGHT_LINEAR, 2, SIZES(8, 16), 1);
    const SlEpilogue e = {.act = SL_ACT_SILU, .residual = &out};
    const SlOps *before = dev->ops;
    float plain[48] = {0}, timed[48] = {1}, zeros[48] = {0};
    size_t count = 0;
    SlError err = {0};
    sl_upload(dev, zeros, &out);
    sl_linear(dev, &x, w, &e, &out);
    sl_download(dev, &out, plain);
    sl_upload(dev, zeros, &out);
    bool ok = sl_profile_start(dev, &err);
    sl_linear(dev, &x, w, &e, &out);
    sl_download(dev, &out, timed);
    sl_linear(dev, &x, w, &e, &out);
    sl_activation(dev, &x, SL_ACT_SILU, &x);
    const SlProfileRow *rows = sl_profile_rows(dev, &count);
    sl_test(ok && count == 2 && !strcmp(rows[0].op, "linear") && rows[0].calls == 2 &&
                !strcmp(rows[0].shape, "6 rows, 16 > 8") && rows[0].flops >= 2 * 2 * 6 * 16 * 8 &&
                rows[0].seconds > 0 && !strcmp(rows[1].op, "activation") && rows[1].calls == 1,
            "%s: a profile has a row per operation and shape (%zu)", name, count);
    sl_test(!memcmp(plain, timed, sizeof plain), "%s: a profile changes no number", name);
    sl_profile_clear(dev);
    sl_profile_rows(dev, &count);
    sl_test(count == 0, "%s: a profile is cleared", name);
    sl_profile_stop(dev);
    sl_profile_stop(dev);
    SlCeiling c = sl_device_ceiling(dev);
    sl_test(dev->ops == before && sl_device_ok(dev) && c.flops > 1e6 && c.bytes > 1e6,
            "%s: afterwards the device is as before; it reaches %.3g operations and %.3g bytes a "
            "second",
            name, c.flops, c.bytes);
    run_free(&r);
    sl_device_close(&dev);
}

static void refused(SlDevice *dev, const char *what, const char *op)
{
    SlError err = {0};
    sl_device_check(dev, &err);
    sl_test(err.code == SL_FORMAT && strstr(err.message, op) && strstr(err.message, "mid_block"),
            "%s is refused: %s", what, err.message);
    sl_device_clear(dev);
}

static void test_refusals(void)
{
    SlDevice *dev = run_device("cpu", SL_F32, 1);
    Run r = {.dev = dev, .seed = 5, .repeat = 1};
    dev->scope = "mid_block";
    SlTensor x = run_input(&r, 2, SIZES(4, 6), 1), y = run_input(&r, 2, SIZES(4, 8), 1);
    SlTensor image = run_input(&r, 4, SIZES(1, 4, 4, 6), 1), halves = sl_slice(&y, 1, 0, 6);
    SlWeight *w = run_weight(&r, SL_WEIGHT_LINEAR, 2, SIZES(8, 7), 1);
    SlWeight *conv = run_weight(&r, SL_WEIGHT_CONV, 4, SIZES(6, 6, 3, 3), 1);
    SlWeight *bias = run_weight(&r, SL_WEIGHT_VECTOR, 1, SIZES(5), 1);
    SlEpilogue e = {.bias = bias};
    sl_linear(dev, &x, w, NULL, &y);
    refused(dev, "a weight of other channels", "linear");
    sl_conv2d(dev, &image, conv, &(SlConv){1, 0, 0, 0, 0}, NULL, &image);
    refused(dev, "an output that padding does not give", "conv2d");
    sl_conv2d(dev, &image, conv, &(SlConv){1, 1, 1, 1, 1}, &e, &image);
    refused(dev, "a bias of another size", "conv2d");
    sl_add(dev, &x, &y, 1, &x);
    refused(dev, "a sum of different shapes", "add");
    sl_add(dev, &x, &halves, 1, &x);
    refused(dev, "a sum with a view of gaps", "add");
    sl_group_norm(dev, &image, NULL, NULL, &(SlGroupNorm){4, 1e-5f, SL_ACT_NONE}, &image);
    refused(dev, "4 groups of 6 channels", "group_norm");
    SlTensor q = run_input(&r, 3, SIZES(1, 4, 6), 1);
    sl_attention(dev, &q, &q, &q, &(SlAttention){4, 1, false}, &q);
    refused(dev, "4 heads of 6 channels", "attention");
    SlTensor nothing = sl_slice(&x, 1, 4, 3);
    sl_copy(dev, &nothing, &nothing);
    refused(dev, "a slice that reaches outside", "copy");
    run_free(&r);
    sl_device_close(&dev);
}

static void test_tokens_outside(void)
{
    SlDevice *dev = run_device("cpu", SL_F32, 1);
    Run r = {.dev = dev, .seed = 5, .repeat = 1};
    SlTensor ids = run_ids(&r, 1, 3, 100), out = run_input(&r, 3, SIZES(1, 3, 4), 1);
    SlWeight *table = run_weight(&r, SL_WEIGHT_TABLE, 2, SIZES(100, 4), 1);
    const int32_t bad[] = {1, 100, 2};
    sl_upload(dev, bad, &ids);
    sl_embedding(dev, &ids, table, NULL, &out);
    sl_test(!sl_device_ok(dev) && strstr(dev->message, "100"), "a token outside is refused: %s",
            dev->message);
    run_free(&r);
    sl_device_close(&dev);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--bf16") == 0) { /* slow instructions: small cases only */
        test_cancel("cpu");
        test_threads(SL_BF16, cases, case_count);
        return sl_test_done();
    }
    if (argc > 1) { /* a device by name */
        SlDevice *there = run_device(argv[1], SL_F32, 1);
        if (!sl_test(there != NULL, "the device %s opens", argv[1]))
            return sl_test_done();
        sl_device_close(&there);
        test_cancel(argv[1]);
        test_cancel_within(argv[1], false);
        test_long_repeats(argv[1]);
        return sl_test_done();
    }
    test_names();
    test_half();
    test_cancel("ref");
    test_cancel("cpu");
    test_cancel("check");
    test_cancel_thread();
    test_cancel_within("ref", false);
    test_cancel_within("cpu", true);
    test_cancel_within("check", false);
    test_threads(SL_F32, cases, case_count);
    test_threads(SL_F32, thread_cases, thread_count);
#ifndef __SANITIZE_ADDRESS__ /* the same loops over threads: a sanitizer has seen them in f32 */
    test_threads(SL_BF16, cases, case_count);
    test_threads(SL_BF16, thread_cases, thread_count);
#endif
    test_default_threads();
    test_check();
    test_measure();
    test_profile("cpu");
    test_refusals();
    test_tokens_outside();
    return sl_test_done();
}
