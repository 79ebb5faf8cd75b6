/* cpu.h - the cpu device: ref overlaid with oneDNN for products and vector code for the rest.
 * Private to kernels/.
 *
 * Activations are f32 or bf16. Every kernel cuts its work by shape alone (sl_parallel_for), so
 * results are the same bytes for any number of threads.
 */
#ifndef SL_KERNELS_CPU_H
#define SL_KERNELS_CPU_H

#include "kernels/kernels.h"

typedef struct SlOneDnn SlOneDnn; /* engine, stream, cached primitives; NULL when built without */

typedef struct SlCpuDevice {
    SlDevice base;
    SlOps ops;
    SlOneDnn *onednn;
    char describe[200];
} SlCpuDevice;

/* onednn.c */
SlOneDnn *sl_onednn_open(SlError *err);
void sl_onednn_close(SlOneDnn *o);
void sl_cpu_linear(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                   SlTensor *out);
void sl_cpu_conv2d(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlWeight *bias,
                   const SlConv *conv, SlTensor *out);
bool sl_cpu_weight_init(SlDevice *dev, SlWeight *w, const SlTensor *host);
void sl_cpu_weight_clear(SlDevice *dev, SlWeight *w);

/* attention.c */
void sl_cpu_attention(SlDevice *dev, const SlTensor *q, const SlTensor *k, const SlTensor *v,
                      const SlAttention *attn, SlTensor *out);

/* norms.c */
void sl_cpu_group_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                       const SlWeight *beta, const SlGroupNorm *norm, SlTensor *out);
void sl_cpu_layer_norm(SlDevice *dev, const SlTensor *x, const SlWeight *gamma,
                       const SlWeight *beta, float eps, SlTensor *out);

/* elementwise.c */
void sl_cpu_copy(SlDevice *dev, const SlTensor *x, SlTensor *out);
void sl_cpu_activation(SlDevice *dev, const SlTensor *x, SlActivation act, SlTensor *out);
void sl_cpu_geglu(SlDevice *dev, const SlTensor *x, SlTensor *out);
void sl_cpu_add(SlDevice *dev, const SlTensor *a, const SlTensor *b, float scale, SlTensor *out);
void sl_cpu_concat(SlDevice *dev, const SlTensor *a, const SlTensor *b, SlTensor *out);
void sl_cpu_upsample(SlDevice *dev, const SlTensor *x, SlTensor *out);
/* out = (act(out + per_channel) + residual) * scale in one pass; the bias is in already. */
void sl_cpu_finish(SlDevice *dev, const SlEpilogue *e, SlTensor *out);
void sl_cpu_linear_epilogue(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                            const SlEpilogue *e, SlTensor *out);
void sl_cpu_conv2d_epilogue(SlDevice *dev, const SlTensor *x, const SlWeight *w, const SlConv *conv,
                            const SlEpilogue *e, SlTensor *out);

#endif
