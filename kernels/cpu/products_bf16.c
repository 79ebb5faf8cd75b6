/* products_bf16.c - linear and convolution in bf16, with what follows them, on processors that multiply bf16: on
 * the matrix unit (AMX: Intel's from Sapphire Rapids on), or in vectors (AVX-512 BF16: AMD's from Zen 4 on,
 * Intel's Cooper Lake). Compiled for each; what differs is tile_strip.h, and sizes.
 *
 * Tiles are multiplied: 16 rows of 32 values by 32 values of 16 outputs, to 16 x 16 sums in f32. Four sums are
 * computed at a time, of 32 rows (a strip) and 32 outputs (a panel of weights, packed by pack.c as such tiles).
 * Everything is a convolution here, a matrix is one of one column. A chunk is some rows of the output; what it
 * is computed from is copied so that the 32 channels of 16 neighbouring positions are one tile, the edges' zeros
 * included. A window's other elements are the same tiles some positions further on. A matrix whose depth is a
 * multiple of 32 is read where it is.
 *
 * Weights in 8 bits become such tiles (unpack_tiles.c) when the first strip of a chunk is multiplied by them, in the
 * thread's memory, and stay there for the other strips.
 *
 * On the matrix unit chunks stay in the second cache, and the depth is cut so that a panel's part of it stays in
 * the first: a tile from the second cache takes as long as two products, one from memory ten times as long.
 *
 * Easy to get wrong: a copied row of the output has some positions more than the output has columns, whose
 * sums are of no use (`row_of` has -1 there); where an output's row is whole runs (SL_TILE_RUN) tiles skip
 * these positions (`dense`). Sums are always taken in the order of the depth, so that how the work is cut
 * does not show in the result. The matrix unit's configuration belongs to the thread.
 */
#include "kernels/cpu/tile_strip.h"

#define SIDE  SL_TILE_SIDE
#define DEPTH SL_TILE_DEPTH
#define TILE  SL_TILE
#define STRIP (2 * SIDE)
#define PANEL SL_CPU_PANEL
#define SUMS  (STRIP * PANEL)
#define STEP  ((int64_t)2 * TILE * (int64_t)sizeof(uint16_t)) /* bytes of a panel's two tiles */

/* In bytes, measured on a second cache of 2 MB and a first one of 48 KB with the matrix unit; vectors, which take
 * eight times as long for a tile, want fewer calls and care less where it comes from. */
#ifdef __AMX_BF16__
#define CHUNK     ((int64_t)1 << 20)    /* that a chunk is computed from, beside many weights; */
#define SMALL     ((int64_t)512 << 10)  /* beside fewer weights; */
#define ONE_CHUNK ((int64_t)1700 << 10) /* or all of an item, where it is no more */
#else
#define CHUNK     ((int64_t)4 << 20)
#define SMALL     ((int64_t)1 << 20)
#define ONE_CHUNK ((int64_t)6 << 20)
#endif
#define MANY ((int64_t)2 << 20)  /* bytes of weights that are many */
#define NEAR ((int64_t)64 << 10) /* of a strip that meets several panels, these of no more than */
#define NEXT ((int64_t)384 << 10)

#define COMMON ((int64_t)64 << 20) /* that is copied for all threads, at most */

#define GROUP 96  /* tiles of the depth after which the sums are put down for the next strip's */
#define ROWS  512 /* of a matrix in a chunk that is not all of it */
#define TASKS 8   /* a thread should have, where there is work for as many */
#define FEW   8   /* tiles of 4 x 4 outputs below which no convolution is Winograd's, in vectors */
#define ALONE 2e6 /* floating-point operations that are not worth waking threads */

typedef struct Job {
    const SlDevice *dev;
    const SlTensor *x;
    const SlWeight *w;
    const SlEpilogue *e;
    SlTensor *out;
    bool gated; /* GEGLU: a panel's gate is half of the panels further on */
    bool in_place;
    bool dense;    /* tiles have the output's positions and no others */
    bool q8;       /* weights in 8 bits */
    bool by_share; /* tasks of the same weights follow each other, else those of the same chunk */
    SlConv conv;
    int64_t items, h, wide, out_h, out_w; /* h and wide: of what is convolved, maybe enlarged x */
    int64_t x_h, x_w;
    int64_t channels, kh, kw, outputs, panels;
    int64_t item_rows;     /* of the output, as out's first axis cuts it */
    int64_t blocks, steps; /* tiles of the channels; of the depth */
    int64_t pitch, beyond; /* positions of a copied row; rows that a window needs beyond its own */
    int64_t rows, chunks;  /* of the output in a chunk; chunks of an item, */
    int64_t together, all; /* or whole items in a chunk; chunks in all */
    int64_t tiles, plane;  /* of a chunk's item: tiles; values of one of its planes */
    int64_t share, shares; /* panels of a task; tasks of a chunk */
    int64_t group;         /* tiles of the depth that are multiplied before the next strip's */
    int64_t abreast;       /* panels that a strip is multiplied by before the next one */
    int64_t ahead;         /* bytes of weights that are asked for with each tile of the depth */
    int64_t unpacked;      /* values of a part's weights, where they are in 8 bits; else 0 */
    bool kept;             /* the depth is cut: the sums of all strips are kept */
    int64_t *offset;       /* [step], of a tile from its position's, in values */
    uint16_t *packed;      /* of all chunks; NULL: a task copies its chunk for itself */
    char *scratch;         /* per thread (thread_bytes) */
    int64_t scratch_bytes, sum_floats;
    int64_t packed_values; /* of a chunk's item */
} Job;

