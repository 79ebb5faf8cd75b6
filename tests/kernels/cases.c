/* cases.c - every operation at odd sizes, on views, in place, with every part of an epilogue. */
#include "run.h"

#include <math.h>
#include <stddef.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Runs an operation r->repeat times and keeps the fastest time. */
#define OPERATION(r, CALL)                                    \
    for (int repeat_ = 0; repeat_ < (r)->repeat; repeat_++) { \
        double start_ = now();                                \
        CALL;                                                 \
        double took_ = now() - start_;                        \
        if (repeat_ == 0 || took_ < (r)->seconds)             \
            (r)->seconds = took_;                             \
    }

/* ---- products ---- */

typedef struct Parts {
    bool bias, per_channel, residual, alias;
    SlActivation act;
    float scale;
} Parts;

/* An epilogue of these parts for the output r->out, which it makes. */
static SlEpilogue epilogue(Run *r, const Parts *p, int rank, const int64_t *size, SlTensor hold[3])
{
    SlEpilogue e = {.act = p->act, .scale = p->scale};
    if (p->bias)
        e.bias = run_weight(r, SL_WEIGHT_VECTOR, 1, &size[rank - 1], 0.5f);
    if (p->per_channel) {
        hold[0] = run_input(r, 2, SIZES(size[0], size[rank - 1]), 1);
        e.per_channel = &hold[0];
    }
    if (p->residual)
        hold[1] = run_input(r, rank, size, 1);
    if (p->alias)
        run_in_place(r, &hold[1]);
    else
        run_output(r, r->dev->dtype, rank, size, 0);
    hold[2] = r->out;
    if (p->residual)
        e.residual = p->alias ? &hold[2] : &hold[1];
    return e;
}

static void linear(Run *r, int64_t m, int64_t k, int64_t n, Parts p)
{
    SlTensor hold[3], x = run_input(r, 3, SIZES(1, m, k), 1);
    SlWeight *w = run_weight(r, SL_WEIGHT_LINEAR, 2, SIZES(n, k), 1 / sqrtf((float)k));
    SlEpilogue e = epilogue(r, &p, 3, SIZES(1, m, n), hold);
    OPERATION(r, sl_linear(r->dev, &x, w, &e, &r->out))
}

typedef struct ConvShape {
    int64_t n, h, w, in, out, kernel;
    SlConv conv;
} ConvShape;

static void conv(Run *r, ConvShape s, Parts p)
{
    int64_t oh = (s.h + s.conv.pad_top + s.conv.pad_bottom - s.kernel) / s.conv.stride + 1;
    int64_t ow = (s.w + s.conv.pad_left + s.conv.pad_right - s.kernel) / s.conv.stride + 1;
    SlTensor hold[3], x = run_input(r, 4, SIZES(s.n, s.h, s.w, s.in), 1);
    SlWeight *w = run_weight(r, SL_WEIGHT_CONV, 4, SIZES(s.out, s.in, s.kernel, s.kernel),
                             1 / sqrtf((float)(s.in * s.kernel * s.kernel)));
    SlEpilogue e = epilogue(r, &p, 4, SIZES(s.n, oh, ow, s.out), hold);
    OPERATION(r, sl_conv2d(r->dev, &x, w, &s.conv, &e, &r->out))
}

static void upsample_conv(Run *r, const int64_t s[6], Parts p)
{
    SlTensor hold[3], x = run_input(r, 4, SIZES(2, s[0], s[1], s[4]), 1);
    SlWeight *w = run_weight(r, SL_WEIGHT_CONV, 4, SIZES(s[5], s[4], 3, 3), 0.2f);
    SlEpilogue e = epilogue(r, &p, 4, SIZES(2, s[2], s[3], s[5]), hold);
    OPERATION(r, sl_upsample_conv2d(r->dev, &x, w, &e, &r->out))
}

static void linear_geglu(Run *r, int64_t m, int64_t k, int64_t c, bool with_bias)
{
    SlTensor x = run_input(r, 3, SIZES(1, m, k), 1);
    SlWeight *w = run_weight(r, SL_WEIGHT_LINEAR, 2, SIZES(2 * c, k), 2 / sqrtf((float)k));
    SlWeight *bias = with_bias ? run_weight(r, SL_WEIGHT_VECTOR, 1, SIZES(2 * c), 0.5f) : NULL;
    run_output(r, r->dev->dtype, 3, SIZES(1, m, c), 0);
    OPERATION(r, sl_linear_geglu(r->dev, &x, w, bias, &r->out))
}

#define SAME3         \
    {                 \
        1, 1, 1, 1, 1 \
    }
#define SAME1         \
    {                 \
        1, 0, 0, 0, 0 \
    }
#define CASE(NAME, CALL)     \
    static void NAME(Run *r) \
    {                        \
        CALL;                \
    }

CASE(linear_one, linear(r, 1, 1, 1, (Parts){0}))
CASE(linear_small, linear(r, 3, 7, 5, (Parts){.bias = true}))
CASE(linear_row, linear(r, 1, 320, 1281, (Parts){.bias = true, .act = SL_ACT_SILU}))
CASE(linear_text, linear(r, 77, 65, 129, (Parts){.bias = true, .act = SL_ACT_QUICK_GELU}))
CASE(linear_long, linear(r, 5, 2563, 17, (Parts){.bias = true, .act = SL_ACT_GELU}))
CASE(linear_residual, linear(r, 33, 64, 47, (Parts){.bias = true, .residual = true}))
CASE(linear_in_place,
     linear(r, 31, 48, 40, (Parts){.residual = true, .alias = true, .scale = 0.5f}))
CASE(linear_scale, linear(r, 9, 16, 31, (Parts){.bias = true, .scale = 0.125f}))
CASE(linear_everything,
     linear(r, 19, 37, 23, (Parts){true, true, true, false, SL_ACT_GELU_TANH, 0.7071f}))
