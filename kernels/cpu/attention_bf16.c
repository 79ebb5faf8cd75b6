/* attention_bf16.c - softmax(q k^T scale) v in bf16 with the processor's own products of bf16 in
 * vectors (AVX-512 BF16: AMD's from Zen 4 on, Intel's from Cooper Lake on), without ever storing
 * the score matrix. attention_amx.c does it on the matrix unit.
 *
 * As attention.c, but both products multiply tiles of 16 rows by 32 values: keys and values are
 * packed once per head as the second factors of such products (pairs of what is summed lie side by
 * side), 32 queries are a task. With products that fast, what counts is the softmax between them: a
 * polynomial that is good to bf16, in powers of two, and sums that are only rescaled when a row's
 * maximum has risen by more than 2^8 (as FlashAttention-4 does), which f32 has room for.
 *
 * Easy to get wrong: a maximum of two with NaN in it gives the second operand.
 */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vec.h"

#include <cpuid.h>
#include <immintrin.h>
#include <math.h>

#define SIDE     16             /* rows of a tile, and columns of its products */
#define DEPTH    32             /* bf16 values of a tile's row */
#define TILE     (SIDE * DEPTH) /* values of a tile; a product has half as many, in f32 */
#define QUERIES  32
#define KEYS     128
#define MAX_HEAD 512
#define LOOK     32   /* blocks of keys between two looks whether to stop */
#define ROOM     8.0f /* powers of two that a weight may be above 1 */

typedef struct Job {
    const SlDevice *dev;
    const SlTensor *q, *k, *v;
    SlTensor *out;
    const SlAttention *attn;
    int64_t d, depths, columns; /* head size, in tiles as what is summed and as columns */
    int64_t tiles, blocks;      /* of queries and keys in one head */
    uint16_t *packed;           /* [item, head, block][keys, values] */
    struct Tile *scratch;       /* one per thread */
    float factor;               /* scores to powers of two */
} Job;

/* One task's state, in the arena: a stack may be too small for it. Arrays first: each is whole cache
 * lines. */
typedef struct Tile {
    uint16_t q[QUERIES * MAX_HEAD];        /* [half][depth] tiles */
    float score[QUERIES][KEYS];            /* rows of all keys */
    uint16_t weight[QUERIES * KEYS];       /* [half][depth] tiles */
    float sum[QUERIES * MAX_HEAD];         /* [half][column] tiles: weights times values so far */
    float weights[QUERIES][SL_VEC_FLOATS]; /* sum of weights, still in lanes */
    float top[QUERIES];
    int64_t item, head, first, queries;
} __attribute__((aligned(64))) Tile;

/* Read from the processor, as attention_amx.c does. */
bool SL_FOR_ISA(sl_cpu_attention_usable)(void)
{
    enum { AVX512_BF16 = 1 << 5 };
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & AVX512_BF16);
}

/* ---- packing ---- */

static int64_t keys_values(const Job *j) /* of a block's keys */
{
    return KEYS / SIDE * j->depths * TILE;
}

static int64_t block_values(const Job *j)
{
    return keys_values(j) + KEYS / DEPTH * j->columns * TILE;
}

/* The head's part of one row, the rest up to a whole tile zero; all zero beyond the end. */
static void load_row(const Job *j, const SlTensor *t, const int64_t place[3], uint16_t *to)
{
    memset(to, 0, (size_t)(j->depths * DEPTH) * sizeof *to);
    const uint16_t *from = t->data;
    if (place[2] < t->size[1])
        memcpy(to, from + place[0] * t->stride[0] + place[2] * t->stride[1] + place[1] * j->d,
               (size_t)j->d * sizeof *to);
}

/* Key number i of a block: in every tile of its 16 keys, a column of pairs. */
static void pack_key(const Job *j, int64_t i, const uint16_t *row, uint16_t *keys)
{
    uint16_t *to = keys + i / SIDE * j->depths * TILE + i % SIDE * 2;
    for (int64_t c = 0; c < j->depths * DEPTH; c += 2)
        memcpy(to + c / 2 * DEPTH, row + c, 2 * sizeof *to);
}

