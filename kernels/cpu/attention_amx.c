/* attention_amx.c - softmax(q k^T scale) v in bf16 on the processor's matrix unit (AMX: Intel's
 * from Sapphire Rapids on), without ever storing the score matrix.
 *
 * Keys and values are packed once per head as the second factors of tiles' products (pairs of what
 * is summed lie side by side). 32 queries are a group; a task is some groups, which share what they
 * read. The scores of a group and 32 keys are a piece, four pieces are a block. While the weights
 * of a piece are computed row by row, the matrix unit multiplies the scores of the next one and
 * adds the block before to the sums: a row or two stand between two of its products, because it
 * overlaps with vectors only as far as the processor looks ahead.
 *
 * What counts is the softmax: a cubic in powers of two, made such that cutting its bits to bf16
 * rounds it; a column of ones beside the values, so that the matrix unit sums up the weights as
 * they were rounded; and no maximum but that of the first piece. f32 and bf16 have room for weights
 * up to 2^127: where a row's sum says that it came near, or NaN, the task is done again with the
 * maximum of all scores.
 *
 * Easy to get wrong: the tiles' configuration and the flags of arithmetic belong to the thread, and
 * oneDNN sets its own; two weights that lie side by side are of keys 16 apart; a product's tiles
 * have to be stored some rows after it, or what follows waits for both; what the processor gains by
 * overlapping the two it mostly loses by its clock, which falls while both work.
 */
#include "kernels/cpu/amx.h"
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vec.h"

#include <math.h>

#define SIDE     SL_TILE_SIDE
#define DEPTH    SL_TILE_DEPTH
#define TILE     SL_TILE
#define QUERIES  32 /* of a group */
#define GROUPS   4  /* of a task, at most */
#define PIECE    32 /* keys */
#define PIECES   4  /* of a block */
#define KEYS     (PIECE * PIECES)
#define MAX_HEAD 512
#define WIDE     256     /* head size from which on a task has all groups: keys come from far */
#define LOOK     32      /* blocks between two looks whether to stop */
#define ROOM     0x1p80f /* for a sum of weights */

typedef struct Job {
    const SlDevice *dev;
    const SlTensor *q, *k, *v;
    SlTensor *out;
    const SlAttention *attn;
    int64_t d, depths, columns; /* head size, in tiles as what is summed and, with 1, as columns */
    int64_t each;               /* queries of a task */
    int64_t tasks, blocks;      /* of one head */
    uint16_t *packed;           /* [item, head, block][keys, values] */
    struct Task *scratch;       /* one per thread */
    float factor;               /* scores to powers of two */
} Job;

/* 32 queries. Arrays first: each is whole cache lines. */
typedef struct Group {
    uint16_t q[QUERIES * MAX_HEAD];         /* [depth][half] tiles */
    float sum[QUERIES * (MAX_HEAD + SIDE)]; /* [column][half] tiles: weights times values so far */
    float shift[QUERIES];                   /* minus a row's maximum, in powers of two */
} __attribute__((aligned(64))) Group;

typedef float Scores[QUERIES][PIECE];
typedef uint16_t Weights[QUERIES * PIECE]; /* [half] tiles */

/* One task's state, in the arena: a stack may be too small for it. */
typedef struct Task {
    Scores score[2];           /* of this piece and the next */
    Weights weight[2][PIECES]; /* of this block and the one before */
    Group group[GROUPS];
    int64_t head, first, queries, keys, groups;
} __attribute__((aligned(64))) Task;

/* A block of keys for a group of queries. */
typedef struct Part {
    Group *group;
    const uint16_t *keys, *values;
    Weights *weight;
    int64_t first_query, first_key, pieces;
} Part;

/* ---- packing ---- */

static int64_t piece_keys(const Job *j) /* values of the keys of a piece */
{
    return 2 * j->depths * TILE;
}

static int64_t block_values(const Job *j)
{
    return PIECES * (piece_keys(j) + j->columns * TILE);
}

/* Of a row of `there` values, those from c on: 32 or 16. What is not there is zero. */
SL_INLINE __m512i load_part(const uint16_t *row, int64_t c, int64_t there)
{
    int64_t n = there - c;
    if (n >= DEPTH)
        return _mm512_loadu_si512(row + c);
    return _mm512_maskz_loadu_epi16((__mmask32)((1u << n) - 1), row + c);
}

