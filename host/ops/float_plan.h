#ifndef LAC_FLOAT_PLAN_H
#define LAC_FLOAT_PLAN_H

#include "op.h"

/// A graph made ready to run in float on this machine for one batch size: layouts chosen, memory and
/// primitives of oneDNN made once. Running allocates nothing.

/// Type of activations and their gradients, and of the weights that convolutions read. Parameters, their
/// gradients, statistics and logits are float32 in any case.
typedef enum lac_precision { LAC_F32, LAC_BF16 } lac_precision;

/// Whether this processor can train in a precision: float32 always, bfloat16 where oneDNN has convolutions
/// for it (AVX-512 on x86). False also when oneDNN fails altogether.
bool lac_precision_usable(lac_precision precision);

typedef struct lac_plan_config {
    int batch;
    bool train;             ///< keep what backward needs; batch norms use and update batch statistics
    bool freeze_batch_norm; ///< train, but with the running statistics, which stay
    bool input_gradient;    ///< also d loss / d input
    bool keep_all;          ///< no fusion and no shared memory, so that every activation can be read
    lac_precision precision;
    const int
        *taps; ///< activations whose data can be read after a forward, and which take a gradient from outside
    int n_taps;
} lac_plan_config;

/// Plans a graph whose shapes are inferred. Constants are used in place: the plan reads graph->values[].data
/// at every run, and training batch norms write their running statistics there. Data pointers must stay.
///
/// memory  its own arena; lac_plan_close frees it
/// errors  E_UNSUPPORTED when oneDNN has no kernel, or none for this precision on this processor; E_MEMORY
lac_status lac_plan_open(const lac_graph *graph, const lac_plan_config *config, lac_plan **out,
                         lac_error *err) LAC_MUST_CHECK;
void lac_plan_close(lac_plan *plan);

/// How many threads plans use that the calling thread opens and runs from now on; the default is all cores.
/// With 1, the order of all sums is the same whatever the number of cores. A plan is opened, run and closed
/// by one thread, or by threads that take turns and all have the default.
void lac_plan_threads(int n);

/// Where a batch goes in: [batch][c][h][w], row-major.
float *lac_plan_input(lac_plan *plan);
/// Where logits come out: [batch][classes], row-major.
const float *lac_plan_output(lac_plan *plan);
/// Where d loss / d logits goes in before a backward, [batch][classes].
float *lac_plan_output_gradient(lac_plan *plan);

/// The i-th tap: its activation after a forward, and in training where its gradient goes in before a
/// backward; both row-major with the batch in front.
const float *lac_plan_tap(const lac_plan *plan, int i);
float *lac_plan_tap_gradient(lac_plan *plan, int i);

/// Recomputes all that depends on constants alone (weights' layouts, quantized weights). Training forwards
/// do it by themselves; an inference plan does it when opened, and again when asked.
lac_status lac_plan_refresh(lac_plan *plan, lac_error *err) LAC_MUST_CHECK;
lac_status lac_plan_forward(lac_plan *plan, lac_error *err) LAC_MUST_CHECK;
lac_status lac_plan_backward(lac_plan *plan, lac_error *err) LAC_MUST_CHECK;

/// Gradient of a trainable constant (or of the input, if asked for), row-major; NULL when the output does not
/// depend on it.
const float *lac_plan_gradient(const lac_plan *plan, int value);

/// True for values that depend on the input.
bool lac_plan_is_activation(const lac_plan *plan, int value);

/// Copies an activation of the last forward as dense row-major N x C x H x W.
///
/// errors  E_UNSUPPORTED when its memory serves others by then (see keep_all); input and output can be read
/// in
///         any case
lac_status lac_plan_read(lac_plan *plan, int value, float *out, lac_error *err) LAC_MUST_CHECK;

/// Bytes of the plan's buffers: activations, gradients, weights in kernels' layouts.
size_t lac_plan_memory_bytes(const lac_plan *plan);

/// Name of the kernel that oneDNN chose for each step, for benchmarks: calls visit(ctx, node, kernel).
void lac_plan_kernels(const lac_plan *plan, void (*visit)(void *ctx, const char *node, const char *kernel),
                      void *ctx);

#endif
