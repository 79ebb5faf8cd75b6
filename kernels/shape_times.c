/* shape_times.c - what a few operations take in f32 and in bf16 on the cpu device, each in a shape that
 * stands for many of what a model does; sl_time_shapes in kernels.h.
 *
 * How often a shape stands in a stage is counted from Stable Diffusion 1.5 at 512 x 512 (bench --arch
 * sd15 --profile): a stage's operations of that kind over those of the shape, for norms its bytes over
 * theirs. Of decoding's convolutions 1394 of 2437 GFLOP are at 256 channels and fewer.
 *
 * Easy to get wrong: clocks change with what was computed before, so both types take turns; and another
 * program that computes meanwhile changes all times, so what shows it is measured, too.
 */
#include "kernels/clock.h"
#include "kernels/devices.h"

#include <dirent.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ROUNDS 5
#define MOST_AGAIN  12   /* where its times differ much */
#define LONG        0.03 /* seconds of both: enough of a shape */

typedef enum Kind { LINEAR, CONV, ATTENTION, NORM } Kind;

/* LINEAR: rows, inputs, outputs. CONV (3x3): side, inputs, outputs. ATTENTION: queries, keys, heads,
 * their size. NORM (of groups, with SiLU): side, channels. */
typedef struct Shape {
    SlTimedShape is;
    Kind kind;
    int64_t a, b, c, d;
} Shape;

static const Shape shapes[SL_TIMED_SHAPES] = {
    {{"linear 154 rows, 768 > 3072", SL_TIMED_TEXT, 45}, LINEAR, 154, 768, 3072, 0},
    {{"linear 1024 rows, 640 > 640", SL_TIMED_STEP, 654}, LINEAR, 1024, 640, 640, 0},
    {{"3x3 to 32x32, 320 > 320", SL_TIMED_STEP, 424}, CONV, 32, 320, 320, 0},
    {{"attention 1024 to 1024, 8 of 40", SL_TIMED_STEP, 188}, ATTENTION, 1024, 1024, 8, 40},
    {{"group norm of 32x32, 320", SL_TIMED_STEP, 828}, NORM, 32, 320, 0, 0},
    {{"3x3 to 96x96, 128 > 128", SL_TIMED_DECODE, 513}, CONV, 96, 128, 128, 0},
    {{"3x3 to 24x24, 512 > 512", SL_TIMED_DECODE, 384}, CONV, 24, 512, 512, 0},
    {{"attention 1024 to 1024, 1 of 512", SL_TIMED_DECODE, 16}, ATTENTION, 1024, 1024, 1, 512},
    {{"group norm of 96x96, 128", SL_TIMED_DECODE, 972}, NORM, 96, 128, 0, 0},
};

const SlTimedShape *sl_timed_shape(int i)
{
    return &shapes[i].is;
}

/* ---- one shape on one device ---- */

typedef struct Case {
    const Shape *shape;
    SlWeight *w, *beta;
    SlTensor x, out;
} Case;

/* Small numbers of both signs: no denormals, nothing that grows. */
static void fill(float *values, size_t n)
{
    uint32_t state = 1;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        values[i] = ((float)(state >> 9) - 4194304.0f) * (0.1f / 4194304.0f);
    }
}

static SlWeight *new_weight(SlDevice *dev, SlWeightKind kind, int rank, const int64_t *size)
{
    size_t n = 1;
    for (int i = 0; i < rank; i++)
        n *= (size_t)size[i];
    float *values = malloc(n * sizeof *values);
    if (!values) {
        sl_device_fail(dev, SL_MEMORY, "memory ran out for measuring");
        return NULL;
    }
    fill(values, n);
    SlTensor host = sl_tensor_view(values, SL_F32, rank, size);
    SlWeight *w = sl_weight_new(dev, kind, &host);
    free(values);
    return w;
}

static SlTensor new_input(SlDevice *dev, int rank, const int64_t *size)
{
    SlTensor x = sl_tensor_new(dev, dev->dtype, rank, size);
    size_t n = x.data ? (size_t)sl_tensor_elements(&x) : 0;
    float *values = n ? malloc(n * sizeof *values) : NULL;
    void *own = n ? malloc(n * sl_dtype_size(dev->dtype)) : NULL;
    if (values && own) {
        fill(values, n);
        sl_convert(values, SL_F32, own, dev->dtype, n);
        sl_upload(dev, own, &x);
    } else if (n) {
        sl_device_fail(dev, SL_MEMORY, "memory ran out for measuring");
    }
    free(values);
    free(own);
    return x;
}

static Case new_case(SlDevice *dev, const Shape *s)
{
    Case c = {.shape = s};
    switch (s->kind) {
    case LINEAR:
        c.w = new_weight(dev, SL_WEIGHT_LINEAR, 2, (const int64_t[]){s->c, s->b});
        c.x = new_input(dev, 2, (const int64_t[]){s->a, s->b});
        c.out = sl_tensor_new2(dev, s->a, s->c);
        break;
    case CONV:
        c.w = new_weight(dev, SL_WEIGHT_CONV, 4, (const int64_t[]){s->c, s->b, 3, 3});
        c.x = new_input(dev, 4, (const int64_t[]){1, s->a, s->a, s->b});
        c.out = sl_tensor_new4(dev, 1, s->a, s->a, s->c);
        break;
    case ATTENTION:
        c.x = new_input(dev, 3, (const int64_t[]){1, s->a, s->c * s->d});
        c.out = sl_tensor_new3(dev, 1, s->a, s->c * s->d);
        break;
    case NORM:
        c.w = new_weight(dev, SL_WEIGHT_VECTOR, 1, (const int64_t[]){s->b});
        c.beta = new_weight(dev, SL_WEIGHT_VECTOR, 1, (const int64_t[]){s->b});
        c.x = new_input(dev, 4, (const int64_t[]){1, s->a, s->a, s->b});
        c.out = sl_tensor_new4(dev, 1, s->a, s->a, s->b);
        break;
    }
    return c;
}

