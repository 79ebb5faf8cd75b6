/* attention.c - softmax(q k^T scale) v without ever storing the score matrix.
 *
 * Keys and values are packed once per head: blocks of 64 keys, transposed, and their values, all in
 * f32 with the head size padded to whole vectors, so that both products run on full vectors for any head size.
 * Then one task is 48 queries of one head: scores of a block in a small tile, the running maximum
 * and sum of the online softmax (Milakov and Gimelshein 2018; Dao et al. 2022) rescale what was
 * summed before.
 *
 * Easy to get wrong: a causal query may see no key of a block at all, and keys that pad the last
 * block must weigh nothing.
 */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vec.h"

#include "kernels/ref/ref.h"

#include <math.h>

#define QUERIES  48
#define KEYS     64
#define MAX_HEAD 512
#define LOOK     32 /* blocks of keys between two looks whether to stop */
/* A register tile of scores: TALL queries by WIDE vectors of keys; one of sums of values: as many or fewer
 * queries by up to MOST vectors of a row. 24 accumulators and 5 more fit 32 registers, 12 and 4 fit 16. */
#define TALL 6
#if defined(__AVX512F__) || defined(__aarch64__)
#define WIDE             4
#define MOST             4
#define TALL_OF(vectors) TALL
#else
#define WIDE             2
#define MOST             3
#define TALL_OF(vectors) ((vectors) > 2 ? 4 : TALL)
#endif
/* What follows a block's last key is computed up to whole tiles, and whole sums of weights. */
#define TILE    (WIDE * SL_VEC_FLOATS)
#define COLUMNS (TILE > SL_SUM_LANES ? TILE : SL_SUM_LANES)

typedef struct Job {
    const SlDevice *dev;
    const SlTensor *q, *k, *v;
    SlTensor *out;
    const SlAttention *attn;
    int64_t d, padded; /* head size, rounded up to whole vectors */
    int64_t row; /* floats between rows of a tile and of values: an odd number of vectors, so that
                            * they do not all want the same places in the cache */
    int64_t tiles, blocks; /* of queries and keys in one head */
    int64_t each;          /* queries of a tile */
    float *packed;  /* [item, head, block][padded * KEYS transposed keys, KEYS rows of values] */
    float *scratch; /* per thread: a tile's arrays */
} Job;

/* One task's state: everything in f32. The four arrays of vectors lie in the arena, a stack may be
 * too small for them. */
typedef struct Tile {
    int64_t item, head, first, queries;
    int64_t rows;         /* queries rounded up to TALL: the last one again */
    float *q;             /* scaled queries, rows of job->row */
    float *sum;           /* sum of weights times values so far, the same */
    float (*score)[KEYS]; /* of each query */
    SlSum *weight;        /* sum of weights, still in lanes */
    float top[QUERIES];
} Tile;

static int64_t block_floats(const Job *j)
{
    return (j->padded + j->row) * KEYS;
}

/* One block of keys of one head, for every task of that head. */
static void pack_blocks(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    float row[MAX_HEAD];
    for (int64_t task = first; task < last; task++) {
        int64_t head = task / j->blocks % j->attn->heads, item = task / j->blocks / j->attn->heads;
        float *keys = j->packed + task * block_floats(j), *values = keys + j->padded * KEYS;
        for (int64_t i = 0; i < KEYS; i++) {
            int64_t key = task % j->blocks * KEYS + i;
            if (key >= j->k->size[1])
                break; /* beyond the end: the scores are masked and the values are not read */
            sl_vec_load_row(j->k, item * j->k->stride[0] + key * j->k->stride[1] + head * j->d,
                            j->d, j->padded, row);
            for (int64_t c = 0; c < j->padded; c++)
                keys[c * KEYS + i] = row[c];
            sl_vec_load_row(j->v, item * j->v->stride[0] + key * j->v->stride[1] + head * j->d,
                            j->d, j->padded, values + i * j->row);
        }
    }
}

static void load_queries(const Job *j, Tile *t)
{
    for (int64_t i = 0; i < t->rows; i++) {
        int64_t row = t->first + (i < t->queries ? i : t->queries - 1);
        sl_vec_load_row(j->q, t->item * j->q->stride[0] + row * j->q->stride[1] + t->head * j->d,
                        j->d, j->padded, t->q + i * j->row);
        for (int64_t c = 0; c < j->padded; c += SL_VEC_FLOATS) {
            *(SlVec *)(t->q + i * j->row + c) *= j->attn->scale;
            *(SlVec *)(t->sum + i * j->row + c) = sl_vec_set(0);
        }
        t->top[i] = -INFINITY;
        t->weight[i] = (SlSum){{{0}}};
    }
}

