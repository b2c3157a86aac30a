#include "ptq.h"

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                      const lac_talk *talk, lac_error *err) {
    const lac_ptq_method method = {.name = "qdrop", .by_block = true, .drop = 0.5f};
    return lac_ptq_run(graph, data, config, &method, talk, err);
}

const lac_quantizer_desc lac_quantizer_qdrop = {
    .name = "qdrop",
    .help = "post-training: brecq, in which half of the activations, drawn anew each step, stay float",
    .source =
        "Wei et al., QDrop: Randomly Dropping Quantization for Extremely Low-bit Post-Training Quantization, "
        "ICLR 2022",
    .run = run,
};
