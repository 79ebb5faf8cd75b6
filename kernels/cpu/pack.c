/* pack.c - weights of the cpu device: which layouts each gets, and packing for our own products.
 *
 * A product's weights are kept in panels of SL_CPU_PANEL outputs: [panel][element of the
 * window][output], zeros behind the last output. The elements of a window are in the order of its
 * NHWC input: row, column, channel, while the file has [O, I, KH, KW]. For products of bf16 a panel is
 * tiles instead (pack_tiles.c). One layout for all shapes: weights are packed when they are loaded and
 * never again. They are read for it a panel's share at a time, into a thread's second cache: a weight is
 * in no other memory than its own, whose first touch is most of the time that loading takes.
 */
#include "kernels/cpu/cpu.h"
#include "kernels/q8.h"

#include <stdlib.h>
#include <string.h>

#define PANEL SL_CPU_PANEL
#define BLOCK 32  /* channels of a tile */
#define TILE  512 /* values of a tile */
#define RUN   117 /* elements of an output's weights at a time: a multiple of 9, 16 KiB of stack */
/* Elements of an output that are read at a time, about: with those of the whole panel in the second cache. */
#define SEGMENT ((int64_t)36 * RUN)
/* Elements of values that stay in their order. */
#define PIECE ((int64_t)1 << 18)

/* The values of a weight: in the host's memory, or to be read. */
typedef struct Values {
    const SlTensor *shape;
    const char *data;             /* NULL: */
    const SlWeightReader *reader; /* to be read */
} Values;

static Values of_host(const SlTensor *host)
{
    return (Values){.shape = host, .data = host->data};
}

typedef struct Job {
    const Values *values;
    char *data;
    SlDtype dtype;
    bool halves; /* of the two bytes that the values have, too */
    bool tiles;  /* instead of panels */
    int64_t outputs, channels, taps;
    int64_t segment; /* elements of an output that are read at a time */
    float *room;     /* per thread, for the elements of a tile */
    char *staging;   /* per thread, for what is read */
    size_t staging_bytes;
    int failed; /* atomic: something could not be read */
} Job;

/* Elements of the outputs of a panel: where the first output's begin, and how far it is to the next's. */
typedef struct Segment {
    const char *data;
    int64_t step;
} Segment;

static int64_t outputs_of(const Job *j, int64_t panel)
{
    int64_t left = j->outputs - panel * PANEL;
    return left < PANEL ? left : PANEL;
}

/* Elements first .. first + count - 1 of all outputs of a panel. */
static bool find_segment(Job *j, int64_t panel, int64_t first, int64_t count, Segment *segment)
{
    const Values *v = j->values;
    int64_t each = j->channels * j->taps, outputs = outputs_of(j, panel);
    int64_t at = panel * PANEL * each + first;
    size_t size = sl_dtype_size(v->shape->dtype);
    if (v->data) {
        *segment = (Segment){v->data + (size_t)at * size, each};
        return true;
    }
    char *to = j->staging + (size_t)sl_thread_index() * j->staging_bytes;
    *segment = (Segment){to, count};
    if (count == each)
        return v->reader->read(v->reader->arg, at, outputs * each, to);
    for (int64_t o = 0; o < outputs; o++)
        if (!v->reader->read(v->reader->arg, at + o * each, count, to + (size_t)(o * count) * size))
            return false;
    return true;
}

/* Some elements of a panel's outputs. */
typedef union Rows {
    float whole[PANEL][RUN];
    uint16_t half[PANEL][RUN]; /* two bytes that stay what they are */
} Rows;

/* Elements first .. first + count - 1 of a segment. */
static void read_run(const Job *j, int64_t panel, const Segment *s, int64_t first, int64_t count,
                     Rows *rows)
{
    SlDtype dtype = j->values->shape->dtype;
    size_t size = sl_dtype_size(dtype);
    int64_t outputs = outputs_of(j, panel);
    for (int64_t o = 0; o < PANEL; o++) {
        void *to = j->halves ? (void *)rows->half[o] : rows->whole[o];
        if (o < outputs)
            sl_convert(s->data + (size_t)(o * s->step + first) * size, dtype, to,
                       j->halves ? dtype : SL_F32, (size_t)count);
        else
            memset(to, 0, (size_t)count * (j->halves ? sizeof(uint16_t) : sizeof(float)));
    }
}

/* One element of the window: the panel's outputs side by side. */
static void write_element(const Job *j, int64_t panel, int64_t element, int64_t i, const Rows *rows)
{
    int64_t channel = element / j->taps, tap = element % j->taps;
    int64_t place = (panel * j->taps * j->channels + tap * j->channels + channel) * PANEL;
    float side[PANEL];
    if (j->halves) {
        uint16_t *to = (uint16_t *)(void *)j->data + place;
        for (int64_t o = 0; o < PANEL; o++)
            to[o] = rows->half[o][i];
        return;
    }
    for (int64_t o = 0; o < PANEL; o++)
        side[o] = rows->whole[o][i];
    if (j->dtype == SL_F32)
        memcpy((float *)(void *)j->data + place, side, sizeof side);
    else
        sl_convert(side, SL_F32, (uint16_t *)(void *)j->data + place, j->dtype, PANEL);
}

