/* library_types.h - types of elements, as cuBLAS names them. */
#ifndef SL_CUDA_EMU_LIBRARY_TYPES_H
#define SL_CUDA_EMU_LIBRARY_TYPES_H

typedef enum { CUDA_R_32F = 0, CUDA_R_16F = 2, CUDA_R_16BF = 14 } cudaDataType;
typedef cudaDataType cudaDataType_t;

#endif
