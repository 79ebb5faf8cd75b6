/* attention_bf16.c - softmax(q k^T scale) v in bf16 with the processor's own products of bf16 in
 * vectors (AVX-512 BF16: AMD's from Zen 4 on, Intel's from Cooper Lake on), without ever storing
 * the score matrix. attention_amx.c does it on the matrix unit.
 *
 * A lane of a vector is a query, in both products: 32 queries are a task. A tile of scores is 8
 * keys by all queries: a pair of a key's values, the same in all lanes, times a vector of such
 * pairs of the queries. Its scores become weights while they are still in registers, and those of
 * two keys are a pair of the second product, which takes 8 columns of the values at a time in the
 * same way. So neither a head's size nor the number of keys is padded to more than 8, and nothing
 * of a query has to be gathered from lanes.
 *
 * Products take nearly all of the time: the softmax is what attention_amx.c has. Powers of two are
 * a cubic, made such that cutting its bits to bf16 rounds it; the sum of weights is that of the
 * rounded ones; and there is no maximum but that of the first block of keys. Where a later block's
 * weights are too large with it, that block is done again with its own, and what was summed up
 * before is scaled.
 *
 * Causal attention is the texts', which are short, and which everything depends on: attention.c
 * computes it in f32.
 *
 * Easy to get wrong: a maximum of two with NaN in it gives the second operand; a tile has as many
 * sums as the registers hold beside the softmax's constants; with the maximum of fewer keys the
 * largest weights are rounded more: those just below 1 are rounded least.
 */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vec.h"

#include <float.h>
#include <immintrin.h>
#include <math.h>

#define LANES    16
#define WIDE     2 /* vectors of queries */
#define QUERIES  (WIDE * LANES)
#define TALL     8 /* keys or columns of a tile */
#define KEYS     128
#define MAX_HEAD 512
#define LOOK     32      /* blocks of keys between two looks whether to stop */
#define ROOM     0x1p40f /* for a sum of weights */

typedef struct Job {
    const SlDevice *dev;
    const SlTensor *q, *k, *v;
    SlTensor *out;
    const SlAttention *attn;
    int64_t d, pairs, groups; /* head size, in pairs that are summed and in tiles' columns */
    int64_t tasks, blocks;    /* of one head */
    uint32_t *packed;         /* [item, head, block][keys, values] */
    struct Task *scratch;     /* one per thread */
    float factor;             /* scores to powers of two */
} Job;

/* One task's state, in the arena: a stack may be too small for it. Arrays first: each is whole cache
 * lines. Pairs of bf16 are numbers of 32 bits. */
typedef struct Task {
    uint32_t q[MAX_HEAD / 2][QUERIES];
    float score[KEYS][QUERIES];         /* of a block, */
    uint32_t weight[KEYS / 2][QUERIES]; /* and what becomes of them */
    float sum[MAX_HEAD][QUERIES];       /* weights times values so far */
    float total[QUERIES];               /* weights */
    float shift[QUERIES];               /* minus a query's maximum, in powers of two */
    int64_t head, first, queries, keys;
} __attribute__((aligned(64))) Task;

/* ---- packing ---- */

static int64_t keys_pairs(const Job *j) /* of a block's keys */
{
    return KEYS * j->pairs;
}

static int64_t block_pairs(const Job *j)
{
    return keys_pairs(j) + KEYS / 2 * j->groups * TALL;
}

/* Where the head's part of a row is. */
static const uint16_t *row_of(const Job *j, const SlTensor *t, int64_t head, int64_t row)
{
    int64_t item = head / j->attn->heads;
    return (const uint16_t *)t->data + item * t->stride[0] + row * t->stride[1] +
           head % j->attn->heads * j->d;
}

/* Blocks of so many lanes, and as many rows, change places across the diagonal of each square of
 * twice as many; `right` are the lanes in the right halves. */
