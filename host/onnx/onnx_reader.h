#ifndef LAC_ONNX_READER_H
#define LAC_ONNX_READER_H

#include "graph.h"
#include "onnx.pb-c.h"

/// What the files of the reader share; nobody outside this room includes it.

enum {
    LAC_ONNX_MAX_ITEMS = 10000, ///< nodes, initializers or meta data entries
    LAC_ONNX_MAX_SIDE = 1 << 20 ///< pixels, channels, kernel sizes and the like
};

/// A decoded constant of the file: floats or integers (INT64, INT32 and BOOL alike).
typedef struct onnx_tensor {
    const char *name;
    lac_shape shape;
    int64_t n;
    float *f;   ///< NULL for integers
    int64_t *i; ///< NULL for floats
    int value;  ///< in the graph; LAC_NO_VALUE until a node wants it
} onnx_tensor;

/// What a tensor name of the file stands for.
typedef struct onnx_binding {
    const char *name;
    const Onnx__TensorProto *initializer; ///< not decoded before it is used
    onnx_tensor *tensor;                  ///< a constant
    int value;                            ///< in the graph, once its node was read; else LAC_NO_VALUE
    int producer;                         ///< index of the file's node, -1: none
    int n_uses;                           ///< by nodes and as the file's output
} onnx_binding;

typedef struct onnx_names {
    onnx_binding *slots;
    size_t n_slots; ///< a power of two
} onnx_names;

typedef struct onnx_reader {
    lac_graph *graph;
    lac_arena *scratch;
    const Onnx__GraphProto *file;
    const Onnx__NodeProto **nodes; ///< the file's, where onnx_pattern.c has put one in for several
    onnx_names names;
    int64_t opset, qonnx_opset; ///< 0: not imported
    int64_t batch;              ///< as declared; 0 when symbolic
    lac_error *err;
} onnx_reader;

/// One node of the file being read.
typedef struct onnx_node {
    onnx_reader *r;
    const Onnx__NodeProto *proto;
    uint64_t used; ///< attributes that were asked for
} onnx_node;

/// Fails with "Conv 'conv1': " before the sentence.
#define ONNX_FAIL(node, status, ...)                                                                         \
    do {                                                                                                     \
        lac_fail((node)->r->err, (status), __VA_ARGS__);                                                     \
        onnx_fail_in((node), (status));                                                                      \
        return (status);                                                                                     \
    } while (0)
void onnx_fail_in(const onnx_node *node, lac_status status);
const char *onnx_node_name(const Onnx__NodeProto *node);

/// onnx_wire.c: the bytes as a message tree, refused when nested too deep or damaged. Free with
/// onnx__model_proto__free_unpacked.
lac_status onnx_unpack(const uint8_t *data, size_t n, Onnx__ModelProto **out, lac_error *err);

/// onnx_names.c: NULL / a new binding when the name is not there.
void onnx_names_open(onnx_names *names, size_t n_most, lac_arena *arena);
onnx_binding *onnx_names_find(const onnx_names *names, const char *name);
onnx_binding *onnx_names_get(onnx_names *names, const char *name);
bool onnx_name_is_free(const lac_graph *graph, const char *name); ///< of the values in the graph

/// onnx_tensor.c
lac_status onnx_tensor_decode(const Onnx__TensorProto *proto, const char *name, lac_arena *arena,
                              onnx_tensor **out, lac_error *err);
/// The graph's constant of a tensor of floats; made when first asked for.
lac_status onnx_tensor_use(onnx_reader *r, onnx_tensor *tensor, bool trainable, int *value);

