/* bench.h - how long the stages of a run take on this machine. */
#ifndef SL_APP_BENCH_H
#define SL_APP_BENCH_H

#include "engine/engine.h"

/* Seconds, operations (multiplications and additions counted apart) and memory. */
typedef struct SlBench {
    char what[128]; /* "sd15, 512 x 512, random weights" */
    char device[256];
    int steps;
    double text, step_median, step_fastest, preview, decode;
    double text_flops, step_flops, decode_flops;
    size_t device_bytes; /* weights, arena and buffers */
} SlBench;

/* A model as it is, with real weights. */
bool sl_bench_model(SlModel *model, int steps, SlBench *bench, SlError *err);
/* A famous shape ("sd15") with random weights: nothing is read from disk. */
bool sl_bench_shape(const char *arch, const SlDeviceOptions *device, int steps, SlBench *bench,
                    SlError *err);

#endif
