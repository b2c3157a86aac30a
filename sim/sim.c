#include "sim.h"

#include "lac_contract.h"
#include "sim_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_CYCLES = 1000000 };

struct lac_sim {
    lac_sim_model model;
    void *engine;
    char *trace_path; ///< of the next run; NULL: none
    uint64_t trace_begin, trace_end;
    lac_sim_config config;
};

static lac_status check_config(const lac_sim_config *c, lac_error *err) {
    int values[LAC_N_PARAMS];
    memcpy(values, c, sizeof values);
    for (int i = 0; i < LAC_N_PARAMS; i++) {
        const lac_param_limits *p = &lac_params[i];
        if (values[i] < p->low || values[i] > p->high)
            LAC_FAIL(err, LAC_E_RANGE, "engine parameter %s is %d, but must be %d..%d %s", p->name, values[i],
                     (int)p->low, (int)p->high, p->unit);
    }
    if (c->mesh_x * c->mesh_y % c->drain != 0)
        LAC_FAIL(err, LAC_E_RANGE, "engine parameter DRAIN is %d, but must divide the %d x %d = %d lanes",
                 c->drain, c->mesh_x, c->mesh_y, c->mesh_x * c->mesh_y);
    return LAC_OK;
}

lac_status lac_sim_open(const lac_sim_config *config, const lac_talk *talk, lac_sim **out, lac_error *err) {
    LAC_TRY(check_config(config, err));
    lac_sim *sim = calloc(1, sizeof *sim);
    if (!sim) LAC_FAIL(err, LAC_E_MEMORY, "no memory for a simulator");
    sim->config = *config;
    lac_status status = lac_sim_model_open(config, talk, &sim->model, err);
    if (status != LAC_OK) {
        free(sim);
        return status;
    }
    sim->engine = sim->model.calls->open();
    sim->model.calls->reset(sim->engine);
    *out = sim;
    return LAC_OK;
}

void lac_sim_close(lac_sim *sim) {
    if (!sim) return;
    sim->model.calls->close(sim->engine);
    lac_sim_model_close(&sim->model);
    free(sim->trace_path);
    free(sim);
}

uint32_t lac_sim_contract(const lac_sim *sim) {
    return sim->model.calls->contract(sim->engine);
}

void lac_sim_load(lac_sim *sim, uint32_t address, uint32_t group, const uint8_t *codes) {
    sim->model.calls->load(sim->engine, address, group, codes);
}

/// What stopped a run early, as a sentence.
static lac_status explain(const lac_shim_run *run, lac_shim_stop stop, lac_error *err) {
    unsigned long long cycle = run->cycles, words = run->words_taken, n_words = run->n_words;
    switch (stop) {
    case LAC_SHIM_ERROR:
        LAC_FAIL(
            err, LAC_E_DEVICE,
            "the engine reports an error at cycle %llu, step %u: a record of the program that is neither a "
            "layer nor the end, among the first %llu of %llu words",
            cycle, run->step, words, n_words);
    case LAC_SHIM_NO_PROGRESS:
        LAC_FAIL(
            err, LAC_E_DEVICE,
            "the engine stands still at cycle %llu, step %u, after %llu of %llu program words and %llu of "
            "%llu results: %d cycles without progress",
            cycle, run->step, words, n_words, (unsigned long long)run->results,
            (unsigned long long)run->n_out, PATIENCE_CYCLES);
    case LAC_SHIM_TOO_MANY:
        LAC_FAIL(err, LAC_E_DEVICE,
                 "the engine sends more than the %llu results expected, at cycle %llu, step %u",
                 (unsigned long long)run->n_out, cycle, run->step);
    case LAC_SHIM_LEFT_OVER:
        LAC_FAIL(err, LAC_E_DEVICE,
                 "the program goes on after its end: at cycle %llu not all of its %llu words are used", cycle,
                 n_words);
    case LAC_SHIM_DONE:
        break;
    }
    if (run->results != run->n_out)
        LAC_FAIL(err, LAC_E_DEVICE, "the program ended at cycle %llu with %llu of the %llu results expected",
                 cycle, (unsigned long long)run->results, (unsigned long long)run->n_out);
    return LAC_OK;
}

lac_status lac_sim_run(lac_sim *sim, const uint64_t *program, size_t n_words, int32_t *out, size_t n_out,
                       const lac_sim_watch *watch, const lac_sim_stalls *stalls, uint64_t *cycles,
                       lac_error *err) {
    lac_shim_run run = {.program = program,
                        .n_words = n_words,
                        .out = out,
                        .n_out = n_out,
                        .patience = PATIENCE_CYCLES,
                        .trace_path = sim->trace_path,
                        .trace_begin = sim->trace_begin,
                        .trace_end = sim->trace_end};
    if (watch) {
        run.write = watch->write;
        run.step_done = watch->step_done;
        run.ctx = watch->ctx;
    }
    if (stalls) {
        run.seed = stalls->seed;
        run.program_percent = stalls->program_percent;
        run.output_percent = stalls->output_percent;
    }
    lac_shim_stop stop = sim->model.calls->run(sim->engine, &run);
    free(sim->trace_path);
    sim->trace_path = NULL;
    if (cycles) *cycles = run.cycles;
    lac_status status = explain(&run, stop, err);
    // A stopped engine is of no use; memory keeps its words.
    if (status != LAC_OK) sim->model.calls->reset(sim->engine);
    return status;
}

lac_status lac_sim_trace(lac_sim *sim, const char *path, uint64_t begin, uint64_t end, lac_error *err) {
    if (begin >= end)
        LAC_FAIL(err, LAC_E_RANGE, "waveform '%s': its window [%llu, %llu) has no cycle", path,
                 (unsigned long long)begin, (unsigned long long)end);
    // The waveform library cannot report a file that it cannot write, so try before it does.
    FILE *file = fopen(path, "wb");
    if (!file) LAC_FAIL(err, LAC_E_IO, "cannot write the waveform '%s'", path);
    fclose(file);
    char *copy = strdup(path);
    if (!copy) LAC_FAIL(err, LAC_E_MEMORY, "no memory for the waveform '%s'", path);
    free(sim->trace_path);
    sim->trace_path = copy;
    sim->trace_begin = begin;
    sim->trace_end = end;
    return LAC_OK;
}
