/* winograd.c - convolutions: 3x3 of stride 1 as Winograd's F(4x4, 3x3) (Lavin and Gray 2015), the
 * rest directly.
 *
 * A tile of 4 x 4 outputs costs 36 multiplications per pair of channels instead of 144. The
 * transformed weights would be four times as large as the weights, so they are never stored: a task
 * makes those of some channels in its second cache, for SL_CPU_PANEL outputs, and uses them for a
 * block of tiles; with some fifty tiles that costs a few hundredths of the products. Inputs are
 * transformed once: where there are enough blocks of tiles to keep all threads busy, a task has one
 * of them and all outputs, and its input stays in its cache; else a task is a block by a panel, and
 * the blocks' inputs lie in memory that all tasks share.
 *
 * Easy to get wrong: how tiles are cut depends on the shape alone, and so do the sums; which of the
 * two ways is taken may depend on the number of threads because neither changes a sum.
 *
 * In bf16 all between input and output is f32: rounded to bf16, what is transformed would lose several bits.
 */
#include "kernels/cpu/gemm.h"

#define PANEL    SL_CPU_PANEL
#define DEPTH    32 /* channels of a tile of weights, elements of a piece in 8 bits */
#define SOON     2  /* rows of a tile that are asked for before they are read */
#define POINTS   36 /* of a transformed tile: 6 x 6 */
#define TILES    96 /* of a block */
#define CHANNELS 64 /* of a slice of the input */
/* Floats that keep the points of a tile, which are written and read together, from wanting the same
 * places of the nearest cache. */
#define GAP    16
#define WEIGHT (CHANNELS * PANEL + GAP) /* floats of one point of a slice's weights */
/* Tiles below which the way is not worth it. */
#define LEAST_TILES 2
#define LEAST_WORK  (128 * 128 * 2) /* tiles times channels times outputs */
#define FEW_PANELS  2
#define LEAST_BLOCK 8 /* tiles of a block that is not all there is */
/* Blocks are tasks of their own where at most this share of the threads' time is idle. */
#define IDLE 0.1
/* Floats of transformed input at a time where it is shared. */
#define CHUNK ((int64_t)6 << 20)

typedef struct Job {
    const SlDevice *dev;
    const SlTensor *x;
    const SlWeight *w;
    const SlEpilogue *e;
    SlTensor *out;
    int64_t channels, outputs, panels, slices; /* slices of CHANNELS channels */
    int64_t down, across, tiles;               /* tiles of one picture, of all */
    int64_t block, blocks;                     /* tiles of a block, blocks of a chunk */
    int64_t first;                             /* tile of the chunk */
    int64_t point, sum;                        /* floats of one point: input of a slice, sums */
    bool whole;                                /* a task is a block with all its outputs */
    bool tiled;     /* weights lie as those of products of bf16: 32 channels, all taps (tiles.h) */
    float *input;   /* [block][slice][point][tile][channel]; whole: in scratch */
    float *scratch; /* per thread: weights [point][channel][output], sums [point][tile][output] */
    int64_t scratch_floats, input_floats; /* input: of a block */
} Job;

/* ---- the transforms along one axis ---- */

SL_INLINE void transform_input(const SlVec d[6], SlVec t[6])
{
    SlVec a = d[4] - 4 * d[2], b = d[3] - 4 * d[1], c = d[4] - d[2], e = 2 * (d[3] - d[1]);
    t[0] = 4 * d[0] - 5 * d[2] + d[4];
    t[1] = a + b;
    t[2] = a - b;
    t[3] = c + e;
    t[4] = c - e;
    t[5] = 4 * d[1] - 5 * d[3] + d[5];
}

SL_INLINE void transform_weight(const SlVec g[3], SlVec u[6])
{
    SlVec a = (g[0] + g[2]) * (-1.0f / 6), b = g[1] * (1.0f / 6);
    SlVec c = g[0] * (1.0f / 24) + g[2] * (1.0f / 6), d = g[1] * (1.0f / 12);
    u[0] = g[0] * 0.25f;
    u[1] = a - b;
    u[2] = a + b;
    u[3] = c + d;
    u[4] = c - d;
    u[5] = g[2];
}

