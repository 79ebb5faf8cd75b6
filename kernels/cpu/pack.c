/* pack.c - weights of the cpu device: which layouts each gets, and packing for our own products.
 *
 * A product's weights are kept in panels of SL_CPU_PANEL outputs: [panel][element of the
 * window][output], zeros behind the last output. The elements of a window are in the order of its
 * NHWC input: row, column, channel, while the file has [O, I, KH, KW]. One layout for all shapes:
 * weights are packed when they are loaded and never again.
 */
#include "kernels/cpu/cpu.h"
#include "kernels/q8.h"

#include <string.h>

#define PANEL SL_CPU_PANEL
#define RUN   117 /* elements of an output's weights at a time: a multiple of 9, 16 KiB of stack */

typedef struct Job {
    const SlTensor *host;
    char *data;
    SlDtype dtype;
    int64_t outputs, channels, taps;
} Job;

/* Elements first .. first + count - 1 of all outputs of one panel, as f32. */
static void read_run(const Job *j, int64_t panel, int64_t first, int64_t count,
                     float rows[PANEL][RUN])
{
    size_t size = sl_dtype_size(j->host->dtype);
    int64_t each = j->channels * j->taps;
    for (int64_t o = 0; o < PANEL; o++) {
        int64_t output = panel * PANEL + o;
        const char *from = (const char *)j->host->data + (size_t)(output * each + first) * size;
        if (output < j->outputs)
            sl_convert(from, j->host->dtype, rows[o], SL_F32, (size_t)count);
        else
            memset(rows[o], 0, (size_t)count * sizeof(float));
    }
}

/* One element of the window: the panel's outputs side by side. */
static void write_element(const Job *j, int64_t panel, int64_t element, int64_t i,
                          float rows[PANEL][RUN])
{
    int64_t channel = element / j->taps, tap = element % j->taps;
    int64_t place = (panel * j->taps * j->channels + tap * j->channels + channel) * PANEL;
    float side[PANEL];
    for (int64_t o = 0; o < PANEL; o++)
        side[o] = rows[o][i];
    if (j->dtype == SL_F32)
        memcpy((float *)(void *)j->data + place, side, sizeof side);
    else
        sl_convert(side, SL_F32, (uint16_t *)(void *)j->data + place, j->dtype, PANEL);
}

static void pack_panels(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    int64_t each = j->channels * j->taps;
    float rows[PANEL][RUN];
    for (int64_t panel = first; panel < last; panel++)
        for (int64_t k = 0; k < each; k += RUN) {
            int64_t count = each - k < RUN ? each - k : RUN;
            read_run(j, panel, k, count, rows);
            for (int64_t i = 0; i < count; i++)
                write_element(j, panel, k + i, i, rows);
        }
}

static void pack(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    Job job = {.host = host, .data = w->value.data, .dtype = w->value.dtype};
    job.outputs = w->size[0];
    job.channels = w->size[1];
    job.taps = w->rank == 4 ? w->size[2] * w->size[3] : 1;
    sl_parallel_for(dev, (job.outputs + PANEL - 1) / PANEL,
                    sl_cpu_grain(PANEL * job.channels * job.taps), pack_panels, &job);
}

/* ---- in 8 bits ---- */

typedef struct Q8Job {
    SlQ8Weight weight;
    SlCpuQ8 *data;
    int64_t blocks; /* of a panel */
} Q8Job;

static void pack_block(const Q8Job *j, int64_t panel, int64_t block)
{
    SlCpuQ8 *to = &j->data[panel * j->blocks + block];
    float values[SL_Q8_BLOCK];
    int8_t rounded[SL_Q8_BLOCK];
    memset(to, 0, sizeof *to);
    for (int64_t o = 0; o < PANEL && panel * PANEL + o < j->weight.outputs; o++) {
        sl_q8_read(&j->weight, panel * PANEL + o, block * SL_Q8_BLOCK, values);
        to->scale[o] = sl_q8_round(values, rounded);
        for (int64_t i = 0; i < SL_Q8_BLOCK; i++)
            to->value[i][o] = rounded[i];
    }
}

static void pack_q8_panels(void *arg, int64_t first, int64_t last)
{
    const Q8Job *j = arg;
    for (int64_t panel = first; panel < last; panel++)
        for (int64_t block = 0; block < j->blocks; block++)
            pack_block(j, panel, block);
}

static void fill_q8(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    Q8Job job = {.weight = sl_q8_weight(host), .data = w->value.data};
    int64_t panels = (job.weight.outputs + PANEL - 1) / PANEL;
    job.blocks = (job.weight.depth + SL_Q8_BLOCK - 1) / SL_Q8_BLOCK;
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

static bool is_product(const SlWeight *w)
{
    return w->kind == SL_WEIGHT_LINEAR || w->kind == SL_WEIGHT_CONV;
}

/* What a weight that is not oneDNN's is held in. */
static SlDtype value_dtype(const SlDevice *dev, const SlWeight *w, const SlTensor *host)
{
    if (w->kind == SL_WEIGHT_VECTOR)
        return SL_F32;
    return is_product(w) && keeps_half(dev, host) ? host->dtype : dev->dtype;
}

static void fill_value(SlDevice *dev, SlWeight *w, const SlTensor *host, bool product)
{
    if (product)
        pack(dev, w, host);
    else
        sl_convert(host->data, host->dtype, w->value.data, w->value.dtype,
                   (size_t)sl_tensor_elements(host));
}

static bool add_value(SlDevice *dev, SlWeight *w, const SlTensor *host, bool product)
{
    SlDtype dtype = value_dtype(dev, w, host);
    int64_t n = sl_tensor_elements(host);
    if (product)
        n = n / w->size[0] * ((w->size[0] + PANEL - 1) / PANEL * PANEL);
    char *data = sl_cpu_weight_alloc(dev, (size_t)n * sl_dtype_size(dtype));
    if (!data)
        return false;
    w->value = product ? sl_tensor_view(data, dtype, 1, &n)
                       : sl_tensor_view(data, dtype, host->rank, host->size);
    fill_value(dev, w, host, product);
    return true;
}

/* Winograd needs a weight packed, and so does one of two bytes; everything else may be oneDNN's. */
static bool may_be_winograd(const SlDevice *dev, const SlWeight *w)
{
    return dev->dtype == SL_F32 && w->kind == SL_WEIGHT_CONV && w->size[2] == 3 &&
           w->size[3] == 3 && w->size[0] >= 16 && w->size[1] >= SL_CPU_WINOGRAD;
}

static bool is_onednn(const SlDevice *dev, const SlWeight *w, const SlTensor *host)
{
    return is_product(w) && ((const SlCpuDevice *)dev)->onednn && !may_be_winograd(dev, w) &&
           !keeps_half(dev, host);
}

bool sl_cpu_weight_init(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    if (is_product(w) && dev->q8)
        return add_q8(dev, w, host);
    if (is_onednn(dev, w, host))
        return sl_onednn_weight_init(dev, w, host);
    return add_value(dev, w, host, is_product(w));
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
    fresh.prepared = fresh.value.data = NULL;
    if (!sl_cpu_weight_init(dev, &fresh, host))
        return false;
    sl_cpu_weight_clear(dev, w);
    *w = fresh;
    return true;
}

bool sl_cpu_weight_fill(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    if (is_product(w) && dev->q8)
        fill_q8(dev, w, host);
    else if (!is_held_so(dev, w, host)) /* two bytes before or now, and not both */
        return replace(dev, w, host);
    else if (is_onednn(dev, w, host))
        return sl_onednn_weight_fill(dev, w, host);
    else
        fill_value(dev, w, host, is_product(w));
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
