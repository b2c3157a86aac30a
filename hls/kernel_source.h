#ifndef LAC_KERNEL_SOURCE_H
#define LAC_KERNEL_SOURCE_H

#include <stddef.h>

/// The kernel's text, so that a program can hand it to a compiler wherever it runs: headers first, each
/// before those that need it, the kernel last.

typedef struct lac_source_file {
    const char *name;
    const char *text; ///< terminated by a zero
    size_t n_bytes;   ///< without it
} lac_source_file;

enum { LAC_KERNEL_FILES = 6 };
extern const lac_source_file lac_kernel_source[LAC_KERNEL_FILES];

#endif
