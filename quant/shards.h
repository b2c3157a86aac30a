#ifndef LAC_SHARDS_H
#define LAC_SHARDS_H

#include "float_plan.h"

/// A batch computed in so many equal parts, each by a thread of its own that opens, runs and closes a plan:
/// results, and sums over the parts in their order, are the same whatever the number of cores.
enum { LAC_SHARDS = 4 };

typedef struct lac_shards lac_shards;

/// One plan a part; graph[i] is what part i computes, all of one shape.
///
/// memory  the threads' own; lac_shards_close ends them, and takes NULL
/// errors  those of lac_plan_open; E_MEMORY when threads cannot be had
lac_status lac_shards_open(const lac_graph *const graph[LAC_SHARDS], const lac_plan_config *config,
                           lac_shards **out, lac_error *err) LAC_MUST_CHECK;
void lac_shards_close(lac_shards *shards);

/// Calls work for every part, each on its thread, and returns when all are done.
typedef lac_status lac_shard_work(void *ctx, int shard, lac_plan *plan, lac_error *err);
lac_status lac_shards_run(lac_shards *shards, lac_shard_work *work, void *ctx, lac_error *err) LAC_MUST_CHECK;

/// A part's plan, to read what it left while no work runs.
const lac_plan *lac_shards_plan(const lac_shards *shards, int shard);

/// Forward of n images: in [n][floats of an input] to out [n][floats of an output].
lac_status lac_shards_forward(lac_shards *shards, const float *in, uint32_t n, float *out,
                              lac_error *err) LAC_MUST_CHECK;

#endif
