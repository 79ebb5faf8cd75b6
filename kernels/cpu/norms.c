/* norms.c - group and layer normalisation in two passes over memory, statistics in f32 sums of
 * short runs collected in double.
 *
 * Group norm works on one item and one group at a time: a group's channels are neighbours in NHWC,
 * so its elements are short runs a whole pixel apart.
 */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vec.h"

#include "kernels/ref/ref.h"

#include <math.h>

typedef struct Job {
    const SlTensor *x;
    const float *gamma, *beta; /* NULL: 1 and 0 */
    SlTensor *out;
    float eps;
    int64_t groups, channels, positions; /* positions: of one item */
    SlActivation act;
} Job;

static const float *values(const SlWeight *w)
{
    return w ? w->value.data : NULL;
}

SL_INLINE SlVec affine(SlVec v, const Job *j, int64_t c, int64_t n)
{
    if (j->gamma)
        v *= n >= SL_LANES ? sl_vec_load(j->gamma, SL_F32, c)
                           : sl_vec_load_part(j->gamma, SL_F32, c, n);
    if (j->beta)
        v += n >= SL_LANES ? sl_vec_load(j->beta, SL_F32, c)
                           : sl_vec_load_part(j->beta, SL_F32, c, n);
    return v;
}

SL_INLINE SlVec load(const SlTensor *t, int64_t i, int64_t n)
{
    return n >= SL_LANES ? sl_vec_load(t->data, t->dtype, i)
                         : sl_vec_load_part(t->data, t->dtype, i, n);
}

SL_INLINE void store(SlTensor *t, int64_t i, int64_t n, SlVec v)
{
    if (n >= SL_LANES)
        sl_vec_store(t->data, t->dtype, i, v);
    else
        sl_vec_store_part(t->data, t->dtype, i, n, v);
}

/* Sum over one run of `count` elements of (x - shift), or of its square. */
SL_INLINE float run_sum(const SlTensor *x, int64_t i, int64_t count, float shift, bool square)
{
    SlVec sum = sl_vec_set(0);
    for (int64_t c = 0; c < count; c += SL_LANES) {
        int64_t n = count - c;
        SlVec v = load(x, i + c, n) - shift;
        if (n < SL_LANES)
            for (int64_t k = n; k < SL_LANES; k++)
                v[k] = 0;
        if (square)
            v *= v;
        sum += v;
    }
    return sl_vec_sum(sum);
}

SL_CLONES static void group_norm_groups(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    int64_t count = j->channels / j->groups;
    for (int64_t k = first; k < last; k++) {
        int64_t base = k / j->groups * j->positions * j->channels + k % j->groups * count;
        double sum = 0, squares = 0, total = (double)(j->positions * count);
        for (int64_t p = 0; p < j->positions; p++)
            sum += run_sum(j->x, base + p * j->channels, count, 0, false);
        float mean = (float)(sum / total);
        for (int64_t p = 0; p < j->positions; p++)
            squares += run_sum(j->x, base + p * j->channels, count, mean, true);
        float scale = (float)(1 / sqrt(squares / total + j->eps));
        for (int64_t p = 0; p < j->positions; p++)
            for (int64_t c = 0; c < count; c += SL_LANES) {
                int64_t n = count - c, i = base + p * j->channels + c;
                SlVec v =
                    affine((load(j->x, i, n) - mean) * scale, j, k % j->groups * count + c, n);
                store(j->out, i, n, sl_vec_act(v, j->act));
            }
    }
}

void sl_cpu_group_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                       const SlWeight *beta, const SlGroupNorm *norm, SlTensor *out)
{
    int64_t channels = x->size[x->rank - 1];
    Job job = {
        x,         values(gamma), values(beta), out,
        norm->eps, norm->groups,  channels,     sl_tensor_elements(x) / channels / x->size[0],
        norm->act};
    sl_parallel_for(dev, x->size[0] * norm->groups, 1, group_norm_groups, &job);
}

SL_CLONES static void layer_norm_rows(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    int64_t d = j->channels;
    for (int64_t r = first; r < last; r++) {
        float mean = run_sum(j->x, r * d, d, 0, false) / (float)d;
        float squares = run_sum(j->x, r * d, d, mean, true);
        float scale = 1 / sqrtf(squares / (float)d + j->eps);
        for (int64_t c = 0; c < d; c += SL_LANES) {
            int64_t n = d - c;
            store(j->out, r * d + c, n, affine((load(j->x, r * d + c, n) - mean) * scale, j, c, n));
        }
    }
}

void sl_cpu_layer_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                       const SlWeight *beta, float eps, SlTensor *out)
{
    int64_t d = x->size[x->rank - 1];
    Job job = {.x = x,
               .gamma = values(gamma),
               .beta = values(beta),
               .out = out,
               .eps = eps,
               .channels = d};
    sl_parallel_for(dev, sl_tensor_elements(x) / d, 8, layer_norm_rows, &job);
}