/* What a task computes, and the thread's memory for it. */
typedef struct Task {
    int64_t item, items, first, rows; /* of the output */
    int64_t tiles, item_tiles;
    const uint16_t *a; /* the first tile's */
    int64_t stride;    /* bytes of a tile's row to the next */
    uint16_t *copy;    /* a chunk, or of what is read in place the last tile */
    float *sum;
    int32_t *row_of;    /* of the output, for each row of each tile; -1: none */
    uint16_t *unpacked; /* a part's weights, where they are in 8 bits */
} Task;

static int64_t div_up(int64_t n, int64_t by)
{
    return (n + by - 1) / by;
}

/* Is a block of weights in 8 bits what a step is multiplied by? Then they are in that order, else in the
 * window's (pack.c). */
static bool in_steps(const Job *j)
{
    return j->channels % DEPTH == 0;
}

static const SlCpuQ8 *blocks_at(const Job *j, int64_t panel, int64_t block)
{
    int64_t each = div_up(j->kh * j->kw * j->channels, DEPTH);
    return (const SlCpuQ8 *)j->w->value.data + panel * each + block;
}

/* ---- what is multiplied ---- */

/* The channels of a position into one row of a tile of each block of them. */
SL_INLINE void copy_position(const Job *j, const uint16_t *from, uint16_t *to, int64_t apart)
{
    int64_t whole = j->channels / DEPTH, rest = j->channels % DEPTH;
    for (int64_t b = 0; b < whole; b++, to += apart)
        _mm512_store_si512(to, _mm512_loadu_si512(from + b * DEPTH));
    if (rest)
        _mm512_store_si512(to, _mm512_maskz_loadu_epi16((1u << rest) - 1, from + whole * DEPTH));
}

static void clear_position(const Job *j, uint16_t *to, int64_t apart)
{
    for (int64_t b = 0; b < j->blocks; b++, to += apart)
        _mm512_store_si512(to, _mm512_setzero_si512());
}

/* Row number `row` of one of a chunk's planes: what is p / stride rows and p % stride columns behind
 * the multiples of the stride. */
static void copy_row(const Job *j, const Task *t, int64_t item, int64_t row, int64_t p)
{
    int64_t stride = j->conv.stride, apart = j->packed_values / j->blocks;
    int64_t y = (t->first + row) * stride + p / stride - j->conv.pad_top;
    int64_t column = p % stride - j->conv.pad_left;
    uint16_t *to = t->copy + item * j->packed_values + p * j->plane + row * j->pitch * DEPTH;
    bool there = y >= 0 && y < j->h;
    const uint16_t *from = j->x->data;
    from += there ? ((t->item + item) * j->x_h + y * j->x_h / j->h) * j->x_w * j->channels : 0;
    for (int64_t c = 0; c < j->pitch; c++, column += stride, to += DEPTH) {
        if (!there || column < 0 || column >= j->wide)
            clear_position(j, to, apart);
        else if (j->x_w == j->wide)
            copy_position(j, from + column * j->channels, to, apart);
        else
            copy_position(j, from + column * j->x_w / j->wide * j->channels, to, apart);
    }
}

static void copy_rows(const Job *j, const Task *t, int64_t row)
{
    for (int64_t item = 0; item < t->items; item++)
        for (int64_t p = 0; p < j->conv.stride * j->conv.stride; p++)
            copy_row(j, t, item, row, p);
}

/* The last rows of a matrix that is read in place, as a tile with zeros behind them. */
static void copy_last_tile(const Job *j, const Task *t)
{
    int64_t first = (t->tiles - 1) * SIDE;
    for (int64_t i = 0; i < SIDE; i++) {
        uint16_t *to = t->copy + i * j->channels;
        size_t bytes = (size_t)j->channels * sizeof *to;
        if (first + i < t->rows)
            memcpy(to, t->a + (first + i) * j->channels, bytes);
        else
            memset(to, 0, bytes);
    }
}

