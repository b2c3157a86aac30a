#ifndef LAC_AUTOBOT_H
#define LAC_AUTOBOT_H

#include "gates.h"

/// The terms of AutoBot's loss.
///
/// source  Castells, Yeom, 2021, section 3; the authors' code for what the paper leaves open

/// alpha whose sigmoid is lambda.
double lac_autobot_alpha(double lambda);

/// The budget's term G, and d G / d cost into slope (NULL allowed).
///
///   G = (cost - target) / (most - target) above the target, 1 - cost / target below
double lac_autobot_budget(double cost, double target, double most, double *slope);

/// The binarisation term H: the mean over gate vectors of the mean distance to 0 or 1; adds its subgradient
/// (+1 below a half, -1 from there on) to gradient unless NULL.
double lac_autobot_binary(const lac_gates *gates, const double *lambda, double *gradient);

#endif