CASE(conv_3x3, conv(r, (ConvShape){2, 7, 5, 17, 33, 3, SAME3}, (Parts){.bias = true}))
CASE(conv_3x3_wide, conv(r, (ConvShape){1, 12, 19, 64, 48, 3, SAME3}, (Parts){.bias = true}))
CASE(conv_first, conv(r, (ConvShape){2, 9, 11, 4, 32, 3, SAME3}, (Parts){.bias = true}))
CASE(conv_last, conv(r, (ConvShape){2, 9, 11, 32, 4, 3, SAME3}, (Parts){.bias = true}))
CASE(conv_pixels, conv(r, (ConvShape){1, 8, 8, 3, 1, 3, SAME3}, (Parts){0}))
CASE(conv_1x1, conv(r, (ConvShape){2, 5, 3, 19, 21, 1, SAME1}, (Parts){.bias = true}))
CASE(conv_1x1_even, conv(r, (ConvShape){2, 7, 5, 24, 40, 1, SAME1},
                         (Parts){.bias = true, .residual = true, .alias = true}))
CASE(conv_1x1_act, conv(r, (ConvShape){2, 7, 5, 24, 40, 1, SAME1},
                        (Parts){.bias = true, .residual = true, .act = SL_ACT_SILU, .scale = 0.5f}))
CASE(conv_down, conv(r, (ConvShape){2, 9, 8, 16, 24, 3, {2, 1, 1, 1, 1}}, (Parts){.bias = true}))
CASE(conv_down_right,
     conv(r, (ConvShape){1, 8, 10, 8, 8, 3, {2, 0, 0, 1, 1}}, (Parts){.bias = true}))
CASE(conv_down_over, conv(r, (ConvShape){1, 8, 7, 8, 8, 3, {2, 0, 0, 0, 0}}, (Parts){.bias = true}))
CASE(conv_point, conv(r, (ConvShape){2, 1, 1, 20, 12, 3, SAME3}, (Parts){.bias = true}))
CASE(conv_time,
     conv(r, (ConvShape){2, 6, 7, 16, 20, 3, SAME3}, (Parts){.bias = true, .per_channel = true}))
CASE(conv_residual, conv(r, (ConvShape){2, 6, 7, 16, 16, 3, SAME3},
                         (Parts){.bias = true, .residual = true, .scale = 0.5f}))
CASE(conv_in_place, conv(r, (ConvShape){2, 6, 5, 16, 16, 3, SAME3},
                         (Parts){.bias = true, .residual = true, .alias = true}))
CASE(conv_everything, conv(r, (ConvShape){2, 5, 6, 11, 13, 3, SAME3},
                           (Parts){true, true, true, false, SL_ACT_SILU, 0.7071f}))
CASE(conv_many_pixels, conv(r, (ConvShape){1, 33, 34, 64, 80, 3, SAME3},
                            (Parts){.bias = true, .per_channel = true, .residual = true}))
CASE(conv_relu, conv(r, (ConvShape){1, 6, 5, 8, 8, 3, SAME3}, (Parts){.act = SL_ACT_RELU}))
CASE(upsample_conv_twice, upsample_conv(r, SIZES(3, 5, 6, 10, 16, 24), (Parts){.bias = true}))
CASE(upsample_conv_odd, upsample_conv(r, SIZES(3, 5, 7, 9, 8, 5), (Parts){.bias = true}))
/* Winograd: few tiles, rows and columns over, half vectors; everything that can follow */
CASE(conv_tiles, conv(r, (ConvShape){2, 9, 11, 168, 72, 3, SAME3},
                      (Parts){.bias = true, .per_channel = true, .residual = true, .scale = 0.5f}))
CASE(conv_tiles_in_place, conv(r, (ConvShape){1, 16, 14, 264, 264, 3, SAME3},
                               (Parts){.bias = true, .residual = true, .alias = true}))
CASE(upsample_conv_tiles,
     upsample_conv(r, SIZES(7, 8, 15, 13, 128, 128), (Parts){.bias = true, .residual = true}))
CASE(upsample_conv_residual,
     upsample_conv(r, SIZES(2, 2, 4, 4, 8, 8), (Parts){.bias = true, .residual = true}))
/* Tiles of bf16: the last ones not whole, the depth cut, items that share a tile's strip, several
 * chunks, planes of a stride */
CASE(linear_tiles, linear(r, 70, 96, 80, (Parts){.bias = true, .residual = true}))
CASE(linear_tiles_deep, linear(r, 35, 3200, 72, (Parts){.bias = true, .residual = true}))
CASE(linear_tiles_chunks, linear(r, 2800, 320, 40, (Parts){.bias = true}))
CASE(conv_tiles_deep, conv(r, (ConvShape){3, 3, 12, 384, 48, 3, SAME3},
                           (Parts){.bias = true, .per_channel = true, .residual = true}))
CASE(conv_tiles_chunks, conv(r, (ConvShape){1, 100, 150, 64, 17, 3, SAME3}, (Parts){.bias = true}))
CASE(conv_tiles_down, conv(r, (ConvShape){2, 17, 15, 64, 64, 3, {2, 1, 1, 1, 1}},
                           (Parts){.bias = true, .per_channel = true}))
/* Outputs whose rows are whole runs of a tile's rows; few tiles are no work for Winograd. */
CASE(conv_runs_8, conv(r, (ConvShape){1, 5, 8, 96, 48, 3, SAME3}, (Parts){.bias = true}))
CASE(conv_runs_16, conv(r, (ConvShape){1, 3, 16, 72, 40, 3, SAME3},
                        (Parts){.bias = true, .per_channel = true, .residual = true}))
