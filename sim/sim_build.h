#ifndef LAC_SIM_BUILD_H
#define LAC_SIM_BUILD_H

#include "arena.h"
#include "library_cache.h"
#include "sim.h"

#include <stddef.h>

/// How a model is made: its sources, the commands, and the key that tells one model from another.

typedef struct lac_sim_recipe {
    const char *const *sources; ///< absolute paths: Verilog to compile, then what it and the shim include
    int n_verilog, n_sources;
    const char *const
        *parameters; ///< "-GMESH_X=7", ..., "--top-module", "lac_engine", "--prefix", "Vlac_engine"
    int n_parameters;
    const char *shim; ///< the C++ around the model
    int drain, data_bytes;
} lac_sim_recipe;

/// Collects paths and parameters; config->rtl_dir may be NULL.
void lac_sim_recipe_make(const lac_sim_config *config, lac_arena *arena, lac_sim_recipe *out);

/// A hash over the contents of all sources, the parameters, the flags, and the versions of
/// verilator and g++ and the processor (the code is made for exactly this one).
///
/// errors  E_NOT_FOUND (a source), E_IO, E_DEVICE (verilator or g++ does not run)
lac_status lac_sim_recipe_key(const lac_sim_recipe *recipe, lac_arena *arena, lac_key *key,
                              lac_error *err) LAC_MUST_CHECK;

/// Runs verilator and g++ in an existing, empty directory; all they say goes to directory/build.log and the
/// library is directory/engine.so.
///
/// errors  E_DEVICE (names the command that failed), E_INTERRUPTED, E_IO
lac_status lac_sim_recipe_build(const lac_sim_recipe *recipe, const char *directory, lac_arena *arena,
                                const lac_talk *talk, lac_error *err) LAC_MUST_CHECK;

#endif
