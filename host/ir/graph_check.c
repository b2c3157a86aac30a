#include "graph.h"
#include "rearrange.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/// Facts about a value that the checks of nodes need: is it there yet, and is it made of constants alone.
typedef enum standing { ABSENT, ACTIVATION, PARAMETER } standing;

typedef struct check {
    const lac_graph *graph;
    standing *standing;
    lac_error *err;
} check;

#define NODE_FAIL(c, node, ...)                                                                              \
    do {                                                                                                     \
        lac_fail((c)->err, LAC_E_FORMAT, __VA_ARGS__);                                                       \
        return in_node((c), (node));                                                                         \
    } while (0)

static lac_status in_node(const check *c, const lac_node *node) {
    char where[256];
    snprintf(where, sizeof where, "%s '%s'", lac_op_name(node->op), node->name);
    return lac_fail_in(c->err, LAC_E_FORMAT, where);
}

// ---- values -------------------------------------------------------------------------------------------

static bool shape_is_sane(lac_shape shape) {
    if (shape.n_dims < 0 || shape.n_dims > LAC_MAX_DIMS) return false;
    int64_t n = (int64_t)sizeof(float);
    for (int i = 0; i < shape.n_dims; i++)
        if (shape.dim[i] < 1 || __builtin_mul_overflow(n, shape.dim[i], &n)) return false;
    return true;
}

static lac_status check_mask(const lac_value *value, lac_error *err) {
    int64_t n = lac_shape_count(value->shape);
    for (int64_t i = 0; i < n; i++)
        if (!value->mask[i] && value->data[i] != 0.0f)
            LAC_FAIL(err, LAC_E_FORMAT,
                     "constant '%s': element %" PRId64 " is %g but its mask keeps it at zero; zero it where "
                     "the mask is set",
                     value->name, i, (double)value->data[i]);
    return LAC_OK;
}

static lac_status check_value(const lac_value *value, int index, lac_error *err) {
    if (!value->name || !*value->name)
        LAC_FAIL(err, LAC_E_FORMAT, "value %d has no name; add it with lac_graph_add_value", index);
    if (!shape_is_sane(value->shape))
        LAC_FAIL(err, LAC_E_FORMAT,
                 "value '%s': its shape has a rank outside 0..%d, a size below 1, or too many elements",
                 value->name, LAC_MAX_DIMS);
    if (!value->data && (value->trainable || value->mask))
        LAC_FAIL(err, LAC_E_FORMAT, "value '%s' has no data, yet it is %s", value->name,
                 value->mask ? "masked" : "trainable");
    if (!value->mask) return LAC_OK;
    if (!value->trainable)
        LAC_FAIL(err, LAC_E_FORMAT, "constant '%s' is masked but not trainable", value->name);
    return check_mask(value, err);
}

static lac_status check_values(const lac_graph *graph, lac_error *err) {
    for (int i = 0; i < graph->n_values; i++) LAC_TRY(check_value(&graph->values[i], i, err));
    for (int i = 0; i < graph->n_values; i++)
        for (int j = 0; j < i; j++)
            if (strcmp(graph->values[i].name, graph->values[j].name) == 0)
                LAC_FAIL(err, LAC_E_FORMAT, "values %d and %d have one name, '%s'", j, i,
                         graph->values[i].name);
    return LAC_OK;
}

// ---- nodes: arity and what each input may be --------------------------------------------------------------

