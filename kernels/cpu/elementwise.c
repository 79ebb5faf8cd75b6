/* elementwise.c - operations whose time is that of reading and writing memory: one pass each, a
 * vector or a few at a time, split among threads by rows or by pieces of fixed size. */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/vec.h"

#include "kernels/ref/ref.h"

#define PIECE 16384 /* elements; a multiple of 16 */

typedef struct Job {
    const SlTensor *a, *b;
    SlTensor *out;
    const SlEpilogue *e;
    SlActivation act;
    float scale;
    int64_t count;
} Job;

static bool is_float(const SlTensor *t)
{
    return t->dtype == SL_F32 || t->dtype == SL_BF16;
}

/* Runs BODY for each group of up to a vector of elements i of [first, last): LOAD and STORE take care of the
 * last, shorter one. */
#define EACH_VECTOR(BODY)                                   \
    for (int64_t i = first; i < last; i += SL_VEC_FLOATS) { \
        int64_t n = last - i;                               \
        BODY                                                \
    }
#define LOAD(T, I)                                              \
    (n >= SL_VEC_FLOATS ? sl_vec_load((T)->data, (T)->dtype, I) \
                        : sl_vec_load_part((T)->data, (T)->dtype, I, n))
#define STORE(T, I, V)                                         \
    do {                                                       \
        if (n >= SL_VEC_FLOATS)                                \
            sl_vec_store((T)->data, (T)->dtype, I, V);         \
        else                                                   \
            sl_vec_store_part((T)->data, (T)->dtype, I, n, V); \
    } while (0)

/* ---- activation, add ---- */

static void activation_piece(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    EACH_VECTOR({ STORE(j->out, i, sl_vec_act_for(LOAD(j->a, i), j->act, j->out->dtype)); })
}

#define ACT_BF16(NAME, ACT)                                                                      \
    static void NAME(void *arg, int64_t first, int64_t last)                                     \
    {                                                                                            \
        const Job *j = arg;                                                                      \
        const uint16_t *from = j->a->data;                                                       \
        uint16_t *to = j->out->data;                                                             \
        for (; first + SL_VECS_FLOATS <= last; first += SL_VECS_FLOATS)                          \
            sl_vecs_store_bf16(to, first, sl_vecs_act(sl_vecs_load(from, SL_BF16, first), ACT)); \
        activation_piece(arg, first, last);                                                      \
    }
ACT_BF16(silu_piece_bf16, SL_ACT_SILU)
ACT_BF16(gelu_piece_bf16, SL_ACT_GELU)
ACT_BF16(quick_gelu_piece_bf16, SL_ACT_QUICK_GELU)
ACT_BF16(gelu_tanh_piece_bf16, SL_ACT_GELU_TANH)

typedef void (*Piece)(void *arg, int64_t first, int64_t last);

static Piece activation_of(SlActivation act, bool bf16)
{
    if (!bf16)
        return activation_piece;
    switch (act) {
    case SL_ACT_SILU:
        return silu_piece_bf16;
    case SL_ACT_GELU:
        return gelu_piece_bf16;
    case SL_ACT_QUICK_GELU:
        return quick_gelu_piece_bf16;
    case SL_ACT_GELU_TANH:
        return gelu_tanh_piece_bf16;
    default:
        return activation_piece;
    }
}

static void cpu_activation(SlDevice *dev, const SlTensor *x, SlActivation act, SlTensor *out)
{
    Job job = {.a = x, .out = out, .act = act};
    bool bf16 = x->dtype == SL_BF16 && out->dtype == SL_BF16;
    if (is_float(x) && is_float(out))
        sl_parallel_for(dev, sl_tensor_elements(x), PIECE, activation_of(act, bf16), &job);
    else
        sl_ref_activation(dev, x, act, out);
}

static void add_piece(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    EACH_VECTOR({ STORE(j->out, i, (LOAD(j->a, i) + LOAD(j->b, i)) * j->scale); })
}

static void cpu_add(SlDevice *dev, const SlTensor *a, const SlTensor *b, float scale, SlTensor *out)
{
    Job job = {.a = a, .b = b, .out = out, .scale = scale};
    if (is_float(a) && is_float(b) && is_float(out))
        sl_parallel_for(dev, sl_tensor_elements(a), PIECE, add_piece, &job);
    else
        sl_ref_add(dev, a, b, scale, out);
}

/* ---- how much a block's residual changes ---- */

/* Of SL_SUM_LANES lanes, as SlSum. */
typedef double Doubles __attribute__((vector_size(2 * SL_VEC_BYTES)));
typedef struct Sums {
    Doubles part[SL_SUM_PARTS];
} Sums;

typedef struct Change {
    const SlTensor *now, *was;
    int64_t count;    /* elements of an input */
    double (*sum)[2]; /* of each piece */
} Change;

static double total(const Sums *sums)
{
    double sum = 0;
    for (int k = 0; k < SL_SUM_LANES; k++)
        sum += sums->part[k / SL_VEC_FLOATS][k % SL_VEC_FLOATS];
    return sum;
}