SL_INLINE __m512i load_half(const uint16_t *row, int64_t c, int64_t there)
{
    int64_t n = there - c < SIDE ? there - c : SIDE;
    return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16((__mmask16)((1u << n) - 1), row + c));
}

/* Where the head's part of a row is. */
static const uint16_t *row_of(const Job *j, const SlTensor *t, int64_t head, int64_t row)
{
    int64_t item = head / j->attn->heads;
    return (const uint16_t *)t->data + item * t->stride[0] + row * t->stride[1] +
           head % j->attn->heads * j->d;
}

/* 16 keys: in every tile, a row is a pair of what is summed, a column a key. */
static void pack_keys(const Job *j, int64_t head, int64_t first, uint16_t *to)
{
    int64_t there = j->k->size[1] - first < SIDE ? j->k->size[1] - first : SIDE;
    const uint16_t *from = row_of(j, j->k, head, first);
    for (int64_t c = 0; c < j->depths; c++) {
        __m512i r[SIDE];
        for (int i = 0; i < SIDE; i++)
            r[i] = i < there ? load_part(from + i * j->k->stride[1], c * DEPTH, j->d)
                             : _mm512_setzero_si512();
        sl_tile_transpose(r);
        for (int i = 0; i < SIDE; i++)
            _mm512_store_si512(to + 2 * c * TILE + i * DEPTH, r[i]);
    }
}

/* The values of 32 keys: in every tile, a row is a pair of keys, which are 16 apart, a column one
 * of the values'. After the last one is 1, which sums up the weights. */
static void pack_values(const Job *j, int64_t head, int64_t first, uint16_t *to)
{
    int64_t there = j->v->size[1] - first, next = j->v->stride[1];
    const uint16_t *from = row_of(j, j->v, head, first);
    for (int64_t i = 0; i < SIDE; i++, from += next)
        for (int64_t c = 0; c < j->columns; c++) {
            __m512i a = _mm512_setzero_si512(), b = a;
            if (i < there)
                a = load_half(from, c * SIDE, j->d);
            if (i + SIDE < there)
                b = load_half(from + SIDE * next, c * SIDE, j->d);
            _mm512_store_si512(to + c * TILE + i * DEPTH,
                               _mm512_or_si512(a, _mm512_slli_epi32(b, 16)));
        }
    uint16_t *one = to + j->d / SIDE * TILE + j->d % SIDE * 2;
    for (int64_t i = 0; i < SIDE; i++, one += DEPTH)
        one[0] = one[1] = 0x3f80;
}

static void pack_blocks(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    for (int64_t block = first; block < last; block++) {
        int64_t head = block / j->blocks, key = block % j->blocks * KEYS;
        uint16_t *keys = j->packed + block * block_values(j);
        uint16_t *values = keys + PIECES * piece_keys(j);
        for (int p = 0; p < PIECES && key < j->k->size[1]; p++, key += PIECE) {
            pack_keys(j, head, key, keys + p * piece_keys(j));
            pack_keys(j, head, key + SIDE, keys + p * piece_keys(j) + TILE);
            pack_values(j, head, key, values + p * j->columns * TILE);
        }
    }
}

static void load_queries(const Job *j, Task *t, int64_t group)
{
    Group *g = &t->group[group];
    int64_t there = t->queries - group * QUERIES;
    const uint16_t *row = row_of(j, j->q, t->head, t->first + group * QUERIES);
    for (int64_t i = 0; i < QUERIES; i++, row += j->q->stride[1]) {
        uint16_t *to = g->q + i / SIDE * TILE + i % SIDE * DEPTH;
        for (int64_t c = 0; c < j->depths; c++, to += 2 * TILE)
            _mm512_store_si512(to, i < there ? load_part(row, c * DEPTH, j->d)
                                             : _mm512_setzero_si512());
        g->shift[i] = INFINITY;
    }
}

/* ---- the softmax ---- */

/* Keys of a piece that a query may not see, or that are not there. */
static void mask(const Job *j, const Part *p, int64_t first_key, Scores score)
{
    int64_t there = j->k->size[1] - first_key;
    if (there >= PIECE && !(j->attn->causal && first_key + PIECE > p->first_query + 1))
        return;
    for (int64_t i = 0; i < QUERIES; i++) {
        int64_t seen = there < PIECE ? there : PIECE, may = p->first_query + i + 1 - first_key;
        if (j->attn->causal && may < seen)
            seen = may < 0 ? 0 : may;
        uint64_t hidden = UINT64_MAX << seen; /* a bit for every key */
        const __m512 least = _mm512_set1_ps(-INFINITY);
        _mm512_mask_store_ps(score[i], (__mmask16)hidden, least);
        _mm512_mask_store_ps(score[i] + SIDE, (__mmask16)(hidden >> SIDE), least);
    }
}