/* Seconds. */
static double run_case(SlDevice *dev, Case *c)
{
    const Shape *s = c->shape;
    static const SlConv same = {1, 1, 1, 1, 1};
    const SlAttention attention = {.heads = (int)s->c, .scale = 0.125f};
    const SlGroupNorm norm = {.groups = 32, .eps = 1e-5f, .act = SL_ACT_SILU};
    double start = sl_clock_now();
    switch (s->kind) {
    case LINEAR:
        sl_linear(dev, &c->x, c->w, NULL, &c->out);
        break;
    case CONV:
        sl_conv2d(dev, &c->x, c->w, &same, NULL, &c->out);
        break;
    case ATTENTION:
        sl_attention(dev, &c->x, &c->x, &c->x, &attention, &c->out);
        break;
    case NORM:
        sl_group_norm(dev, &c->x, c->w, c->beta, &norm, &c->out);
        break;
    }
    sl_device_finish(dev);
    return sl_clock_now() - start;
}

/* ---- both types ---- */

static bool go_on(const int *cancel, SlError *err)
{
    return !cancel || !__atomic_load_n(cancel, __ATOMIC_RELAXED) ||
           sl_fail(err, SL_CANCELLED, "stopped");
}

/* Of a shape in one type. */
typedef struct Best {
    double first, second;
} Best;

static void take_round(Best *best, double seconds)
{
    if (seconds < best->first)
        *best = (Best){seconds, best->first};
    else if (seconds < best->second)
        best->second = seconds;
}

/* How far the two are apart, of both types. */
static double apart(const Best best[2])
{
    double a = best[0].second / best[0].first - 1, b = best[1].second / best[1].first - 1;
    return a > b ? a : b;
}

static bool enough(int rounds, double spent, const Best best[2])
{
    if (rounds < 2)
        return false;
    return apart(best) <= SL_TIMED_APART ? rounds >= MOST_ROUNDS || spent >= LONG
                                         : rounds >= MOST_AGAIN;
}

static bool time_shape(SlDevice *dev[2], const Shape *s, const int *cancel, Best best[2],
                       SlError *err)
{
    size_t mark[2] = {sl_arena_mark(dev[0]), sl_arena_mark(dev[1])};
    Case c[2] = {new_case(dev[0], s), new_case(dev[1], s)};
    double spent = 0;
    bool ok = sl_device_check(dev[0], err) && sl_device_check(dev[1], err);
    best[0] = best[1] = (Best){DBL_MAX, DBL_MAX};
    for (int rounds = -1; ok && !enough(rounds, spent, best); rounds++) /* the first warms up */
        for (int i = 0; i < 2 && (ok = go_on(cancel, err)); i++) {
            double seconds = run_case(dev[i], &c[i]);
            if (rounds >= 0)
                take_round(&best[i], seconds);
            spent += rounds >= 0 ? seconds : 0;
        }
    ok = ok && sl_device_check(dev[0], err) && sl_device_check(dev[1], err);
    for (int i = 0; i < 2; i++) {
        sl_weight_free(dev[i], c[i].w);
        sl_weight_free(dev[i], c[i].beta);
        sl_arena_reset(dev[i], mark[i]);
    }
    return ok;
}

/* ---- other programs ---- */

/* Seconds that this process's threads, taken together, were ready to run and had no processor; 0
 * where the system does not say. */
static double waited(void)
{
    DIR *threads = opendir("/proc/self/task");
    const struct dirent *thread;
    double seconds = 0;
    while (threads && (thread = readdir(threads))) {
        char path[sizeof "/proc/self/task//schedstat" + sizeof thread->d_name];
        unsigned long long ran, ready;
        snprintf(path, sizeof path, "/proc/self/task/%s/schedstat", thread->d_name);
        FILE *file = fopen(path, "re");
        if (file && fscanf(file, "%llu %llu", &ran, &ready) == 2)
            seconds += (double)ready * 1e-9;
        if (file)
            fclose(file);
    }
    if (threads)
        closedir(threads);
    return seconds;
}

static bool time_all(SlDevice *dev[2], const int *cancel, SlShapeTimes *times, SlError *err)
{
    double start = sl_clock_now(), before = waited();
    times->apart = 0;
    for (int i = 0; i < SL_TIMED_SHAPES; i++) {
        Best best[2];
        if (!time_shape(dev, &shapes[i], cancel, best, err))
            return false;
        times->f32[i] = best[0].first;
        times->bf16[i] = best[1].first;
        if (apart(best) > times->apart)
            times->apart = apart(best);
    }
    double ready = waited() - before; /* less where a thread ended */
    times->waited = ready > 0 ? ready / (sl_clock_now() - start) / dev[0]->threads : 0;
    return true;
}

bool sl_time_shapes(int threads, const int *cancel, SlShapeTimes *times, SlError *err)
{
    SlDeviceOptions options = {.name = "cpu", .threads = threads};
    SlDevice *dev[2] = {sl_device_open(&options, err), NULL};
    options.dtype = SL_BF16;
    if (dev[0])
        dev[1] = sl_device_open(&options, err);
    bool ok = dev[1] && time_all(dev, cancel, times, err);
    for (int i = 0; i < 2; i++)
        sl_device_close(&dev[i]);
    return ok;
}