static const struct arity {
    int least, most; // most 0: any number
    int n_x;         // so many leading inputs are activations, the rest parameters; -1: all
} arities[LAC_N_OPS] = {
    [LAC_OP_CONV2D] = {2, 3, 1},
    [LAC_OP_LINEAR] = {2, 3, 1},
    [LAC_OP_BATCH_NORM] = {5, 5, 1},
    [LAC_OP_RELU] = {1, 1, -1},
    [LAC_OP_MAX_POOL] = {1, 1, -1},
    [LAC_OP_AVG_POOL] = {1, 1, -1},
    [LAC_OP_GLOBAL_AVG_POOL] = {1, 1, -1},
    [LAC_OP_ADD] = {2, 2, -1},
    [LAC_OP_CONCAT] = {1, 0, -1},
    [LAC_OP_FLATTEN] = {1, 1, -1},
    [LAC_OP_MUL] = {2, 2, -1},
    [LAC_OP_SIGMOID] = {1, 1, -1},
    [LAC_OP_TANH] = {1, 1, -1},
    [LAC_OP_HARD_SIGMOID] = {1, 1, -1},
    [LAC_OP_HARD_SWISH] = {1, 1, -1},
    [LAC_OP_SILU] = {1, 1, -1},
    [LAC_OP_GELU] = {1, 1, -1},
    [LAC_OP_SLICE] = {1, 1, -1},
    [LAC_OP_CHANNEL_SHUFFLE] = {1, 1, -1},
    [LAC_OP_UPSAMPLE] = {1, 1, -1},
    [LAC_OP_DEPTH_TO_SPACE] = {1, 1, -1},
    [LAC_OP_PAD] = {1, 1, -1},
    [LAC_OP_CONV_TRANSPOSE] = {2, 3, 1},
    [LAC_OP_CHANNEL_MEAN] = {1, 1, -1},
    [LAC_OP_CHANNEL_MAX] = {1, 1, -1},
    [LAC_OP_GLOBAL_MAX_POOL] = {1, 1, -1},
    [LAC_OP_QUANT] = {3, 3, 1},
    [LAC_OP_BIPOLAR_QUANT] = {2, 2, 1},
};

static bool is_quantizer(lac_op op) {
    return op == LAC_OP_QUANT || op == LAC_OP_BIPOLAR_QUANT;
}

static lac_status check_input(const check *c, const lac_node *node, int i) {
    const lac_graph *graph = c->graph;
    int v = node->in[i];
    if (v < 0 || v >= graph->n_values)
        NODE_FAIL(c, node, "input %d is value %d, the graph has %d", i, v, graph->n_values);
    const char *name = graph->values[v].name;
    if (c->standing[v] == ABSENT)
        NODE_FAIL(c, node, "input '%s' is made by no earlier node; lac_graph_tidy sorts nodes", name);
    int n_x = arities[node->op].n_x;
    bool wants_x = n_x < 0 || i < n_x;
    if (wants_x && c->standing[v] == PARAMETER && !is_quantizer(node->op))
        NODE_FAIL(c, node, "input '%s' is a constant where an activation is expected", name);
    if (!wants_x && c->standing[v] != PARAMETER)
        NODE_FAIL(c, node, "input '%s' is an activation where a constant is expected", name);
    bool through_quantizer =
        node->op == LAC_OP_CONV2D || node->op == LAC_OP_CONV_TRANSPOSE || node->op == LAC_OP_LINEAR;
    if (!wants_x && !through_quantizer && !graph->values[v].data)
        NODE_FAIL(c, node, "input '%s' must be a constant itself, not the output of a quantizer", name);
    return LAC_OK;
}

static lac_status check_links(const check *c, const lac_node *node) {
    const struct arity *arity = &arities[node->op];
    if (node->n_in < arity->least || (arity->most && node->n_in > arity->most) || !node->in)
        NODE_FAIL(c, node, "has %d inputs, expects %d to %d", node->n_in, arity->least,
                  arity->most ? arity->most : node->n_in);
    for (int i = 0; i < node->n_in; i++) LAC_TRY(check_input(c, node, i));
    if (node->out < 0 || node->out >= c->graph->n_values)
        NODE_FAIL(c, node, "output is value %d, the graph has %d", node->out, c->graph->n_values);
    const lac_value *out = &c->graph->values[node->out];
    if (node->out == c->graph->input) NODE_FAIL(c, node, "writes the graph's input '%s'", out->name);
    if (out->data) NODE_FAIL(c, node, "writes the constant '%s'", out->name);
    if (c->standing[node->out] != ABSENT)
        NODE_FAIL(c, node, "output '%s' is already made by '%s'", out->name,
                  c->graph->nodes[lac_graph_producer(c->graph, node->out)].name);
    return LAC_OK;
}

// ---- nodes: shapes of parameters, attributes ------------------------------------------------------------

// Shape of a value; of a quantizer's output over constants, the shape of its constant when not inferred.
static lac_shape shape_of(const check *c, int v) {
    lac_shape shape = c->graph->values[v].shape;
    while (shape.n_dims == 0 && !c->graph->values[v].data) {
        int p = lac_graph_producer(c->graph, v);
        if (p < 0 || !is_quantizer(c->graph->nodes[p].op)) break;
        v = c->graph->nodes[p].in[0];
        shape = c->graph->values[v].shape;
    }
    return shape;
}