SL_INLINE void transform_output(const SlVec m[6], SlVec o[4])
{
    SlVec a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
    o[0] = m[0] + a + c;
    o[1] = b + 2 * d;
    o[2] = a + 4 * c;
    o[3] = b + 8 * d + m[5];
}

/* ---- the input ---- */

typedef struct Corner {
    int64_t item, y, x; /* of a tile's outputs */
} Corner;

static Corner corner_of(const Job *j, int64_t tile)
{
    int64_t row = tile / j->across;
    return (Corner){row / j->down, row % j->down * 4, tile % j->across * 4};
}

/* Where each pixel of a tile's window begins in x, -1 where there is none. The window lies on the
 * output, which may be larger than x: nearest, as sl_upsample. */
static void window_of(const Job *j, int64_t tile, int64_t at[POINTS])
{
    Corner c = corner_of(j, tile);
    const int64_t *in = j->x->size, *out = j->out->size;
    for (int64_t i = 0; i < POINTS; i++) {
        int64_t y = c.y + i / 6 - 1, x = c.x + i % 6 - 1;
        bool inside = y >= 0 && y < out[1] && x >= 0 && x < out[2];
        at[i] = inside ? ((c.item * in[1] + y * in[1] / out[1]) * in[2] + x * in[2] / out[2]) *
                             j->channels
                       : -1;
    }
}

/* Up to a vector of channels of one tile. */
SL_INLINE void transform_window(const Job *j, const int64_t at[POINTS], int64_t c, float *to,
                                int64_t step)
{
    SlVec rows[6][6], column[6], d[6];
    int64_t n = j->channels - c;
    for (int y = 0; y < 6; y++) {
        for (int x = 0; x < 6; x++)
            d[x] = at[y * 6 + x] < 0 ? sl_vec_set(0)
                                     : sl_load_some(j->x->data, j->x->dtype, at[y * 6 + x] + c, n);
        transform_input(d, rows[y]);
    }
    for (int x = 0; x < 6; x++) {
        for (int y = 0; y < 6; y++)
            d[y] = rows[y][x];
        transform_input(d, column);
        for (int y = 0; y < 6; y++)
            *(SlVec *)(to + (y * 6 + x) * step) = column[y];
    }
}

/* Tile number `place` of a block whose input begins at `to`. */
static void transform_tile(const Job *j, int64_t tile, int64_t place, float *to)
{
    int64_t at[POINTS], step = j->point;
    window_of(j, tile, at);
    for (int64_t c = 0; c < j->channels; c += SL_VEC_FLOATS)
        transform_window(j, at, c,
                         to + c / CHANNELS * POINTS * step + place * CHANNELS + c % CHANNELS, step);
}

/* Tiles of the chunk. */
static void transform_tiles(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    for (int64_t tile = first; tile < last; tile++)
        transform_tile(j, j->first + tile, tile % j->block,
                       j->input + tile / j->block * j->input_floats);
}

/* ---- the weights ---- */

#define EACH_TAP for (int64_t tap = 0; tap < 9; tap++)

/* Weights in 8 bits. */
SL_INLINE void load_q8(const Job *j, int64_t panel, int64_t channel, int half, SlVec g[9])
{
    const SlCpuQ8 *first = (const SlCpuQ8 *)j->w->value.data;
    first += panel * ((9 * j->channels + DEPTH - 1) / DEPTH);
    EACH_TAP
    {
        int64_t element = tap * j->channels + channel;
        const SlCpuQ8 *b = first + element / DEPTH;
        if (j->tiled) {
            element = channel;
            b = first + channel / DEPTH * 9 + tap;
        }
        g[tap] = sl_vec_load_f16(b->scale, half) * sl_vec_load_i8(&b->value[element % DEPTH][half]);
    }
}

/* Weights of two bytes that lie as tiles. */
SL_INLINE void load_from_tiles(const Job *j, int64_t panel, int64_t channel, int half, SlVec g[9])
{
    int64_t depths = (j->channels + DEPTH - 1) / DEPTH;
    int64_t tile = (panel * depths + channel / DEPTH) * 9 * 2 + half / 16;
    const uint16_t *pairs = (const uint16_t *)j->w->value.data + tile * 16 * DEPTH;
    pairs += channel % DEPTH / 2 * DEPTH + half % 16 * 2;
    EACH_TAP
    {
        SlVecU v = *(const SlVecU *)(pairs + tap * 2 * 16 * DEPTH);
        __builtin_prefetch(pairs + (tap * 2 * 16 + SOON) * DEPTH);
        g[tap] = channel % 2 ? (SlVec)(v & 0xffff0000u) : (SlVec)(v << 16);
    }
}

