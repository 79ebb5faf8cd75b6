/* attention.c - softmax(q k^T scale) v without ever storing the score matrix.
 *
 * One task is 32 queries of one head of one item. Keys are taken 64 at a time: scores in a small
 * tile, the running maximum and sum of the online softmax (Milakov and Gimelshein 2018; Dao et al.
 * 2022) rescale what was summed before. Keys and values of a block are packed to f32 with head size
 * padded to 16, so that the two products run on full vectors for any head size.
 */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vec.h"

#include "kernels/ref/ref.h"

#include <math.h>
#include <stdlib.h>

#define QUERIES  32
#define KEYS     64
#define MAX_HEAD 512

typedef struct Job {
    const SlTensor *q, *k, *v;
    SlTensor *out;
    const SlAttention *attn;
    int64_t d, padded, tiles; /* head size, rounded up to 16; tiles of queries in one head */
} Job;

/* One task's memory: everything in f32. */
typedef struct Tile {
    float q[QUERIES][MAX_HEAD]; /* scaled queries */
    float kt[MAX_HEAD][KEYS];   /* keys, transposed */
    float v[KEYS][MAX_HEAD];
    float score[QUERIES][KEYS];
    float sum[QUERIES][MAX_HEAD]; /* sum of weights times values so far */
    float top[QUERIES], weight[QUERIES];
} Tile;

/* count elements at i, as f32, the rest of the padded row zero */
SL_INLINE void load_row(const SlTensor *t, int64_t i, int64_t count, int64_t padded, float *to)
{
    for (int64_t c = 0; c < padded; c += SL_LANES) {
        SlVec v = count - c >= SL_LANES ? sl_vec_load(t->data, t->dtype, i + c)
                                        : sl_vec_load_part(t->data, t->dtype, i + c, count - c);
        *(SlVec *)(to + c) = v;
    }
}

SL_INLINE void load_queries(const Job *j, Tile *t, const int64_t at[3], int64_t queries)
{
    for (int64_t i = 0; i < QUERIES; i++) {
        int64_t row = at[1] + (i < queries ? i : queries - 1);
        load_row(j->q, at[0] * j->q->stride[0] + row * j->q->stride[1] + at[2] * j->d, j->d,
                 j->padded, t->q[i]);
        for (int64_t c = 0; c < j->padded; c += SL_LANES) {
            *(SlVec *)(t->q[i] + c) *= j->attn->scale;
            *(SlVec *)(t->sum[i] + c) = sl_vec_set(0);
        }
        t->top[i] = -INFINITY;
        t->weight[i] = 0;
    }
}

SL_INLINE void load_keys(const Job *j, Tile *t, const int64_t at[3], int64_t first, int64_t keys)
{
    float row[MAX_HEAD];
    for (int64_t i = 0; i < KEYS; i++) {
        int64_t key = first + (i < keys ? i : keys - 1);
        int64_t head = at[2] * j->d;
        load_row(j->k, at[0] * j->k->stride[0] + key * j->k->stride[1] + head, j->d, j->padded,
                 row);
        for (int64_t c = 0; c < j->padded; c++)
            t->kt[c][i] = row[c];
        load_row(j->v, at[0] * j->v->stride[0] + key * j->v->stride[1] + head, j->d, j->padded,
                 t->v[i]);
    }
}

/* score = q kt: 4 queries by 64 keys in 16 vectors */
SL_INLINE void scores(const Job *j, Tile *t)
{
    for (int64_t i = 0; i < QUERIES; i += 4) {
        SlVec acc[4][KEYS / SL_LANES];
        for (int a = 0; a < 4; a++)
            for (int b = 0; b < KEYS / SL_LANES; b++)
                acc[a][b] = sl_vec_set(0);
        for (int64_t c = 0; c < j->d; c++) {
            const SlVec *key = (const SlVec *)t->kt[c];
            for (int a = 0; a < 4; a++) {
                SlVec q = sl_vec_set(t->q[i + a][c]);
                for (int b = 0; b < KEYS / SL_LANES; b++)
                    acc[a][b] += q * key[b];
            }
        }
        for (int a = 0; a < 4; a++)
            for (int b = 0; b < KEYS / SL_LANES; b++)
                *(SlVec *)(t->score[i + a] + b * SL_LANES) = acc[a][b];
    }
}

/* Keys that query i may not see, or that are not there. */
SL_INLINE void mask(const Job *j, Tile *t, int64_t first_query, int64_t first, int64_t keys)
{
    for (int64_t i = 0; i < QUERIES; i++) {
        int64_t seen = keys;
        if (j->attn->causal && first_query + i + 1 - first < seen)
            seen = first_query + i + 1 - first;
        for (int64_t c = seen < 0 ? 0 : seen; c < KEYS; c++)
            t->score[i][c] = -INFINITY;
    }
}

