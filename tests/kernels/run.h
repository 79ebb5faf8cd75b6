/* run.h - one case of an operation, run on one device: inputs from a seed, an output between guard
 * zones, everything freed at the end.
 *
 * A case is a function over a Run. It is called once for ref and once for the device under test
 * with the same seed, so both see the same numbers, and only the outputs are compared. The same
 * functions are timed by --bench.
 */
#ifndef SL_TESTS_KERNELS_RUN_H
#define SL_TESTS_KERNELS_RUN_H

#include "kernels/kernels.h"

#define RUN_MAX 24

typedef struct Run {
    SlDevice *dev;
    uint64_t seed;
    SlTensor buffer[RUN_MAX]; /* memory behind the tensors of the case */
    int buffers;
    SlWeight *weight[RUN_MAX];
    int weights;
    SlTensor out, out_memory; /* the output and the whole memory around it */
    float *before;            /* what out_memory held before the operation */
    double seconds;           /* of the fastest repetition, where bench asks for it */
    int repeat;               /* how often an operation is run; 1 but for bench */
} Run;

/* NULL, and a note that says why, when it does not open. */
SlDevice *run_device(const char *name, SlDtype dtype, int threads);
/* Numbers of a few magnitudes in -1 .. 1 times scale, the same for every device. */
SlTensor run_input(Run *r, int rank, const int64_t *size, float scale);
/* The same of another dtype than the device's. */
SlTensor run_input_as(Run *r, SlDtype dtype, int rank, const int64_t *size, float scale);
SlTensor run_ids(Run *r, int64_t n, int64_t length, int vocabulary);
/* The given numbers, in the device's dtype. */
SlTensor run_values(Run *r, const float *values, int64_t n);
SlWeight *run_weight(Run *r, SlWeightKind kind, int rank, const int64_t *size, float scale);
/* Contiguous output between guard zones; gap > 0: rows of the last axis are gap elements apart. */
SlTensor run_output(Run *r, SlDtype dtype, int rank, const int64_t *size, int64_t gap);
/* The output is this tensor of the case, for operations in place. */
void run_in_place(Run *r, const SlTensor *t);

/* After the case: the output as f32 (malloc'ed, *n elements). NULL when the device failed. */
float *run_result(Run *r, int64_t *n);
/* How many elements around the output changed. */
int64_t run_stray_writes(Run *r);
void run_free(Run *r);

#define SIZES(...) ((const int64_t[]){__VA_ARGS__})

typedef struct Case {
    const char *name;
    void (*run)(Run *r);
} Case;
extern const Case cases[];
extern const int case_count;
/* Large enough to be shared between threads. */
extern const Case thread_cases[];
extern const int thread_count;
/* Shapes of Stable Diffusion 1.5 at 512 x 512, for --bench. */
extern const Case bench_cases[];
extern const int bench_count;

#endif
