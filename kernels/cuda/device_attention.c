/* device_attention.c - attention: one kernel for the heads that fit its tiles, and two products
 * with a softmax between them for f32 and for larger heads, as the VAE's single one of 512. Maps of
 * attention are the first of the two products and a mean of the softmax.
 *
 * The scores are in f32 and take memory, so the queries are cut into pieces that fit a limit; and so
 * that a person can stop within.
 */
#include "kernels/cuda/product.h"
#include "kernels/cuda/softmax.h"
#include "kernels/devices.h"

#define LARGEST_HEAD 160 /* of attention.cu's tiles */
#define QUERIES      64  /* of its block */
#define SCORE_BYTES  ((int64_t)64 << 20)

/* Queries first .. first + count - 1 of one item of the batch. */
typedef struct Piece {
    const SlTensor *q, *k, *v, *out;
    const SlAttention *attn;
    bool add;                                      /* of a map */
    int64_t item, first, count, keys, pitch, head; /* keys and their pitch, size of a head */
} Piece;

static void *row(const SlTensor *t, int64_t item, int64_t i)
{
    return (char *)t->data +
           (item * t->stride[0] + i * t->stride[1]) * (int64_t)sl_dtype_size(t->dtype);
}

/* scores [heads, count, pitch] = scale q k^T */
static void score(SlCudaDevice *d, const Piece *p, const SlTensor *scores)
{
    sl_cuda_gemm(d, &(SlCudaGemm){
                        .m = p->keys,
                        .n = p->count,
                        .k = p->head,
                        .batch = p->attn->heads,
                        .transpose_a = true,
                        .lda = p->k->stride[1],
                        .ldb = p->q->stride[1],
                        .ldd = p->pitch,
                        .stride_a = p->head,
                        .stride_b = p->head,
                        .stride_d = p->count * p->pitch,
                        .in = p->q->dtype,
                        .out = SL_F32,
                        .alpha = p->attn->scale,
                        .a = row(p->k, p->item, 0),
                        .b = row(p->q, p->item, p->first),
                        .d = scores->data,
                    });
}

/* out = weights v */
static void weigh(SlCudaDevice *d, const Piece *p, const SlTensor *weights)
{
    sl_cuda_gemm(d, &(SlCudaGemm){
                        .m = p->head,
                        .n = p->count,
                        .k = p->keys,
                        .batch = p->attn->heads,
                        .lda = p->v->stride[1],
                        .ldb = p->pitch,
                        .ldd = p->out->stride[1],
                        .stride_a = p->head,
                        .stride_b = p->count * p->pitch,
                        .stride_d = p->head,
                        .in = p->q->dtype,
                        .out = p->out->dtype,
                        .alpha = 1,
                        .a = row(p->v, p->item, 0),
                        .b = weights->data,
                        .d = row(p->out, p->item, p->first),
                    });
}

static void attend(SlCudaDevice *d, const Piece *p)
{
    SlDevice *dev = &d->base;
    const int64_t size[] = {p->attn->heads, p->count, p->pitch};
    size_t mark = sl_arena_mark(dev);
    SlTensor scores = sl_tensor_new(dev, SL_F32, 3, size);
    SlTensor weights = sl_tensor_new(dev, p->q->dtype, 3, size);
    if (weights.data) {
        score(d, p, &scores);
        SlSoftmaxLaunch s = {.dtype = weights.dtype,
                             .s = scores.data,
                             .p = weights.data,
                             .rows = p->attn->heads * p->count,
                             .keys = (int)p->keys,
                             .pitch = (int)p->pitch,
                             .queries = (int)p->count,
                             .first = (int)p->first,
                             .causal = p->attn->causal};
        sl_cuda_check(d, sl_launch_softmax(&s, d->stream), SL_WORDS("a softmax"));
        weigh(d, p, &weights);
    }
    sl_arena_reset(dev, mark);
}