/* Rows `half` * 8 to half * 8 + 7 of a tile. Behind the last position of a chunk it does not matter what is
 * multiplied. */
static const uint16_t *rows_at(const Job *j, const Task *t, int64_t tile, int64_t half)
{
    if (j->in_place && tile == t->tiles - 1 && t->rows % SIDE)
        return t->copy + half * SIDE / 2 * j->channels;
    int64_t position = tile % t->item_tiles * SIDE + half * SIDE / 2;
    if (j->dense && position < t->rows * j->out_w)
        position = position / j->out_w * j->pitch + position % j->out_w;
    else if (j->dense)
        position = 0;
    return t->a + tile / t->item_tiles * j->packed_values +
           position * t->stride / (int64_t)sizeof(uint16_t);
}

/* ---- what follows ---- */

/* Up to 32 sums of neighbouring outputs, as two vectors. */
SL_INLINE void add_some(const SlTensor *t, int64_t at, int64_t n, SlVec v[2])
{
    for (int i = 0; i < 2 && n > i * SL_VEC_FLOATS; i++) {
        int64_t left = n - i * SL_VEC_FLOATS, from = at + i * SL_VEC_FLOATS;
        v[i] += left >= SL_VEC_FLOATS ? sl_vec_load(t->data, t->dtype, from)
                                      : sl_vec_load_part(t->data, t->dtype, from, left);
    }
}

SL_INLINE void store_two(uint16_t *to, const SlVec v[2])
{
    _mm512_storeu_si512(to, (__m512i)_mm512_cvtne2ps_pbh((__m512)v[1], (__m512)v[0]));
}

SL_INLINE void store_some(SlTensor *out, int64_t at, int64_t n, const SlVec v[2])
{
    if (n >= PANEL && out->dtype == SL_BF16) {
        store_two((uint16_t *)out->data + at, v);
        return;
    }
    for (int i = 0; i < 2 && n > i * SL_VEC_FLOATS; i++) {
        int64_t left = n - i * SL_VEC_FLOATS, to = at + i * SL_VEC_FLOATS;
        if (left >= SL_VEC_FLOATS)
            sl_vec_store(out->data, out->dtype, to, v[i]);
        else
            sl_vec_store_part(out->data, out->dtype, to, left, v[i]);
    }
}

/* Sums of one row that are no whole line of a bf16 output, or have an activation. That is exact: what
 * follows a product are texts and times, which are few and which everything depends on. */
static void finish_row(const Job *j, int64_t panel, int64_t row, SlVec v[2])
{
    const SlEpilogue *e = j->e;
    int64_t channel = panel * PANEL, n = j->outputs - channel, at = row * j->outputs + channel;
    SlVec bias[2] = {{0}};
    if (e->bias)
        add_some(&e->bias->value, channel, n, bias);
    if (e->per_channel)
        add_some(e->per_channel, row / j->item_rows * j->outputs + channel, n, bias);
    for (int i = 0; i < 2; i++)
        v[i] = sl_vec_act(v[i] + bias[i], e->act);
    if (e->residual)
        add_some(e->residual, at, n, v);
    for (int i = 0; i < 2 && e->scale != 0; i++)
        v[i] *= e->scale;
    store_some(j->out, at, n, v);
}

/* Where the sums of a strip go. */
typedef struct Finish {
    const int32_t *row_of;
    int64_t rows, column; /* column: of the panel, in outputs */
    const float *sum, *gate;
    SlVec bias[2], gate_bias[2];
} Finish;

SL_INLINE void load_two(const float *from, SlVec v[2])
{
    v[0] = *(const SlVec *)from;
    v[1] = *(const SlVec *)(from + TILE / 2);
}

/* with_residual is a constant wherever this is called. */
SL_INLINE void finish_lines(const Job *j, const Finish *f, const bool with_residual)
{
    uint16_t *out = (uint16_t *)j->out->data + f->column;
    const uint16_t *residual =
        with_residual ? (const uint16_t *)j->e->residual->data + f->column : NULL;
    for (int64_t i = 0; i < f->rows; i++) {
        int64_t row = f->row_of[i];
        SlVec v[2];
        if (row < 0)
            continue;
        load_two(f->sum + i / SIDE * TILE + i % SIDE * SIDE, v);
        for (int n = 0; n < 2; n++) {
            v[n] += f->bias[n];
            if (with_residual)
                v[n] += sl_vec_load(residual, SL_BF16, row * j->outputs + n * SL_VEC_FLOATS);
        }
        store_two(out + row * j->outputs, v);
    }
}

/* Two rows at a time, which an activation is faster with: value gelu(gate), each with its half of the
 * bias. Behind a last row that is alone are the sums of a row that nobody asked for. */
