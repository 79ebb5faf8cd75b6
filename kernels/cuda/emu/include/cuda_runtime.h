/* cuda_runtime.h - what nvcc's header of this name gives to .cu files. */
#ifndef SL_CUDA_EMU_RUNTIME_H
#define SL_CUDA_EMU_RUNTIME_H

#include "cuda_runtime_api.h"

#ifdef __cplusplus
#include "cuda_emu.h"

template <class T> static inline cudaError_t cudaMalloc(T **p, size_t n)
{
    return ::cudaMalloc((void **)p, n);
}

template <class... P>
static inline cudaError_t cudaFuncSetAttribute(void (*k)(P...), cudaFuncAttribute a, int v)
{
    return ::cudaFuncSetAttribute((const void *)k, a, v);
}
#endif

#endif
