/* cases_conv.c - convolutions: every tile size, pieces that 16 bytes do not divide, strides and
 * paddings of either side, epilogues, k in parts, upsampling on the way. */
#include "pair.h"

typedef struct Shape {
    int64_t n, h, w, in, out, kernel;
    SlConv conv;
} Shape;

typedef struct Parts {
    bool bias, per_channel, residual, in_place;
    SlActivation act;
    float scale;
    size_t partial_bytes;
} Parts;

static SlConvLaunch describe(const Bench *b, const Shape *s, const Pair *x, const void *w)
{
    return (SlConvLaunch){
        .dtype = b->dtype,
        .x = x->dev.data,
        .w = w,
        .n = (int)s->n,
        .h = (int)s->h,
        .wd = (int)s->w,
        .cin = (int)s->in,
        .cin_padded = (int)(b->dtype == SL_F32 ? s->in : (s->in + 7) / 8 * 8),
        .cout = (int)s->out,
        .kh = (int)s->kernel,
        .kw = (int)s->kernel,
        .stride = s->conv.stride,
        .pad_top = s->conv.pad_top,
        .pad_left = s->conv.pad_left,
    };
}

/* oh, ow: 0 for an ordinary convolution, else the size that x is upsampled to. */
static void run(Bench *b, Shape s, Parts p, int64_t oh, int64_t ow)
{
    bool up = oh > 0;
    Pair x = pair_input(b, 4, SIZES(s.n, s.h, s.w, s.in), 1), residual = {0}, add = {0};
    SlWeight *w;
    SlEpilogue e = {.act = p.act, .scale = p.scale};
    SlConvLaunch c =
        describe(b, &s, &x, conv_weight(b, SIZES(s.out, s.in, s.kernel, s.kernel), &w));
    if (!up) {
        oh = (s.h + s.conv.pad_top + s.conv.pad_bottom - s.kernel) / s.conv.stride + 1;
        ow = (s.w + s.conv.pad_left + s.conv.pad_right - s.kernel) / s.conv.stride + 1;
    }
    if (p.bias) {
        Vector bias = vector_input(b, s.out, 0.5f);
        e.bias = bias.host;
        c.bias = bias.dev;
    }
    if (p.per_channel) {
        add = pair_input(b, 2, SIZES(s.n, s.out), 1);
        e.per_channel = &add.host;
        c.per_channel = add.dev.data;
    }
    if (p.residual) {
        residual = pair_input(b, 4, SIZES(s.n, oh, ow, s.out), 1);
        e.residual = &residual.host;
        c.residual = residual.dev.data;
    }
    if (p.in_place)
        pair_in_place(b, &residual);
    else
        pair_output(b, b->dtype, 4, SIZES(s.n, oh, ow, s.out), 0);
    c.y = b->out.dev.data;
    c.oh = (int)oh;
    c.ow = (int)ow;
    c.up_h = up ? (int)oh : 0;
    c.up_w = up ? (int)ow : 0;
    c.act = p.act;
    c.scale = p.scale == 0 ? 1 : p.scale;
    c.partial = pair_scratch(b, p.partial_bytes);
    c.partial_bytes = p.partial_bytes;
    if (up)
        b->ref->ops->upsample_conv2d(b->ref, &x.host, w, &e, &b->out.host);
    else
        b->ref->ops->conv2d_epilogue(b->ref, &x.host, w, &s.conv, &e, &b->out.host);
    bench_compare(b, sl_launch_conv(&c, b->stream), "conv %dx%d %d -> %d, stride %d%s%s%s",
                  (int)s.kernel, (int)s.kernel, (int)s.in, (int)s.out, s.conv.stride,
                  up ? ", upsampled" : "", p.partial_bytes ? ", in parts" : "",
                  p.in_place ? ", in place" : "");
}

#define SAME3         \
    (SlConv)          \
    {                 \
        1, 1, 1, 1, 1 \
    }
#define SAME1         \
    (SlConv)          \
    {                 \
        1, 0, 0, 0, 0 \
    }

void test_convolutions(Bench *b)
{
    const Parts bias = {.bias = true};
    const Parts everything = {true, true, true, false, SL_ACT_SILU, 0.7071f, 0};
    run(b, (Shape){2, 7, 5, 17, 33, 3, SAME3}, bias, 0, 0);
    run(b, (Shape){2, 9, 11, 4, 32, 3, SAME3}, bias, 0, 0);
    run(b, (Shape){1, 9, 11, 32, 4, 3, SAME3}, bias, 0, 0);
    run(b, (Shape){1, 8, 8, 3, 1, 3, SAME3}, (Parts){0}, 0, 0);
    run(b, (Shape){1, 5, 3, 40, 21, 1, SAME1}, bias, 0, 0);
    run(b, (Shape){2, 9, 8, 16, 24, 3, {2, 1, 1, 1, 1}}, bias, 0, 0);
    run(b, (Shape){1, 8, 10, 8, 8, 3, {2, 0, 0, 1, 1}}, bias, 0, 0);
    run(b, (Shape){2, 1, 1, 24, 12, 3, SAME3}, bias, 0, 0);
    run(b, (Shape){2, 6, 7, 80, 72, 3, SAME3}, everything, 0, 0);
    run(b, (Shape){2, 5, 6, 11, 13, 3, SAME3}, everything, 0, 0);
    run(b, (Shape){2, 6, 5, 16, 16, 3, SAME3}, (Parts){.residual = true, .in_place = true}, 0, 0);
    run(b, (Shape){2, 3, 5, 16, 24, 3, SAME3}, bias, 6, 10);
    run(b, (Shape){2, 3, 5, 8, 5, 3, SAME3}, bias, 7, 9);
    run(b, (Shape){1, 2, 2, 8, 8, 3, SAME3}, (Parts){.bias = true, .residual = true}, 4, 4);
    /* k in parts: 144 steps of 32; less memory than wanted */
    run(b, (Shape){1, 4, 5, 512, 24, 3, SAME3}, (Parts){.bias = true, .partial_bytes = 65536}, 0,
        0);
    run(b, (Shape){1, 4, 5, 520, 9, 3, SAME3},
        (Parts){true, true, true, true, SL_ACT_NONE, 1, 3 * 4 * 180}, 0, 0);
    /* tiles of 128 x 64 and 128 x 128 */
    run(b, (Shape){1, 91, 92, 8, 66, 1, SAME1}, bias, 0, 0);
    run(b, (Shape){1, 181, 182, 8, 128, 1, SAME1}, bias, 0, 0);
}