/* Value number i: every other place of a row in every tile of its 32. */
static void pack_value(const Job *j, int64_t i, const uint16_t *row, uint16_t *values)
{
    uint16_t *to = values + i / DEPTH * j->columns * TILE + i % DEPTH / 2 * DEPTH + i % 2;
    for (int64_t c = 0; c < j->columns * SIDE; c++)
        to[c / SIDE * TILE + c % SIDE * 2] = row[c];
}

static void pack_blocks(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    uint16_t row[MAX_HEAD];
    for (int64_t task = first; task < last; task++) {
        int64_t head = task / j->blocks;
        uint16_t *keys = j->packed + task * block_values(j);
        for (int64_t i = 0; i < KEYS; i++) {
            const int64_t place[3] = {head / j->attn->heads, head % j->attn->heads,
                                      task % j->blocks * KEYS + i};
            load_row(j, j->k, place, row);
            pack_key(j, i, row, keys);
            load_row(j, j->v, place, row);
            pack_value(j, i, row, keys + keys_values(j));
        }
    }
}

static void load_queries(const Job *j, Tile *t)
{
    uint16_t row[MAX_HEAD];
    for (int64_t i = 0; i < QUERIES; i++) {
        const int64_t place[3] = {t->item, t->head, t->first + i};
        load_row(j, j->q, place, row);
        for (int64_t c = 0; c < j->depths; c++)
            memcpy(t->q + (i / SIDE * j->depths + c) * TILE + i % SIDE * DEPTH, row + c * DEPTH,
                   DEPTH * sizeof *row);
        t->top[i] = -INFINITY;
    }
    memset(t->sum, 0, (size_t)(QUERIES * j->columns * SIDE) * sizeof *t->sum);
    memset(t->weights, 0, sizeof t->weights);
}

/* ---- the products ---- */

/* A register tile: TALL rows by WIDE vectors of sums. */
#define TALL 4
#define WIDE 4

/* The factors of sums: rows of the first in tiles side by side, vectors of the second `apart` values from
 * each other in tiles `step` values from each other. */
typedef struct Factors {
    const uint16_t *a, *b;
    int64_t tiles, step, apart;
} Factors;

/* sum += a b, `wide` vectors of TALL rows; sums of a row are `apart` floats from each other. */
SL_INLINE void add_products(const Factors *f, float *sum, int64_t row, int64_t apart,
                            const int wide)
{
    __m512 s[TALL][WIDE];
    for (int r = 0; r < TALL; r++)
        for (int w = 0; w < wide; w++)
            s[r][w] = _mm512_load_ps(sum + r * row + w * apart);
    for (int64_t c = 0; c < f->tiles; c++)
        for (int p = 0; p < DEPTH / 2; p++) {
            const uint16_t *b = f->b + c * f->step + p * DEPTH, *a = f->a + c * TILE + 2 * p;
            __m512i second[WIDE];
            for (int w = 0; w < wide; w++)
                second[w] = _mm512_load_si512(b + w * f->apart);
            for (int r = 0; r < TALL; r++) {
                int pair;
                memcpy(&pair, a + r * DEPTH, sizeof pair);
                for (int w = 0; w < wide; w++)
                    s[r][w] = _mm512_dpbf16_ps(s[r][w], (__m512bh)_mm512_set1_epi32(pair),
                                               (__m512bh)second[w]);
            }
        }
    for (int r = 0; r < TALL; r++)
        for (int w = 0; w < wide; w++)
            _mm512_store_ps(sum + r * row + w * apart, s[r][w]);
}

/* Scores of all queries and a block's keys. */
static void score(const Job *j, Tile *t, const uint16_t *keys)
{
    memset(t->score, 0, sizeof t->score);
    for (int64_t first = 0; first < KEYS; first += WIDE * SIDE)
        for (int64_t i = 0; i < QUERIES; i += TALL) {
            const Factors f = {.a = t->q + i / SIDE * j->depths * TILE + i % SIDE * DEPTH,
                               .b = keys + first / SIDE * j->depths * TILE,
                               .tiles = j->depths,
                               .step = TILE,
                               .apart = j->depths * TILE};
            add_products(&f, t->score[i] + first, KEYS, SIDE, WIDE);
        }
}

