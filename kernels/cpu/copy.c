/* copy.c - tensors of any strides and types into others: permuted, spread, converted.
 *
 * Axes that continue each other in both tensors are one. The longest runs in the inner loop, unless
 * the last is contiguous in both. Elements of different types are gathered, converted by sl_convert
 * and spread, as many at once as two small arrays hold.
 */
#include "kernels/cpu/cpu.h"

#include "kernels/ref/ref.h"

#include <string.h>

#define PIECE 16384 /* elements of a range */
#define PART  512   /* elements that are converted at once */
#define SHORT 8     /* elements for which no inner loop is worth while */

/* Elements, and how far they are apart in the one and the other tensor. */
typedef struct Axis {
    int64_t size, from, to;
} Axis;

typedef struct Job {
    const SlTensor *x;
    SlTensor *out;
    Axis axis[SL_MAX_RANK + 1]; /* the first has one element */
    int inner;                  /* the last */
    int64_t part, parts;        /* elements of the inner axis that are a task; tasks of a row */
} Job;

static void add_axis(Job *j, Axis a)
{
    Axis *last = &j->axis[j->inner];
    if (a.size == 1)
        return;
    if (last->size > 1 && last->from == a.size * a.from && last->to == a.size * a.to)
        *last = (Axis){last->size * a.size, a.from, a.to};
    else
        j->axis[++j->inner] = a;
}

static void find_axes(Job *j)
{
    j->axis[0] = (Axis){1, 1, 1};
    for (int i = 0; i < j->x->rank; i++)
        add_axis(j, (Axis){j->x->size[i], j->x->stride[i], j->out->stride[i]});
    Axis *last = &j->axis[j->inner], *longest = last;
    if (last->from == 1 && last->to == 1 && last->size >= SHORT)
        return;
    for (int i = 0; i < j->inner; i++)
        if (j->axis[i].size > longest->size)
            longest = &j->axis[i];
    Axis a = *last;
    *last = *longest;
    *longest = a;
}

#define MOVE(TYPE)                       \
    for (int64_t i = 0; i < a.size; i++) \
    memcpy((TYPE *)to + i * a.to, (const TYPE *)from + i * a.from, sizeof(TYPE))

static void move(const void *from, void *to, Axis a, size_t size)
{
    if (a.from == 1 && a.to == 1)
        memcpy(to, from, (size_t)a.size * size);
    else if (size == 4)
        MOVE(uint32_t);
    else if (size == 2)
        MOVE(uint16_t);
    else
        MOVE(uint8_t);
}

/* Of different types. */
static void convert(const Job *j, const char *from, char *to, Axis a)
{
    size_t from_size = sl_dtype_size(j->x->dtype), to_size = sl_dtype_size(j->out->dtype);
    uint32_t gathered[PART], converted[PART];
    for (int64_t i = 0; i < a.size; i += PART) {
        int64_t n = a.size - i < PART ? a.size - i : PART;
        const char *x = from + i * a.from * (int64_t)from_size;
        char *out = to + i * a.to * (int64_t)to_size;
        if (a.from != 1)
            move(x, gathered, (Axis){n, a.from, 1}, from_size);
        sl_convert(a.from == 1 ? (const void *)x : gathered, j->x->dtype,
                   a.to == 1 ? (void *)out : converted, j->out->dtype, (size_t)n);
        if (a.to != 1)
            move(converted, out, (Axis){n, 1, a.to}, to_size);
    }
}

static void copy_parts(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    size_t from_size = sl_dtype_size(j->x->dtype), to_size = sl_dtype_size(j->out->dtype);
    for (int64_t k = first; k < last; k++) {
        Axis a = j->axis[j->inner];
        int64_t done = k % j->parts * j->part, from = done * a.from, to = done * a.to;
        int64_t row = k / j->parts;
        for (int i = j->inner - 1; i >= 0; i--) {
            from += row % j->axis[i].size * j->axis[i].from;
            to += row % j->axis[i].size * j->axis[i].to;
            row /= j->axis[i].size;
        }
        a.size = a.size - done < j->part ? a.size - done : j->part;
        const char *x = (const char *)j->x->data + from * (int64_t)from_size;
        char *out = (char *)j->out->data + to * (int64_t)to_size;
        if (j->x->dtype == j->out->dtype)
            move(x, out, a, from_size);
        else
            convert(j, x, out, a);
    }
}

static bool is_float(const SlTensor *t)
{
    return t->dtype == SL_F32 || t->dtype == SL_F16 || t->dtype == SL_BF16;
}

void sl_cpu_copy(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    Job job = {.x = x, .out = out};
    int64_t count = sl_tensor_elements(x);
    if (count == 0)
        return;
    if (x->dtype != out->dtype && !(is_float(x) && is_float(out))) {
        sl_ref_copy(dev, x, out);
        return;
    }
    find_axes(&job);
    int64_t size = job.axis[job.inner].size;
    job.part = size < PIECE ? size : PIECE;
    job.parts = (size + job.part - 1) / job.part;
    sl_parallel_for(dev, count / size * job.parts, sl_cpu_grain(job.part), copy_parts, &job);
}
