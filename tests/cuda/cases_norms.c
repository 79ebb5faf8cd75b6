/* cases_norms.c - group and layer norms. */
#include "pair.h"

static void group_norm(Bench *b, const int64_t s[3], SlGroupNorm norm, bool affine, bool chunks)
{
    Pair x = pair_input(b, 3, s, 3);
    Vector gamma = {0}, beta = {0};
    if (affine) {
        gamma = vector_input(b, s[2], 1);
        beta = vector_input(b, s[2], 1);
    }
    Pair *out = pair_output(b, b->dtype, 3, s, 0);
    (norm.act == SL_ACT_SILU ? b->ref->ops->group_norm_silu : b->ref->ops->group_norm)(
        b->ref, &x.host, gamma.host, beta.host, &norm, &out->host);
    SlGroupNormLaunch l = {
        .dtype = b->dtype,
        .x = x.dev.data,
        .gamma = gamma.dev,
        .beta = beta.dev,
        .y = out->dev.data,
        .n = (int)s[0],
        .hw = (int)s[1],
        .c = (int)s[2],
        .groups = norm.groups,
        .eps = norm.eps,
        .act = norm.act,
    };
    if (chunks) { /* memory never written, for 256 chunks */
        l.partial_bytes = sizeof(float) * 2 * 256 * (size_t)(s[0] * norm.groups);
        l.partial = pair_scratch(b, l.partial_bytes);
    }
    bench_compare(b, sl_launch_group_norm(&l, b->stream), "group norm %d x %d x %d, %d groups%s%s",
                  l.n, l.hw, l.c, l.groups, norm.act ? ", silu" : "", chunks ? ", in chunks" : "");
}

static void layer_norm(Bench *b, int64_t rows, int64_t c, bool affine)
{
    Pair x = pair_input(b, 2, SIZES(rows, c), 1);
    Vector gamma = {0}, beta = {0};
    if (affine) {
        gamma = vector_input(b, c, 1);
        beta = vector_input(b, c, 1);
    }
    Pair *out = pair_output(b, b->dtype, 2, SIZES(rows, c), 0);
    b->ref->ops->layer_norm(b->ref, &x.host, gamma.host, beta.host, 1e-5f, &out->host);
    bench_compare(b,
                  sl_launch_layer_norm(b->dtype, x.dev.data, gamma.dev, beta.dev, out->dev.data,
                                       (int)rows, (int)c, 1e-5f, b->stream),
                  "layer norm %d x %d", (int)rows, (int)c);
}

void test_norms(Bench *b)
{
    group_norm(b, SIZES(2, 15, 10), (SlGroupNorm){2, 1e-6f, SL_ACT_NONE}, true, false);
    group_norm(b, SIZES(1, 35, 32), (SlGroupNorm){32, 1e-6f, SL_ACT_NONE}, true, false);
    group_norm(b, SIZES(2, 117, 320), (SlGroupNorm){32, 1e-5f, SL_ACT_SILU}, true, false);
    group_norm(b, SIZES(1, 600, 64), (SlGroupNorm){4, 1e-5f, SL_ACT_SILU}, true, false);
    group_norm(b, SIZES(1, 3, 66), (SlGroupNorm){3, 1e-6f, SL_ACT_NONE}, false, false);
    group_norm(b, SIZES(2, 417, 320), (SlGroupNorm){32, 1e-5f, SL_ACT_SILU}, true, true);
    group_norm(b, SIZES(1, 1025, 32), (SlGroupNorm){8, 1e-6f, SL_ACT_NONE}, false, true);
    group_norm(b, SIZES(1, 130, 2048), (SlGroupNorm){32, 1e-6f, SL_ACT_NONE}, true, true);
    group_norm(b, SIZES(1, 600, 30), (SlGroupNorm){3, 1e-6f, SL_ACT_NONE}, true, true);
    layer_norm(b, 19, 768, true);
    layer_norm(b, 3, 33, true);
    layer_norm(b, 2, 5, false);
}