/* sum += weight v. */
static void gather(const Job *j, Tile *t, const uint16_t *values)
{
    for (int64_t i = 0; i < QUERIES; i += TALL)
        for (int64_t column = 0; column < j->columns; column += WIDE) {
            const Factors f = {.a = t->weight + i / SIDE * KEYS / DEPTH * TILE + i % SIDE * DEPTH,
                               .b = values + column * TILE,
                               .tiles = KEYS / DEPTH,
                               .step = j->columns * TILE,
                               .apart = TILE};
            float *sum = t->sum + (i / SIDE * j->columns + column) * TILE / 2 + i % SIDE * SIDE;
            switch (j->columns - column) {
            case 1:
                add_products(&f, sum, SIDE, TILE / 2, 1);
                break;
            case 2:
                add_products(&f, sum, SIDE, TILE / 2, 2);
                break;
            case 3:
                add_products(&f, sum, SIDE, TILE / 2, 3);
                break;
            default:
                add_products(&f, sum, SIDE, TILE / 2, WIDE);
            }
        }
}

/* ---- the softmax ---- */

/* Keys that a query may not see, or that are not there. */
static void mask(const Job *j, Tile *t, int64_t first_key)
{
    for (int64_t i = 0; i < QUERIES; i++) {
        int64_t seen = j->k->size[1] - first_key;
        if (j->attn->causal && t->first + i + 1 - first_key < seen)
            seen = t->first + i + 1 - first_key;
        for (int64_t c = seen < 0 ? 0 : seen; c < KEYS; c++)
            t->score[i][c] = -INFINITY;
    }
}

/* 2^x for x up to some tens, relative error under 1e-4; 1e-38 instead of what is less. NaN stays
 * NaN. */
SL_INLINE __m512 power_of_two(__m512 x)
{
    const __m512 magic = _mm512_set1_ps(12582912.0f); /* 1.5 * 2^23: rounds to nearest */
    x = _mm512_max_ps(_mm512_set1_ps(-126), x);
    __m512 shifted = _mm512_add_ps(x, magic); /* its last bits are the exponent */
    __m512 r = _mm512_sub_ps(x, _mm512_sub_ps(shifted, magic));
    __m512 p = _mm512_set1_ps(5.517132e-2f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(2.4261054e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(6.9326099e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(9.9992811e-1f));
    __m512i exponent = _mm512_slli_epi32(_mm512_castps_si512(shifted), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), exponent));
}

/* A higher maximum for row i. */
static void raise_top(const Job *j, Tile *t, int64_t i, float top)
{
    float keep = exp2f((t->top[i] - top) * j->factor); /* 0 at first */
    for (int64_t column = 0; column < j->columns; column++) {
        float *sum = t->sum + (i / SIDE * j->columns + column) * TILE / 2 + i % SIDE * SIDE;
        *(SlVec *)sum *= keep;
    }
    *(SlVec *)t->weights[i] *= keep;
    t->top[i] = top;
}

/* Scores to weights. */
static void soften(const Job *j, Tile *t)
{
    const __m512 factor = _mm512_set1_ps(j->factor);
    for (int64_t i = 0; i < QUERIES; i++) {
        const float *s = t->score[i];
        __m512 most = _mm512_load_ps(s), total = _mm512_load_ps(t->weights[i]);
        for (int b = 1; b < KEYS / SL_VEC_FLOATS; b++)
            most = _mm512_max_ps(most, _mm512_load_ps(s + b * SL_VEC_FLOATS));
        __m512 limit = _mm512_set1_ps(t->top[i] + ROOM / j->factor);
        if (_mm512_cmp_ps_mask(most, limit, _CMP_GT_OQ)) {
            raise_top(j, t, i, _mm512_reduce_max_ps(most));
            total = _mm512_load_ps(t->weights[i]);
        }
        __m512 shift = _mm512_set1_ps(-t->top[i] * j->factor);
        uint16_t *to = t->weight + i / SIDE * KEYS / DEPTH * TILE + i % SIDE * DEPTH;
        for (int c = 0; c < KEYS / DEPTH; c++) {
            __m512 a = _mm512_load_ps(s + c * DEPTH),
                   b = _mm512_load_ps(s + c * DEPTH + SL_VEC_FLOATS);
            a = power_of_two(_mm512_fmadd_ps(a, factor, shift));
            b = power_of_two(_mm512_fmadd_ps(b, factor, shift));
            total = _mm512_add_ps(total, _mm512_add_ps(a, b));
            _mm512_store_si512(to + c * TILE, (__m512i)_mm512_cvtne2ps_pbh(b, a));
        }
        _mm512_store_ps(t->weights[i], total);
    }
}

