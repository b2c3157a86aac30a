// Classes of channels, on graphs small enough to name every channel.
#include "prune_kit.h"

static int class_at(const lac_channels *c, int value, int channel) {
    assert_true(channel < c->n_of[value]);
    return c->class_of[value][channel];
}

static lac_net start(lac_arena *arena, int c) {
    return lac_net_start(arena, "tiny", c, 6, 6, 3);
}

static lac_channels *finish(lac_net *net, int logits) {
    lac_graph *graph = lac_net_done(net, logits);
    assert_non_null(graph);
    ASSERT_FINE(lac_graph_infer(graph, err));
    return lac_channels_find(graph, graph->arena);
}

static void image_and_logits_are_fixed(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_net net = start(arena, 2);
    int x = lac_net_conv(&net, "a", net.graph->input, 3, 3, 1, 1, false);
    lac_channels *c = finish(&net, lac_net_classify(&net, x, 5));
    assert_true(c->fixed[class_at(c, net.graph->input, 1)]);
    assert_true(c->fixed[class_at(c, net.graph->output, 4)]);
    assert_false(c->fixed[class_at(c, x, 0)]);
    assert_int_equal(c->n_classes, 2 + 3 + 5);
    lac_arena_close(arena);
}

static void an_addition_ties_its_inputs(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_net net = start(arena, 2);
    int a = lac_net_conv_bn_relu(&net, "a", net.graph->input, 3, 3, 1);
    int b = lac_net_conv_bn_relu(&net, "b", a, 3, 3, 1);
    int sum = lac_net_add(&net, "sum", a, b);
    lac_channels *c = finish(&net, lac_net_classify(&net, sum, 2));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(class_at(c, a, i), class_at(c, b, i));
        assert_int_equal(class_at(c, a, i), class_at(c, sum, i));
    }
    assert_int_not_equal(class_at(c, a, 0), class_at(c, a, 1));
    lac_arena_close(arena);
}

static void a_concat_keeps_its_inputs_apart(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_net net = start(arena, 2);
    int a = lac_net_conv(&net, "a", net.graph->input, 2, 3, 1, 1, false);
    int b = lac_net_conv(&net, "b", net.graph->input, 3, 3, 1, 1, false);
    int ab = lac_net_concat(&net, "ab", (int[]){a, b}, 2);
    lac_channels *c = finish(&net, lac_net_classify(&net, ab, 2));
    assert_int_equal(class_at(c, ab, 1), class_at(c, a, 1));
    assert_int_equal(class_at(c, ab, 2), class_at(c, b, 0));
    assert_int_equal(class_at(c, ab, 4), class_at(c, b, 2));
    lac_arena_close(arena);
}

static void a_slice_is_part_of_its_input(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_net net = start(arena, 2);
    int a = lac_net_conv(&net, "a", net.graph->input, 5, 3, 1, 1, false);
    int part = lac_net_slice(&net, "part", a, 1, 4);
    int b = lac_net_conv(&net, "b", part, 3, 3, 1, 1, false);
    lac_channels *c = finish(&net, lac_net_classify(&net, b, 2));
    for (int i = 0; i < 3; i++) assert_int_equal(class_at(c, part, i), class_at(c, a, i + 1));
    assert_false(c->fixed[class_at(c, a, 0)]);
    bool *keep = LAC_NEW_ARRAY(arena, bool, c->n_classes);
    memset(keep, true, (size_t)c->n_classes);
    keep[class_at(c, a, 0)] = keep[class_at(c, a, 2)] = false; // one in front, one inside
    lac_graph *whole = lac_graph_copy(net.graph, arena);
    lac_value *w = &whole->values[whole->nodes[2].in[1]]; // the channel inside, as a zero
    for (int64_t i = 0; i < lac_shape_count(w->shape); i++)
        if (i / 9 % 3 == 1) w->data[i] = 0;
    ASSERT_FINE(lac_channels_remove(net.graph, c, keep, err));
    const lac_rearrange_attr *move = &net.graph->nodes[1].attr.move;
    assert_true(move->begin == 0 && move->end == 2);
    assert_int_equal(net.graph->values[a].shape.dim[1], 3);
    assert_true(kit_distance(arena, net.graph, whole, 2) < 1e-5);
    lac_arena_close(arena);
}

