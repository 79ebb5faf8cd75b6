/* onednn_3.c - oneDNN 3: descriptors are handles, and a primitive's descriptor is made in one
 * call. */
#include "kernels/cpu/onednn_generation.h"

SlMemoryDesc sl_memory_desc_new(int axes, const dnnl_dims_t sizes, dnnl_data_type_t type,
                                dnnl_format_tag_t tag)
{
    SlMemoryDesc desc = NULL;
    return dnnl_memory_desc_create_with_tag(&desc, axes, sizes, type, tag) == dnnl_success ? desc
                                                                                           : NULL;
}

SlMemoryDesc sl_memory_desc_copy(SlConstMemoryDesc desc)
{
    SlMemoryDesc copy = NULL;
    return dnnl_memory_desc_clone(&copy, desc) == dnnl_success ? copy : NULL;
}

void sl_memory_desc_free(SlMemoryDesc desc)
{
    if (desc)
        dnnl_memory_desc_destroy(desc);
}

bool sl_convolution_desc(dnnl_primitive_desc_t *desc, dnnl_engine_t engine, const SlProductDescs *d,
                         const SlWindowDesc *window, const_dnnl_primitive_attr_t attr)
{
    static const dnnl_dims_t no_dilation;
    return dnnl_convolution_forward_primitive_desc_create(
               desc, engine, dnnl_forward_inference, dnnl_convolution_direct, d->x, d->weights,
               d->bias, d->out, window->strides, no_dilation, window->before, window->after,
               attr) == dnnl_success;
}

bool sl_matmul_desc(dnnl_primitive_desc_t *desc, dnnl_engine_t engine, const SlProductDescs *d,
                    const_dnnl_primitive_attr_t attr)
{
    return dnnl_matmul_primitive_desc_create(desc, engine, d->x, d->weights, d->bias, d->out,
                                             attr) == dnnl_success;
}

bool sl_append_sum(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_sum(ops, 1, 0, dnnl_data_type_undef) == dnnl_success;
}