SL_INLINE Doubles sizes_of(SlVec v)
{
    return __builtin_convertvector((SlVec)((SlVecI)v & 0x7fffffff), Doubles);
}

static void change_piece(void *arg, int64_t first, int64_t last)
{
    const Change *c = arg;
    Sums apart = {{{0}}}, size = {{{0}}};
    for (int64_t i = first; i < last;)
        for (int b = 0; b < SL_SUM_PARTS && i < last; b++, i += SL_VEC_FLOATS) {
            int64_t n = last - i;
            SlVec before = LOAD(c->was, c->count + i) - LOAD(c->was, i);
            apart.part[b] += sizes_of(LOAD(c->now, c->count + i) - LOAD(c->now, i) - before);
            size.part[b] += sizes_of(before);
        }
    c->sum[first / PIECE][0] = total(&apart);
    c->sum[first / PIECE][1] = total(&size);
}

/* A piece sums what it has in f64, and the pieces' sums are added in their order. */
static void cpu_residual_change(SlDevice *dev, const SlTensor *now, const SlTensor *was,
                                SlTensor *out)
{
    Change c = {.now = now, .was = was, .count = sl_tensor_elements(now) / 2};
    int64_t pieces = (c.count + PIECE - 1) / PIECE;
    size_t mark = sl_arena_mark(dev);
    if (!is_float(now)) {
        sl_ref_residual_change(dev, now, was, out);
        return;
    }
    SlTensor memory = sl_tensor_new(dev, SL_F32, 1, &(int64_t){4 * pieces});
    c.sum = memory.data;
    if (c.sum) {
        double sum[2] = {0, 0};
        sl_parallel_for(dev, c.count, PIECE, change_piece, &c);
        for (int64_t i = 0; i < pieces && sl_device_ok(dev); i++)
            for (int k = 0; k < 2; k++)
                sum[k] += c.sum[i][k];
        for (int k = 0; k < 2; k++)
            ((float *)out->data)[k] = (float)sum[k];
    }
    sl_arena_reset(dev, mark);
}

/* ---- GEGLU ---- */

/* The vectors of a row that are whole groups, in bf16; how many elements. */
SL_INLINE int64_t geglu_vectors(const Job *j, int64_t row)
{
    const uint16_t *x = (const uint16_t *)j->a->data + row * 2 * j->count;
    uint16_t *out = (uint16_t *)j->out->data + row * j->count;
    int64_t c = 0;
    for (; c + SL_VECS_FLOATS <= j->count; c += SL_VECS_FLOATS) {
        SlVecs v = sl_vecs_load(x, SL_BF16, c);
        SlVecs gate = sl_vecs_act(sl_vecs_load(x, SL_BF16, j->count + c), SL_ACT_GELU);
        SL_EACH_VEC v.v[b] *= gate.v[b];
        sl_vecs_store_bf16(out, c, v);
    }
    return c;
}

static void geglu_rows(void *arg, int64_t first_row, int64_t last_row)
{
    const Job *j = arg;
    int64_t d = j->count;
    bool bf16 = j->a->dtype == SL_BF16 && j->out->dtype == SL_BF16;
    for (int64_t r = first_row; r < last_row; r++)
        for (int64_t c = bf16 ? geglu_vectors(j, r) : 0; c < d; c += SL_VEC_FLOATS) {
            int64_t n = d - c, at = r * 2 * d + c;
            SlVec gate = sl_vec_act_for(LOAD(j->a, at + d), SL_ACT_GELU, j->out->dtype);
            STORE(j->out, r * d + c, LOAD(j->a, at) * gate);
        }
}

static void cpu_geglu(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    Job job = {.a = x, .out = out, .count = out->size[out->rank - 1]};
    if (is_float(x) && is_float(out))
        sl_parallel_for(dev, sl_tensor_elements(out) / job.count, sl_cpu_grain(job.count),
                        geglu_rows, &job);
    else
        sl_ref_geglu(dev, x, out);
}

/* ---- what follows a product ---- */

static void finish_rows(void *arg, int64_t first_row, int64_t last_row)
{
    const Job *j = arg;
    const SlEpilogue *e = j->e;
    int64_t d = j->out->size[j->out->rank - 1];
    for (int64_t r = first_row; r < last_row; r++)
        for (int64_t c = 0; c < d; c += SL_VEC_FLOATS) {
            int64_t n = d - c, i = r * d + c;
            SlVec v = LOAD(j->out, i);
            if (e->per_channel)
                v += LOAD(e->per_channel, r / j->count * d + c);
            v = sl_vec_act_for(v, e->act, j->out->dtype);
            if (e->residual)
                v += LOAD(e->residual, i);
            STORE(j->out, i, v * j->scale);
        }
}

static void scale_rows(void *arg, int64_t first_row, int64_t last_row)
{
    const Job *j = arg;
    int64_t d = j->out->size[j->out->rank - 1];
    for (int64_t r = first_row; r < last_row; r++)
        for (int64_t c = 0; c < d; c += SL_VEC_FLOATS) {
            int64_t n = d - c, i = r * d + c, at = r / j->count * 2 * d + c;
            STORE(j->out, i, LOAD(j->a, i) * (1.0f + LOAD(j->b, at)) + LOAD(j->b, at + d));
        }
}

