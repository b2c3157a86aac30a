#include "ptq.h"

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                      const lac_talk *talk, lac_error *err) {
    const lac_ptq_method method = {.name = "nearest"};
    return lac_ptq_run(graph, data, config, &method, talk, err);
}

const lac_quantizer_desc lac_quantizer_nearest = {
    .name = "nearest",
    .help = "post-training: weights to the nearest code",
    .source = "Krishnamoorthi, arXiv 1806.08342, section 3",
    .run = run,
};