static void finish_gated(const Job *j, const Finish *f)
{
    uint16_t *out = (uint16_t *)j->out->data + f->column;
    for (int64_t i = 0; i < f->rows && f->row_of[i] >= 0; i += 2) {
        int64_t at = i / SIDE * TILE + i % SIDE * SIDE;
        SlVecs value, gate;
        for (int n = 0; n < 2; n++) {
            load_two(f->sum + at + n * SIDE, value.v + 2 * n);
            load_two(f->gate + at + n * SIDE, gate.v + 2 * n);
        }
        SL_EACH_VEC gate.v[b] += f->gate_bias[b % 2];
        gate = sl_vecs_act(gate, SL_ACT_GELU);
        SL_EACH_VEC value.v[b] = (value.v[b] + f->bias[b % 2]) * gate.v[b];
        for (int n = 0; n < 2 && f->row_of[i + n] >= 0; n++)
            store_two(out + f->row_of[i + n] * (j->outputs / 2), value.v + 2 * n);
    }
}

static void finish_rows(const Job *j, const Finish *f)
{
    for (int64_t i = 0; i < f->rows; i++) {
        SlVec v[2];
        load_two(f->sum + i / SIDE * TILE + i % SIDE * SIDE, v);
        if (f->row_of[i] >= 0)
            finish_row(j, f->column / PANEL, f->row_of[i], v);
    }
}

/* Whole lines of 32 outputs in bf16, to which no more than the same vector and a residual are added? */
static bool in_lines(const Job *j, const Task *t, int64_t tile, int64_t column)
{
    const SlEpilogue *e = j->e;
    int64_t last = tile + 1 < t->tiles ? tile + 1 : tile;
    bool alike = !e->per_channel ||
                 (j->items == j->out->size[0] && tile / t->item_tiles == last / t->item_tiles);
    return j->out->dtype == SL_BF16 && j->outputs - column >= PANEL && e->act == SL_ACT_NONE &&
           (e->scale == 0 || e->scale == 1) && (!e->residual || e->residual->dtype == SL_BF16) &&
           alike;
}

/* The strip that begins with this tile; sum: its sums, those of the gate behind them. */
static void finish_strip(const Job *j, const Task *t, int64_t tile, int64_t panel, const float *sum)
{
    const SlEpilogue *e = j->e;
    Finish f = {.row_of = t->row_of + tile * SIDE,
                .rows = t->tiles - tile < 2 ? SIDE : STRIP,
                .column = panel * PANEL,
                .sum = sum,
                .gate = sum + SUMS};
    if (!j->gated && !in_lines(j, t, tile, f.column)) {
        finish_rows(j, &f);
        return;
    }
    if (e->bias)
        add_some(&e->bias->value, f.column, PANEL, f.bias);
    if (e->per_channel)
        add_some(e->per_channel, (t->item + tile / t->item_tiles) * j->outputs + f.column, PANEL,
                 f.bias);
    if (e->bias && j->gated)
        add_some(&e->bias->value, j->outputs / 2 + f.column, PANEL, f.gate_bias);
    if (j->gated)
        finish_gated(j, &f);
    else if (e->residual)
        finish_lines(j, &f, true);
    else
        finish_lines(j, &f, false);
}

/* ---- a task ---- */

/* A part of the depth of some panels that follow each other. */
typedef struct Part {
    int64_t panel, panels;
    int64_t k, steps;
    bool last;
} Part;

/* Weights in 8 bits, of which a part has its panels' in the thread's memory, then their gates'. The first
 * strip unpacks them, or they are gathered before it. */
static void find_q8(const Job *j, const Task *t, const Part *p, SlTileStrip *s)
{
    int64_t i = s->panel - p->panel;
    s->room =
        t->unpacked + (i < p->panels ? i : i - j->panels / 2 + p->panels) * p->steps * 2 * TILE;
    s->weights = s->room;
    s->next = (const char *)(blocks_at(j, s->panel, p->k) + p->panels * p->steps);
    if (s->first && in_steps(j))
        s->q8 = blocks_at(j, s->panel, p->k);
    for (int64_t k = 0; k < p->steps && s->first && !in_steps(j); k++) {
        uint16_t *to = s->room + k * 2 * TILE;
        SL_FOR_ISA(sl_tile_gather)
        (blocks_at(j, s->panel, 0), j->channels, j->kh * j->kw, p->k + k, to);
    }
}

/* The weights of a strip, and those that come after the part's. */
static void find_weights(const Job *j, const Part *p, SlTileStrip *s)
{
    s->weights = (const uint16_t *)j->w->value.data + (s->panel * j->steps + p->k) * 2 * TILE;
    s->next = (const char *)(s->weights + p->panels * p->steps * 2 * TILE);
}

