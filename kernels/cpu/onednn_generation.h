/* onednn_generation.h - what differs between the C interfaces of oneDNN 2 and oneDNN 3.
 *
 * Private to kernels/cpu. onednn_2.c and onednn_3.c each implement all of it; the build compiles
 * the one that fits the installed library. Everything else is the same call in both once a memory
 * descriptor is held by a pointer: oneDNN 2 fills a public structure, oneDNN 3 returns a handle.
 */
#ifndef SL_KERNELS_ONEDNN_GENERATION_H
#define SL_KERNELS_ONEDNN_GENERATION_H

#include <stdbool.h>
#include <stddef.h>

#include <dnnl.h>

/* oneDNN 3 divides a sum among the threads there are, so its bytes depend on their number. There a
 * product is cut by its shape alone, and each part is computed by one thread. */
#define SL_ONEDNN_CUT (DNNL_VERSION_MAJOR >= 3)

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t SlMemoryDesc;
typedef const_dnnl_memory_desc_t SlConstMemoryDesc;
#else
typedef dnnl_memory_desc_t *SlMemoryDesc;
typedef const dnnl_memory_desc_t *SlConstMemoryDesc;
#endif

/* A descriptor of `axes` sizes in the order that `tag` says; freed with sl_memory_desc_free. NULL
 * on failure. */
SlMemoryDesc sl_memory_desc_new(int axes, const dnnl_dims_t sizes, dnnl_data_type_t type,
                                dnnl_format_tag_t tag);
SlMemoryDesc sl_memory_desc_copy(SlConstMemoryDesc desc);
void sl_memory_desc_free(SlMemoryDesc desc); /* NULL is fine */

/* What a product reads and writes; bias may be NULL. */
typedef struct SlProductDescs {
    SlMemoryDesc x, weights, bias, out;
} SlProductDescs;

/* The window of a convolution: pixels per axis, down and across. */
typedef struct SlWindowDesc {
    dnnl_dims_t strides, before, after;
} SlWindowDesc;

/* Descriptors of primitives: false where the library has none for these shapes and types. */
bool sl_convolution_desc(dnnl_primitive_desc_t *desc, dnnl_engine_t engine, const SlProductDescs *d,
                         const SlWindowDesc *window, const_dnnl_primitive_attr_t attr);
bool sl_matmul_desc(dnnl_primitive_desc_t *desc, dnnl_engine_t engine, const SlProductDescs *d,
                    const_dnnl_primitive_attr_t attr);

/* Adds the product to what is in the output. */
bool sl_append_sum(dnnl_post_ops_t ops);

#endif
