#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "every_op.h"

typedef struct fixture {
    lac_arena *arena;
    lac_graph *graph;
    lac_error err;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    if (!f || !(f->arena = lac_arena_open())) return -1;
    f->graph = every_op_graph(f->arena, true);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    lac_arena_close(f->arena);
    free(f);
    return 0;
}

static lac_node *node_named(lac_graph *graph, const char *name) {
    for (int n = 0; n < graph->n_nodes; n++)
        if (strcmp(graph->nodes[n].name, name) == 0) return &graph->nodes[n];
    fail_msg("no node '%s'", name);
    return NULL;
}

static lac_value *value_named(lac_graph *graph, const char *name) {
    for (int v = 0; v < graph->n_values; v++)
        if (strcmp(graph->values[v].name, name) == 0) return &graph->values[v];
    fail_msg("no value '%s'", name);
    return NULL;
}

// ---- shapes ---------------------------------------------------------------------------------------------

static void shapes_count_compare_and_print(void **state) {
    (void)state;
    char text[96];
    assert_int_equal(lac_shape_count(LAC_SHAPE(1, 16, 28, 28)), 12544);
    assert_int_equal(lac_shape_count((lac_shape){0}), 1);
    assert_true(lac_shape_equal(LAC_SHAPE(2, 3), LAC_SHAPE(2, 3)));
    assert_false(lac_shape_equal(LAC_SHAPE(2, 3), LAC_SHAPE(2, 3, 1)));
    assert_false(lac_shape_equal(LAC_SHAPE(2, 3), LAC_SHAPE(2, 4)));
    assert_string_equal(lac_shape_print(LAC_SHAPE(1, 16, 28, 28), text), "1x16x28x28");
    assert_string_equal(lac_shape_print((lac_shape){0}, text), "scalar");
    lac_shape longest = LAC_SHAPE(INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN);
    assert_true(strlen(lac_shape_print(longest, text)) < 96);
}