/* Scores to weights; rescales the sums when the maximum rises. */
SL_INLINE void soften(const Job *j, Tile *t)
{
    for (int64_t i = 0; i < QUERIES; i++) {
        SlVec *s = (SlVec *)t->score[i], most = s[0], total = sl_vec_set(0);
        for (int b = 1; b < KEYS / SL_LANES; b++)
            most = sl_vec_max(most, s[b]);
        float top = sl_vec_top(most);
        if (!(top > t->top[i]))
            top = t->top[i];
        if (top == -INFINITY)
            top = 0; /* nothing seen yet: all weights become 0 */
        for (int b = 0; b < KEYS / SL_LANES; b++) {
            s[b] = sl_vec_exp(s[b] - top);
            total += s[b];
        }
        float keep = expf(t->top[i] - top);
        t->weight[i] = t->weight[i] * keep + sl_vec_sum(total);
        t->top[i] = top;
        if (keep != 1)
            for (int64_t c = 0; c < j->padded; c += SL_LANES)
                *(SlVec *)(t->sum[i] + c) *= keep;
    }
}

/* sum += score v: 4 queries by up to 64 columns */
SL_INLINE void gather_columns(Tile *t, int64_t i, int64_t c, int vectors)
{
    SlVec acc[4][4];
    for (int a = 0; a < 4; a++)
        for (int b = 0; b < vectors; b++)
            acc[a][b] = *(SlVec *)(t->sum[i + a] + c + b * SL_LANES);
    for (int64_t k = 0; k < KEYS; k++) {
        const SlVec *v = (const SlVec *)(t->v[k] + c);
        for (int a = 0; a < 4; a++) {
            SlVec w = sl_vec_set(t->score[i + a][k]);
            for (int b = 0; b < vectors; b++)
                acc[a][b] += w * v[b];
        }
    }
    for (int a = 0; a < 4; a++)
        for (int b = 0; b < vectors; b++)
            *(SlVec *)(t->sum[i + a] + c + b * SL_LANES) = acc[a][b];
}

SL_INLINE void gather(const Job *j, Tile *t)
{
    for (int64_t i = 0; i < QUERIES; i += 4) {
        int64_t c = 0;
        for (; c + 4 * SL_LANES <= j->padded; c += 4 * SL_LANES)
            gather_columns(t, i, c, 4);
        for (; c < j->padded; c += SL_LANES)
            gather_columns(t, i, c, 1);
    }
}

SL_INLINE void store_queries(const Job *j, Tile *t, const int64_t at[3], int64_t queries)
{
    SlTensor *out = j->out;
    for (int64_t i = 0; i < queries; i++) {
        int64_t to = at[0] * out->stride[0] + (at[1] + i) * out->stride[1] + at[2] * j->d;
        float scale = 1 / t->weight[i];
        for (int64_t c = 0; c < j->d; c += SL_LANES) {
            SlVec v = *(SlVec *)(t->sum[i] + c) * scale;
            if (j->d - c >= SL_LANES)
                sl_vec_store(out->data, out->dtype, to + c, v);
            else
                sl_vec_store_part(out->data, out->dtype, to + c, j->d - c, v);
        }
    }
}

SL_CLONES static void attend(const Job *j, Tile *t, int64_t task)
{
    int64_t head = task / j->tiles % j->attn->heads, item = task / j->tiles / j->attn->heads;
    int64_t first_query = task % j->tiles * QUERIES, queries = j->q->size[1] - first_query;
    int64_t keys = j->k->size[1];
    const int64_t at[3] = {item, first_query, head};
    queries = queries < QUERIES ? queries : QUERIES;
    if (j->attn->causal && first_query + queries < keys)
        keys = first_query + queries;
    load_queries(j, t, at, queries);
    for (int64_t first = 0; first < keys; first += KEYS) {
        int64_t n = keys - first < KEYS ? keys - first : KEYS;
        load_keys(j, t, at, first, n);
        scores(j, t);
        if (n < KEYS || j->attn->causal)
            mask(j, t, first_query, first, n);
        soften(j, t);
        gather(j, t);
    }
    store_queries(j, t, at, queries);
}

static void tasks(void *arg, int64_t first, int64_t last)
{
    static __thread Tile *tile; /* one per thread, kept: no allocation in the loop */
    if (!tile)
        tile = aligned_alloc(64, (sizeof(Tile) + 63) / 64 * 64);
    for (int64_t task = first; tile && task < last; task++)
        attend(arg, tile, task);
}

void sl_cpu_attention(SlDevice *dev, const SlTensor *q, const SlTensor *k, const SlTensor *v,
                      const SlAttention *attn, SlTensor *out)
{
    int64_t d = q->size[2] / attn->heads;
    Job job = {q,
               k,
               v,
               out,
               attn,
               d,
               (d + SL_LANES - 1) / SL_LANES * SL_LANES,
               (q->size[1] + QUERIES - 1) / QUERIES};
    if (job.padded > MAX_HEAD)
        sl_ref_attention(dev, q, k, v, attn, out);
    else
        sl_parallel_for(dev, q->size[0] * attn->heads * job.tiles, 1, tasks, &job);
}
