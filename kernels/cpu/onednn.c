/* onednn.c - linear and convolution through oneDNN 2.6 or newer: scratch memory from the arena,
 * so that a repeated step allocates nothing.
 */
#include "kernels/cpu/cpu.h"

#if !SL_HAVE_ONEDNN

SlOneDnn *sl_onednn_open(SlDtype dtype)
{
    return NULL;
}

void sl_onednn_close(SlOneDnn *o)
{
}

bool sl_onednn_weight_init(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    return false;
}

void sl_onednn_weight_clear(SlDevice *dev, SlWeight *w)
{
}

void sl_onednn_linear_slots(SlOps *ops)
{
}

void sl_onednn_conv2d_epilogue(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                               const SlConv *conv, const SlEpilogue *e, SlTensor *out)
{
}

#else

#include "kernels/cpu/onednn.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* ONEDNN_MAX_CPU_ISA counts. */
static bool has_isa(SlDtype dtype)
{
    dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
    dnnl_cpu_isa_t needed =
        dtype == SL_BF16 ? dnnl_cpu_isa_avx512_core_bf16 : dnnl_cpu_isa_avx512_core;
    return (isa & needed) == needed;
}

SlOneDnn *sl_onednn_open(SlDtype dtype)
{
    SlOneDnn *o = has_isa(dtype) ? calloc(1, sizeof *o) : NULL;
    if (o && dnnl_engine_create(&o->engine, dnnl_cpu, 0) == dnnl_success &&
        dnnl_stream_create(&o->stream, o->engine, dnnl_stream_default_flags) == dnnl_success)
        return o;
    sl_onednn_close(o); /* our own code does it, too */
    return NULL;
}

void sl_onednn_close(SlOneDnn *o)
{
    if (!o)
        return;
    sl_onednn_free_primitives(o);
    if (o->stream)
        dnnl_stream_destroy(o->stream);
    if (o->engine)
        dnnl_engine_destroy(o->engine);
    free(o);
}

typedef struct Call {
    const SlTensor *x;
    const SlWeight *w, *bias;
    const SlTensor *residual;
    SlTensor *out;
} Call;

/* Takes arena memory for a memory object or for scratch; true on success. */
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

static bool run(SlDevice *dev, SlPrimitive *p, const Call *c)
{
    size_t mark = sl_arena_mark(dev);
    dnnl_memory_t weights = sl_onednn_weight(dev, c->w, p->weights);
    const dnnl_exec_arg_t args[] = {
        {DNNL_ARG_SRC, p->x},
        {DNNL_ARG_WEIGHTS, weights},
        {DNNL_ARG_DST, p->out},
        {DNNL_ARG_SCRATCHPAD, p->scratch},
        {DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, p->residual},
        {DNNL_ARG_BIAS, p->bias}};
    bool ok =
        weights && dnnl_memory_set_data_handle(p->x, c->x->data) == dnnl_success &&
        dnnl_memory_set_data_handle(p->out, c->out->data) == dnnl_success &&
        (!c->bias || dnnl_memory_set_data_handle(p->bias, c->bias->value.data) == dnnl_success) &&
        (!c->residual ||
         dnnl_memory_set_data_handle(p->residual, c->residual->data) == dnnl_success) &&
        place(dev, p->scratch, p->scratch_bytes) &&
        execute(sl_onednn_of(dev), p->primitive, c->bias ? 6 : 5, args);
    sl_arena_reset(dev, mark);
    return ok;
}

static void fail_product(SlDevice *dev, const SlOneDnnKey *key)
{
    sl_device_fail(dev, SL_MEMORY,
                   "cpu: oneDNN cannot compute a product of %lld by %lld channels (out of memory?)",
                   (long long)key->channels, (long long)key->out_channels);
}

/* Rows of a product that GEGLU follows: some megabytes. */
#define GEGLU_ROWS 512

