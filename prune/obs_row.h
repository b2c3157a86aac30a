#ifndef LAC_OBS_ROW_H
#define LAC_OBS_ROW_H

#include <stdbool.h>
#include <stdint.h>

/// Optimal brain surgeon on one row of weights: removes n_remove of n weights one by one, each time the one
/// that costs least, and moves the others so as to make up for it.
///
///   cost w_q^2 / (2 [H^-1]_qq);  w -= w_q / [H^-1]_qq * H^-1 e_q;  H^-1 -= H^-1 e_q e_q^T H^-1 / [H^-1]_qq
///
/// shape   w [n]; inverse [n][n], overwritten; gone [n], weights that are gone already are marked; cost
///         [n_remove] of each removal in turn, NULL allowed
/// exact   removed weights are 0
/// source  Hassibi, Stork, 1993; Frantar, Alistarh: Optimal brain compression, NeurIPS 2022, algorithm 1
void lac_obs_row(double *w, double *inverse, int n, int n_remove, uint8_t *gone, double *cost);

/// Inverse of a symmetric positive matrix by Cholesky, in place; false when it is not positive.
bool lac_invert_symmetric(double *a, int n);

#endif
