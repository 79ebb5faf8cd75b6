/* onednn_2.c - oneDNN 2: descriptors are public structures, and a primitive starts from an
 * operation descriptor. */
#include "kernels/cpu/onednn_generation.h"

#include <stdlib.h>

SlMemoryDesc sl_memory_desc_new(int axes, const dnnl_dims_t sizes, dnnl_data_type_t type,
                                dnnl_format_tag_t tag)
{
    SlMemoryDesc desc = malloc(sizeof *desc);
    if (desc && dnnl_memory_desc_init_by_tag(desc, axes, sizes, type, tag) != dnnl_success) {
        free(desc);
        desc = NULL;
    }
    return desc;
}

SlMemoryDesc sl_memory_desc_copy(SlConstMemoryDesc desc)
{
    SlMemoryDesc copy = malloc(sizeof *copy);
    if (copy)
        *copy = *desc;
    return copy;
}

void sl_memory_desc_free(SlMemoryDesc desc)
{
    free(desc);
}

bool sl_convolution_desc(dnnl_primitive_desc_t *desc, dnnl_engine_t engine, const SlProductDescs *d,
                         const SlWindowDesc *window, const_dnnl_primitive_attr_t attr)
{
    dnnl_convolution_desc_t operation;
    return dnnl_convolution_forward_desc_init(
               &operation, dnnl_forward_inference, dnnl_convolution_direct, d->x, d->weights,
               d->bias, d->out, window->strides, window->before, window->after) == dnnl_success &&
           dnnl_primitive_desc_create(desc, &operation, attr, engine, NULL) == dnnl_success;
}

bool sl_matmul_desc(dnnl_primitive_desc_t *desc, dnnl_engine_t engine, const SlProductDescs *d,
                    const_dnnl_primitive_attr_t attr)
{
    dnnl_matmul_desc_t operation;
    return dnnl_matmul_desc_init(&operation, d->x, d->weights, d->bias, d->out) == dnnl_success &&
           dnnl_primitive_desc_create(desc, &operation, attr, engine, NULL) == dnnl_success;
}

bool sl_append_sum(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_sum(ops, 1) == dnnl_success;
}
