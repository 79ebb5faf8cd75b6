/* onednn.c - linear and convolution through oneDNN (Debian's 2.6): primitives cached by shape,
 * weights reordered once into the layout that the first shape asks for, scratch memory from the
 * arena, so that a repeated step allocates nothing.
 *
 * Activations stay plain NHWC: measured as fast as oneDNN's own layouts here. Easy to get wrong: a
 * matrix product with few rows may ask for another weight layout than one with many; a weight then
 * holds both. A primitive's scratch memory is sized for the threads there are when it is made, so
 * their number is set before that, from the shape alone.
 */
#include "kernels/cpu/cpu.h"

#if SL_HAVE_ONEDNN

#include <dnnl.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#define BUCKETS 256
/* What a Winograd convolution may take for a while: scratch, and its input and output in oneDNN's
 * layout. */
#define WINOGRAD_MEMORY ((size_t)384 << 20)
/* Input times output channels: it holds its weights four times as large. */
#define WINOGRAD_WEIGHTS (960 * 320)
/* It is cut for this many threads when it is made, on any machine: how it is cut shows in the last
 * bits. */
#define WINOGRAD_THREADS 16

/* What decides a primitive. All int64_t, so that keys compare as bytes. */
typedef struct Key {
    int64_t conv, winograd, x_type, w_type, out_type, bias;
    int64_t n, h, w, channels, out_h, out_w, out_channels, kh, kw, stride, pad_top, pad_left,
        pad_bottom, pad_right;
} Key;

/* A change of layout at one end of a primitive. */
typedef struct Border {
    dnnl_primitive_t reorder;
    dnnl_memory_t inside;
    size_t bytes;
} Border;

typedef struct Primitive {
    Key key;
    dnnl_primitive_t primitive;
    dnnl_memory_t x, bias, out, scratch; /* handles are set per call */
    dnnl_memory_desc_t weights;          /* the layout it wants */
    size_t scratch_bytes;
    Border before, after; /* only of Winograd: to its layout of activations and back */
    struct Primitive *next;
} Primitive;

struct SlOneDnn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    Primitive *buckets[BUCKETS];
};

/* One layout of a weight. */
typedef struct Layout {
    dnnl_memory_desc_t desc;
    dnnl_memory_t memory;
    void *data;
    struct Layout *next;
} Layout;

static SlOneDnn *onednn_of(SlDevice *dev)
{
    return ((SlCpuDevice *)dev)->onednn;
}

SlOneDnn *sl_onednn_open(SlError *err)
{
    SlOneDnn *o = calloc(1, sizeof *o);
    if (o && dnnl_engine_create(&o->engine, dnnl_cpu, 0) == dnnl_success &&
        dnnl_stream_create(&o->stream, o->engine, dnnl_stream_default_flags) == dnnl_success)
        return o;
    sl_onednn_close(o);
    sl_fail(err, SL_MEMORY, "oneDNN cannot be started");
    return NULL;
}

static void free_primitive(Primitive *p)
{
    dnnl_memory_t memories[] = {p->x,       p->bias,          p->out,
                                p->scratch, p->before.inside, p->after.inside};
    dnnl_primitive_t primitives[] = {p->primitive, p->before.reorder, p->after.reorder};
    for (int i = 0; i < 6; i++)
        if (memories[i])
            dnnl_memory_destroy(memories[i]);
    for (int i = 0; i < 3; i++)
        if (primitives[i])
            dnnl_primitive_destroy(primitives[i]);
    free(p);
}

void sl_onednn_close(SlOneDnn *o)
{
    if (!o)
        return;
    for (int i = 0; i < BUCKETS; i++)
        while (o->buckets[i]) {
            Primitive *next = o->buckets[i]->next;
            free_primitive(o->buckets[i]);
            o->buckets[i] = next;
        }
    if (o->stream)
        dnnl_stream_destroy(o->stream);
    if (o->engine)
        dnnl_engine_destroy(o->engine);
    free(o);
}

static dnnl_data_type_t type_of(int64_t dtype)
{
    return dtype == SL_BF16 ? dnnl_bf16 : dnnl_f32;
}

/* ---- primitives ---- */

typedef struct Descs {
    dnnl_memory_desc_t x, weights, bias, out;
} Descs;