/* A product of a few microseconds is not worth waking threads for. */
static int threads_for(const SlDevice *dev, const SlOneDnnKey *key)
{
    double positions = (double)key->n * (key->conv ? (double)(key->out_h * key->out_w) : 1);
    double taps = key->conv ? (double)(key->kh * key->kw) : 1;
    double flops = 2 * positions * taps * (double)key->channels * (double)key->out_channels;
    return flops < 2e6 ? 1 : dev->threads;
}

/* ---- a product in parts ---- */

#define PARTS      64 /* of a matrix product, or of one image of a convolution, at most */
#define CONV_PARTS 16
#define PART_ROWS  32 /* positions that are worth a part */

/* Some rows of the output, and where they and what they are computed from begin, in elements. */
typedef struct Part {
    SlPrimitive *primitive;
    dnnl_memory_t weights;
    int64_t x, out;
} Part;

typedef struct Parts {
    const Call *call;
    SlOneDnn *onednn;
    int64_t count, x_image, out_image; /* parts of an image; elements of one */
    Part part[PARTS];
    char *scratch; /* of every thread */
    size_t scratch_bytes;
    atomic_bool failed;
} Parts;

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* Adds the part that `key` describes; false if oneDNN has no primitive for it. */
static bool add_part(SlDevice *dev, Parts *parts, const SlOneDnnKey *key, int64_t x, int64_t out)
{
    SlPrimitive *p = sl_onednn_primitive(parts->onednn, key);
    dnnl_memory_t weights = p ? sl_onednn_weight(dev, parts->call->w, p->weights) : NULL;
    if (!weights)
        return false;
    parts->part[parts->count++] = (Part){p, weights, x, out};
    if (p->scratch_bytes > parts->scratch_bytes)
        parts->scratch_bytes = p->scratch_bytes;
    return true;
}

static bool cut_rows(SlDevice *dev, Parts *parts, const SlOneDnnKey *whole)
{
    int64_t rows = ceil_div(ceil_div(whole->n, PARTS), PART_ROWS) * PART_ROWS;
    bool ok = true;
    for (int64_t r = 0; ok && r < whole->n; r += rows) {
        SlOneDnnKey key = *whole;
        key.n = whole->n - r < rows ? whole->n - r : rows;
        ok = add_part(dev, parts, &key, r * key.channels, r * key.out_channels);
    }
    return ok;
}

/* Rows of one image: padding is left at its upper and lower edge only. */
static bool cut_image(SlDevice *dev, Parts *parts, const SlOneDnnKey *whole)
{
    int64_t rows = ceil_div(whole->out_h, CONV_PARTS), least = ceil_div(PART_ROWS, whole->out_w);
    bool ok = true;
    rows = rows > least ? rows : least;
    for (int64_t r = 0; ok && r < whole->out_h; r += rows) {
        SlOneDnnKey key = *whole;
        key.n = 1;
        key.out_h = whole->out_h - r < rows ? whole->out_h - r : rows;
        int64_t first = r * key.stride - whole->pad_top;
        int64_t end = first + (key.out_h - 1) * key.stride + key.kh;
        key.pad_top = first < 0 ? -first : 0;
        key.pad_bottom = end > whole->h ? end - whole->h : 0;
        key.h = end - first - key.pad_top - key.pad_bottom;
        first += key.pad_top;
        ok = key.h > 0 && add_part(dev, parts, &key, first * key.w * key.channels,
                                   r * key.out_w * key.out_channels);
    }
    parts->x_image = whole->h * whole->w * whole->channels;
    parts->out_image = whole->out_h * whole->out_w * whole->out_channels;
    return ok;
}

static dnnl_memory_t memory_at(const SlOneDnn *o, dnnl_memory_t like, void *data)
{
    SlConstMemoryDesc desc;
    dnnl_memory_t memory = NULL;
    return dnnl_memory_get_memory_desc(like, &desc) == dnnl_success &&
                   dnnl_memory_create(&memory, desc, o->engine, data) == dnnl_success
               ? memory
               : NULL;
}

static char *element(const SlTensor *t, int64_t at)
{
    return (char *)t->data + (size_t)at * sl_dtype_size(t->dtype);
}

