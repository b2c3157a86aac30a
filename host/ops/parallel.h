#ifndef LAC_PARALLEL_H
#define LAC_PARALLEL_H

/// Before a loop whose rounds are independent: all threads of the float kernels share it.
#ifdef _OPENMP
#define LAC_PARALLEL _Pragma("omp parallel for schedule(static)")
#else
#define LAC_PARALLEL
#endif

#endif
