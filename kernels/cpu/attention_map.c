/* attention_map.c - the mean over the heads of softmax(q k^T scale), for looking at: attention.c
 * computes the picture and keeps no scores.
 *
 * The keys of a text are few, so all scores of some queries fit into a small tile: keys are packed
 * once per head, transposed, with the head size padded to whole vectors and their number to 64; a task is some
 * queries of an item and goes through its heads, so that no two tasks write the same place.
 *
 * Easy to get wrong: keys that pad the last vectors weigh nothing.
 */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vec.h"

#include "kernels/ref/ref.h"

#include <math.h>

#define KEYS     64 /* their number is rounded up to this */
#define MAX_HEAD 512
#define MAX_KEYS 8192
/* A register tile: TALL queries by WIDE vectors, as in attention.c. */
#define TALL 6
#if defined(__AVX512F__) || defined(__aarch64__)
#define WIDE 4
#else
#define WIDE 2
#endif

typedef struct Job {
    const SlDevice *dev;
    const SlTensor *q, *k;
    SlTensor *out;
    const SlAttention *attn;
    bool add;
    int64_t d, padded; /* head size, rounded up to whole vectors */
    int64_t keys;      /* rounded up */
    int64_t tiles;     /* of queries in an item */
    float *packed;     /* [item, head][padded][keys] */
    float *scratch;    /* per thread: queries [TALL][padded], scores and means [TALL][keys] */
} Job;

/* The keys of one head of one item. */
static void pack_heads(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    float row[MAX_HEAD];
    for (int64_t task = first; task < last; task++) {
        int64_t head = task % j->attn->heads, item = task / j->attn->heads;
        float *to = j->packed + task * j->padded * j->keys;
        for (int64_t key = 0; key < j->keys; key++) {
            bool there = key < j->k->size[1];
            int64_t at = item * j->k->stride[0] + key * j->k->stride[1] + head * j->d;
            if (there)
                sl_vec_load_row(j->k, at, j->d, j->padded, row);
            for (int64_t c = 0; c < j->padded; c++)
                to[c * j->keys + key] = there ? row[c] : 0;
        }
    }
}

/* Scores of TALL queries and WIDE vectors of keys from `column` on. */
SL_INLINE void score(const Job *j, const float *q, const float *keys, float *scores, int64_t column)
{
    SlVec acc[TALL][WIDE];
    for (int a = 0; a < TALL; a++)
        for (int b = 0; b < WIDE; b++)
            acc[a][b] = sl_vec_set(0);
    for (int64_t c = 0; c < j->d; c++) {
        const SlVec *key = (const SlVec *)(keys + c * j->keys + column);
        for (int a = 0; a < TALL; a++) {
            SlVec one = sl_vec_set(q[a * j->padded + c]);
            for (int b = 0; b < WIDE; b++)
                acc[a][b] += one * key[b];
        }
    }
    for (int a = 0; a < TALL; a++)
        for (int b = 0; b < WIDE; b++)
            *(SlVec *)(scores + a * j->keys + column + b * SL_VEC_FLOATS) = acc[a][b];
}

/* mean += softmax(scores) / heads for one query. */
SL_INLINE void soften(const Job *j, float *scores, float *mean)
{
    SlVec *s = (SlVec *)scores, *m = (SlVec *)mean;
    int64_t vectors = j->keys / SL_VEC_FLOATS;
    for (int64_t key = j->k->size[1]; key < j->keys; key++)
        scores[key] = -INFINITY;
    SlVec most = s[0];
    SlSum total = {{{0}}};
    for (int64_t b = 1; b < vectors; b++)
        most = sl_vec_max(most, s[b]);
    float top = sl_vec_top(most);
    for (int64_t b = 0; b < vectors; b++) {
        s[b] = sl_vec_exp_below(s[b] - top);
        total.part[b % SL_SUM_PARTS] += s[b];
    }
    float scale = 1 / (sl_sum_of(total) * (float)j->attn->heads);
    for (int64_t b = 0; b < vectors; b++)
        m[b] += s[b] * scale;
}