static bool conv_desc(const Key *k, Descs *d, dnnl_primitive_desc_t *pd,
                      const_dnnl_primitive_attr_t attr, dnnl_engine_t engine)
{
    dnnl_alg_kind_t algorithm = k->winograd ? dnnl_convolution_winograd : dnnl_convolution_direct;
    dnnl_format_tag_t layout = k->winograd ? dnnl_nChw16c : dnnl_nhwc;
    dnnl_dims_t x = {k->n, k->channels, k->h, k->w},
                out = {k->n, k->out_channels, k->out_h, k->out_w};
    dnnl_dims_t w = {k->out_channels, k->channels, k->kh, k->kw}, b = {k->out_channels};
    dnnl_dims_t strides = {k->stride, k->stride};
    dnnl_dims_t before = {k->pad_top, k->pad_left}, after = {k->pad_bottom, k->pad_right};
    dnnl_convolution_desc_t desc;
    return dnnl_memory_desc_init_by_tag(&d->x, 4, x, type_of(k->x_type), layout) == dnnl_success &&
           dnnl_memory_desc_init_by_tag(&d->weights, 4, w, type_of(k->w_type),
                                        dnnl_format_tag_any) == dnnl_success &&
           dnnl_memory_desc_init_by_tag(&d->bias, 1, b, dnnl_f32, dnnl_x) == dnnl_success &&
           dnnl_memory_desc_init_by_tag(&d->out, 4, out, type_of(k->out_type), layout) ==
               dnnl_success &&
           dnnl_convolution_forward_desc_init(&desc, dnnl_forward_inference, algorithm, &d->x,
                                              &d->weights, k->bias ? &d->bias : NULL, &d->out,
                                              strides, before, after) == dnnl_success &&
           dnnl_primitive_desc_create(pd, &desc, attr, engine, NULL) == dnnl_success;
}

static bool matmul_desc(const Key *k, Descs *d, dnnl_primitive_desc_t *pd,
                        const_dnnl_primitive_attr_t attr, dnnl_engine_t engine)
{
    dnnl_dims_t x = {k->n, k->channels}, w = {k->channels, k->out_channels};
    dnnl_dims_t b = {1, k->out_channels}, out = {k->n, k->out_channels};
    dnnl_matmul_desc_t desc;
    return dnnl_memory_desc_init_by_tag(&d->x, 2, x, type_of(k->x_type), dnnl_ab) == dnnl_success &&
           dnnl_memory_desc_init_by_tag(&d->weights, 2, w, type_of(k->w_type),
                                        dnnl_format_tag_any) == dnnl_success &&
           dnnl_memory_desc_init_by_tag(&d->bias, 2, b, dnnl_f32, dnnl_ab) == dnnl_success &&
           dnnl_memory_desc_init_by_tag(&d->out, 2, out, type_of(k->out_type), dnnl_ab) ==
               dnnl_success &&
           dnnl_matmul_desc_init(&desc, &d->x, &d->weights, k->bias ? &d->bias : NULL, &d->out) ==
               dnnl_success &&
           dnnl_primitive_desc_create(pd, &desc, attr, engine, NULL) == dnnl_success;
}

static bool make_border(Border *b, const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to,
                        const dnnl_memory_desc_t *inside, dnnl_engine_t engine)
{
    dnnl_primitive_desc_t pd = NULL;
    b->bytes = dnnl_memory_desc_get_size(inside);
    bool ok =
        dnnl_reorder_primitive_desc_create(&pd, from, engine, to, engine, NULL) == dnnl_success &&
        dnnl_primitive_create(&b->reorder, pd) == dnnl_success &&
        dnnl_memory_create(&b->inside, inside, engine, DNNL_MEMORY_NONE) == dnnl_success;
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    return ok;
}

/* The memory of a Winograd convolution outside is plain NHWC, as everybody's. */
static bool make_borders(Primitive *p, Descs *d, dnnl_engine_t engine)
{
    dnnl_memory_desc_t x = d->x, out = d->out;
    return dnnl_memory_desc_init_by_tag(&d->x, 4, x.dims, dnnl_f32, dnnl_nhwc) == dnnl_success &&
           dnnl_memory_desc_init_by_tag(&d->out, 4, out.dims, dnnl_f32, dnnl_nhwc) ==
               dnnl_success &&
           make_border(&p->before, &d->x, &x, &x, engine) &&
           make_border(&p->after, &out, &d->out, &out, engine);
}

