/* cases_elementwise.c - everything that is neither a product nor a norm. */
#include "kernels/q8.h"
#include "pair.h"

#include <math.h>
#include <string.h>

static SlTensor *ref_out(Bench *b)
{
    return &b->out.host;
}

static void activation(Bench *b, SlActivation act, int64_t n, float scale)
{
    Pair x = pair_input(b, 1, &n, scale), *out = pair_output(b, b->dtype, 1, &n, 0);
    b->ref->ops->activation(b->ref, &x.host, act, ref_out(b));
    bench_compare(b, sl_launch_activation(&x.dev, act, &out->dev, b->stream), "activation %d of %d",
                  (int)act, (int)n);
}

static void extremes(Bench *b, SlActivation act)
{
    static const float values[] = {0.f,  -0.f, 1e-30f, -1e-30f, 20,   -20,   88,
                                   -104, 1e4f, -1e4f,  NAN,     0.5f, 3e38f, -3e38f};
    int64_t n = sizeof values / sizeof *values;
    uint32_t typed[32];
    sl_convert(values, SL_F32, typed, b->dtype, (size_t)n);
    Pair x = pair_values(b, b->dtype, n, typed), *out = pair_output(b, b->dtype, 1, &n, 0);
    b->ref->ops->activation(b->ref, &x.host, act, ref_out(b));
    bench_compare(b, sl_launch_activation(&x.dev, act, &out->dev, b->stream),
                  "activation %d of extremes", (int)act);
}

static void add(Bench *b, int64_t n, float scale, bool in_place)
{
    Pair x = pair_input(b, 1, &n, 1), y = pair_input(b, 1, &n, 1);
    if (in_place)
        pair_in_place(b, &x);
    else
        pair_output(b, b->dtype, 1, &n, 0);
    b->ref->ops->add(b->ref, &x.host, &y.host, scale, ref_out(b));
    bench_compare(b, sl_launch_add(&x.dev, &y.dev, scale, &b->out.dev, b->stream), "add %d%s",
                  (int)n, in_place ? " in place" : "");
}

static void add_per_channel(Bench *b, int64_t hw, int64_t c)
{
    Pair x = pair_input(b, 3, SIZES(2, hw, c), 1), add = pair_input(b, 2, SIZES(2, c), 1);
    Pair *out = pair_output(b, b->dtype, 3, x.host.size, 0);
    b->ref->ops->add_per_channel(b->ref, &x.host, &add.host, ref_out(b));
    bench_compare(b, sl_launch_add_per_channel(&x.dev, &add.dev, &out->dev, b->stream),
                  "add per channel %d x %d", (int)hw, (int)c);
}

static void scale_shift(Bench *b, int64_t hw, int64_t c)
{
    Pair x = pair_input(b, 3, SIZES(2, hw, c), 1), numbers = pair_input(b, 2, SIZES(2, 2 * c), 1);
    Pair *out = pair_output(b, b->dtype, 3, x.host.size, 0);
    b->ref->ops->scale_shift(b->ref, &x.host, &numbers.host, ref_out(b));
    bench_compare(b, sl_launch_scale_shift(&x.dev, &numbers.dev, &out->dev, b->stream),
                  "scale shift %d x %d", (int)hw, (int)c);
}

static void geglu(Bench *b, int64_t rows, int64_t c)
{
    Pair x = pair_input(b, 2, SIZES(rows, 2 * c), 3);
    Pair *out = pair_output(b, b->dtype, 2, SIZES(rows, c), 0);
    b->ref->ops->geglu(b->ref, &x.host, ref_out(b));
    bench_compare(b, sl_launch_geglu(&x.dev, &out->dev, b->stream), "geglu %d x %d", (int)rows,
                  (int)c);
}

static void concat(Bench *b, int64_t da, int64_t db)
{
    Pair x = pair_input(b, 2, SIZES(7, da), 1), y = pair_input(b, 2, SIZES(7, db), 1);
    Pair *out = pair_output(b, b->dtype, 2, SIZES(7, da + db), 0);
    b->ref->ops->concat(b->ref, &x.host, &y.host, ref_out(b));
    bench_compare(b, sl_launch_concat(&x.dev, &y.dev, &out->dev, b->stream), "concat %d and %d",
                  (int)da, (int)db);
}

static void upsample(Bench *b, int64_t oh, int64_t ow, int64_t c)
{
    Pair x = pair_input(b, 4, SIZES(2, 3, 5, c), 1);
    Pair *out = pair_output(b, b->dtype, 4, SIZES(2, oh, ow, c), 0);
    b->ref->ops->upsample(b->ref, &x.host, ref_out(b));
    bench_compare(b, sl_launch_upsample(&x.dev, &out->dev, b->stream),
                  "upsample to %d x %d, %d channels", (int)oh, (int)ow, (int)c);
}