CASE(conv_runs_24, conv(r, (ConvShape){1, 3, 24, 32, 33, 3, SAME3}, (Parts){.bias = true}))
CASE(conv_runs_down,
     conv(r, (ConvShape){2, 13, 16, 64, 64, 3, {2, 1, 1, 1, 1}}, (Parts){.bias = true}))
CASE(conv_runs_1x1, conv(r, (ConvShape){2, 7, 8, 40, 64, 1, SAME1}, (Parts){.bias = true}))
CASE(upsample_conv_runs, upsample_conv(r, SIZES(2, 4, 4, 8, 64, 32), (Parts){.bias = true}))
/* Enough tiles for Winograd; channels that are no whole block. */
CASE(conv_winograd_part,
     conv(r, (ConvShape){1, 25, 23, 72, 48, 3, SAME3}, (Parts){.bias = true, .residual = true}))
CASE(conv_4x4, conv(r, (ConvShape){1, 11, 9, 32, 32, 4, {3, 2, 1, 1, 2}}, (Parts){.bias = true}))
CASE(linear_geglu_tiles, linear_geglu(r, 37, 64, 64, true))
CASE(linear_geglu_deep, linear_geglu(r, 20, 3200, 32, true))
CASE(linear_geglu_odd, linear_geglu(r, 13, 31, 37, true))
CASE(linear_geglu_plain, linear_geglu(r, 3, 16, 64, false))

/* ---- norms ---- */

/* Adds the same to every element. */
static void shift(Run *r, SlTensor *x, float offset)
{
    SlTensor all = *x, one = run_values(r, &offset, 1), shifts = run_input(r, x->rank, x->size, 0);
    all.data = one.data;
    for (int i = 0; i < x->rank; i++)
        all.stride[i] = 0;
    sl_copy(r->dev, &all, &shifts);
    sl_add(r->dev, x, &shifts, 1, x);
}

/* In the second of the rows of these channels. */
static void put(Run *r, const SlTensor *x, int64_t channel, float value)
{
    SlTensor rows =
        sl_tensor_view(x->data, x->dtype, 2,
                       SIZES(sl_tensor_elements(x) / x->size[x->rank - 1], x->size[x->rank - 1]));
    SlTensor row = sl_slice(&rows, 0, 1, 1), at = sl_slice(&row, 1, channel, 1);
    SlTensor one = run_values(r, &value, 1);
    one = sl_tensor_view(one.data, one.dtype, 2, SIZES(1, 1));
    sl_copy(r->dev, &one, &at);
}

/* Of these norms an input far from zero, or with a NaN and an infinity in it. */
typedef struct Odd {
    float offset, amplitude;
    bool broken;
} Odd;

static SlTensor norm_input(Run *r, int rank, const int64_t *size, Odd odd)
{
    SlTensor x = run_input(r, rank, size, odd.amplitude);
    if (odd.offset != 0)
        shift(r, &x, odd.offset);
    if (odd.broken) {
        put(r, &x, 3, NAN);
        put(r, &x, size[rank - 1] - 3, INFINITY);
    }
    return x;
}

static void group_norm_of(Run *r, const int64_t s[4], SlGroupNorm norm, Odd odd)
{
    SlTensor x = norm_input(r, 4, s, odd);
    SlWeight *gamma = run_weight(r, SL_WEIGHT_VECTOR, 1, &s[3], 1);
    SlWeight *beta = run_weight(r, SL_WEIGHT_VECTOR, 1, &s[3], 1);
    run_output(r, r->dev->dtype, 4, s, 0);
    OPERATION(r, sl_group_norm(r->dev, &x, gamma, beta, &norm, &r->out))
}

static void group_norm(Run *r, const int64_t s[4], SlGroupNorm norm, bool affine)
{
    SlTensor x = run_input(r, 4, s, 3);
    SlWeight *gamma = affine ? run_weight(r, SL_WEIGHT_VECTOR, 1, &s[3], 1) : NULL;
    SlWeight *beta = affine ? run_weight(r, SL_WEIGHT_VECTOR, 1, &s[3], 1) : NULL;
    run_output(r, r->dev->dtype, 4, s, 0);
    OPERATION(r, sl_group_norm(r->dev, &x, gamma, beta, &norm, &r->out))
}

static void layer_norm(Run *r, int64_t rows, int64_t d, bool affine, Odd odd)
{
    SlTensor x = norm_input(r, 2, SIZES(rows, d), odd);
    SlWeight *gamma = affine ? run_weight(r, SL_WEIGHT_VECTOR, 1, &d, 1) : NULL;
    SlWeight *beta = affine ? run_weight(r, SL_WEIGHT_VECTOR, 1, &d, 1) : NULL;
    run_output(r, r->dev->dtype, 2, SIZES(rows, d), 0);
    OPERATION(r, sl_layer_norm(r->dev, &x, gamma, beta, 1e-5f, &r->out))
}

#define USUAL  ((Odd){.amplitude = 1})
#define BROKEN ((Odd){.amplitude = 1, .broken = true})
/* Far from zero: a variance from rounded squares would be lost. */
#define FAR           ((Odd){.amplitude = 30, .offset = 1000})
#define SILU_NORM(G)  ((SlGroupNorm){G, 1e-5f, SL_ACT_SILU})
#define PLAIN_NORM(G) ((SlGroupNorm){G, 1e-6f, SL_ACT_NONE})