/* TALL queries by WIDE vectors of keys */
SL_INLINE void score_tile(const Job *j, Tile *t, const float *keys, int64_t i, int64_t column)
{
    SlVec acc[TALL][WIDE];
    for (int a = 0; a < TALL; a++)
        for (int b = 0; b < WIDE; b++)
            acc[a][b] = sl_vec_set(0);
    for (int64_t c = 0; c < j->d; c++) {
        const SlVec *key = (const SlVec *)(keys + c * KEYS + column);
        for (int a = 0; a < TALL; a++) {
            SlVec q = sl_vec_set(t->q[(i + a) * j->row + c]);
            for (int b = 0; b < WIDE; b++)
                acc[a][b] += q * key[b];
        }
    }
    for (int a = 0; a < TALL; a++)
        for (int b = 0; b < WIDE; b++)
            *(SlVec *)(t->score[i + a] + column + b * SL_VEC_FLOATS) = acc[a][b];
}

/* Keys that query i may not see, or that are not there: of the first `columns` of a block. */
static void mask(const Job *j, Tile *t, int64_t first_key, int64_t columns)
{
    for (int64_t i = 0; i < t->rows; i++) {
        int64_t seen = j->k->size[1] - first_key;
        if (j->attn->causal && t->first + i + 1 - first_key < seen)
            seen = t->first + i + 1 - first_key;
        for (int64_t c = seen < 0 ? 0 : seen; c < columns; c++)
            t->score[i][c] = -INFINITY;
    }
}

/* Scores of one query to weights; rescales the sums when the maximum rises. */
SL_INLINE void soften_row(const Job *j, Tile *t, int64_t i, int64_t columns)
{
    SlVec *s = (SlVec *)t->score[i], most = s[0];
    SlSum total = {{{0}}};
    for (int64_t b = 1; b < columns / SL_VEC_FLOATS; b++)
        most = sl_vec_max(most, s[b]);
    float top = sl_vec_top(most);
    if (!(top > t->top[i]))
        top = t->top[i];
    if (top == -INFINITY)
        top = 0; /* no visible key so far: all weights become exp(-inf) = 0 */
    for (int64_t b = 0; b < columns / SL_VEC_FLOATS; b += SL_SUM_PARTS)
        for (int part = 0; part < SL_SUM_PARTS; part++) {
            s[b + part] = sl_vec_exp_below(s[b + part] - top);
            total.part[part] += s[b + part];
        }
    float keep = t->top[i] == top ? 1 : expf(t->top[i] - top);
    for (int b = 0; b < SL_SUM_PARTS; b++)
        t->weight[i].part[b] = t->weight[i].part[b] * keep + total.part[b];
    t->top[i] = top;
    if (keep != 1)
        for (int64_t c = 0; c < j->padded; c += SL_VEC_FLOATS)
            *(SlVec *)(t->sum + i * j->row + c) *= keep;
}

/* A whole block with its size as a constant, which is most of all blocks. */
static void soften(const Job *j, Tile *t, int64_t columns)
{
    if (columns == KEYS)
        for (int64_t i = 0; i < t->rows; i++)
            soften_row(j, t, i, KEYS);
    else
        for (int64_t i = 0; i < t->rows; i++)
            soften_row(j, t, i, columns);
}

/* sum += score v: some queries from i on by some vectors of columns from c on */
SL_INLINE void gather_tile(const Job *j, Tile *t, const float *values, const int64_t at[3],
                           int tall, int vectors)
{
    int64_t i = at[0], c = at[1], keys = at[2];
    SlVec acc[TALL][MOST];
    for (int a = 0; a < tall; a++)
        for (int b = 0; b < vectors; b++)
            acc[a][b] = *(SlVec *)(t->sum + (i + a) * j->row + c + b * SL_VEC_FLOATS);
    for (int64_t k = 0; k < keys; k++) {
        const SlVec *v = (const SlVec *)(values + k * j->row + c);
        for (int a = 0; a < tall; a++) {
            SlVec w = sl_vec_set(t->score[i + a][k]);
            for (int b = 0; b < vectors; b++)
                acc[a][b] += w * v[b];
        }
    }
    for (int a = 0; a < tall; a++)
        for (int b = 0; b < vectors; b++)
            *(SlVec *)(t->sum + (i + a) * j->row + c + b * SL_VEC_FLOATS) = acc[a][b];
}

/* All queries, which are a multiple of TALL, by some vectors of columns. */
SL_INLINE void gather_columns(const Job *j, Tile *t, const float *values, int64_t c, int64_t keys,
                              int vectors)
{
    int64_t i = 0;
    for (; t->rows - i >= TALL_OF(vectors); i += TALL_OF(vectors))
        gather_tile(j, t, values, (const int64_t[]){i, c, keys}, TALL_OF(vectors), vectors);
    for (; i < t->rows; i += 2)
        gather_tile(j, t, values, (const int64_t[]){i, c, keys}, 2, vectors);
}

