/* cases_softmax.c - the softmax between two products of a library; ref has none of its own, so it
 * is compared with one in double. */
#include "pair.h"

#include "kernels/cuda/softmax.h"

#include <math.h>

static void softmax_of(const float *s, int seen, int pitch, float *p)
{
    double top = -INFINITY, sum = 0;
    for (int k = 0; k < seen; k++)
        top = fmax(top, (double)s[k]);
    for (int k = 0; k < seen; k++)
        sum += exp((double)s[k] - top);
    for (int k = 0; k < pitch; k++)
        p[k] = k < seen ? (float)(exp((double)s[k] - top) / sum) : 0;
}

/* Scores behind the keys of a row are NaN: they must not be read. */
static void softmax(Bench *b, SlSoftmaxLaunch l)
{
    int64_t n = l.rows * l.pitch;
    Pair random = pair_input_as(b, SL_F32, 1, &n, 8), want = pair_input_as(b, SL_F32, 1, &n, 0);
    float *s = random.host.data, *p = want.host.data;
    for (int64_t r = 0; r < l.rows; r++) {
        int last = l.first + (int)(r % l.queries) + 1;
        softmax_of(s + r * l.pitch, l.causal && last < l.keys ? last : l.keys, l.pitch,
                   p + r * l.pitch);
        for (int k = l.keys; k < l.pitch; k++)
            s[r * l.pitch + k] = NAN;
    }
    Pair *out = pair_output(b, b->dtype, 1, &n, 0);
    sl_convert(p, SL_F32, out->host.data, b->dtype, (size_t)n);
    l.dtype = b->dtype;
    l.s = pair_values(b, SL_F32, n, s).dev.data;
    l.p = out->dev.data;
    bench_compare(b, sl_launch_softmax(&l, b->stream), "softmax %d x %d of %d%s", (int)l.rows,
                  l.keys, l.pitch, l.causal ? ", causal" : "");
}

/* The mean over the heads, added to what is there. */
static void softmax_mean(Bench *b, SlSoftmaxMeanLaunch l)
{
    int64_t n = (int64_t)l.heads * l.queries * l.pitch, cells = (int64_t)l.queries * l.keys;
    Pair random = pair_input_as(b, SL_F32, 1, &n, 8), one = pair_input_as(b, SL_F32, 1, &n, 0);
    float *s = random.host.data, *p = one.host.data;
    Pair *out = pair_output(b, SL_F32, 1, &cells, 0);
    float *want = out->host.data;
    for (int64_t i = 0; !l.add && i < cells; i++)
        want[i] = 0;
    for (int64_t r = 0; r < (int64_t)l.heads * l.queries; r++) {
        softmax_of(s + r * l.pitch, l.keys, l.pitch, p);
        for (int k = 0; k < l.keys; k++)
            want[r % l.queries * l.keys + k] += p[k] / (float)l.heads;
        for (int k = l.keys; k < l.pitch; k++)
            s[r * l.pitch + k] = NAN;
    }
    l.s = pair_values(b, SL_F32, n, s).dev.data;
    l.out = out->dev.data;
    bench_compare(b, sl_launch_softmax_mean(&l, b->stream), "mean softmax %d x %d x %d%s", l.heads,
                  l.queries, l.keys, l.add ? ", added" : "");
}

void test_softmax(Bench *b)
{
    softmax_mean(b, (SlSoftmaxMeanLaunch){.heads = 1, .queries = 1, .keys = 1, .pitch = 8});
    softmax_mean(
        b, (SlSoftmaxMeanLaunch){.heads = 3, .queries = 5, .keys = 77, .pitch = 80, .add = 1});
    softmax(b, (SlSoftmaxLaunch){.rows = 1, .keys = 1, .pitch = 8, .queries = 1});
    softmax(b, (SlSoftmaxLaunch){.rows = 6, .keys = 77, .pitch = 80, .queries = 3});
    softmax(b, (SlSoftmaxLaunch){
                   .rows = 10, .keys = 7, .pitch = 8, .queries = 5, .first = 1, .causal = 1});
    softmax(b, (SlSoftmaxLaunch){.rows = 8, .keys = 33, .pitch = 40, .queries = 4, .causal = 1});
}
