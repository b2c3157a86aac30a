#ifndef LAC_GATE_COST_H
#define LAC_GATE_COST_H

#include "engine_cost.h"
#include "gates.h"

/// What a gated graph costs, as a function of its gates: a sum of terms, one a node.
///
///   cost = constant + sum over terms of pair * n_in * n_out + channel * n_out
///
/// n_in and n_out being the sums of the gates' values over the channels of the term's values (channels
/// without a gate count 1).

typedef enum lac_cost_unit {
    LAC_COST_MACS,   ///< as lac_graph_macs counts
    LAC_COST_BYTES,  ///< of the float parameters: weights, biases, batch norms
    LAC_COST_CYCLES, ///< of an engine, for the weights that are not zero (engine_cost.h)
    LAC_N_COST_UNITS
} lac_cost_unit;

typedef struct lac_cost_term {
    int node, in, out; ///< in: value, only where pair is not zero
    double pair, channel;
} lac_cost_term;

typedef struct lac_gate_cost {
    const lac_gates *gates;
    lac_cost_term *terms;
    int n_terms;
    double constant;
} lac_gate_cost;

/// engine is only read for LAC_COST_CYCLES.
///
/// memory  from arena
/// exact   MACS with all gates 1 is lac_graph_macs
lac_gate_cost lac_gate_cost_make(const lac_gates *gates, lac_cost_unit unit, const lac_cost_engine *engine,
                                 lac_arena *arena);

/// The cost at given values of the gates (NULL: all 1); adds d cost / d lambda to gradient unless NULL.
double lac_gate_cost_of(const lac_gate_cost *cost, const double *lambda, double *gradient);

/// The same for gates that are open or closed.
double lac_gate_cost_open(const lac_gate_cost *cost, const bool *open);

#endif
