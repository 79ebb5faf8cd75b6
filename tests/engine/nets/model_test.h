/* model_test.h - what the model tests share: golden tensors on a device, comparing, opening parts.
 */
#ifndef SL_MODEL_TEST_H
#define SL_MODEL_TEST_H

#include "engine/nets/unet.h"
#include "engine/nets/vae.h"
#include "engine/text/text_encoder.h"
#include "tests/test.h"

/* A golden tensor on the host, f32, in diffusers' order. Ends the program when it is not there. */
typedef struct Golden {
    int rank;
    int64_t size[SL_MAX_RANK];
    int64_t elements;
    float *values;
} Golden;

SlWeightSource *golden_open(const char *pipeline);
bool golden_has(const SlWeightSource *file, const char *format, ...) SL_PRINTF(2, 3);
Golden golden_read(const SlWeightSource *file, const char *format, ...) SL_PRINTF(2, 3);
void golden_free(Golden *g);

/* A golden picture or feature map [N, C, H, W] as [N, H, W, C] in the device's dtype, in the arena.
 */
SlTensor golden_upload(SlDevice *dev, const Golden *g);
/* A result on the host, f32; [N, H, W, C] comes back as [N, C, H, W]. malloc'ed. */
float *result_download(SlDevice *dev, const SlTensor *t);

/* How far a result is from its golden. */
typedef struct Distance {
    double max_abs, nmse, psnr; /* psnr: for values that span 2, as pictures in -1..1 do */
    bool finite;
} Distance;
Distance distance(const float *result, const Golden *golden);

/* One part of a pipeline: its configuration's file and its weights. */
typedef struct Part {
    SlJson *json;
    SlWeightSource *weights;
    SlBinder *binder;
} Part;

/* Ends the program with the sentence when the folder cannot be opened. */
Part part_open(SlDevice *dev, const char *pipeline, const char *component);
void part_close(Part *part);

/* Ends the program, its tests skipped, on a machine without the device. */
SlDevice *device_open(const char *name, const char *dtype);

#endif