/* In vectors: asks for the lines that a strip will be stored to, which come while it is multiplied. */
static void expect_output(const Job *j, const Task *t, int64_t tile, int64_t panel)
{
#ifndef __AMX_BF16__
    int64_t rows = t->tiles - tile < 2 ? SIDE : STRIP, size = sl_dtype_size(j->out->dtype);
    const int32_t *row_of = t->row_of + tile * SIDE;
    const char *to = (const char *)j->out->data + panel * PANEL * size;
    int64_t step = (j->gated ? j->outputs / 2 : j->outputs) * size;
    for (int64_t i = 0; i < rows; i++)
        if (row_of[i] >= 0)
            __builtin_prefetch(to + row_of[i] * step, 1);
#endif
}

/* The strip that begins with this tile by its part of a panel, and of the panel's gate. */
static void multiply_panel(const Job *j, const Task *t, const Part *p, const SlTileStrip *strip,
                           int64_t tile)
{
    int64_t halves = j->gated ? 2 : 1, panel = strip->panel;
    bool tall = tile + 1 < t->tiles, broad = j->outputs - panel * PANEL > SIDE;
    int64_t slot = j->kept ? tile / 2 : 0;
    float *sum = t->sum + slot * halves * SUMS;
    if (p->last)
        expect_output(j, t, tile, panel);
    for (int64_t half = 0; half < halves; half++) {
        SlTileStrip s = *strip;
        s.sum = sum + half * SUMS;
        s.panel = panel + half * j->panels / 2;
        if (j->q8)
            find_q8(j, t, p, &s);
        else
            find_weights(j, p, &s);
        s.next += tile / 2 * p->steps * j->ahead;
        sl_tile_strip(&s, tall, broad);
    }
    if (p->last)
        finish_strip(j, t, tile, panel, sum);
}

static void multiply_part(const Job *j, const Task *t, const Part *p)
{
    SlTileStrip s = {.stride = t->stride,
                     .offset = j->offset + p->k,
                     .steps = p->steps,
                     .go_on = p->k > 0,
                     .ahead = j->ahead};
    for (int64_t tile = 0; tile < t->tiles; tile += 2) {
        s.first = tile == 0;
        for (int64_t i = 0; i < 4 && tile + i / 2 < t->tiles; i++)
            s.a[i] = rows_at(j, t, tile + i / 2, i % 2);
        for (s.panel = p->panel; s.panel < p->panel + p->panels; s.panel++)
            multiply_panel(j, t, p, &s, tile);
    }
}

/* The panels of a task. */
static void multiply_share(const Job *j, const Task *t, int64_t first, int64_t last)
{
    for (int64_t panel = first; panel < last && !sl_device_stopping(j->dev); panel += j->abreast)
        for (int64_t k = 0; k < j->steps; k += j->group) {
            Part p = {.panel = panel, .panels = j->abreast, .k = k, .steps = j->group};
            if (last - panel < p.panels)
                p.panels = last - panel;
            if (j->steps - k < p.steps)
                p.steps = j->steps - k;
            p.last = k + p.steps == j->steps;
            multiply_part(j, t, &p);
        }
}

static void find_rows(const Job *j, const Task *t, int64_t item, int32_t *to)
{
    int64_t y = 0, column = 0, base = (t->item + item) * j->out_h + t->first;
    int64_t step = j->dense ? j->out_w : j->pitch;
    for (int64_t i = 0; i < t->item_tiles * SIDE; i++) {
        bool there = column < j->out_w && y < t->rows;
        to[i] = there ? (int32_t)((base + y) * j->out_w + column) : -1;
        if (++column == step) {
            column = 0;
            y++;
        }
    }
}

static int64_t tiles_of(const Job *j, int64_t rows)
{
    return div_up(j->dense ? rows * j->out_w : (rows - 1) * j->pitch + j->out_w, SIDE);
}

/* Chunk number `chunk` of all, in the thread's memory. */
static Task task_of(const Job *j, int64_t chunk)
{
    char *memory = j->scratch + sl_thread_index() * j->scratch_bytes;
    Task t = {.item = chunk / j->chunks * j->together, .first = chunk % j->chunks * j->rows};
    t.rows = j->out_h - t.first < j->rows ? j->out_h - t.first : j->rows;
    t.items = j->items - t.item < j->together ? j->items - t.item : j->together;
    t.item_tiles = tiles_of(j, t.rows);
    t.tiles = t.items * t.item_tiles;
    t.sum = (float *)(void *)memory;
    t.row_of = (int32_t *)(void *)(t.sum + j->sum_floats);
    t.unpacked = (uint16_t *)(void *)(t.row_of + j->together * j->tiles * SIDE);
    t.copy =
        j->packed ? j->packed + chunk * j->together * j->packed_values : t.unpacked + j->unpacked;
    t.a = t.copy;
    t.stride = DEPTH * sizeof(uint16_t);
    if (j->in_place) {
        t.a = (const uint16_t *)j->x->data + t.first * j->channels;
        t.stride = j->channels * (int64_t)sizeof(uint16_t);
    }
    return t;
}

