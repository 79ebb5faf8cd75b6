/* attention.cuh - what both attention kernels share. */
#ifndef SL_KERNELS_CUDA_ATTENTION_CUH
#define SL_KERNELS_CUDA_ATTENTION_CUH

#include "kernels/cuda/elements.h"
#include "kernels/cuda/launch.h"

struct AttentionShape {
    int lq, lk, d, causal;
    int64_t q_item, q_row, k_item, k_row, v_item, v_row, o_item, o_row; /* strides */
    float scale_log2; /* scores are powers of two: log2(e) is in the scale */
};

/* How many keys the queries before end see. */
GPU_DEV int attention_keys(const AttentionShape &a, int end)
{
    return a.causal && end < a.lk ? end : a.lk;
}

static inline AttentionShape attention_shape(const SlAttentionLaunch *l)
{
    return {l->lq,
            l->lk,
            l->d,
            l->causal,
            l->qs[0],
            l->qs[1],
            l->ks[0],
            l->ks[1],
            l->vs[0],
            l->vs[1],
            l->os[0],
            l->os[1],
            l->scale * 1.4426950408889634f};
}

cudaError_t sl_launch_attention_plain(const SlAttentionLaunch *l, cudaStream_t s);

#endif