static void avg_pool2(Bench *b)
{
    Pair x = pair_input(b, 4, SIZES(2, 7, 6, 5), 1);
    Pair *out = pair_output(b, b->dtype, 4, SIZES(2, 3, 3, 5), 0);
    b->ref->ops->avg_pool2(b->ref, &x.host, ref_out(b));
    bench_compare(b, sl_launch_avg_pool2(&x.dev, &out->dev, b->stream), "avg_pool2");
}

/* NCHW to NHWC with a gap after each pixel. */
static void copy_permuted(Bench *b, SlDtype from, SlDtype to, int64_t gap)
{
    static const int axes[] = {0, 2, 3, 1};
    Pair x = pair_input_as(b, from, 4, SIZES(2, 5, 6, 7), 1);
    SlTensor host = sl_permute(&x.host, axes), dev = sl_permute(&x.dev, axes);
    Pair *out = pair_output(b, to, 4, host.size, 5 + gap);
    b->ref->ops->copy(b->ref, &host, ref_out(b));
    bench_compare(b, sl_launch_copy(&dev, &out->dev, b->stream), "copy %s to %s, gap %d",
                  sl_dtype_name(from), sl_dtype_name(to), (int)gap);
}

static void copy_bytes(Bench *b)
{
    unsigned char values[77];
    for (int i = 0; i < 77; i++)
        values[i] = (unsigned char)(i * 3);
    Pair x = pair_values(b, SL_U8, 77, values), *out = pair_output(b, SL_U8, 1, SIZES(77), 0);
    b->ref->ops->copy(b->ref, &x.host, ref_out(b));
    bench_compare(b, sl_launch_copy(&x.dev, &out->dev, b->stream), "copy bytes");
}

static void embedding(Bench *b, bool with_positions)
{
    static const int32_t ids[] = {3, 0, 10, 7, 7, 1};
    Pair i = pair_values(b, SL_I32, 6, ids);
    Pair tokens = pair_input(b, 2, SIZES(11, 21), 1), positions = pair_input(b, 2, SIZES(4, 21), 1);
    SlWeight t = {.kind = SL_WEIGHT_TABLE, .rank = 2, .size = {11, 21}, .value = tokens.host};
    SlWeight p = {.kind = SL_WEIGHT_TABLE, .rank = 2, .size = {4, 21}, .value = positions.host};
    SlTensor host = sl_tensor_view(i.host.data, SL_I32, 2, SIZES(2, 3));
    SlTensor dev = sl_tensor_view(i.dev.data, SL_I32, 2, SIZES(2, 3));
    Pair *out = pair_output(b, b->dtype, 3, SIZES(2, 3, 21), 0);
    b->ref->ops->embedding(b->ref, &host, &t, with_positions ? &p : NULL, ref_out(b));
    bench_compare(b,
                  sl_launch_embedding(&dev, &tokens.dev, with_positions ? &positions.dev : NULL,
                                      &out->dev, b->stream),
                  "embedding%s", with_positions ? " with positions" : "");
}

/* A product's weights of [outputs, channels, taps] in 8 bits and back, channels padded. */
static void q8(Bench *b, int64_t outputs, int64_t channels, int64_t taps, int64_t padded)
{
    Pair w = pair_input(b, 4, SIZES(outputs, channels, taps, 1), 1);
    Pair *out = pair_output(b, b->dtype, 3, SIZES(outputs, taps, padded), 0);
    SlQ8Weight q = sl_q8_weight(&w.host);
    int64_t blocks = (q.depth + SL_Q8_BLOCK - 1) / SL_Q8_BLOCK;
    size_t size = sl_dtype_size(b->dtype);
    memset(ref_out(b)->data, 0, (size_t)(outputs * taps * padded) * size);
    SlQ8Launch launch = {.outputs = outputs,
                         .channels = (int)channels,
                         .taps = (int)taps,
                         .padded = (int)padded,
                         .scale = pair_scratch(b, (size_t)(outputs * blocks) * sizeof(uint16_t)),
                         .value = pair_scratch(b, (size_t)(outputs * blocks) * SL_Q8_BLOCK)};
    for (int64_t i = 0; i < outputs * blocks; i++) {
        float values[SL_Q8_BLOCK];
        int8_t rounded[SL_Q8_BLOCK];
        sl_q8_read(&q, i / blocks, i % blocks * SL_Q8_BLOCK, values);
        float scale = sl_q8_round(values, rounded);
        for (int64_t k = 0, e = i % blocks * SL_Q8_BLOCK; k < SL_Q8_BLOCK && e < q.depth;
             k++, e++) {
            int64_t at = (i / blocks * taps + e / channels) * padded + e % channels;
            float value = scale * (float)rounded[k];
            sl_convert(&value, SL_F32, (char *)ref_out(b)->data + (size_t)at * size, b->dtype, 1);
        }
    }
    cudaError_t launched = sl_launch_q8_round(&launch, &w.dev, b->stream);
    if (launched == cudaSuccess)
        launched = sl_launch_q8_plain(&launch, &out->dev, b->stream);
    bench_compare(b, launched, "8 bits, %d x %d x %d", (int)outputs, (int)channels, (int)taps);
}