static lac_status check_window(const check *c, const lac_node *node) {
    const lac_window *w = &node->attr.window;
    for (int a = 0; a < 2; a++) {
        if (w->kernel[a] < 1 || w->stride[a] < 1 || w->dilation[a] < 1)
            NODE_FAIL(c, node, "kernel %d, stride %d and dilation %d of axis %d must be at least 1",
                      w->kernel[a], w->stride[a], w->dilation[a], a);
        if (w->pad[a] < 0 || w->pad[a + 2] < 0)
            NODE_FAIL(c, node, "padding %d and %d of axis %d must not be negative", w->pad[a], w->pad[a + 2],
                      a);
        int64_t reach = (int64_t)w->dilation[a] * (w->kernel[a] - 1) + 1;
        bool convolves = node->op == LAC_OP_CONV2D || node->op == LAC_OP_CONV_TRANSPOSE;
        if (!convolves && (w->pad[a] >= reach || w->pad[a + 2] >= reach))
            NODE_FAIL(c, node, "padding %d and %d of axis %d must be below the window's %" PRId64, w->pad[a],
                      w->pad[a + 2], a, reach);
    }
    lac_shape x = shape_of(c, node->in[0]);
    if (x.n_dims != 0 && x.n_dims != 4) NODE_FAIL(c, node, "input has %d dimensions, expects 4", x.n_dims);
    for (int a = 0; x.n_dims == 4 && node->op != LAC_OP_CONV_TRANSPOSE && a < 2; a++)
        if (lac_window_out(w, a, x.dim[2 + a]) < 1)
            NODE_FAIL(c, node, "window of %d pixels does not fit the input's %" PRId64 " on axis %d",
                      w->kernel[a], x.dim[2 + a], a);
    return LAC_OK;
}

static lac_status check_bias(const check *c, const lac_node *node, int64_t n_out) {
    if (node->n_in < 3) return LAC_OK;
    lac_shape b = shape_of(c, node->in[2]);
    char text[96];
    if (b.n_dims != 1 || b.dim[0] != n_out)
        NODE_FAIL(c, node, "bias is %s, weights have %" PRId64 " outputs", lac_shape_print(b, text), n_out);
    return LAC_OK;
}

static lac_status check_conv2d(const check *c, const lac_node *node) {
    LAC_TRY(check_window(c, node));
    const lac_window *window = &node->attr.window;
    lac_shape w = shape_of(c, node->in[1]), x = shape_of(c, node->in[0]);
    char text[96];
    if (w.n_dims != 4) NODE_FAIL(c, node, "weights are %s, expects 4 dimensions", lac_shape_print(w, text));
    if (w.dim[2] != window->kernel[0] || w.dim[3] != window->kernel[1])
        NODE_FAIL(c, node, "weights are %s, the kernel is %dx%d", lac_shape_print(w, text), window->kernel[0],
                  window->kernel[1]);
    if (window->groups < 1 || w.dim[0] % window->groups != 0)
        NODE_FAIL(c, node, "%" PRId64 " outputs do not divide into %d groups", w.dim[0], window->groups);
    if (x.n_dims == 4 && x.dim[1] != w.dim[1] * window->groups)
        NODE_FAIL(c, node, "input has %" PRId64 " channels, weights expect %" PRId64 " in %d groups",
                  x.dim[1], w.dim[1] * window->groups, window->groups);
    return check_bias(c, node, w.dim[0]);
}