static bool make_memories(Primitive *p, Descs *d, const_dnnl_primitive_desc_t pd,
                          dnnl_engine_t engine)
{
    const dnnl_memory_desc_t *scratch =
        dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    p->weights = *dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    p->scratch_bytes = dnnl_memory_desc_get_size(scratch);
    return (!p->key.winograd || make_borders(p, d, engine)) &&
           dnnl_memory_create(&p->x, &d->x, engine, DNNL_MEMORY_NONE) == dnnl_success &&
           dnnl_memory_create(&p->bias, &d->bias, engine, DNNL_MEMORY_NONE) == dnnl_success &&
           dnnl_memory_create(&p->out, &d->out, engine, DNNL_MEMORY_NONE) == dnnl_success &&
           dnnl_memory_create(&p->scratch, scratch, engine, DNNL_MEMORY_NONE) == dnnl_success;
}

/* oneDNN has several; only the one for AVX-512 with 4 x 4 tiles is worth its memory. */
static bool good_winograd(const Descs *d, const_dnnl_primitive_desc_t pd)
{
    const char *name = "";
    dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name);
    size_t bytes =
        dnnl_memory_desc_get_size(&d->x) + dnnl_memory_desc_get_size(&d->out) +
        dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0));
    return strncmp(name, "jit_wino_4x3", 12) == 0 && bytes <= WINOGRAD_MEMORY;
}

static Primitive *make_primitive(SlOneDnn *o, const Key *key)
{
    Descs descs;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t pd = NULL;
    Primitive *p = calloc(1, sizeof *p);
    bool ok =
        p && dnnl_primitive_attr_create(&attr) == dnnl_success &&
        dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user) == dnnl_success;
    if (ok) {
        p->key = *key;
        ok = key->conv ? conv_desc(key, &descs, &pd, attr, o->engine)
                       : matmul_desc(key, &descs, &pd, attr, o->engine);
    }
    ok = ok && (!key->winograd || good_winograd(&descs, pd)) &&
         make_memories(p, &descs, pd, o->engine) &&
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

/* With Winograd where the key asks for it and oneDNN has it, else direct. */
static Primitive *make_best(SlOneDnn *o, const Key *key)
{
    Primitive *p = make_primitive(o, key);
    if (p || !key->winograd)
        return p;
    Key direct = *key;
    direct.winograd = 0;
    p = make_primitive(o, &direct);
    if (p)
        p->key = *key; /* found again under the key that was asked for */
    return p;
}

