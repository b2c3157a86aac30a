#include "sparse.h"

#include "float_plan.h"

#include <math.h>
#include <string.h>

enum { ROUNDS = 100 };

// The network of magnitudes: weights by |w|, brought to a sum of one per output, since a layer's scale
// changes no ranking; batch norms and biases let everything through.
static lac_graph *linear_copy(const lac_graph *graph, lac_arena *arena) {
    lac_graph *copy = lac_graph_copy(graph, arena);
    for (int n = 0; n < copy->n_nodes; n++) {
        const lac_node *node = &copy->nodes[n];
        static const float plain[] = {0, 1, 0, 0, 1};
        for (int i = 1; node->op == LAC_OP_BATCH_NORM && i < 5; i++)
            for (int64_t c = 0; c < lac_shape_count(copy->values[node->in[i]].shape); c++)
                copy->values[node->in[i]].data[c] = plain[i];
        bool biased = (node->op == LAC_OP_CONV2D || node->op == LAC_OP_LINEAR) && node->n_in > 2;
        for (int64_t c = 0; biased && c < lac_shape_count(copy->values[node->in[2]].shape); c++)
            copy->values[node->in[2]].data[c] = 0;
    }
    return copy;
}

static void load_magnitudes(const lac_weights *from, const lac_weights *to) {
    for (int l = 0; l < from->n_layers; l++) {
        const float *w = lac_weights_value(from, l)->data;
        float *m = lac_weights_value(to, l)->data;
        size_t n = from->first[l + 1] - from->first[l];
        double sum = 0;
        for (size_t i = 0; i < n; i++) sum += (double)(m[i] = fabsf(w[i]));
        float scale = sum > 0 ? (float)((double)lac_weights_value(to, l)->shape.dim[0] / sum) : 1.0f;
        for (size_t i = 0; i < n; i++) m[i] *= scale;
    }
}

// One round: R = sum of the outputs for an image of ones; score = |w dR/dw|.
static lac_status score_round(lac_sparse *s, lac_plan *plan, const lac_weights *copy, lac_error *err) {
    const lac_graph *graph = copy->graph;
    int64_t n_in = lac_shape_count(graph->values[graph->input].shape);
    int64_t n_out = lac_shape_count(graph->values[graph->output].shape);
    load_magnitudes(&s->weights, copy);
    for (int64_t i = 0; i < n_in; i++) lac_plan_input(plan)[i] = 1;
    LAC_TRY(lac_plan_forward(plan, err));
    for (int64_t i = 0; i < n_out; i++) lac_plan_output_gradient(plan)[i] = 1;
    LAC_TRY(lac_plan_backward(plan, err));
    for (int l = 0; l < copy->n_layers; l++) {
        const float *g = lac_plan_gradient(plan, copy->value[l]), *m = lac_weights_value(copy, l)->data;
        size_t first = copy->first[l], n = copy->first[l + 1] - first;
        for (size_t i = 0; i < n; i++) s->score[first + i] = g ? fabsf(g[i] * m[i]) : 0.0f;
    }
    return LAC_OK;
}

static lac_status mask(lac_sparse *s, double density, lac_error *err) {
    lac_graph *graph = linear_copy(s->graph, s->arena);
    lac_weights copy = lac_weights_of(graph, s->arena);
    lac_plan *plan = NULL;
    LAC_TRY(lac_plan_open(graph, &(lac_plan_config){.batch = 1, .train = true, .freeze_batch_norm = true},
                          &plan, err));
    lac_status status = LAC_OK;
    for (int r = 1; r <= ROUNDS && status == LAC_OK; r++) {
        status = score_round(s, plan, &copy, err);
        if (status == LAC_OK) status = lac_sparse_mask_scores(s, pow(density, (double)r / ROUNDS), err);
    }
    lac_plan_close(plan);
    return status;
}

static const lac_sparsifier method = {.name = "synflow", .share = LAC_SHARE_GLOBAL, .mask = mask};

LAC_SPARSE_PRUNER(synflow, "synflow",
                  "weights on the weakest paths from input to output, without data, in 100 rounds",
                  "Tanaka et al.: Pruning neural networks without any data, NeurIPS 2020");
