#include "gate_run.h"

#include "loss.h"
#include "rng.h"

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
        for (int c = 0; slope && c < run->gated.n_of[s]; c++)
            if (run->gated.gate_of[s][c] >= 0) gradient[run->gated.gate_of[s][c]] += (double)slope[c];
    }
}

lac_status lac_gate_run_step(lac_gate_run *run, uint64_t step, const double *lambda, double *loss,
                             double *gradient, lac_error *err) {
    lac_gated_graph_set(&run->gated, lambda);
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
