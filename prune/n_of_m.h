#ifndef LAC_N_OF_M_H
#define LAC_N_OF_M_H

#include "sparse.h"

enum { LAC_N_OF_M = 4 };

/// The N of a density that is N of 4.
///
/// errors  E_USAGE: it is none
lac_status lac_n_of_m_count(double density, int *n, lac_error *err) LAC_MUST_CHECK;

/// Of every m weights that neighbour along the inputs the n largest stay, the first of equals.
///
/// shape   w, keep [O][I][...]; a last group may be shorter
void lac_n_of_m_mask(const float *w, lac_shape shape, int n, int m, uint8_t *keep);

#endif