/// onnx_attr.c: the value or the default. Asking marks the attribute as honoured.
lac_status onnx_attr_int(onnx_node *node, const char *name, int64_t fallback, int64_t *out);
lac_status onnx_attr_float(onnx_node *node, const char *name, float fallback, float *out);
lac_status onnx_attr_string(onnx_node *node, const char *name, const char *fallback, const char **out);
/// Exactly n integers of 0..LAC_ONNX_MAX_SIDE; *found tells whether the attribute is there (out stays when
/// not).
lac_status onnx_attr_ints(onnx_node *node, const char *name, size_t n, int *out, bool *found);
/// An attribute by name, or NULL.
lac_status onnx_attr_find(onnx_node *node, const char *name, int type, const Onnx__AttributeProto **out);
/// Refuses whatever attribute nobody asked for.
lac_status onnx_attr_done(const onnx_node *node);

/// onnx_shape.c: shape of a node's output from those of its inputs, for a batch of 1.
lac_status onnx_infer(const lac_graph *graph, const lac_node *node, lac_shape *out, lac_error *err);

/// onnx_nodes.c: reads one node whose inputs are read.
lac_status onnx_import(onnx_reader *r, const Onnx__NodeProto *proto);

/// onnx_node.c: what the importers of nodes ask and give back.
const char *onnx_input_name(const onnx_node *node, size_t i); ///< NULL when absent
lac_status onnx_n_inputs(const onnx_node *node, size_t least, size_t most);
lac_status onnx_input_binding(const onnx_node *node, size_t i, onnx_binding **out);
/// A value that is computed from the graph's input.
lac_status onnx_activation(const onnx_node *node, size_t i, int *value);
/// A constant of the file.
lac_status onnx_const(const onnx_node *node, size_t i, onnx_tensor **out);
/// A constant of floats, in the graph, or the output of a quantizer over one (tensor is then NULL).
lac_status onnx_parameter(const onnx_node *node, size_t i, int *value, onnx_tensor **tensor);
/// A constant, or the output of quantizers over one.
bool onnx_is_parameter(const lac_graph *graph, int value);
/// Adds the node with its output named and shaped, and binds it.
lac_status onnx_emit(const onnx_node *node, lac_op op, const int *in, int n_in, const lac_attr *attr);
lac_status onnx_bind_output(const onnx_node *node, int value);
/// The same for the i-th output of several.
lac_status onnx_emit_output(const onnx_node *node, size_t i, lac_op op, const int *in, int n_in,
                            const lac_attr *attr);
/// Leaves the model's last node out with a note in the meta data: its result says no more than its input.
lac_status onnx_leave_out(onnx_node *node, const char *what);

/// onnx_pattern.c: finds what several nodes say together and puts one node in the place of the last.
extern const char onnx_pattern_domain[]; ///< of nodes that no file has
lac_status onnx_find_patterns(onnx_reader *r);

/// onnx_move.c, onnx_scale.c, onnx_window.c, onnx_affine.c, onnx_quant.c: the ops with much to say.
lac_status onnx_import_conv(onnx_node *node);
lac_status onnx_import_max_pool(onnx_node *node);
lac_status onnx_import_avg_pool(onnx_node *node);
lac_status onnx_import_conv_transpose(onnx_node *node);
lac_status onnx_import_mul(onnx_node *node);
lac_status onnx_import_hard_sigmoid(onnx_node *node);
lac_status onnx_import_hard_swish(onnx_node *node);
lac_status onnx_import_gelu(onnx_node *node);
lac_status onnx_import_reduce_mean(onnx_node *node);
lac_status onnx_import_reduce_max(onnx_node *node);
lac_status onnx_import_slice(onnx_node *node);
lac_status onnx_import_split(onnx_node *node);
lac_status onnx_import_channel_shuffle(onnx_node *node);
lac_status onnx_import_resize(onnx_node *node);
lac_status onnx_import_depth_to_space(onnx_node *node);
lac_status onnx_import_pad(onnx_node *node);
lac_status onnx_import_gemm(onnx_node *node);
lac_status onnx_import_matmul(onnx_node *node);
lac_status onnx_import_add(onnx_node *node);
lac_status onnx_import_quant(onnx_node *node);
lac_status onnx_import_bipolar_quant(onnx_node *node);

#endif