static void pack_segment(const Job *j, int64_t panel, const Segment *s, int64_t first,
                         int64_t count)
{
    Rows rows;
    for (int64_t k = 0; k < count; k += RUN) {
        int64_t n = count - k < RUN ? count - k : RUN;
        read_run(j, panel, s, k, n, &rows);
        for (int64_t i = 0; i < n; i++)
            write_element(j, panel, first + k + i, i, &rows);
    }
}

/* Blocks of channels. */
static void pack_tiles(const Job *j, int64_t panel, const Segment *s, int64_t first, int64_t count)
{
#if SL_HAVE_BF16
    int64_t block = BLOCK * j->taps, blocks = (j->channels + BLOCK - 1) / BLOCK;
    SlTilePack p = {.dtype = j->values->shape->dtype, .step = s->step, .taps = j->taps};
    p.outputs = outputs_of(j, panel);
    p.room = j->room + (int64_t)sl_thread_index() * TILE * j->taps;
    for (int64_t k = 0; k < count; k += block) {
        int64_t left = count - k < block ? count - k : block;
        p.from = s->data + (size_t)k * sl_dtype_size(p.dtype);
        p.channels = left / j->taps;
        p.to = (uint16_t *)(void *)j->data + (panel * blocks * BLOCK * j->taps + first + k) * PANEL;
        sl_cpu_pack_tiles(&p);
    }
#endif
}

static void pack_panels(void *arg, int64_t first, int64_t last)
{
    Job *j = arg;
    int64_t each = j->channels * j->taps;
    for (int64_t panel = first; panel < last; panel++)
        for (int64_t k = 0; k < each; k += j->segment) {
            int64_t count = each - k < j->segment ? each - k : j->segment;
            Segment segment;
            if (!find_segment(j, panel, k, count, &segment))
                __atomic_store_n(&j->failed, 1, __ATOMIC_RELAXED);
            else if (j->tiles)
                pack_tiles(j, panel, &segment, k, count);
            else
                pack_segment(j, panel, &segment, k, count);
        }
}

/* The elements of a product's packed weight. */
static int64_t packed_elements(const SlDevice *dev, const SlWeight *w)
{
    int64_t taps = w->rank == 4 ? w->size[2] * w->size[3] : 1, channels = w->size[1];
    if (sl_cpu_in_tiles(dev, w))
        channels = (channels + BLOCK - 1) / BLOCK * BLOCK;
    return (w->size[0] + PANEL - 1) / PANEL * PANEL * taps * channels;
}

/* False without memory for what is read, or where that failed. */
static bool pack(SlDevice *dev, SlWeight *w, const Values *values)
{
    Job job = {.values = values, .data = w->value.data, .dtype = w->value.dtype};
    job.tiles = sl_cpu_in_tiles(dev, w);
    job.halves = job.dtype == values->shape->dtype && sl_dtype_size(job.dtype) == 2;
    job.outputs = w->size[0];
    job.channels = w->size[1];
    job.taps = w->rank == 4 ? w->size[2] * w->size[3] : 1;
    job.segment = SEGMENT;
    if (job.tiles) /* whole blocks of channels */
        job.segment = (SEGMENT / (BLOCK * job.taps) + 1) * BLOCK * job.taps;
    int64_t each = job.channels * job.taps, most = each < job.segment ? each : job.segment;
    job.staging_bytes = (size_t)(PANEL * most) * sl_dtype_size(values->shape->dtype);
    bool ok = true;
    if (!values->data)
        ok = (job.staging = malloc((size_t)dev->threads * job.staging_bytes)) != NULL;
    if (job.tiles && ok)
        ok = (job.room = malloc((size_t)dev->threads * TILE * (size_t)job.taps * sizeof(float))) !=
             NULL;
    if (ok)
        sl_parallel_for(dev, (job.outputs + PANEL - 1) / PANEL, sl_cpu_grain(PANEL * each),
                        pack_panels, &job);
    free(job.staging);
    free(job.room);
    return ok && !job.failed;
}

/* ---- in their order ---- */

static void read_pieces(void *arg, int64_t first, int64_t last)
{
    Job *j = arg;
    const SlWeightReader *reader = j->values->reader;
    size_t size = sl_dtype_size(reader->shape.dtype);
    for (int64_t i = first; i < last; i++) {
        int64_t at = i * PIECE, count = j->outputs - at < PIECE ? j->outputs - at : PIECE;
        if (!reader->read(reader->arg, at, count, j->data + (size_t)at * size))
            __atomic_store_n(&j->failed, 1, __ATOMIC_RELAXED);
    }
}