static void compute_tasks(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    sl_tile_begin();
    for (int64_t i = first; i < last; i++) {
        Task t = task_of(j, j->by_share ? i % j->all : i / j->shares);
        int64_t share = j->by_share ? i / j->all : i % j->shares;
        int64_t panel = share * j->share, halves = j->gated ? 2 : 1;
        int64_t end = panel + j->share, all = j->panels / halves;
        if (j->in_place && t.rows % SIDE)
            copy_last_tile(j, &t);
        else if (!j->in_place && !j->packed)
            for (int64_t row = 0; row < t.rows + j->beyond; row++)
                copy_rows(j, &t, row);
        for (int64_t item = 0; item < t.items; item++)
            find_rows(j, &t, item, t.row_of + item * t.item_tiles * SIDE);
        multiply_share(j, &t, panel, end < all ? end : all);
    }
    sl_tile_end();
}

/* Rows of all chunks. */
static void copy_chunks(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    int64_t each = j->rows + j->beyond;
    for (int64_t i = first; i < last; i++) {
        Task t = task_of(j, i / each);
        if (i % each < t.rows + j->beyond)
            copy_rows(j, &t, i % each);
    }
}

/* ---- how it is cut ---- */

static void find_offsets(const Job *j)
{
    int64_t *to = j->offset, stride = j->conv.stride;
    for (int64_t b = 0; b < j->blocks; b++)
        for (int64_t tap = 0; tap < j->kh * j->kw; tap++) {
            int64_t y = tap / j->kw, column = tap % j->kw;
            int64_t plane = y % stride * stride + column % stride;
            *to++ = b * (j->in_place ? DEPTH : j->packed_values / j->blocks) + plane * j->plane +
                    (y / stride * j->pitch + column / stride) * DEPTH;
        }
}

/* Bytes that a row of the output is computed from. */
static int64_t row_bytes(const Job *j)
{
    return j->pitch * j->conv.stride * j->conv.stride * j->blocks * DEPTH * 2;
}

/* Bytes that a strip is computed from. */
static int64_t strip_bytes(const Job *j)
{
    return (STRIP + j->kw - 1) * j->kh * j->blocks * DEPTH * 2;
}

/* Rows of a chunk. */
static int64_t rows_of(const Job *j)
{
    bool many = j->q8 || j->steps * j->panels * STEP > MANY;
    int64_t each = row_bytes(j), most = many ? CHUNK : SMALL;
    if (each * j->out_h <= ONE_CHUNK)
        return j->out_h;
    if (8 * j->beyond * each > most) /* or much would be copied twice */
        most = CHUNK;
    int64_t rows = most / each;
    if (j->out_w == 1 && rows > ROWS)
        rows = ROWS;
    return rows < 1 ? 1 : rows < j->out_h ? rows : j->out_h;
}

static void plan_chunks(Job *j)
{
    int64_t stride = j->conv.stride, pieces;
    j->blocks = div_up(j->channels, DEPTH);
    j->steps = j->kh * j->kw * j->blocks;
    j->panels = div_up(j->outputs, PANEL);
    j->pitch = j->out_w + (j->kw - 1) / stride;
    j->dense = !j->in_place && j->out_w % SL_TILE_RUN == 0;
    j->beyond = (j->kh - 1) / stride;
    pieces = div_up(j->out_h, rows_of(j));
    j->rows = div_up(j->out_h, pieces);
    if (j->out_w == 1)
        j->rows = div_up(j->rows, STRIP) * STRIP;
    j->chunks = div_up(j->out_h, j->rows);
    j->tiles = tiles_of(j, j->rows);
    int64_t positions = j->dense ? j->rows * j->pitch : j->tiles * SIDE;
    j->plane = (positions + j->beyond * j->pitch + (j->kw - 1) / stride) * DEPTH;
    j->packed_values = j->in_place ? 0 : j->plane * stride * stride * j->blocks;
    j->together = j->chunks > 1 || j->in_place ? 1 : CHUNK / (row_bytes(j) * (j->rows + j->beyond));
    j->together = j->together < 1 ? 1 : j->together < j->items ? j->together : j->items;
    j->all = div_up(j->items, j->together) * j->chunks;
}

/* Panels of each of about so many tasks: no more than it takes, and such that the last task has as many. */
static int64_t even_share(int64_t panels, int64_t tasks)
{
    int64_t most = div_up(panels, tasks), share = most;
    while (panels % share && share > div_up(most, 2))
        share--;
    return panels % share ? most : share;
}

