/* cpu.h - the cpu device: ref overlaid with vector code, with oneDNN for matrix products and direct
 * convolutions on processors with AVX-512, and with products of its own in bf16 where the processor has them
 * (AVX-512 BF16, AMX). Private to kernels/.
 *
 * Activations are f32 or bf16. Every kernel cuts its work by shape alone (sl_parallel_for), or such that
 * the cut does not show (products_bf16.c), so results are the same bytes for any number of threads.
 */
#ifndef SL_KERNELS_CPU_H
#define SL_KERNELS_CPU_H

#include "kernels/kernels.h"

typedef struct SlOneDnn SlOneDnn; /* engine, stream, cached primitives */
typedef struct SlWeightBlock SlWeightBlock;

/* Levels of the x86-64 psABI; others are BASE. */
typedef enum SlCpuIsa { SL_CPU_BASE, SL_CPU_V3, SL_CPU_V4 } SlCpuIsa;
/* What multiplies bf16; NONE: oneDNN, or our products of f32. */
typedef enum SlCpuBf16 { SL_CPU_BF16_NONE, SL_CPU_BF16_VECTORS, SL_CPU_BF16_AMX } SlCpuBf16;

typedef struct SlCpuDevice {
    SlDevice base;
    SlOps ops;
    SlOps own;        /* our own products, where a weight is not in oneDNN's layout */
    SlOps rest;       /* for products of bf16 whose weights are no tiles */
    SlOps apart;      /* composites for the shapes that the fused slots do not handle */
    SlOneDnn *onednn; /* NULL: all products are our own */
    SlCpuBf16 bf16;
    SlWeightBlock *weight_blocks;  /* the first has room */
    SlWeightBlock *passing_blocks; /* the same of weights that are made for one product only */
    char describe[200];
} SlCpuDevice;

/* Outputs that lie side by side in packed weights: two vectors. */
#define SL_CPU_PANEL 32
/* Input channels from which on a 3x3 convolution is Winograd's. */
#define SL_CPU_WINOGRAD 32

/* Of a product of oneDNN's, which cannot be stopped within: a tenth of a second on two cores. Products
 * are cut by their shape alone, so that the bytes are the same everywhere. */
#define SL_CPU_CUT_FLOPS 1e10

/* How many rows of this many elements one range of sl_parallel_for should have at least. */
static inline int64_t sl_cpu_grain(int64_t row)
{
    return row < 16384 ? 16384 / (row > 0 ? row : 1) : 1;
}

/* pack.c: weights. A product's weight is packed for our own code (value) or in oneDNN's layouts
 * (prepared). */
bool sl_cpu_weight_init(SlDevice *dev, SlWeight *w, const SlTensor *host);
bool sl_cpu_weight_reads(const SlDevice *dev, const SlWeight *w, const SlTensor *shape);
bool sl_cpu_weight_read(SlDevice *dev, SlWeight *w, const SlWeightReader *reader);
bool sl_cpu_weight_fill(SlDevice *dev, SlWeight *w, const SlTensor *host);
bool sl_cpu_weight_copy(SlDevice *dev, SlWeight *to, const SlWeight *from);
void sl_cpu_weight_clear(SlDevice *dev, SlWeight *w);

/* A weight that is kept in 8 bits (w->value is of SL_U8): 32 elements of the window of a panel's
 * outputs. [panel][block of the window]; for products of bf16 (tiles.h), where a window's channels are whole blocks,
 * [panel][32 channels][row and column]. */
typedef struct SlCpuQ8 {
    uint16_t scale[SL_CPU_PANEL];   /* f16 */
    int8_t value[32][SL_CPU_PANEL]; /* [element of the window][output] */
} SlCpuQ8;

/* copy.c */
void sl_cpu_copy(SlDevice *dev, const SlTensor *x, SlTensor *out);

/* processor.c: what the processor has; its name; and its features, as digits. */
SlCpuIsa sl_cpu_isa(void);
SlCpuBf16 sl_cpu_bf16(void); /* with more than V4; asks the system for the matrix unit */
void sl_cpu_name(char *out, size_t size);
void sl_cpu_features(char *out, size_t size);

/* Is the weight of a product packed as tiles (tiles.h)? With fewer channels than half a tile has, most of
 * what is multiplied would be zeros: those are computed otherwise, but for weights in 8 bits. */
