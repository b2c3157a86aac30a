#include "digit_pull.h"
#include "qat.h"
#include "quant_codes.h"

// Codes with more digits than were asked for are no levels, and of the others those with few are worth some
// codes of distance.
static void start(lac_graph *graph, int index, const lac_quant_config *config) {
    lac_node *node = &graph->nodes[index];
    bool digits = config->most_digits || config->digit_pull > 0;
    if (!digits || !lac_quantizes_weights(graph, index) || node->op != LAC_OP_QUANT) return;
    const lac_quant_attr *attr = &node->attr.quant;
    lac_quant_rule *rule = LAC_NEW(graph->arena, lac_quant_rule);
    rule->level = lac_digit_levels(lac_quant_lowest(*attr), lac_quant_highest(*attr), config->most_digits,
                                   config->digit_pull > 0 ? lac_qat_digit_reach(config) : 0, graph->arena);
    node->attr.quant.rule = rule;
}

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                      const lac_talk *talk, lac_error *err) {
    const lac_qat_method method = {.name = "lsq", .start = start, .settle = lac_settle_scales};
    return lac_qat_run(graph, data, config, &method, talk, err);
}

const lac_quantizer_desc lac_quantizer_lsq = {
    .name = "lsq",
    .help =
        "quantization-aware training with learned step sizes: weights per channel, activations per tensor",
    .source = "Esser et al., Learned Step Size Quantization, ICLR 2020",
    .trains = true,
    .limits_digits = true,
    .run = run,
};
