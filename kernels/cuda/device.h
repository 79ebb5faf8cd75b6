/* device.h - the cuda device's own state; private to kernels/cuda/.
 *
 * Host code in plain C: the same files are linked with the real CUDA libraries into the module, and
 * with the emulation of kernels/cuda/emu/ into the module that the tests use. Nothing here follows
 * a device pointer.
 */
#ifndef SL_KERNELS_CUDA_DEVICE_H
#define SL_KERNELS_CUDA_DEVICE_H

#include "kernels/kernels.h"

#include <cublasLt.h>
#include <cuda_runtime_api.h>

#define SL_CUDA_STAGING   ((size_t)8 << 20)  /* bytes of one half of the pinned memory */
#define SL_CUDA_WORKSPACE ((size_t)32 << 20) /* for products and convolutions, in turn */
#define SL_CUDA_PRODUCTS  512                /* different products that a device remembers */
#define SL_CUDA_CHANNELS  8                  /* 16-bit convolution weights: channels of a load */

/* What host code copies through. While one half travels the other is filled. */
typedef struct SlCudaStaging {
    char *half[2];
    cudaEvent_t done[2]; /* recorded after the half's last copy */
    int next;
} SlCudaStaging;

/* Operations are asked for ahead of the device, but not so far that a cancel would have to wait: the
 * operations between two events are a chunk, and at most two chunks are under way. */
typedef struct SlCudaPace {
    cudaEvent_t end[2]; /* of the last two chunks */
    bool recorded[2];
    int next;
    int asked, chunk; /* operations of the present chunk: so far, at most */
    double waited_at; /* seconds; when the last wait was over */
} SlCudaPace;

typedef struct SlCudaProduct SlCudaProduct; /* device_products.c */

typedef struct SlCudaDevice {
    SlDevice base;
    SlOps ops;
    cudaStream_t stream; /* everything of this device happens here, in order */
    cublasLtHandle_t lt;
    void *workspace;
    SlCudaStaging staging;
    SlCudaPace pace;
    void *fetched; /* pinned: what sl_fetch brought last */
    size_t fetched_bytes;
    SlCudaProduct *products;
    int product_count;
    int multiprocessors;
    bool capturing; /* operations are being remembered, not run */
    char describe[300];
} SlCudaDevice;

static inline SlCudaDevice *sl_cuda_of(SlDevice *dev)
{
    return (SlCudaDevice *)dev;
}

/* ---- errors: device_errors.c ---- */

/* False for an error, which becomes the device's status: SL_MEMORY and SL_UNSUPPORTED (a launch
 * that was refused for its sizes) can be survived, everything else is SL_DEVICE and ends CUDA for
 * this process. what: "copying to the device". */
bool sl_cuda_check(SlCudaDevice *d, cudaError_t error, const char *what);
/* The same without a status, for opening. */
bool sl_cuda_open_check(cudaError_t error, const char *what, SlError *err);
/* CUDA is dead for this process: sl_cuda_device_open refuses from now on. */
void sl_cuda_set_dead(const char *message);
/* True, with the sentence in *err, when it is. */
bool sl_cuda_is_dead(SlError *err);

/* ---- memory: device_memory.c ---- */

bool sl_cuda_staging_open(SlCudaStaging *s, SlError *err);
void sl_cuda_staging_close(SlCudaStaging *s);
void sl_cuda_memory_slots(SlOps *ops);
/* Host memory to the device through the pinned halves; returns when the host memory may change. */
void sl_cuda_send(SlCudaDevice *d, const void *host, void *p, size_t bytes);

/* ---- the stream: device_graph.c ---- */

void sl_cuda_graph_slots(SlOps *ops);
bool sl_cuda_pace_open(SlCudaPace *p, SlError *err);
void sl_cuda_pace_close(SlCudaPace *p);
/* Sets how much work is one operation, and how much is remembered as one, by what the device can do
 * in a few hundredths of a second. */
void sl_cuda_set_limits(SlCudaDevice *d);
/* How many of `rows` rows of an operation with so many floating-point operations are done at once, a
 * multiple of `grain`: all where the operation is short. By its shape and the device alone. */
int64_t sl_cuda_rows_at_once(const SlDevice *dev, double flops, int64_t rows, int64_t grain);
/* Between two parts of an operation: waits as before an operation; false once it is to stop. */
bool sl_cuda_go_on(SlDevice *dev);

/* ---- weights: device_weights.c ---- */

/* Vectors: value is f32; prepared is a copy in the device's type, for cuBLASLt's epilogues.
 * Convolutions: value is [O, KH, KW, I] with I rounded up to SL_CUDA_CHANNELS for 16-bit types. */
void sl_cuda_weight_slots(SlOps *ops);
const void *sl_cuda_half_vector(const SlWeight *w); /* NULL for NULL */
/* The plain weights of a product in `dtype`: where they are, or, of weights in 8 bits, made in the
 * arena. NULL without memory, with the status set. */
const void *sl_cuda_plain_weight(SlDevice *dev, const SlWeight *w, SlDtype dtype);

/* ---- operations ---- */

bool sl_cuda_products_open(SlCudaDevice *d, SlError *err);
void sl_cuda_products_close(SlCudaDevice *d);
void sl_cuda_product_slots(SlOps *ops);
void sl_cuda_attention_slots(SlOps *ops);
void sl_cuda_simple_slots(SlOps *ops);

#endif
