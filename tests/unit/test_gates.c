// Gates on every network of nets.def: what is masked and what is removed compute the same, and cost what the
// model says.
#include "prune_kit.h"

typedef struct case_of {
    lac_arena *arena;
    lac_graph *graph;
    lac_channels *channels;
    lac_gates *gates;
    bool *open;
    double *lambda;
} case_of;

static case_of open_case(const char *net, int c, int size, const lac_gate_rules *rules) {
    case_of k = {.arena = lac_arena_open()};
    k.graph = kit_build(k.arena, net, c, size, 7);
    kit_season(k.graph, 1);
    k.channels = lac_channels_find(k.graph, k.arena);
    lac_gate_rules own = lac_gate_rules_for(k.graph, true);
    k.gates = lac_gates_find(k.graph, k.channels, rules ? rules : &own, k.arena);
    k.open = LAC_NEW_ARRAY(k.arena, bool, k.gates->n + 1);
    k.lambda = LAC_NEW_ARRAY(k.arena, double, k.gates->n + 1);
    return k;
}

// Closes about a third of the gates, one whole vector among them but for its best channel.
static void close_some(case_of *k) {
    lac_rng rng = lac_rng_make(9, 9);
    for (int i = 0; i < k->gates->n; i++) {
        k->lambda[i] = (double)lac_rng_uniform(&rng);
        k->open[i] = k->lambda[i] > 0.35 && k->gates->vector[i] != k->gates->n_vectors / 2;
    }
    lac_gates_keep_one(k->gates, k->lambda, k->open);
    for (int i = 0; i < k->gates->n; i++) k->lambda[i] = k->open[i];
}

static lac_graph *masked(const case_of *k) {
    lac_gated_graph gated;
    ASSERT_FINE(lac_gated_graph_make(k->gates, k->arena, &gated, err));
    lac_gated_graph_set(&gated, k->lambda);
    return gated.graph;
}

static lac_graph *pruned(const case_of *k) {
    lac_graph *copy = lac_graph_copy(k->graph, k->arena);
    ASSERT_FINE(lac_gates_remove(copy, k->gates, k->open, err));
    ASSERT_FINE(lac_graph_check(copy, err));
    return copy;
}

// Multiply-accumulates by what is left: hollow channels do not count.
static double live_macs(const lac_graph *graph) {
    double total = 0;
    for (int n = 0; n < graph->n_nodes; n++) {
        const lac_node *node = &graph->nodes[n];
        const lac_op_desc *desc = lac_op_row(node->op);
        if (!desc->macs) continue;
        double macs = (double)desc->macs(graph, node), share = 1;
        bool norm = node->op == LAC_OP_BATCH_NORM;
        if (norm || node->op == LAC_OP_CONV2D) {
            const lac_value *w = &graph->values[node->in[1]];
            int64_t n_out = w->shape.dim[0], each = lac_shape_count(w->shape) / n_out, live = 0;
            for (int64_t o = 0; o < n_out; o++) {
                bool any = norm && graph->values[node->in[2]].data[o] != 0;
                for (int64_t i = 0; i < each; i++) any |= w->data[o * each + i] != 0;
                live += any;
            }
            share = (double)live / (double)n_out;
        }
        total += macs * share;
    }
    return total;
}

static void check_net(const char *net, const lac_gate_rules *rules) {
    case_of k = open_case(net, 1, 28, rules);
    assert_true(k.gates->n > 0);
    close_some(&k);
    lac_graph *a = masked(&k), *b = pruned(&k);
    double d = kit_distance(k.arena, a, b, 2);
    if (!(d <= 1e-5)) fail_msg("%s: masked and pruned logits differ by %g of the largest", net, d);
    lac_gate_cost cost = lac_gate_cost_make(k.gates, LAC_COST_MACS, NULL, k.arena);
    double said = lac_gate_cost_open(&cost, k.open), is = live_macs(b);
    if (!(fabs(said - is) <= 0.5))
        fail_msg("%s: the model says %.1f MACs, the pruned graph has %.1f", net, said, is);
    assert_true(fabs(said - lac_gate_cost_of(&cost, k.lambda, NULL)) < 0.5);
    assert_true(lac_gate_cost_of(&cost, NULL, NULL) == (double)lac_graph_macs(k.graph));
    assert_true(is < 0.9 * (double)lac_graph_macs(k.graph));
    lac_arena_close(k.arena);
}