SL_INLINE void swap_blocks(__m512i r[LANES], const int size, const __mmask16 right)
{
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m512i across = _mm512_xor_si512(lane, _mm512_set1_epi32(size));
    for (int n = 0; n < LANES / 2; n++) {
        int i = n / size * 2 * size + n % size;
        __m512i a = r[i], b = r[i + size];
        r[i] = _mm512_mask_permutexvar_epi32(a, right, across, b);
        r[i + size] = _mm512_mask_permutexvar_epi32(b, (__mmask16)~right, across, a);
    }
}

/* Rows to columns. */
SL_INLINE void transpose(__m512i r[LANES])
{
    swap_blocks(r, 1, 0xaaaa);
    swap_blocks(r, 2, 0xcccc);
    swap_blocks(r, 4, 0xf0f0);
    swap_blocks(r, 8, 0xff00);
}

/* 16 pairs of each of 16 rows, from value c on, as columns. Zero is what a row does not have; in
 * the place of rows that are not there is the last one. */
SL_INLINE void load_pairs(const Job *j, const SlTensor *t, const uint16_t *row, int64_t c,
                          int64_t rows, __m512i r[LANES])
{
    int64_t n = j->d - c;
    __mmask32 there = n < 2 * LANES ? (1u << n) - 1 : UINT32_MAX;
    for (int i = 0; i < LANES; i++) {
        r[i] = _mm512_maskz_loadu_epi16(there, row + c);
        row += i + 1 < rows ? t->stride[1] : 0;
    }
    transpose(r);
}

/* Two tiles of keys: [pair][key]. */
static void pack_keys(const Job *j, int64_t head, int64_t first, uint32_t *to)
{
    const uint16_t *row = row_of(j, j->k, head, first);
    for (int64_t p = 0; p < j->pairs; p += LANES) {
        __m512i r[LANES];
        load_pairs(j, j->k, row, 2 * p, j->k->size[1] - first, r);
        for (int i = 0; i < LANES && p + i < j->pairs; i++) {
            uint32_t *tile = to + (p + i) * TALL;
            _mm256_storeu_si256((__m256i *)tile, _mm512_castsi512_si256(r[i]));
            _mm256_storeu_si256((__m256i *)(tile + j->pairs * TALL),
                                _mm512_extracti64x4_epi64(r[i], 1));
        }
    }
}

/* 8 columns of a row, from c on. */
SL_INLINE __m256i load_columns(const Job *j, const uint16_t *row, int64_t c)
{
    __mmask8 there = (__mmask8)(j->d - c < TALL ? (1u << (j->d - c)) - 1 : 0xff);
    return _mm256_cvtepu16_epi32(_mm_maskz_loadu_epi16(there, row + c));
}

/* The values of 16 keys: [columns][two keys][column]. Zero is what is not there. */
static void pack_values(const Job *j, int64_t head, int64_t first, uint32_t *to)
{
    int64_t there = j->v->size[1] - first, next = j->v->stride[1];
    for (int64_t c = 0; c < j->d; c += TALL, to += KEYS / 2 * TALL) {
        const uint16_t *row = row_of(j, j->v, head, first);
        for (int64_t i = 0; i < LANES; i += 2, row += 2 * next) {
            __m256i a = _mm256_setzero_si256(), b = a;
            if (i < there)
                a = load_columns(j, row, c);
            if (i + 1 < there)
                b = load_columns(j, row + next, c);
            _mm256_storeu_si256((__m256i *)(to + i / 2 * TALL),
                                _mm256_or_si256(a, _mm256_slli_epi32(b, 16)));
        }
    }
}

static void pack_blocks(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    for (int64_t block = first; block < last; block++) {
        int64_t head = block / j->blocks, key = block % j->blocks * KEYS;
        uint32_t *keys = j->packed + block * block_pairs(j), *values = keys + keys_pairs(j);
        for (int64_t i = 0; i < KEYS && key + i < j->k->size[1]; i += LANES) {
            pack_keys(j, head, key + i, keys + i * j->pairs);
            pack_values(j, head, key + i, values + i / 2 * TALL);
        }
    }
}

