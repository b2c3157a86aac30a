#ifndef LAC_CPU_H
#define LAC_CPU_H

#include "int_graph.h"

/// The fast executor: what `ref` computes, the same integers, arranged for vector registers. Sums are of
/// int32 throughout, so their order does not matter, and every accumulator becomes a code by the law of
/// numbers itself.

typedef struct lac_cpu lac_cpu;

/// Lists the weights of every layer that are not zero, in the order in which they will be added. Instances
/// that run at the same time may share it.
///
/// memory  from arena; keeps pointers to graph, which must not change
const lac_cpu *lac_cpu_prepare(const lac_int_graph *graph, lac_arena *arena);

/// Values that lac_cpu_run needs room for.
size_t lac_cpu_scratch_count(const lac_cpu *cpu);

/// Executes the whole graph on one image; values as for lac_ref_run.
///
/// memory  allocates nothing; scratch belongs to this call
/// exact   every tensor equals lac_ref_run's
void lac_cpu_run(const lac_cpu *cpu, int32_t *scratch, int32_t *const *values);

#endif
