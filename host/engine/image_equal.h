#ifndef LAC_IMAGE_EQUAL_H
#define LAC_IMAGE_EQUAL_H

#include "image.h"

/// Compares two integer graphs, weights and all.
///
/// errors  E_INTERNAL: what differs, with both values
lac_status lac_int_graph_equal(const lac_int_graph *a, const lac_int_graph *b, lac_error *err) LAC_MUST_CHECK;

#endif