static void load_queries(const Job *j, Task *t)
{
    for (int w = 0; w < WIDE; w++) {
        int64_t i = w * LANES < t->queries ? w * LANES : t->queries - 1;
        const uint16_t *row = row_of(j, j->q, t->head, t->first + i);
        for (int64_t p = 0; p < j->pairs; p += LANES) {
            __m512i r[LANES];
            load_pairs(j, j->q, row, 2 * p, t->queries - i, r);
            for (int n = 0; n < LANES && p + n < j->pairs; n++)
                _mm512_store_si512(t->q[p + n] + w * LANES, r[n]);
        }
    }
}

/* ---- the products ---- */

/* Sums: of keys or columns, and all queries. */
typedef struct Tile {
    __m512 s[TALL][WIDE];
} Tile;

SL_INLINE Tile load_tile(const float (*from)[QUERIES])
{
    Tile t;
    for (int i = 0; i < TALL; i++)
        for (int w = 0; w < WIDE; w++)
            t.s[i][w] = _mm512_load_ps(from[i] + w * LANES);
    return t;
}

SL_INLINE void store_tile(const Tile *t, float (*to)[QUERIES])
{
    for (int i = 0; i < TALL; i++)
        for (int w = 0; w < WIDE; w++)
            _mm512_store_ps(to[i] + w * LANES, t->s[i][w]);
}

/* += the products of that many pairs: `same` has TALL for each, which are the same for all queries,
 * `each` has one for each query. */
SL_INLINE void add_products(Tile *t, const uint32_t *same, const uint32_t (*each)[QUERIES],
                            int64_t pairs)
{
    for (int64_t p = 0; p < pairs; p++) {
        __m512bh b[WIDE];
        for (int w = 0; w < WIDE; w++)
            b[w] = (__m512bh)_mm512_load_si512(each[p] + w * LANES);
        for (int i = 0; i < TALL; i++) {
            __m512bh a = (__m512bh)_mm512_set1_epi32((int)same[p * TALL + i]);
            for (int w = 0; w < WIDE; w++)
                t->s[i][w] = _mm512_dpbf16_ps(t->s[i][w], a, b[w]);
        }
    }
}

static const uint32_t *block_of(const Job *j, const Task *t, int64_t key)
{
    return j->packed + (t->head * j->blocks + key / KEYS) * block_pairs(j);
}

/* sum += weight v, of a block from that key on; the first one begins the sums. */
static void gather(const Job *j, Task *t, int64_t key)
{
    const uint32_t *values = block_of(j, t, key) + keys_pairs(j);
    int64_t keys = t->keys - key < KEYS ? t->keys - key : KEYS;
    for (int64_t c = 0; c < j->groups * TALL; c += TALL, values += KEYS / 2 * TALL) {
        Tile sums = {0};
        if (key > 0)
            sums = load_tile(t->sum + c);
        add_products(&sums, values, t->weight, (keys + TALL - 1) / TALL * (TALL / 2));
        store_tile(&sums, t->sum + c);
    }
}

/* ---- the softmax ---- */

/* Scores of keys that are not there. */
SL_INLINE void hide(int64_t there, Tile *scores)
{
    for (int64_t i = there; i < TALL; i++)
        for (int w = 0; w < WIDE; w++)
            scores->s[i][w] = _mm512_set1_ps(-INFINITY);
}

/* Shifts that are at least what these scores need. */
SL_INLINE void raise_tops(const Job *j, Task *t, const Tile *scores)
{
    for (int w = 0; w < WIDE; w++) {
        __m512 most = scores->s[0][w];
        for (int i = 1; i < TALL; i++)
            most = _mm512_max_ps(most, scores->s[i][w]);
        most = _mm512_mul_ps(most, _mm512_set1_ps(-j->factor));
        _mm512_store_ps(t->shift + w * LANES,
                        _mm512_min_ps(most, _mm512_load_ps(t->shift + w * LANES)));
    }
}

/* 2^x, relative error under 1e-4, and half a step of bf16 more: what is cut to bf16 is rounded. 0
 * of what is too small. NaN stays NaN. */