static inline bool sl_cpu_in_tiles(const SlDevice *dev, const SlWeight *w)
{
    return dev->dtype == SL_BF16 && ((const SlCpuDevice *)dev)->bf16 != SL_CPU_BF16_NONE &&
           (w->value.dtype == SL_U8 || (w->size[0] >= 16 && w->size[1] >= 16));
}

/* weight_memory.c: memory of weights, counted as work.weight_bytes; NULL where there is none. */
void *sl_cpu_weight_alloc(SlDevice *dev, size_t bytes);
void sl_cpu_weight_free(SlDevice *dev, void *p, size_t bytes);
void sl_cpu_weights_passed(SlDevice *dev);

/* onednn.c. *onednn is NULL where it has nothing better than our own code, or this program was built
 * without it. False without memory. It computes on the team's threads. any_isa: also without AVX-512,
 * for tests. */
bool sl_onednn_open(SlDtype dtype, struct SlTeam *team, bool any_isa, SlOneDnn **onednn);
void sl_onednn_close(SlOneDnn *o);
/* "oneDNN 3.7.2 3f", with the instructions that it uses; "" in a program without it. */
void sl_onednn_name(char *out, size_t size);
bool sl_onednn_weight_init(SlDevice *dev, SlWeight *w, const SlTensor *host);
bool sl_onednn_weight_fill(SlDevice *dev, SlWeight *w, const SlTensor *host);
bool sl_onednn_weight_copy(SlDevice *dev, SlWeight *to, const SlWeight *from);
void sl_onednn_weight_clear(SlDevice *dev, SlWeight *w);
void sl_onednn_linear_slots(SlOps *ops);
/* For a weight with prepared layouts. */
void sl_onednn_conv2d_epilogue(SlDevice *dev, const SlTensor *x, const SlWeight *w,
                               const SlConv *conv, const SlEpilogue *e, SlTensor *out);

/* What the files that are compiled once per instruction set put into the table. */
#define SL_CPU_SLOTS(isa)                                                                \
    void sl_cpu_attention_slots_##isa(SlOps *ops);                                       \
    void sl_cpu_attention_map_slots_##isa(SlOps *ops);                                   \
    void sl_cpu_norm_slots_##isa(SlOps *ops);                                            \
    void sl_cpu_peak_slots_##isa(SlOps *ops);                                            \
    void sl_cpu_elementwise_slots_##isa(SlOps *ops);                                     \
    void sl_cpu_product_slots_##isa(SlOps *ops);                                         \
    void sl_cpu_conv_slots_##isa(SlOps *ops);                                            \
    bool sl_cpu_winograd_##isa(SlDevice *dev, const SlTensor *x, const SlWeight *w,      \
                               const SlConv *conv, const SlEpilogue *e, SlTensor *out);  \
    void sl_cpu_conv2d_direct_##isa(SlDevice *dev, const SlTensor *x, const SlWeight *w, \
                                    const SlConv *conv, const SlEpilogue *e, SlTensor *out);
/* attention_bf16.c and attention_amx.c, where the compiler knows them: attention with the
 * processor's products of bf16, in vectors and on the matrix unit. */
void sl_cpu_attention_slots_bf16(SlOps *ops);
void sl_cpu_attention_slots_amx(SlOps *ops);

/* products_bf16.c: products of bf16 by weights that are packed as tiles, on the matrix unit and in vectors. */
void sl_cpu_product_slots_amx(SlOps *ops);
void sl_cpu_product_slots_bf16(SlOps *ops);
/* peak.c and peak_amx.c: the same of the processor's highest rate. */
void sl_cpu_peak_slots_bf16(SlOps *ops);
void sl_cpu_peak_slots_amx(SlOps *ops);

/* pack_tiles.c: a block of up to 32 channels of a panel's outputs, as tiles of all elements of the window. */
typedef struct SlTilePack {
    const char *from; /* [output][channel][element of the window], outputs `step` elements apart */
    SlDtype dtype;
    int64_t step;
    int64_t outputs, channels, taps; /* that are there; the rest becomes zeros */
    float *room;                     /* 16 x 32 for each element of the window */
    uint16_t *to;
} SlTilePack;
void sl_cpu_pack_tiles(const SlTilePack *p);
/* Norms and what is element by element, for processors that have either. */
void sl_cpu_norm_slots_bf16(SlOps *ops);
void sl_cpu_elementwise_slots_bf16(SlOps *ops);

SL_CPU_SLOTS(base)
SL_CPU_SLOTS(v3)
SL_CPU_SLOTS(v4)

#endif