/* The weights of some outputs of a panel, from `half` on, for one channel. */
SL_INLINE void load_weights(const Job *j, int64_t panel, int64_t channel, int half, SlVec g[9])
{
    const SlTensor *w = &j->w->value;
    int64_t first = (panel * 9 * j->channels + channel) * PANEL + half, step = j->channels * PANEL;
    if (w->dtype == SL_U8)
        load_q8(j, panel, channel, half, g);
    else if (j->tiled)
        load_from_tiles(j, panel, channel, half, g);
    else if (w->dtype == SL_F16)
        EACH_TAP g[tap] = sl_vec_load_f16(w->data, first + tap * step);
    else if (w->dtype == SL_F32)
        EACH_TAP g[tap] = sl_vec_load(w->data, SL_F32, first + tap * step);
    else
        EACH_TAP g[tap] = sl_vec_load(w->data, SL_BF16, first + tap * step);
}

/* Asks for a share of the weights of the next 32 channels, which lie together. */
static void ask_for_weights(const Job *j, int64_t panel, int64_t channel)
{
    int64_t depths = (j->channels + DEPTH - 1) / DEPTH, at = panel * depths + channel / DEPTH + 1;
    int64_t bytes = 9 * DEPTH * PANEL * (int64_t)sizeof(uint16_t);
    if (j->w->value.dtype == SL_U8)
        bytes = 9 * (int64_t)sizeof(SlCpuQ8);
    const char *from =
        (const char *)j->w->value.data + at * bytes + channel % DEPTH * bytes / DEPTH;
    for (int64_t i = 0; i < bytes / DEPTH; i += 64)
        __builtin_prefetch(from + i, 0, 2);
}

/* Channels first .. first + count - 1 of one panel: [point][channel][output]. */
static void transform_weights(const Job *j, int64_t panel, int64_t first, int64_t count, float *to)
{
    for (int64_t c = 0; c < count; c++) {
        if (j->tiled)
            ask_for_weights(j, panel, first + c);
        for (int half = 0; half < PANEL; half += SL_VEC_FLOATS) {
            SlVec window[9], rows[3][6], g[3], u[6];
            load_weights(j, panel, first + c, half, window);
            for (int y = 0; y < 3; y++)
                transform_weight(window + 3 * y, rows[y]);
            for (int x = 0; x < 6; x++) {
                for (int y = 0; y < 3; y++)
                    g[y] = rows[y][x];
                transform_weight(g, u);
                for (int y = 0; y < 6; y++)
                    *(SlVec *)(to + (y * 6 + x) * WEIGHT + c * PANEL + half) = u[y];
            }
        }
    }
}

/* ---- the output ---- */

/* Up to a vector of outputs of one tile, from sums that are `step` floats apart. */
SL_INLINE void transform_sums(const Job *j, const float *sums, int64_t step, const Corner *corner,
                              int64_t channel)
{
    SlVec columns[4][6], m[6], o[4];
    int64_t h = j->out->size[1], w = j->out->size[2];
    for (int x = 0; x < 6; x++) {
        for (int y = 0; y < 6; y++)
            m[y] = *(const SlVec *)(sums + (y * 6 + x) * step);
        transform_output(m, o);
        for (int y = 0; y < 4; y++)
            columns[y][x] = o[y];
    }
    for (int64_t y = 0; y < 4 && corner->y + y < h; y++) {
        transform_output(columns[y], o);
        for (int64_t x = 0; x < 4 && corner->x + x < w; x++) {
            int64_t at = ((corner->item * h + corner->y + y) * w + corner->x + x) * j->outputs;
            SlOutputPlace p = {corner->item, at + channel, channel, j->outputs - channel};
            sl_finish(j->e, j->out, o[x], &p);
        }
    }
}