static void store(const Job *j, const float *mean, float *to)
{
    int64_t keys = j->k->size[1];
    for (int64_t key = 0; key < keys; key += SL_VEC_FLOATS) {
        int64_t n = keys - key < SL_VEC_FLOATS ? keys - key : SL_VEC_FLOATS;
        SlVec v = *(const SlVec *)(mean + key);
        if (j->add)
            v += sl_vec_load_part(to, SL_F32, key, n);
        sl_vec_store_part(to, SL_F32, key, n, v);
    }
}

/* TALL queries of an item; those behind its end are the last one again. */
static void map_tile(const Job *j, float *q, int64_t task)
{
    int64_t item = task / j->tiles, first = task % j->tiles * TALL, queries = j->q->size[1];
    float *scores = q + TALL * j->padded, *mean = scores + TALL * j->keys;
    for (int64_t i = 0; i < TALL * j->keys; i++)
        mean[i] = 0;
    for (int64_t head = 0; head < j->attn->heads; head++) {
        const float *keys = j->packed + (item * j->attn->heads + head) * j->padded * j->keys;
        for (int64_t i = 0; i < TALL; i++) {
            int64_t row = first + i < queries ? first + i : queries - 1;
            sl_vec_load_row(j->q, item * j->q->stride[0] + row * j->q->stride[1] + head * j->d,
                            j->d, j->padded, q + i * j->padded);
            for (int64_t c = 0; c < j->padded; c += SL_VEC_FLOATS)
                *(SlVec *)(q + i * j->padded + c) *= j->attn->scale;
        }
        for (int64_t c = 0; c < j->keys; c += WIDE * SL_VEC_FLOATS)
            score(j, q, keys, scores, c);
        for (int64_t i = 0; i < TALL && first + i < queries; i++)
            soften(j, scores + i * j->keys, mean + i * j->keys);
    }
    for (int64_t i = 0; i < TALL && first + i < queries; i++)
        store(j, mean + i * j->keys,
              (float *)j->out->data + (item * queries + first + i) * j->k->size[1]);
}

static int64_t tile_floats(const Job *j)
{
    return TALL * (j->padded + 2 * j->keys);
}

static void map_tiles(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    for (int64_t task = first; task < last && !sl_device_stopping(j->dev); task++)
        map_tile(j, j->scratch + sl_thread_index() * tile_floats(j), task);
}

static void cpu_attention_map(SlDevice *dev, const SlTensor *q, const SlTensor *k,
                              const SlAttention *attn, bool add, SlTensor *out)
{
    Job job = {.dev = dev, .q = q, .k = k, .out = out, .attn = attn, .add = add};
    int64_t heads = q->size[0] * attn->heads;
    job.d = q->size[2] / attn->heads;
    job.padded = (job.d + SL_VEC_FLOATS - 1) / SL_VEC_FLOATS * SL_VEC_FLOATS;
    job.keys = (k->size[1] + KEYS - 1) / KEYS * KEYS;
    job.tiles = (q->size[1] + TALL - 1) / TALL;
    if (job.padded > MAX_HEAD || job.keys > MAX_KEYS) {
        sl_ref_attention_map(dev, q, k, attn, add, out);
        return;
    }
    size_t mark = sl_arena_mark(dev);
    SlTensor packed =
        sl_tensor_new(dev, SL_F32, 2, (const int64_t[]){heads, job.padded * job.keys});
    SlTensor scratch =
        sl_tensor_new(dev, SL_F32, 2, (const int64_t[]){dev->threads, tile_floats(&job)});
    job.packed = packed.data;
    job.scratch = scratch.data;
    if (job.packed && job.scratch) {
        sl_parallel_for(dev, heads, sl_cpu_grain(job.padded * job.keys), pack_heads, &job);
        int64_t work = TALL * job.keys * q->size[2] / 16; /* products, in elements of other loops */
        sl_parallel_for(dev, q->size[0] * job.tiles, sl_cpu_grain(work), map_tiles, &job);
    }
    sl_arena_reset(dev, mark);
}

void SL_FOR_ISA(sl_cpu_attention_map_slots)(SlOps *ops)
{
    ops->attention_map = cpu_attention_map;
}
