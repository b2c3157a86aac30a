#ifndef LAC_QUANT_KIT_H
#define LAC_QUANT_KIT_H

#include "graph.h"
#include "op.h"
#include "rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/// Small graphs for the tests of quantizers, lowering and pruners.

#define ASSERT_OK(call)                                                                                      \
    do {                                                                                                     \
        lac_error kit_err = {0};                                                                             \
        lac_error *err = &kit_err;                                                                           \
        if ((call) != LAC_OK) fail_msg("%s: %s", lac_status_name(kit_err.status), kit_err.text);             \
        (void)err;                                                                                           \
    } while (0)

static inline void assert_fails_with(lac_status status, const lac_error *err, lac_status expected,
                                     const char *part) {
    assert_int_equal(status, expected);
    if (!strstr(err->text, part)) fail_msg("expected '%s' in: %s", part, err->text);
}

static inline lac_window kit_window(int kernel, int stride, int pad) {
    return (lac_window){.kernel = {kernel, kernel},
                        .stride = {stride, stride},
                        .pad = {pad, pad, pad, pad},
                        .dilation = {1, 1},
                        .groups = 1};
}

static inline int kit_random(lac_graph *g, lac_rng *rng, const char *name, lac_shape shape, float spread,
                             float center) {
    int v = lac_graph_add_constant(g, name, shape, NULL, true);
    for (int64_t i = 0; i < lac_shape_count(shape); i++)
        g->values[v].data[i] = center + spread * lac_rng_normal(rng);
    return v;
}

static inline int kit_op(lac_graph *g, lac_op op, const char *name, int x) {
    return lac_graph_add_node(g, op, name, &x, 1, NULL);
}

static inline int kit_pool(lac_graph *g, lac_op op, const char *name, int x, lac_window window) {
    const lac_attr attr = {.window = window, .count_include_pad = true};
    return lac_graph_add_node(g, op, name, &x, 1, &attr);
}

static inline int kit_conv(lac_graph *g, const char *name, int x, int w, int b, lac_window window) {
    const lac_attr attr = {.window = window};
    return lac_graph_add_node(g, LAC_OP_CONV2D, name, (int[]){x, w, b}, b >= 0 ? 3 : 2, &attr);
}

static inline int kit_scalar(lac_graph *g, const char *name, float x) {
    const lac_shape scalar = {0};
    return lac_graph_add_constant(g, name, scalar, &x, false);
}

static inline int kit_quant(lac_graph *g, const char *name, int x, float scale, float zero, int bits,
                            bool is_signed) {
    const lac_attr attr = {.quant = {.bits = bits, .is_signed = is_signed}};
    int s = kit_scalar(g, "scale", scale), z = kit_scalar(g, "zero", zero);
    return lac_graph_add_node(g, LAC_OP_QUANT, name, (int[]){x, s, z}, 3, &attr);
}

/// Weights behind a quantizer with one scale per output channel; bits 1 is bipolar.
static inline int kit_weights(lac_graph *g, const char *name, lac_shape shape, const float *w,
                              const float *scales, int bits) {
    int v = lac_graph_add_constant(g, name, shape, w, true);
    lac_shape per_channel = shape;
    for (int i = 1; i < shape.n_dims; i++) per_channel.dim[i] = 1;
    int s = lac_graph_add_constant(g, "wscale", per_channel, scales, true), z = kit_scalar(g, "zero", 0);
    const lac_attr attr = {.quant = {.bits = bits, .is_signed = true, .narrow = true}};
    return lac_graph_add_node(g, bits == 1 ? LAC_OP_BIPOLAR_QUANT : LAC_OP_QUANT, name, (int[]){v, s, z},
                              bits == 1 ? 2 : 3, &attr);
}

/// Batch norm with given parameters of n channels.
static inline int kit_norm(lac_graph *g, const char *name, int x, int n, const float *gamma,
                           const float *beta, const float *mean, const float *variance) {
    const lac_attr attr = {.epsilon = 1e-5f, .momentum = 0.9f};
    int in[5] = {x, lac_graph_add_constant(g, "gamma", LAC_SHAPE(n), gamma, true),
                 lac_graph_add_constant(g, "beta", LAC_SHAPE(n), beta, true),
                 lac_graph_add_constant(g, "mean", LAC_SHAPE(n), mean, false),
                 lac_graph_add_constant(g, "variance", LAC_SHAPE(n), variance, false)};
    return lac_graph_add_node(g, LAC_OP_BATCH_NORM, name, in, 5, &attr);
}

#endif