SL_INLINE __m512i power_of_two(__m512 x)
{
    const float half = 0x1p-8f;
    __m512 r = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF); /* 0 to 1, and p is 1 to 2 */
    __m512 p = _mm512_set1_ps(7.8024523e-2f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(2.2606716e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(6.9583354e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(9.9992522e-1f + half));
    return _mm512_castps_si512(_mm512_scalef_ps(p, x));
}

/* Scores of the keys of a tile. */
SL_INLINE Tile score(const Job *j, const Task *t, int64_t key)
{
    Tile scores = {0};
    add_products(&scores, block_of(j, t, key) + key % KEYS * j->pairs, t->q, j->pairs);
    if (key + TALL > t->keys)
        hide(t->keys - key, &scores);
    return scores;
}

/* A tile's weights, as pairs of keys. */
SL_INLINE void soften(const Job *j, Task *t, const Tile *scores, uint32_t (*weight)[QUERIES])
{
    const __m512i high = _mm512_set1_epi32((int)0xffff0000);
    const __m512bh one = (__m512bh)_mm512_set1_epi32(0x3f803f80);
    __m512 factor = _mm512_set1_ps(j->factor);
    for (int w = 0; w < WIDE; w++) {
        __m512 shift = _mm512_load_ps(t->shift + w * LANES);
        __m512 total = _mm512_load_ps(t->total + w * LANES);
        for (int i = 0; i < TALL; i += 2) {
            __m512i a = power_of_two(_mm512_fmadd_ps(scores->s[i][w], factor, shift));
            __m512i b = power_of_two(_mm512_fmadd_ps(scores->s[i + 1][w], factor, shift));
            a = _mm512_srli_epi32(a, 16);
            a = _mm512_ternarylogic_epi32(a, b, high, 0xf8); /* a | b & high */
            total = _mm512_dpbf16_ps(total, (__m512bh)a, one);
            _mm512_store_si512(weight[i / 2] + w * LANES, a);
        }
        _mm512_store_ps(t->total + w * LANES, total);
    }
}

/* ---- a task ---- */

/* The weights of a block, from that key on. False where their sum leaves too little room. */
static bool weigh(const Job *j, Task *t, int64_t key)
{
    unsigned high = 0;
    float before[QUERIES];
    memcpy(before, t->total, sizeof before);
    for (int64_t i = 0; i < KEYS && key + i < t->keys; i += TALL) {
        Tile scores = score(j, t, key + i);
        soften(j, t, &scores, t->weight + i / 2);
    }
    for (int w = 0; w < WIDE; w++)
        high |= _mm512_cmp_ps_mask(_mm512_load_ps(t->total + w * LANES), _mm512_set1_ps(ROOM),
                                   _CMP_GT_OQ);
    if (high)
        memcpy(t->total, before, sizeof before);
    return !high;
}

/* What was summed up with these shifts becomes what it had been with those of now. */
static void scale_sums(const Job *j, Task *t, const float shift[QUERIES])
{
    float keep[QUERIES];
    for (int i = 0; i < QUERIES; i++) {
        keep[i] = exp2f(t->shift[i] - shift[i]);
        t->total[i] *= keep[i];
    }
    for (int64_t c = 0; c < j->d; c++)
        for (int i = 0; i < QUERIES; i++)
            t->sum[c][i] *= keep[i];
}

/* The same as weigh, with the maximum of the block's scores, too. */
static void weigh_anew(const Job *j, Task *t, int64_t key)
{
    float before[QUERIES];
    memcpy(before, t->shift, sizeof before);
    for (int64_t i = 0; i < KEYS && key + i < t->keys; i += TALL) {
        Tile scores = score(j, t, key + i);
        raise_tops(j, t, &scores);
        store_tile(&scores, t->score + i);
    }
    if (key > 0)
        scale_sums(j, t, before);
    for (int64_t i = 0; i < KEYS && key + i < t->keys; i += TALL) {
        Tile scores = load_tile(t->score + i);
        soften(j, t, &scores, t->weight + i / 2);
    }
}

static void sum_up(const Job *j, Task *t)
{
    for (int i = 0; i < QUERIES; i++) {
        t->shift[i] = FLT_MAX;
        t->total[i] = 0;
    }
    for (int64_t key = 0; key < t->keys; key += KEYS) {
        if (key % (LOOK * KEYS) == 0 && sl_device_stopping(j->dev))
            return;
        if (key == 0 || !weigh(j, t, key))
            weigh_anew(j, t, key);
        gather(j, t, key);
    }
}

static void store_rows(const Job *j, const Task *t, int w, int64_t c)
{
    SlTensor *out = j->out;
    __m512i r[LANES];
    __m512 scale = _mm512_div_ps(_mm512_set1_ps(1), _mm512_load_ps(t->total + w * LANES));
    for (int i = 0; i < LANES; i++) {
        __m512 sum = _mm512_load_ps(t->sum[c + i < j->d ? c + i : c] + w * LANES);
        r[i] = _mm512_castps_si512(_mm512_mul_ps(sum, scale));
    }
    transpose(r);
    int64_t row = t->first + w * LANES, rows = t->queries - w * LANES, n = j->d - c;
    int64_t to = t->head / j->attn->heads * out->stride[0] + row * out->stride[1] +
                 t->head % j->attn->heads * j->d + c;
    for (int i = 0; i < LANES && i < rows; i++, to += out->stride[1])
        if (n >= LANES)
            sl_vec_store(out->data, out->dtype, to, (SlVec)r[i]);
        else
            sl_vec_store_part(out->data, out->dtype, to, n, (SlVec)r[i]);
}

static void attend(const Job *j, Task *t, int64_t task)
{
    t->head = task / j->tasks;
    t->first = task % j->tasks * QUERIES;
    t->queries = j->q->size[1] - t->first;
    t->queries = t->queries < QUERIES ? t->queries : QUERIES;
    t->keys = j->k->size[1];
    load_queries(j, t);
    sum_up(j, t);
    for (int w = 0; w < WIDE; w++)
        for (int64_t c = 0; c < j->d; c += LANES)
            store_rows(j, t, w, c);
}

static void attend_tasks(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    unsigned flags = _mm_getcsr();
    _mm_setcsr(flags | _MM_FLUSH_ZERO_ON); /* a weight below 1e-38 may take very long */
    for (int64_t task = first; task < last; task++)
        attend(j, j->scratch + sl_thread_index(), task);
    _mm_setcsr(flags);
}

static void bf16_attention(SlDevice *dev, const SlTensor *q, const SlTensor *k, const SlTensor *v,
                           const SlAttention *attn, SlTensor *out)
{
    int64_t d = q->size[2] / attn->heads, heads = q->size[0] * attn->heads;
    if (q->dtype != SL_BF16 || k->dtype != SL_BF16 || v->dtype != SL_BF16 || d > MAX_HEAD ||
        !(attn->scale > 0) || attn->causal) {
        ((SlCpuDevice *)dev)->apart.attention(dev, q, k, v, attn, out);
        return;
    }
    Job job = {.dev = dev, .q = q, .k = k, .v = v, .out = out, .attn = attn, .d = d};
    job.factor = attn->scale * 1.44269504f;
    job.pairs = (d + 1) / 2;
    job.groups = (d + TALL - 1) / TALL;
    job.tasks = (q->size[1] + QUERIES - 1) / QUERIES;
    job.blocks = (k->size[1] + KEYS - 1) / KEYS;
    size_t mark = sl_arena_mark(dev);
    SlTensor packed = sl_tensor_new(dev, SL_BF16, 2,
                                    (const int64_t[]){heads * job.blocks, 2 * block_pairs(&job)});
    SlTensor scratch =
        sl_tensor_new(dev, SL_U8, 2, (const int64_t[]){dev->threads, sizeof *job.scratch});
    job.packed = packed.data;
    job.scratch = scratch.data;
    if (job.packed && job.scratch) {
        sl_parallel_for(dev, heads * job.blocks, sl_cpu_grain(KEYS * d), pack_blocks, &job);
        sl_parallel_for(dev, heads * job.tasks, sl_cpu_grain(QUERIES * k->size[1] * d / 128),
                        attend_tasks, &job);
    }
    sl_arena_reset(dev, mark);
}

void SL_FOR_ISA(sl_cpu_attention_slots)(SlOps *ops)
{
    ops->attention = bf16_attention;
}