/* Which part of a chunk is a task, and in which order it is computed. */
static void plan_tasks(Job *j, int threads)
{
    int64_t panels = j->gated ? j->panels / 2 : j->panels,
            strips = div_up(j->together * j->tiles, 2);
    int64_t copied = j->items * j->chunks * j->packed_values * (int64_t)sizeof(uint16_t);
    int64_t wanted = copied > COMMON ? 1 : div_up((int64_t)threads * TASKS, j->all);
    j->share = even_share(panels, wanted < panels ? wanted : panels);
    j->shares = div_up(panels, j->share);
    j->by_share = copied <= ONE_CHUNK;
    j->kept = j->steps > GROUP;
    j->group = div_up(j->steps, div_up(j->steps, GROUP));
    int64_t each = (j->gated && j->q8 ? 2 : 1) * j->steps * STEP;
    int64_t bytes = j->q8 ? (int64_t)sizeof(SlCpuQ8) : STEP; /* of a step's weights */
    j->abreast = strip_bytes(j) <= NEAR && !j->kept ? NEXT / each : 1;
    j->abreast = j->abreast < 1 ? 1 : j->abreast;
    j->ahead = j->abreast > 1 ? 0 : div_up(bytes / 64, strips) * 64;
    j->unpacked = j->q8 ? (j->gated ? 2 : 1) * j->abreast * j->group * 2 * TILE : 0;
    j->sum_floats = (j->gated ? 2 : 1) * (j->kept ? strips : 1) * SUMS;
}

/* Of a thread: sums, which row each row of a tile is, and what is copied. */
static int64_t thread_bytes(const Job *j, bool common)
{
    int64_t copied = j->in_place ? SIDE * j->channels : common ? 0 : j->together * j->packed_values;
    int64_t bytes = j->sum_floats * (int64_t)sizeof(float) +
                    j->together * j->tiles * SIDE * (int64_t)sizeof(int32_t) +
                    (copied + j->unpacked) * (int64_t)sizeof(uint16_t);
    return div_up(bytes, 64) * 64;
}

static void compute(SlDevice *dev, Job *j)
{
    double sums = (double)(j->all * j->together * j->tiles * SIDE) * (double)j->outputs;
    int64_t tasks = j->all * j->shares;
    bool alone = 2 * sums * (double)(j->steps * DEPTH) < ALONE;
    find_offsets(j);
    if (j->packed)
        sl_parallel_for(dev, j->all * (j->rows + j->beyond), sl_cpu_grain(j->pitch * j->channels),
                        copy_chunks, j);
    sl_parallel_for(dev, tasks, alone ? tasks : 1, compute_tasks, j);
}

static void run(SlDevice *dev, Job *j)
{
    size_t mark = sl_arena_mark(dev);
    SlTensor rounded;
    j->dev = dev;
    if (j->x->dtype != SL_BF16) {
        rounded = sl_tensor_new(dev, SL_BF16, j->x->rank, j->x->size);
        if (rounded.data)
            dev->ops->copy(dev, j->x, &rounded);
        j->x = &rounded;
    }
    plan_chunks(j);
    plan_tasks(j, dev->threads);
    bool common = !j->in_place && j->shares > 1;
    j->scratch_bytes = thread_bytes(j, common);
    SlTensor scratch =
        sl_tensor_new(dev, SL_U8, 2, (const int64_t[]){dev->threads, j->scratch_bytes});
    SlTensor offsets =
        sl_tensor_new(dev, SL_U8, 2, (const int64_t[]){j->steps, (int64_t)sizeof *j->offset});
    SlTensor packed = {0};
    if (common)
        packed = sl_tensor_new(dev, SL_BF16, 2,
                               (const int64_t[]){j->all * j->together, j->packed_values});
    j->scratch = scratch.data;
    j->offset = offsets.data;
    j->packed = packed.data;
    if (j->x->data && j->scratch && j->offset && (j->packed || !common))
        compute(dev, j);
    sl_arena_reset(dev, mark);
}

/* ---- operations ---- */

static Job job_of(const SlTensor *x, const SlWeight *w, const SlEpilogue *e, SlTensor *out)
{
    Job j = {.x = x, .w = w, .e = e, .out = out, .conv = {.stride = 1}};
    j.q8 = w->value.dtype == SL_U8;
    j.channels = w->size[1];
    j.outputs = w->size[0];
    j.item_rows = sl_tensor_elements(out) / out->size[out->rank - 1] / out->size[0];
    return j;
}

