#ifndef LAC_SIM_MODEL_H
#define LAC_SIM_MODEL_H

#include "shim.h"
#include "sim.h"

/// The engine of a configuration as a shared library: found in the cache, or built with Verilator and g++.

typedef struct lac_sim_model {
    void *library; ///< of dlopen
    const lac_shim_calls *calls;
} lac_sim_model;

/// Loads the model of a configuration. Builders of one model wait for each other (a lock file), and a model
/// appears in the cache whole or not at all.
///
/// errors  E_DEVICE (names the log of the build), E_NOT_FOUND (a source of the engine), E_IO, E_INTERRUPTED
lac_status lac_sim_model_open(const lac_sim_config *config, const lac_talk *talk, lac_sim_model *out,
                              lac_error *err) LAC_MUST_CHECK;
/// The library alone, also that of the engine in its shell (axi.h); the caller finds its symbol.
lac_status lac_sim_library_open(const lac_sim_config *config, const lac_talk *talk, void **library,
                                lac_error *err) LAC_MUST_CHECK;
void lac_sim_model_close(lac_sim_model *model);

#endif
