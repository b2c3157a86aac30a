#include "rounds.h"

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_prune_config *config,
                      const lac_talk *talk, lac_error *err) {
    return lac_prune_rounds("iterative", false, graph, data, config, talk, err);
}

const lac_pruner_desc lac_pruner_iterative = {
    .name = "iterative",
    .help = "magnitude in 5 rounds of pruning and training (learning-rate rewinding)",
    .source = "Renda et al.: Comparing rewinding and fine-tuning in neural network pruning, ICLR 2020",
    .run = run,
};
