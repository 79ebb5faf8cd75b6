/* products.c - linear and convolution without oneDNN, for machines that have nothing but a
 * compiler: one product of register tiles for both.
 *
 * A convolution is a product whose rows are windows: what a row would hold is gathered per block,
 * KC of its elements at a time, so that no im2col matrix is ever stored. Weights come packed in
 * panels of PANEL outputs (portable.c). A task is ROWS positions by GROUP panels; sums of a block
 * go on where the block before ended, always in the same order.
 */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vec.h"

#if !SL_HAVE_ONEDNN

#define PANEL SL_CPU_PANEL
#define GROUP 4
#define ROWS  48
#define KC    512
#if defined(__AVX512F__)
#define TILE 12 /* rows in registers: 24 accumulators of 32 registers */
#else
#define TILE 3
#endif

typedef struct Job {
    const SlTensor *x;
    const SlWeight *w, *bias;
    SlConv conv;
    int64_t h, wide, out_h, out_w;
    int64_t kh, kw, channels, outputs, depth; /* depth: kh kw channels */
    int64_t positions, groups;                /* groups of panels */
    SlTensor *out;
} Job;

typedef struct Block {
    float a[ROWS][KC];
    float sum[ROWS][GROUP * PANEL];
} __attribute__((aligned(64))) Block;

SL_INLINE void copy_run(const SlTensor *x, int64_t from, int64_t count, float *to)
{
    int64_t c = 0;
    for (; c + SL_LANES <= count; c += SL_LANES)
        *(SlVec *)(to + c) = sl_vec_load(x->data, x->dtype, from + c);
    if (c < count) {
        SlVec rest = sl_vec_load_part(x->data, x->dtype, from + c, count - c);
        sl_vec_store_part(to, SL_F32, c, count - c, rest);
    }
}

/* Elements first .. first + count - 1 of the window of position p; zeros where it hangs over. */
static void gather_row(const Job *j, int64_t p, int64_t first, int64_t count, float *to)
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

/* sum[TILE][PANEL] += a[TILE][depth] panel[depth][PANEL]; the type of the panel is a constant. */
SL_INLINE void tile(float (*sum)[GROUP * PANEL], float (*a)[KC], const void *panel, SlDtype type,
                    int64_t depth)
{
    SlVec acc[TILE][2];
    for (int i = 0; i < TILE; i++)
        for (int b = 0; b < 2; b++)
            acc[i][b] = *(SlVec *)(sum[i] + b * SL_LANES);
    for (int64_t k = 0; k < depth; k++) {
        SlVec low = sl_vec_load(panel, type, k * PANEL);
        SlVec high = sl_vec_load(panel, type, k * PANEL + SL_LANES);
        for (int i = 0; i < TILE; i++) {
            SlVec x = sl_vec_set(a[i][k]);
            acc[i][0] += x * low;
            acc[i][1] += x * high;
        }
    }
    for (int i = 0; i < TILE; i++)
        for (int b = 0; b < 2; b++)
            *(SlVec *)(sum[i] + b * SL_LANES) = acc[i][b];
}

/* One block of KC elements: all panels of the group times all rows. */
static void multiply(const Job *j, Block *block, int64_t group, int64_t rows, int64_t first,
                     int64_t depth)
{
    const char *weights = j->w->value.data;
    size_t size = sl_dtype_size(j->w->value.dtype);
    for (int64_t g = 0; g < GROUP && (group * GROUP + g) * PANEL < j->outputs; g++) {
        int64_t panel = group * GROUP + g;
        const void *p = weights + (size_t)((panel * j->depth + first) * PANEL) * size;
        for (int64_t i = 0; i < rows; i += TILE) {
            float(*sum)[GROUP * PANEL] = (float(*)[GROUP * PANEL])(block->sum[i] + g * PANEL);
            if (j->w->value.dtype == SL_F32)
                tile(sum, block->a + i, p, SL_F32, depth);
            else
                tile(sum, block->a + i, p, SL_BF16, depth);
        }
    }
}

static void store_rows(const Job *j, const Block *block, int64_t first, int64_t rows, int64_t group)
{
    int64_t from = group * GROUP * PANEL, count = j->outputs - from;
    count = count < GROUP * PANEL ? count : GROUP * PANEL;
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t c = 0; c < count; c += SL_LANES) {
            int64_t n = count - c, to = (first + i) * j->outputs + from + c;
            SlVec v = *(const SlVec *)(block->sum[i] + c);
            if (j->bias && n >= SL_LANES)
                v += sl_vec_load(j->bias->value.data, SL_F32, from + c);
            else if (j->bias)
                v += sl_vec_load_part(j->bias->value.data, SL_F32, from + c, n);
            if (n >= SL_LANES)
                sl_vec_store(j->out->data, j->out->dtype, to, v);
            else
                sl_vec_store_part(j->out->data, j->out->dtype, to, n, v);
        }
    }
}

static void compute_blocks(void *arg, int64_t first_task, int64_t last_task)
{
    const Job *j = arg;
    Block block; /* 120 KiB of stack */
    for (int64_t task = first_task; task < last_task; task++) {
        int64_t group = task % j->groups, first = task / j->groups * ROWS;
        int64_t rows = j->positions - first < ROWS ? j->positions - first : ROWS;
        memset(block.sum, 0, sizeof block.sum);
        for (int64_t k = 0; k < j->depth; k += KC) {
            int64_t depth = j->depth - k < KC ? j->depth - k : KC;
            for (int64_t i = 0; i < (rows + TILE - 1) / TILE * TILE; i++)
                gather_row(j, first + (i < rows ? i : rows - 1), k, depth, block.a[i]);
            multiply(j, &block, group, rows, k, depth);
        }
        store_rows(j, &block, first, rows, group);
    }
}

static void run(SlDevice *dev, Job *j)
{
    j->channels = j->w->size[1];
    j->outputs = j->w->size[0];
    j->depth = j->kh * j->kw * j->channels;
    j->positions = sl_tensor_elements(j->out) / j->outputs;
    j->groups = (j->outputs + GROUP * PANEL - 1) / (GROUP * PANEL);
    int64_t tasks = (j->positions + ROWS - 1) / ROWS * j->groups;
    sl_parallel_for(dev, tasks, sl_cpu_grain(ROWS * j->depth), compute_blocks, j);
}

/* The rows of a matrix are a picture of one column, its kernel one pixel. */
static void cpu_linear(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                       SlTensor *out)
{
    int64_t n = sl_tensor_elements(x) / w->size[1];
    Job job = {.x = x, .w = w, .bias = bias, .conv = {.stride = 1}, .out = out};
    job.h = job.out_h = n;
    job.wide = job.out_w = job.kh = job.kw = 1;
    run(dev, &job);
}

static void cpu_conv2d(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                       const SlConv *conv, SlTensor *out)
{
    Job job = {.x = x, .w = w, .bias = bias, .conv = *conv, .out = out};
    job.h = x->size[1];
    job.wide = x->size[2];
    job.out_h = out->size[1];
    job.out_w = out->size[2];
    job.kh = w->size[2];
    job.kw = w->size[3];
    run(dev, &job);
}

void SL_FOR_ISA(sl_cpu_product_slots)(SlOps *ops)
{
    ops->linear = cpu_linear;
    ops->conv2d = cpu_conv2d;
}

#endif
