#include "graph.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

int64_t lac_shape_count(lac_shape shape) {
    int64_t n = 1;
    for (int i = 0; i < shape.n_dims; i++) n *= shape.dim[i];
    return n;
}

bool lac_shape_equal(lac_shape a, lac_shape b) {
    if (a.n_dims != b.n_dims) return false;
    for (int i = 0; i < a.n_dims; i++)
        if (a.dim[i] != b.dim[i]) return false;
    return true;
}

bool lac_shape_spreads(lac_shape small, lac_shape large) {
    if (small.n_dims != large.n_dims) return false;
    for (int i = 0; i < large.n_dims; i++)
        if (small.dim[i] != large.dim[i] && (i == 0 || small.dim[i] != 1)) return false;
    return true;
}

const char *lac_shape_print(lac_shape shape, char text[96]) {
    if (shape.n_dims == 0) {
        snprintf(text, 96, "scalar");
        return text;
    }
    size_t n = 0;
    for (int i = 0; i < shape.n_dims; i++)
        n += (size_t)snprintf(text + n, 96 - n, "%s%" PRId64, i ? "x" : "", shape.dim[i]);
    return text;
}

int64_t lac_window_out(const lac_window *window, int axis, int64_t in) {
    assert(window->stride[axis] > 0);
    int64_t padded = in + window->pad[axis] + window->pad[axis + 2];
    int64_t reach = (int64_t)window->dilation[axis] * (window->kernel[axis] - 1) + 1;
    return padded < reach ? 0 : (padded - reach) / window->stride[axis] + 1;
}

int64_t lac_window_transposed_out(const lac_window *window, int out_pad, int axis, int64_t in) {
    int64_t reach = (int64_t)window->dilation[axis] * (window->kernel[axis] - 1) + 1;
    return (in - 1) * window->stride[axis] + reach + out_pad - window->pad[axis] - window->pad[axis + 2];
}