static lac_status check_conv_transpose(const check *c, const lac_node *node) {
    LAC_TRY(check_window(c, node));
    const lac_window *window = &node->attr.window;
    lac_shape w = shape_of(c, node->in[1]), x = shape_of(c, node->in[0]);
    char text[96];
    if (w.n_dims != 4) NODE_FAIL(c, node, "weights are %s, expects 4 dimensions", lac_shape_print(w, text));
    if (w.dim[2] != window->kernel[0] || w.dim[3] != window->kernel[1])
        NODE_FAIL(c, node, "weights are %s, the kernel is %dx%d", lac_shape_print(w, text), window->kernel[0],
                  window->kernel[1]);
    if (window->groups < 1 || w.dim[0] % window->groups != 0)
        NODE_FAIL(c, node, "%" PRId64 " input channels do not divide into %d groups", w.dim[0],
                  window->groups);
    if (x.n_dims == 4 && x.dim[1] != w.dim[0])
        NODE_FAIL(c, node, "input has %" PRId64 " channels, weights expect %" PRId64, x.dim[1], w.dim[0]);
    for (int a = 0; a < 2; a++) {
        int extra = node->attr.out_pad[a],
            most = window->stride[a] > window->dilation[a] ? window->stride[a] : window->dilation[a];
        if (extra < 0 || extra >= most)
            NODE_FAIL(c, node, "output padding %d of axis %d must be in 0..%d: below stride or dilation",
                      extra, a, most - 1);
        if (x.n_dims == 4 && lac_window_transposed_out(window, extra, a, x.dim[2 + a]) < 1)
            NODE_FAIL(c, node, "padding %d and %d of axis %d leave nothing of the output", window->pad[a],
                      window->pad[a + 2], a);
    }
    return check_bias(c, node, w.dim[1] * window->groups);
}

static lac_status check_rearrange(const check *c, const lac_node *node) {
    lac_shape x = shape_of(c, node->in[0]), y;
    lac_error why = {0};
    if (x.n_dims == 0 || lac_rearrange_shape(node, x, &y, &why) == LAC_OK) return LAC_OK;
    LAC_FAIL(c->err, LAC_E_FORMAT, "%s", why.text);
}

static lac_status check_mul(const check *c, const lac_node *node) {
    lac_shape a = shape_of(c, node->in[0]), b = shape_of(c, node->in[1]);
    char a_text[96], b_text[96];
    if (a.n_dims && b.n_dims && !lac_shape_spreads(b, a))
        NODE_FAIL(c, node, "inputs are %s and %s; each dimension of the second must be the first's or 1",
                  lac_shape_print(a, a_text), lac_shape_print(b, b_text));
    return LAC_OK;
}

static lac_status check_hard_sigmoid(const check *c, const lac_node *node) {
    if (!isfinite(node->attr.alpha) || !isfinite(node->attr.beta))
        NODE_FAIL(c, node, "alpha is %g and beta %g, must be finite", (double)node->attr.alpha,
                  (double)node->attr.beta);
    return LAC_OK;
}

static lac_status check_linear(const check *c, const lac_node *node) {
    lac_shape w = shape_of(c, node->in[1]), x = shape_of(c, node->in[0]);
    char text[96];
    if (w.n_dims != 2) NODE_FAIL(c, node, "weights are %s, expects 2 dimensions", lac_shape_print(w, text));
    if (x.n_dims != 0 && (x.n_dims != 2 || x.dim[1] != w.dim[1]))
        NODE_FAIL(c, node, "input is %s, weights expect 1x%" PRId64 "; flatten it first",
                  lac_shape_print(x, text), w.dim[1]);
    return check_bias(c, node, w.dim[0]);
}

static lac_status check_batch_norm(const check *c, const lac_node *node) {
    static const char *const roles[] = {"x", "gamma", "beta", "mean", "variance"};
    lac_shape x = shape_of(c, node->in[0]), gamma = shape_of(c, node->in[1]);
    char text[96];
    for (int i = 1; i < 5; i++) {
        lac_shape s = shape_of(c, node->in[i]);
        if (s.n_dims != 1 || s.dim[0] != gamma.dim[0])
            NODE_FAIL(c, node, "%s is %s, gamma has %" PRId64 " channels", roles[i], lac_shape_print(s, text),
                      gamma.dim[0]);
    }
    if (x.n_dims != 0 && (x.n_dims < 2 || x.dim[1] != gamma.dim[0]))
        NODE_FAIL(c, node, "input is %s, gamma has %" PRId64 " channels", lac_shape_print(x, text),
                  gamma.dim[0]);
    if (!(node->attr.epsilon >= 0) || !isfinite(node->attr.epsilon))
        NODE_FAIL(c, node, "epsilon is %g, must be 0 or more", (double)node->attr.epsilon);
    if (!(node->attr.momentum >= 0 && node->attr.momentum <= 1))
        NODE_FAIL(c, node, "momentum is %g, must be in 0..1", (double)node->attr.momentum);
    return LAC_OK;
}