static Primitive *find_primitive(SlOneDnn *o, const Key *key)
{
    uint64_t hash = 1469598103934665603u;
    const unsigned char *bytes = (const unsigned char *)key;
    for (size_t i = 0; i < sizeof *key; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    Primitive **bucket = &o->buckets[hash % BUCKETS];
    for (Primitive *p = *bucket; p; p = p->next)
        if (!memcmp(&p->key, key, sizeof *key))
            return p;
    Primitive *p = make_best(o, key);
    if (p) {
        p->next = *bucket;
        *bucket = p;
    }
    return p;
}

/* ---- weights ---- */

/* The weight as it stands in the file: [O, I, KH, KW], or [N, K] seen as the K x N matrix of the
 * product. */
static bool plain_desc(const SlWeight *w, dnnl_memory_desc_t *desc)
{
    dnnl_data_type_t type = type_of(w->value.dtype);
    if (w->kind == SL_WEIGHT_CONV) {
        dnnl_dims_t dims = {w->size[0], w->size[1], w->size[2], w->size[3]};
        return dnnl_memory_desc_init_by_tag(desc, 4, dims, type, dnnl_oihw) == dnnl_success;
    }
    dnnl_dims_t dims = {w->size[1], w->size[0]};
    return dnnl_memory_desc_init_by_tag(desc, 2, dims, type, dnnl_ba) == dnnl_success;
}

static void free_layout(SlDevice *dev, Layout *l)
{
    if (l->memory)
        dnnl_memory_destroy(l->memory);
    if (l->data) {
        dev->work.weight_bytes -= dnnl_memory_desc_get_size(&l->desc);
        dev->ops->free(dev, l->data, 0);
    }
    free(l);
}

static bool reorder(SlOneDnn *o, dnnl_memory_t from, dnnl_memory_t to)
{
    const dnnl_memory_desc_t *from_desc, *to_desc;
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

/* Fills a new layout from the plain weight, or from another layout when the plain one was given up.
 */
static bool fill_layout(SlDevice *dev, SlWeight *w, Layout *l)
{
    SlOneDnn *o = onednn_of(dev);
    Layout *other = w->prepared;
    dnnl_memory_desc_t desc;
    dnnl_memory_t plain = NULL;
    if (!w->value.data)
        return reorder(o, other->memory, l->memory);
    bool ok = plain_desc(w, &desc) &&
              dnnl_memory_create(&plain, &desc, o->engine, w->value.data) == dnnl_success &&
              reorder(o, plain, l->memory);
    if (plain)
        dnnl_memory_destroy(plain);
    return ok;
}

static dnnl_memory_t weight_in(SlDevice *dev, const SlWeight *weight,
                               const dnnl_memory_desc_t *desc)
{
    SlWeight *w = (SlWeight *)weight; /* its cache of layouts is the device's own */
    for (Layout *l = w->prepared; l; l = l->next)
        if (dnnl_memory_desc_equal(&l->desc, desc))
            return l->memory;
    Layout *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->desc = *desc;
    size_t bytes = dnnl_memory_desc_get_size(desc);
    l->data = dev->ops->alloc(dev, bytes);
    if (l->data)
        dev->work.weight_bytes += bytes;
    if (!l->data ||
        dnnl_memory_create(&l->memory, desc, onednn_of(dev)->engine, l->data) != dnnl_success ||
        !fill_layout(dev, w, l)) {
        free_layout(dev, l);
        return NULL;
    }
    l->next = w->prepared;
    w->prepared = l;
    if (w->value.data) {
        dev->work.weight_bytes -=
            (size_t)sl_tensor_elements(&w->value) * sl_dtype_size(w->value.dtype);
        dev->ops->free(dev, w->value.data, 0);
        w->value.data = NULL; /* never held twice */
    }
    return l->memory;
}

bool sl_cpu_weight_init(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    SlDtype dtype = w->kind == SL_WEIGHT_VECTOR ? SL_F32 : dev->dtype;
    size_t n = (size_t)sl_tensor_elements(host), bytes = n * sl_dtype_size(dtype);
    void *data = dev->ops->alloc(dev, bytes);
    if (!data)
        return false;
    sl_convert(host->data, host->dtype, data, dtype, n);
    w->value = sl_tensor_view(data, dtype, host->rank, host->size);
    dev->work.weight_bytes += bytes;
    return true;
}

void sl_cpu_weight_clear(SlDevice *dev, SlWeight *w)
{
    for (Layout *l = w->prepared; l;) {
        Layout *next = l->next;
        free_layout(dev, l);
        l = next;
    }
    if (w->value.data) {
        dev->work.weight_bytes -=
            (size_t)sl_tensor_elements(&w->value) * sl_dtype_size(w->value.dtype);
        dev->ops->free(dev, w->value.data, 0);
    }
}

/* ---- running ---- */

typedef struct Call {
    const SlTensor *x;
    const SlWeight *w, *bias;
    SlTensor *out;
} Call;

/* Arena memory for a border or for scratch; true if it was there. */
static bool place(SlDevice *dev, dnnl_memory_t memory, size_t bytes)
{
    SlTensor t = sl_tensor_new(dev, SL_U8, 1, (const int64_t[]){(int64_t)bytes + 1});
    return t.data && dnnl_memory_set_data_handle(memory, t.data) == dnnl_success;
}

static bool execute(SlOneDnn *o, dnnl_primitive_t primitive, int count, const dnnl_exec_arg_t *args)
{
    return dnnl_primitive_execute(primitive, o->stream, count, args) == dnnl_success &&
           dnnl_stream_wait(o->stream) == dnnl_success;
}

static bool convert(SlOneDnn *o, dnnl_primitive_t reorder, dnnl_memory_t from, dnnl_memory_t to)
{
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    return execute(o, reorder, 2, args);
}

static bool run(SlDevice *dev, Primitive *p, const Call *c)
{
    SlOneDnn *o = onednn_of(dev);
    bool borders = p->before.reorder != NULL;
    size_t mark = sl_arena_mark(dev);
    dnnl_memory_t weights = weight_in(dev, c->w, &p->weights);
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, borders ? p->before.inside : p->x},
                                    {DNNL_ARG_WEIGHTS, weights},
                                    {DNNL_ARG_DST, borders ? p->after.inside : p->out},
                                    {DNNL_ARG_SCRATCHPAD, p->scratch},
                                    {DNNL_ARG_BIAS, p->bias}};
    bool ok =
        weights && dnnl_memory_set_data_handle(p->x, c->x->data) == dnnl_success &&
        dnnl_memory_set_data_handle(p->out, c->out->data) == dnnl_success &&
        (!c->bias || dnnl_memory_set_data_handle(p->bias, c->bias->value.data) == dnnl_success) &&
        place(dev, p->scratch, p->scratch_bytes);
    if (borders)
        ok = ok && place(dev, p->before.inside, p->before.bytes) &&
             place(dev, p->after.inside, p->after.bytes) &&
             convert(o, p->before.reorder, p->x, p->before.inside);
    ok = ok && execute(o, p->primitive, c->bias ? 5 : 4, args);
    if (borders)
        ok = ok && convert(o, p->after.reorder, p->after.inside, p->out);
    sl_arena_reset(dev, mark);
    return ok;
}

