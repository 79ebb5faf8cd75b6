/* tensor.c - views: sizes and strides, no data is touched here.
 *
 * A view that cannot be made (a slice that reaches outside, a reshape of something else than the
 * same elements in a row) has no data and no axes: the next operation refuses it by name.
 */
#include "kernels/devices.h"

#include <stdio.h>

size_t sl_dtype_size(SlDtype dtype)
{
    static const size_t sizes[] = {4, 2, 2, 4, 1};
    return sizes[dtype];
}

const char *sl_dtype_name(SlDtype dtype)
{
    static const char *const names[] = {"f32", "f16", "bf16", "i32", "u8"};
    return names[dtype];
}

int64_t sl_tensor_elements(const SlTensor *t)
{
    int64_t n = 1;
    for (int i = 0; i < t->rank; i++)
        n *= t->size[i];
    return n;
}

bool sl_tensor_contiguous(const SlTensor *t)
{
    int64_t expected = 1;
    for (int i = t->rank - 1; i >= 0; i--) {
        if (t->size[i] != 1 && t->stride[i] != expected)
            return false;
        expected *= t->size[i];
    }
    return true;
}

bool sl_same_shape(const SlTensor *a, const SlTensor *b)
{
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->size[i] != b->size[i])
            return false;
    return true;
}

SlTensor sl_tensor_view(void *data, SlDtype dtype, int rank, const int64_t *size)
{
    SlTensor t = {.data = data, .dtype = dtype, .rank = rank};
    int64_t stride = 1;
    for (int i = rank - 1; i >= 0; i--) {
        t.size[i] = size[i];
        t.stride[i] = stride;
        stride = (int64_t)((uint64_t)stride * (uint64_t)size[i]); /* who allocates, checks */
    }
    return t;
}

SlTensor sl_reshape(const SlTensor *t, int rank, const int64_t *size)
{
    SlTensor out = sl_tensor_view(t->data, t->dtype, rank, size);
    if (!sl_tensor_contiguous(t) || sl_tensor_elements(t) != sl_tensor_elements(&out))
        return (SlTensor){.dtype = t->dtype};
    return out;
}

SlTensor sl_permute(const SlTensor *t, const int *axes)
{
    SlTensor out = *t;
    for (int i = 0; i < t->rank; i++) {
        out.size[i] = t->size[axes[i]];
        out.stride[i] = t->stride[axes[i]];
    }
    return out;
}

SlTensor sl_slice(const SlTensor *t, int axis, int64_t first, int64_t count)
{
    if (axis < 0 || axis >= t->rank || first < 0 || count < 1 || first > t->size[axis] - count)
        return (SlTensor){.dtype = t->dtype};
    SlTensor out = *t;
    if (t->data)
        out.data = (char *)t->data + first * t->stride[axis] * (int64_t)sl_dtype_size(t->dtype);
    out.size[axis] = count;
    return out;
}

SlShapeText sl_shape_text(const SlTensor *t)
{
    SlShapeText s;
    size_t used = (size_t)snprintf(s.text, sizeof s.text, "[");
    for (int i = 0; i < t->rank && used < sizeof s.text; i++)
        used += (size_t)snprintf(s.text + used, sizeof s.text - used, "%s%lld", i ? ", " : "",
                                 (long long)t->size[i]);
    if (used < sizeof s.text)
        snprintf(s.text + used, sizeof s.text - used, "] %s", sl_dtype_name(t->dtype));
    return s;
}

/* ---- work ---- */

double sl_product_flops(const SlWeight *w, const SlTensor *out)
{
    double per_output = 2;
    for (int i = 1; i < w->rank; i++)
        per_output *= (double)w->size[i];
    return per_output * (double)sl_tensor_elements(out);
}

double sl_attention_flops(const SlTensor *q, const SlTensor *k)
{
    return 4 * (double)sl_tensor_elements(q) * (double)k->size[1];
}