static void masked_and_pruned_agree_on_every_network(void **state) {
    (void)state;
    for (int i = 0; i < lac_n_nets(); i++) {
        const char *net = lac_net_row(i)->name;
        // Widths and depths of families differ, their graphs do not.
        if (strstr(net, "110") || strstr(net, "lfc") || strcmp(net, "mobilenet-v1") == 0 ||
            strcmp(net, "mobilenet-v2") == 0 || strcmp(net, "resnet50") == 0 || strcmp(net, "resnet18") == 0)
            continue;
        check_net(net, NULL);
    }
}

static void residual_streams_can_be_cut_or_kept(void **state) {
    (void)state;
    check_net("resnet20", &(lac_gate_rules){.branches = false});
    check_net("resnet20", &(lac_gate_rules){.branches = true});
    check_net("resnet18-cifar", &(lac_gate_rules){.branches = true});
}

static void a_gate_too_many_is_noticed(void **state) {
    (void)state;
    case_of k = open_case("resnet20", 1, 28, NULL);
    close_some(&k);
    lac_graph *b = pruned(&k);
    for (int i = 0; i < k.gates->n; i++)
        if (k.open[i]) {
            k.lambda[i] = 0;
            break;
        }
    assert_true(kit_distance(k.arena, masked(&k), b, 2) > 1e-4);
    lac_arena_close(k.arena);
}

static int vectors_of(const char *net, int size, int n_classes, bool *branches) {
    lac_arena *arena = lac_arena_open();
    lac_graph *graph = kit_build(arena, net, 3, size, n_classes);
    lac_gate_rules rules = lac_gate_rules_for(graph, false);
    *branches = rules.branches;
    int n = lac_gates_find(graph, lac_channels_find(graph, arena), &rules, arena)->n_vectors;
    lac_arena_close(arena);
    return n;
}

// Castells and Yeom gate 13, 39, 64 and 37 convolutions or stages; of ResNet-56 all convolutions but the
// first, two of which are split here.
static void gate_vectors_are_those_of_the_paper(void **state) {
    (void)state;
    bool branches;
    assert_int_equal(vectors_of("vgg16-bn", 32, 10, &branches), 13);
    assert_false(branches);
    assert_int_equal(vectors_of("densenet40", 32, 10, &branches), 39);
    assert_int_equal(vectors_of("googlenet", 32, 10, &branches), 64);
    assert_int_equal(vectors_of("resnet50", 224, 1000, &branches), 37);
    assert_false(branches);
    assert_int_equal(vectors_of("resnet56", 32, 10, &branches), 54 + 2);
    assert_true(branches);
}

// The stages of a network with squeeze and excitation are gated like those of one without, and so is what
// squeezes: one vector a block.
static void products_let_stages_be_gated(void **state) {
    (void)state;
    bool branches;
    int plain = vectors_of("resnet18-cifar", 32, 10, &branches);
    int squeezed = vectors_of("se-resnet18-cifar", 32, 10, &branches);
    if (squeezed < plain) fail_msg("%d vectors, %d without products", squeezed, plain);
}

