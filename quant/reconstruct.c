#include "ptq.h"

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                      const lac_talk *talk, lac_error *err) {
    const lac_ptq_method method = {.name = "reconstruct", .round = lac_round_descent, .fits_scales = true};
    return lac_ptq_run(graph, data, config, &method, talk, err);
}

const lac_quantizer_desc lac_quantizer_reconstruct = {
    .name = "reconstruct",
    .help = "post-training: codes and scales in turns where the layer's output errs least",
    .source = "Nair, Suggala, CDQuant, arXiv 2406.17542; Hubara et al., AdaQuant, arXiv 2006.10518",
    .run = run,
};
