/* attention.c - softmax(q k^T scale) v without ever storing the score matrix.
 *
 * Keys and values are packed once per head, in f32, as the panels of a product (gemm.h): blocks of 64
 * keys, transposed, and their values. Then one task is some queries of one head: scores of a block in
 * a small tile, sums of the online softmax (Milakov and Gimelshein 2018; Dao et al. 2022) in powers of
 * two, which are only rescaled when a row's maximum has risen by more than 2^8 (as FlashAttention-4
 * does).
 *
 * Easy to get wrong: a causal query may see no key of a block at all, and keys that pad a vector must
 * weigh nothing; how tasks are cut and ordered depends on the shape alone.
 */
#include "kernels/cpu/gemm.h"

#include "kernels/ref/ref.h"

#include <float.h>
#include <math.h>

#define QUERIES  96 /* of a task, at most */
#define FEW      48 /* where keys and values come from the second cache */
#define KEYS     64
#define MAX_HEAD 512
#define LOOK     32 /* blocks of keys between two looks whether to stop */
#define PANEL    SL_CPU_PANEL
#define HALF     (PANEL / 2) /* outputs of a product come in whole halves of a panel */
#define TALL     12          /* queries of a register tile, at most */
#define IN_CACHE (256 << 10) /* floats of keys and values that stay in the second cache */
#define ROOM     8.0f        /* powers of two that a weight may be above 1 */

typedef struct Job {
    const SlDevice *dev;
    const SlTensor *q, *k, *v;
    SlTensor *out;
    const SlAttention *attn;
    int64_t d, padded;     /* head size, rounded up to 16 */
    int64_t row;           /* floats between rows of a tile: an odd number of cache lines, so that
                            * they do not all want the same places in the cache */
    int64_t tiles, blocks; /* of queries and keys in one head */
    int64_t each;          /* queries of a tile */
    bool heads_first;      /* tasks that follow each other are of the same queries */
    float *packed;         /* [item, head, block][padded * KEYS transposed keys, values] */
    float *scratch;        /* per thread: a tile's arrays */
} Job;

/* One task's state: everything in f32. The four arrays of vectors lie in the arena, a stack may be
 * too small for them. */
typedef struct Tile {
    int64_t item, head, first, queries;
    float *q;             /* queries, scaled to powers of two, rows of job->row */
    float *sum;           /* sum of weights times values so far, the same */
    float (*score)[KEYS]; /* of each query */
    SlSum *weight;        /* sum of weights, still in lanes */
    float top[QUERIES];   /* what scores are taken relative to */
} Tile;

static int64_t value_panels(const Job *j)
{
    return (j->padded + PANEL - 1) / PANEL;
}

static int64_t block_floats(const Job *j)
{
    return (j->padded + value_panels(j) * PANEL) * KEYS;
}

/* The head's part of a row of keys or values from column c on; zero behind its end and behind the
 * last row. */
SL_INLINE SlVec load_part(const Job *j, const SlTensor *t, const int64_t place[3], int64_t c)
{
    if (place[2] >= t->size[1] || c >= j->d)
        return sl_vec_set(0);
    int64_t from = place[0] * t->stride[0] + place[2] * t->stride[1] + place[1] * j->d + c;
    return sl_load_some(t->data, t->dtype, from, j->d - c);
}

/* As many keys of a block as a vector has lanes, columns of their panel, and their values, rows of every panel. */
static void pack_keys(const Job *j, int64_t head, int64_t first, float *keys, float *values)
{
    SlVec side[SL_VEC_FLOATS];
    for (int64_t c = 0; c < j->padded; c += SL_VEC_FLOATS) {
        for (int64_t i = 0; i < SL_VEC_FLOATS; i++) {
            const int64_t place[3] = {head / j->attn->heads, head % j->attn->heads, first + i};
            side[i] = load_part(j, j->k, place, c);
            *(SlVec *)(values + (c / PANEL * KEYS + i) * PANEL + c % PANEL) =
                load_part(j, j->v, place, c);
        }
        sl_vec_transpose(side);
        for (int64_t i = 0; i < SL_VEC_FLOATS; i++)
            *(SlVec *)(keys + (c + i) * PANEL) = side[i];
    }
}

/* One block of keys of one head, for every task of that head. */
static void pack_blocks(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    for (int64_t task = first; task < last; task++) {
        float *keys = j->packed + task * block_floats(j), *values = keys + j->padded * KEYS;
        int64_t key = task % j->blocks * KEYS;
        for (int64_t i = 0; i < KEYS && key + i < j->k->size[1]; i += SL_VEC_FLOATS)
            pack_keys(j, task / j->blocks, key + i,
                      keys + i / PANEL * j->padded * PANEL + i % PANEL, values + i * PANEL);
    }
}

static void load_queries(const Job *j, Tile *t)
{
    float scale = j->attn->scale * 1.44269504f;
    for (int64_t i = 0; i < t->queries; i++) {
        sl_vec_load_row(
            j->q, t->item * j->q->stride[0] + (t->first + i) * j->q->stride[1] + t->head * j->d,
            j->d, j->padded, t->q + i * j->row);
        for (int64_t c = 0; c < j->padded; c += SL_VEC_FLOATS) {
            *(SlVec *)(t->q + i * j->row + c) *= scale;
            *(SlVec *)(t->sum + i * j->row + c) = sl_vec_set(0);
        }
        t->top[i] = -FLT_MAX;
        t->weight[i] = (SlSum){{{0}}};
    }
}