static void cpu_scale_shift(SlDevice *dev, const SlTensor *x, const SlTensor *c, SlTensor *out)
{
    int64_t d = out->size[out->rank - 1], rows = sl_tensor_elements(out) / d;
    Job job = {.a = x, .b = c, .out = out, .count = rows / out->size[0]};
    sl_parallel_for(dev, rows, sl_cpu_grain(d), scale_rows, &job);
}

static void cpu_finish(SlDevice *dev, const SlEpilogue *e, SlTensor *out)
{
    int64_t rows = sl_tensor_elements(out) / out->size[out->rank - 1];
    Job job = {.out = out,
               .e = e,
               .scale = e->scale == 0 ? 1 : e->scale,
               .count = rows / out->size[0]}; /* rows of one item of the batch */
    sl_parallel_for(dev, rows, sl_cpu_grain(out->size[out->rank - 1]), finish_rows, &job);
}

/* The product may not be written over the residual that is still to be added. */
static SlTensor place(SlDevice *dev, const SlEpilogue *e, SlTensor *out)
{
    bool aliased = e->residual && e->residual->data == out->data;
    return aliased ? sl_tensor_new(dev, out->dtype, out->rank, out->size) : *out;
}

static void finish_into(SlDevice *dev, const SlEpilogue *e, SlTensor *product, SlTensor *out)
{
    cpu_finish(dev, e, product);
    if (product->data != out->data)
        sl_cpu_copy(dev, product, out);
}

static void cpu_linear_epilogue(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                                const SlEpilogue *e, SlTensor *out)
{
    size_t mark = sl_arena_mark(dev);
    SlTensor product = place(dev, e, out);
    if (product.data) {
        dev->ops->linear(dev, x, w, e->bias, &product);
        finish_into(dev, e, &product, out);
    }
    sl_arena_reset(dev, mark);
}

static void cpu_conv2d_epilogue(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                                const SlConv *conv, const SlEpilogue *e, SlTensor *out)
{
    size_t mark = sl_arena_mark(dev);
    SlTensor product = place(dev, e, out);
    if (product.data) {
        dev->ops->conv2d(dev, x, w, e->bias, conv, &product);
        finish_into(dev, e, &product, out);
    }
    sl_arena_reset(dev, mark);
}

static void concat_rows(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    size_t a = (size_t)j->a->size[j->a->rank - 1] * sl_dtype_size(j->a->dtype);
    size_t b = (size_t)j->b->size[j->b->rank - 1] * sl_dtype_size(j->b->dtype);
    for (int64_t r = first; r < last; r++) {
        char *to = (char *)j->out->data + (size_t)r * (a + b);
        memcpy(to, (const char *)j->a->data + (size_t)r * a, a);
        memcpy(to + a, (const char *)j->b->data + (size_t)r * b, b);
    }
}

static void cpu_concat(SlDevice *dev, const SlTensor *a, const SlTensor *b, SlTensor *out)
{
    Job job = {.a = a, .b = b, .out = out};
    int64_t rows = sl_tensor_elements(out) / out->size[out->rank - 1];
    if (a->dtype == out->dtype && b->dtype == out->dtype)
        sl_parallel_for(dev, rows, sl_cpu_grain(out->size[out->rank - 1]), concat_rows, &job);
    else
        sl_ref_concat(dev, a, b, out);
}

static void upsample_rows(void *arg, int64_t first, int64_t last)
{
    const Job *j = arg;
    const SlTensor *x = j->a, *out = j->out;
    size_t pixel = (size_t)x->size[3] * sl_dtype_size(x->dtype);
    int64_t h = x->size[1], w = x->size[2], out_h = out->size[1], out_w = out->size[2];
    for (int64_t r = first; r < last; r++) {
        const char *from =
            (const char *)x->data + (size_t)((r / out_h * h + r % out_h * h / out_h) * w) * pixel;
        char *to = (char *)out->data + (size_t)(r * out_w) * pixel;
        for (int64_t z = 0; z < out_w; z++)
            memcpy(to + (size_t)z * pixel, from + (size_t)(z * w / out_w) * pixel, pixel);
    }
}

static void cpu_upsample(SlDevice *dev, const SlTensor *x, SlTensor *out)
{
    Job job = {.a = x, .out = out};
    if (x->dtype == out->dtype)
        sl_parallel_for(dev, out->size[0] * out->size[1], sl_cpu_grain(out->size[2] * out->size[3]),
                        upsample_rows, &job);
    else
        sl_ref_upsample(dev, x, out);
}

void SL_FOR_ISA(sl_cpu_elementwise_slots)(SlOps *ops)
{
    ops->activation = cpu_activation;
    ops->geglu = cpu_geglu;
    ops->residual_change = cpu_residual_change;
    ops->add = cpu_add;
    ops->concat = cpu_concat;
    ops->scale_shift = cpu_scale_shift;
    ops->upsample = cpu_upsample;
    ops->linear_epilogue = cpu_linear_epilogue;
    ops->conv2d_epilogue = cpu_conv2d_epilogue;
}