static bool compute_part(const Parts *parts, const Part *part, int64_t image, char *scratch)
{
    const Call *c = parts->call;
    const SlOneDnn *o = parts->onednn;
    const SlPrimitive *p = part->primitive;
    int64_t x = image * parts->x_image + part->x, out = image * parts->out_image + part->out;
    const int residual = DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1;
    dnnl_exec_arg_t args[6] = {{DNNL_ARG_SRC, memory_at(o, p->x, element(c->x, x))},
                               {DNNL_ARG_DST, memory_at(o, p->out, element(c->out, out))},
                               {DNNL_ARG_SCRATCHPAD, memory_at(o, p->scratch, scratch)}};
    int made = 3;
    if (c->bias)
        args[made++] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, memory_at(o, p->bias, c->bias->value.data)};
    if (p->key.residual == 2)
        args[made++] =
            (dnnl_exec_arg_t){residual, memory_at(o, p->residual, element(c->residual, out))};
    args[made] = (dnnl_exec_arg_t){DNNL_ARG_WEIGHTS, part->weights};
    bool ok = true;
    for (int i = 0; i < made; i++)
        ok = ok && args[i].memory;
    ok = ok && execute(parts->onednn, p->primitive, made + 1, args);
    for (int i = 0; i < made; i++)
        if (args[i].memory)
            dnnl_memory_destroy(args[i].memory);
    return ok;
}

static void compute_parts(void *arg, int64_t first, int64_t last)
{
    Parts *parts = arg;
    char *scratch = parts->scratch + (size_t)sl_thread_index() * parts->scratch_bytes;
    for (int64_t i = first; i < last; i++)
        if (!compute_part(parts, &parts->part[i % parts->count], i / parts->count, scratch))
            atomic_store(&parts->failed, true);
}

/* False when oneDNN has no primitive for a part. */
static bool in_parts(SlDevice *dev, const SlOneDnnKey *key, const Call *c)
{
    Parts parts = {.call = c, .onednn = sl_onednn_of(dev), .scratch_bytes = 1};
    sl_onednn_use_threads(1); /* also what a primitive is made for */
    if (!(key->conv ? cut_image(dev, &parts, key) : cut_rows(dev, &parts, key)))
        return false;
    size_t mark = sl_arena_mark(dev);
    parts.scratch_bytes = (parts.scratch_bytes + 255) / 256 * 256;
    SlTensor scratch =
        sl_tensor_new(dev, SL_U8, 2, (const int64_t[]){dev->threads, (int64_t)parts.scratch_bytes});
    parts.scratch = scratch.data;
    if (scratch.data)
        sl_parallel_for(dev, (key->conv ? key->n : 1) * parts.count, 1, compute_parts, &parts);
    sl_arena_reset(dev, mark);
    if (atomic_load(&parts.failed))
        fail_product(dev, key);
    return true;
}

/* False when oneDNN has no primitive for it. */
static bool product(SlDevice *dev, const SlOneDnnKey *key, const Call *c)
{
    if (SL_ONEDNN_CUT)
        return in_parts(dev, key, c);
    sl_onednn_use_threads(threads_for(dev, key));
    SlPrimitive *p = sl_onednn_primitive(sl_onednn_of(dev), key);
    if (p && !run(dev, p, c))
        fail_product(dev, key);
    return p != NULL;
}

static void must(SlDevice *dev, const SlOneDnnKey *key, const Call *c)
{
    if (!product(dev, key, c))
        sl_device_fail(dev, SL_MEMORY, "cpu: oneDNN has no product of %lld by %lld channels",
                       (long long)key->channels, (long long)key->out_channels);
}

static SlOneDnnKey key_of(const Call *c)
{
    SlOneDnnKey key;
    memset(&key, 0, sizeof key);
    key.x_type = c->x->dtype;
    key.out_type = c->out->dtype;
    key.bias = c->bias != NULL;
    key.channels = c->w->size[1];
    key.out_channels = c->w->size[0];
    if (c->residual)
        key.residual = c->residual->data == c->out->data ? 1 : 2;
    return key;
}

