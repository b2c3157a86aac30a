#ifndef LAC_HLS_H
#define LAC_HLS_H

/// The dialects in which the kernel is compiled: C99 and C++14 (Vitis HLS, Bambu, every host compiler) and
/// OpenCL C 1.2. What differs between them is here and nowhere else.

#if defined(__OPENCL_VERSION__) || defined(__OPENCL_C_VERSION__)
#define LAC_OPENCL 1
typedef char int8_t;
typedef uchar uint8_t;
typedef short int16_t;
typedef ushort uint16_t;
typedef int int32_t;
typedef uint uint32_t;
typedef long int64_t;
typedef ulong uint64_t;
#define LAC_KERNEL __kernel __attribute__((reqd_work_group_size(1, 1, 1)))
#define LAC_GLOBAL __global
// Checkers of OpenCL do not know what compilers make of `restrict` when they inline, and nothing here gains
// by it.
#define LAC_RESTRICT
#else
#include <stdint.h>
#define LAC_KERNEL
#define LAC_GLOBAL
#ifdef __cplusplus
#define LAC_RESTRICT __restrict__
#else
#define LAC_RESTRICT restrict
#endif
#endif

#define LAC_FN static inline

/// LAC_HLS(PIPELINE II=1): a pragma for Vitis HLS, nothing for everyone else.
#if defined(__SYNTHESIS__) || defined(__VITIS_HLS__)
#define LAC_HLS_(text) _Pragma(#text)
#define LAC_HLS(text) LAC_HLS_(HLS text)
#else
#define LAC_HLS(text)
#endif

#endif
