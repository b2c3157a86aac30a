#ifndef LAC_SIM_H
#define LAC_SIM_H

#include "lac_contract.h"
#include "lac_status.h"
#include "talk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// The RTL engine in Verilator, as plain C. The model of an engine configuration is built on first use and
/// cached; programs are only data.

typedef struct lac_sim_config {
    LAC_ENGINE_MEMBERS         ///< rtl/defs/engine.def; first, and in its order
        const char *cache_dir; ///< NULL: $LACUNA_CACHE, else $XDG_CACHE_HOME/lacuna, else ~/.cache/lacuna
    const char *rtl_dir;       ///< NULL: the sources that this build was made with
    int shell_data_bits; ///< axi.h: the engine in its shell, with a memory port of so many bits; 0: without
} lac_sim_config;

typedef struct lac_sim lac_sim;

/// What the engine shows in one cycle; see docs/engine.md for the ports.
typedef struct lac_sim_watch {
    /// A write of the drain: codes of lanes group*drain .. +drain-1 of an activation word.
    void (*write)(void *ctx, uint64_t cycle, uint32_t address, uint32_t group, const uint8_t *codes);
    /// A step has written its last word; counters are of this step alone.
    void (*step_done)(void *ctx, uint64_t cycle, uint32_t step, uint32_t compute, uint32_t starved,
                      uint32_t drain, uint32_t other);
    void *ctx;
} lac_sim_watch;

typedef struct lac_sim_stalls {
    uint64_t seed;       ///< 0: full rate
    int program_percent; ///< chance that a cycle offers no program word
    int output_percent;  ///< chance that a cycle takes no output word
} lac_sim_stalls;

/// Builds the model if it is not in the cache (talk hears about it), loads it and resets the engine.
///
/// errors  E_DEVICE (verilator or compiler failed: names the log), E_NOT_FOUND, E_RANGE
lac_status lac_sim_open(const lac_sim_config *config, const lac_talk *talk, lac_sim **out,
                        lac_error *err) LAC_MUST_CHECK;
void lac_sim_close(lac_sim *sim);

/// Contract hash that the engine reports.
uint32_t lac_sim_contract(const lac_sim *sim);

/// Writes codes into lanes group*drain .. +drain-1 of an activation word, one cycle each.
void lac_sim_load(lac_sim *sim, uint32_t address, uint32_t group, const uint8_t *codes);

/// Feeds a program and runs it to its end; raw results go to out in order.
///
/// errors  E_DEVICE (engine error, or no progress for 1 million cycles, or more or fewer than n_out results:
/// all with the cycle)
lac_status lac_sim_run(lac_sim *sim, const uint64_t *program, size_t n_words, int32_t *out, size_t n_out,
                       const lac_sim_watch *watch, const lac_sim_stalls *stalls, uint64_t *cycles,
                       lac_error *err) LAC_MUST_CHECK;

/// Records an FST waveform of the cycles [begin, end) counted from the start of the next lac_sim_run.
lac_status lac_sim_trace(lac_sim *sim, const char *path, uint64_t begin, uint64_t end,
                         lac_error *err) LAC_MUST_CHECK;

#endif
