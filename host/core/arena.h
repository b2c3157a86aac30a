#ifndef LAC_ARENA_H
#define LAC_ARENA_H

#include <stddef.h>

/// Memory with one lifetime: allocate many, free once. A function without an arena parameter allocates
/// nothing.
///
/// memory  blocks of 64 KiB or more from malloc, zeroed; under AddressSanitizer the gaps between allocations
/// are
///         poisoned, so an overrun of one is caught
typedef struct lac_arena lac_arena;

/// NULL when out of memory.
lac_arena *lac_arena_open(void);

/// Frees all that came from the arena; close(NULL) is fine.
void lac_arena_close(lac_arena *arena);

/// Frees all allocations but keeps the arena.
void lac_arena_reset(lac_arena *arena);

/// Zeroed memory aligned to 64 bytes; never NULL: running out of memory ends the process with one sentence,
/// because no caller could go on, and files are written to temporary names first.
void *lac_arena_alloc(lac_arena *arena, size_t n_bytes);

/// n objects of size bytes, zeroed; an overflow of the product ends the process like running out of memory.
void *lac_arena_array(lac_arena *arena, size_t n, size_t size);

char *lac_arena_strdup(lac_arena *arena, const char *text);
char *lac_arena_printf(lac_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *lac_arena_copy(lac_arena *arena, const void *from, size_t n_bytes);

/// Bytes handed out so far.
size_t lac_arena_used_bytes(const lac_arena *arena);

#define LAC_NEW(arena, type) ((type *)lac_arena_alloc((arena), sizeof(type)))
#define LAC_NEW_ARRAY(arena, type, n) ((type *)lac_arena_array((arena), (size_t)(n), sizeof(type)))

#endif
