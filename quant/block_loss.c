#include "block_loss.h"
#include "blocks.h"
#include "rng.h"
#include "shards.h"

#include <math.h>
#include <string.h>

enum { BATCH = 8 };

double lac_block_loss(const float *y, const float *wanted, const float *weight, size_t n, double factor,
                      float *gradient) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        float off = y[i] - wanted[i];
        sum += (double)(weight[i] * off * off);
        if (gradient) gradient[i] = (float)(2 * factor) * weight[i] * off;
    }
    return sum;
}

void lac_fisher_draw(const float *logits, int n_classes, uint64_t seed, uint64_t draw, float *v) {
    lac_rng rng = lac_rng_make(seed, draw);
    double largest = -INFINITY, sum = 0, product = 0;
    for (int k = 0; k < n_classes; k++) largest = fmax(largest, (double)logits[k]);
    for (int k = 0; k < n_classes; k++) sum += exp((double)logits[k] - largest);
    for (int k = 0; k < n_classes; k++) {
        double p = exp((double)logits[k] - largest) / sum;
        double sign = lac_rng_below(&rng, 2) ? 1 : -1;
        v[k] = (float)(sign * sqrt(p));
        product += sign * sqrt(p);
    }
    for (int k = 0; k < n_classes; k++) v[k] -= (float)(exp((double)logits[k] - largest) / sum * product);
}

/// The images' way from a value to the logits and back.
typedef struct fisher_job {
    const float *y;
    float *weight;
    uint32_t n;
    uint64_t seed;
    size_t n_elements;
    int n_classes, value;
} fisher_job;

static lac_status square_gradients(void *ctx, int shard, lac_plan *plan, lac_error *err) {
    const fisher_job *j = ctx;
    for (uint32_t first = (uint32_t)shard * BATCH; first < j->n; first += BATCH * LAC_SHARDS) {
        uint32_t n = j->n - first < BATCH ? j->n - first : BATCH;
        float *v = lac_plan_output_gradient(plan), *to = j->weight + first * j->n_elements;
        memcpy(lac_plan_input(plan), j->y + first * j->n_elements, n * j->n_elements * sizeof(float));
        LAC_TRY(lac_plan_forward(plan, err));
        for (uint32_t i = 0; i < n; i++)
            lac_fisher_draw(lac_plan_output(plan) + i * (size_t)j->n_classes, j->n_classes, j->seed,
                            first + i, v + i * (size_t)j->n_classes);
        LAC_TRY(lac_plan_backward(plan, err));
        const float *g = lac_plan_gradient(plan, j->value);
        for (size_t i = 0; i < n * j->n_elements; i++) to[i] = g ? g[i] * g[i] : 0;
    }
    return LAC_OK;
}

// The logits themselves are where the vector starts.
static void square_draws(const fisher_job *j) {
    for (uint32_t i = 0; i < j->n; i++) {
        float *to = j->weight + i * (size_t)j->n_classes;
        lac_fisher_draw(j->y + i * (size_t)j->n_classes, j->n_classes, j->seed, i, to);
        for (int k = 0; k < j->n_classes; k++) to[k] *= to[k];
    }
}

static void balance(float *weight, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)weight[i];
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) weight[i] = mean > 0 ? (float)(0.5 + 0.5 * (double)weight[i] / mean) : 1;
}

lac_status lac_fisher_weights(const lac_graph *graph, int value, const float *y, uint32_t n, uint64_t seed,
                              lac_arena *scratch, float *weight, lac_error *err) {
    fisher_job j = {.y = y,
                    .weight = weight,
                    .n = n,
                    .seed = seed,
                    .value = value,
                    .n_elements = (size_t)lac_shape_count(graph->values[value].shape),
                    .n_classes = (int)lac_shape_count(graph->values[graph->output].shape)};
    if (value == graph->output) {
        square_draws(&j);
    } else {
        const lac_graph *rest = lac_graph_part(graph, value, graph->output, scratch),
                        *const parts[LAC_SHARDS] = {rest, rest, rest, rest};
        lac_shards *shards;
        const lac_plan_config config = {
            .batch = BATCH, .train = true, .freeze_batch_norm = true, .input_gradient = true};
        LAC_TRY(lac_shards_open(parts, &config, &shards, err));
        lac_status status = lac_shards_run(shards, square_gradients, &j, err);
        lac_shards_close(shards);
        LAC_TRY(status);
    }
    balance(weight, (size_t)n * j.n_elements);
    return LAC_OK;
}
