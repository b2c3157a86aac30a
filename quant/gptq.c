#include "ptq.h"

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                      const lac_talk *talk, lac_error *err) {
    const lac_ptq_method method = {.name = "gptq", .round = lac_round_gptq, .share = lac_round_gptq_share};
    return lac_ptq_run(graph, data, config, &method, talk, err);
}

const lac_quantizer_desc lac_quantizer_gptq = {
    .name = "gptq",
    .help = "post-training: each column's rounding error is made good by the next ones",
    .source = "Frantar et al., GPTQ, ICLR 2023",
    .run = run,
};
