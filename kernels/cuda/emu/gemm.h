/* gemm.h - a product as the stand-in for cuBLASLt passes it on: gemm.cpp computes it. */
#ifndef SL_CUDA_EMU_GEMM_H
#define SL_CUDA_EMU_GEMM_H

#include "emu.h"

#include "cublasLt.h"

namespace cuda_emu
{
static inline size_t size_of(cudaDataType t)
{
    return t == CUDA_R_32F ? 4 : 2;
}

struct Matrix {
    const void *p;
    cudaDataType type;
    int ld;
    long long stride;

    size_t span(int rows, int columns, int batch) const // bytes that it covers
    {
        return ((size_t)(batch - 1) * stride + (size_t)ld * (columns - 1) + rows) * size_of(type);
    }

    const void *item(int i) const // one of the batch, where it can be read
    {
        return (const char *)real(p) + (size_t)i * stride * size_of(type);
    }
};

struct Gemm {
    bool ta, tb;
    int m, n, k, batch;
    float alpha, beta;
    Matrix a, b, c, d;
    int epilogue;
    const void *bias;
    cudaDataType bias_type;
};

/* d = alpha a b + beta c and what follows, by columns; 0 or the error of a launch. */
int run_gemm(const Gemm &g);
} // namespace cuda_emu

#endif
