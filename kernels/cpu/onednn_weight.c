/* onednn_weight.c - weights in the layouts that oneDNN asks for.
 *
 * A weight is reordered while it is loaded, into the layout that a typical shape asks for, and not
 * held in any other. Another shape may ask for another layout: then it has both from there on.
 */
#if SL_HAVE_ONEDNN

#include "kernels/cpu/onednn.h"

#include <stdlib.h>
#include <string.h>

/* One layout of a weight. */
typedef struct Layout {
    SlMemoryDesc desc;
    dnnl_memory_t memory;
    void *data;
    struct Layout *next;
} Layout;

/* The weight as it stands in the file: [O, I, KH, KW], or [N, K] seen as the K x N matrix of the
 * product. */
static SlMemoryDesc plain_desc(const SlWeight *w, SlDtype dtype)
{
    dnnl_data_type_t type = sl_onednn_type(dtype);
    const dnnl_dims_t window = {w->size[0], w->size[1], w->size[2], w->size[3]};
    const dnnl_dims_t matrix = {w->size[1], w->size[0]};
    return w->kind == SL_WEIGHT_CONV ? sl_memory_desc_new(4, window, type, dnnl_oihw)
                                     : sl_memory_desc_new(2, matrix, type, dnnl_ba);
}

static void free_layout(SlDevice *dev, Layout *l)
{
    if (l->memory)
        dnnl_memory_destroy(l->memory);
    if (l->desc)
        sl_cpu_weight_free(dev, l->data, dnnl_memory_desc_get_size(l->desc));
    sl_memory_desc_free(l->desc);
    free(l);
}

static bool reorder(SlOneDnn *o, dnnl_memory_t from, dnnl_memory_t to)
{
    SlConstMemoryDesc from_desc, to_desc;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_primitive_t primitive = NULL;
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    bool ok = dnnl_memory_get_memory_desc(from, &from_desc) == dnnl_success &&
              dnnl_memory_get_memory_desc(to, &to_desc) == dnnl_success &&
              dnnl_reorder_primitive_desc_create(&pd, from_desc, o->engine, to_desc, o->engine,
                                                 NULL) == dnnl_success &&
              dnnl_primitive_create(&primitive, pd) == dnnl_success &&
              dnnl_primitive_execute(primitive, o->stream, 2, args) == dnnl_success &&
              dnnl_stream_wait(o->stream) == dnnl_success;
    if (primitive)
        dnnl_primitive_destroy(primitive);
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    return ok;
}

/* Makes a layout and fills it from other memory of the same weight. */
static Layout *add_layout(SlDevice *dev, SlWeight *w, SlConstMemoryDesc desc, dnnl_memory_t from)
{
    SlOneDnn *o = sl_onednn_of(dev);
    Layout *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->desc = sl_memory_desc_copy(desc);
    l->data = l->desc ? sl_cpu_weight_alloc(dev, dnnl_memory_desc_get_size(desc)) : NULL;
    if (!l->data || dnnl_memory_create(&l->memory, desc, o->engine, l->data) != dnnl_success ||
        !reorder(o, from, l->memory)) {
        free_layout(dev, l);
        return NULL;
    }
    l->next = w->prepared;
    w->prepared = l;
    return l;
}

dnnl_memory_t sl_onednn_weight(SlDevice *dev, const SlWeight *weight, SlConstMemoryDesc desc)
{
    SlWeight *w = (SlWeight *)weight; /* its cache of layouts is the device's own */
    Layout *first = w->prepared;
    for (Layout *l = first; l; l = l->next)
        if (dnnl_memory_desc_equal(l->desc, desc))
            return l->memory;
    Layout *l = first ? add_layout(dev, w, desc, first->memory) : NULL;
    return l ? l->memory : NULL;
}

/* A typical shape: the layout that it asks for is likely to fit all others. */
static SlOneDnnKey typical_key(const SlDevice *dev, const SlWeight *w)
{
    SlOneDnnKey key;
    memset(&key, 0, sizeof key);
    key.x_type = key.out_type = dev->dtype;
    key.bias = 1;
    key.channels = w->size[1];
    key.out_channels = w->size[0];
    key.n = SL_ONEDNN_CUT ? 128 : 512;
    if (w->kind != SL_WEIGHT_CONV)
        return key;
    key.conv = key.stride = 1;
    key.n = SL_ONEDNN_CUT ? 1 : 2;
    key.kh = w->size[2];
    key.kw = w->size[3];
    key.out_h = key.out_w = 32;
    key.h = 32 + key.kh - 1;
    key.w = 32 + key.kw - 1; /* without padding */
    return key;
}

/* The host's tensor in the device's dtype; scratch is malloc'ed where that took a copy. */
static const void *converted(const SlTensor *host, SlDtype dtype, void **scratch)
{
    size_t n = (size_t)sl_tensor_elements(host);
    if (host->dtype == dtype)
        return host->data;
    *scratch = malloc(n * sl_dtype_size(dtype));
    if (*scratch)
        sl_convert(host->data, host->dtype, *scratch, dtype, n);
    return *scratch;
}

bool sl_onednn_weight_init(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    SlOneDnn *o = sl_onednn_of(dev);
    SlOneDnnKey key = typical_key(dev, w);
    sl_onednn_use_threads(SL_ONEDNN_CUT ? 1 : dev->threads);
    SlPrimitive *p = sl_onednn_primitive(o, &key);
    SlMemoryDesc desc = plain_desc(w, dev->dtype);
    dnnl_memory_t plain = NULL;
    void *scratch = NULL;
    sl_onednn_use_threads(dev->threads);
    const void *data = converted(host, dev->dtype, &scratch);
    bool ok = data && desc &&
              dnnl_memory_create(&plain, desc, o->engine, (void *)data) == dnnl_success &&
              add_layout(dev, w, p ? p->weights : desc, plain);
    if (plain)
        dnnl_memory_destroy(plain);
    sl_memory_desc_free(desc);
    free(scratch);
    return ok;
}

void sl_onednn_weight_clear(SlDevice *dev, SlWeight *w)
{
    for (Layout *l = w->prepared; l;) {
        Layout *next = l->next;
        free_layout(dev, l);
        l = next;
    }
    w->prepared = NULL;
}

#endif
