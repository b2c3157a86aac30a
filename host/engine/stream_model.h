#ifndef LAC_STREAM_MODEL_H
#define LAC_STREAM_MODEL_H

#include "image.h"

/// The engine as a C program: executes a program stream lane by lane, knowing neither graph nor layouts. It
/// stands between the compiler and the RTL: both are held against it.

typedef struct lac_stream_watch {
    /// A word has been written: codes of all lanes, as bytes.
    void (*write)(void *ctx, int address, const uint8_t *codes);
    void (*step_done)(void *ctx, int step);
    void *ctx;
} lac_stream_watch;

typedef struct lac_stream_model {
    lac_engine_config engine;
    uint8_t *memory; ///< [act_words][lanes]; the caller writes the input here, by its layout
} lac_stream_model;

/// memory  from arena
lac_stream_model *lac_stream_model_new(const lac_engine_config *engine, lac_arena *arena);

/// Executes a program; raw results go to out in the order in which the engine sends them. watch may be NULL.
///
/// memory  scratch holds one list at a time
/// errors  E_FORMAT (the program makes no sense), E_DEVICE: an address outside the memory, a tap more than
/// one
///         lane away, a sum that overflows the accumulator, or not n_out results
lac_status lac_stream_model_run(lac_stream_model *model, const uint64_t *program, size_t n_words,
                                int32_t *out, size_t n_out, const lac_stream_watch *watch,
                                lac_error *err) LAC_MUST_CHECK;

#endif
