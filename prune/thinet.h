#ifndef LAC_THINET_H
#define LAC_THINET_H

#include "rng.h"

/// The order in which channels go: each time the one after which the missing sum is smallest,
///
///   argmin over c of E[(sum of the parts of c and all that are gone)^2]
///
/// rank becomes 0.5 / n for the first to go, (n - 0.5) / n for the last.
///
/// shape   moments [n][n]: E[part_a part_b]; rank [n]
/// source  Luo et al., ICCV 2017, algorithm 1
void lac_thinet_order(const double *moments, int n, double *rank);

#endif
