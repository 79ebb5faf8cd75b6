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

/* Outputs that lie side by side in the weights of products.c: two vectors. */
#define SL_CPU_PANEL 32

/* How many rows of this many elements are worth a range of sl_parallel_for. */
static inline int64_t sl_cpu_grain(int64_t row)
{
    return row < 16384 ? 16384 / (row > 0 ? row : 1) : 1;
}

/* onednn.c, or portable.c without it */
SlOneDnn *sl_onednn_open(SlError *err);
void sl_onednn_close(SlOneDnn *o);
bool sl_cpu_weight_init(SlDevice *dev, SlWeight *w, const SlTensor *host);
void sl_cpu_weight_clear(SlDevice *dev, SlWeight *w);
void sl_onednn_slots(SlOps *ops); /* only with oneDNN: linear, conv2d */

/* What the files that are compiled once per instruction set put into the table. */
#define SL_CPU_SLOTS(isa)                            \
    void sl_cpu_attention_slots_##isa(SlOps *ops);   \
    void sl_cpu_norm_slots_##isa(SlOps *ops);        \
    void sl_cpu_peak_slots_##isa(SlOps *ops);        \
    void sl_cpu_elementwise_slots_##isa(SlOps *ops); \
    void sl_cpu_product_slots_##isa(SlOps *ops); /* only without oneDNN */
SL_CPU_SLOTS(base)
SL_CPU_SLOTS(v3)
SL_CPU_SLOTS(v4)

#endif