CASE(group_norm_small, group_norm(r, SIZES(2, 3, 5, 10), PLAIN_NORM(2), true))
CASE(group_norm_one_each, group_norm(r, SIZES(1, 7, 5, 32), PLAIN_NORM(32), true))
CASE(group_norm_320, group_norm(r, SIZES(2, 9, 13, 320), PLAIN_NORM(32), true))
CASE(group_norm_plain, group_norm(r, SIZES(1, 1, 3, 66), PLAIN_NORM(3), false))
CASE(group_norm_silu, group_norm(r, SIZES(2, 17, 11, 96), SILU_NORM(32), true))
CASE(group_norm_silu_odd, group_norm(r, SIZES(1, 4, 4, 21), SILU_NORM(7), true))
CASE(group_norm_wide, group_norm(r, SIZES(2, 7, 3, 200), SILU_NORM(4), true))
CASE(group_norm_far, group_norm_of(r, SIZES(2, 40, 33, 96), PLAIN_NORM(6), FAR))
CASE(group_norm_broken, group_norm_of(r, SIZES(2, 9, 5, 136), SILU_NORM(4), BROKEN))
CASE(group_norm_odd_broken, group_norm_of(r, SIZES(1, 9, 5, 21), SILU_NORM(7), BROKEN))
CASE(layer_norm_768, layer_norm(r, 19, 768, true, USUAL))
CASE(layer_norm_odd, layer_norm(r, 3, 33, true, USUAL))
CASE(layer_norm_tiny, layer_norm(r, 2, 5, false, USUAL))
CASE(layer_norm_far, layer_norm(r, 9, 64, true, ((Odd){.amplitude = 1, .offset = 100})))
CASE(layer_norm_wide, layer_norm(r, 5, 200, true, USUAL))
CASE(layer_norm_wide_far, layer_norm(r, 7, 1304, true, FAR))
CASE(layer_norm_broken, layer_norm(r, 3, 200, true, BROKEN))

/* ---- attention ---- */

typedef struct AttentionShape {
    int64_t n, queries, keys;
    int heads;
    int64_t d;
    bool causal, fused; /* fused: q, k and v are slices of one projection, the output has gaps */
    float sharpness;    /* magnitude of queries */
} AttentionShape;

static void attention(Run *r, AttentionShape s)
{
    int64_t c = s.heads * s.d;
    SlTensor q, k, v;
    if (s.fused) {
        SlTensor qkv = run_input(r, 3, SIZES(s.n, s.queries, 3 * c), s.sharpness);
        q = sl_slice(&qkv, 2, 0, c);
        k = sl_slice(&qkv, 2, c, c);
        v = sl_slice(&qkv, 2, 2 * c, c);
    } else {
        q = run_input(r, 3, SIZES(s.n, s.queries, c), s.sharpness);
        k = run_input(r, 3, SIZES(s.n, s.keys, c), 1);
        v = run_input(r, 3, SIZES(s.n, s.keys, c), 1);
    }
    SlAttention a = {s.heads, 1 / sqrtf((float)s.d), s.causal};
    run_output(r, r->dev->dtype, 3, SIZES(s.n, s.queries, c), s.fused ? 3 : 0);
    OPERATION(r, sl_attention(r->dev, &q, &k, &v, &a, &r->out))
}

CASE(attention_one, attention(r, (AttentionShape){1, 1, 1, 1, 1, false, false, 1}))
CASE(attention_text, attention(r, (AttentionShape){2, 77, 77, 3, 64, true, true, 1}))
CASE(attention_cross, attention(r, (AttentionShape){2, 65, 77, 8, 40, false, false, 1}))
CASE(attention_self, attention(r, (AttentionShape){2, 129, 129, 2, 40, false, true, 1}))
CASE(attention_odd, attention(r, (AttentionShape){1, 33, 31, 5, 7, false, true, 1}))
CASE(attention_160, attention(r, (AttentionShape){1, 64, 64, 2, 160, false, true, 1}))
CASE(attention_512, attention(r, (AttentionShape){1, 40, 40, 1, 512, false, false, 1}))
CASE(attention_wide, attention(r, (AttentionShape){1, 5, 9, 1, 531, false, false, 1}))
/* later scores are far above the first ones */
CASE(attention_sharp, attention(r, (AttentionShape){1, 50, 200, 2, 32, false, false, 100}))
CASE(attention_sharp_causal, attention(r, (AttentionShape){1, 300, 300, 1, 40, true, false, 50}))
CASE(attention_long, attention(r, (AttentionShape){1, 3, 1025, 1, 24, false, false, 1}))
/* keys and values of a head that no second cache holds, and of all heads */
CASE(attention_many_keys, attention(r, (AttentionShape){1, 100, 300, 1, 512, false, true, 1}))
CASE(attention_many_heads, attention(r, (AttentionShape){2, 50, 700, 3, 64, false, false, 1}))
/* keys come in tiles of 8 or pieces of 32, and blocks of 128: a few, whole ones, and one more */
CASE(attention_few_keys, attention(r, (AttentionShape){2, 40, 33, 2, 40, false, false, 1}))
CASE(attention_whole_block, attention(r, (AttentionShape){1, 128, 128, 2, 48, true, true, 1}))
CASE(attention_tail, attention(r, (AttentionShape){1, 70, 257, 2, 64, false, false, 1}))
CASE(attention_causal_short, attention(r, (AttentionShape){1, 200, 130, 1, 16, true, false, 1}))

/* Of items 1, 3, ... of a batch, whose keys lie beside their values: as a UNet's. */
static void attention_map(Run *r, AttentionShape s, bool add)
{
    int64_t c = s.heads * s.d;
    SlTensor q = run_input(r, 3, SIZES(2 * s.n, s.queries, c), s.sharpness);
    SlTensor kv = run_input(r, 3, SIZES(2 * s.n, s.keys, 2 * c), 1);
    SlTensor k = sl_slice(&kv, 2, 0, c);
    SlTensor *every_other[] = {&q, &k};
    for (int i = 0; i < 2; i++) {
        *every_other[i] = sl_slice(every_other[i], 0, 1, 2 * s.n - 1);
        every_other[i]->size[0] = s.n;
        every_other[i]->stride[0] *= 2;
    }
    SlAttention a = {s.heads, 1 / sqrtf((float)s.d), false};
    run_output(r, SL_F32, 3, SIZES(s.n, s.queries, s.keys), 0);
    OPERATION(r, sl_attention_map(r->dev, &q, &k, &a, add, &r->out))
}