static void timestep(Bench *b, int64_t dim, bool flip, float shift)
{
    static const float times[] = {0, 999, 421.5f};
    SlTimestepEmbedding e = {flip, shift, 10000};
    Pair t = pair_values(b, SL_F32, 3, times), *out = pair_output(b, b->dtype, 2, SIZES(3, dim), 0);
    b->ref->ops->timestep_embedding(b->ref, &t.host, &e, ref_out(b));
    bench_compare(b, sl_launch_timestep_embedding(&t.dev, &e, &out->dev, b->stream),
                  "timestep embedding %d%s", (int)dim, flip ? " flipped" : "");
}

/* What the last convolution leaves: channels last. */
static void guidance(Bench *b, int64_t h, int64_t w, int64_t c)
{
    static const int axes[] = {0, 3, 1, 2};
    static const float scale = 7.5f;
    Pair x = pair_input(b, 4, SIZES(2, h, w, c), 1), g = pair_values(b, SL_F32, 1, &scale);
    SlTensor host = sl_permute(&x.host, axes), dev = sl_permute(&x.dev, axes);
    Pair *out = pair_output(b, SL_F32, 4, SIZES(3, c, h, w), 0);
    b->ref->ops->guidance(b->ref, &host, &g.host, ref_out(b));
    bench_compare(b, sl_launch_guidance(&dev, &g.dev, &out->dev, b->stream),
                  "guidance %d x %d x %d", (int)h, (int)w, (int)c);
}

/* What was said lies where it goes. */
static void guidance_in_place(Bench *b)
{
    static const float scale = 3;
    Pair x = pair_input_as(b, SL_F32, 4, SIZES(3, 4, 5, 7), 1),
         g = pair_values(b, SL_F32, 1, &scale);
    SlTensor host = sl_slice(&x.host, 0, 1, 2), dev = sl_slice(&x.dev, 0, 1, 2);
    pair_in_place(b, &x);
    b->ref->ops->guidance(b->ref, &host, &g.host, ref_out(b));
    bench_compare(b, sl_launch_guidance(&dev, &g.dev, &b->out.dev, b->stream), "guidance in place");
}

static void residual_change(Bench *b, int64_t h, int64_t c)
{
    Pair now = pair_input(b, 4, SIZES(2, h, 3, c), 1), was = pair_input(b, 4, SIZES(2, h, 3, c), 1);
    Pair *out = pair_output(b, SL_F32, 1, SIZES(2), 0);
    float *partial = pair_scratch(b, SL_CHANGE_SUMS * sizeof(float));
    b->ref->ops->residual_change(b->ref, &now.host, &was.host, ref_out(b));
    bench_compare(b, sl_launch_residual_change(&now.dev, &was.dev, partial, &out->dev, b->stream),
                  "residual change %d x 3 x %d", (int)h, (int)c);
}

static void to_rgb8(Bench *b, int64_t n)
{
    Pair x = pair_input(b, 1, &n, 1.5f), *out = pair_output(b, SL_U8, 1, &n, 0);
    b->ref->ops->to_rgb8(b->ref, &x.host, ref_out(b));
    bench_compare(b, sl_launch_to_rgb8(&x.dev, &out->dev, b->stream), "to_rgb8 %d", (int)n);
}

static void layouts(Bench *b)
{
    concat(b, 16, 40);
    concat(b, 13, 6);
    upsample(b, 6, 10, 16);
    upsample(b, 7, 8, 7);
    upsample(b, 2, 3, 8);
    avg_pool2(b);
    copy_permuted(b, b->dtype, b->dtype, 0);
    copy_permuted(b, b->dtype, SL_F32, 3);
    copy_permuted(b, SL_F32, b->dtype, 0);
    copy_permuted(b, SL_F16, SL_BF16, 1);
    copy_bytes(b);
}

void test_elementwise(Bench *b)
{
    for (int act = SL_ACT_NONE; act < SL_ACT_COUNT; act++) {
        activation(b, (SlActivation)act, 517, 8);
        extremes(b, (SlActivation)act);
    }
    add(b, 1, 1, false);
    add(b, 1003, 0.7071f, false);
    add(b, 4096, 0.5f, true);
    add_per_channel(b, 15, 19);
    scale_shift(b, 15, 19);
    geglu(b, 11, 37);
    geglu(b, 3, 128);
    layouts(b);
    embedding(b, true);
    embedding(b, false);
    q8(b, 3, 64, 1, 64);
    q8(b, 5, 7, 9, 8);
    timestep(b, 320, true, 0);
    timestep(b, 33, false, 1);
    guidance(b, 13, 7, 4);
    guidance(b, 1, 1, 3);
    guidance_in_place(b);
    residual_change(b, 1, 1);
    residual_change(b, 5, 7);
    residual_change(b, 41, 150);
    to_rgb8(b, 189);
}