/* What is read is read into its place, so it has the place's dtype. */
static bool put(SlDevice *dev, SlWeight *w, const Values *values)
{
    int64_t n = sl_tensor_elements(values->shape);
    if (values->data) {
        sl_convert(values->data, values->shape->dtype, w->value.data, w->value.dtype, (size_t)n);
        return true;
    }
    Job job = {.values = values, .data = w->value.data, .outputs = n};
    sl_parallel_for(dev, (n + PIECE - 1) / PIECE, 1, read_pieces, &job);
    return !job.failed;
}

/* ---- in 8 bits ---- */

typedef struct Q8Job {
    SlQ8Weight weight;
    SlCpuQ8 *data;
    int64_t blocks; /* of a panel */
    bool steps;     /* in the order of the tiles: 32 channels, all of their window */
} Q8Job;

/* Where a block of the window lies in its panel. */
static int64_t place_of(const Q8Job *j, int64_t block)
{
    int64_t across = j->weight.channels / SL_Q8_BLOCK;
    return j->steps ? block % across * j->weight.taps + block / across : block;
}

/* The same blocks of all outputs of a panel, which stay in the nearest cache; gives how many. */
static int64_t pack_run(const Q8Job *j, int64_t panel, int64_t done)
{
    float values[SL_Q8_RUN][SL_Q8_BLOCK];
    int8_t rounded[SL_Q8_BLOCK];
    int64_t place[SL_Q8_RUN], count = 1;
    SlCpuQ8 *to = &j->data[panel * j->blocks];
    for (int64_t o = 0; o < PANEL && panel * PANEL + o < j->weight.outputs; o++) {
        count = sl_q8_read_run(&j->weight, panel * PANEL + o, done, values, place);
        for (int64_t b = 0; b < count; b++) {
            SlCpuQ8 *block = &to[place_of(j, place[b])];
            block->scale[o] = sl_f32_to_f16(sl_q8_round(values[b], rounded));
            for (int64_t i = 0; i < SL_Q8_BLOCK; i++)
                block->value[i][o] = rounded[i];
        }
    }
    return count;
}

static void pack_q8_panels(void *arg, int64_t first, int64_t last)
{
    const Q8Job *j = arg;
    for (int64_t panel = first; panel < last; panel++) {
        if (j->weight.outputs - panel * PANEL < PANEL)
            memset(&j->data[panel * j->blocks], 0, (size_t)j->blocks * sizeof *j->data);
        for (int64_t done = 0; done < j->blocks;)
            done += pack_run(j, panel, done);
    }
}

static void fill_q8(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    Q8Job job = {.weight = sl_q8_weight(host), .data = w->value.data};
    int64_t panels = (job.weight.outputs + PANEL - 1) / PANEL;
    job.blocks = (job.weight.depth + SL_Q8_BLOCK - 1) / SL_Q8_BLOCK;
    job.steps = sl_cpu_in_tiles(dev, w) && job.weight.channels % SL_Q8_BLOCK == 0;
    sl_parallel_for(dev, panels, sl_cpu_grain(PANEL * job.weight.depth), pack_q8_panels, &job);
}

static bool add_q8(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    const SlQ8Weight weight = sl_q8_weight(host);
    int64_t panels = (weight.outputs + PANEL - 1) / PANEL;
    int64_t blocks = (weight.depth + SL_Q8_BLOCK - 1) / SL_Q8_BLOCK;
    int64_t bytes = panels * blocks * (int64_t)sizeof(SlCpuQ8);
    void *data = sl_cpu_weight_alloc(dev, (size_t)bytes);
    if (!data)
        return false;
    w->value = sl_tensor_view(data, SL_U8, 1, &bytes);
    fill_q8(dev, w, host);
    return true;
}

/* Does a product computed in f32 have weights of two bytes? They stay so: the values are the same,
 * and our own products make them f32 a block at a time. */
static bool keeps_half(const SlDevice *dev, const SlTensor *host)
{
    return dev->dtype == SL_F32 && (host->dtype == SL_F16 || host->dtype == SL_BF16);
}

/* What a weight that is not oneDNN's is held in. */
static SlDtype value_dtype(const SlDevice *dev, const SlWeight *w, const SlTensor *host)
{
    if (w->kind == SL_WEIGHT_VECTOR)
        return SL_F32;
    return sl_is_product(w->kind) && keeps_half(dev, host) ? host->dtype : dev->dtype;
}

static bool fill_value(SlDevice *dev, SlWeight *w, const Values *values)
{
    return sl_is_product(w->kind) ? pack(dev, w, values) : put(dev, w, values);
}