static void store_block(const Job *j, int64_t block, int64_t tiles, int64_t panel,
                        const float *sums)
{
    for (int64_t t = 0; t < tiles; t++) {
        Corner corner = corner_of(j, j->first + block * j->block + t);
        for (int half = 0; half < PANEL && panel * PANEL + half < j->outputs; half += SL_VEC_FLOATS)
            transform_sums(j, sums + t * PANEL + half, j->sum, &corner, panel * PANEL + half);
    }
}

/* ---- tasks ---- */

static void multiply_slice(const Job *j, const float *input, float *weights, int64_t slice,
                           int64_t tiles, int64_t outputs)
{
    int64_t depth = j->channels - slice * CHANNELS;
    float *sums = weights + POINTS * WEIGHT;
    for (int64_t p = 0; p < POINTS; p++) {
        SlStrip s = {.a = input + (slice * POINTS + p) * j->point,
                     .a_stride = CHANNELS,
                     .panel = weights + p * WEIGHT,
                     .type = SL_F32,
                     .depth = depth < CHANNELS ? depth : CHANNELS,
                     .sum = sums + p * j->sum,
                     .sum_stride = PANEL,
                     .go_on = slice > 0};
        sl_strip(&s, tiles, outputs);
    }
}

/* A block of tiles by a panel of outputs; block counts from the chunk's first tile. */
static void compute_panel(const Job *j, const float *input, int64_t block, int64_t panel,
                          float *scratch)
{
    int64_t tiles = j->tiles - j->first - block * j->block;
    tiles = tiles < j->block ? tiles : j->block;
    for (int64_t slice = 0; slice < j->slices; slice++) {
        int64_t from = slice * CHANNELS, count = j->channels - from;
        transform_weights(j, panel, from, count < CHANNELS ? count : CHANNELS, scratch);
        multiply_slice(j, input, scratch, slice, tiles, j->outputs - panel * PANEL);
    }
    store_block(j, block, tiles, panel, scratch + POINTS * WEIGHT);
}

static void compute_panels(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    float *scratch = j->scratch + sl_thread_index() * j->scratch_floats;
    for (int64_t task = first; task < last; task++) {
        int64_t block = task / j->panels;
        compute_panel(j, j->input + block * j->input_floats, block, task % j->panels, scratch);
    }
}

static void compute_blocks(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    float *scratch = j->scratch + sl_thread_index() * j->scratch_floats;
    float *input = scratch + j->scratch_floats - j->input_floats;
    for (int64_t block = first; block < last; block++) {
        for (int64_t i = 0; i < j->block && block * j->block + i < j->tiles; i++)
            transform_tile(j, block * j->block + i, i, input);
        for (int64_t panel = 0; panel < j->panels && !sl_device_stopping(j->dev); panel++)
            compute_panel(j, input, block, panel, scratch);
    }
}

static void plan(Job *j, int64_t threads)
{
    j->channels = j->w->size[1];
    j->outputs = j->w->size[0];
    j->tiled =
        sl_cpu_in_tiles(j->dev, j->w) && (j->w->value.dtype != SL_U8 || j->channels % DEPTH == 0);
    j->panels = (j->outputs + PANEL - 1) / PANEL;
    j->slices = (j->channels + CHANNELS - 1) / CHANNELS;
    j->down = (j->out->size[1] + 3) / 4;
    j->across = (j->out->size[2] + 3) / 4;
    j->tiles = j->out->size[0] * j->down * j->across;
    int64_t pieces = (j->tiles + TILES - 1) / TILES;
    if (j->panels <= FEW_PANELS && j->tiles >= 2 * LEAST_BLOCK)
        pieces = pieces < 2 ? 2 : pieces;  /* the input is most of it: two threads make it apart */
    pieces += pieces > 1 ? pieces % 2 : 0; /* cores come in pairs */
    j->block = ((j->tiles + pieces - 1) / pieces + 3) / 4 * 4;
    j->blocks = (j->tiles + j->block - 1) / j->block;
    int64_t rounds = (j->blocks + threads - 1) / threads;
    j->whole = (double)j->blocks >= (1 - IDLE) * (double)(rounds * threads);
    j->point = j->block * CHANNELS + GAP;
    j->sum = j->block * PANEL + GAP;
    j->input_floats = j->slices * POINTS * j->point;
    j->scratch_floats = POINTS * (WEIGHT + j->sum) + (j->whole ? j->input_floats : 0);
}

