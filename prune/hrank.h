#ifndef LAC_HRANK_H
#define LAC_HRANK_H

/// Rank of a map m [h][w] by Gaussian elimination; what is below 1e-4 of the largest element is zero.
///
/// memory  m is overwritten
int lac_map_rank(double *m, int h, int w);

#endif
