/* onednn_primitive.c - oneDNN's primitives for linear and convolution, cached by shape.
 *
 * Activations are plain NHWC: measured as fast as oneDNN's own layouts. Easy to get wrong: a matrix
 * product with few rows may ask for another weight layout than one with many.
 */
#if SL_HAVE_ONEDNN

#include "kernels/cpu/onednn.h"

#include <stdlib.h>
#include <string.h>

static void free_primitive(SlPrimitive *p)
{
    dnnl_memory_t memories[] = {p->x, p->bias, p->out, p->scratch, p->residual};
    for (int i = 0; i < 5; i++)
        if (memories[i])
            dnnl_memory_destroy(memories[i]);
    if (p->primitive)
        dnnl_primitive_destroy(p->primitive);
    sl_memory_desc_free(p->weights);
    free(p);
}

void sl_onednn_free_primitives(SlOneDnn *o)
{
    for (int i = 0; i < SL_ONEDNN_BUCKETS; i++)
        while (o->buckets[i]) {
            SlPrimitive *next = o->buckets[i]->next;
            free_primitive(o->buckets[i]);
            o->buckets[i] = next;
        }
}

/* False if one could not be made. The caller frees all four, also then. */
static bool conv_descs(const SlOneDnnKey *k, SlProductDescs *d)
{
    dnnl_data_type_t type = sl_onednn_type(k->x_type);
    dnnl_dims_t x = {k->n, k->channels, k->h, k->w},
                out = {k->n, k->out_channels, k->out_h, k->out_w};
    dnnl_dims_t w = {k->out_channels, k->channels, k->kh, k->kw}, b = {k->out_channels};
    d->x = sl_memory_desc_new(4, x, type, dnnl_nhwc);
    d->weights = sl_memory_desc_new(4, w, type, dnnl_format_tag_any);
    d->bias = k->bias ? sl_memory_desc_new(1, b, dnnl_f32, dnnl_x) : NULL;
    d->out = sl_memory_desc_new(4, out, sl_onednn_type(k->out_type), dnnl_nhwc);
    return d->x && d->weights && (d->bias || !k->bias) && d->out;
}

static bool matmul_descs(const SlOneDnnKey *k, SlProductDescs *d)
{
    dnnl_data_type_t type = sl_onednn_type(k->x_type);
    dnnl_dims_t x = {k->n, k->channels}, w = {k->channels, k->out_channels};
    dnnl_dims_t b = {1, k->out_channels}, out = {k->n, k->out_channels};
    d->x = sl_memory_desc_new(2, x, type, dnnl_ab);
    d->weights = sl_memory_desc_new(2, w, type, dnnl_format_tag_any);
    d->bias = k->bias ? sl_memory_desc_new(2, b, dnnl_f32, dnnl_ab) : NULL;
    d->out = sl_memory_desc_new(2, out, sl_onednn_type(k->out_type), dnnl_ab);
    return d->x && d->weights && (d->bias || !k->bias) && d->out;
}

static bool primitive_desc(const SlOneDnnKey *k, const SlProductDescs *d,
                           const_dnnl_primitive_attr_t attr, dnnl_engine_t engine,
                           dnnl_primitive_desc_t *desc)
{
    const SlWindowDesc window = {.strides = {k->stride, k->stride},
                                 .before = {k->pad_top, k->pad_left},
                                 .after = {k->pad_bottom, k->pad_right}};
    return k->conv ? sl_convolution_desc(desc, engine, d, &window, attr)
                   : sl_matmul_desc(desc, engine, d, attr);
}

/* A descriptor of sizes that are right is not made only where memory ran out. */
static bool is_made(SlOneDnn *o, bool made)
{
    if (!made)
        atomic_store(&o->no_memory, true);
    return made;
}

static bool memory(dnnl_memory_t *memory, SlConstMemoryDesc desc, SlOneDnn *o)
{
    return sl_onednn_ok(o, dnnl_memory_create(memory, desc, o->engine, DNNL_MEMORY_NONE));
}

