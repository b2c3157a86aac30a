#ifndef LAC_GROUP_LASSO_H
#define LAC_GROUP_LASSO_H

#include <stddef.h>

/// One proximal step of the group lasso: shortens a vector by `by`, down to zero; returns its length before.
///
///   w = w * max(0, 1 - by / |w|)
///
/// source  Yuan, Lin: Model selection and estimation in regression with grouped variables, 2006; for
/// channels:
///         Wen et al., NeurIPS 2016
double lac_shrink_group(double length, double by);

#endif