CASE(attention_map_one, attention_map(r, (AttentionShape){1, 1, 1, 1, 1, false, false, 1}, false))
CASE(attention_map_text,
     attention_map(r, (AttentionShape){2, 65, 77, 8, 40, false, false, 1}, true))
CASE(attention_map_odd, attention_map(r, (AttentionShape){1, 33, 31, 5, 7, false, false, 1}, false))
CASE(attention_map_long,
     attention_map(r, (AttentionShape){1, 13, 231, 2, 64, false, false, 100}, true))
CASE(attention_map_wide,
     attention_map(r, (AttentionShape){1, 5, 9, 1, 531, false, false, 1}, false))

/* ---- elementwise ---- */

static void activation(Run *r, int64_t n, SlActivation act)
{
    SlTensor x = run_input(r, 1, &n, 8);
    run_output(r, r->dev->dtype, 1, &n, 0);
    OPERATION(r, sl_activation(r->dev, &x, act, &r->out))
}

static void extremes(Run *r, SlActivation act, int64_t n)
{
    static const float values[] = {0.f, -0.f, 1e-30f, -1e-30f, 1e-6f, 20,     -20, 88,   -88,
                                   104, -104, 1e4f,   -1e4f,   3e38f, -3e38f, NAN, 0.5f, -0.5f};
    float all[64];
    for (int64_t i = 0; i < n; i++)
        all[i] = values[i % (int64_t)(sizeof values / sizeof *values)];
    SlTensor x = run_values(r, all, n);
    run_output(r, r->dev->dtype, 1, &n, 0);
    OPERATION(r, sl_activation(r->dev, &x, act, &r->out))
}

static void add(Run *r, int64_t n, float scale, bool in_place)
{
    SlTensor a = run_input(r, 1, &n, 1), b = run_input(r, 1, &n, 1);
    if (in_place)
        run_in_place(r, &a);
    else
        run_output(r, r->dev->dtype, 1, &n, 0);
    OPERATION(r, sl_add(r->dev, &a, &b, scale, &r->out))
}

static void geglu(Run *r, int64_t rows, int64_t c)
{
    SlTensor x = run_input(r, 2, SIZES(rows, 2 * c), 3);
    run_output(r, r->dev->dtype, 2, SIZES(rows, c), 0);
    OPERATION(r, sl_geglu(r->dev, &x, &r->out))
}

static void add_per_channel(Run *r)
{
    SlTensor x = run_input(r, 4, SIZES(2, 3, 5, 19), 1), c = run_input(r, 2, SIZES(2, 19), 1);
    run_output(r, r->dev->dtype, 4, x.size, 0);
    OPERATION(r, sl_add_per_channel(r->dev, &x, &c, &r->out))
}

static void scale_shift(Run *r)
{
    SlTensor x = run_input(r, 4, SIZES(2, 3, 5, 19), 1), c = run_input(r, 2, SIZES(2, 38), 1);
    run_output(r, r->dev->dtype, 4, x.size, 0);
    OPERATION(r, sl_scale_shift(r->dev, &x, &c, &r->out))
}

static void guidance(Run *r)
{
    SlTensor x = run_input(r, 4, SIZES(2, 7, 9, 4), 1), g = run_input_as(r, SL_F32, 1, SIZES(1), 9);
    SlTensor said = sl_permute(&x, (const int[]){0, 3, 1, 2});
    run_output(r, SL_F32, 4, SIZES(3, 4, 7, 9), 0);
    OPERATION(r, sl_guidance(r->dev, &said, &g, &r->out))
}

static void residual_change(Run *r, const int64_t *size)
{
    SlTensor block = run_input(r, 4, size, 1), was = run_input(r, 4, size, 1);
    run_output(r, SL_F32, 1, SIZES(2), 0);
    OPERATION(r, sl_residual_change(r->dev, &block, &was, &r->out))
}

static void to_rgb8(Run *r)
{
    SlTensor x = run_input(r, 4, SIZES(1, 9, 7, 3), 1.5f);
    run_output(r, SL_U8, 4, x.size, 0);
    OPERATION(r, sl_to_rgb8(r->dev, &x, &r->out))
}

CASE(residual_change_odd, residual_change(r, SIZES(4, 5, 3, 7)))
CASE(residual_change_pieces, residual_change(r, SIZES(4, 150, 3, 41)))
CASE(silu, activation(r, 1003, SL_ACT_SILU))
CASE(gelu, activation(r, 517, SL_ACT_GELU))
CASE(gelu_tanh, activation(r, 33, SL_ACT_GELU_TANH))
CASE(quick_gelu, activation(r, 20001, SL_ACT_QUICK_GELU))
CASE(relu, activation(r, 15, SL_ACT_RELU))
CASE(tanh_act, activation(r, 16, SL_ACT_TANH))
CASE(mish, activation(r, 1001, SL_ACT_MISH))
CASE(no_activation, activation(r, 31, SL_ACT_NONE))
CASE(gelu_tanh_many, activation(r, 333, SL_ACT_GELU_TANH))
CASE(silu_many_extremes, extremes(r, SL_ACT_SILU, 64))
CASE(gelu_many_extremes, extremes(r, SL_ACT_GELU, 64))
CASE(gelu_tanh_many_extremes, extremes(r, SL_ACT_GELU_TANH, 64))
CASE(quick_gelu_many_extremes, extremes(r, SL_ACT_QUICK_GELU, 64))
CASE(silu_extremes, extremes(r, SL_ACT_SILU, 18))
CASE(gelu_extremes, extremes(r, SL_ACT_GELU, 18))
CASE(quick_gelu_extremes, extremes(r, SL_ACT_QUICK_GELU, 18))
CASE(mish_extremes, extremes(r, SL_ACT_MISH, 18))
CASE(tanh_extremes, extremes(r, SL_ACT_TANH, 18))
CASE(relu_extremes, extremes(r, SL_ACT_RELU, 18))
CASE(add_one, add(r, 1, 1, false))
CASE(add_scaled, add(r, 40003, 0.7071f, false))
CASE(add_in_place, add(r, 1001, 1, true))
CASE(geglu_odd, geglu(r, 11, 37))
CASE(geglu_wide, geglu(r, 5, 200))
CASE(geglu_even, geglu(r, 3, 128))

