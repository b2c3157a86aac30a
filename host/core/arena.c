#include "arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define LAC_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LAC_ASAN 1
#endif
#endif
#ifdef LAC_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
enum { GAP = 64 };
#else
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
enum { GAP = 0 };
#endif

enum { ALIGN = 64, MIN_BLOCK = 1 << 16 };

typedef struct block {
    struct block *next;
    size_t capacity, used;
    unsigned char *bytes; // aligned start inside the same malloc
} block;

struct lac_arena {
    block *blocks;
    size_t used;
};

static void out_of_memory(size_t n_bytes) {
    fprintf(stderr, "lacuna: out of memory (asked for %zu bytes)\n", n_bytes);
    exit(13); // the exit code of LAC_E_MEMORY
}

static size_t round_up(size_t n) {
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

static block *block_open(size_t capacity) {
    block *b = malloc(sizeof *b + ALIGN + capacity);
    if (!b) out_of_memory(capacity);
    *b = (block){.capacity = capacity};
    b->bytes = (unsigned char *)round_up((uintptr_t)(b + 1));
    POISON(b->bytes, capacity);
    return b;
}

static void blocks_free(block *b) {
    while (b) {
        block *next = b->next;
        UNPOISON(b->bytes, b->capacity);
        free(b);
        b = next;
    }
}

lac_arena *lac_arena_open(void) {
    return calloc(1, sizeof(lac_arena));
}

void lac_arena_close(lac_arena *arena) {
    if (!arena) return;
    blocks_free(arena->blocks);
    free(arena);
}

void lac_arena_reset(lac_arena *arena) {
    blocks_free(arena->blocks);
    *arena = (lac_arena){0};
}

void *lac_arena_alloc(lac_arena *arena, size_t n_bytes) {
    if (n_bytes > SIZE_MAX / 2) out_of_memory(n_bytes);
    size_t need = round_up(n_bytes ? n_bytes : 1) + GAP;
    block *b = arena->blocks;
    if (!b || b->capacity - b->used < need) {
        b = block_open(need > MIN_BLOCK ? need : MIN_BLOCK);
        b->next = arena->blocks;
        arena->blocks = b;
    }
    unsigned char *p = b->bytes + b->used;
    b->used += need;
    arena->used += n_bytes;
    UNPOISON(p, n_bytes);
    return memset(p, 0, n_bytes);
}

void *lac_arena_array(lac_arena *arena, size_t n, size_t size) {
    if (size && n > SIZE_MAX / 2 / size) out_of_memory(SIZE_MAX);
    return lac_arena_alloc(arena, n * size);
}

void *lac_arena_copy(lac_arena *arena, const void *from, size_t n_bytes) {
    void *p = lac_arena_alloc(arena, n_bytes);
    return n_bytes ? memcpy(p, from, n_bytes) : p;
}

char *lac_arena_strdup(lac_arena *arena, const char *text) {
    return lac_arena_copy(arena, text, strlen(text) + 1);
}

char *lac_arena_printf(lac_arena *arena, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = lac_arena_alloc(arena, (size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return text;
}

size_t lac_arena_used_bytes(const lac_arena *arena) {
    return arena->used;
}
