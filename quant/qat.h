#ifndef LAC_QAT_H
#define LAC_QAT_H

#include "quantize.h"

/// Training-aware quantization: what all of its methods have in common. The quantizers of prepare.h go in,
/// each gets its rule, lac_train runs, what rules made of weights is baked into them, and the graph is
/// snapped.
typedef struct lac_qat_method {
    const char *name;
    bool ternary, asymmetric; ///< weights, activations are, whatever the configuration says
    /// Gives quantizer `node` its rule and says whether its scale learns; after lac_quant_prepare.
    void (*start)(lac_graph *graph, int node, const lac_quant_config *config);
    /// Before every step and after the last, per quantizer; decay is learning rate * weight decay.
    void (*settle)(lac_graph *graph, int node, double decay);
} lac_qat_method;

lac_status lac_qat_run(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                       const lac_qat_method *method, const lac_talk *talk, lac_error *err) LAC_MUST_CHECK;

/// Does this quantizer stand before weights?
bool lac_quantizes_weights(const lac_graph *graph, int node);

/// Keeps scales positive, and those of wide weights at their largest weight: LSQ's, and most methods'.
void lac_settle_scales(lac_graph *graph, int node, double decay);

/// Start and settle of xnor: binary weights whose scale is the mean of a channel's sizes.
void lac_binary_start(lac_graph *graph, int node, const lac_quant_config *config);
void lac_binary_settle(lac_graph *graph, int node, double decay);

/// Gives every convolution that has binary weights by config and keeps its input's shape a shortcut around
/// itself and its batch norm, and a batch norm and a ReLU before it, whose quantizer then is the sign: the
/// shortcut carries 8 bits. An addition behind the layer whose other operand the layer's input holds already
/// takes that input instead. Weights of what is there stay; the function does not.
///
/// errors  those of lac_quant_sites_plan
/// source  Liu et al.: Bi-Real Net, ECCV 2018, section 3.2
lac_status lac_bireal_shortcuts(lac_graph *graph, const lac_quant_config *config, int *n_given,
                                lac_error *err) LAC_MUST_CHECK;

/// config->digit_reach, or its default.
double lac_qat_digit_reach(const lac_quant_config *config);

/// Codes that a rule allows, as the table that lac_quant_rule reads: level[i] for v in [i/2 - 128, i/2 -
/// 127.5). A v half-way between two levels goes to the lower one; allowed[c + 128] says whether code c is a
/// level.
///
/// memory  from arena
const int8_t *lac_level_table(const bool allowed[256], lac_arena *arena);

#endif