static double first_loss(const char *net, double constant, double target, double lambda) {
    lac_arena *arena = lac_arena_open();
    lac_graph *graph = kit_build(arena, net, 3, 32, 10);
    lac_gate_rules rules = lac_gate_rules_for(graph, false);
    lac_gates *gates = lac_gates_find(graph, lac_channels_find(graph, arena), &rules, arena);
    lac_gate_cost cost = lac_gate_cost_make(gates, LAC_COST_MACS, NULL, arena);
    cost.constant = constant;
    double *l = LAC_NEW_ARRAY(arena, double, gates->n), most = lac_gate_cost_of(&cost, NULL, NULL);
    for (int i = 0; i < gates->n; i++) l[i] = lambda;
    double now = lac_gate_cost_of(&cost, l, NULL);
    lac_arena_close(arena);
    return (now - target) / (most - target);
}

// The first step's printed loss, six times the cost term. VGG-16 was counted with the biases that batch norm
// cancels: one for each output. The log of its smallest network, which was to have 72.77 M, prints 4.717:
// that is the term of half the target.
static void the_first_cost_terms_are_those_of_the_logs(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_graph *vgg = kit_build(arena, "vgg16-bn", 3, 32, 10);
    double biases = 314294272 - (double)lac_graph_macs(vgg);
    lac_arena_close(arena);
    assert_true(fabs(6 * first_loss("resnet56", 0, 55.84e6, 0.9) - 4.444) < 5e-4);
    assert_true(fabs(6 * first_loss("vgg16-bn", biases, 108.61e6, 0.9) - 4.266) < 5e-4);
    assert_true(fabs(6 * first_loss("vgg16-bn", biases, 145.61e6, 0.9) - 3.886) < 5e-4);
    assert_true(fabs(6 * first_loss("vgg16-bn", biases, 72.77e6 / 2, 0.9) - 4.717) < 5e-4);
}

static void the_cost_model_has_the_published_sum_and_slopes(void **state) {
    (void)state;
    static const struct {
        const char *net;
        int size, n_classes;
        double macs;
    } rows[] = {{"resnet56", 32, 10, 126554816}, {"resnet50", 224, 1000, 4111514624}};
    for (int i = 0; i < 2; i++) {
        lac_arena *arena = lac_arena_open();
        lac_graph *graph = kit_build(arena, rows[i].net, 3, rows[i].size, rows[i].n_classes);
        lac_gate_rules rules = lac_gate_rules_for(graph, false);
        lac_gates *gates = lac_gates_find(graph, lac_channels_find(graph, arena), &rules, arena);
        for (int unit = 0; unit < LAC_N_COST_UNITS; unit++) {
            lac_gate_cost cost = lac_gate_cost_make(gates, (lac_cost_unit)unit, &(lac_cost_engine){0}, arena);
            double *l = LAC_NEW_ARRAY(arena, double, gates->n),
                   *slope = LAC_NEW_ARRAY(arena, double, gates->n);
            lac_rng rng = lac_rng_make(1, 1);
            if (unit == LAC_COST_MACS) assert_true(lac_gate_cost_of(&cost, NULL, NULL) == rows[i].macs);
            for (int g = 0; g < gates->n; g++) l[g] = (double)lac_rng_uniform(&rng);
            double at = lac_gate_cost_of(&cost, l, slope);
            for (int g = 0; g < gates->n; g += gates->n / 7) {
                l[g] += 1e-3;
                double up = lac_gate_cost_of(&cost, l, NULL);
                l[g] -= 1e-3;
                assert_true(fabs((up - at) * 1e3 - slope[g]) <= 1e-4 * fabs(slope[g]) + 1e-3);
            }
        }
        lac_arena_close(arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masked_and_pruned_agree_on_every_network),
        cmocka_unit_test(residual_streams_can_be_cut_or_kept),
        cmocka_unit_test(a_gate_too_many_is_noticed),
        cmocka_unit_test(gate_vectors_are_those_of_the_paper),
        cmocka_unit_test(products_let_stages_be_gated),
        cmocka_unit_test(the_first_cost_terms_are_those_of_the_logs),
        cmocka_unit_test(the_cost_model_has_the_published_sum_and_slopes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
