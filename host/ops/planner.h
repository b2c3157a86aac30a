#ifndef LAC_PLANNER_H
#define LAC_PLANNER_H

#include "float_plan.h"
#include "parallel.h"

#include <oneapi/dnnl/dnnl.h>

/// What an op's file sees of a plan. Only host/ops includes this.

/// A value while a plan runs. Data and gradient have one layout, which the producer of the value chose.
typedef struct lac_tensor {
    lac_shape shape; ///< with the batch
    dnnl_memory_desc_t layout;
    dnnl_memory_t data; ///< NULL before its producer is planned, or when fused away
    dnnl_memory_t grad; ///< NULL when no gradient is wanted, or none arrived
    bool constant;      ///< follows from constants alone: computed on refresh
    bool wants_grad;
    bool grad_shared; ///< other tensors may have the same gradient buffer: it must not be written
    int n_grads;      ///< contributions planned so far
} lac_tensor;

/// One step: an oneDNN primitive with its arguments, or a function of ours.
typedef struct lac_call {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t args[10];
    int n_args;
    void (*run)(void *ctx);
    void *ctx;
    const lac_node *node;
} lac_call;

typedef struct lac_call_list {
    lac_call *calls;
    int n, capacity;
} lac_call_list;

/// A buffer of the plan. Buffers whose calls do not overlap in time share memory (plan_memory.c).
typedef struct lac_slot {
    size_t bytes, offset;
    const lac_node *node; ///< being planned when it was asked for
    bool backward;        ///< asked for by the backward
    bool pinned;          ///< keeps its content between calls and runs
    int first, last;      ///< calls that use it, counted over refresh, forward and backward; last < 0: none
} lac_slot;

/// Planning runs twice: once to see which call uses which buffer, once with the addresses that follow.
typedef struct lac_plan_memory {
    unsigned char *base;
    size_t reserved; ///< bytes at base
    lac_slot *slots;
    int n, capacity;
    bool measured;    ///< slots have their offsets
    int n_placed;     ///< of the second time
    size_t top_bytes; ///< end of the last buffer
} lac_plan_memory;

typedef enum lac_own_kind { LAC_OWN_MEMORY, LAC_OWN_PRIMITIVE, LAC_OWN_PRIMITIVE_DESC } lac_own_kind;
typedef struct lac_plan_owned {
    void *handle;
    lac_own_kind kind;
} lac_plan_owned;

struct lac_plan {
    const lac_graph *graph;
    lac_plan_config config;
    lac_arena *arena;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    lac_tensor *tensors;  ///< one a value of the graph
    void **states;        ///< one a node
    bool *fused;          ///< one a node: its producer does its work
    lac_tensor **shadows; ///< one a value: its float32 copy for ops that know nothing else; NULL: none
    lac_call_list refresh, forward, backward;
    bool in_backward; ///< the backward is being planned
    lac_plan_memory memory;
    dnnl_memory_t logits, logits_grad; ///< row-major
    dnnl_memory_t *taps, *taps_grad;   ///< row-major; one a tap
    lac_plan_owned *owned;
    int n_owned, owned_capacity;
    const lac_node *node; ///< being planned, for error texts
};

/// Turns an oneDNN status into ours, naming the node being planned.
lac_status lac_plan_check(const lac_plan *plan, dnnl_status_t status, const char *what, lac_error *err);
#define LAC_DNNL(plan, call, err) LAC_TRY(lac_plan_check((plan), (call), #call, (err)))

/// Tensor of the node's i-th input / output.
lac_tensor *lac_plan_in(lac_plan *plan, const lac_node *node, int i);
lac_tensor *lac_plan_out(lac_plan *plan, const lac_node *node);

/// Where the forward calls that prepare a tensor go: refresh for what follows from constants alone.
lac_call_list *lac_plan_list(lac_plan *plan, const lac_tensor *tensor);

/// Layout of a shape: row-major / left to oneDNN, both float32; the last: in the type of the plan's
/// activations.
dnnl_memory_desc_t lac_layout_plain(lac_shape shape);
dnnl_memory_desc_t lac_layout_any(lac_shape shape);
dnnl_memory_desc_t lac_layout_activation(const lac_plan *plan, lac_shape shape);
/// The same layout with elements of another type.
dnnl_memory_desc_t lac_layout_typed(const dnnl_memory_desc_t *layout, dnnl_data_type_t type);
/// Elements of the buffer, padding included.
size_t lac_layout_count(const dnnl_memory_desc_t *layout);
bool lac_layout_padded(const dnnl_memory_desc_t *layout);

/// A buffer of a layout, whose content is undefined before the first call that writes it / a view of existing
/// data.
lac_status lac_plan_buffer(lac_plan *plan, const dnnl_memory_desc_t *layout, dnnl_memory_t *out,
                           lac_error *err);
lac_status lac_plan_view(lac_plan *plan, const dnnl_memory_desc_t *layout, float *data, dnnl_memory_t *out,
                         lac_error *err);
float *lac_memory_data(const_dnnl_memory_t memory);
const dnnl_memory_desc_t *lac_memory_layout(const_dnnl_memory_t memory);

/// Creates the primitive descriptor of an op descriptor, owned by the plan.
lac_status lac_plan_describe(lac_plan *plan, const void *op_desc, const_dnnl_primitive_desc_t hint,
                             dnnl_primitive_desc_t *out, lac_error *err);