/* All queries of all items, some at a time. */
static void by_pieces(SlDevice *dev, Piece *p, void (*work)(SlCudaDevice *d, const Piece *p))
{
    p->keys = p->k->size[1];
    p->pitch = (p->keys + 7) / 8 * 8; /* aligned rows */
    p->head = p->q->size[2] / p->attn->heads;
    int64_t most = SCORE_BYTES / (4 * p->attn->heads * p->pitch);
    most = most < 1 ? 1 : most;
    for (p->item = 0; p->item < p->q->size[0]; p->item++)
        for (p->first = 0; p->first < p->q->size[1] && sl_cuda_go_on(dev); p->first += most) {
            int64_t left = p->q->size[1] - p->first;
            p->count = left < most ? left : most;
            work(sl_cuda_of(dev), p);
        }
}

static void by_products(SlDevice *dev, const SlTensor *q, const SlTensor *k, const SlTensor *v,
                        const SlAttention *attn, SlTensor *out)
{
    by_pieces(dev, &(Piece){.q = q, .k = k, .v = v, .out = out, .attn = attn}, attend);
}

/* How much each query of the piece looks at each key. */
static void look(SlCudaDevice *d, const Piece *p)
{
    SlDevice *dev = &d->base;
    size_t mark = sl_arena_mark(dev);
    SlTensor scores =
        sl_tensor_new(dev, SL_F32, 3, (const int64_t[]){p->attn->heads, p->count, p->pitch});
    if (scores.data) {
        score(d, p, &scores);
        SlSoftmaxMeanLaunch s = {.s = scores.data,
                                 .out = row(p->out, p->item, p->first),
                                 .heads = p->attn->heads,
                                 .queries = (int)p->count,
                                 .keys = (int)p->keys,
                                 .pitch = (int)p->pitch,
                                 .add = p->add};
        sl_cuda_check(d, sl_launch_softmax_mean(&s, d->stream), SL_WORDS("an attention map"));
    }
    sl_arena_reset(dev, mark);
}

static void cuda_attention_map(SlDevice *dev, const SlTensor *q, const SlTensor *k,
                               const SlAttention *attn, bool add, SlTensor *out)
{
    by_pieces(dev, &(Piece){.q = q, .k = k, .out = out, .attn = attn, .add = add}, look);
}

static void by_kernel(SlDevice *dev, const SlTensor *q, const SlTensor *k, const SlTensor *v,
                      const SlAttention *attn, SlTensor *out)
{
    SlCudaDevice *d = sl_cuda_of(dev);
    SlAttentionLaunch a = {
        .dtype = q->dtype,
        .q = q->data,
        .k = k->data,
        .v = v->data,
        .o = out->data,
        .n = (int)q->size[0],
        .heads = attn->heads,
        .d = (int)(q->size[2] / attn->heads),
        .lq = (int)q->size[1],
        .lk = (int)k->size[1],
        .qs = {q->stride[0], q->stride[1]},
        .ks = {k->stride[0], k->stride[1]},
        .vs = {v->stride[0], v->stride[1]},
        .os = {out->stride[0], out->stride[1]},
        .scale = attn->scale,
        .causal = attn->causal,
    };
    /* a causal query has to know where it is: texts are short */
    int64_t rows = q->size[1], most = rows;
    if (!attn->causal)
        most = sl_cuda_rows_at_once(dev, sl_attention_flops(q, k), rows, QUERIES);
    for (int64_t first = 0; first < rows && (first == 0 || sl_cuda_go_on(dev)); first += most) {
        a.lq = (int)(rows - first < most ? rows - first : most);
        a.q = row(q, 0, first);
        a.o = row(out, 0, first);
        sl_cuda_check(d, sl_launch_attention(&a, d->stream), "attention");
    }
}

static void cuda_attention(SlDevice *dev, const SlTensor *q, const SlTensor *k, const SlTensor *v,
                           const SlAttention *attn, SlTensor *out)
{
    bool large = q->size[2] / attn->heads > LARGEST_HEAD;
    (large || q->dtype == SL_F32 ? by_products : by_kernel)(dev, q, k, v, attn, out);
}

void sl_cuda_attention_slots(SlOps *ops)
{
    ops->attention = cuda_attention;
    ops->attention_map = cuda_attention_map;
}
