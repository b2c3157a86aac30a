#ifndef LAC_HARD_CONCRETE_H
#define LAC_HARD_CONCRETE_H

/// The hard concrete distribution: a gate in 0..1 that is exactly 0 or 1 with some probability, and can be
/// learned.
///
///   s = sigmoid((log u - log(1 - u) + log_alpha) / beta);  z = clip(s * (zeta - gamma) + gamma, 0, 1)
///   beta = 2/3, gamma = -0.1, zeta = 1.1
///
/// source  Louizos et al.: Learning sparse neural networks through L0 regularization, ICLR 2018, section 2.2

/// A sample for u in (0, 1), and its slope by log_alpha (0 where it is clipped).
double lac_hard_concrete(double log_alpha, double u, double *slope);

/// The gate at test time: clip(sigmoid(log_alpha) * (zeta - gamma) + gamma, 0, 1).
double lac_hard_concrete_mean(double log_alpha);

/// Probability that the gate is not zero: sigmoid(log_alpha - beta * log(-gamma / zeta)); slope as above.
double lac_hard_concrete_open(double log_alpha, double *slope);

#endif