lac_status lac_plan_describe_with(lac_plan *plan, const void *op_desc, const_dnnl_primitive_attr_t attr,
                                  const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *out,
                                  lac_error *err);
/// True when oneDNN has nothing better than its plain reference loops for it.
bool lac_plan_is_slow(const_dnnl_primitive_desc_t desc);
/// A layout that a primitive descriptor chose.
const dnnl_memory_desc_t *lac_plan_chosen(const_dnnl_primitive_desc_t desc, dnnl_query_t what);

/// Appends a primitive.
lac_status lac_plan_call(lac_plan *plan, lac_call_list *list, const_dnnl_primitive_desc_t desc,
                         const dnnl_exec_arg_t *args, int n_args, lac_error *err);
#define LAC_CALL(plan, list, desc, args, err)                                                                \
    lac_plan_call((plan), (list), (desc), (args), (int)(sizeof(args) / sizeof *(args)), (err))
/// Appends a function of ours.
void lac_plan_run(lac_plan *plan, lac_call_list *list, void (*run)(void *), void *ctx);

/// Appends a copy between layouts / its sum into the target.
lac_status lac_plan_copy(lac_plan *plan, lac_call_list *list, dnnl_memory_t from, dnnl_memory_t to,
                         lac_error *err);
lac_status lac_plan_accumulate(lac_plan *plan, lac_call_list *list, dnnl_memory_t from, dnnl_memory_t to,
                               lac_error *err);
/// The same data in a wanted layout: itself, or a new buffer that list fills.
lac_status lac_plan_as(lac_plan *plan, lac_call_list *list, dnnl_memory_t from,
                       const dnnl_memory_desc_t *wanted, dnnl_memory_t *out, lac_error *err);

/// Gives a node's output its layout and buffer.
lac_status lac_plan_set_out(lac_plan *plan, lac_tensor *out, const dnnl_memory_desc_t *layout,
                            lac_error *err);

/// A buffer for this node's contribution to the gradient of an input, of the wanted layout (NULL: the
/// tensor's); after the calls that fill it, lac_plan_grad_done adds it up with other readers'.
lac_status lac_plan_grad(lac_plan *plan, lac_tensor *in, const dnnl_memory_desc_t *wanted, dnnl_memory_t *out,
                         lac_error *err);
lac_status lac_plan_grad_done(lac_plan *plan, lac_tensor *in, dnnl_memory_t part, lac_error *err);

/// The same for an input whose contribution is another tensor's finished gradient: taken over without a copy
/// where nothing else will be added to it.
lac_status lac_plan_grad_pass(lac_plan *plan, lac_tensor *in, dnnl_memory_t grad, lac_error *err);

/// Calls a primitive that computes gradients of weights (into *part, in the layout that the primitive chose)
/// and, where b is not NULL, of a bias, which is added up.
lac_status lac_plan_weights_grad(lac_plan *plan, dnnl_primitive_desc_t desc, dnnl_memory_t src,
                                 dnnl_memory_t grad, lac_tensor *b, dnnl_memory_t *part, lac_error *err);

/// For functions of ours that want rows of pixels: the input so / the output given that layout.
lac_status lac_plan_plain_ends(lac_plan *plan, lac_tensor *x, lac_tensor *y, dnnl_memory_t *x_plain,
                               lac_error *err);

/// True for values that are read from outside after a forward.
bool lac_plan_is_tap(const lac_plan *plan, int value);

/// The ReLU that alone reads the node's output and may be done by the node itself; NULL if none.
const lac_node *lac_plan_fusible_relu(const lac_plan *plan, const lac_node *node);
/// The tensor that the node writes: its output, or that of the ReLU it does.
lac_tensor *lac_plan_final_out(lac_plan *plan, const lac_node *node, const lac_node *relu);
/// A ReLU after the primitive as an attribute; the caller destroys it. relu NULL: NULL.
lac_status lac_plan_relu_attr(lac_plan *plan, const lac_node *relu, dnnl_primitive_attr_t *out,
                              lac_error *err);
/// Appends what turns the gradient of y = relu(x) into that of x, in place where nobody else needs it.
lac_status lac_plan_relu_back(lac_plan *plan, lac_tensor *y, dnnl_memory_t *out, lac_error *err);

/// Calls work for pieces of [0, n) on all threads; pieces do not depend on the number of threads, so that
/// sums made of one partial result a piece are the same everywhere.
enum { LAC_PIECE = 16384 };
int lac_n_pieces(size_t n);

/// Shape rule of ops that keep their input's shape, and of windows.
lac_status lac_infer_same(const lac_graph *graph, const lac_node *node, lac_shape *out, lac_error *err);
lac_status lac_infer_window(const lac_graph *graph, const lac_node *node, int64_t channels, lac_shape *out,
                            lac_error *err);

// ---- plan_memory.c --------------------------------------------------------------------------------------

/// Address of the next buffer.
void *lac_plan_memory_take(lac_plan *plan, size_t bytes);
/// Room for a first planning, of which only addresses are used.
lac_status lac_plan_memory_reserve(lac_plan *plan, lac_error *err);
/// After the first planning: lifetimes from the calls, and an offset for each buffer.
void lac_plan_memory_measure(lac_plan *plan);
/// Memory for the second planning.
lac_status lac_plan_memory_commit(lac_plan *plan, lac_error *err);
void lac_plan_memory_release(lac_plan_memory *memory);

lac_status lac_need_dims(const lac_graph *graph, const lac_node *node, int n_dims, lac_error *err);

#endif
