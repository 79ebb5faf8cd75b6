/* cases_attention.c - attention: head sizes of the tensor core kernel and others, causal or not,
 * slices of one projection. */
#include "pair.h"

#include <math.h>

typedef struct Shape {
    int64_t n, queries, keys;
    int heads;
    int64_t d;
    bool causal, fused; /* fused: q, k and v are slices of one tensor, the output has gaps */
    float sharpness;    /* magnitude of queries */
} Shape;

typedef struct Inputs {
    Pair q, k, v;
} Inputs;

static Pair slice(const Pair *p, int64_t first, int64_t count)
{
    return (Pair){sl_slice(&p->host, 2, first, count), sl_slice(&p->dev, 2, first, count)};
}

static Inputs inputs(Bench *b, const Shape *s)
{
    int64_t c = s->heads * s->d;
    if (s->fused) {
        Pair all = pair_input(b, 3, SIZES(s->n, s->queries, 3 * c), s->sharpness);
        return (Inputs){slice(&all, 0, c), slice(&all, c, c), slice(&all, 2 * c, c)};
    }
    return (Inputs){pair_input(b, 3, SIZES(s->n, s->queries, c), s->sharpness),
                    pair_input(b, 3, SIZES(s->n, s->keys, c), 1),
                    pair_input(b, 3, SIZES(s->n, s->keys, c), 1)};
}

static void run(Bench *b, Shape s)
{
    int64_t c = s.heads * s.d;
    Inputs in = inputs(b, &s);
    SlAttention attn = {s.heads, 1 / sqrtf((float)s.d), s.causal};
    Pair *out = pair_output(b, b->dtype, 3, SIZES(s.n, s.queries, c), s.fused ? c + 8 : 0);
    b->ref->ops->attention(b->ref, &in.q.host, &in.k.host, &in.v.host, &attn, &out->host);
    SlAttentionLaunch l = {
        .dtype = b->dtype,
        .q = in.q.dev.data,
        .k = in.k.dev.data,
        .v = in.v.dev.data,
        .o = out->dev.data,
        .n = (int)s.n,
        .heads = s.heads,
        .d = (int)s.d,
        .lq = (int)s.queries,
        .lk = (int)in.k.host.size[1],
        .qs = {in.q.dev.stride[0], in.q.dev.stride[1]},
        .ks = {in.k.dev.stride[0], in.k.dev.stride[1]},
        .vs = {in.v.dev.stride[0], in.v.dev.stride[1]},
        .os = {out->dev.stride[0], out->dev.stride[1]},
        .scale = attn.scale,
        .causal = s.causal,
    };
    bench_compare(b, sl_launch_attention(&l, b->stream), "attention %d x %d, %d heads of %d%s%s",
                  (int)s.queries, l.lk, s.heads, (int)s.d, s.causal ? ", causal" : "",
                  s.fused ? ", fused" : "");
}

void test_attention(Bench *b)
{
    run(b, (Shape){1, 1, 1, 1, 1, false, false, 1});
    run(b, (Shape){2, 77, 77, 2, 64, true, true, 1});
    run(b, (Shape){2, 65, 77, 3, 40, false, false, 1});
    run(b, (Shape){1, 129, 129, 2, 40, false, true, 1});
    run(b, (Shape){1, 33, 31, 3, 7, false, true, 1});
    run(b, (Shape){1, 66, 70, 2, 80, false, false, 1});
    run(b, (Shape){1, 30, 130, 1, 128, false, false, 1});
    run(b, (Shape){1, 64, 64, 2, 160, false, true, 1});
    run(b, (Shape){1, 40, 70, 1, 168, false, false, 1});
    run(b, (Shape){1, 50, 200, 1, 32, false, false, 100});
    run(b, (Shape){1, 3, 513, 1, 24, false, false, 1});
    run(b, (Shape){1, 140, 130, 1, 16, true, false, 1});
}
