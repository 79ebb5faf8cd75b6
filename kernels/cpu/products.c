/* products.c - linear and direct convolution, with what follows them.
 *
 * A task is up to ROWS rows by GROUP panels of outputs. The depth is cut into blocks that keep a
 * task's rows in the second cache; sums of a block go on where the block before ended, always in
 * the same order. A matrix of f32 is read where it is. A convolution is a product whose rows are
 * windows: what a row would hold is gathered per block, so no im2col matrix is ever stored. GEGLU's
 * value and gate are panels of the same task.
 */
#include "kernels/cpu/gemm.h"

#define PANEL  SL_CPU_PANEL
#define GROUP  4
#define ROWS   240
#define DEPTH  384
#define Q8     32 /* elements of a block of weights in 8 bits */
#define STORED 48 /* rows computed between two stores */
/* Tasks below which they are made smaller: enough for the threads of any desktop. */
#define MANY_TASKS 48

typedef struct Job {
    const SlDevice *dev;
    const SlTensor *x;
    const SlWeight *w;
    const SlEpilogue *e;
    SlTensor *out;
    SlConv conv;
    int64_t h, wide, out_h, out_w;   /* only of a convolution */
    int64_t kh, kw, channels, depth; /* depth: kh kw channels */
    int64_t positions, outputs, panels;
    int64_t rows, group; /* of a task */
    int64_t groups;      /* tasks with the same rows */
    int64_t block;       /* elements of the depth */
    bool in_place, gated;
    bool
        unpacked; /* weights in 8 bits or f16: a block of the depth is made f32 before it is used */
    float *scratch; /* per thread: gathered rows, then sums, then a group's weights of a block */
    int64_t scratch_floats;
} Job;

static int64_t round_up(int64_t n, int64_t to)
{
    return (n + to - 1) / to * to;
}

SL_INLINE void copy_run(const SlTensor *x, int64_t from, int64_t count, float *to)
{
    for (int64_t c = 0; c < count; c += SL_VEC_FLOATS)
        sl_store_some(to, SL_F32, c, count - c,
                      sl_load_some(x->data, x->dtype, from + c, count - c));
}

/* Elements first .. first + count - 1 of the window of position p; zeros where it hangs over. */
static void gather_window(const Job *j, int64_t p, int64_t first, int64_t count, float *to)
{
    int64_t item = p / (j->out_h * j->out_w);
    int64_t y = p / j->out_w % j->out_h * j->conv.stride - j->conv.pad_top;
    int64_t column = p % j->out_w * j->conv.stride - j->conv.pad_left;
    while (count > 0) {
        int64_t tap = first / j->channels, c = first % j->channels, run = j->channels - c;
        int64_t iy = y + tap / j->kw, ix = column + tap % j->kw;
        run = run < count ? run : count;
        if (iy < 0 || iy >= j->h || ix < 0 || ix >= j->wide)
            memset(to, 0, (size_t)run * sizeof *to);
        else
            copy_run(j->x, ((item * j->h + iy) * j->wide + ix) * j->channels + c, run, to);
        first += run;
        to += run;
        count -= run;
    }
}

/* Rows of a task, elements k .. k + depth - 1. */
static void gather(const Job *j, int64_t first, int64_t rows, int64_t k, int64_t depth, float *to)
{
    for (int64_t i = 0; i < rows; i++, to += j->block)
        if (j->out_h)
            gather_window(j, first + i, k, depth, to);
        else
            copy_run(j->x, (first + i) * j->depth + k, depth, to);
}

/* Which panel is number g of a group; a gated group has its values first, then their gates. */
static int64_t panel_of(const Job *j, int64_t group, int64_t g)
{
    if (!j->gated)
        return group * j->group + g;
    int64_t half = j->group / 2;
    return g < half ? group * half + g : j->panels / 2 + group * half + g - half;
}

