#ifndef LAC_PARALLEL_H
#define LAC_PARALLEL_H

/// Before a loop whose rounds are independent: all threads of the float kernels share it.
#ifdef _OPENMP
#define LAC_PARALLEL _Pragma("omp parallel for schedule(static)")
#else
#define LAC_PARALLEL
#endif

/// Before an inner loop whose rounds touch different memory, where the compiler cannot see it.
#if defined(__GNUC__) && !defined(__clang__)
#define LAC_VECTOR _Pragma("GCC ivdep")
#else
#define LAC_VECTOR
#endif

#endif