/* ---- layout ---- */

static void concat(Run *r)
{
    SlTensor a = run_input(r, 4, SIZES(2, 3, 4, 13), 1), b = run_input(r, 4, SIZES(2, 3, 4, 6), 1);
    run_output(r, r->dev->dtype, 4, SIZES(2, 3, 4, 19), 0);
    OPERATION(r, sl_concat(r->dev, &a, &b, &r->out))
}

static void upsample(Run *r, int64_t h, int64_t w)
{
    SlTensor x = run_input(r, 4, SIZES(2, 3, 5, 7), 1);
    run_output(r, r->dev->dtype, 4, SIZES(2, h, w, 7), 0);
    OPERATION(r, sl_upsample(r->dev, &x, &r->out))
}

static void avg_pool2(Run *r)
{
    SlTensor x = run_input(r, 4, SIZES(2, 7, 6, 5), 1);
    run_output(r, r->dev->dtype, 4, SIZES(2, 3, 3, 5), 0);
    OPERATION(r, sl_avg_pool2(r->dev, &x, &r->out))
}

/* NCHW to NHWC, into rows with gaps where gap says so. */
static void copy_nchw(Run *r, SlDtype from, SlDtype to, int64_t gap)
{
    SlTensor x = run_input_as(r, from, 4, SIZES(2, 5, 6, 7), 1);
    SlTensor view = sl_permute(&x, (const int[]){0, 2, 3, 1});
    run_output(r, to, 4, view.size, gap);
    OPERATION(r, sl_copy(r->dev, &view, &r->out))
}

static void copy_permuted_as(Run *r, const int64_t size[4], const int axes[4], SlDtype to)
{
    SlTensor x = run_input(r, 4, size, 1), view = sl_permute(&x, axes);
    run_output(r, to, 4, view.size, 0);
    OPERATION(r, sl_copy(r->dev, &view, &r->out))
}

static void copy_plain(Run *r, SlDtype from, SlDtype to, int64_t n)
{
    SlTensor x = run_input_as(r, from, 1, &n, 1);
    run_output(r, to, 1, &n, 0);
    OPERATION(r, sl_copy(r->dev, &x, &r->out))
}

static void copy_ids(Run *r)
{
    SlTensor x = run_ids(r, 3, 5, 100000), t = sl_permute(&x, (const int[]){1, 0});
    run_output(r, SL_I32, 2, t.size, 0);
    OPERATION(r, sl_copy(r->dev, &t, &r->out))
}

CASE(upsample_twice, upsample(r, 6, 10))
CASE(upsample_odd, upsample(r, 7, 8))
CASE(upsample_less, upsample(r, 2, 3))
CASE(copy_same, copy_plain(r, r->dev->dtype, r->dev->dtype, 1001))
CASE(copy_widen, copy_plain(r, SL_BF16, SL_F32, 1001))
CASE(copy_narrow, copy_plain(r, SL_F32, SL_BF16, 77))
CASE(copy_half, copy_plain(r, SL_F16, SL_F32, 130))
CASE(copy_heads, copy_permuted_as(r, SIZES(2, 5, 3, 40), (const int[]){0, 2, 1, 3}, r->dev->dtype))
CASE(copy_heads_cast, copy_permuted_as(r, SIZES(2, 5, 3, 40), (const int[]){0, 2, 1, 3}, SL_F32))
CASE(copy_picture, copy_permuted_as(r, SIZES(1, 150, 130, 3), (const int[]){0, 3, 1, 2}, SL_F32))
CASE(copy_reversed,
     copy_permuted_as(r, SIZES(3, 9, 4, 23), (const int[]){3, 2, 1, 0}, r->dev->dtype))
CASE(copy_permuted, copy_nchw(r, r->dev->dtype, r->dev->dtype, 0))
CASE(copy_permuted_cast, copy_nchw(r, SL_F32, r->dev->dtype, 0))
CASE(copy_gaps, copy_nchw(r, r->dev->dtype, SL_F32, 3))

/* ---- embeddings ---- */

static void embedding(Run *r, bool with_positions)
{
    SlTensor ids = run_ids(r, 2, 9, 50);
    SlWeight *tokens = run_weight(r, SL_WEIGHT_TABLE, 2, SIZES(50, 21), 1);
    SlWeight *positions =
        with_positions ? run_weight(r, SL_WEIGHT_TABLE, 2, SIZES(11, 21), 1) : NULL;
    run_output(r, r->dev->dtype, 3, SIZES(2, 9, 21), 0);
    OPERATION(r, sl_embedding(r->dev, &ids, tokens, positions, &r->out))
}

static void timestep(Run *r, int64_t dim, bool flip, float shift)
{
    SlTimestepEmbedding e = {flip, shift, 10000};
    SlTensor t = run_input_as(r, SL_F32, 1, SIZES(3), 999);
    run_output(r, r->dev->dtype, 2, SIZES(3, dim), 0);
    OPERATION(r, sl_timestep_embedding(r->dev, &t, &e, &r->out))
}

CASE(embedding_positions, embedding(r, true))
CASE(embedding_alone, embedding(r, false))
CASE(timestep_flipped, timestep(r, 320, true, 0))
CASE(timestep_odd, timestep(r, 33, false, 1))

