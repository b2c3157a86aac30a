#ifndef LAC_LIBRARY_CACHE_H
#define LAC_LIBRARY_CACHE_H

#include "arena.h"
#include "lac_status.h"
#include "talk.h"

#include <stddef.h>
#include <stdint.h>

/// Shared libraries that are built at run time, once for what they depend on, and kept: models of the engine.

/// Two FNV-1a streams that start apart: 128 bits, more than enough against chance.
typedef struct lac_key {
    uint64_t a, b;
} lac_key;

lac_key lac_key_begin(void);
void lac_key_bytes(lac_key *key, const void *data, size_t n);
void lac_key_text(lac_key *key, const char *text);
/// The processor's name and features, for code that is made for exactly this one.
void lac_key_processor(lac_key *key);

typedef struct lac_library_recipe {
    const char *what; ///< "the engine model", for people
    const char *name; ///< of the file in the cache, before its key
    lac_key key;      ///< of all that the library is made of
    /// Makes directory/engine.so; tools say what they have to say in directory/build.log.
    lac_status (*build)(void *ctx, const char *directory, lac_arena *arena, const lac_talk *talk,
                        lac_error *err);
    void *ctx;
} lac_library_recipe;

/// Loads a library, building it first if the cache does not have it (talk hears about it). Builders of one
/// library wait for each other, and a library appears in the cache whole or not at all.
///
///   cache   cache_dir, else $LACUNA_CACHE, else $XDG_CACHE_HOME/lacuna, else ~/.cache/lacuna
///
/// memory  *handle is of dlopen; *path is from arena
/// errors  what build returns (the sentence names the log that is kept), E_IO, E_DEVICE (it does not load)
lac_status lac_library_open(const lac_library_recipe *recipe, const char *cache_dir, lac_arena *arena,
                            const lac_talk *talk, void **handle, const char **path,
                            lac_error *err) LAC_MUST_CHECK;

/// Removes a directory with all that is in it.
void lac_tree_remove(const char *directory);

#endif
