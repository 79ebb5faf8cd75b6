/* onednn.c - linear and convolution through oneDNN 2.6 or newer: scratch memory from the arena,
 * so that a repeated step allocates nothing.
 */
#include "kernels/cpu/cpu.h"

#include <stdio.h>

#if !SL_HAVE_ONEDNN

bool sl_onednn_open(SlDtype dtype, struct SlTeam *team, bool any_isa, SlOneDnn **onednn)
{
    *onednn = NULL;
    return true;
}

void sl_onednn_close(SlOneDnn *o)
{
}

bool sl_onednn_weight_init(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    return false;
}

bool sl_onednn_weight_fill(SlDevice *dev, SlWeight *w, const SlTensor *host)
{
    return false;
}

bool sl_onednn_weight_copy(SlDevice *dev, SlWeight *to, const SlWeight *from)
{
    return false;
}

void sl_onednn_weight_clear(SlDevice *dev, SlWeight *w)
{
}

void sl_onednn_name(char *out, size_t size)
{
    snprintf(out, size, "%s", "");
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

typedef struct Opening {
    SlOneDnn *o;
    SlDtype dtype;
    bool any_isa, lacking; /* the processor has not the instructions */
} Opening;

static bool open_engine(void *arg)
{
    Opening *opening = arg;
    SlOneDnn *o = opening->o;
    opening->lacking = !has_isa(opening->dtype) && !(opening->any_isa && opening->dtype == SL_F32);
    return !opening->lacking && sl_onednn_ok(o, dnnl_engine_create(&o->engine, dnnl_cpu, 0)) &&
           sl_onednn_ok(o, dnnl_stream_create(&o->stream, o->engine, dnnl_stream_default_flags));
}

bool sl_onednn_open(SlDtype dtype, struct SlTeam *team, bool any_isa, SlOneDnn **onednn)
{
    *onednn = NULL;
    SlOneDnn *o = calloc(1, sizeof *o);
    if (!o)
        return false;
    o->team = team;
    Opening opening = {o, dtype, any_isa, false};
    if (sl_onednn_make_engine(o, open_engine, &opening)) {
        *onednn = o;
        return true;
    }
    sl_onednn_close(o);
    return opening.lacking; /* our own code does it, too */
}

void sl_onednn_name(char *out, size_t size)
{
    const dnnl_version_t *v = dnnl_version();
    snprintf(out, size, "oneDNN %d.%d.%d %x", v->major, v->minor, v->patch,
             (unsigned)dnnl_get_effective_cpu_isa());
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
    return sl_onednn_ok(o, dnnl_primitive_execute(primitive, o->stream, count, args)) &&
           sl_onednn_ok(o, dnnl_stream_wait(o->stream));
}

typedef struct Run {
    SlDevice *dev;
    SlPrimitive *p;
    const Call *call;
} Run;

static bool run_primitive(void *arg)
{
    const Run *r = arg;
    SlDevice *dev = r->dev;
    SlPrimitive *p = r->p;
    const Call *c = r->call;
    dnnl_memory_t weights = sl_onednn_weight(dev, c->w, p->weights);
    const dnnl_exec_arg_t args[] = {
        {DNNL_ARG_SRC, p->x},
        {DNNL_ARG_WEIGHTS, weights},
        {DNNL_ARG_DST, p->out},
        {DNNL_ARG_SCRATCHPAD, p->scratch},
        {DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, p->residual},
        {DNNL_ARG_BIAS, p->bias}};
    return weights && dnnl_memory_set_data_handle(p->x, c->x->data) == dnnl_success &&
           dnnl_memory_set_data_handle(p->out, c->out->data) == dnnl_success &&
           (!c->bias ||
            dnnl_memory_set_data_handle(p->bias, c->bias->value.data) == dnnl_success) &&
           (!c->residual ||
            dnnl_memory_set_data_handle(p->residual, c->residual->data) == dnnl_success) &&
           place(dev, p->scratch, p->scratch_bytes) &&
           execute(sl_onednn_of(dev), p->primitive, c->bias ? 6 : 5, args);
}

static bool run(SlDevice *dev, SlPrimitive *p, const Call *c)
{
    size_t mark = sl_arena_mark(dev);
    Run r = {dev, p, c};
    bool ok = sl_onednn_call(sl_onednn_of(dev), SL_ONEDNN_RUN, run_primitive, &r);
    sl_arena_reset(dev, mark);
    return ok;
}

/* Memory that runs out is no product that oneDNN lacks: another way would compute other bytes. */
static bool ran_out(SlDevice *dev)
{
    return atomic_load(&sl_onednn_of(dev)->no_memory) || !sl_device_ok(dev);
}

static void fail_product(SlDevice *dev, const SlOneDnnKey *key)
{
    if (ran_out(dev))
        sl_device_fail(dev, SL_MEMORY,
                       "cpu: memory ran out in a product of %lld by %lld channels; a smaller "
                       "picture needs less",
                       (long long)key->channels, (long long)key->out_channels);
    else
        sl_device_fail(dev, SL_DEVICE,
                       "cpu: oneDNN failed to compute a product of %lld by %lld channels",
                       (long long)key->channels, (long long)key->out_channels);
}

/* Rows of a product that GEGLU follows: some megabytes. */
#define GEGLU_ROWS 512

/* What is worth less is computed without waking threads: some microseconds. */
#define ONE_THREAD 2e6
/* Floating-point operations of one row of the output. */
static double row_flops(const SlOneDnnKey *key)
{
    double window = key->conv ? (double)(key->out_w * key->kh * key->kw) : 1;
    return 2 * window * (double)key->channels * (double)key->out_channels;
}

static double all_flops(const SlOneDnnKey *key)
{
    return row_flops(key) * (double)key->n * (double)(key->conv ? key->out_h : 1);
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

/* `count` rows of one image's output from `first` on, as a convolution of its own: padding is left at
 * the image's upper and lower edge only. Returns the first row of the input that it reads. */
static int64_t key_of_rows(const SlOneDnnKey *whole, int64_t first, int64_t count, SlOneDnnKey *key)
{
    int64_t from = first * whole->stride - whole->pad_top;
    int64_t end = from + (count - 1) * whole->stride + whole->kh;
    *key = *whole;
    key->n = 1;
    key->out_h = count;
    key->pad_top = from < 0 ? -from : 0;
    key->pad_bottom = end > whole->h ? end - whole->h : 0;
    key->h = end - from - key->pad_top - key->pad_bottom;
    return from + key->pad_top;
}

/* Parts of one image. */
static bool cut_image(SlDevice *dev, Parts *parts, const SlOneDnnKey *whole)
{
    int64_t rows = ceil_div(whole->out_h, CONV_PARTS), least = ceil_div(PART_ROWS, whole->out_w);
    bool ok = true;
    rows = rows > least ? rows : least;
    for (int64_t r = 0; ok && r < whole->out_h; r += rows) {
        SlOneDnnKey key;
        int64_t count = whole->out_h - r < rows ? whole->out_h - r : rows;
        int64_t first = key_of_rows(whole, r, count, &key);
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

/* One part of one image; memory objects are the first `made` of args. */
typedef struct PartRun {
    const Parts *parts;
    const Part *part;
    int64_t image;
    char *scratch;
    dnnl_exec_arg_t args[6];
    int made;
} PartRun;

/* False when there is no memory for it. */
static bool add_memory(PartRun *r, int which, dnnl_memory_t like, void *data)
{
    dnnl_memory_t memory = memory_at(r->parts->onednn, like, data);
    if (!memory)
        return false;
    r->args[r->made++] = (dnnl_exec_arg_t){which, memory};
    return true;
}

static bool run_part(void *arg)
{
    PartRun *r = arg;
    const Parts *parts = r->parts;
    const Call *c = parts->call;
    const SlPrimitive *p = r->part->primitive;
    int64_t x = r->image * parts->x_image + r->part->x;
    int64_t out = r->image * parts->out_image + r->part->out;
    const int residual = DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1;
    bool ok =
        add_memory(r, DNNL_ARG_SRC, p->x, element(c->x, x)) &&
        add_memory(r, DNNL_ARG_DST, p->out, element(c->out, out)) &&
        add_memory(r, DNNL_ARG_SCRATCHPAD, p->scratch, r->scratch) &&
        (!c->bias || add_memory(r, DNNL_ARG_BIAS, p->bias, c->bias->value.data)) &&
        (p->key.residual != 2 || add_memory(r, residual, p->residual, element(c->residual, out)));
    r->args[r->made] = (dnnl_exec_arg_t){DNNL_ARG_WEIGHTS, r->part->weights};
    return ok && execute(parts->onednn, p->primitive, r->made + 1, r->args);
}

static bool compute_part(const Parts *parts, const Part *part, int64_t image, char *scratch)
{
    PartRun r = {.parts = parts, .part = part, .image = image, .scratch = scratch};
    bool ok = sl_onednn_call(parts->onednn, SL_ONEDNN_RUN, run_part, &r);
    for (int i = 0; i < r.made; i++)
        dnnl_memory_destroy(r.args[i].memory);
    return ok;
}

static void compute_parts(void *arg, int64_t first, int64_t last)
{
    Parts *parts = arg;
    sl_onednn_use_threads(1);
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
    if (!(key->conv ? cut_image(dev, &parts, key) : cut_rows(dev, &parts, key))) {
        if (ran_out(dev))
            fail_product(dev, key);
        return ran_out(dev);
    }
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
static bool short_product(SlDevice *dev, const SlOneDnnKey *key, const Call *c)
{
    atomic_store(&sl_onednn_of(dev)->no_memory, false);
    if (SL_ONEDNN_CUT)
        return in_parts(dev, key, c);
    sl_onednn_use_threads(all_flops(key) < ONE_THREAD ? 1 : dev->threads);
    SlPrimitive *p = sl_onednn_primitive(sl_onednn_of(dev), key);
    if (!p && !ran_out(dev))
        return false;
    if (!p || !run(dev, p, c))
        fail_product(dev, key);
    return true;
}

/* The call with its tensors from an element on; their sizes are the key's. */
typedef struct Slab {
    SlTensor x, out, residual;
    Call call;
} Slab;

static bool slab_product(SlDevice *dev, const SlOneDnnKey *key, const Call *c, int64_t x,
                         int64_t out)
{
    Slab slab = {*c->x, *c->out, {0}, *c};
    slab.x.data = element(c->x, x);
    slab.out.data = element(c->out, out);
    slab.call.x = &slab.x;
    slab.call.out = &slab.out;
    if (c->residual) {
        slab.residual = *c->residual;
        slab.residual.data = element(c->residual, out);
        slab.call.residual = &slab.residual;
    }
    return short_product(dev, key, &slab.call);
}

/* Rows first .. first + count - 1 of all; a convolution's are those of its images, one behind the
 * other, and of one image only. */
static bool rows_product(SlDevice *dev, const SlOneDnnKey *whole, const Call *c, int64_t first,
                         int64_t count)
{
    SlOneDnnKey key = *whole;
    if (!whole->conv) {
        key.n = count;
        return slab_product(dev, &key, c, first * key.channels, first * key.out_channels);
    }
    int64_t image = first / whole->out_h, row = first % whole->out_h;
    int64_t from = image * whole->h + key_of_rows(whole, row, count, &key);
    return key.h > 0 && slab_product(dev, &key, c, from * key.w * key.channels,
                                     first * key.out_w * key.out_channels);
}

/* False when oneDNN has no primitive for it. */
static bool product(SlDevice *dev, const SlOneDnnKey *key, const Call *c)
{
    if (all_flops(key) <= dev->cut_flops)
        return short_product(dev, key, c);
    int64_t image = key->conv ? key->out_h : key->n, all = key->conv ? key->n * image : image;
    int64_t most = (int64_t)(dev->cut_flops / row_flops(key));
    most = most < 1 ? 1 : most;
    for (int64_t r = 0, count; r < all && (r == 0 || sl_device_go_on(dev)); r += count) {
        int64_t left = image - r % image;
        count = left < most ? left : most;
        if (rows_product(dev, key, c, r, count))
            continue;
        if (r > 0) /* what is computed already cannot be computed in another way */
            fail_product(dev, key);
        return r > 0;
    }
    return true;
}

static void must(SlDevice *dev, const SlOneDnnKey *key, const Call *c)
{
    if (!product(dev, key, c))
        sl_device_fail(dev, SL_UNSUPPORTED, "cpu: oneDNN has no product of %lld by %lld channels",
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
    if (!w->prepared) {
        ((SlCpuDevice *)dev)->own.linear(dev, x, w, bias, out);
        return;
    }
    SlOneDnnKey key = key_of(&call);
    key.n = sl_tensor_elements(x) / key.channels;
    must(dev, &key, &call);
}

static void onednn_linear_epilogue(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                                   const SlEpilogue *e, SlTensor *out)
{
    Call call = {x, w, e->bias, e->residual, out};
    if (!w->prepared) {
        ((SlCpuDevice *)dev)->own.linear_epilogue(dev, x, w, e, out);
        return;
    }
    SlOneDnnKey key = key_of(&call);
    key.n = sl_tensor_elements(x) / key.channels;
    if (!fits(e, out) || !product(dev, &key, &call))
        ((SlCpuDevice *)dev)->apart.linear_epilogue(dev, x, w, e, out);
}

/* Some rows at a time, so that what GEGLU reads is still in the cache. */
static void onednn_linear_geglu(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                                const SlWeight *bias, SlTensor *out)
{
    if (!w->prepared) {
        ((SlCpuDevice *)dev)->own.linear_geglu(dev, x, w, bias, out);
        return;
    }
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
