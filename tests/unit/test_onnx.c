#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "every_op.h"
#include "onnx.h"

static void assert_same_window(const lac_window *a, const lac_window *b) {
    assert_memory_equal(a, b, sizeof *a);
}

static void assert_same_attr(const lac_node *a, const lac_node *b) {
    if (a->op == LAC_OP_CONV2D || a->op == LAC_OP_MAX_POOL || a->op == LAC_OP_AVG_POOL)
        assert_same_window(&a->attr.window, &b->attr.window);
    assert_int_equal(a->attr.count_include_pad, b->attr.count_include_pad);
    assert_true(a->attr.epsilon == b->attr.epsilon && a->attr.momentum == b->attr.momentum);
    assert_int_equal(a->attr.quant.bits, b->attr.quant.bits);
    assert_int_equal(a->attr.quant.is_signed, b->attr.quant.is_signed);
    assert_int_equal(a->attr.quant.narrow, b->attr.quant.narrow);
}

static void assert_same_value(const lac_value *a, const lac_value *b) {
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->data != NULL, b->data != NULL);
    assert_int_equal(a->trainable, b->trainable);
    if (!a->data) return;
    assert_true(lac_shape_equal(a->shape, b->shape));
    assert_memory_equal(a->data, b->data, (size_t)lac_shape_count(a->shape) * sizeof(float));
}

// Values are numbered in another order after reading, so they are compared through the nodes.
static void assert_same_graph(const lac_graph *a, const lac_graph *b) {
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->n_nodes, b->n_nodes);
    assert_int_equal(a->n_values, b->n_values);
    for (int n = 0; n < a->n_nodes; n++) {
        const lac_node *p = &a->nodes[n], *q = &b->nodes[n];
        assert_int_equal(p->op, q->op);
        assert_string_equal(p->name, q->name);
        assert_int_equal(p->n_in, q->n_in);
        for (int i = 0; i < p->n_in; i++) assert_same_value(&a->values[p->in[i]], &b->values[q->in[i]]);
        assert_string_equal(a->values[p->out].name, b->values[q->out].name);
        assert_same_attr(p, q);
    }
    assert_string_equal(a->values[a->input].name, b->values[b->input].name);
    assert_true(lac_shape_equal(a->values[a->input].shape, b->values[b->input].shape));
    assert_string_equal(a->values[a->output].name, b->values[b->output].name);
    assert_int_equal(a->n_meta, b->n_meta);
    for (int i = 0; i < a->n_meta; i++)
        assert_string_equal(lac_graph_meta(b, a->meta[i].key), a->meta[i].text);
}

static lac_graph *through_bytes(const lac_graph *graph, lac_arena *arena) {
    lac_error err = {0};
    lac_bytes bytes;
    lac_graph *back = NULL;
    if (lac_onnx_serialize(graph, arena, &bytes, &err) != LAC_OK) fail_msg("%s", err.text);
    if (lac_onnx_parse(bytes.data, bytes.n, arena, &back, &err) != LAC_OK) fail_msg("%s", err.text);
    assert_string_equal(err.text, "");
    return back;
}

static void every_op_survives_the_round_trip(void **state) {
    (void)state;
    for (int quantized = 0; quantized < 2; quantized++) {
        lac_arena *arena = lac_arena_open();
        lac_graph *graph = every_op_graph(arena, quantized);
        assert_int_equal(lac_graph_check(graph, NULL), LAC_OK);
        bool seen[LAC_N_OPS] = {false};
        for (int n = 0; n < graph->n_nodes; n++) seen[graph->nodes[n].op] = true;
        for (int op = 0; quantized && op < LAC_N_OPS; op++)
            if (!seen[op]) fail_msg("the test graph lacks %s", lac_op_name((lac_op)op));
        assert_same_graph(graph, through_bytes(graph, arena));
        lac_arena_close(arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_op_survives_the_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