// One gate a channel ties the channel to its factor; one factor for all channels is tied to none.
static void a_product_ties_what_is_not_spread(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_net net = start(arena, 2);
    int a = lac_net_conv(&net, "a", net.graph->input, 3, 3, 1, 1, false);
    int b = lac_net_conv(&net, "b", net.graph->input, 3, 3, 1, 1, false);
    int one = lac_net_conv(&net, "one", net.graph->input, 1, 3, 1, 1, false);
    int ab = lac_net_mul(&net, "ab", a, b), spread = lac_net_mul(&net, "spread", ab, one);
    lac_channels *c = finish(&net, lac_net_classify(&net, spread, 2));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(class_at(c, a, i), class_at(c, b, i));
        assert_int_equal(class_at(c, a, i), class_at(c, spread, i));
        assert_int_not_equal(class_at(c, a, i), class_at(c, one, 0));
    }
    assert_int_not_equal(class_at(c, a, 0), class_at(c, a, 1));
    assert_false(c->fixed[class_at(c, a, 0)]);
    lac_arena_close(arena);
}

// One place of every group goes at once, and what is left is a shuffle that gives the same.
static void a_shuffle_loses_a_place_in_every_group(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_net net = start(arena, 2);
    int a = lac_net_conv(&net, "a", net.graph->input, 6, 3, 1, 1, false);
    int mixed = lac_net_shuffle(&net, "mixed", a, 2);
    int b = lac_net_conv(&net, "b", mixed, 3, 3, 1, 1, false);
    lac_channels *c = finish(&net, lac_net_classify(&net, b, 2));
    for (int i = 0; i < 6; i++) // 0 3 1 4 2 5
        assert_int_equal(lac_channel_source(c->n_of, &net.graph->nodes[1], 0, i), i % 2 * 3 + i / 2);
    for (int i = 0; i < 3; i++) assert_int_equal(class_at(c, a, i), class_at(c, a, i + 3));
    for (int i = 0; i < 6; i++) assert_int_equal(class_at(c, mixed, i), class_at(c, a, i / 2));
    assert_int_not_equal(class_at(c, a, 0), class_at(c, a, 1));
    assert_false(c->fixed[class_at(c, a, 1)]);
    bool *keep = LAC_NEW_ARRAY(arena, bool, c->n_classes);
    memset(keep, true, (size_t)c->n_classes);
    keep[class_at(c, a, 1)] = false;
    lac_graph *whole = lac_graph_copy(net.graph, arena);
    lac_value *w = &whole->values[whole->nodes[2].in[1]]; // shuffled, the two are neighbours
    for (int64_t i = 0; i < lac_shape_count(w->shape); i++)
        if (i / 9 % 6 == 2 || i / 9 % 6 == 3) w->data[i] = 0;
    ASSERT_FINE(lac_channels_remove(net.graph, c, keep, err));
    assert_int_equal(net.graph->values[mixed].shape.dim[1], 4);
    assert_true(kit_distance(arena, net.graph, whole, 2) < 1e-5);
    lac_arena_close(arena);
}

static void flatten_spreads_a_channel_over_its_pixels(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_net net = start(arena, 1);
    int a = lac_net_conv(&net, "a", net.graph->input, 2, 3, 1, 1, false);
    int flat = lac_net_flatten(&net, "flat", a);
    lac_channels *c = finish(&net, lac_net_linear(&net, "fc", flat, 2));
    assert_int_equal(class_at(c, flat, 35), class_at(c, a, 0));
    assert_int_equal(class_at(c, flat, 36), class_at(c, a, 1));
    lac_arena_close(arena);
}

static void depthwise_outputs_follow_their_input(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_net net = start(arena, 1);
    int a = lac_net_conv(&net, "a", net.graph->input, 3, 3, 1, 1, false);
    int d = lac_net_conv_window(&net, "d", a, 6, lac_net_square(3, 1, 1, 3), false); // two outputs an input
    lac_channels *c = finish(&net, lac_net_classify(&net, d, 2));
    for (int o = 0; o < 6; o++) assert_int_equal(class_at(c, d, o), class_at(c, a, o / 2));
    lac_arena_close(arena);
}

static void groups_stay_equal(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_net net = start(arena, 1);
    int a = lac_net_conv(&net, "a", net.graph->input, 4, 3, 1, 1, false);
    int g = lac_net_conv_window(&net, "g", a, 6, lac_net_square(3, 1, 1, 2), false);
    lac_channels *c = finish(&net, lac_net_classify(&net, g, 2));
    assert_int_equal(class_at(c, a, 0), class_at(c, a, 2));
    assert_int_equal(class_at(c, a, 1), class_at(c, a, 3));
    assert_int_not_equal(class_at(c, a, 0), class_at(c, a, 1));
    assert_int_equal(class_at(c, g, 1), class_at(c, g, 4));
    assert_int_not_equal(class_at(c, g, 1), class_at(c, a, 1));
    lac_arena_close(arena);
}

