/* devices.h - how devices are made; private to kernels/. */
#ifndef SL_KERNELS_DEVICES_H
#define SL_KERNELS_DEVICES_H

#include "kernels/kernels.h"

#include <stddef.h>

/* Each allocates its own struct with SlDevice as first member and sets ops, name and dtype;
 * sl_device_open does the rest. NULL and *err on failure. */
SlDevice *sl_ref_open(const SlDeviceOptions *options, SlError *err);
SlDevice *sl_cpu_open(const SlDeviceOptions *options, SlError *err);
SlDevice *sl_measure_open(const SlDeviceOptions *options, SlError *err);
/* The module safelight-cuda, opened with dlopen; refused unless its sl_cuda_device_layout says what
 * the program was built with. */
typedef struct SlDeviceLayout {
    uint64_t declared;    /* SL_DEVICE_LAYOUT: names and order of all that kernels.h declares */
    uint32_t ops, device; /* sizes as the compiler laid them out */
    uint32_t first_op, last_op; /* and places in SlOps */
} SlDeviceLayout;
/* Needs kernels/device_layout.h, which the build makes. */
#define SL_DEVICE_LAYOUT_HERE                                                     \
    {                                                                             \
        SL_DEVICE_LAYOUT, sizeof(SlOps), sizeof(SlDevice), offsetof(SlOps, copy), \
            offsetof(SlOps, linear_geglu)                                         \
    }
SlDevice *sl_cuda_open(const SlDeviceOptions *options, SlError *err);

/* What of the GPU can be told without the module: "CUDA: NVIDIA H200, compute capability 9.0". False
 * and *err where there is none that could be opened. */
bool sl_cuda_look(char *name, size_t size, SlError *err);

/* The check device over an open device, which it owns from now on, also when it fails. */
SlDevice *sl_check_over(SlDevice *tested, SlError *err);

/* The reference table, for devices that overlay it. All slots but close, describe filled. */
extern const SlOps sl_ref_ops;

/* Around a product: lays its weight out where it waits, and gives up what was laid out for this product
 * only. False when the device's status is or becomes bad. */
bool sl_weight_want(SlDevice *dev, const SlWeight *w);
void sl_weight_pass(SlDevice *dev, const SlWeight *w);

/* Floating-point operations of a product and of attention; a multiply-add counts as two. */
double sl_product_flops(const SlWeight *w, const SlTensor *out);
double sl_attention_flops(const SlTensor *q, const SlTensor *k);

/* "[2, 64, 64, 320] f32", for messages. */
typedef struct SlShapeText {
    char text[120];
} SlShapeText;
SlShapeText sl_shape_text(const SlTensor *t);

/* Memory of the host, for devices that compute there. Large blocks are only given where there is
 * memory for them (sl_host_memory_left): touching them would end the program otherwise. */
void *sl_host_alloc(SlDevice *dev, size_t bytes);
void sl_host_free(SlDevice *dev, void *p, size_t bytes);
void sl_host_upload(SlDevice *dev, const void *host, void *p, size_t bytes);
void sl_host_download(SlDevice *dev, const void *p, void *host, size_t bytes);

#endif
