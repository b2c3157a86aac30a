#include "hrank.h"
#include "structured.h"

#include <math.h>

enum { IMAGES = 64 };

int lac_map_rank(double *m, int h, int w) {
    double largest = 0;
    int rank = 0;
    for (int i = 0; i < h * w; i++) largest = fmax(largest, fabs(m[i]));
    for (int column = 0; column < w && rank < h; column++) {
        int pivot = rank;
        for (int r = rank; r < h; r++)
            if (fabs(m[r * w + column]) > fabs(m[pivot * w + column])) pivot = r;
        if (!(fabs(m[pivot * w + column]) > 1e-4 * largest)) continue;
        for (int c = column; c < w; c++) {
            double swap = m[pivot * w + c];
            m[pivot * w + c] = m[rank * w + c];
            m[rank * w + c] = swap;
        }
        for (int r = rank + 1; r < h; r++) {
            double factor = m[r * w + column] / m[rank * w + column];
            for (int c = column; c < w; c++) m[r * w + c] -= factor * m[rank * w + c];
        }
        rank++;
    }
    return rank;
}

typedef struct watcher {
    const lac_structured *s;
    double *score;
    int *n_seen;  // [gate] maps
    bool *counts; // [value] is where a gate's channels are read
    double *map;
} watcher;

static void look(void *ctx, int value, const float *data, lac_shape shape) {
    watcher *w = ctx;
    const lac_gates *g = w->s->gates;
    if (!w->counts[value] || shape.n_dims != 4) return;
    int h = (int)shape.dim[2], wide = (int)shape.dim[3];
    for (int64_t n = 0; n < shape.dim[0]; n++)
        for (int64_t c = 0; c < shape.dim[1]; c++) {
            int gate = g->at[value][c];
            if (gate < 0) continue;
            const float *map = data + ((n * shape.dim[1] + c) * h) * wide;
            for (int i = 0; i < h * wide; i++) w->map[i] = (double)map[i];
            w->score[gate] += lac_map_rank(w->map, h, wide);
            w->n_seen[gate]++;
        }
}

// Feature maps are what ReLUs give, and where there are none, what the layers give.
static void find_maps(watcher *w) {
    const lac_graph *graph = w->s->graph;
    bool any = false;
    for (int pass = 0; pass < 2 && !any; pass++)
        for (int n = 0; n < graph->n_nodes; n++) {
            const lac_node *node = &graph->nodes[n];
            bool counts =
                pass ? node->op == LAC_OP_CONV2D : node->op == LAC_OP_RELU || node->op == LAC_OP_BATCH_NORM;
            w->counts[node->out] = counts;
            any |= counts;
        }
}

static lac_status score(const lac_structured *s, double *score, lac_error *err) {
    const lac_dataset *d = s->data;
    uint32_t n = d->train.n < IMAGES ? d->train.n : IMAGES;
    float *x = LAC_NEW_ARRAY(s->arena, float, (size_t)n *(size_t)(d->c * d->h * d->w));
    size_t largest = 1;
    for (int v = 0; v < s->graph->n_values; v++) {
        lac_shape shape = s->graph->values[v].shape;
        size_t area = shape.n_dims == 4 ? (size_t)(shape.dim[2] * shape.dim[3]) : 1;
        if (area > largest) largest = area;
    }
    watcher w = {s, score, LAC_NEW_ARRAY(s->arena, int, s->gates->n),
                 LAC_NEW_ARRAY(s->arena, bool, s->graph->n_values), LAC_NEW_ARRAY(s->arena, double, largest)};
    find_maps(&w);
    lac_normalize(d, d->train.pixels, n, x);
    LAC_TRY(lac_infer_visit(s->graph, x, n, look, &w, err));
    for (int i = 0; i < s->gates->n; i++)
        if (w.n_seen[i] > 0) score[i] /= w.n_seen[i];
    return LAC_OK;
}

static const lac_criterion criterion = {
    .name = "hrank", .scope = LAC_SCOPE_LAYER, .comparable = false, .score = score};

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_prune_config *config,
                      const lac_talk *talk, lac_error *err) {
    return lac_structured_run(&criterion, graph, data, config, talk, err);
}

const lac_pruner_desc lac_pruner_hrank = {
    .name = "hrank",
    .help = "channels whose feature maps have the lowest rank",
    .source = "Lin et al.: HRank: filter pruning using high-rank feature map, CVPR 2020",
    .run = run,
    .removes_channels = true,
};
