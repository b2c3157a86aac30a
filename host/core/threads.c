#define _GNU_SOURCE
#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

enum { MAX_WORKERS = 256 };

typedef struct job {
    atomic_size_t next;
    size_t n_items;
    void (*work)(void *, size_t, int);
    void *ctx;
} job;

typedef struct seat {
    job *job;
    int worker;
} seat;

int lac_n_cores(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

static void *take_items(void *arg) {
    seat *s = arg;
    job *j = s->job;
    for (size_t i; (i = atomic_fetch_add(&j->next, 1)) < j->n_items;) j->work(j->ctx, i, s->worker);
    return NULL;
}

void lac_parallel_for(size_t n_items, int n_workers, void (*work)(void *, size_t, int), void *ctx) {
    job j = {.n_items = n_items, .work = work, .ctx = ctx};
    atomic_init(&j.next, 0);
    if (n_workers > MAX_WORKERS) n_workers = MAX_WORKERS;
    if ((size_t)n_workers > n_items) n_workers = (int)n_items;
    pthread_t threads[MAX_WORKERS];
    seat seats[MAX_WORKERS];
    int n_started = 0;
    for (int w = 1; w < n_workers; w++) {
        seats[n_started] = (seat){&j, w};
        if (pthread_create(&threads[n_started], NULL, take_items, &seats[n_started]) != 0)
            break; // fewer hands do the same work
        n_started++;
    }
    take_items(&(seat){&j, 0});
    for (int t = 0; t < n_started; t++) pthread_join(threads[t], NULL);
}