#define ENTRY(NAME) \
    {               \
#NAME, NAME \
    }
/* Numbers depend on the place: new ones come last. */
const Case cases[] = {
    ENTRY(linear_one),
    ENTRY(linear_small),
    ENTRY(linear_row),
    ENTRY(linear_text),
    ENTRY(linear_long),
    ENTRY(linear_residual),
    ENTRY(linear_in_place),
    ENTRY(linear_scale),
    ENTRY(linear_everything),
    ENTRY(conv_3x3),
    ENTRY(conv_3x3_wide),
    ENTRY(conv_first),
    ENTRY(conv_last),
    ENTRY(conv_pixels),
    ENTRY(conv_1x1),
    ENTRY(conv_down),
    ENTRY(conv_down_right),
    ENTRY(conv_down_over),
    ENTRY(conv_point),
    ENTRY(conv_time),
    ENTRY(conv_residual),
    ENTRY(conv_in_place),
    ENTRY(conv_everything),
    ENTRY(conv_relu),
    ENTRY(conv_many_pixels),
    ENTRY(upsample_conv_twice),
    ENTRY(upsample_conv_odd),
    ENTRY(upsample_conv_residual),
    ENTRY(linear_geglu_odd),
    ENTRY(linear_geglu_plain),
    ENTRY(group_norm_small),
    ENTRY(group_norm_one_each),
    ENTRY(group_norm_320),
    ENTRY(group_norm_plain),
    ENTRY(group_norm_silu),
    ENTRY(group_norm_silu_odd),
    ENTRY(layer_norm_768),
    ENTRY(layer_norm_odd),
    ENTRY(layer_norm_tiny),
    ENTRY(layer_norm_far),
    ENTRY(attention_one),
    ENTRY(attention_text),
    ENTRY(attention_cross),
    ENTRY(attention_self),
    ENTRY(attention_odd),
    ENTRY(attention_160),
    ENTRY(attention_512),
    ENTRY(attention_wide),
    ENTRY(attention_sharp),
    ENTRY(attention_sharp_causal),
    ENTRY(attention_long),
    ENTRY(attention_many_keys),
    ENTRY(attention_many_heads),
    ENTRY(attention_few_keys),
    ENTRY(attention_whole_block),
    ENTRY(attention_tail),
    ENTRY(attention_causal_short),
    ENTRY(attention_map_one),
    ENTRY(attention_map_text),
    ENTRY(attention_map_odd),
    ENTRY(attention_map_long),
    ENTRY(attention_map_wide),
    ENTRY(silu),
    ENTRY(gelu),
    ENTRY(gelu_tanh),
    ENTRY(quick_gelu),
    ENTRY(relu),
    ENTRY(tanh_act),
    ENTRY(no_activation),
    ENTRY(silu_extremes),
    ENTRY(gelu_extremes),
    ENTRY(quick_gelu_extremes),
    ENTRY(mish),
    ENTRY(mish_extremes),
    ENTRY(tanh_extremes),
    ENTRY(relu_extremes),
    ENTRY(add_one),
    ENTRY(add_scaled),
    ENTRY(add_in_place),
    ENTRY(geglu_odd),
    ENTRY(geglu_even),
    ENTRY(add_per_channel),
    ENTRY(scale_shift),
    ENTRY(guidance),
    ENTRY(residual_change_odd),
    ENTRY(residual_change_pieces),
    ENTRY(to_rgb8),
    ENTRY(concat),
    ENTRY(upsample_twice),
    ENTRY(upsample_odd),
    ENTRY(upsample_less),
    ENTRY(avg_pool2),
    ENTRY(copy_same),
    ENTRY(copy_widen),
    ENTRY(copy_narrow),
    ENTRY(copy_half),
    ENTRY(copy_permuted),
    ENTRY(copy_permuted_cast),
    ENTRY(copy_gaps),
    ENTRY(copy_ids),
    ENTRY(embedding_positions),
    ENTRY(embedding_alone),
    ENTRY(timestep_flipped),
    ENTRY(timestep_odd),
    ENTRY(conv_tiles),
    ENTRY(conv_tiles_in_place),
    ENTRY(linear_tiles),
    ENTRY(linear_tiles_deep),
    ENTRY(linear_tiles_chunks),
    ENTRY(conv_tiles_deep),
    ENTRY(conv_tiles_chunks),
    ENTRY(conv_tiles_down),
    ENTRY(conv_runs_8),
    ENTRY(conv_runs_16),
    ENTRY(conv_runs_24),
    ENTRY(conv_runs_down),
    ENTRY(conv_runs_1x1),
    ENTRY(upsample_conv_runs),
    ENTRY(conv_winograd_part),
    ENTRY(conv_4x4),
    ENTRY(linear_geglu_tiles),
    ENTRY(linear_geglu_deep),
    ENTRY(upsample_conv_tiles),
    ENTRY(conv_1x1_even),
    ENTRY(conv_1x1_act),
    ENTRY(group_norm_wide),
    ENTRY(group_norm_far),
    ENTRY(group_norm_broken),
    ENTRY(group_norm_odd_broken),
    ENTRY(layer_norm_wide),
    ENTRY(layer_norm_wide_far),
    ENTRY(layer_norm_broken),
    ENTRY(gelu_tanh_many),
    ENTRY(silu_many_extremes),
    ENTRY(gelu_many_extremes),
    ENTRY(gelu_tanh_many_extremes),
    ENTRY(quick_gelu_many_extremes),
    ENTRY(geglu_wide),
    ENTRY(copy_heads),
    ENTRY(copy_heads_cast),
    ENTRY(copy_picture),
    ENTRY(copy_reversed),
};
const int case_count = sizeof cases / sizeof *cases;

/* ---- large enough that a product may be cut between threads in every way ---- */

