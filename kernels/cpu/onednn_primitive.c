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

typedef struct Descs {
    dnnl_memory_desc_t x, weights, bias, out;
} Descs;

static bool conv_desc(const SlOneDnnKey *k, Descs *d, dnnl_primitive_desc_t *pd,
                      const_dnnl_primitive_attr_t attr, dnnl_engine_t engine)
{
    dnnl_dims_t x = {k->n, k->channels, k->h, k->w},
                out = {k->n, k->out_channels, k->out_h, k->out_w};
    dnnl_dims_t w = {k->out_channels, k->channels, k->kh, k->kw}, b = {k->out_channels};
    dnnl_dims_t strides = {k->stride, k->stride};
    dnnl_dims_t before = {k->pad_top, k->pad_left}, after = {k->pad_bottom, k->pad_right};
    dnnl_convolution_desc_t desc;
    return dnnl_memory_desc_init_by_tag(&d->x, 4, x, sl_onednn_type(k->x_type), dnnl_nhwc) ==
               dnnl_success &&
           dnnl_memory_desc_init_by_tag(&d->weights, 4, w, sl_onednn_type(k->x_type),
                                        dnnl_format_tag_any) == dnnl_success &&
           dnnl_memory_desc_init_by_tag(&d->bias, 1, b, dnnl_f32, dnnl_x) == dnnl_success &&
           dnnl_memory_desc_init_by_tag(&d->out, 4, out, sl_onednn_type(k->out_type), dnnl_nhwc) ==
               dnnl_success &&
           dnnl_convolution_forward_desc_init(
               &desc, dnnl_forward_inference, dnnl_convolution_direct, &d->x, &d->weights,
               k->bias ? &d->bias : NULL, &d->out, strides, before, after) == dnnl_success &&
           dnnl_primitive_desc_create(pd, &desc, attr, engine, NULL) == dnnl_success;
}

static bool matmul_desc(const SlOneDnnKey *k, Descs *d, dnnl_primitive_desc_t *pd,
                        const_dnnl_primitive_attr_t attr, dnnl_engine_t engine)
{
    dnnl_dims_t x = {k->n, k->channels}, w = {k->channels, k->out_channels};
    dnnl_dims_t b = {1, k->out_channels}, out = {k->n, k->out_channels};
    dnnl_matmul_desc_t desc;
    return dnnl_memory_desc_init_by_tag(&d->x, 2, x, sl_onednn_type(k->x_type), dnnl_ab) ==
               dnnl_success &&
           dnnl_memory_desc_init_by_tag(&d->weights, 2, w, sl_onednn_type(k->x_type),
                                        dnnl_format_tag_any) == dnnl_success &&
           dnnl_memory_desc_init_by_tag(&d->bias, 2, b, dnnl_f32, dnnl_ab) == dnnl_success &&
           dnnl_memory_desc_init_by_tag(&d->out, 2, out, sl_onednn_type(k->out_type), dnnl_ab) ==
               dnnl_success &&
           dnnl_matmul_desc_init(&desc, &d->x, &d->weights, k->bias ? &d->bias : NULL, &d->out) ==
               dnnl_success &&
           dnnl_primitive_desc_create(pd, &desc, attr, engine, NULL) == dnnl_success;
}

static bool make_memories(SlPrimitive *p, Descs *d, const_dnnl_primitive_desc_t pd,
                          dnnl_engine_t engine)
{
    const dnnl_memory_desc_t *scratch =
        dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    p->weights = *dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    p->scratch_bytes = dnnl_memory_desc_get_size(scratch);
    return dnnl_memory_create(&p->x, &d->x, engine, DNNL_MEMORY_NONE) == dnnl_success &&
           dnnl_memory_create(&p->bias, &d->bias, engine, DNNL_MEMORY_NONE) == dnnl_success &&
           dnnl_memory_create(&p->out, &d->out, engine, DNNL_MEMORY_NONE) == dnnl_success &&
           dnnl_memory_create(&p->residual, &d->out, engine, DNNL_MEMORY_NONE) == dnnl_success &&
           dnnl_memory_create(&p->scratch, scratch, engine, DNNL_MEMORY_NONE) == dnnl_success;
}

/* What is added to the product. */
static bool add_post_ops(dnnl_primitive_attr_t attr, const SlOneDnnKey *k)
{
    dnnl_post_ops_t ops = NULL;
    dnnl_memory_desc_t out;
    dnnl_dims_t conv = {k->n, k->out_channels, k->out_h, k->out_w},
                matrix = {k->n, k->out_channels};
    if (!k->residual)
        return true;
    bool ok = dnnl_post_ops_create(&ops) == dnnl_success;
    if (k->residual == 1)
        ok = ok && dnnl_post_ops_append_sum(ops, 1) == dnnl_success;
    else
        ok = ok &&
             dnnl_memory_desc_init_by_tag(&out, k->conv ? 4 : 2, k->conv ? conv : matrix,
                                          sl_onednn_type(k->out_type),
                                          k->conv ? dnnl_nhwc : dnnl_ab) == dnnl_success &&
             dnnl_post_ops_append_binary(ops, dnnl_binary_add, &out) == dnnl_success;
    ok = ok && dnnl_primitive_attr_set_post_ops(attr, ops) == dnnl_success;
    if (ops)
        dnnl_post_ops_destroy(ops);
    return ok;
}

static SlPrimitive *make_primitive(SlOneDnn *o, const SlOneDnnKey *key)
{
    Descs descs;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t pd = NULL;
    SlPrimitive *p = calloc(1, sizeof *p);
    bool ok =
        p && dnnl_primitive_attr_create(&attr) == dnnl_success &&
        dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user) == dnnl_success &&
        add_post_ops(attr, key);
    if (ok) {
        p->key = *key;
        ok = key->conv ? conv_desc(key, &descs, &pd, attr, o->engine)
                       : matmul_desc(key, &descs, &pd, attr, o->engine);
    }
    ok = ok && make_memories(p, &descs, pd, o->engine) &&
         dnnl_primitive_create(&p->primitive, pd) == dnnl_success;
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    if (!ok && p) {
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