// One element, or [O][1].. along the first dimension of a parameter.
static bool is_per_tensor_or_channel(lac_shape scale, lac_shape x, standing x_standing) {
    if (lac_shape_count(scale) == 1) return true;
    if (x_standing != PARAMETER || scale.n_dims != x.n_dims) return false;
    for (int i = 0; i < scale.n_dims; i++)
        if (scale.dim[i] != (i == 0 ? x.dim[0] : 1)) return false;
    return true;
}

static lac_status check_quantizer(const check *c, const lac_node *node) {
    lac_shape x = shape_of(c, node->in[0]);
    char text[96], x_text[96];
    for (int i = 1; i < node->n_in; i++) {
        lac_shape s = shape_of(c, node->in[i]);
        if (!is_per_tensor_or_channel(s, x, c->standing[node->in[0]]))
            NODE_FAIL(c, node, "%s is %s, must be a scalar%s (x is %s)", i == 1 ? "scale" : "zero point",
                      lac_shape_print(s, text),
                      c->standing[node->in[0]] == PARAMETER ? " or one per output channel" : "",
                      lac_shape_print(x, x_text));
    }
    if (node->op == LAC_OP_BIPOLAR_QUANT) return LAC_OK;
    lac_quant_attr q = node->attr.quant;
    if (q.bits < 1 || q.bits > 8) NODE_FAIL(c, node, "%d bits, supported are 1 to 8", q.bits);
    if (q.bits == 1 && q.is_signed && q.narrow)
        NODE_FAIL(c, node, "1 bit, signed and narrow leaves the code 0 alone; use bipolar_quant");
    return LAC_OK;
}

static lac_status check_concat(const check *c, const lac_node *node) {
    lac_shape first = shape_of(c, node->in[0]);
    char text[96], first_text[96];
    for (int i = 1; i < node->n_in; i++) {
        lac_shape s = shape_of(c, node->in[i]);
        if (s.n_dims == 0 || first.n_dims == 0) continue;
        bool fits = s.n_dims == first.n_dims && s.n_dims >= 2;
        for (int d = 0; fits && d < s.n_dims; d++) fits = d == 1 || s.dim[d] == first.dim[d];
        if (!fits)
            NODE_FAIL(c, node, "input %d is %s, the first is %s: they may differ in channels alone", i,
                      lac_shape_print(s, text), lac_shape_print(first, first_text));
    }
    return LAC_OK;
}

static lac_status check_add(const check *c, const lac_node *node) {
    lac_shape a = shape_of(c, node->in[0]), b = shape_of(c, node->in[1]);
    char a_text[96], b_text[96];
    if (a.n_dims && b.n_dims && !lac_shape_equal(a, b))
        NODE_FAIL(c, node, "inputs are %s and %s, must be of one shape", lac_shape_print(a, a_text),
                  lac_shape_print(b, b_text));
    return LAC_OK;
}

static lac_status check_by_op(const check *c, const lac_node *node) {
    switch (node->op) {
    case LAC_OP_CONV2D:
        return check_conv2d(c, node);
    case LAC_OP_CONV_TRANSPOSE:
        return check_conv_transpose(c, node);
    case LAC_OP_SLICE:
    case LAC_OP_CHANNEL_SHUFFLE:
    case LAC_OP_UPSAMPLE:
    case LAC_OP_DEPTH_TO_SPACE:
    case LAC_OP_PAD:
        return check_rearrange(c, node);
    case LAC_OP_MUL:
        return check_mul(c, node);
    case LAC_OP_HARD_SIGMOID:
        return check_hard_sigmoid(c, node);
    case LAC_OP_LINEAR:
        return check_linear(c, node);
    case LAC_OP_BATCH_NORM:
        return check_batch_norm(c, node);
    case LAC_OP_MAX_POOL:
    case LAC_OP_AVG_POOL:
        return check_window(c, node);
    case LAC_OP_ADD:
        return check_add(c, node);
    case LAC_OP_CONCAT:
        return check_concat(c, node);
    case LAC_OP_QUANT:
    case LAC_OP_BIPOLAR_QUANT:
        return check_quantizer(c, node);
    case LAC_OP_RELU:
    case LAC_OP_GLOBAL_AVG_POOL:
    case LAC_OP_GLOBAL_MAX_POOL:
    case LAC_OP_CHANNEL_MEAN:
    case LAC_OP_CHANNEL_MAX:
    case LAC_OP_SIGMOID:
    case LAC_OP_TANH:
    case LAC_OP_HARD_SWISH:
    case LAC_OP_SILU:
    case LAC_OP_GELU:
    case LAC_OP_FLATTEN:
    case LAC_N_OPS:
        break;
    }
    return LAC_OK;
}