CASE(wide_linear, linear(r, 2, 1280, 1280, (Parts){.bias = true}))
CASE(deep_linear, linear(r, 77, 4096, 96, (Parts){.bias = true}))
CASE(tall_linear, linear(r, 1500, 320, 320, (Parts){.bias = true, .residual = true}))
CASE(single_linear, linear(r, 1, 2048, 512, (Parts){.bias = true, .act = SL_ACT_SILU}))
CASE(deep_conv, conv(r, (ConvShape){2, 8, 8, 640, 320, 3, SAME3}, (Parts){.bias = true}))
CASE(large_conv, conv(r, (ConvShape){1, 64, 64, 64, 64, 3, SAME3}, (Parts){.bias = true}))
CASE(last_conv, conv(r, (ConvShape){1, 64, 64, 128, 3, 3, SAME3}, (Parts){.bias = true}))
CASE(down_conv,
     conv(r, (ConvShape){2, 32, 32, 128, 128, 3, {2, 1, 1, 1, 1}}, (Parts){.bias = true}))
CASE(point_conv, conv(r, (ConvShape){2, 16, 16, 640, 320, 1, SAME1}, (Parts){.bias = true}))
CASE(winograd_conv, conv(r, (ConvShape){1, 33, 47, 128, 160, 3, SAME3}, (Parts){.bias = true}))
CASE(winograd_batch, conv(r, (ConvShape){2, 64, 64, 64, 320, 3, SAME3}, (Parts){.bias = true}))
CASE(winograd_large, conv(r, (ConvShape){1, 200, 130, 128, 128, 3, SAME3}, (Parts){0}))
CASE(winograd_few, conv(r, (ConvShape){2, 8, 8, 640, 96, 3, SAME3}, (Parts){.bias = true}))
CASE(geglu_many, linear_geglu(r, 700, 64, 128, true))
CASE(winograd_deep, conv(r, (ConvShape){1, 32, 32, 512, 512, 3, SAME3}, (Parts){.bias = true}))
CASE(large_norm, group_norm(r, SIZES(2, 64, 33, 64), SILU_NORM(32), true))

const Case thread_cases[] = {
    ENTRY(wide_linear),    ENTRY(deep_linear),   ENTRY(tall_linear),   ENTRY(single_linear),
    ENTRY(deep_conv),      ENTRY(large_conv),    ENTRY(last_conv),     ENTRY(down_conv),
    ENTRY(point_conv),     ENTRY(large_norm),    ENTRY(winograd_conv), ENTRY(winograd_batch),
    ENTRY(winograd_large), ENTRY(winograd_deep), ENTRY(winograd_few),  ENTRY(geglu_many),
};
const int thread_count = sizeof thread_cases / sizeof *thread_cases;

/* ---- the shapes that a step of Stable Diffusion 1.5 spends its time on ---- */

#define RESNET ((Parts){.bias = true, .per_channel = true})
CASE(bench_conv_64, conv(r, (ConvShape){2, 64, 64, 320, 320, 3, SAME3}, RESNET))
CASE(bench_conv_32, conv(r, (ConvShape){2, 32, 32, 640, 640, 3, SAME3}, RESNET))
CASE(bench_conv_16, conv(r, (ConvShape){2, 16, 16, 1280, 1280, 3, SAME3}, RESNET))
CASE(bench_conv_8, conv(r, (ConvShape){2, 8, 8, 1280, 1280, 3, SAME3}, RESNET))
CASE(bench_conv_vae, conv(r, (ConvShape){1, 256, 256, 256, 256, 3, SAME3}, (Parts){.bias = true}))
CASE(bench_linear_64, linear(r, 8192, 320, 320, (Parts){.bias = true, .residual = true}))
CASE(bench_linear_16, linear(r, 512, 1280, 1280, (Parts){.bias = true, .residual = true}))
CASE(bench_geglu_64, linear_geglu(r, 8192, 320, 1280, true))
CASE(bench_attention_64, attention(r, (AttentionShape){2, 4096, 4096, 8, 40, false, true, 1}))
CASE(bench_attention_32, attention(r, (AttentionShape){2, 1024, 1024, 8, 80, false, true, 1}))
CASE(bench_attention_text, attention(r, (AttentionShape){2, 4096, 77, 8, 40, false, false, 1}))
CASE(bench_attention_map,
     attention_map(r, (AttentionShape){1, 4096, 77, 8, 40, false, false, 1}, true))
CASE(bench_group_norm_64, group_norm(r, SIZES(2, 64, 64, 320), SILU_NORM(32), true))
CASE(bench_group_norm_16, group_norm(r, SIZES(2, 16, 16, 1280), SILU_NORM(32), true))
CASE(bench_group_norm_vae, group_norm(r, SIZES(1, 256, 256, 256), SILU_NORM(32), true))
CASE(bench_layer_norm, layer_norm(r, 8192, 320, true, USUAL))
CASE(bench_add, add(r, 8192 * 320, 1, false))
CASE(bench_residual_change, residual_change(r, SIZES(4, 64, 64, 320)))

const Case bench_cases[] = {
    ENTRY(bench_conv_64),       ENTRY(bench_conv_32),         ENTRY(bench_conv_16),
    ENTRY(bench_conv_8),        ENTRY(bench_conv_vae),        ENTRY(bench_linear_64),
    ENTRY(bench_linear_16),     ENTRY(bench_geglu_64),        ENTRY(bench_attention_64),
    ENTRY(bench_attention_32),  ENTRY(bench_attention_text),  ENTRY(bench_group_norm_64),
    ENTRY(bench_group_norm_16), ENTRY(bench_group_norm_vae),  ENTRY(bench_layer_norm),
    ENTRY(bench_add),           ENTRY(bench_residual_change), ENTRY(bench_attention_map),
};
const int bench_count = sizeof bench_cases / sizeof *bench_cases;