static void window_sizes_follow_the_formula(void **state) {
    (void)state;
    // By hand: {kernel}, {stride}, {pad}, {dilation}; in and out of both axes.
    static const struct {
        lac_window window;
        int64_t in[2], out[2];
    } rows[] = {
        {{{3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1}, {28, 28}, {28, 28}},
        {{{3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 1}, {28, 27}, {14, 14}},
        {{{3, 2}, {2, 1}, {1, 0, 2, 1}, {1, 2}, 1}, {9, 8}, {5, 7}},
        {{{5, 5}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1}, {5, 4}, {1, 0}},
        {{{1, 7}, {3, 3}, {0, 0, 0, 0}, {1, 2}, 1}, {1, 13}, {1, 1}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int a = 0; a < 2; a++)
            assert_int_equal(lac_window_out(&rows[i].window, a, rows[i].in[a]), rows[i].out[a]);
}

// ---- building -------------------------------------------------------------------------------------------

static void op_names_are_those_of_the_table(void **state) {
    (void)state;
    assert_string_equal(lac_op_name(LAC_OP_CONV2D), "conv2d");
    assert_string_equal(lac_op_name(LAC_OP_BIPOLAR_QUANT), "bipolar_quant");
}

static void names_are_made_unique(void **state) {
    fixture *f = *state;
    lac_graph *g = lac_graph_new(f->arena, NULL);
    int a = lac_graph_add_value(g, "x", (lac_shape){0}), b = lac_graph_add_value(g, "x", (lac_shape){0});
    int c = lac_graph_add_constant(g, "x", LAC_SHAPE(2), (float[]){1, 2}, true);
    assert_string_equal(g->values[a].name, "x");
    assert_string_equal(g->values[b].name, "x_2");
    assert_string_equal(g->values[c].name, "x_3");
    int d = lac_graph_add_node(g, LAC_OP_RELU, "x", &a, 1, NULL);
    int e = lac_graph_add_node(g, LAC_OP_RELU, NULL, &d, 1, NULL);
    int h = lac_graph_add_node(g, LAC_OP_RELU, "", &e, 1, NULL);
    assert_string_equal(g->nodes[0].name, "x");
    assert_string_equal(g->values[d].name, "x_4");
    assert_string_equal(g->nodes[1].name, "relu");
    assert_string_equal(g->values[h].name, "relu_2");
}

static void growing_keeps_what_was_there(void **state) {
    fixture *f = *state;
    lac_graph *g = lac_graph_new(f->arena, "long");
    int x = g->input = lac_graph_add_value(g, "x", LAC_SHAPE(1, 3));
    for (int i = 0; i < 100; i++) x = lac_graph_add_node(g, LAC_OP_RELU, "r", &x, 1, NULL);
    g->output = x;
    assert_int_equal(g->n_nodes, 100);
    for (int i = 0; i < 100; i++) assert_int_equal(g->nodes[i].in[0], i);
    assert_int_equal(lac_graph_check(g, NULL), LAC_OK);
}

static void constants_are_copied_or_zero(void **state) {
    fixture *f = *state;
    float data[] = {1, 2, 3};
    int a = lac_graph_add_constant(f->graph, "copied", LAC_SHAPE(3), data, true);
    int b = lac_graph_add_constant(f->graph, "zeros", LAC_SHAPE(3), NULL, false);
    data[0] = 9;
    assert_memory_equal(f->graph->values[a].data, ((float[]){1, 2, 3}), 12);
    assert_memory_equal(f->graph->values[b].data, ((float[]){0, 0, 0}), 12);
    assert_true(f->graph->values[a].trainable);
    assert_false(f->graph->values[b].trainable);
}

static void producers_and_readers_are_found(void **state) {
    fixture *f = *state;
    lac_graph *g = f->graph;
    assert_int_equal(lac_graph_producer(g, g->input), -1);
    int max = node_named(g, "max")->out, readers[4];
    assert_ptr_equal(&g->nodes[lac_graph_producer(g, max)], node_named(g, "max"));
    assert_int_equal(lac_graph_n_readers(g, max), 2);
    assert_int_equal(lac_graph_readers(g, max, readers, 4), 2);
    assert_ptr_equal(&g->nodes[readers[0]], node_named(g, "sum"));
    assert_ptr_equal(&g->nodes[readers[1]], node_named(g, "join"));
    assert_int_equal(lac_graph_readers(g, max, readers, 1), 2);
    assert_int_equal(lac_graph_n_readers(g, g->output), 0);
    int twice = lac_graph_add_node(g, LAC_OP_ADD, "twice", (int[]){max, max}, 2, NULL);
    assert_int_equal(lac_graph_n_readers(g, max), 4);
    assert_int_equal(lac_graph_n_readers(g, twice), 0);
}

static void meta_data_is_replaced_by_key(void **state) {
    fixture *f = *state;
    lac_graph_set_meta(f->graph, "lacuna.seed", "8");
    assert_int_equal(f->graph->n_meta, 2);
    assert_string_equal(lac_graph_meta(f->graph, "lacuna.seed"), "8");
    assert_null(lac_graph_meta(f->graph, "lacuna.none"));
}

static void a_copy_lives_without_its_original(void **state) {
    fixture *f = *state;
    lac_value *w = value_named(f->graph, "conv_w");
    w->mask = LAC_NEW_ARRAY(f->arena, uint8_t, lac_shape_count(w->shape));
    memset(w->mask, 1, (size_t)lac_shape_count(w->shape));
    w->mask[3] = 0;
    w->data[3] = 0;
    float first = w->data[0];
    int n_nodes = f->graph->n_nodes, n_values = f->graph->n_values;
    lac_arena *arena = lac_arena_open();
    lac_graph *copy = lac_graph_copy(f->graph, arena);
    lac_arena_reset(f->arena); // poisoned under the address sanitizer
    assert_int_equal(lac_graph_check(copy, &f->err), LAC_OK);
    assert_int_equal(copy->n_nodes, n_nodes);
    assert_int_equal(copy->n_values, n_values);
    w = value_named(copy, "conv_w");
    assert_true(w->data[0] == first && w->mask[3] == 0 && w->mask[2] == 1);
    assert_string_equal(lac_graph_meta(copy, "lacuna.note"), "one\ntwo");
    lac_graph_add_node(copy, LAC_OP_RELU, "more", &copy->output, 1, NULL);
    assert_int_equal(copy->nodes[n_nodes].attr.window.groups, 0);
    lac_arena_close(arena);
}

// ---- tidy -----------------------------------------------------------------------------------------------

static void tidy_leaves_a_tidy_graph_alone(void **state) {
    fixture *f = *state;
    lac_graph *before = lac_graph_copy(f->graph, f->arena);
    assert_int_equal(lac_graph_tidy(f->graph, &f->err), LAC_OK);
    assert_int_equal(f->graph->n_nodes, before->n_nodes);
    assert_int_equal(f->graph->n_values, before->n_values);
    for (int n = 0; n < before->n_nodes; n++)
        assert_string_equal(f->graph->nodes[n].name, before->nodes[n].name);
    assert_string_equal(f->graph->values[f->graph->output].name, "fc");
}

static void tidy_sorts_and_drops_what_leads_nowhere(void **state) {
    fixture *f = *state;
    lac_graph *g = f->graph;
    int n_nodes = g->n_nodes, n_values = g->n_values;
    lac_graph_add_constant(g, "unused", LAC_SHAPE(4), NULL, true);
    int dead = lac_graph_add_node(g, LAC_OP_RELU, "dead", &node_named(g, "sum")->out, 1, NULL);
    lac_graph_add_node(g, LAC_OP_RELU, "dead end", &dead, 1, NULL);
    for (int i = 0, j = g->n_nodes - 1; i < j; i++, j--) { // worst order: reversed
        lac_node swapped = g->nodes[i];
        g->nodes[i] = g->nodes[j];
        g->nodes[j] = swapped;
    }
    assert_int_equal(lac_graph_check(g, &f->err), LAC_E_FORMAT);
    assert_int_equal(lac_graph_tidy(g, &f->err), LAC_OK);
    assert_int_equal(g->n_nodes, n_nodes);
    assert_int_equal(g->n_values, n_values);
    assert_int_equal(lac_graph_check(g, &f->err), LAC_OK);
    assert_string_equal(g->values[g->input].name, "image");
    assert_string_equal(g->values[g->output].name, "fc");
    assert_string_equal(g->nodes[n_nodes - 1].name, "fc");
}

static void tidy_keeps_an_input_nobody_reads(void **state) {
    fixture *f = *state;
    f->graph->output = f->graph->input;
    assert_int_equal(lac_graph_tidy(f->graph, NULL), LAC_OK);
    assert_int_equal(f->graph->n_nodes, 0);
    assert_int_equal(f->graph->n_values, 1);
    assert_int_equal(f->graph->input, 0);
}

static void tidy_reports_cycles_and_two_makers(void **state) {
    fixture *f = *state;
    lac_graph *g = lac_graph_copy(f->graph, f->arena);
    node_named(g, "norm")->in[0] = node_named(g, "sum")->out;
    assert_int_equal(lac_graph_tidy(g, &f->err), LAC_E_FORMAT);
    assert_non_null(strstr(f->err.text, "cycle"));
    g = lac_graph_copy(f->graph, f->arena);
    node_named(g, "norm")->in[0] = node_named(g, "norm")->out;
    assert_int_equal(lac_graph_tidy(g, &f->err), LAC_E_FORMAT);
    g = lac_graph_copy(f->graph, f->arena);
    node_named(g, "max")->out = node_named(g, "avg")->out;
    assert_int_equal(lac_graph_tidy(g, &f->err), LAC_E_FORMAT);
    assert_non_null(strstr(f->err.text, "'max'"));
    assert_non_null(strstr(f->err.text, "'avg'"));
    g = lac_graph_copy(f->graph, f->arena);
    node_named(g, "max")->in[0] = 1000;
    assert_int_equal(lac_graph_tidy(g, &f->err), LAC_E_FORMAT);
    g->output = LAC_NO_VALUE;
    assert_int_equal(lac_graph_tidy(g, &f->err), LAC_E_FORMAT);
}

// ---- check: one planted fault a row -------------------------------------------------------------------

static void sound_graphs_pass(void **state) {
    fixture *f = *state;
    assert_int_equal(lac_graph_check(f->graph, &f->err), LAC_OK);
    assert_int_equal(lac_graph_check(every_op_graph(f->arena, false), &f->err), LAC_OK);
    assert_string_equal(f->err.text, "");
}

static void mask_value(lac_graph *g, const char *name, size_t masked) {
    lac_value *v = value_named(g, name);
    size_t n = (size_t)lac_shape_count(v->shape);
    v->mask = LAC_NEW_ARRAY(g->arena, uint8_t, n);
    memset(v->mask, 1, n);
    v->mask[masked] = 0;
}

static void no_input(lac_graph *g) {
    g->input = LAC_NO_VALUE;
}
static void no_output(lac_graph *g) {
    g->output = g->n_values;
}
static void constant_output(lac_graph *g) {
    g->output = node_named(g, "fc")->in[2];
}
static void input_with_data(lac_graph *g) {
    g->values[g->input].data = value_named(g, "zero")->data;
}
static void batch_of_two(lac_graph *g) {
    g->values[g->input].shape.dim[0] = 2;
}
static void output_batch_of_two(lac_graph *g) {
    g->values[g->output].shape = LAC_SHAPE(2, 5);
}
static void two_values_of_one_name(lac_graph *g) {
    value_named(g, "gamma")->name = "beta";
}
static void two_nodes_of_one_name(lac_graph *g) {
    node_named(g, "max")->name = "conv";
}
static void nameless_value(lac_graph *g) {
    value_named(g, "gamma")->name = "";
}
static void nameless_node(lac_graph *g) {
    node_named(g, "max")->name = NULL;
}
static void unknown_op(lac_graph *g) {
    node_named(g, "max")->op = LAC_N_OPS;
}
static void five_dimensions(lac_graph *g) {
    value_named(g, "gamma")->shape.n_dims = 5;
}
static void zero_size(lac_graph *g) {
    value_named(g, "gamma")->shape.dim[0] = 0;
}
static void too_many_elements(lac_graph *g) {
    value_named(g, "sum")->shape = LAC_SHAPE(1, INT64_MAX / 2, INT64_MAX / 2, 1);
}
static void trainable_activation(lac_graph *g) {
    value_named(g, "sum")->trainable = true;
}
static void masked_activation(lac_graph *g) {
    value_named(g, "sum")->mask = (uint8_t *)"";
}
static void mask_of_untrainable(lac_graph *g) {
    mask_value(g, "mean", 0);
}
static void masked_but_not_zero(lac_graph *g) {
    mask_value(g, "fc_w", 7);
}
static void input_out_of_range(lac_graph *g) {
    node_named(g, "sum")->in[1] = -1;
}
static void output_out_of_range(lac_graph *g) {
    node_named(g, "sum")->out = g->n_values;
}
static void read_before_made(lac_graph *g) {
    node_named(g, "norm")->in[0] = node_named(g, "sum")->out;
}
static void reads_a_value_nobody_makes(lac_graph *g) {
    int x = lac_graph_add_value(g, "orphan", (lac_shape){0});
    node_named(g, "relu")->in[0] = x;
}
static void two_makers(lac_graph *g) {
    node_named(g, "avg")->out = node_named(g, "max")->out;
}
static void writes_the_input(lac_graph *g) {
    node_named(g, "avg")->out = g->input;
}
static void writes_a_constant(lac_graph *g) {
    node_named(g, "avg")->out = node_named(g, "fc")->in[2];
}
static void too_few_inputs(lac_graph *g) {
    node_named(g, "norm")->n_in = 4;
}
static void too_many_inputs(lac_graph *g) {
    node_named(g, "relu_quant")->op = LAC_OP_RELU;
}
static void constant_as_activation(lac_graph *g) {
    node_named(g, "relu")->in[0] = node_named(g, "fc")->in[2];
}
static void activation_as_weights(lac_graph *g) {
    node_named(g, "fc")->in[1] = node_named(g, "flat")->out;
}
static void quantized_gamma(lac_graph *g) {
    node_named(g, "norm")->in[1] = node_named(g, "conv")->in[1];
}
static void kernel_differs(lac_graph *g) {
    node_named(g, "conv")->attr.window.kernel[1] = 3;
}
static void stride_zero(lac_graph *g) {
    node_named(g, "conv")->attr.window.stride[0] = 0;
}
static void dilation_zero(lac_graph *g) {
    node_named(g, "max")->attr.window.dilation[1] = 0;
}
static void negative_padding(lac_graph *g) {
    node_named(g, "conv")->attr.window.pad[3] = -1;
}
static void pool_of_padding_alone(lac_graph *g) {
    node_named(g, "avg")->attr.window.pad[0] = 2;
}
static void groups_do_not_divide(lac_graph *g) {
    node_named(g, "conv")->attr.window.groups = 4;
}
static void channels_differ(lac_graph *g) {
    value_named(g, "in_quant")->shape = LAC_SHAPE(1, 3, 9, 8);
}
static void window_too_large(lac_graph *g) {
    value_named(g, "in_quant")->shape = LAC_SHAPE(1, 2, 9, 1);
}
static void vector_into_conv(lac_graph *g) {
    value_named(g, "in_quant")->shape = LAC_SHAPE(1, 2);
}
static void bias_too_short(lac_graph *g) {
    value_named(g, "conv_b")->shape.dim[0] = 5;
}
static void features_differ(lac_graph *g) {
    value_named(g, "flat")->shape = LAC_SHAPE(1, 17);
}
static void image_into_linear(lac_graph *g) {
    value_named(g, "flat")->shape = LAC_SHAPE(1, 22, 1, 1);
}
static void linear_weights_of_four(lac_graph *g) {
    value_named(g, "fc_w")->shape = LAC_SHAPE(5, 22, 1, 1);
}
static void norm_of_other_channels(lac_graph *g) {
    value_named(g, "variance")->shape.dim[0] = 5;
}
static void norm_of_other_input(lac_graph *g) {
    value_named(g, "conv")->shape = LAC_SHAPE(1, 5, 5, 7);
}
static void slice_beyond_the_channels(lac_graph *g) {
    value_named(g, "silu")->shape = LAC_SHAPE(1, 18, 4, 6);
    node_named(g, "slice")->attr.move.end = 19;
}
static void shuffle_in_five_groups(lac_graph *g) {
    value_named(g, "slice")->shape = LAC_SHAPE(1, 12, 4, 6);
    node_named(g, "shuffle")->attr.move.groups = 5;
}
static void blocks_of_five(lac_graph *g) {
    value_named(g, "rim")->shape = LAC_SHAPE(1, 12, 5, 7);
    node_named(g, "space")->attr.move.block = 5;
}
static void upsampled_by_nothing(lac_graph *g) {
    value_named(g, "hard_swish")->shape = LAC_SHAPE(1, 3, 10, 14);
    node_named(g, "up")->attr.move.factor[0] = 0;
}
static void padded_by_minus_one(lac_graph *g) {
    value_named(g, "shuffle")->shape = LAC_SHAPE(1, 12, 4, 6);
    node_named(g, "rim")->attr.move.pad[2] = -1;
}
static void circular_rim_larger_than_the_map(lac_graph *g) {
    value_named(g, "shuffle")->shape = LAC_SHAPE(1, 12, 4, 6);
    node_named(g, "rim")->attr.move = (lac_rearrange_attr){.pad = {5, 0, 0, 0}, .circular = true};
}
static void output_padding_of_a_stride(lac_graph *g) {
    node_named(g, "deconv")->attr.out_pad[0] = 2;
}
static void deconv_of_other_channels(lac_graph *g) {
    value_named(g, "up")->shape = LAC_SHAPE(1, 5, 10, 28);
}
static void factor_of_other_map(lac_graph *g) {
    value_named(g, "deconv")->shape = LAC_SHAPE(1, 4, 21, 29);
    value_named(g, "gate")->shape = LAC_SHAPE(1, 1, 20, 29);
}
static void slope_without_end(lac_graph *g) {
    node_named(g, "hard_gate")->attr.alpha = INFINITY;
}
static void epsilon_negative(lac_graph *g) {
    node_named(g, "norm")->attr.epsilon = -1;
}
static void momentum_above_one(lac_graph *g) {
    node_named(g, "norm")->attr.momentum = 1.5f;
}
static void nine_bits(lac_graph *g) {
    node_named(g, "relu_quant")->attr.quant.bits = 9;
}
static void no_bits(lac_graph *g) {
    node_named(g, "relu_quant")->attr.quant.bits = 0;
}
static void one_narrow_bit(lac_graph *g) {
    node_named(g, "relu_quant")->attr.quant = (lac_quant_attr){1, true, true, NULL};
}
static void scale_of_five_for_six(lac_graph *g) {
    value_named(g, "conv_w_scale")->shape.dim[0] = 5;
}
static void scale_along_inputs(lac_graph *g) {
    value_named(g, "fc_w_scale")->shape = LAC_SHAPE(1, 5);
}
static void activation_scale_per_channel(lac_graph *g) {
    lac_value *v = value_named(g, "relu_scale");
    v->shape = LAC_SHAPE(1, 6, 1, 1);
    v->data = LAC_NEW_ARRAY(g->arena, float, 6);
}
static void add_of_two_shapes(lac_graph *g) {
    value_named(g, "max")->shape = LAC_SHAPE(1, 6, 4, 6);
    value_named(g, "avg")->shape = LAC_SHAPE(1, 6, 4, 5);
}
static void concat_of_two_sizes(lac_graph *g) {
    value_named(g, "sum")->shape = LAC_SHAPE(1, 7, 4, 6);
    value_named(g, "avg")->shape = LAC_SHAPE(1, 6, 4, 5);
}
static void meta_without_text(lac_graph *g) {
    g->meta[0].text = NULL;
}

#define FAULT(name, ...)                                                                                     \
    {                                                                                                        \
        name, #name, {                                                                                       \
            __VA_ARGS__                                                                                      \
        }                                                                                                    \
    }
static const struct fault {
    void (*plant)(lac_graph *graph);
    const char *name;
    const char *words[3]; // that the message must have
} faults[] = {
    FAULT(no_input, "every op", "input"),
    FAULT(no_output, "every op", "output"),
    FAULT(constant_output, "fc_b", "no node"),
    FAULT(input_with_data, "image", "constant"),
    FAULT(batch_of_two, "every op", "batch of 2"),
    FAULT(output_batch_of_two, "'fc'", "batch of 2"),
    FAULT(two_values_of_one_name, "beta"),
    FAULT(two_nodes_of_one_name, "conv"),
    FAULT(nameless_value, "no name"),
    FAULT(nameless_node, "no name"),
    FAULT(unknown_op, "ops.def"),
    FAULT(five_dimensions, "gamma", "rank"),
    FAULT(zero_size, "gamma"),
    FAULT(too_many_elements, "sum"),
    FAULT(trainable_activation, "sum", "trainable"),
    FAULT(masked_activation, "sum", "masked"),
    FAULT(mask_of_untrainable, "mean", "not trainable"),
    FAULT(masked_but_not_zero, "fc_w", "element 7"),
    FAULT(input_out_of_range, "'sum'", "-1"),
    FAULT(output_out_of_range, "'sum'"),
    FAULT(read_before_made, "'norm'", "'sum'", "lac_graph_tidy"),
    FAULT(reads_a_value_nobody_makes, "'relu'", "'orphan'"),
    FAULT(two_makers, "'avg'", "'max'"),
    FAULT(writes_the_input, "'avg'", "'image'"),
    FAULT(writes_a_constant, "'avg'", "'fc_b'"),
    FAULT(too_few_inputs, "'norm'", "4", "5"),
    FAULT(too_many_inputs, "'relu_quant'", "3", "1"),
    FAULT(constant_as_activation, "'relu'", "'fc_b'"),
    FAULT(activation_as_weights, "'fc'", "'flat'"),
    FAULT(quantized_gamma, "'norm'", "'conv_w_quant'"),
    FAULT(kernel_differs, "'conv'", "6x1x3x2", "3x3"),
    FAULT(stride_zero, "'conv'", "stride 0"),
    FAULT(dilation_zero, "'max'", "dilation 0"),
    FAULT(negative_padding, "'conv'", "-1"),
    FAULT(pool_of_padding_alone, "'avg'", "padding 2"),
    FAULT(groups_do_not_divide, "'conv'", "6", "4 groups"),
    FAULT(channels_differ, "'conv'", "3 channels", "2"),
    FAULT(window_too_large, "'conv'", "2 pixels", "1"),
    FAULT(vector_into_conv, "'conv'", "2 dimensions"),
    FAULT(bias_too_short, "'conv'", "5", "6"),
    FAULT(slice_beyond_the_channels, "'slice'", "2 to 18", "0 to 17"),
    FAULT(shuffle_in_five_groups, "'shuffle'", "12 channels", "5 groups"),
    FAULT(blocks_of_five, "'space'", "12 channels", "5 x 5"),
    FAULT(upsampled_by_nothing, "'up'", "factor 0"),
    FAULT(padded_by_minus_one, "'rim'", "-1 pixels"),
    FAULT(circular_rim_larger_than_the_map, "'rim'", "5 circular", "side of 4"),
    FAULT(output_padding_of_a_stride, "'deconv'", "output padding 2", "0..1"),
    FAULT(deconv_of_other_channels, "'deconv'", "5 channels", "expect 3"),
    FAULT(factor_of_other_map, "'gated'", "1x1x20x29"),
    FAULT(slope_without_end, "'hard_gate'", "inf"),
    FAULT(features_differ, "'fc'", "1x17", "1x22"),
    FAULT(image_into_linear, "'fc'", "1x22x1x1", "flatten"),
    FAULT(linear_weights_of_four, "5x22x1x1"),
    FAULT(norm_of_other_channels, "'norm'", "variance", "5"),
    FAULT(norm_of_other_input, "'norm'", "1x5x5x7", "6 channels"),
    FAULT(epsilon_negative, "'norm'", "-1"),
    FAULT(momentum_above_one, "'norm'", "1.5"),
    FAULT(nine_bits, "'relu_quant'", "9 bits"),
    FAULT(no_bits, "'relu_quant'", "0 bits"),
    FAULT(one_narrow_bit, "'relu_quant'", "bipolar"),
    FAULT(scale_of_five_for_six, "'conv_w_quant'", "5x1x1x1", "6x1x3x2"),
    FAULT(scale_along_inputs, "'fc_w_quant'", "1x5"),
    FAULT(activation_scale_per_channel, "'relu_quant'", "1x6x1x1"),
    FAULT(add_of_two_shapes, "'sum'", "1x6x4x6", "1x6x4x5"),
    FAULT(concat_of_two_sizes, "'join'", "1x7x4x6", "1x6x4x5"),
    FAULT(meta_without_text, "meta data"),
};

static void every_planted_fault_is_found_and_named(void **state) {
    fixture *f = *state;
    int n_bad = 0;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        lac_graph *graph = every_op_graph(f->arena, true);
        faults[i].plant(graph);
        lac_error err = {0};
        lac_status status = lac_graph_check(graph, &err);
        bool fine = status == LAC_E_FORMAT && err.status == LAC_E_FORMAT;
        for (int w = 0; w < 3 && faults[i].words[w]; w++) fine = fine && strstr(err.text, faults[i].words[w]);
        if (!fine) print_error("%s: %s: %s\n", faults[i].name, lac_status_name(status), err.text);
        n_bad += !fine;
    }
    assert_int_equal(n_bad, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(shapes_count_compare_and_print),
        TEST(window_sizes_follow_the_formula),
        TEST(op_names_are_those_of_the_table),
        TEST(names_are_made_unique),
        TEST(growing_keeps_what_was_there),
        TEST(constants_are_copied_or_zero),
        TEST(producers_and_readers_are_found),
        TEST(meta_data_is_replaced_by_key),
        TEST(a_copy_lives_without_its_original),
        TEST(tidy_leaves_a_tidy_graph_alone),
        TEST(tidy_sorts_and_drops_what_leads_nowhere),
        TEST(tidy_keeps_an_input_nobody_reads),
        TEST(tidy_reports_cycles_and_two_makers),
        TEST(sound_graphs_pass),
        TEST(every_planted_fault_is_found_and_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
