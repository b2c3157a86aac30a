#include "structured.h"

#include "thinet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ThiNet: a channel is worth what the layers that read it would miss. For every reader, sampled results are
// taken apart into the parts of its input channels; channels go greedily, each time the one after which the
// sum of all missing parts is smallest. The order of going is the score.
enum { IMAGES = 64, SAMPLES = 512 };

void lac_thinet_order(const double *moments, int n, double *rank) {
    double *missing = calloc((size_t)n, sizeof *missing); // sum of products of a channel with those gone
    bool *gone = calloc((size_t)n, sizeof *gone);
    for (int r = 0; missing && gone && r < n; r++) {
        int best = -1;
        double least = INFINITY;
        for (int c = 0; c < n; c++) {
            double more = moments[c * n + c] + 2 * missing[c];
            if (gone[c] || more >= least) continue;
            least = more;
            best = c;
        }
        if (best < 0) break;
        gone[best] = true;
        rank[best] = (r + 0.5) / n;
        for (int c = 0; c < n; c++) missing[c] += moments[c * n + best];
    }
    free(missing);
    free(gone);
}

typedef struct reader {
    const lac_node *node;
    int n;           // input channels
    double *moments; // [n][n] of the parts
    double *parts;   // [n]
} reader;

typedef struct watcher {
    const lac_structured *s;
    reader *readers;
    int n;
    lac_rng rng;
} watcher;

// Parts of one result: output o at (y, x), by input channel.
static void take_apart(const lac_graph *graph, const reader *r, const float *x, lac_shape shape, int64_t o,
                       int y, int at) {
    const lac_value *w = &graph->values[lac_constant_of(graph, r->node, 1)];
    int64_t places = lac_shape_count(w->shape) / w->shape.dim[0] / w->shape.dim[1];
    const lac_window *win = &r->node->attr.window;
    int height = shape.n_dims == 4 ? (int)shape.dim[2] : 1, width = shape.n_dims == 4 ? (int)shape.dim[3] : 1;
    memset(r->parts, 0, (size_t)r->n * sizeof *r->parts);
    for (int c = 0; c < r->n; c++)
        for (int64_t k = 0; k < places; k++) {
            int row = 0, column = 0;
            if (r->node->op == LAC_OP_CONV2D) {
                row = y * win->stride[0] + (int)k / win->kernel[1] * win->dilation[0] - win->pad[0];
                column = at * win->stride[1] + (int)k % win->kernel[1] * win->dilation[1] - win->pad[1];
            }
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            r->parts[c] += (double)w->data[(o * w->shape.dim[1] + c) * places + k] *
                           (double)x[(c * height + row) * width + column];
        }
}

static void sample(watcher *w, reader *r, const float *data, lac_shape shape) {
    lac_shape out = w->s->graph->values[r->node->out].shape;
    int64_t size = lac_shape_count(shape) / shape.dim[0];
    uint32_t height = out.n_dims == 4 ? (uint32_t)out.dim[2] : 1,
             width = out.n_dims == 4 ? (uint32_t)out.dim[3] : 1;
    for (int64_t i = 0; i < shape.dim[0] * (SAMPLES / IMAGES); i++) {
        int64_t o = lac_rng_below(&w->rng, (uint32_t)out.dim[1]);
        int y = (int)lac_rng_below(&w->rng, height), x = (int)lac_rng_below(&w->rng, width);
        take_apart(w->s->graph, r, data + i / (SAMPLES / IMAGES) * size, shape, o, y, x);
        for (int a = 0; a < r->n; a++)
            for (int b = 0; b < r->n; b++) r->moments[a * r->n + b] += r->parts[a] * r->parts[b] / SAMPLES;
    }
}

static void look(void *ctx, int value, const float *data, lac_shape shape) {
    watcher *w = ctx;
    for (int i = 0; i < w->n; i++)
        if (w->readers[i].node->in[0] == value) sample(w, &w->readers[i], data, shape);
}

static bool reads_gates(const lac_structured *s, const lac_node *node) {
    bool mixes = node->op == LAC_OP_LINEAR ||
                 (node->op == LAC_OP_CONV2D && lac_conv_groups(s->graph, node) == LAC_ONE_GROUP);
    int any = -1;
    for (int c = 0; mixes && c < s->gates->channels->n_of[node->in[0]]; c++)
        if (s->gates->at[node->in[0]][c] > any) any = s->gates->at[node->in[0]][c];
    return any >= 0;
}

// The mean over readers of the channels' ranks; gates that no layer of one group reads keep a middle place.
static void add_ranks(const lac_structured *s, const watcher *w, double *score) {
    int *n_ranks = LAC_NEW_ARRAY(s->arena, int, s->gates->n);
    for (int i = 0; i < w->n; i++) {
        const reader *r = &w->readers[i];
        double *rank = LAC_NEW_ARRAY(s->arena, double, r->n);
        lac_thinet_order(r->moments, r->n, rank);
        for (int c = 0; c < r->n; c++) {
            int gate = s->gates->at[r->node->in[0]][c];
            if (gate < 0) continue;
            score[gate] += rank[c];
            n_ranks[gate]++;
        }
    }
    for (int i = 0; i < s->gates->n; i++) score[i] = n_ranks[i] ? score[i] / n_ranks[i] : 0.5;
}

static lac_status score(const lac_structured *s, double *score, lac_error *err) {
    const lac_dataset *d = s->data;
    uint32_t n = d->train.n < IMAGES ? d->train.n : IMAGES;
    float *x = LAC_NEW_ARRAY(s->arena, float, (size_t)n *(size_t)(d->c * d->h * d->w));
    watcher w = {.s = s, .readers = LAC_NEW_ARRAY(s->arena, reader, s->graph->n_nodes)};
    w.rng = lac_rng_make(s->config->recipe.seed, 0x741);
    for (int i = 0; i < s->graph->n_nodes; i++) {
        const lac_node *node = &s->graph->nodes[i];
        if (!reads_gates(s, node)) continue;
        int channels = s->gates->channels->n_of[node->in[0]];
        w.readers[w.n++] = (reader){.node = node,
                                    .n = channels,
                                    .moments = LAC_NEW_ARRAY(s->arena, double, channels *channels),
                                    .parts = LAC_NEW_ARRAY(s->arena, double, channels)};
    }
    lac_normalize(d, d->train.pixels, n, x);
    LAC_TRY(lac_infer_visit(s->graph, x, n, look, &w, err));
    add_ranks(s, &w, score);
    return LAC_OK;
}

static const lac_criterion criterion = {
    .name = "thinet", .scope = LAC_SCOPE_LAYER, .comparable = true, .score = score};

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_prune_config *config,
                      const lac_talk *talk, lac_error *err) {
    return lac_structured_run(&criterion, graph, data, config, talk, err);
}

const lac_pruner_desc lac_pruner_thinet = {
    .name = "thinet",
    .help = "channels that the layers which read them would miss least",
    .source = "Luo et al.: ThiNet: a filter level pruning method, ICCV 2017",
    .run = run,
    .removes_channels = true,
};