// ---- the graph ------------------------------------------------------------------------------------------

static lac_status check_nodes(check *c) {
    const lac_graph *graph = c->graph;
    for (int n = 0; n < graph->n_nodes; n++) {
        const lac_node *node = &graph->nodes[n];
        if ((int)node->op < 0 || node->op >= LAC_N_OPS || !node->name || !*node->name)
            LAC_FAIL(c->err, LAC_E_FORMAT, "node %d has no name or an op (%d) that is not in ops.def", n,
                     (int)node->op);
        for (int m = 0; m < n; m++)
            if (strcmp(graph->nodes[m].name, node->name) == 0)
                LAC_FAIL(c->err, LAC_E_FORMAT, "nodes %d and %d have one name, '%s'", m, n, node->name);
        LAC_TRY(check_links(c, node));
        LAC_TRY(check_by_op(c, node));
        bool of_constants = is_quantizer(node->op) && c->standing[node->in[0]] == PARAMETER;
        c->standing[node->out] = of_constants ? PARAMETER : ACTIVATION;
        const lac_value *out = &graph->values[node->out];
        if (!of_constants && out->shape.n_dims > 0 && out->shape.dim[0] != 1)
            NODE_FAIL(c, node, "output has a batch of %" PRId64 ", graphs are kept at 1", out->shape.dim[0]);
    }
    return LAC_OK;
}

static lac_status check_ends(const lac_graph *graph, lac_error *err) {
    if (!graph->name || !graph->arena) LAC_FAIL(err, LAC_E_FORMAT, "graph without a name or an arena");
    if (graph->input < 0 || graph->input >= graph->n_values)
        LAC_FAIL(err, LAC_E_FORMAT, "graph '%s': its input is value %d of %d; set graph->input", graph->name,
                 graph->input, graph->n_values);
    if (graph->output < 0 || graph->output >= graph->n_values)
        LAC_FAIL(err, LAC_E_FORMAT, "graph '%s': its output is value %d of %d; set graph->output",
                 graph->name, graph->output, graph->n_values);
    const lac_value *input = &graph->values[graph->input];
    if (input->data)
        LAC_FAIL(err, LAC_E_FORMAT, "graph '%s': its input '%s' is a constant", graph->name, input->name);
    if (input->shape.n_dims != 0 && input->shape.dim[0] != 1)
        LAC_FAIL(err, LAC_E_FORMAT, "graph '%s': its input has a batch of %" PRId64 ", graphs are kept at 1",
                 graph->name, input->shape.dim[0]);
    for (int i = 0; i < graph->n_meta; i++)
        if (!graph->meta[i].key || !graph->meta[i].text)
            LAC_FAIL(err, LAC_E_FORMAT, "graph '%s': entry %d of its meta data has no key or text",
                     graph->name, i);
    return LAC_OK;
}

static lac_status check_all(check *c) {
    const lac_graph *graph = c->graph;
    LAC_TRY(check_values(graph, c->err));
    LAC_TRY(check_ends(graph, c->err));
    for (int v = 0; v < graph->n_values; v++)
        if (graph->values[v].data) c->standing[v] = PARAMETER;
    c->standing[graph->input] = ACTIVATION;
    LAC_TRY(check_nodes(c));
    if (c->standing[graph->output] != ACTIVATION)
        LAC_FAIL(c->err, LAC_E_FORMAT, "graph '%s': its output '%s' is made by no node", graph->name,
                 graph->values[graph->output].name);
    return LAC_OK;
}

lac_status lac_graph_check(const lac_graph *graph, lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to check graph '%s'", graph->name);
    check c = {graph, LAC_NEW_ARRAY(scratch, standing, graph->n_values > 0 ? graph->n_values : 1), err};
    lac_status status = check_all(&c);
    lac_arena_close(scratch);
    return status;
}
