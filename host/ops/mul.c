#include "planner.h"

#include <string.h>

// Row-major, with the second operand spread over what it has only one of.
typedef struct product {
    const float *a, *b, *dy;
    float *y, *da, *db;
    int n_images;
    size_t n_channels, n_rows, n_columns;
    size_t b_image, b_channel, b_row; // steps of b; 0: one for all
    bool b_has_columns;
} product;

static inline void row_forward(const float *restrict a, const float *restrict b, float *restrict y, size_t n,
                               bool b_has_columns) {
    for (size_t i = 0; i < n; i++) y[i] = a[i] * b[b_has_columns ? i : 0];
}

static inline void row_back_a(const float *restrict dy, const float *restrict b, float *restrict da, size_t n,
                              bool b_has_columns) {
    for (size_t i = 0; i < n; i++) da[i] = dy[i] * b[b_has_columns ? i : 0];
}

static inline void row_back_b(const float *restrict dy, const float *restrict a, float *restrict db, size_t n,
                              bool b_has_columns) {
    if (b_has_columns) {
        for (size_t i = 0; i < n; i++) db[i] += dy[i] * a[i];
        return;
    }
    float sum = 0;
    for (size_t i = 0; i < n; i++) sum += dy[i] * a[i];
    db[0] += sum;
}

// Calls what for every row of an image.
static void each_row(const product *p, int image, void (*what)(const product *p, size_t a, size_t b)) {
    size_t a = (size_t)image * p->n_channels * p->n_rows * p->n_columns;
    for (size_t c = 0; c < p->n_channels; c++)
        for (size_t r = 0; r < p->n_rows; r++, a += p->n_columns)
            what(p, a, (size_t)image * p->b_image + c * p->b_channel + r * p->b_row);
}

static void forward_row(const product *p, size_t a, size_t b) {
    row_forward(p->a + a, p->b + b, p->y + a, p->n_columns, p->b_has_columns);
}

static void backward_row(const product *p, size_t a, size_t b) {
    if (p->da) row_back_a(p->dy + a, p->b + b, p->da + a, p->n_columns, p->b_has_columns);
    if (p->db) row_back_b(p->dy + a, p->a + a, p->db + b, p->n_columns, p->b_has_columns);
}

static void run(void *ctx) {
    const product *p = ctx;
    LAC_PARALLEL
    for (int i = 0; i < p->n_images; i++) each_row(p, i, forward_row);
}

static void run_back(void *ctx) {
    const product *p = ctx;
    LAC_PARALLEL
    for (int i = 0; i < p->n_images; i++) {
        if (p->db) memset(p->db + (size_t)i * p->b_image, 0, p->b_image * sizeof *p->db);
        each_row(p, i, backward_row);
    }
}

static product product_of(lac_shape a, lac_shape b) {
    bool map = a.n_dims == 4;
    size_t b_columns = map ? (size_t)b.dim[3] : 1, b_rows = map ? (size_t)b.dim[2] : 1;
    product p = {.n_images = (int)a.dim[0],
                 .n_channels = (size_t)a.dim[1],
                 .n_rows = map ? (size_t)a.dim[2] : 1,
                 .n_columns = map ? (size_t)a.dim[3] : 1,
                 .b_image = (size_t)(lac_shape_count(b) / b.dim[0]),
                 .b_channel = b.dim[1] > 1 ? b_rows * b_columns : 0,
                 .b_row = b_rows > 1 ? b_columns : 0,
                 .b_has_columns = b_columns > 1};
    bool joins = p.b_row == p.n_columns || (b_rows == 1 && b_columns == 1); // rows are one long row
    if (!joins) return p;
    p.n_columns *= p.n_rows;
    p.n_rows = 1;
    p.b_row = 0;
    return p;
}

static lac_status infer(const lac_graph *graph, const lac_node *node, lac_shape *out, lac_error *err) {
    const lac_value *a = &graph->values[node->in[0]], *b = &graph->values[node->in[1]];
    char a_text[96], b_text[96];
    if (!lac_shape_spreads(b->shape, a->shape) || (a->shape.n_dims != 4 && a->shape.n_dims != 2))
        LAC_FAIL(err, LAC_E_SHAPE,
                 "mul '%s': '%s' is %s, '%s' is %s; each dimension of the second must be the first's or 1",
                 node->name, a->name, lac_shape_print(a->shape, a_text), b->name,
                 lac_shape_print(b->shape, b_text));
    *out = a->shape;
    return LAC_OK;
}

static lac_status forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err) {
    lac_tensor *a = lac_plan_in(plan, node, 0), *b = lac_plan_in(plan, node, 1),
               *y = lac_plan_out(plan, node);
    dnnl_memory_desc_t a_plain = lac_layout_plain(a->shape), b_plain = lac_layout_plain(b->shape);
    dnnl_memory_t a_data = NULL, b_data = NULL;
    LAC_TRY(lac_plan_as(plan, &plan->forward, a->data, &a_plain, &a_data, err));
    LAC_TRY(lac_plan_as(plan, &plan->forward, b->data, &b_plain, &b_data, err));
    LAC_TRY(lac_plan_set_out(plan, y, &a_plain, err));
    product *p = *state = LAC_NEW(plan->arena, product);
    *p = product_of(a->shape, b->shape);
    p->a = lac_memory_data(a_data);
    p->b = lac_memory_data(b_data);
    p->y = lac_memory_data(y->data);
    lac_plan_run(plan, &plan->forward, run, p);
    return LAC_OK;
}

// Buffers of its own: a * a must not write one gradient over the other.
static lac_status backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err) {
    lac_tensor *a = lac_plan_in(plan, node, 0), *b = lac_plan_in(plan, node, 1);
    dnnl_memory_desc_t a_plain = lac_layout_plain(a->shape), b_plain = lac_layout_plain(b->shape);
    dnnl_memory_t da = NULL, db = NULL;
    product *p = state;
    if (a->wants_grad) LAC_TRY(lac_plan_buffer(plan, &a_plain, &da, err));
    if (b->wants_grad) LAC_TRY(lac_plan_buffer(plan, &b_plain, &db, err));
    p->dy = lac_memory_data(lac_plan_out(plan, node)->grad);
    p->da = da ? lac_memory_data(da) : NULL;
    p->db = db ? lac_memory_data(db) : NULL;
    lac_plan_run(plan, &plan->backward, run_back, p);
    if (da) LAC_TRY(lac_plan_grad_done(plan, a, da, err));
    return db ? lac_plan_grad_done(plan, b, db, err) : LAC_OK;
}

static uint64_t macs(const lac_graph *graph, const lac_node *node) {
    return (uint64_t)lac_shape_count(graph->values[node->out].shape);
}

const lac_op_desc lac_op_mul = {
    .op = LAC_OP_MUL,
    .law = "y = a * b, elementwise; b has one number where its dimension is 1",
    .infer = infer,
    .macs = macs,
    .plan_forward = forward,
    .plan_backward = backward,
};