static void layers_that_share_weights_are_fixed(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_net net = start(arena, 3);
    int a = lac_net_conv(&net, "a", net.graph->input, 3, 3, 1, 1, false);
    int b = lac_net_conv(&net, "b", a, 3, 3, 1, 1, false);
    net.graph->nodes[1].in[1] = net.graph->nodes[0].in[1];
    lac_channels *c = finish(&net, lac_net_classify(&net, b, 2));
    assert_true(c->fixed[class_at(c, a, 0)] && c->fixed[class_at(c, b, 2)]);
    lac_arena_close(arena);
}

// conv 1 -> 3 of 1x1 with weights 1, 2, 3 and bias, then conv 3 -> 1: removal leaves the other rows in order.
static void removal_takes_rows_columns_and_masks(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_net net = start(arena, 1);
    int a = lac_net_conv(&net, "a", net.graph->input, 3, 1, 1, 0, true);
    int b = lac_net_conv(&net, "b", lac_net_batch_norm(&net, "n", a), 2, 1, 1, 0, false);
    lac_channels *c = finish(&net, lac_net_classify(&net, b, 2));
    lac_graph *g = net.graph;
    lac_value *w1 = &g->values[g->nodes[0].in[1]], *bias = &g->values[g->nodes[0].in[2]];
    lac_value *gamma = &g->values[g->nodes[1].in[1]], *w2 = &g->values[g->nodes[2].in[1]];
    for (int i = 0; i < 3; i++) {
        w1->data[i] = 1 + (float)i;
        bias->data[i] = 10 + (float)i;
        gamma->data[i] = 20 + (float)i;
        for (int o = 0; o < 2; o++) w2->data[o * 3 + i] = (float)(100 * o + i);
    }
    w2->mask = LAC_NEW_ARRAY(arena, uint8_t, 6);
    memcpy(w2->mask, (uint8_t[]){0, 1, 1, 1, 1, 0}, 6);
    w2->data[0] = w2->data[5] = 0;
    bool *keep = LAC_NEW_ARRAY(arena, bool, c->n_classes);
    memset(keep, true, (size_t)c->n_classes);
    keep[class_at(c, a, 1)] = false;
    ASSERT_FINE(lac_channels_remove(g, c, keep, err));
    ASSERT_FINE(lac_graph_check(g, err));
    assert_true(w1->shape.dim[0] == 2 && w1->data[0] == 1 && w1->data[1] == 3);
    assert_true(bias->data[1] == 12 && gamma->data[1] == 22 && gamma->shape.dim[0] == 2);
    assert_true(w2->shape.dim[1] == 2 && w2->data[1] == 2 && w2->data[2] == 100 && w2->data[3] == 0);
    assert_memory_equal(w2->mask, ((uint8_t[]){0, 1, 1, 0}), 4);
    assert_int_equal(g->values[a].shape.dim[1], 2);
    lac_arena_close(arena);
}

static void refuses_to_empty_a_layer_or_cut_what_is_fixed(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_net net = start(arena, 1);
    int a = lac_net_conv(&net, "first", net.graph->input, 2, 3, 1, 1, false);
    lac_channels *c = finish(&net, lac_net_classify(&net, a, 2));
    bool *keep = LAC_NEW_ARRAY(arena, bool, c->n_classes);
    memset(keep, true, (size_t)c->n_classes);
    keep[class_at(c, a, 0)] = keep[class_at(c, a, 1)] = false;
    lac_error err = {0};
    assert_int_equal(lac_channels_remove(net.graph, c, keep, &err), LAC_E_RANGE);
    assert_non_null(strstr(err.text, "'first': none of its 2 channels"));
    keep[class_at(c, a, 0)] = true;
    keep[class_at(c, net.graph->input, 0)] = false;
    assert_int_equal(lac_channels_remove(net.graph, c, keep, &err), LAC_E_RANGE);
    assert_non_null(strstr(err.text, "fixed"));
    assert_int_equal(net.graph->values[a].shape.dim[1], 2);
    lac_arena_close(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(image_and_logits_are_fixed),
        cmocka_unit_test(an_addition_ties_its_inputs),
        cmocka_unit_test(a_concat_keeps_its_inputs_apart),
        cmocka_unit_test(a_slice_is_part_of_its_input),
        cmocka_unit_test(a_product_ties_what_is_not_spread),
        cmocka_unit_test(a_shuffle_loses_a_place_in_every_group),
        cmocka_unit_test(flatten_spreads_a_channel_over_its_pixels),
        cmocka_unit_test(depthwise_outputs_follow_their_input),
        cmocka_unit_test(groups_stay_equal),
        cmocka_unit_test(layers_that_share_weights_are_fixed),
        cmocka_unit_test(removal_takes_rows_columns_and_masks),
        cmocka_unit_test(refuses_to_empty_a_layer_or_cut_what_is_fixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
