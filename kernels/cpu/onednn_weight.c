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

/* What is held while a layout is filled. */
typedef struct Reorder {
    SlOneDnn *o;
    SlConstMemoryDesc desc; /* of to, which is made at data where it is not there */
    void *data;
    dnnl_memory_t from, to;
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t primitive;
} Reorder;

static bool run_reorder(void *arg)
{
    Reorder *r = arg;
    SlOneDnn *o = r->o;
    SlConstMemoryDesc from, to;
    if (!r->to && !sl_onednn_ok(o, dnnl_memory_create(&r->to, r->desc, o->engine, r->data)))
        return false;
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, r->from}, {DNNL_ARG_TO, r->to}};
    return dnnl_memory_get_memory_desc(r->from, &from) == dnnl_success &&
           dnnl_memory_get_memory_desc(r->to, &to) == dnnl_success &&
           sl_onednn_ok(o, dnnl_reorder_primitive_desc_create(&r->pd, from, o->engine, to,
                                                              o->engine, NULL)) &&
           sl_onednn_ok(o, dnnl_primitive_create(&r->primitive, r->pd)) &&
           sl_onednn_ok(o, dnnl_primitive_execute(r->primitive, o->stream, 2, args)) &&
           sl_onednn_ok(o, dnnl_stream_wait(o->stream));
}

/* Fills the layout's memory, which it makes where it is not there, from other memory of the same
 * weight. */
static bool reorder(SlOneDnn *o, dnnl_memory_t from, Layout *l)
{
    Reorder r = {.o = o, .desc = l->desc, .data = l->data, .from = from, .to = l->memory};
    bool ok = sl_onednn_call(o, SL_ONEDNN_MAKE, run_reorder, &r);
    l->memory = r.to;
    if (r.primitive)
        dnnl_primitive_destroy(r.primitive);
    if (r.pd)
        dnnl_primitive_desc_destroy(r.pd);
    return ok;
}

/* Makes a layout and fills it from other memory of the same weight. */
static Layout *add_layout(SlDevice *dev, SlWeight *w, SlConstMemoryDesc desc, dnnl_memory_t from)
{
    SlOneDnn *o = sl_onednn_of(dev);
    Layout *l = calloc(1, sizeof *l);
    if (!l) {
        atomic_store(&o->no_memory, true);
        return NULL;
    }
    l->desc = sl_memory_desc_copy(desc);
    l->data = l->desc ? sl_cpu_weight_alloc(dev, dnnl_memory_desc_get_size(desc)) : NULL;
    if (!l->data)
        atomic_store(&o->no_memory, true);
    if (!l->data || !reorder(o, from, l)) {
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

/* A weight as it stands in the file. */
typedef struct Plain {
    SlDevice *dev;
    const SlWeight *w;
    void *data;
    SlMemoryDesc desc;
    dnnl_memory_t memory;
} Plain;

static bool make_plain(void *arg)
{
    Plain *p = arg;
    SlOneDnn *o = sl_onednn_of(p->dev);
    p->desc = plain_desc(p->w, p->dev->dtype);
    return p->desc && sl_onednn_ok(o, dnnl_memory_create(&p->memory, p->desc, o->engine, p->data));
}

/* Lets `use` have the host's tensor as memory of oneDNN. */
static bool with_plain(SlDevice *dev, SlWeight *w, const SlTensor *host,
                       bool (*use)(SlDevice *, SlWeight *, const Plain *))
{
    SlOneDnn *o = sl_onednn_of(dev);
    void *scratch = NULL;
    Plain plain = {.dev = dev, .w = w, .data = (void *)converted(host, dev->dtype, &scratch)};
    bool ok =
        plain.data && sl_onednn_call(o, SL_ONEDNN_MAKE, make_plain, &plain) && use(dev, w, &plain);
    if (plain.memory)
        dnnl_memory_destroy(plain.memory);
    sl_memory_desc_free(plain.desc);
    free(scratch);
    return ok;
}

static bool add_typical_layout(SlDevice *dev, SlWeight *w, const Plain *plain)
{
    SlOneDnn *o = sl_onednn_of(dev);
    SlOneDnnKey key = typical_key(dev, w);
    sl_onednn_use_threads(SL_ONEDNN_CUT ? 1 : dev->threads);
    SlPrimitive *p = sl_onednn_primitive(o, &key);
    sl_onednn_use_threads(dev->threads);
    return (p || !atomic_load(&o->no_memory)) &&
           add_layout(dev, w, p ? p->weights : plain->desc, plain->memory);
}

bool sl_onednn_weight_init(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    atomic_store(&sl_onednn_of(dev)->no_memory, false);
    return with_plain(dev, w, host, add_typical_layout);
}

/* The one that it was made in. Layouts that other shapes asked for go: they are made again when they are
 * asked for again. */
static Layout *first_layout(SlDevice *dev, SlWeight *w)
{
    Layout *first = w->prepared;
    while (first && first->next) {
        w->prepared = first->next;
        free_layout(dev, first);
        first = w->prepared;
    }
    return first;
}

static bool fill_first_layout(SlDevice *dev, SlWeight *w, const Plain *plain)
{
    Layout *first = first_layout(dev, w);
    return first && reorder(sl_onednn_of(dev), plain->memory, first);
}

bool sl_onednn_weight_fill(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    atomic_store(&sl_onednn_of(dev)->no_memory, false);
    return with_plain(dev, w, host, fill_first_layout);
}

bool sl_onednn_weight_copy(SlDevice *dev, SlWeight *to, const SlWeight *from)
{
    SlOneDnn *o = sl_onednn_of(dev);
    const Layout *source = from->prepared;
    Layout *first = first_layout(dev, to);
    while (source->next)
        source = source->next;
    atomic_store(&o->no_memory, false);
    return first ? reorder(o, source->memory, first)
                 : add_layout(dev, to, source->desc, source->memory) != NULL;
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
