#include "lac_num.h"
#include "qat.h"
#include "quant_codes.h"

#include <math.h>

// Codes with more digits than were asked for are no levels.
static const int8_t *cheap_levels(const lac_quant_attr *attr, int most_digits, lac_arena *arena) {
    bool allowed[256] = {false};
    for (int c = lac_quant_lowest(*attr); c <= lac_quant_highest(*attr); c++)
        allowed[c + 128] = lac_digit_count(c) <= most_digits;
    return lac_level_table(allowed, arena);
}

static void start(lac_graph *graph, int index, const lac_quant_config *config) {
    lac_node *node = &graph->nodes[index];
    if (!config->most_digits || !lac_quantizes_weights(graph, index) || node->op != LAC_OP_QUANT) return;
    lac_quant_rule *rule = LAC_NEW(graph->arena, lac_quant_rule);
    rule->level = cheap_levels(&node->attr.quant, config->most_digits, graph->arena);
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
    .run = run,
};
