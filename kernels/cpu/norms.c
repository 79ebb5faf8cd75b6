/* norms.c - group and layer normalisation over NHWC rows.
 *
 * Group norm reads its input twice. First, per chunk of some rows: for each channel the mean and
 * the sum of squares about it, while the rows are in the cache. Those are joined per group in
 * double (Chan, Golub and LeVeque 1979), which loses nothing to a mean far from zero. Then one pass
 * writes. A group's channels are neighbours, often fewer than a vector holds, so whole rows are
 * worked on, never groups.
 *
 * In bf16, where the processor has instructions for it, one reading of a chunk is enough (see Sums).
 *
 * Easy to get wrong: chunks are cut by the shape alone and joined in order, so that the result does
 * not depend on the threads. Where a product is rounded before a sum (the channels of a group norm
 * behind the last 16, a layer norm's gamma), pictures in files depend on it.
 */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vec.h"

#include <math.h>

/* Bytes that are asked for ahead of their use: what the processor asks for by itself ends with a
 * page. */
#define AHEAD 4096

typedef struct Job {
    const SlTensor *x;
    const float *gamma, *beta; /* NULL: 1 and 0 */
    SlTensor *out;
    float eps;
    int64_t groups, channels, rows; /* rows: of one item */
    int64_t chunk, chunks;          /* rows of a chunk, chunks of an item */
    int64_t columns;                /* of the statistics: channels, or pairs of them */
    float *mean, *squares;          /* [item, chunk, column]; of pairs: the sums */
    double *sums;                   /* [item, sums and squares, column] of pairs, all chunks */
    float *center, *scale;          /* [item, channels]: y = (x - center) scale + shift */
    float *shift;                   /* [channels] */
    SlActivation act;
} Job;

static const float *values(const SlWeight *w)
{
    return w ? w->value.data : NULL;
}

/* A vector at i of which n elements are there. */
SL_INLINE SlVec load(const void *p, SlDtype type, int64_t i, int64_t n)
{
    return n >= SL_VEC_FLOATS ? sl_vec_load(p, type, i) : sl_vec_load_part(p, type, i, n);
}

SL_INLINE void store(void *p, SlDtype type, int64_t i, int64_t n, SlVec v)
{
    if (n >= SL_VEC_FLOATS)
        sl_vec_store(p, type, i, v);
    else
        sl_vec_store_part(p, type, i, n, v);
}

SL_INLINE SlVec load_floats(const float *p, int64_t i, int64_t n)
{
    return load(p, SL_F32, i, n);
}

#if defined(__AVX512BF16__)

/* Of 32 values those that there are. */
SL_INLINE __mmask32 first_of(int64_t n)
{
    return n >= 2 * SL_VEC_FLOATS ? ~0u : (1u << n) - 1;
}

/* Sums of pairs of neighbouring values in bf16, and of their squares. No mean is taken off before,
 * and nothing is lost by it: values have 8 bits and squares 16, and where the mean is so far from zero
 * that the squares about it are a small difference of large numbers, all values are of one power
 * of two, so that the sums of 64 pairs are exact in f32 (of two, all but exact). The difference is
 * taken in double. */
typedef struct Sums {
    SlVec values, squares;
} Sums;

SL_INLINE void add_values(Sums *sums, __m512i pairs)
{
    SlVec first = (SlVec)((SlVecU)pairs << 16), second = (SlVec)((SlVecU)pairs & 0xffff0000);
    sums->values += first;
    sums->values += second;
    sums->squares += first * first;
    sums->squares += second * second;
}

#endif

/* ---- group norm ---- */

/* Whether statistics are of pairs of neighbouring channels. */
static bool in_pairs(const Job *j)
{
#if defined(__AVX512BF16__)
    return j->x->dtype == SL_BF16 && j->channels / j->groups % 2 == 0;
#else
    (void)j;
    return false;
#endif
}

static int64_t rows_of_chunk(const Job *j, int64_t chunk)
{
    int64_t left = j->rows - chunk * j->chunk;
    return left < j->chunk ? left : j->chunk;
}

/* The functions below are called with constants for type and activation, so that the compiler
 * takes these tests out of the loops. */

SL_INLINE int64_t size_of(SlDtype type)
{
    return type == SL_F32 ? sizeof(float) : sizeof(uint16_t);
}

