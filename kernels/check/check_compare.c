/* check_compare.c - copies a tensor of the device under test to ref, and compares two. Easy to
 * get wrong: the memory between the rows of a view is copied and compared too, since an
 * operation must not change it. */
#include "kernels/check/check_private.h"
#include "kernels/devices.h"

#include <math.h>
#include <stdlib.h>

/* The whole range of memory that a view touches, in elements. */
static int64_t extent(const SlTensor *t)
{
    int64_t last = 0;
    for (int i = 0; i < t->rank; i++)
        last += (t->size[i] - 1) * t->stride[i];
    return last + 1;
}

SlTensor sl_check_mirror(Check *c, const SlTensor *t)
{
    SlTensor copy = *t;
    size_t bytes = (size_t)extent(t) * sl_dtype_size(t->dtype);
    copy.data = malloc(bytes ? bytes : 1);
    if (copy.data)
        c->tested->ops->download(c->tested, t->data, copy.data, bytes);
    else
        sl_device_fail(&c->base, SL_MEMORY, "check: no memory to compare an operation");
    return copy;
}

typedef struct Difference {
    double nmse, worst, tested, ref;
    int64_t at;
} Difference;

static double element(const SlTensor *t, int64_t i)
{
    switch (t->dtype) {
    case SL_F32:
        return ((const float *)t->data)[i];
    case SL_F16:
        return sl_f16_to_f32(((const uint16_t *)t->data)[i]);
    case SL_BF16:
        return sl_bf16_to_f32(((const uint16_t *)t->data)[i]);
    case SL_I32:
        return ((const int32_t *)t->data)[i];
    case SL_U8:
        return ((const uint8_t *)t->data)[i];
    }
    return 0;
}

/* Over the whole extent: what lies between the rows of a view must not change either. */
static Difference compare(const SlTensor *tested, const SlTensor *ref)
{
    Difference d = {.at = -1};
    double error = 0, norm = 0;
    int64_t n = extent(ref);
    for (int64_t i = 0; i < n; i++) {
        double a = element(tested, i), b = element(ref, i), e = fabs(a - b);
        if (isnan(a) != isnan(b))
            e = INFINITY;
        else if (isnan(a) || a == b)
            e = 0;
        if (e > d.worst) {
            d.worst = e;
            d.at = i;
            d.tested = a;
            d.ref = b;
        }
        error += e * e;
        norm += isnan(b) ? 0 : b * b;
    }
    d.nmse = error == 0 ? 0 : norm > 0 ? error / norm : INFINITY;
    return d;
}

/* How far two results may differ: half of the last bit for each rounding, and some room for sums
 * that are taken in another order. */
static bool within(const Difference *d, SlDtype dtype)
{
    static const double limits[] = {1e-9, 2e-6, 1e-4, 0, 0};
    if (dtype == SL_U8)
        return d->worst <= 1;
    return d->nmse <= limits[dtype];
}

void sl_check_judge(Check *c, const char *op, const SlTensor *x, const SlTensor *tested,
                    const SlTensor *ref)
{
    if (!ref->data || !tested->data)
        return;
    Difference d = compare(tested, ref);
    c->index++;
    if (within(&d, ref->dtype))
        return;
    sl_device_fail(&c->base, SL_MISMATCH,
                   "check: operation %llu, %s%s%s from %s to %s, differs on %s: element %lld is "
                   "%.9g, ref has %.9g (normalised squared error %.3g)",
                   (unsigned long long)c->index, c->base.scope ? c->base.scope : "",
                   c->base.scope ? " " : "", op, sl_shape_text(x).text, sl_shape_text(ref).text,
                   c->tested->name, (long long)d.at, d.tested, d.ref, d.nmse);
}

bool sl_check_healthy(Check *c)
{
    SlDevice *devices[] = {c->tested, c->ref};
    for (int i = 0; i < 2; i++) {
        if (devices[i]->status == SL_OK)
            continue;
        sl_device_fail(&c->base, devices[i]->status, "%s", devices[i]->message);
        sl_device_clear(devices[i]);
    }
    return c->base.status == SL_OK;
}
