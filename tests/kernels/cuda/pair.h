/* pair.h - the same tensor twice: in host memory for ref, in (emulated) device memory for a kernel.
 *
 * Device memory is taken for every tensor by itself. In the check build nothing lies around it, so
 * that reading beyond an end is seen; otherwise outputs lie between guard zones.
 */
#ifndef SL_TESTS_CUDA_PAIR_H
#define SL_TESTS_CUDA_PAIR_H

#include "kernels/cuda/launch.h"
#include "kernels/kernels.h"

#define SIZES(...) ((const int64_t[]){__VA_ARGS__})

typedef struct Pair {
    SlTensor host, dev;
} Pair;

typedef struct Vector {
    SlWeight *host;
    const float *dev;
} Vector;

/* What a case works with: made before it, freed after it. */
typedef struct Bench {
    SlDevice *ref;
    SlDtype dtype;
    cudaStream_t stream;
    uint64_t seed;
    void *host_memory[32], *dev_memory[32];
    SlWeight *weights[8];
    int hosts, devs, weight_count;
    Pair out;
    void *out_memory; /* of the device, guard zones included */
    size_t out_bytes, guard;
} Bench;

bool bench_open(Bench *b, SlDtype dtype);
void bench_close(Bench *b);

/* Random numbers in -scale .. scale; dtype of the bench unless given. */
Pair pair_input(Bench *b, int rank, const int64_t *size, float scale);
Pair pair_input_as(Bench *b, SlDtype dtype, int rank, const int64_t *size, float scale);
Pair pair_values(Bench *b, SlDtype dtype, int64_t n, const void *values);
/* The same numbers as an array, malloc'ed; a tensor of such numbers in the bench's dtype. */
float *pair_random(Bench *b, int64_t n, float scale);
Pair pair_floats(Bench *b, int rank, const int64_t *size, const float *values);
/* b->out, which is compared at the end. pitch > last size: rows with gaps between them. */
Pair *pair_output(Bench *b, SlDtype dtype, int rank, const int64_t *size, int64_t pitch);
/* b->out is p: an operation in place. */
void pair_in_place(Bench *b, const Pair *p);
Vector vector_input(Bench *b, int64_t n, float scale);
/* Device memory never written. */
void *pair_scratch(Bench *b, size_t bytes);
/* [O, I, KH, KW] for ref, [O, KH, KW, padded I] for the kernel. */
const void *conv_weight(Bench *b, const int64_t size[4], SlWeight **host);

/* A test line: launched without error, nothing reported by the emulation, the same numbers as ref,
 * and nothing written beside the output. Frees everything of the case. */
void bench_compare(Bench *b, cudaError_t launched, const char *format, ...) SL_PRINTF(3, 4);
/* After the last case: the plan, and the program's exit status. */
int bench_done(void);

/* The cases, by file; each of all dtypes. */
void test_elementwise(Bench *b);
void test_norms(Bench *b);
void test_convolutions(Bench *b);
void test_attention(Bench *b);
void test_softmax(Bench *b);

#endif
