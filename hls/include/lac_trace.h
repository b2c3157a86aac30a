#ifndef LAC_TRACE_H
#define LAC_TRACE_H

/// The trace of a kernel that was built with LAC_TRACE: what every step has written, for comparisons.
///
/// A header of LAC_TRACE_HEADER_BYTES whose first number is the length of the whole in bytes; then, for every
/// step that writes activation memory, a header (ID of the step, first word, number of words, 0) and these
/// words, a byte a lane. Numbers have 32 bits and are little-endian.

enum { LAC_TRACE_HEADER_BYTES = 16 };

#endif
