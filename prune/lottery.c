#include "rounds.h"

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_prune_config *config,
                      const lac_talk *talk, lac_error *err) {
    return lac_prune_rounds("lottery", true, graph, data, config, talk, err);
}

const lac_pruner_desc lac_pruner_lottery = {
    .name = "lottery",
    .help = "magnitude in 5 rounds, what stays begins each again with the weights given",
    .source = "Frankle, Carbin: The lottery ticket hypothesis, ICLR 2019",
    .run = run,
};