static void store_plain(const Job *j, const float *sum, int64_t row, int64_t group)
{
    int64_t from = group * j->group * PANEL, width = j->group * PANEL;
    int64_t per_item = j->positions / j->out->size[0];
    for (int64_t c = 0; c < width && from + c < j->outputs; c += SL_VEC_FLOATS) {
        SlOutputPlace p = {row / per_item, row * j->outputs + from + c, from + c,
                           j->outputs - from - c};
        sl_finish(j->e, j->out, *(const SlVec *)(sum + c), &p);
    }
}

/* value gelu(gate), each with its half of the bias */
static void store_gated(const Job *j, const float *sum, int64_t row, int64_t group)
{
    int64_t half = j->outputs / 2, width = j->group / 2 * PANEL, from = group * width;
    const float *bias = j->e->bias ? j->e->bias->value.data : NULL;
    for (int64_t c = 0; c < width && from + c < half; c += SL_VEC_FLOATS) {
        SlVec value = *(const SlVec *)(sum + c), gate = *(const SlVec *)(sum + width + c);
        if (bias) {
            value += sl_vec_load(bias, SL_F32, from + c);
            gate += sl_vec_load(bias, SL_F32, half + from + c);
        }
        sl_vec_store(j->out->data, j->out->dtype, row * half + from + c,
                     value * sl_vec_act(gate, SL_ACT_GELU));
    }
}

/* Elements k .. k + depth - 1 of a panel's weights, as f32. */
static void unpack_f16(const Job *j, int64_t panel, int64_t k, int64_t depth, float *to)
{
    for (int64_t i = 0; i < depth * PANEL; i += SL_VEC_FLOATS)
        *(SlVec *)(to + i) = sl_vec_load_f16(j->w->value.data, (panel * j->depth + k) * PANEL + i);
}

/* The first elements of a block of weights in 8 bits. */
SL_INLINE void unpack_block(const SlCpuQ8 *block, int64_t elements, float *to)
{
    SlVec scale[PANEL / SL_VEC_FLOATS];
    for (int i = 0; i < PANEL / SL_VEC_FLOATS; i++)
        scale[i] = sl_vec_load_f16(block->scale, (int64_t)i * SL_VEC_FLOATS);
    for (int64_t r = 0; r < elements; r++, to += PANEL)
        for (int i = 0; i < PANEL / SL_VEC_FLOATS; i++)
            ((SlVec *)to)[i] = scale[i] * sl_vec_load_i8(block->value[r] + i * SL_VEC_FLOATS);
}

/* Elements of a panel of weights in 8 bits; k begins a block. */
static void unpack_q8(const Job *j, int64_t panel, int64_t k, int64_t depth, float *to)
{
    const SlCpuQ8 *block = j->w->value.data;
    block += panel * ((j->depth + Q8 - 1) / Q8) + k / Q8;
    for (int64_t i = 0; i < depth; i += Q8, block++)
        unpack_block(block, depth - i < Q8 ? depth - i : Q8, to + i * PANEL);
}

static void unpack(const Job *j, int64_t group, int64_t k, int64_t depth, float *to)
{
    for (int64_t g = 0; g < j->group; g++) {
        int64_t panel = panel_of(j, group, g);
        if (panel >= j->panels)
            continue;
        if (j->w->value.dtype == SL_F16)
            unpack_f16(j, panel, k, depth, to + g * j->block * PANEL);
        else
            unpack_q8(j, panel, k, depth, to + g * j->block * PANEL);
    }
}

/* One block of the depth: some rows by all panels of the task. */
static void multiply(const Job *j, const SlStrip *rows, int64_t count, int64_t group, int64_t k)
{
    const float *unpacked = rows->panel;
    const char *weights = j->w->value.data;
    size_t size = sl_dtype_size(rows->type);
    for (int64_t g = 0; g < j->group; g++) {
        int64_t panel = panel_of(j, group, g);
        if (panel >= j->panels)
            continue;
        SlStrip s = *rows;
        s.panel = j->unpacked ? (const void *)(unpacked + g * j->block * PANEL)
                              : weights + (size_t)((panel * j->depth + k) * PANEL) * size;
        s.sum += g * PANEL;
        sl_strip(&s, count, j->outputs - panel * PANEL);
    }
}