/* A product of a few microseconds is not worth waking threads for. */
static int threads_for(const SlDevice *dev, const Key *key)
{
    double positions = (double)key->n * (key->conv ? (double)(key->out_h * key->out_w) : 1);
    double taps = key->conv ? (double)(key->kh * key->kw) : 1;
    double flops = 2 * positions * taps * (double)key->channels * (double)key->out_channels;
    int threads =
        key->winograd && dev->threads > WINOGRAD_THREADS ? WINOGRAD_THREADS : dev->threads;
    return flops < 2e6 ? 1 : threads;
}

/* For oneDNN calls of this thread. */
static void use_threads(int threads)
{
#ifdef _OPENMP
    omp_set_num_threads(threads);
#else
    (void)threads;
#endif
}

static void product(SlDevice *dev, const Key *key, const Call *c)
{
    int threads = threads_for(dev, key);
    use_threads(key->winograd ? WINOGRAD_THREADS : threads);
    Primitive *p = find_primitive(onednn_of(dev), key);
    use_threads(threads);
    if (!p || !run(dev, p, c))
        sl_device_fail(dev, SL_MEMORY,
                       "cpu: oneDNN cannot compute a product of %lld by %lld channels (out of "
                       "memory?)",
                       (long long)key->channels, (long long)key->out_channels);
}

static Key key_of(const Call *c)
{
    Key key;
    memset(&key, 0, sizeof key);
    key.x_type = c->x->dtype;
    key.w_type = c->w->value.dtype;
    key.out_type = c->out->dtype;
    key.bias = c->bias != NULL;
    key.channels = c->w->size[1];
    key.out_channels = c->w->size[0];
    return key;
}

static void onednn_linear(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                          SlTensor *out)
{
    Call call = {x, w, bias, out};
    Key key = key_of(&call);
    key.n = sl_tensor_elements(x) / key.channels;
    product(dev, &key, &call);
}

/* Winograd's F(4x4, 3x3) in f32 is twice as fast as the direct way and as exact (normalised squared
 * error 4e-12), but holds weights four times as large: where there are few of them for many pixels.
 */
static bool winograd_pays(const Key *k)
{
    return k->x_type == SL_F32 && k->w_type == SL_F32 && k->out_type == SL_F32 && k->kh == 3 &&
           k->kw == 3 && k->stride == 1 && k->pad_top == 1 && k->pad_left == 1 &&
           k->pad_bottom == 1 && k->pad_right == 1 && k->channels % 16 == 0 &&
           k->out_channels % 16 == 0 && k->channels >= 64 && k->out_channels >= 64 &&
           k->channels * k->out_channels <= WINOGRAD_WEIGHTS && k->out_h * k->out_w >= 1024;
}

static void onednn_conv2d(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                          const SlConv *conv, SlTensor *out)
{
    Call call = {x, w, bias, out};
    Key key = key_of(&call);
    key.conv = 1;
    key.n = x->size[0];
    key.h = x->size[1];
    key.w = x->size[2];
    key.out_h = out->size[1];
    key.out_w = out->size[2];
    key.kh = w->size[2];
    key.kw = w->size[3];
    key.stride = conv->stride;
    key.pad_top = conv->pad_top;
    key.pad_left = conv->pad_left;
    /* oneDNN checks that the padding fits the output exactly; a stride may leave rows over */
    key.pad_bottom = (out->size[1] - 1) * conv->stride + w->size[2] - x->size[1] - conv->pad_top;
    key.pad_right = (out->size[2] - 1) * conv->stride + w->size[3] - x->size[2] - conv->pad_left;
    key.winograd = winograd_pays(&key);
    product(dev, &key, &call);
}

void sl_onednn_slots(SlOps *ops)
{
    ops->linear = onednn_linear;
    ops->conv2d = onednn_conv2d;
}

#endif
