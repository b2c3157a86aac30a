#include "ptq.h"

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                      const lac_talk *talk, lac_error *err) {
    const lac_ptq_method method = {
        .name = "adaround", .round = lac_round_adaround, .round_block = lac_round_adaround_block};
    return lac_ptq_run(graph, data, config, &method, talk, err);
}

const lac_quantizer_desc lac_quantizer_adaround = {
    .name = "adaround",
    .help = "post-training: up or down by what the layer's output loses",
    .source = "Nagel et al., Up or Down?, ICML 2020",
    .run = run,
};
