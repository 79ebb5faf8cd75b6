/* norms.c - group and layer normalisation over NHWC rows.
 *
 * Group norm reads its input twice. First, per chunk of some rows: for each channel the mean and
 * the sum of squares about it, while the rows are in the cache. Those are joined per group in
 * double (Chan, Golub and LeVeque 1979), which loses nothing to a mean far from zero. Then one pass
 * writes. A group's channels are neighbours, often fewer than a vector holds, so whole rows are
 * worked on, never groups.
 *
 * Easy to get wrong: chunks are cut by the shape alone and joined in order, so that the result does
 * not depend on the threads. Where a product is rounded before a sum (the channels of a group norm
 * behind the last 16, a layer norm's gamma), pictures in files depend on it.
 */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vec.h"

#include <math.h>

typedef struct Job {
    const SlTensor *x;
    const float *gamma, *beta; /* NULL: 1 and 0 */
    SlTensor *out;
    float eps;
    int64_t groups, channels, rows; /* rows: of one item */
    int64_t chunk, chunks;          /* rows of a chunk, chunks of an item */
    float *mean, *squares;          /* [item, chunk, channels] */
    float *center, *scale;          /* [item, channels]: y = (x - center) scale + shift */
    float *shift;                   /* [channels] */
    SlActivation act;
} Job;

static const float *values(const SlWeight *w)
{
    return w ? w->value.data : NULL;
}

SL_INLINE SlVec load(const SlTensor *t, int64_t i, int64_t n)
{
    return n >= SL_VEC_FLOATS ? sl_vec_load(t->data, t->dtype, i)
                              : sl_vec_load_part(t->data, t->dtype, i, n);
}

SL_INLINE void store(SlTensor *t, int64_t i, int64_t n, SlVec v)
{
    if (n >= SL_VEC_FLOATS)
        sl_vec_store(t->data, t->dtype, i, v);
    else
        sl_vec_store_part(t->data, t->dtype, i, n, v);
}

/* The same for an array of floats. */
SL_INLINE SlVec load_floats(const float *p, int64_t i, int64_t n)
{
    return n >= SL_VEC_FLOATS ? sl_vec_load(p, SL_F32, i) : sl_vec_load_part(p, SL_F32, i, n);
}

SL_INLINE void store_floats(float *p, int64_t i, int64_t n, SlVec v)
{
    if (n >= SL_VEC_FLOATS)
        sl_vec_store(p, SL_F32, i, v);
    else
        sl_vec_store_part(p, SL_F32, i, n, v);
}

/* ---- group norm ---- */

static int64_t rows_of_chunk(const Job *j, int64_t chunk)
{
    int64_t left = j->rows - chunk * j->chunk;
    return left < j->chunk ? left : j->chunk;
}

/* The functions below are called with constants for type and activation, so that the compiler
 * takes these tests out of the loops. */

/* sum += x of one row, or += (x - mean)^2 */
SL_INLINE void add_row(const Job *j, int64_t i, const float *mean, float *sum, SlDtype type)
{
    int64_t c = 0;
    for (; c + SL_VEC_FLOATS <= j->channels; c += SL_VEC_FLOATS) {
        SlVec v = sl_vec_load(j->x->data, type, i + c);
        if (mean) {
            v -= *(const SlVec *)(mean + c);
            v *= v;
        }
        *(SlVec *)(sum + c) += v;
    }
    if (c < j->channels) {
        int64_t n = j->channels - c;
        SlVec v = sl_vec_load_part(j->x->data, type, i + c, n);
        if (mean) {
            v -= load_floats(mean, c, n);
            v *= v;
        }
        store_floats(sum, c, n, load_floats(sum, c, n) + v);
    }
}

/* Mean and squares about it of each channel over some rows. Row after row, in the order of the
 * memory: sums are in the nearest cache, rows often are not. */
SL_INLINE void chunk_statistics(const Job *j, int64_t from, int64_t rows, float *const to[2],
                                SlDtype type)
{
    memset(to[0], 0, (size_t)j->channels * sizeof(float));
    memset(to[1], 0, (size_t)j->channels * sizeof(float));
    for (int64_t r = 0; r < rows; r++)
        add_row(j, from + r * j->channels, NULL, to[0], type);
    for (int64_t c = 0; c < j->channels; c++)
        to[0][c] *= 1 / (float)rows;
    for (int64_t r = 0; r < rows; r++)
        add_row(j, from + r * j->channels, to[0], to[1], type);
}

