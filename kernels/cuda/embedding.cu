/* embedding.cu - tokens and timesteps to vectors; mirrors ref/elementwise.c. */
#include "kernels/cuda/elements.h"
#include "kernels/cuda/launch.h"

#define LAUNCH_BOUNDS __launch_bounds__(256)

struct Lookup {
    int length, d; /* of a sequence, of an embedding */
};

template <class T>
__global__ void LAUNCH_BOUNDS embedding_kernel(const int *ids, const T *tokens, const T *positions,
                                               T *y, Lookup l, int64_t count)
{
    GPU_FLAT_LOOP (i, count) {
        const int64_t row = i / l.d, at = i % l.d;
        float v = gpu_f(tokens[(int64_t)ids[row] * l.d + at]);
        if (positions)
            v += gpu_f(positions[row % l.length * l.d + at]);
        y[i] = gpu_from<T>(v);
    }
}

cudaError_t sl_launch_embedding(const SlTensor *ids, const SlTensor *tokens,
                                const SlTensor *positions, const SlTensor *y, cudaStream_t s)
{
    const Lookup l = {(int)ids->size[1], (int)tokens->size[1]};
    const int64_t count = sl_tensor_elements(y);
    if (count == 0)
        return cudaSuccess;
    return gpu_by_type(y->dtype, [&](auto e) {
        typedef decltype(e) T;
        return gpu_launch(embedding_kernel<T>, gpu_flat(count, s), (const int *)ids->data,
                          (const T *)tokens->data, (const T *)(positions ? positions->data : NULL),
                          (T *)y->data, l, count);
    });
}

struct Waves {
    int dim, flip;
    float log_period, divisor; /* frequency i is exp(-log_period * i / divisor) */
};

/* In the same f32 steps as torch: the angle reaches 1000, where they show. Only exp is in double,
 * as the device's expf is not rounded as well as the host's. */
template <class T>
__global__ void LAUNCH_BOUNDS timestep_kernel(const float *times, T *y, Waves w, int count)
{
    GPU_FLAT_LOOP (i, count) {
        const int half = w.dim / 2, at = (int)(i % w.dim), k = at % half;
        float v = 0; /* the last of an odd number */
        if (at < 2 * half) {
            const float exponent = -w.log_period * (float)k / w.divisor;
            const float angle = times[i / w.dim] * (float)exp((double)exponent);
            v = (at < half) == (w.flip != 0) ? cosf(angle) : sinf(angle);
        }
        y[i] = gpu_from<T>(v);
    }
}

cudaError_t sl_launch_timestep_embedding(const SlTensor *times, const SlTimestepEmbedding *e,
                                         const SlTensor *y, cudaStream_t s)
{
    const int dim = (int)y->size[1], count = (int)sl_tensor_elements(y);
    const Waves w = {dim, e->flip_sin_to_cos, logf(e->max_period),
                     (float)(dim / 2) - e->downscale_freq_shift};
    if (count == 0)
        return cudaSuccess;
    return gpu_by_type(y->dtype, [&](auto t) {
        typedef decltype(t) T;
        return gpu_launch(timestep_kernel<T>, gpu_flat(count, s), (const float *)times->data,
                          (T *)y->data, w, count);
    });
}