/* ---- a task ---- */

static void store_queries(const Job *j, const Tile *t)
{
    SlTensor *out = j->out;
    for (int64_t i = 0; i < t->queries; i++) {
        int64_t to = t->item * out->stride[0] + (t->first + i) * out->stride[1] + t->head * j->d;
        float scale = 1 / sl_vec_sum(*(const SlVec *)t->weights[i]);
        for (int64_t c = 0; c < j->d; c += SL_VEC_FLOATS) {
            const float *sum =
                t->sum + (i / SIDE * j->columns + c / SIDE) * TILE / 2 + i % SIDE * SIDE;
            SlVec v = *(const SlVec *)sum * scale;
            if (j->d - c >= SL_VEC_FLOATS)
                sl_vec_store(out->data, out->dtype, to + c, v);
            else
                sl_vec_store_part(out->data, out->dtype, to + c, j->d - c, v);
        }
    }
}

static void attend(const Job *j, Tile *t, int64_t task)
{
    int64_t head = task / j->tiles, keys = j->k->size[1];
    t->head = head % j->attn->heads;
    t->item = head / j->attn->heads;
    t->first = task % j->tiles * QUERIES;
    t->queries = j->q->size[1] - t->first;
    t->queries = t->queries < QUERIES ? t->queries : QUERIES;
    if (j->attn->causal && t->first + t->queries < keys)
        keys = t->first + t->queries;
    load_queries(j, t);
    for (int64_t first_key = 0; first_key < keys; first_key += KEYS) {
        if (first_key % (LOOK * KEYS) == 0 && sl_device_stopping(j->dev))
            return;
        const uint16_t *block = j->packed + (head * j->blocks + first_key / KEYS) * block_values(j);
        score(j, t, block);
        if (j->attn->causal || j->k->size[1] - first_key < KEYS)
            mask(j, t, first_key);
        soften(j, t);
        gather(j, t, block + keys_values(j));
    }
    store_queries(j, t);
}

static void attend_tiles(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    for (int64_t task = first; task < last; task++)
        attend(j, j->scratch + sl_thread_index(), task);
}

static void bf16_attention(SlDevice *dev, const SlTensor *q, const SlTensor *k, const SlTensor *v,
                           const SlAttention *attn, SlTensor *out)
{
    int64_t d = q->size[2] / attn->heads, heads = q->size[0] * attn->heads;
    if (q->dtype != SL_BF16 || k->dtype != SL_BF16 || v->dtype != SL_BF16 || d > MAX_HEAD ||
        !(attn->scale > 0)) {
        ((SlCpuDevice *)dev)->apart.attention(dev, q, k, v, attn, out);
        return;
    }
    Job job = {.dev = dev, .q = q, .k = k, .v = v, .out = out, .attn = attn, .d = d};
    job.factor = attn->scale * 1.44269504f;
    job.depths = (d + DEPTH - 1) / DEPTH;
    job.columns = (d + SIDE - 1) / SIDE;
    job.tiles = (q->size[1] + QUERIES - 1) / QUERIES;
    job.blocks = (k->size[1] + KEYS - 1) / KEYS;
    size_t mark = sl_arena_mark(dev);
    SlTensor packed =
        sl_tensor_new(dev, SL_BF16, 2, (const int64_t[]){heads * job.blocks, block_values(&job)});
    SlTensor scratch =
        sl_tensor_new(dev, SL_U8, 2, (const int64_t[]){dev->threads, sizeof *job.scratch});
    job.packed = packed.data;
    job.scratch = scratch.data;
    if (job.packed && job.scratch) {
        sl_parallel_for(dev, heads * job.blocks, sl_cpu_grain(KEYS * d), pack_blocks, &job);
        sl_parallel_for(dev, heads * job.tiles, sl_cpu_grain(QUERIES * k->size[1] * d / 128),
                        attend_tiles, &job);
    }
    sl_arena_reset(dev, mark);
}

void SL_FOR_ISA(sl_cpu_attention_slots)(SlOps *ops)
{
    ops->attention = bf16_attention;
}