/* Each call has its number of vectors as a constant, so that the tile stays in registers. */
static void gather(const Job *j, Tile *t, const float *values, int64_t keys)
{
    int64_t vectors = j->padded / SL_VEC_FLOATS, parts = (vectors + MOST - 1) / MOST, done = 0;
    for (int64_t part = 0; part < parts; part++) {
        int64_t count = (vectors - done) / (parts - part), c = done * SL_VEC_FLOATS;
        switch (count) {
#if MOST > 3
        case 4:
            gather_columns(j, t, values, c, keys, 4);
            break;
#endif
        case 3:
            gather_columns(j, t, values, c, keys, 3);
            break;
        case 2:
            gather_columns(j, t, values, c, keys, 2);
            break;
        default:
            gather_columns(j, t, values, c, keys, 1);
        }
        done += count;
    }
}

static void store_queries(const Job *j, const Tile *t)
{
    SlTensor *out = j->out;
    for (int64_t i = 0; i < t->queries; i++) {
        int64_t to = t->item * out->stride[0] + (t->first + i) * out->stride[1] + t->head * j->d;
        float scale = 1 / sl_sum_of(t->weight[i]);
        for (int64_t c = 0; c < j->d; c += SL_VEC_FLOATS) {
            SlVec v = *(const SlVec *)(t->sum + i * j->row + c) * scale;
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
    t->first = task % j->tiles * j->each;
    t->queries = j->q->size[1] - t->first;
    t->queries = t->queries < j->each ? t->queries : j->each;
    t->rows = (t->queries + TALL - 1) / TALL * TALL;
    if (j->attn->causal && t->first + t->queries < keys)
        keys = t->first + t->queries;
    load_queries(j, t);
    for (int64_t first_key = 0; first_key < keys; first_key += KEYS) {
        if (first_key % (LOOK * KEYS) == 0 && sl_device_stopping(j->dev))
            return;
        const float *block = j->packed + (head * j->blocks + first_key / KEYS) * block_floats(j);
        int64_t there = keys - first_key < KEYS ? keys - first_key : KEYS;
        int64_t columns = (there + COLUMNS - 1) / COLUMNS * COLUMNS;
        for (int64_t i = 0; i < t->rows; i += TALL)
            for (int64_t c = 0; c < columns; c += TILE)
                score_tile(j, t, block, i, c);
        if (j->attn->causal || there < columns)
            mask(j, t, first_key, columns);
        soften(j, t, columns);
        gather(j, t, block + j->padded * KEYS, there);
    }
    store_queries(j, t);
}

static int64_t tile_floats(const Job *j)
{
    return QUERIES * (2 * j->row + KEYS + SL_SUM_LANES);
}

static void attend_tiles(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    Tile tile = {.q = j->scratch + sl_thread_index() * tile_floats(j)};
    tile.sum = tile.q + QUERIES * j->row;
    tile.score = (float(*)[KEYS])(tile.sum + QUERIES * j->row);
    tile.weight = (SlSum *)(void *)(tile.score + QUERIES);
    for (int64_t task = first; task < last; task++)
        attend(j, &tile, task);
}

static void cpu_attention(SlDevice *dev, const SlTensor *q, const SlTensor *k, const SlTensor *v,
                          const SlAttention *attn, SlTensor *out)
{
    int64_t d = q->size[2] / attn->heads, heads = q->size[0] * attn->heads;
    Job job = {.dev = dev, .q = q, .k = k, .v = v, .out = out, .attn = attn, .d = d};
    job.padded = (d + SL_VEC_FLOATS - 1) / SL_VEC_FLOATS * SL_VEC_FLOATS;
    job.row = job.padded % 32 == 0 ? job.padded + SL_VEC_FLOATS : job.padded;
    job.tiles = (q->size[1] + QUERIES - 1) / QUERIES;
    job.each = ((q->size[1] + job.tiles - 1) / job.tiles + TALL - 1) / TALL * TALL;
    job.blocks = (k->size[1] + KEYS - 1) / KEYS;
    if (job.padded > MAX_HEAD) {
        sl_ref_attention(dev, q, k, v, attn, out);
        return;
    }
    size_t mark = sl_arena_mark(dev);
    SlTensor packed =
        sl_tensor_new(dev, SL_F32, 2, (const int64_t[]){heads * job.blocks, block_floats(&job)});
    SlTensor scratch =
        sl_tensor_new(dev, SL_F32, 2, (const int64_t[]){dev->threads, tile_floats(&job)});
    job.packed = packed.data;
    job.scratch = scratch.data;
    if (job.packed && job.scratch) {
        sl_parallel_for(dev, heads * job.blocks, sl_cpu_grain(job.padded * KEYS), pack_blocks,
                        &job);
        int64_t work = job.each * k->size[1] * d / 16; /* products, in elements of other loops */
        sl_parallel_for(dev, heads * job.tiles, sl_cpu_grain(work), attend_tiles, &job);
    }
    sl_arena_reset(dev, mark);
}

void SL_FOR_ISA(sl_cpu_attention_slots)(SlOps *ops)
{
    ops->attention = cpu_attention;
}