/* Can oneDNN do what follows the product? */
static bool fits(const SlEpilogue *e, const SlTensor *out)
{
    return !e->per_channel && e->act == SL_ACT_NONE && (e->scale == 0 || e->scale == 1) &&
           (!e->residual || e->residual->dtype == out->dtype);
}

/* ---- linear ---- */

static void onednn_linear(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                          SlTensor *out)
{
    Call call = {x, w, bias, NULL, out};
    SlOneDnnKey key = key_of(&call);
    key.n = sl_tensor_elements(x) / key.channels;
    must(dev, &key, &call);
}

static void onednn_linear_epilogue(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                                   const SlEpilogue *e, SlTensor *out)
{
    Call call = {x, w, e->bias, e->residual, out};
    SlOneDnnKey key = key_of(&call);
    key.n = sl_tensor_elements(x) / key.channels;
    if (!fits(e, out) || !product(dev, &key, &call))
        ((SlCpuDevice *)dev)->apart.linear_epilogue(dev, x, w, e, out);
}

/* Some rows at a time, so that what GEGLU reads is still in the cache. */
static void onednn_linear_geglu(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                                const SlWeight *bias, SlTensor *out)
{
    int64_t in = w->size[1], wide = w->size[0], rows = sl_tensor_elements(x) / in;
    size_t mark = sl_arena_mark(dev);
    int64_t most = rows < GEGLU_ROWS ? rows : GEGLU_ROWS;
    SlTensor both = sl_tensor_new2(dev, most, wide);
    for (int64_t r = 0; both.data && r < rows; r += most) {
        int64_t n = rows - r < most ? rows - r : most;
        char *from = (char *)x->data + (size_t)(r * in) * sl_dtype_size(x->dtype);
        char *to = (char *)out->data + (size_t)(r * wide / 2) * sl_dtype_size(out->dtype);
        SlTensor part = sl_tensor_view(from, x->dtype, 2, (const int64_t[]){n, in});
        SlTensor product = sl_tensor_view(both.data, dev->dtype, 2, (const int64_t[]){n, wide});
        SlTensor gated = sl_tensor_view(to, out->dtype, 2, (const int64_t[]){n, wide / 2});
        onednn_linear(dev, &part, w, bias, &product);
        dev->ops->geglu(dev, &product, &gated);
    }
    sl_arena_reset(dev, mark);
}

void sl_onednn_linear_slots(SlOps *ops)
{
    ops->linear = onednn_linear;
    ops->linear_epilogue = onednn_linear_epilogue;
    ops->linear_geglu = onednn_linear_geglu;
}

/* ---- convolution ---- */

static SlOneDnnKey conv_key(const Call *c, const SlConv *conv)
{
    SlOneDnnKey key = key_of(c);
    const int64_t *in = c->x->size, *out = c->out->size, *window = c->w->size + 2;
    key.conv = 1;
    key.n = in[0];
    key.h = in[1];
    key.w = in[2];
    key.out_h = out[1];
    key.out_w = out[2];
    key.kh = window[0];
    key.kw = window[1];
    key.stride = conv->stride;
    key.pad_top = conv->pad_top;
    key.pad_left = conv->pad_left;
    /* oneDNN checks that the padding fits the output exactly; a stride may leave rows over */
    key.pad_bottom = (out[1] - 1) * conv->stride + window[0] - in[1] - conv->pad_top;
    key.pad_right = (out[2] - 1) * conv->stride + window[1] - in[2] - conv->pad_left;
    return key;
}

void sl_onednn_conv2d_epilogue(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                               const SlConv *conv, const SlEpilogue *e, SlTensor *out)
{
    Call call = {x, w, e->bias, e->residual, out};
    SlOneDnnKey key = conv_key(&call, conv);
    bool alone = !e->residual && fits(e, out);
    if (alone)
        must(dev, &key, &call);
    else if (!fits(e, out) || !product(dev, &key, &call))
        ((SlCpuDevice *)dev)->apart.conv2d_epilogue(dev, x, w, conv, e, out);
}

#endif
