#include "gate_run.h"

#include "loss.h"
#include "rng.h"

#include <math.h>
#include <string.h>

lac_status lac_gate_run_open(lac_gate_run *run, const lac_gates *gates, const lac_dataset *data, int batch,
                             const lac_recipe *recipe, lac_arena *arena, lac_error *err) {
    *run = (lac_gate_run){.data = data,
                          .batch = batch,
                          .label_smoothing = recipe->label_smoothing,
                          .seed = recipe->seed,
                          .ordered = -1};
    if ((uint32_t)batch > data->train.n)
        LAC_FAIL(err, LAC_E_RANGE, "batch %d is larger than the %u training images of '%s'", batch,
                 data->train.n, data->name);
    LAC_TRY(lac_gated_graph_make(gates, arena, &run->gated, err));
    run->augment = lac_augment_make(data, recipe->crop_pad, recipe->flip, recipe->seed);
    run->order = LAC_NEW_ARRAY(arena, uint32_t, data->train.n);
    run->labels = LAC_NEW_ARRAY(arena, uint8_t, batch);
    lac_plan_config config = {.batch = batch, .train = true, .freeze_batch_norm = true};
    return lac_plan_open(run->gated.graph, &config, &run->plan, err);
}

void lac_gate_run_close(lac_gate_run *run) {
    lac_plan_close(run->plan);
    run->plan = NULL;
}

// ---- noise ----------------------------------------------------------------------------------------------

enum { NOISE_IMAGES = 128 };

typedef struct lac_gate_noise {
    double *sum, *square; // [channel] over n elements
    double n;
    double *drawn; // [channel]
} lac_gate_noise;

static void look(void *ctx, int value, const float *data, lac_shape shape) {
    const lac_gate_run *run = ctx;
    int64_t each = lac_shape_count(shape) / shape.dim[0] / shape.dim[1];
    for (int s = 0; s < run->gated.n_sites; s++) {
        lac_gate_noise *n = &run->noise[s];
        if (run->gated.value[s] != value) continue;
        n->n += (double)(shape.dim[0] * each);
        for (int64_t i = 0; i < lac_shape_count(shape); i++) {
            int64_t c = i / each % shape.dim[1];
            n->sum[c] += (double)data[i];
            n->square[c] += (double)data[i] * (double)data[i];
        }
    }
}

lac_status lac_gate_run_add_noise(lac_gate_run *run, const lac_gates *gates, lac_arena *arena,
                                  lac_error *err) {
    const lac_dataset *d = run->data;
    uint32_t n = d->train.n < NOISE_IMAGES ? d->train.n : NOISE_IMAGES;
    float *x = LAC_NEW_ARRAY(arena, float, (size_t)n *(size_t)(d->c * d->h * d->w));
    run->noise = LAC_NEW_ARRAY(arena, lac_gate_noise, run->gated.n_sites);
    for (int s = 0; s < run->gated.n_sites; s++) {
        int channels = run->gated.n_of[s];
        run->noise[s] = (lac_gate_noise){.sum = LAC_NEW_ARRAY(arena, double, channels),
                                         .square = LAC_NEW_ARRAY(arena, double, channels),
                                         .drawn = LAC_NEW_ARRAY(arena, double, channels)};
    }
    lac_normalize(d, d->train.pixels, n, x);
    return lac_infer_visit(gates->graph, x, n, look, run, err);
}

static void draw(lac_gate_run *run, uint64_t step, const double *lambda) {
    lac_rng rng = lac_rng_make(run->seed ^ 0x4015Eu, step);
    for (int s = 0; run->noise && s < run->gated.n_sites; s++) {
        lac_gate_noise *n = &run->noise[s];
        float *beta = run->gated.graph->values[run->gated.beta[s]].data;
        for (int c = 0; c < run->gated.n_of[s]; c++) {
            int gate = run->gated.gate_of[s][c];
            double mean = n->sum[c] / n->n, variance = n->square[c] / n->n - mean * mean;
            n->drawn[c] = mean + sqrt(variance > 0 ? variance : 0) * (double)lac_rng_normal(&rng);
            beta[c] = gate < 0 ? 0.0f : (float)((1 - lambda[gate]) * n->drawn[c]);
        }
    }
}

// ---- batches --------------------------------------------------------------------------------------------

static void load(lac_gate_run *run, uint64_t step) {
    uint64_t per_epoch = run->data->train.n / (uint32_t)run->batch;
    int64_t epoch = (int64_t)(step / per_epoch);
    if (epoch != run->ordered) {
        for (uint32_t i = 0; i < run->data->train.n; i++) run->order[i] = i;
        lac_rng rng = lac_rng_make(run->seed ^ 0x6A7E5u, (uint64_t)epoch);
        lac_rng_shuffle(&rng, run->order, run->data->train.n);
        run->ordered = epoch;
    }
    const uint32_t *items = run->order + step % per_epoch * (uint32_t)run->batch;
    lac_augment_batch(&run->augment, run->data->train.pixels, items, (uint32_t)run->batch, epoch,
                      lac_plan_input(run->plan));
    for (int i = 0; i < run->batch; i++) run->labels[i] = run->data->train.labels[items[i]];
}

static void gather(const lac_gate_run *run, int n_gates, double *gradient) {
    memset(gradient, 0, (size_t)n_gates * sizeof *gradient);
    for (int s = 0; s < run->gated.n_sites; s++) {
        const float *slope = lac_plan_gradient(run->plan, run->gated.gamma[s]);
        const float *noise = run->noise ? lac_plan_gradient(run->plan, run->gated.beta[s]) : NULL;
        for (int c = 0; slope && c < run->gated.n_of[s]; c++) {
            int gate = run->gated.gate_of[s][c];
            if (gate >= 0) gradient[gate] += (double)slope[c];
            if (gate >= 0 && noise) gradient[gate] -= run->noise[s].drawn[c] * (double)noise[c];
        }
    }
}

lac_status lac_gate_run_step(lac_gate_run *run, uint64_t step, const double *lambda, double *loss,
                             double *gradient, lac_error *err) {
    lac_gated_graph_set(&run->gated, lambda);
    draw(run, step, lambda);
    load(run, step);
    LAC_TRY(lac_plan_forward(run->plan, err));
    lac_loss sum = lac_softmax_cross_entropy(lac_plan_output(run->plan), run->labels, (uint32_t)run->batch,
                                             run->data->n_classes, run->label_smoothing,
                                             lac_plan_output_gradient(run->plan));
    *loss = sum.sum / run->batch;
    LAC_TRY(lac_plan_backward(run->plan, err));
    gather(run, run->gated.n_gates, gradient);
    return LAC_OK;
}