/* sum += x of one row, or += (x - mean)^2 */
SL_INLINE void add_row(const Job *j, int64_t i, const float *mean, float *sum, SlDtype type)
{
    const char *x = (const char *)j->x->data + i * size_of(type);
    int64_t c = 0;
    for (; c + SL_VEC_FLOATS <= j->channels; c += SL_VEC_FLOATS) {
        SlVec v = sl_vec_load(x, type, c);
        if (mean) {
            v -= *(const SlVec *)(mean + c);
            v *= v;
        } else {
            __builtin_prefetch(x + c * size_of(type) + AHEAD);
        }
        *(SlVec *)(sum + c) += v;
    }
    if (c < j->channels) {
        int64_t n = j->channels - c;
        SlVec v = sl_vec_load_part(x, type, c, n);
        if (mean) {
            v -= load_floats(mean, c, n);
            v *= v;
        }
        store(sum, SL_F32, c, n, load_floats(sum, c, n) + v);
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

/* What normalises the channels of a group of an item. */
static void set_group(const Job *j, int64_t group, double mean, double variance)
{
    int64_t count = j->channels / j->groups, channel = group % j->groups * count;
    int64_t item = group / j->groups * j->channels;
    double scale = 1 / sqrt(variance + j->eps);
    for (int64_t c = channel; c < channel + count; c++) {
        j->center[item + c] = (float)mean;
        j->scale[item + c] = (float)(j->gamma ? j->gamma[c] * scale : scale);
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
        set_group(j, k, mean, squares / total);
    }
}

#if defined(__AVX512BF16__)

SL_INLINE void add_pairs(const Job *j, const uint16_t *x, int64_t rows, float *const sum[2])
{
    for (int64_t c = 0; c < j->channels; c += 2 * SL_VEC_FLOATS) {
        __mmask32 mask = first_of(j->channels - c);
        Sums sums = {sl_vec_load(sum[0], SL_F32, c / 2), sl_vec_load(sum[1], SL_F32, c / 2)};
        for (int64_t r = 0; r < rows; r++) {
            const uint16_t *at = x + r * j->channels + c;
            add_values(&sums, _mm512_maskz_loadu_epi16(mask, at));
            __builtin_prefetch((const char *)at + AHEAD);
        }
        sl_vec_store(sum[0], SL_F32, c / 2, sums.values);
        sl_vec_store(sum[1], SL_F32, c / 2, sums.squares);
    }
}

static void measure_pairs(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    for (int64_t k = first; k < last; k++) {
        int64_t chunk = k % j->chunks, rows = rows_of_chunk(j, chunk), r = 0;
        const uint16_t *x = (const uint16_t *)j->x->data +
                            (k / j->chunks * j->rows + chunk * j->chunk) * j->channels;
        float *const sum[2] = {j->mean + k * j->columns, j->squares + k * j->columns};
        memset(sum[0], 0, (size_t)j->columns * sizeof(float));
        memset(sum[1], 0, (size_t)j->columns * sizeof(float));
        for (; r + 4 <= rows; r += 4)
            add_pairs(j, x + r * j->channels, 4, sum);
        for (; r < rows; r++)
            add_pairs(j, x + r * j->channels, 1, sum);
    }
}

/* Joins the chunks of a vector of pairs. */
static void join_pairs(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    int64_t vectors = j->columns / SL_VEC_FLOATS;
    for (int64_t k = first; k < last; k++) {
        int64_t item = k / vectors, c = k % vectors * SL_VEC_FLOATS;
        double sum[SL_VEC_FLOATS] = {0}, squares[SL_VEC_FLOATS] = {0};
        for (int64_t chunk = item * j->chunks; chunk < (item + 1) * j->chunks; chunk++)
            for (int i = 0; i < SL_VEC_FLOATS; i++) {
                sum[i] += j->mean[chunk * j->columns + c + i];
                squares[i] += j->squares[chunk * j->columns + c + i];
            }
        memcpy(j->sums + 2 * item * j->columns + c, sum, sizeof sum);
        memcpy(j->sums + (2 * item + 1) * j->columns + c, squares, sizeof squares);
    }
}

static void join_groups_of_pairs(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    int64_t pairs = j->channels / j->groups / 2;
    double total = (double)(j->rows * 2 * pairs);
    for (int64_t k = first; k < last; k++) {
        const double *at = j->sums + 2 * (k / j->groups) * j->columns + k % j->groups * pairs;
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < pairs; i++) {
            sum += at[i];
            squares += at[j->columns + i];
        }
        double mean = sum / total, variance = squares / total - mean * mean;
        set_group(j, k, mean, variance < 0 ? 0 : variance);
    }
}

#endif

static void find_statistics(SlDevice *dev, Job *j)
{
    int64_t items = j->x->size[0], chunks = items * j->chunks;
#if defined(__AVX512BF16__)
    int64_t vectors = items * j->columns / SL_VEC_FLOATS;
    if (in_pairs(j)) {
        sl_parallel_for(dev, chunks, 1, measure_pairs, j);
        sl_parallel_for(dev, vectors, sl_cpu_grain(2 * j->chunks * SL_VEC_FLOATS), join_pairs, j);
        sl_parallel_for(dev, items * j->groups, sl_cpu_grain(j->channels / j->groups),
                        join_groups_of_pairs, j);
        return;
    }
#endif
    sl_parallel_for(dev, chunks, 1, measure_chunks, j);
    sl_parallel_for(dev, items * j->groups, sl_cpu_grain(j->chunks * (j->channels / j->groups)),
                    join_groups, j);
}

/* One row; item: where its item's channels begin. */
SL_INLINE void write_row(const Job *j, int64_t item, int64_t from, SlDtype type, SlActivation act)
{
    const float *center = j->center + item, *scale = j->scale + item, *shift = j->shift;
    const char *x = (const char *)j->x->data + from * size_of(type);
    char *out = (char *)j->out->data + from * size_of(type);
    int64_t c = 0, n = j->channels, whole = n - n % SL_SUM_LANES;
    for (; type == SL_BF16 && c + SL_VECS_FLOATS <= whole; c += SL_VECS_FLOATS) {
        SlVecs v = sl_vecs_load(x, type, c), m = sl_vecs_load(center, SL_F32, c);
        SlVecs s = sl_vecs_load(scale, SL_F32, c), d = sl_vecs_load(shift, SL_F32, c);
        SL_EACH_VEC v.v[b] = (v.v[b] - m.v[b]) * s.v[b] + d.v[b];
        sl_vecs_store_bf16((uint16_t *)out, c, sl_vecs_act(v, act));
        for (int64_t b = 0; b < SL_VECS * SL_VEC_BYTES / 2; b += 64)
            __builtin_prefetch(x + c * size_of(type) + b + AHEAD);
    }
    for (; c < whole; c += SL_VEC_FLOATS) {
        SlVec v = sl_vec_load(x, type, c) - *(const SlVec *)(center + c);
        v = v * *(const SlVec *)(scale + c) + *(const SlVec *)(shift + c);
        sl_vec_store(out, type, c, sl_vec_act_for(v, act, type));
        __builtin_prefetch(x + c * size_of(type) + AHEAD);
    }
    for (n -= c; n > 0; c += SL_VEC_FLOATS, n -= SL_VEC_FLOATS) {
        SlVec v = load(x, type, c, n) - load_floats(center, c, n);
        v = sl_vec_rounded(v * load_floats(scale, c, n)) + load_floats(shift, c, n);
        store(out, type, c, n, sl_vec_act_for(v, act, type));
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
WRITE_ROWS(write_bf16_plain, SL_BF16, SL_ACT_NONE)
WRITE_ROWS(write_bf16, SL_BF16, j->act)

static void write_chunks(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    bool silu = j->act == SL_ACT_SILU, plain = j->act == SL_ACT_NONE;
    void (*write_rows)(const Job *, int64_t, int64_t, int64_t) =
        silu ? write_bf16_silu : (plain ? write_bf16_plain : write_bf16);
    if (j->x->dtype == SL_F32)
        write_rows = silu ? write_f32_silu : write_f32;
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

static bool place_statistics(SlDevice *dev, Job *j)
{
    int64_t items = j->x->size[0], statistics = items * j->chunks * j->columns;
    int64_t sums = in_pairs(j) ? 4 * items * j->columns : 0; /* in floats */
    int64_t all = sums + 2 * (statistics + items * j->channels) + j->channels;
    SlTensor memory = sl_tensor_new(dev, SL_F32, 1, &all);
    j->sums = memory.data;
    if (!memory.data)
        return false;
    j->mean = (float *)memory.data + sums;
    j->squares = j->mean + statistics;
    j->center = j->squares + statistics;
    j->scale = j->center + items * j->channels;
    j->shift = j->scale + items * j->channels;
    return true;
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
    job.columns = channels;
    if (in_pairs(&job))
        job.columns = (channels / 2 + SL_VEC_FLOATS - 1) / SL_VEC_FLOATS * SL_VEC_FLOATS;
    size_t mark = sl_arena_mark(dev);
    if (place_statistics(dev, &job)) {
        for (int64_t c = 0; c < channels; c++)
            job.shift[c] = job.beta ? job.beta[c] : 0;
        find_statistics(dev, &job);
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
        SlVec v = load(j->x->data, j->x->dtype, i + c, n) - shift;
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
            SlVec v = (load(j->x->data, j->x->dtype, i + c, n) - shift - rest) * scale;
            if (j->gamma)
                v = sl_vec_rounded(v * load_floats(j->gamma, c, n));
            if (j->beta)
                v += load_floats(j->beta, c, n);
            store(j->out->data, j->out->dtype, i + c, n, v);
        }
    }
}

#if defined(__AVX512BF16__)

SL_INLINE double sum_of(SlVec v)
{
    __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256((__m512)v));
    return _mm512_reduce_add_pd(low + _mm512_cvtps_pd(_mm512_extractf32x8_ps((__m512)v, 1)));
}

typedef struct Measure {
    float mean, scale;
} Measure;

SL_INLINE Measure measure_row(const Job *j, int64_t r)
{
    const uint16_t *x = (const uint16_t *)j->x->data + r * j->channels;
    Sums even = {{0}, {0}}, odd = even;
    int64_t c = 0;
    for (; c + 4 * SL_VEC_FLOATS <= j->channels; c += 4 * SL_VEC_FLOATS) {
        add_values(&even, _mm512_loadu_si512(x + c));
        add_values(&odd, _mm512_loadu_si512(x + c + 2 * SL_VEC_FLOATS));
        __builtin_prefetch((const char *)(x + c) + AHEAD);
        __builtin_prefetch((const char *)(x + c) + AHEAD + 64);
    }
    for (; c < j->channels; c += 2 * SL_VEC_FLOATS)
        add_values(&even, _mm512_maskz_loadu_epi16(first_of(j->channels - c), x + c));
    double count = 1 / (double)j->channels, mean = sum_of(even.values + odd.values) * count;
    double variance = sum_of(even.squares + odd.squares) * count - mean * mean;
    return (Measure){(float)mean, 1 / sqrtf((variance < 0 ? 0 : (float)variance) + j->eps)};
}

/* affine: with gamma and beta; else with either or none. */
SL_INLINE void normalise_row(const Job *j, int64_t r, Measure m, bool affine)
{
    const uint16_t *x = (const uint16_t *)j->x->data + r * j->channels;
    uint16_t *out = (uint16_t *)j->out->data + r * j->channels;
    const float *gamma = j->gamma, *beta = j->beta;
    int64_t c = 0, n = j->channels;
    for (; affine && n >= SL_VECS_FLOATS; c += SL_VECS_FLOATS, n -= SL_VECS_FLOATS) {
        SlVecs v = sl_vecs_load(x, SL_BF16, c), g = sl_vecs_load(gamma, SL_F32, c);
        SlVecs d = sl_vecs_load(beta, SL_F32, c);
        SL_EACH_VEC v.v[b] = (v.v[b] - m.mean) * m.scale * g.v[b] + d.v[b];
        sl_vecs_store_bf16(out, c, v);
    }
    for (; n > 0; c += SL_VEC_FLOATS, n -= SL_VEC_FLOATS) {
        SlVec v = (load(x, SL_BF16, c, n) - m.mean) * m.scale;
        if (affine || gamma)
            v *= load_floats(gamma, c, n);
        if (affine || beta)
            v += load_floats(beta, c, n);
        store(out, SL_BF16, c, n, v);
    }
}

/* The next row is measured before one is written: the processor does the one while it waits for the
 * other. */
static void layer_norm_rows_bf16(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    bool affine = j->gamma && j->beta;
    Measure m = measure_row(j, first);
    for (int64_t r = first; r < last; r++) {
        Measure next = m;
        if (r + 1 < last)
            next = measure_row(j, r + 1);
        if (affine)
            normalise_row(j, r, m, true);
        else
            normalise_row(j, r, m, false);
        m = next;
    }
}

#endif

static void cpu_layer_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                           const SlWeight *beta, float eps, SlTensor *out)
{
    Job job = {.x = x, .gamma = values(gamma), .beta = values(beta), .out = out, .eps = eps};
    job.channels = x->size[x->rank - 1];
    void (*rows)(void *, int64_t, int64_t) = layer_norm_rows;
#if defined(__AVX512BF16__)
    if (x->dtype == SL_BF16 && out->dtype == SL_BF16)
        rows = layer_norm_rows_bf16;
#endif
    sl_parallel_for(dev, sl_tensor_elements(x) / job.channels, sl_cpu_grain(job.channels), rows,
                    &job);
}

void SL_FOR_ISA(sl_cpu_norm_slots)(SlOps *ops)
{
    ops->group_norm = cpu_group_norm;
    ops->group_norm_silu = cpu_group_norm;
    ops->layer_norm = cpu_layer_norm;
}
