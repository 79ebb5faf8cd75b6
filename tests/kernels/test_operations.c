/* test_operations.c - every operation of a device against ref, or its speed.
 *
 *     test_operations DEVICE DTYPE              TAP
 *     test_operations --cut DEVICE DTYPE        the same with every product cut into parts
 *     test_operations --bench DEVICE DTYPE      milliseconds and GFLOP/s
 *
 * The limits: for f32 the error of sums in another order and of a polynomial instead of libm. For
 * the half types roundings: one is at most u = 2^-8 of the value in bf16 and 2^-11 in f16, u^2 / 6
 * in normalised squared error. A fused operation rounds once where its composite in ref rounds
 * twice or three times, and in a small case few elements make up the norm: 2 u^2 in all. NaN and
 * infinity must be where ref has them.
 */
#include "kernels/kernels.h"
#include "run.h"
#include "test.h"

#include <math.h>
#include <string.h>

typedef struct Limits {
    double nmse, worst; /* worst: largest difference over the largest value */
} Limits;

static Limits limits_of(SlDtype dtype)
{
    return dtype == SL_F32    ? (Limits){1e-11, 1e-5}
           : dtype == SL_BF16 ? (Limits){3.1e-5, 1.6e-2}
                              : (Limits){4.8e-7, 2e-3};
}

static bool same_kind(float a, float b)
{
    return isnan(a) ? isnan(b) : isinf(a) ? a == b : !isnan(b) && !isinf(b);
}

static bool alike(const float *got, const float *want, int64_t n, Limits limits)
{
    double error = 0, norm = 0, worst = 0, top = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!same_kind(got[i], want[i])) {
            sl_test_note("element %lld is %g, ref has %g", (long long)i, got[i], want[i]);
            return false;
        }
        if (isnan(want[i]) || isinf(want[i]))
            continue;
        double d = fabs((double)got[i] - want[i]);
        error += d * d;
        norm += (double)want[i] * want[i];
        worst = fmax(worst, d);
        top = fmax(top, fabs((double)want[i]));
    }
    if (error <= limits.nmse * norm && worst <= limits.worst * top)
        return true;
    sl_test_note("normalised squared error %.3g (limit %.3g), worst %.3g of %.3g", error / norm,
                 limits.nmse, worst, top);
    return false;
}

#define CUT_FLOPS 3000 /* a row or two of most cases */

static SlDevice *open_device(const char *name, SlDtype dtype, SlError *err)
{
    SlDeviceOptions options = {.name = name, .dtype = dtype, .threads = 2};
    return sl_device_open(&options, err);
}

static void test_case(SlDevice *dev, SlDevice *ref, const Case *c, uint64_t seed)
{
    Run got = {.dev = dev, .seed = seed, .repeat = 1};
    Run want = {.dev = ref, .seed = seed, .repeat = 1};
    int64_t n, m;
    size_t mark = sl_arena_mark(dev);
    c->run(&got);
    c->run(&want);
    float *a = run_result(&got, &n), *b = run_result(&want, &m);
    int64_t stray = a ? run_stray_writes(&got) : 0;
    Limits limits = limits_of(dev->dtype);
    if (got.out.dtype == SL_U8)
        limits = (Limits){1e-4, 1.01 / 255}; /* a rounding may fall the other way */
    bool ok =
        a && b && n == m && alike(a, b, n, limits) && stray == 0 && sl_arena_mark(dev) == mark;
    if (!sl_test(ok, "%s", c->name))
        sl_test_note("%s; %lld stray writes", dev->message, (long long)stray);
    free(a);
    free(b);
    run_free(&got);
    run_free(&want);
    sl_device_clear(dev);
    sl_device_clear(ref);
}

/* A token that is not in the table is said, not read. */
static void test_stray_token(SlDevice *dev, int32_t stray)
{
    const int32_t ids[] = {3, stray, 10};
    char wanted[80];
    SlError err = {0};
    Run r = {.dev = dev, .seed = 1, .repeat = 1};
    SlTensor tokens = sl_buffer_new(dev, SL_I32, 2, SIZES(1, 3));
    SlWeight *table = run_weight(&r, SL_WEIGHT_TABLE, 2, SIZES(11, 21), 1);
    run_output(&r, dev->dtype, 3, SIZES(1, 3, 21), 0);
    sl_upload(dev, ids, &tokens);
    sl_embedding(dev, &tokens, table, NULL, &r.out);
    snprintf(wanted, sizeof wanted, "token %d is not in the table of 11", (int)stray);
    bool said = !sl_device_check(dev, &err) && err.code == SL_FORMAT && strstr(err.message, wanted);
    if (!sl_test(said, "a token that is not in the table: %d", (int)stray))
        sl_test_note("%s", err.message);
    sl_device_clear(dev);
    sl_buffer_free(dev, &tokens);
    run_free(&r);
}

static int test_all(const char *name, SlDtype dtype, bool cut)
{
    SlError err = {0};
    SlDevice *dev = open_device(name, dtype, &err);
    if (!dev) {
        printf("1..0 # SKIP %s\n", err.message);
        return 0;
    }
    SlDevice *ref = open_device("ref", dev->dtype, &err);
    sl_test(!cut || dev->cut_flops > 0, "the device cuts long products");
    if (cut)
        dev->cut_flops = CUT_FLOPS;
    sl_test_note("%s", sl_device_describe(dev));
    for (int i = 0; ref && i < case_count; i++)
        test_case(dev, ref, &cases[i], 1 + (uint64_t)i);
    sl_test(ref != NULL, "ref opens");
    test_stray_token(dev, 11);
    test_stray_token(dev, -1);
    sl_device_close(&dev);
    if (ref)
        sl_device_close(&ref);
    return sl_test_done();
}

/* The work of a case, as the measure device counts it. */
static double flops_of(const Case *c, SlDtype dtype)
{
    SlError err;
    SlDevice *measure = open_device("measure", dtype, &err);
    if (!measure)
        return 0;
    Run r = {.dev = measure, .repeat = 1};
    c->run(&r);
    double flops = measure->work.flops;
    run_free(&r);
    sl_device_close(&measure);
    return flops;
}

static int bench_all(const char *name, SlDtype dtype)
{
    SlError err = {0};
    SlDevice *dev = open_device(name, dtype, &err);
    if (!dev) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    printf("%s\n", sl_device_describe(dev));
    for (int i = 0; i < bench_count; i++) {
        Run r = {.dev = dev, .seed = 1, .repeat = 5};
        bench_cases[i].run(&r);
        printf("%-22s %9.3f ms %8.1f GFLOP/s\n", bench_cases[i].name, 1e3 * r.seconds,
               1e-9 * flops_of(&bench_cases[i], dtype) / r.seconds);
        run_free(&r);
    }
    bool ok = sl_device_check(dev, &err);
    if (!ok)
        fprintf(stderr, "%s\n", err.message);
    sl_device_close(&dev);
    return !ok;
}

int main(int argc, char **argv)
{
    bool bench = argc > 1 && !strcmp(argv[1], "--bench");
    bool cut = argc > 1 && !strcmp(argv[1], "--cut");
    int first = bench || cut ? 2 : 1;
    const char *name = argc > first ? argv[first] : "cpu";
    const char *dtype = argc > first + 1 ? argv[first + 1] : "f32";
    SlDtype type = !strcmp(dtype, "bf16") ? SL_BF16 : !strcmp(dtype, "f16") ? SL_F16 : SL_F32;
    return bench ? bench_all(name, type) : test_all(name, type, cut);
}
