#ifndef LAC_SHIM_H
#define LAC_SHIM_H

#include <stddef.h>
#include <stdint.h>

/// Between sim.c and the shared library that shim.cpp and the Verilated engine become. Plain C types only.

#ifdef __cplusplus
extern "C" {
#endif

/// Raised when this file changes: a library of another version is not used.
enum { LAC_SHIM_VERSION = 1 };

typedef enum lac_shim_stop {
    LAC_SHIM_DONE,        ///< END reached and everything drained
    LAC_SHIM_ERROR,       ///< the engine raised error_o
    LAC_SHIM_NO_PROGRESS, ///< nothing moved for patience cycles
    LAC_SHIM_TOO_MANY,    ///< one result more than n_out
    LAC_SHIM_LEFT_OVER    ///< the program goes on after its END
} lac_shim_stop;

typedef struct lac_shim_run {
    const uint64_t *program;
    size_t n_words;
    int32_t *out;
    size_t n_out;
    void (*write)(void *ctx, uint64_t cycle, uint32_t address, uint32_t group, const uint8_t *codes);
    void (*step_done)(void *ctx, uint64_t cycle, uint32_t step, uint32_t compute, uint32_t starved,
                      uint32_t drain, uint32_t other);
    void *ctx;
    uint64_t seed; ///< of the stalls; 0: full rate
    int program_percent, output_percent;
    uint64_t patience;
    const char *trace_path; ///< NULL: no waveform
    uint64_t trace_begin, trace_end;
    // filled in
    uint64_t cycles;
    size_t words_taken, results;
    uint32_t step; ///< being executed when it stopped
} lac_shim_run;

typedef struct lac_shim_calls {
    int version;
    void *(*open)(void);
    void (*close)(void *engine);
    void (*reset)(void *engine);
    uint32_t (*contract)(void *engine);
    void (*load)(void *engine, uint32_t address, uint32_t group, const uint8_t *codes);
    lac_shim_stop (*run)(void *engine, lac_shim_run *run);
} lac_shim_calls;

/// The one symbol that the library exports.
#define LAC_SHIM_SYMBOL "lac_shim"
typedef const lac_shim_calls *lac_shim_entry(void);

#ifdef __cplusplus
}
#endif

#endif
