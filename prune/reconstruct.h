#ifndef LAC_RECONSTRUCT_H
#define LAC_RECONSTRUCT_H

#include "structured.h"

/// Lets the channels that stay make up for those that go, in every layer that reads them, before anything is
/// removed.
///
///   w_stay += w_go * H[go, stay] * H[stay, stay]^-1,   H: second moments of the layer's inputs
///
/// which is the least-squares fit to the layer's results on training images. Grouped convolutions stay as
/// they are.
///
/// errors  E_RANGE (inputs that are not finite), E_MEMORY
/// source  He, Zhang, Sun: Channel pruning for accelerating very deep neural networks, ICCV 2017, equation 5
lac_status lac_reconstruct(const lac_structured *s, const bool *open, lac_error *err) LAC_MUST_CHECK;

/// One row: w [n], stays [n], h [n][n]; scratch [n][n + 1]. What goes becomes zero. False: h is not positive.
bool lac_reconstruct_rows(float *const *rows, int n_rows, const bool *stays, const double *h, int n,
                          double *scratch);

#endif
