#include "ptq.h"

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                      const lac_talk *talk, lac_error *err) {
    const lac_ptq_method method = {.name = "brecq", .by_block = true};
    return lac_ptq_run(graph, data, config, &method, talk, err);
}

const lac_quantizer_desc lac_quantizer_brecq = {
    .name = "brecq",
    .help = "post-training: up or down, and activation steps, by what a block's output loses",
    .source = "Li et al., BRECQ: Pushing the Limit of Post-Training Quantization by Block Reconstruction, "
              "ICLR 2021",
    .run = run,
};