/* Scores of all queries and a block's keys. */
static void score(const Job *j, Tile *t, const float *keys, int64_t there)
{
    for (int64_t first = 0; first < there; first += PANEL) {
        const SlStrip s = {.a = t->q,
                           .a_stride = j->row,
                           .panel = keys + first * j->padded,
                           .type = SL_F32,
                           .depth = j->d,
                           .sum = t->score[0] + first,
                           .sum_stride = KEYS};
        sl_strip(&s, t->queries, there - first);
    }
}

/* Keys that a query may not see, or that are not there. */
static void mask(const Job *j, Tile *t, int64_t first_key)
{
    for (int64_t i = 0; i < t->queries; i++) {
        int64_t seen = j->k->size[1] - first_key;
        if (j->attn->causal && t->first + i + 1 - first_key < seen)
            seen = t->first + i + 1 - first_key;
        for (int64_t c = seen < 0 ? 0 : seen; c < KEYS; c++)
            t->score[i][c] = -INFINITY;
    }
}

/* Scores of row i are relative to a higher one from now on. */
static void raise_top(const Job *j, Tile *t, int64_t i, float top)
{
    float keep = exp2f(t->top[i] - top); /* 0 at first */
    for (int64_t c = 0; c < j->padded; c += SL_VEC_FLOATS)
        *(SlVec *)(t->sum + i * j->row + c) *= keep;
    for (int b = 0; b < SL_SUM_PARTS; b++)
        t->weight[i].part[b] *= keep;
    t->top[i] = top;
}

/* The scores of row i become weights. */
SL_INLINE void soften_row(const Job *j, Tile *t, int64_t i, const int vectors)
{
    SlVec *s = (SlVec *)t->score[i], most = s[0];
    for (int b = 1; b < vectors; b++)
        most = sl_vec_max(most, s[b]);
    if (sl_vec_any_above(most, t->top[i] + ROOM))
        raise_top(j, t, i, sl_vec_top(most));
    SlSum total = t->weight[i];
    for (int b = 0; b < vectors; b++) {
        s[b] = sl_vec_exp2(s[b] - t->top[i]);
        total.part[b % SL_SUM_PARTS] += s[b];
    }
    t->weight[i] = total;
}

static void soften(const Job *j, Tile *t, int64_t there)
{
    int vectors = (int)((there + SL_VEC_FLOATS - 1) / SL_VEC_FLOATS);
    for (int64_t i = 0; i < t->queries; i++)
        if (vectors == KEYS / SL_VEC_FLOATS)
            soften_row(j, t, i, KEYS / SL_VEC_FLOATS);
        else
            soften_row(j, t, i, vectors);
}

/* sum += weights times values */
static void gather(const Job *j, Tile *t, const float *values, int64_t there)
{
    for (int64_t c = 0; c < j->padded; c += PANEL) {
        const SlStrip s = {.a = t->score[0],
                           .a_stride = KEYS,
                           .panel = values + c * KEYS,
                           .type = SL_F32,
                           .depth = there,
                           .sum = t->sum + c,
                           .sum_stride = j->row,
                           .go_on = true};
        sl_strip(&s, t->queries, j->padded - c);
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
    int64_t heads = j->attn->heads, keys = j->k->size[1], item = task / (heads * j->tiles);
    int64_t within = task % (heads * j->tiles);
    t->item = item;
    t->head = j->heads_first ? within % heads : within / j->tiles;
    t->first = (j->heads_first ? within / heads : within % j->tiles) * j->each;
    int64_t head = item * heads + t->head;
    t->queries = j->q->size[1] - t->first;
    t->queries = t->queries < j->each ? t->queries : j->each;
    if (j->attn->causal && t->first + t->queries < keys)
        keys = t->first + t->queries;
    load_queries(j, t);
    for (int64_t first_key = 0; first_key < keys; first_key += KEYS) {
        if (first_key % (LOOK * KEYS) == 0 && sl_device_stopping(j->dev))
            return;
        const float *block = j->packed + (head * j->blocks + first_key / KEYS) * block_floats(j);
        int64_t there = keys - first_key < KEYS ? keys - first_key : KEYS;
        score(j, t, block, there);
        if (j->attn->causal || there < KEYS)
            mask(j, t, first_key);
        soften(j, t, there);
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
    job.padded = (d + HALF - 1) / HALF * HALF;
    job.row = job.padded % PANEL == 0 ? job.padded + HALF : job.padded;
    job.blocks = (k->size[1] + KEYS - 1) / KEYS;
    int64_t floats = job.blocks * block_floats(&job); /* keys and values of a head */
    int64_t most = floats <= IN_CACHE ? FEW : QUERIES;
    job.tiles = (q->size[1] + most - 1) / most;
    job.each = ((q->size[1] + job.tiles - 1) / job.tiles + TALL - 1) / TALL * TALL;
    job.heads_first = attn->heads * floats <= IN_CACHE;
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