/* Chunk after chunk: the input of some blocks, then their panels. */
static void run_shared(SlDevice *dev, Job *j)
{
    int64_t most = CHUNK / j->input_floats, chunk = most < 1 ? 1 : most;
    chunk = chunk < j->blocks ? chunk : j->blocks;
    SlTensor input = sl_tensor_new(dev, SL_F32, 2, (const int64_t[]){chunk, j->input_floats});
    j->input = input.data;
    for (j->first = 0; j->input && j->first < j->tiles && sl_device_ok(dev);
         j->first += chunk * j->block) {
        int64_t tiles = j->tiles - j->first;
        tiles = tiles < chunk * j->block ? tiles : chunk * j->block;
        int64_t blocks = (tiles + j->block - 1) / j->block;
        sl_parallel_for(dev, tiles, sl_cpu_grain(4 * POINTS * j->channels), transform_tiles, j);
        sl_parallel_for(dev, blocks * j->panels, 1, compute_panels, j);
    }
}

static void run(SlDevice *dev, Job *j)
{
    size_t mark = sl_arena_mark(dev);
    j->dev = dev;
    plan(j, dev->threads);
    SlTensor scratch =
        sl_tensor_new(dev, SL_F32, 2, (const int64_t[]){dev->threads, j->scratch_floats});
    j->scratch = scratch.data;
    if (j->scratch && j->whole)
        sl_parallel_for(dev, j->blocks, 1, compute_blocks, j);
    else if (j->scratch)
        run_shared(dev, j);
    sl_arena_reset(dev, mark);
}

/* ---- which way ---- */

static bool worth_it(const SlWeight *w, const SlConv *c, const SlTensor *out)
{
    if (!w->value.data)
        return false; /* packed only where this way is likely */
    int64_t tiles = out->size[0] * ((out->size[1] + 3) / 4) * ((out->size[2] + 3) / 4);
    return w->size[2] == 3 && w->size[3] == 3 && c->stride == 1 && c->pad_top == 1 &&
           c->pad_left == 1 && c->pad_bottom == 1 && c->pad_right == 1 && tiles >= LEAST_TILES &&
           w->size[1] >= SL_CPU_WINOGRAD && tiles * w->size[1] * w->size[0] >= LEAST_WORK;
}

bool SL_FOR_ISA(sl_cpu_winograd)(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                                 const SlConv *conv, const SlEpilogue *e, SlTensor *out)
{
    Job job = {.x = x, .w = w, .e = e, .out = out};
    if (!worth_it(w, conv, out))
        return false;
    run(dev, &job);
    return true;
}

static void cpu_conv2d_epilogue(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                                const SlConv *conv, const SlEpilogue *e, SlTensor *out)
{
    if (SL_FOR_ISA(sl_cpu_winograd)(dev, x, w, conv, e, out))
        return;
    if (w->prepared)
        sl_onednn_conv2d_epilogue(dev, x, w, conv, e, out);
    else
        SL_FOR_ISA(sl_cpu_conv2d_direct)(dev, x, w, conv, e, out);
}

static void cpu_conv2d(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                       const SlConv *conv, SlTensor *out)
{
    const SlEpilogue e = {.bias = bias};
    cpu_conv2d_epilogue(dev, x, w, conv, &e, out);
}

static void cpu_upsample_conv2d(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                                const SlEpilogue *e, SlTensor *out)
{
    static const SlConv conv = {1, 1, 1, 1, 1};
    static const SlEpilogue none;
    if (!SL_FOR_ISA(sl_cpu_winograd)(dev, x, w, &conv, e ? e : &none, out))
        ((SlCpuDevice *)dev)->apart.upsample_conv2d(dev, x, w, e ? e : &none, out);
}

void SL_FOR_ISA(sl_cpu_conv_slots)(SlOps *ops)
{
    ops->conv2d = cpu_conv2d;
    ops->conv2d_epilogue = cpu_conv2d_epilogue;
    ops->upsample_conv2d = cpu_upsample_conv2d;
}
