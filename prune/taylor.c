#include "gate_run.h"
#include "structured.h"

enum { BATCH = 64, BATCHES = 50 };

// The slope of the loss by a factor on the channel is the sum of gradient times activation.
static lac_status add_batches(const lac_structured *s, lac_gate_run *run, double *score, lac_error *err) {
    double *one = LAC_NEW_ARRAY(s->arena, double, s->gates->n), loss;
    double *slope = LAC_NEW_ARRAY(s->arena, double, s->gates->n);
    for (int i = 0; i < s->gates->n; i++) one[i] = 1;
    for (int b = 0; b < BATCHES; b++) {
        LAC_TRY(lac_gate_run_step(run, (uint64_t)b, one, &loss, slope, err));
        for (int i = 0; i < s->gates->n; i++) score[i] += slope[i] * slope[i];
        lac_talk_step(s->talk, "taylor", (uint64_t)b + 1, BATCHES, "loss %.3f", loss);
    }
    return LAC_OK;
}

static lac_status score(const lac_structured *s, double *score, lac_error *err) {
    lac_gate_run run;
    int batch = s->data->train.n < BATCH ? (int)s->data->train.n : BATCH;
    lac_status status = lac_gate_run_open(&run, s->gates, s->data, batch, &s->config->recipe, s->arena, err);
    if (status == LAC_OK) status = add_batches(s, &run, score, err);
    lac_gate_run_close(&run);
    return status;
}

static const lac_criterion criterion = {
    .name = "taylor", .scope = LAC_SCOPE_GLOBAL, .comparable = true, .score = score};

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_prune_config *config,
                      const lac_talk *talk, lac_error *err) {
    return lac_structured_run(&criterion, graph, data, config, talk, err);
}

const lac_pruner_desc lac_pruner_taylor = {
    .name = "taylor",
    .help = "channels whose removal changes the loss least, to first order",
    .source = "Molchanov et al.: Importance estimation for neural network pruning, CVPR 2019",
    .run = run,
    .removes_channels = true,
};
