#ifndef LAC_GATE_SELECT_H
#define LAC_GATE_SELECT_H

#include "gate_cost.h"

/// Which gates stay open, by score, within a budget.

/// A gate and its score.
typedef struct lac_ranked {
    double score;
    int gate;
} lac_ranked;

/// All gates, the lowest score first; of equals the later gate.
///
/// shape   order [n]
void lac_gates_order(const double *score, int n, lac_ranked *order);

/// Budgets are met within this share, where channels are fine enough.
#define LAC_BUDGET_TOLERANCE 0.005

/// Opens the gates of largest score whose cost is within the target; every layer keeps a channel.
///
///   threshold  the fewest of the lowest gates are closed that bring the cost within the target (bisection)
///   return     of the closed gates, from the highest score down, those open again that the target still has
///              room for
///   exchange   while the cost is over LAC_BUDGET_TOLERANCE below the target: one gate near the threshold
///              closes for another to open, if that comes nearer
///
/// errors  E_RANGE: one channel a layer is over the target already
lac_status lac_gates_select(const lac_gate_cost *cost, const double *score, double target, bool *open,
                            lac_error *err) LAC_MUST_CHECK;

#endif
