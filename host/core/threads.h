#ifndef LAC_THREADS_H
#define LAC_THREADS_H

#include <stddef.h>

/// Number of cores this process may use.
int lac_n_cores(void);

/// Calls work(ctx, item, worker) for item = 0 .. n_items-1 on n_workers threads and returns when all are
/// done. Items are handed out in order; worker is 0 .. n_workers-1, so state can be kept per worker. A call
/// with n_workers <= 1 runs here.
void lac_parallel_for(size_t n_items, int n_workers, void (*work)(void *ctx, size_t item, int worker),
                      void *ctx);

#endif