static void raise_tops(const Job *j, Group *g, Scores score)
{
    for (int i = 0; i < QUERIES; i++) {
        __m512 most = _mm512_max_ps(_mm512_load_ps(score[i]), _mm512_load_ps(score[i] + SIDE));
        float shift = -_mm512_reduce_max_ps(most) * j->factor;
        g->shift[i] = shift < g->shift[i] ? shift : g->shift[i];
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

/* A piece's scores that become weights, from row `next` on. */
typedef struct Rows {
    const float *shift;
    float (*score)[PIECE];
    uint16_t *weight;
    int64_t next;
    float factor;
} Rows;

SL_INLINE void soften_row(Rows *r)
{
    const __m512i high = _mm512_set1_epi32((int)0xffff0000);
    const float *s = r->score[r->next];
    __m512 factor = _mm512_set1_ps(r->factor), shift = _mm512_set1_ps(r->shift[r->next]);
    __m512i a = power_of_two(_mm512_fmadd_ps(_mm512_load_ps(s), factor, shift));
    __m512i b = power_of_two(_mm512_fmadd_ps(_mm512_load_ps(s + SIDE), factor, shift));
    a = _mm512_srli_epi32(a, 16);
    a = _mm512_ternarylogic_epi32(a, b, high, 0xf8); /* a | b & high */
    _mm512_store_si512(r->weight + r->next * DEPTH, a);
    r->next++;
}

/* That many rows, where so many are left. */
SL_INLINE void soften(Rows *r, const int rows)
{
    if (r->next + rows <= QUERIES)
        for (int i = 0; i < rows; i++)
            soften_row(r);
}

/* ---- the products, and rows of the softmax between them ---- */

/* Of tiles 0 to 3 are sums, 4 and 5 first, 6 and 7 second factors. */
SL_INLINE void multiply_two(const uint16_t *a, const uint16_t *b, Rows *r)
{
    _tile_loadd(4, a, SL_TILE_ROW);
    _tile_loadd(6, b, SL_TILE_ROW);
    _tile_loadd(7, b + TILE, SL_TILE_ROW);
    _tile_dpbf16ps(0, 4, 6);
    soften(r, 2);
    _tile_dpbf16ps(1, 4, 7);
    soften(r, 1);
    _tile_loadd(5, a + TILE, SL_TILE_ROW);
    _tile_dpbf16ps(2, 5, 6);
    soften(r, 2);
    _tile_dpbf16ps(3, 5, 7);
    soften(r, 1);
}

SL_INLINE void multiply_one(const uint16_t *a, const uint16_t *b, Rows *r)
{
    _tile_loadd(4, a, SL_TILE_ROW);
    _tile_loadd(6, b, SL_TILE_ROW);
    _tile_dpbf16ps(0, 4, 6);
    soften(r, 3);
    _tile_loadd(5, a + TILE, SL_TILE_ROW);
    _tile_dpbf16ps(2, 5, 6);
    soften(r, 3);
}

/* Scores of a group and a piece. */
static void score_piece(const Job *j, const Group *g, const uint16_t *keys, Scores score, Rows *r)
{
    sl_amx_stored();
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int64_t c = 0; c < j->depths; c++)
        multiply_two(g->q + 2 * c * TILE, keys + 2 * c * TILE, r);
    soften(r, 4);
    _tile_stored(0, score[0], sizeof score[0]);
    _tile_stored(1, score[0] + SIDE, sizeof score[0]);
    _tile_stored(2, score[SIDE], sizeof score[0]);
    _tile_stored(3, score[SIDE] + SIDE, sizeof score[0]);
}

/* sum += weight v, two tiles of columns. */
static void gather_two(const Job *j, const Part *p, int64_t column, Rows *r)
{
    float *sum = p->group->sum + column * TILE;
    sl_amx_stored();
    _tile_loadd(0, sum, SL_TILE_ROW);
    _tile_loadd(1, sum + TILE, SL_TILE_ROW);
    _tile_loadd(2, sum + TILE / 2, SL_TILE_ROW);
    _tile_loadd(3, sum + TILE / 2 + TILE, SL_TILE_ROW);
    for (int64_t c = 0; c < p->pieces; c++)
        multiply_two(p->weight[c], p->values + (c * j->columns + column) * TILE, r);
    soften(r, 4);
    _tile_stored(0, sum, SL_TILE_ROW);
    _tile_stored(1, sum + TILE, SL_TILE_ROW);
    _tile_stored(2, sum + TILE / 2, SL_TILE_ROW);
    _tile_stored(3, sum + TILE / 2 + TILE, SL_TILE_ROW);
}

static void gather_one(const Job *j, const Part *p, int64_t column, Rows *r)
{
    float *sum = p->group->sum + column * TILE;
    sl_amx_stored();
    _tile_loadd(0, sum, SL_TILE_ROW);
    _tile_loadd(2, sum + TILE / 2, SL_TILE_ROW);
    for (int64_t c = 0; c < p->pieces; c++)
        multiply_one(p->weight[c], p->values + (c * j->columns + column) * TILE, r);
    soften(r, 4);
    _tile_stored(0, sum, SL_TILE_ROW);
    _tile_stored(2, sum + TILE / 2, SL_TILE_ROW);
}

/* Columns in pairs: from first on, below last. */
static void gather(const Job *j, const Part *p, int64_t first, int64_t last, Rows *r)
{
    for (int64_t column = 2 * first; column < 2 * last; column += 2)
        if (column + 1 < j->columns)
            gather_two(j, p, column, r);
        else
            gather_one(j, p, column, r);
}

/* ---- a task ---- */

/* Part number n of a task: all groups with a block, then with the next. */
static Part part_of(const Job *j, Task *t, int64_t n)
{
    int64_t block = n / t->groups, group = n % t->groups, left = t->keys - block * KEYS;
    Part p = {.group = &t->group[group],
              .weight = t->weight[n % 2],
              .first_query = t->first + group * QUERIES,
              .first_key = block * KEYS};
    p.keys = j->packed + (t->head * j->blocks + block) * block_values(j);
    p.values = p.keys + PIECES * piece_keys(j);
    p.pieces = left < KEYS ? (left + PIECE - 1) / PIECE : PIECES;
    return p;
}

static int64_t parts_of(const Task *t)
{
    return (t->keys + KEYS - 1) / KEYS * t->groups;
}

/* The weights of part[1], whose first scores are there, and what goes on beside: the scores up to
 * the first of part[2], the next, and the sums of part[0], the one before, where there are such.
 * Returns which scores are there then. */
static int soften_part(const Job *j, Task *t, const Part part[3], int at)
{
    const Part *before = &part[0], *now = &part[1], *next = &part[2];
    int64_t pairs = before->group ? (j->columns + 1) / 2 : 0;
    Rows r = {.shift = now->group->shift, .factor = j->factor};
    for (int64_t p = 0; p < now->pieces; p++, at = !at) {
        int64_t first_key = now->first_key + p * PIECE;
        mask(j, now, first_key, t->score[at]);
        if (first_key == 0)
            raise_tops(j, now->group, t->score[at]);
        r.score = t->score[at];
        r.weight = now->weight[p];
        r.next = 0;
        if (p + 1 < now->pieces)
            score_piece(j, now->group, now->keys + (p + 1) * piece_keys(j), t->score[!at], &r);
        else if (next->group)
            score_piece(j, next->group, next->keys, t->score[!at], &r);
        gather(j, before, pairs * p / now->pieces, pairs * (p + 1) / now->pieces, &r);
        while (r.next < QUERIES)
            soften_row(&r);
    }
    return at;
}

/* The sums of all groups, with the tops of their first pieces or those that are there. */
static void sum_up(const Job *j, Task *t)
{
    Rows none = {.next = QUERIES};
    Part part[3] = {{0}, part_of(j, t, 0), {0}};
    int at = 0;
    for (int64_t g = 0; g < t->groups; g++)
        memset(t->group[g].sum, 0, (size_t)(QUERIES * j->columns * SIDE) * sizeof(float));
    score_piece(j, part[1].group, part[1].keys, t->score[at], &none);
    for (int64_t n = 0; n < parts_of(t); n++) {
        if (n % LOOK == 0 && sl_device_stopping(j->dev))
            return;
        part[2] = n + 1 < parts_of(t) ? part_of(j, t, n + 1) : (Part){0};
        at = soften_part(j, t, part, at);
        part[0] = part[1];
        part[1] = part[2];
    }
    gather(j, &part[0], 0, (j->columns + 1) / 2, &none);
}

/* The sum of a query's weights: that of the values' column of ones. */
static float total_of(const Job *j, const Group *g, int64_t i)
{
    return g->sum[j->d / SIDE * TILE + i / SIDE * TILE / 2 + i % SIDE * SIDE + j->d % SIDE];
}

/* Whether the first piece's maximum was enough. */
static bool had_room(const Job *j, const Task *t)
{
    for (int64_t i = 0; i < t->queries; i++)
        if (!(total_of(j, &t->group[i / QUERIES], i % QUERIES) <= ROOM))
            return false;
    return true;
}

/* The maximum of all scores. */
static void find_tops(const Job *j, Task *t)
{
    Rows none = {.next = QUERIES};
    for (int64_t n = 0; n < parts_of(t); n++) {
        if (n % LOOK == 0 && sl_device_stopping(j->dev))
            return;
        Part part = part_of(j, t, n);
        for (int64_t p = 0; p < part.pieces; p++) {
            score_piece(j, part.group, part.keys + p * piece_keys(j), t->score[0], &none);
            mask(j, &part, part.first_key + p * PIECE, t->score[0]);
            raise_tops(j, part.group, t->score[0]);
        }
    }
}

static void store_group(const Job *j, const Task *t, int64_t group)
{
    SlTensor *out = j->out;
    const Group *g = &t->group[group];
    int64_t there = t->queries - group * QUERIES;
    int64_t to = t->head / j->attn->heads * out->stride[0] + t->head % j->attn->heads * j->d +
                 (t->first + group * QUERIES) * out->stride[1];
    for (int64_t i = 0; i < QUERIES && i < there; i++, to += out->stride[1]) {
        float scale = 1 / total_of(j, g, i);
        const float *sum = g->sum + i / SIDE * TILE / 2 + i % SIDE * SIDE;
        for (int64_t c = 0; c < j->d; c += SIDE, sum += TILE) {
            SlVec v = *(const SlVec *)sum * scale;
            if (j->d - c >= SIDE)
                sl_vec_store(out->data, out->dtype, to + c, v);
            else
                sl_vec_store_part(out->data, out->dtype, to + c, j->d - c, v);
        }
    }
}

static void attend(const Job *j, Task *t, int64_t task)
{
    t->head = task / j->tasks;
    t->first = task % j->tasks * j->each;
    t->queries = j->q->size[1] - t->first;
    t->queries = t->queries < j->each ? t->queries : j->each;
    t->groups = (t->queries + QUERIES - 1) / QUERIES;
    t->keys = j->k->size[1];
    if (j->attn->causal && t->first + t->queries < t->keys)
        t->keys = t->first + t->queries;
    for (int64_t g = 0; g < t->groups; g++)
        load_queries(j, t, g);
    sum_up(j, t);
    if (!had_room(j, t)) {
        find_tops(j, t);
        sum_up(j, t);
    }
    for (int64_t g = 0; g < t->groups; g++)
        store_group(j, t, g);
}

static void attend_tasks(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    unsigned flags = _mm_getcsr();
    sl_amx_begin();
    _mm_setcsr(flags |
               _MM_FLUSH_ZERO_ON); /* a weight below 1e-38 would take a hundred times as long */
    for (int64_t task = first; task < last; task++)
        attend(j, j->scratch + sl_thread_index(), task);
    _mm_setcsr(flags);
    sl_amx_end();
}

static void amx_attention(SlDevice *dev, const SlTensor *q, const SlTensor *k, const SlTensor *v,
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
    job.columns = d / SIDE + 1;
    job.each = QUERIES * (d < WIDE ? GROUPS / 2 : GROUPS);
    job.tasks = (q->size[1] + job.each - 1) / job.each;
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
        sl_parallel_for(dev, heads * job.tasks, sl_cpu_grain(job.each * k->size[1] * d / 128),
                        attend_tasks, &job);
    }
    sl_arena_reset(dev, mark);
}

void SL_FOR_ISA(sl_cpu_attention_slots)(SlOps *ops)
{
    ops->attention = amx_attention;
}