/* A matrix: an image of one column. */
static Job matrix_of(const SlTensor *x, const SlWeight *w, const SlEpilogue *e, SlTensor *out)
{
    Job j = job_of(x, w, e, out);
    j.items = j.kh = j.kw = j.wide = j.out_w = j.x_w = 1;
    j.h = j.out_h = j.x_h = sl_tensor_elements(x) / j.channels;
    j.in_place = j.channels % DEPTH == 0;
    return j;
}

static void bf16_linear_epilogue(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                                 const SlEpilogue *e, SlTensor *out)
{
    if (!sl_cpu_in_tiles(dev, w)) {
        ((SlCpuDevice *)dev)->rest.linear_epilogue(dev, x, w, e, out);
        return;
    }
    Job job = matrix_of(x, w, e, out);
    run(dev, &job);
}

static void bf16_linear(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                        SlTensor *out)
{
    if (!sl_cpu_in_tiles(dev, w)) {
        ((SlCpuDevice *)dev)->rest.linear(dev, x, w, bias, out);
        return;
    }
    const SlEpilogue e = {.bias = bias};
    bf16_linear_epilogue(dev, x, w, &e, out);
}

static void bf16_linear_geglu(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                              const SlWeight *bias, SlTensor *out)
{
    const SlEpilogue e = {.bias = bias};
    if (!sl_cpu_in_tiles(dev, w)) {
        ((SlCpuDevice *)dev)->rest.linear_geglu(dev, x, w, bias, out);
        return;
    }
    Job job = matrix_of(x, w, &e, out);
    job.gated = true;
    if (w->size[0] % (2 * PANEL) == 0 && out->dtype == SL_BF16)
        run(dev, &job);
    else
        ((SlCpuDevice *)dev)->apart.linear_geglu(dev, x, w, bias, out);
}

static void convolve(SlDevice *dev, Job *j, const SlConv *conv)
{
    const int64_t *in = j->x->size, *size = j->out->size;
    j->conv = *conv;
    j->items = in[0];
    j->x_h = in[1];
    j->x_w = in[2];
    j->out_h = size[1];
    j->out_w = size[2];
    j->kh = j->w->size[2];
    j->kw = j->w->size[3];
    run(dev, j);
}

/* In vectors a product of bf16 is twice as fast as one of f32, and Winograd's way in f32 takes a quarter of the
 * products: it wins where its weights, which it transforms anew, serve enough tiles. The matrix unit is faster
 * than either. */
static bool by_winograd(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlConv *conv,
                        const SlEpilogue *e, SlTensor *out)
{
#ifdef __AMX_BF16__
    return false;
#else
    int64_t tiles = out->size[0] * div_up(out->size[1], 4) * div_up(out->size[2], 4);
    return tiles >= FEW && sl_cpu_winograd_v4(dev, x, w, conv, e, out);
#endif
}

static void bf16_conv2d_epilogue(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                                 const SlConv *conv, const SlEpilogue *e, SlTensor *out)
{
    if (!sl_cpu_in_tiles(dev, w)) {
        ((SlCpuDevice *)dev)->rest.conv2d_epilogue(dev, x, w, conv, e, out);
        return;
    }
    if (by_winograd(dev, x, w, conv, e, out))
        return;
    Job job = job_of(x, w, e, out);
    job.h = x->size[1];
    job.wide = x->size[2];
    convolve(dev, &job, conv);
}

static void bf16_conv2d(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                        const SlConv *conv, SlTensor *out)
{
    const SlEpilogue e = {.bias = bias};
    if (sl_cpu_in_tiles(dev, w))
        bf16_conv2d_epilogue(dev, x, w, conv, &e, out);
    else
        ((SlCpuDevice *)dev)->rest.conv2d(dev, x, w, bias, conv, out);
}

static void bf16_upsample_conv2d(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                                 const SlEpilogue *e, SlTensor *out)
{
    static const SlConv conv = {1, 1, 1, 1, 1};
    static const SlEpilogue none;
    if (!sl_cpu_in_tiles(dev, w)) {
        ((SlCpuDevice *)dev)->rest.upsample_conv2d(dev, x, w, e, out);
        return;
    }
    if (by_winograd(dev, x, w, &conv, e ? e : &none, out))
        return;
    Job job = job_of(x, w, e ? e : &none, out);
    job.h = out->size[1];
    job.wide = out->size[2];
    convolve(dev, &job, &conv);
}

void SL_FOR_ISA(sl_cpu_product_slots)(SlOps *ops)
{
    ops->linear = bf16_linear;
    ops->linear_epilogue = bf16_linear_epilogue;
    ops->linear_geglu = bf16_linear_geglu;
    ops->conv2d = bf16_conv2d;
    ops->conv2d_epilogue = bf16_conv2d_epilogue;
    ops->upsample_conv2d = bf16_upsample_conv2d;
}