static bool add_value(SlDevice *dev, SlWeight *w, const Values *values)
{
    SlDtype dtype = value_dtype(dev, w, values->shape);
    int64_t n = sl_tensor_elements(values->shape);
    if (sl_is_product(w->kind))
        n = packed_elements(dev, w);
    char *data = sl_cpu_weight_alloc(dev, (size_t)n * sl_dtype_size(dtype));
    if (!data)
        return false;
    w->value = sl_is_product(w->kind)
                   ? sl_tensor_view(data, dtype, 1, &n)
                   : sl_tensor_view(data, dtype, values->shape->rank, values->shape->size);
    if (fill_value(dev, w, values))
        return true;
    sl_cpu_weight_clear(dev, w);
    return false;
}

/* Winograd needs a weight packed, and so does one of two bytes; everything else may be oneDNN's. */
static bool may_be_winograd(const SlDevice *dev, const SlWeight *w)
{
    return dev->dtype == SL_F32 && w->kind == SL_WEIGHT_CONV && w->size[2] == 3 &&
           w->size[3] == 3 && w->size[0] >= 16 && w->size[1] >= SL_CPU_WINOGRAD;
}

static bool is_onednn(const SlDevice *dev, const SlWeight *w, const SlTensor *host)
{
    return sl_is_product(w->kind) && ((const SlCpuDevice *)dev)->onednn &&
           !sl_cpu_in_tiles(dev, w) && !may_be_winograd(dev, w) && !keeps_half(dev, host);
}

bool sl_cpu_weight_init(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    if (sl_is_product(w->kind) && dev->q8)
        return add_q8(dev, w, host);
    if (is_onednn(dev, w, host))
        return sl_onednn_weight_init(dev, w, host);
    const Values values = of_host(host);
    return add_value(dev, w, &values);
}

/* oneDNN wants all of a weight at once, and rounding to 8 bits is done from the host's memory. */
bool sl_cpu_weight_reads(const SlDevice *dev, const SlWeight *w, const SlTensor *shape)
{
    if (sl_is_product(w->kind))
        return !dev->q8 && !is_onednn(dev, w, shape);
    return shape->dtype == value_dtype(dev, w, shape);
}

bool sl_cpu_weight_read(SlDevice *dev, SlWeight *w, const SlWeightReader *reader)
{
    return add_value(dev, w, &(Values){.shape = &reader->shape, .reader = reader});
}

/* Is it held as one that is made of this tensor would be? */
static bool is_held_so(const SlDevice *dev, const SlWeight *w, const SlTensor *host)
{
    if (is_onednn(dev, w, host))
        return w->prepared != NULL;
    return !w->prepared && w->value.dtype == value_dtype(dev, w, host);
}

static bool replace(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    SlWeight fresh = *w;
    fresh.prepared = NULL;
    fresh.value = (SlTensor){0};
    if (!sl_cpu_weight_init(dev, &fresh, host))
        return false;
    sl_cpu_weight_clear(dev, w);
    *w = fresh;
    return true;
}

bool sl_cpu_weight_fill(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    const Values values = of_host(host);
    if (sl_is_product(w->kind) && dev->q8)
        fill_q8(dev, w, host);
    else if (!is_held_so(dev, w, host)) /* two bytes before or now, and not both */
        return replace(dev, w, host);
    else if (is_onednn(dev, w, host))
        return sl_onednn_weight_fill(dev, w, host);
    else
        return fill_value(dev, w, &values);
    return true;
}

static size_t value_bytes(const SlWeight *w)
{
    return (size_t)sl_tensor_elements(&w->value) * sl_dtype_size(w->value.dtype);
}

/* Of two bytes and of four: the place is another one then. */
static bool same_layout(const SlWeight *a, const SlWeight *b)
{
    return !a->prepared == !b->prepared &&
           (a->prepared || (a->value.dtype == b->value.dtype && value_bytes(a) == value_bytes(b)));
}

static bool copy_value(SlDevice *dev, SlWeight *to, const SlWeight *from)
{
    void *place = to->value.data ? to->value.data : sl_cpu_weight_alloc(dev, value_bytes(from));
    if (!place)
        return false;
    to->value = from->value;
    to->value.data = place;
    memcpy(place, from->value.data, value_bytes(from));
    return true;
}

bool sl_cpu_weight_copy(SlDevice *dev, SlWeight *to, const SlWeight *from)
{
    if ((to->value.data || to->prepared) && !same_layout(to, from))
        sl_cpu_weight_clear(dev, to);
    return from->prepared ? sl_onednn_weight_copy(dev, to, from) : copy_value(dev, to, from);
}

void sl_cpu_weight_clear(SlDevice *dev, SlWeight *w)
{
    sl_onednn_weight_clear(dev, w);
    sl_cpu_weight_free(dev, w->value.data, value_bytes(w));
    w->value.data = NULL;
}