static void store(const Job *j, const float *sum, int64_t first, int64_t rows, int64_t group)
{
    for (int64_t i = 0; i < rows; i++) {
        if (j->gated)
            store_gated(j, sum + i * j->group * PANEL, first + i, group);
        else
            store_plain(j, sum + i * j->group * PANEL, first + i, group);
    }
}

/* Asks for the lines that some rows will be stored to: they come while the rows are computed. */
static void expect_output(const Job *j, int64_t first, int64_t rows, int64_t group)
{
    int64_t parts = j->gated ? 2 : 1, columns = j->outputs / parts,
            size = sl_dtype_size(j->out->dtype);
    int64_t from = group * (j->group / parts) * PANEL, to = from + j->group / parts * PANEL;
    to = to < columns ? to : columns;
    for (int64_t row = first; row < first + rows; row++)
        for (int64_t c = from; c < to; c += 64 / size)
            __builtin_prefetch((const char *)j->out->data + (row * columns + c) * size, 1);
}

/* One block of the depth for all rows of a task, a few at a time: after the last block they are
 * stored at once, so that memory takes them while the next ones are computed. */
static void compute_block(const Job *j, const SlStrip *task, int64_t first, int64_t rows,
                          int64_t group, int64_t k)
{
    for (int64_t i = 0; i < rows; i += STORED) {
        int64_t count = rows - i < STORED ? rows - i : STORED;
        SlStrip s = *task;
        s.a += i * s.a_stride;
        s.sum += i * s.sum_stride;
        bool last = k + s.depth == j->depth;
        if (last)
            expect_output(j, first + i, count, group);
        multiply(j, &s, count, group, k);
        if (last)
            store(j, s.sum, first + i, count, group);
    }
}

static void compute_tasks(void *arg, int64_t first_task, int64_t last_task)
{
    const Job *j = arg;
    float *gathered = j->scratch + sl_thread_index() * j->scratch_floats;
    float *sum = gathered + (j->in_place ? 0 : j->rows * j->block);
    float *weights = sum + j->rows * j->group * PANEL;
    for (int64_t task = first_task; task < last_task; task++) {
        int64_t group = task % j->groups, first = task / j->groups * j->rows;
        int64_t rows = j->positions - first < j->rows ? j->positions - first : j->rows;
        for (int64_t k = 0; k < j->depth && !sl_device_stopping(j->dev); k += j->block) {
            SlStrip s = {.a = gathered,
                         .a_stride = j->block,
                         .type = j->unpacked ? SL_F32 : j->w->value.dtype,
                         .sum = sum,
                         .sum_stride = j->group * PANEL,
                         .go_on = k > 0};
            s.depth = j->depth - k < j->block ? j->depth - k : j->block;
            if (j->in_place) {
                s.a = (const float *)j->x->data + first * j->depth + k;
                s.a_stride = j->depth;
            } else {
                gather(j, first, rows, k, s.depth, gathered);
            }
            if (j->unpacked) {
                unpack(j, group, k, s.depth, weights);
                s.panel = weights;
            }
            compute_block(j, &s, first, rows, group, k);
        }
    }
}

/* Cuts the product by its shape alone: fewer panels, then fewer rows, until there are enough tasks
 * for many threads, or they would be too small. */