static bool make_memories(SlPrimitive *p, const SlProductDescs *d, const_dnnl_primitive_desc_t desc,
                          SlOneDnn *o)
{
    SlConstMemoryDesc scratch = dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0);
    p->weights = sl_memory_desc_copy(dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0));
    p->scratch_bytes = dnnl_memory_desc_get_size(scratch);
    return is_made(o, p->weights != NULL) && memory(&p->x, d->x, o) &&
           (!d->bias || memory(&p->bias, d->bias, o)) && memory(&p->out, d->out, o) &&
           memory(&p->residual, d->out, o) && memory(&p->scratch, scratch, o);
}

/* What is added to the product. */
static bool add_post_ops(dnnl_primitive_attr_t attr, const SlOneDnnKey *k, SlConstMemoryDesc out)
{
    dnnl_post_ops_t ops = NULL;
    if (!k->residual)
        return true;
    bool ok = dnnl_post_ops_create(&ops) == dnnl_success &&
              (k->residual == 1
                   ? sl_append_sum(ops)
                   : dnnl_post_ops_append_binary(ops, dnnl_binary_add, out) == dnnl_success) &&
              dnnl_primitive_attr_set_post_ops(attr, ops) == dnnl_success;
    if (ops)
        dnnl_post_ops_destroy(ops);
    return ok;
}

/* What is held while a primitive is made. */
typedef struct Making {
    SlPrimitive *p;
    SlOneDnn *o;
    SlProductDescs descs;
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t desc;
} Making;

static bool fill_primitive(void *arg)
{
    Making *m = arg;
    SlOneDnn *o = m->o;
    const SlOneDnnKey *key = &m->p->key;
    SlProductDescs *d = &m->descs;
    return is_made(o, key->conv ? conv_descs(key, d) : matmul_descs(key, d)) &&
           sl_onednn_ok(o, dnnl_primitive_attr_create(&m->attr)) &&
           sl_onednn_ok(
               o, dnnl_primitive_attr_set_scratchpad_mode(m->attr, dnnl_scratchpad_mode_user)) &&
           is_made(o, add_post_ops(m->attr, key, d->out)) &&
           primitive_desc(key, d, m->attr, o->engine, &m->desc) &&
           make_memories(m->p, d, m->desc, o) &&
           sl_onednn_ok(o, dnnl_primitive_create(&m->p->primitive, m->desc));
}

static SlPrimitive *make_primitive(SlOneDnn *o, const SlOneDnnKey *key)
{
    Making m = {.p = calloc(1, sizeof *m.p), .o = o};
    SlPrimitive *p = m.p;
    if (!p) {
        atomic_store(&o->no_memory, true);
        return NULL;
    }
    p->key = *key;
    bool ok = sl_onednn_call(o, SL_ONEDNN_MAKE, fill_primitive, &m);
    if (m.desc)
        dnnl_primitive_desc_destroy(m.desc);
    if (m.attr)
        dnnl_primitive_attr_destroy(m.attr);
    SlMemoryDesc made[] = {m.descs.x, m.descs.weights, m.descs.bias, m.descs.out};
    for (int i = 0; i < 4; i++)
        sl_memory_desc_free(made[i]);
    if (!ok) {
        free_primitive(p);
        p = NULL;
    }
    return p;
}

SlPrimitive *sl_onednn_primitive(SlOneDnn *o, const SlOneDnnKey *key)
{
    uint64_t hash = 1469598103934665603u;
    const unsigned char *bytes = (const unsigned char *)key;
    for (size_t i = 0; i < sizeof *key; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    SlPrimitive **bucket = &o->buckets[hash % SL_ONEDNN_BUCKETS];
    for (SlPrimitive *p = *bucket; p; p = p->next)
        if (!memcmp(&p->key, key, sizeof *key))
            return p;
    SlPrimitive *p = make_primitive(o, key);
    if (p) {
        p->next = *bucket;
        *bucket = p;
    }
    return p;
}

#endif