static void measure_chunks(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    for (int64_t k = first; k < last; k++) {
        int64_t chunk = k % j->chunks;
        int64_t from = (k / j->chunks * j->rows + chunk * j->chunk) * j->channels;
        float *const to[2] = {j->mean + k * j->channels, j->squares + k * j->channels};
        if (j->x->dtype == SL_F32)
            chunk_statistics(j, from, rows_of_chunk(j, chunk), to, SL_F32);
        else
            chunk_statistics(j, from, rows_of_chunk(j, chunk), to, SL_BF16);
    }
}

/* Joins the chunks of one group of one item. */
static void join_groups(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    int64_t count = j->channels / j->groups;
    for (int64_t k = first; k < last; k++) {
        int64_t item = k / j->groups, channel = k % j->groups * count;
        double total = (double)j->rows * (double)count, sum = 0, squares = 0;
        for (int64_t chunk = 0; chunk < j->chunks; chunk++)
            for (int64_t c = 0; c < count; c++)
                sum += (double)rows_of_chunk(j, chunk) *
                       j->mean[(item * j->chunks + chunk) * j->channels + channel + c];
        double mean = sum / total;
        for (int64_t chunk = 0; chunk < j->chunks; chunk++)
            for (int64_t c = 0; c < count; c++) {
                int64_t i = (item * j->chunks + chunk) * j->channels + channel + c;
                double d = j->mean[i] - mean;
                squares += j->squares[i] + (double)rows_of_chunk(j, chunk) * d * d;
            }
        double scale = 1 / sqrt(squares / total + j->eps);
        for (int64_t c = channel; c < channel + count; c++) {
            j->center[item * j->channels + c] = (float)mean;
            j->scale[item * j->channels + c] = (float)(j->gamma ? j->gamma[c] * scale : scale);
        }
    }
}

/* One row; item: where its item's channels begin. */
SL_INLINE void write_row(const Job *j, int64_t item, int64_t i, SlDtype type, SlActivation act)
{
    const float *center = j->center + item, *scale = j->scale + item;
    int64_t c = 0, whole = j->channels - j->channels % SL_SUM_LANES;
    for (; c < whole; c += SL_VEC_FLOATS) {
        SlVec v = sl_vec_load(j->x->data, type, i + c) - *(const SlVec *)(center + c);
        v = v * *(const SlVec *)(scale + c) + *(const SlVec *)(j->shift + c);
        sl_vec_store(j->out->data, type, i + c, sl_vec_act(v, act));
    }
    for (; c < j->channels; c += SL_VEC_FLOATS) {
        int64_t n = j->channels - c;
        SlVec v = load(j->x, i + c, n) - load_floats(center, c, n);
        v = sl_vec_rounded(v * load_floats(scale, c, n)) + load_floats(j->shift, c, n);
        store(j->out, i + c, n, sl_vec_act(v, act));
    }
}

/* The rows of a chunk, a function for each type and activation: together in one frame gcc 11 needs 17 KiB. */
#define WRITE_ROWS(NAME, TYPE, ACT)                                                      \
    static __attribute__((noinline)) void NAME(const Job *j, int64_t item, int64_t from, \
                                               int64_t rows)                             \
    {                                                                                    \
        for (int64_t r = 0; r < rows; r++)                                               \
            write_row(j, item * j->channels, from + r * j->channels, TYPE, ACT);         \
    }
WRITE_ROWS(write_f32_silu, SL_F32, SL_ACT_SILU)
WRITE_ROWS(write_f32, SL_F32, j->act)
WRITE_ROWS(write_bf16_silu, SL_BF16, SL_ACT_SILU)
WRITE_ROWS(write_bf16, SL_BF16, j->act)

static void write_chunks(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    bool f32 = j->x->dtype == SL_F32, silu = j->act == SL_ACT_SILU;
    void (*write_rows)(const Job *, int64_t, int64_t, int64_t) =
        f32 ? (silu ? write_f32_silu : write_f32) : (silu ? write_bf16_silu : write_bf16);
    for (int64_t k = first; k < last; k++) {
        int64_t item = k / j->chunks, chunk = k % j->chunks;
        write_rows(j, item, (item * j->rows + chunk * j->chunk) * j->channels,
                   rows_of_chunk(j, chunk));
    }
}

