#ifndef LAC_SITES_H
#define LAC_SITES_H

#include "quantize.h"

/// Where quantizers go in a float graph, and how wide they are. The rule:
///   - one on the graph's input, 8 bits, unsigned, asymmetric;
///   - one at the end of every chain {conv2d | conv_transpose | linear | add | mul | average pool}
///     (batch norm) (relu), or batch norm (relu), that is not the graph's output, before a max pool that
///     follows; unsigned when nothing negative can arrive. A batch norm is of the chain before it when that
///     has one reader, no ReLU or pool since, and weights to negate where a gamma is negative;
///   - one behind every activation (sigmoid, tanh, hard sigmoid, hard swish, SiLU, GELU), which is a table
///     from the codes of the quantizer before it to those of this one;
///   - one on the weights of every convolution and linear layer.
/// Operands of a concat share one type. A site that only feeds additions, products, batch norms and
/// activations has 8 bits: their results are requantized, so that a narrow operand would cost accuracy and
/// save nothing. Operands of a product have no zero point, and a second operand without a sign has at most 7
/// bits.
typedef struct lac_quant_site {
    int value;  ///< the quantizer stands after this value
    int family; ///< index of the site whose scale and type this one shares; itself when it leads
    int bits;
    bool is_signed;
    bool is_asymmetric; ///< unsigned codes with a zero point, for values of both signs
    bool is_input;
} lac_quant_site;

typedef struct lac_quant_sites {
    lac_quant_site *site;
    int n;
    int *weight_bits; ///< per node: 1..8, 0 where there are no weights. Ternary is 2
    lac_range_kind weight_range;
    double percentile;
    bool per_tensor, power_of_two; ///< of weight scales
} lac_quant_sites;

/// From so many bits on a weight scale is not learnt but follows the largest weight of its channel: clipping
/// gains nothing there, and a step that suits weights is wild for a scale that is a 127th of them.
enum { LAC_TRACKED_WEIGHT_BITS = 6 };

/// Plans the quantizers of a tidy graph.
///
/// memory  from arena
/// errors  E_USAGE (a width; a layer of config->layers that the graph has not), E_UNSUPPORTED (a concat
/// operand
///         that is no end of a chain)
lac_status lac_quant_sites_plan(const lac_graph *graph, const lac_quant_config *config, lac_arena *arena,
                                lac_quant_sites *out, lac_error *err) LAC_MUST_CHECK;

/// Adds the quantizers. scale has one entry a site (the family leader's counts); weight scales are searched.
///
/// errors  E_UNSUPPORTED: weights of 1 bit where pruned zeros must stay
lac_status lac_quant_sites_insert(lac_graph *graph, const lac_quant_sites *sites, const float *scale,
                                  const int *zero, lac_error *err) LAC_MUST_CHECK;

#endif
