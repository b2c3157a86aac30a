#ifndef LAC_FAULT_H
#define LAC_FAULT_H

#include "image.h"

/// Deliberate faults, to prove that verification finds them.

/// A copy of an image in which one bit of one weight of a step is flipped (in the channel with the most
/// weights); checksums and the decoded
/// graph are those of the faulty program, so that nothing but the results gives it away.
///
/// memory  from arena
/// errors  E_USAGE: no such step, or one whose weights are not free (pools, sums)
lac_status lac_image_with_fault(const lac_image *image, int step, lac_arena *arena, lac_image **out,
                                lac_error *err) LAC_MUST_CHECK;

#endif