/* About 64 KiB of f32: stays in the cache between the two passes over it. */
static int64_t chunk_rows(int64_t channels)
{
    int64_t rows = 16384 / channels;
    return rows < 4 ? 4 : rows > 64 ? 64 : rows;
}

static void cpu_group_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                           const SlWeight *beta, const SlGroupNorm *norm, SlTensor *out)
{
    int64_t channels = x->size[x->rank - 1], items = x->size[0];
    Job job = {.x = x, .gamma = values(gamma), .beta = values(beta), .out = out};
    job.eps = norm->eps;
    job.act = norm->act;
    job.groups = norm->groups;
    job.channels = channels;
    job.rows = sl_tensor_elements(x) / channels / items;
    job.chunk = chunk_rows(channels);
    job.chunks = (job.rows + job.chunk - 1) / job.chunk;
    int64_t statistics = items * job.chunks * channels;
    size_t mark = sl_arena_mark(dev);
    SlTensor memory = sl_tensor_new(
        dev, SL_F32, 1, (const int64_t[]){2 * (statistics + items * channels) + channels});
    if (memory.data) {
        job.mean = memory.data;
        job.squares = job.mean + statistics;
        job.center = job.squares + statistics;
        job.scale = job.center + items * channels;
        job.shift = job.scale + items * channels;
        for (int64_t c = 0; c < channels; c++)
            job.shift[c] = job.beta ? job.beta[c] : 0;
        sl_parallel_for(dev, items * job.chunks, 1, measure_chunks, &job);
        sl_parallel_for(dev, items * job.groups, sl_cpu_grain(job.chunks * (channels / job.groups)),
                        join_groups, &job);
        sl_parallel_for(dev, items * job.chunks, 1, write_chunks, &job);
    }
    sl_arena_reset(dev, mark);
}

/* ---- layer norm ---- */

/* Sums of (x - shift) and its square over one row. */
SL_INLINE void row_sums(const Job *j, int64_t i, float shift, float *sum, float *squares)
{
    SlSum s = {{{0}}}, q = {{{0}}};
    int64_t c = 0;
    for (; c + SL_SUM_LANES <= j->channels; c += SL_SUM_LANES)
        for (int b = 0; b < SL_SUM_PARTS; b++) {
            SlVec v = sl_vec_load(j->x->data, j->x->dtype, i + c + b * SL_VEC_FLOATS) - shift;
            s.part[b] += v;
            q.part[b] += v * v;
        }
    for (int b = 0; c < j->channels; b++, c += SL_VEC_FLOATS) {
        int64_t n = j->channels - c;
        SlVec v = load(j->x, i + c, n) - shift;
        for (int64_t k = n; k < SL_VEC_FLOATS; k++)
            v[k] = 0;
        s.part[b] += v;
        q.part[b] += v * v;
    }
    *sum = sl_sum_of(s);
    *squares = sl_sum_of(q);
}

/* The second pass corrects the rounding error of a mean that is far from zero. */
static void layer_norm_rows(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    float count = (float)j->channels, sum, squares;
    for (int64_t r = first; r < last; r++) {
        int64_t i = r * j->channels;
        row_sums(j, i, 0, &sum, &squares);
        float shift = sum / count;
        row_sums(j, i, shift, &sum, &squares);
        float rest = sum / count, variance = squares / count - rest * rest;
        float scale = 1 / sqrtf((variance > 0 ? variance : 0) + j->eps);
        for (int64_t c = 0; c < j->channels; c += SL_VEC_FLOATS) {
            int64_t n = j->channels - c;
            SlVec v = (load(j->x, i + c, n) - shift - rest) * scale;
            if (j->gamma)
                v = sl_vec_rounded(v * load_floats(j->gamma, c, n));
            if (j->beta)
                v += load_floats(j->beta, c, n);
            store(j->out, i + c, n, v);
        }
    }
}

static void cpu_layer_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                           const SlWeight *beta, float eps, SlTensor *out)
{
    Job job = {.x = x, .gamma = values(gamma), .beta = values(beta), .out = out, .eps = eps};
    job.channels = x->size[x->rank - 1];
    sl_parallel_for(dev, sl_tensor_elements(x) / job.channels, sl_cpu_grain(job.channels),
                    layer_norm_rows, &job);
}

void SL_FOR_ISA(sl_cpu_norm_slots)(SlOps *ops)
{
    ops->group_norm = cpu_group_norm;
    ops->group_norm_silu = cpu_group_norm;
    ops->layer_norm = cpu_layer_norm;
}