static void plan(Job *j)
{
    int64_t pieces = (j->positions + ROWS - 1) / ROWS, least = j->gated ? 2 : 1;
    j->rows = round_up((j->positions + pieces - 1) / pieces, 4);
    j->group = GROUP;
    j->groups = (j->panels + j->group - 1) / j->group;
    while (pieces * j->groups < MANY_TASKS && j->group > least) {
        j->group /= 2;
        j->groups = (j->panels + j->group - 1) / j->group;
    }
    while (pieces * j->groups < MANY_TASKS && j->rows > 24) {
        j->rows = round_up(j->rows / 2, 12);
        pieces = (j->positions + j->rows - 1) / j->rows;
    }
    int64_t blocks = (j->depth + DEPTH - 1) / DEPTH;
    SlDtype type = j->w->value.dtype;
    j->unpacked = type == SL_U8 || type == SL_F16;
    j->block = round_up((j->depth + blocks - 1) / blocks, type == SL_U8 ? Q8 : 1);
    j->in_place = !j->out_h && j->x->dtype == SL_F32;
    j->scratch_floats =
        round_up((j->in_place ? 0 : j->rows * j->block) + j->rows * j->group * PANEL +
                     (j->unpacked ? j->group * j->block * PANEL : 0),
                 64);
}

static void run(SlDevice *dev, Job *j)
{
    size_t mark = sl_arena_mark(dev);
    j->dev = dev;
    j->channels = j->w->size[1];
    j->outputs = j->w->size[0];
    j->panels = (j->outputs + PANEL - 1) / PANEL;
    j->depth = j->kh * j->kw * j->channels;
    j->positions = sl_tensor_elements(j->x) / j->channels;
    if (j->out_h)
        j->positions = j->x->size[0] * j->out_h * j->out_w;
    plan(j);
    SlTensor scratch =
        sl_tensor_new(dev, SL_F32, 2, (const int64_t[]){dev->threads, j->scratch_floats});
    j->scratch = scratch.data;
    int64_t tasks = (j->positions + j->rows - 1) / j->rows * j->groups;
    int64_t work = j->rows * j->group * j->depth * PANEL / 64;
    if (j->scratch)
        sl_parallel_for(dev, tasks, sl_cpu_grain(work), compute_tasks, j);
    sl_arena_reset(dev, mark);
}

static void cpu_linear_epilogue(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                                const SlEpilogue *e, SlTensor *out)
{
    Job job = {.x = x, .w = w, .e = e, .out = out, .kh = 1, .kw = 1};
    run(dev, &job);
}

static void cpu_linear(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                       SlTensor *out)
{
    const SlEpilogue e = {.bias = bias};
    cpu_linear_epilogue(dev, x, w, &e, out);
}

static void cpu_linear_geglu(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                             const SlWeight *bias, SlTensor *out)
{
    const SlEpilogue e = {.bias = bias};
    Job job = {.x = x, .w = w, .e = &e, .out = out, .kh = 1, .kw = 1, .gated = true};
    if (w->size[0] % (2 * PANEL) == 0)
        run(dev, &job);
    else
        ((SlCpuDevice *)dev)->apart.linear_geglu(dev, x, w, bias, out);
}

void SL_FOR_ISA(sl_cpu_conv2d_direct)(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                                      const SlConv *conv, const SlEpilogue *e, SlTensor *out)
{
    Job job = {.x = x, .w = w, .e = e, .conv = *conv, .out = out};
    job.kh = w->size[2];
    job.kw = w->size[3];
    /* A window of one pixel is a row of the input. */
    if (job.kh == 1 && job.kw == 1 && conv->stride == 1 && out->size[1] == x->size[1] &&
        out->size[2] == x->size[2] && conv->pad_top == 0 && conv->pad_left == 0) {
        run(dev, &job);
        return;
    }
    job.h = x->size[1];
    job.wide = x->size[2];
    job.out_h = out->size[1];
    job.out_w = out->size[2];
    run(dev, &job);
}

void SL_FOR_ISA(sl_cpu_product_slots)(SlOps *ops)
{
    ops->linear = cpu_linear;
    ops->linear_epilogue = cpu_linear_epilogue;
    ops->linear_geglu = cpu_linear_geglu;
}
