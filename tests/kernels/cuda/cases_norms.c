/* cases_norms.c - group and layer norms: in one block, kept in registers or not, and in chunks; far
 * from zero, with a first value far from all others, with infinities and NaN. */
#include "pair.h"

#include <math.h>
#include <stdlib.h>

typedef enum Values {
    AROUND_ZERO,
    FAR,     /* mean 1000, deviation 1 */
    OUTLIER, /* the first value of every item is 100 */
    SPECIAL, /* an infinity, a NaN, and an infinity as first value, each in a group of its own */
} Values;

static const char *const names[] = {"", ", mean 1000", ", outlier", ", infinity and NaN"};

/* [items, positions, channels]; per_group: channels that are normalised together. */
static Pair input(Bench *b, const int64_t s[3], int64_t per_group, Values values)
{
    int64_t n = s[0] * s[1] * s[2];
    float *f = pair_random(b, n, values == FAR ? sqrtf(3) : 3);
    for (int64_t i = 0; values == FAR && i < n; i++)
        f[i] += 1000;
    for (int64_t i = 0; values == OUTLIER && i < n; i += s[1] * s[2])
        f[i] = 100;
    if (values == SPECIAL) {
        f[s[1] / 2 * s[2] + 1] = INFINITY;
        f[per_group] = -INFINITY;
        f[n - 1] = NAN;
    }
    Pair p = pair_floats(b, 3, s, f);
    free(f);
    return p;
}

typedef struct GroupCase {
    int64_t size[3];
    SlGroupNorm norm;
    bool affine, chunks;
    Values values;
} GroupCase;

static void group_norm(Bench *b, GroupCase c)
{
    const int64_t *s = c.size;
    Pair x = input(b, s, s[2] / c.norm.groups, c.values);
    Vector gamma = {0}, beta = {0};
    if (c.affine) {
        gamma = vector_input(b, s[2], 1);
        beta = vector_input(b, s[2], 1);
    }
    Pair *out = pair_output(b, b->dtype, 3, s, 0);
    (c.norm.act == SL_ACT_SILU ? b->ref->ops->group_norm_silu : b->ref->ops->group_norm)(
        b->ref, &x.host, gamma.host, beta.host, &c.norm, &out->host);
    SlGroupNormLaunch l = {
        .dtype = b->dtype,
        .x = x.dev.data,
        .gamma = gamma.dev,
        .beta = beta.dev,
        .y = out->dev.data,
        .n = (int)s[0],
        .hw = (int)s[1],
        .c = (int)s[2],
        .groups = c.norm.groups,
        .eps = c.norm.eps,
        .act = c.norm.act,
    };
    if (c.chunks) { /* memory never written, for 256 chunks */
        l.partial_bytes = sizeof(float) * 2 * 256 * (size_t)(s[0] * c.norm.groups);
        l.partial = pair_scratch(b, l.partial_bytes);
    }
    bench_compare(b, sl_launch_group_norm(&l, b->stream),
                  "group norm %d x %d x %d, %d groups%s%s%s", l.n, l.hw, l.c, l.groups,
                  l.act ? ", silu" : "", c.chunks ? ", in chunks" : "", names[c.values]);
}

static void layer_norm(Bench *b, int64_t rows, int64_t c, bool affine, Values values)
{
    Pair x = input(b, SIZES(1, rows, c), c, values);
    Vector gamma = {0}, beta = {0};
    if (affine) {
        gamma = vector_input(b, c, 1);
        beta = vector_input(b, c, 1);
    }
    Pair *out = pair_output(b, b->dtype, 3, SIZES(1, rows, c), 0);
    b->ref->ops->layer_norm(b->ref, &x.host, gamma.host, beta.host, 1e-5f, &out->host);
    SlLayerNormLaunch l = {
        .dtype = b->dtype,
        .x = x.dev.data,
        .gamma = gamma.dev,
        .beta = beta.dev,
        .y = out->dev.data,
        .rows = (int)rows,
        .c = (int)c,
        .eps = 1e-5f,
    };
    bench_compare(b, sl_launch_layer_norm(&l, b->stream), "layer norm %d x %d%s", l.rows, l.c,
                  names[values]);
}

/* Sizes for each of the ways: kept in registers 16 bytes, two and one element at a time, read again
 * from memory, in chunks. */
static void sizes(Bench *b)
{
    const SlGroupNorm plain = {2, 1e-6f, SL_ACT_NONE}, silu = {32, 1e-5f, SL_ACT_SILU};
    group_norm(b, (GroupCase){{2, 15, 10}, plain, true, false, AROUND_ZERO});
    group_norm(b, (GroupCase){{2, 64, 80}, plain, true, false, AROUND_ZERO});
    group_norm(b, (GroupCase){{1, 35, 32}, {32, 1e-6f, SL_ACT_NONE}, true, false, AROUND_ZERO});
    group_norm(b, (GroupCase){{2, 117, 320}, silu, true, false, AROUND_ZERO});
    group_norm(b, (GroupCase){{1, 600, 64}, {4, 1e-5f, SL_ACT_SILU}, true, false, AROUND_ZERO});
    group_norm(b, (GroupCase){{1, 3, 66}, {3, 1e-6f, SL_ACT_NONE}, false, false, AROUND_ZERO});
    group_norm(b, (GroupCase){{1, 600, 30}, {3, 1e-6f, SL_ACT_NONE}, true, true, AROUND_ZERO});
    group_norm(b, (GroupCase){{2, 417, 320}, silu, true, true, AROUND_ZERO});
    group_norm(b, (GroupCase){{1, 1025, 32}, {8, 1e-6f, SL_ACT_NONE}, false, true, AROUND_ZERO});
    group_norm(b, (GroupCase){{1, 130, 2048}, {32, 1e-6f, SL_ACT_NONE}, true, true, AROUND_ZERO});
}

void test_norms(Bench *b)
{
    const SlGroupNorm norm = {4, 1e-6f, SL_ACT_NONE};
    sizes(b);
    layer_norm(b, 19, 768, true, AROUND_ZERO);
    layer_norm(b, 3, 33, true, AROUND_ZERO);
    layer_norm(b, 2, 5, false, AROUND_ZERO);
    for (Values values = FAR; values <= SPECIAL; values++) {
        group_norm(b, (GroupCase){{2, 100, 40}, norm, true, false, values});
        group_norm(b, (GroupCase){{1, 400, 44}, norm, true, false, values});
        group_norm(b, (GroupCase){{2, 600, 48}, norm, false, true, values});
        layer_norm(b, 6, 72, true, values);
    }
}
