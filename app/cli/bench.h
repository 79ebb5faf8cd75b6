/* bench.h - how long the stages of a run take on this machine. */
#ifndef SL_APP_BENCH_H
#define SL_APP_BENCH_H

#include "engine/engine.h"

/* The profile of a stage. */
typedef struct SlBenchProfile {
    int runs;
    double seconds; /* of all runs */
    SlProfileRow *rows;
    size_t count;
} SlBenchProfile;

typedef struct SlBenchOptions {
    int steps;
    int width, height; /* of the picture; 0: the model's */
    bool profile;
    bool maps;   /* steps with maps of the words, too */
    bool cached; /* and steps that take over a part of an earlier one */
} SlBenchOptions;

/* Seconds, operations (multiplications and additions counted apart) and memory. */
typedef struct SlBench {
    char what[128]; /* "sd15, 512 x 512, random weights" */
    char device[256];
    char dtypes[200]; /* as SlModelOptions.dtype, */
    char why[500];    /* and why they are what "auto" is; "": that was not asked for */
    SlDtype dtype;    /* that the device computes in */
    int steps;
    double load; /* 0 for random weights */
    double text, step_median, step_fastest, preview, decode;
    double first_preview; /* from pressing Generate on a loaded model; 0 for random weights */
    double step_decoding; /* median step while the picture of the one before is decoded beside it; 0
                             where the device cannot */
    /* median step that leaves maps of the words, 0: not measured; how much longer it takes than one
     * without */
    double step_maps, step_maps_share;
    /* the same of steps that take over a part (SlCaching): deep with branch 0, first block */
    double step_cached[2], step_cached_share[2];
    double text_flops, step_flops, decode_flops;
    size_t device_bytes; /* weights, arena and buffers, as measured before */
    size_t weight_bytes; /* of that the weights, as the device holds them */
    size_t held_bytes;   /* the same, as the device held them at most */
    SlCeiling ceiling;   /* with a profile */
    SlBenchProfile text_profile, step_profile, decode_profile;
} SlBench;

/* A model as it is, with real weights. */
bool sl_bench_model(SlModel *model, const SlBenchOptions *options, SlBench *bench, SlError *err);
/* A known architecture ("sd15") with random weights: nothing is read from disk. Of `on` device, threads
 * and types count. */
bool sl_bench_shape(const char *arch, const SlModelOptions *on, const SlBenchOptions *options,
                    SlBench *bench, SlError *err);
void sl_bench_clear(SlBench *bench);

#endif
