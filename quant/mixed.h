#ifndef LAC_MIXED_H
#define LAC_MIXED_H

#include "quantize.h"

/// Mixed precision: widths of each layer under a budget.

/// What is limited. Units: bytes of weights; bit operations of an image (MACs * weight bits * activation
/// bits); cycles of DIGIT lanes, one lane, an image (non-zero radix-4 digits * output pixels).
typedef enum lac_budget_kind {
    LAC_BUDGET_BYTES,
    LAC_BUDGET_BOPS,
    LAC_BUDGET_CYCLES,
    LAC_N_BUDGETS
} lac_budget_kind;

/// Name of a kind, NULL past the end.
const char *lac_budget_name(int kind);

typedef enum lac_sensitivity_kind {
    LAC_SENSITIVITY_HESSIAN,  ///< trace(H) * |Q(w) - w|^2 / 2, Hutchinson; activations by measured loss
    LAC_SENSITIVITY_MEASURED, ///< loss on calibration images with only that layer quantized
    LAC_N_SENSITIVITIES
} lac_sensitivity_kind;

const char *lac_sensitivity_name(int kind);

typedef enum lac_search_kind {
    LAC_SEARCH_DP,     ///< dynamic programming: least sum of sensitivities within the budget
    LAC_SEARCH_GREEDY, ///< from the widest, always the step that costs the least loss per unit of budget
} lac_search_kind;

typedef struct lac_mixed_config {
    lac_budget_kind budget;
    int uniform_bits; ///< the budget is what this uniform width costs; 0: `limit` counts
    double limit;
    lac_sensitivity_kind sensitivity;
    lac_search_kind search;
    uint32_t images; ///< to measure on; 0: 256
    uint64_t seed;
} lac_mixed_config;

/// One candidate of a layer: widths of its weights and of the activations that enter it.
typedef struct lac_mixed_choice {
    int weights, acts;
    double loss, cost;
} lac_mixed_choice;

/// A layer with its candidates and the one that was chosen.
typedef struct lac_mixed_layer {
    const char *name;
    double
        trace; ///< of the loss's Hessian by the layer's weights, mean over them; NAN when it was not measured
    lac_mixed_choice *choices;
    int n_choices, chosen;
} lac_mixed_layer;

/// Picks a choice a layer: least sum of losses whose costs stay within the limit.
///
/// exact   the optimum over costs rounded up to 1/4096 of the limit
/// errors  E_RANGE when even the cheapest choices exceed the limit
lac_status lac_mixed_solve(lac_mixed_layer *layers, int n_layers, double limit, lac_search_kind search,
                           lac_error *err) LAC_MUST_CHECK;

/// Measures a float graph's layers and solves. Activations take part when the budget is bit operations; else
/// they have base->act_bits, because they cost nothing. The first and the last layer keep base->first_bits
/// and base->last_bits where those are given.
///
/// memory  layers from arena
/// source  Dong et al.: HAWQ-V2, NeurIPS 2020 (mean trace); Yao et al.: HAWQ-V3, ICML 2021 (the knapsack)
lac_status lac_mixed_search(const lac_graph *graph, const lac_dataset *data, const lac_quant_config *base,
                            const lac_mixed_config *config, const lac_talk *talk, lac_arena *arena,
                            lac_mixed_layer **layers, int *n_layers, double *limit,
                            lac_error *err) LAC_MUST_CHECK;

/// Mean over n_probes of v . (gradient(w + e v) - gradient(w - e v)) / 2 e with random signs v, per layer
/// with weights: the trace of the Hessian of the loss over the first images.
///
/// shape   trace: one a node of the graph, 0 where there are no weights
/// source  Hutchinson 1990; Pearlmutter 1994 for why differences of gradients do
lac_status lac_hessian_traces(const lac_graph *graph, const lac_dataset *data, uint32_t images, int n_probes,
                              uint64_t seed, double *trace, lac_error *err) LAC_MUST_CHECK;

#endif
