#include "stage.h"

#include "cpu.h"
#include "ref.h"
#include "threads.h"

/// Images of a split through the fast executor, shared among workers; each has its own tensors.
typedef struct job {
    const lac_int_graph *graph;
    const lac_cpu *cpu;
    int32_t **scratch; ///< [worker]
    const lac_split *split;
    int32_t ***tensors; ///< [worker][tensor]
    uint32_t first;
    uint8_t *right; ///< one byte an image
} job;

static void run_image(void *ctx, size_t item, int worker) {
    const job *j = ctx;
    uint32_t i = j->first + (uint32_t)item;
    int32_t **values = j->tensors[worker];
    const lac_int_tensor *in = &j->graph->tensors[j->graph->input];
    size_t n_pixels = lac_int_tensor_count(in);
    lac_input_codes(j->graph, j->split->pixels + i * n_pixels, values[j->graph->input]);
    lac_cpu_run(j->cpu, j->scratch[worker], values);
    j->right[i] = lac_int_argmax(j->graph, values[j->graph->output]) == j->split->labels[i];
}

static int32_t ***make_tensors(lac_arena *arena, const lac_int_graph *graph, int n_workers) {
    int32_t ***tensors = LAC_NEW_ARRAY(arena, int32_t **, n_workers);
    for (int w = 0; w < n_workers; w++) {
        tensors[w] = LAC_NEW_ARRAY(arena, int32_t *, graph->n_tensors);
        for (int t = 0; t < graph->n_tensors; t++)
            tensors[w][t] = LAC_NEW_ARRAY(arena, int32_t, lac_int_tensor_count(&graph->tensors[t]));
    }
    return tensors;
}

lac_status lac_int_accuracy(lac_cli *cli, const lac_int_graph *graph, const lac_split *split,
                            double *accuracy, lac_error *err) {
    enum { PIECE = 200 };
    int n_workers = lac_n_cores();
    job j = {.graph = graph, .split = split, .tensors = make_tensors(cli->arena, graph, n_workers)};
    j.cpu = lac_cpu_prepare(graph, cli->arena);
    j.scratch = LAC_NEW_ARRAY(cli->arena, int32_t *, n_workers);
    for (int w = 0; w < n_workers; w++)
        j.scratch[w] = LAC_NEW_ARRAY(cli->arena, int32_t, lac_cpu_scratch_count(j.cpu));
    j.right = lac_arena_alloc(cli->arena, split->n);
    uint32_t n_right = 0;
    for (j.first = 0; j.first < split->n; j.first += PIECE) {
        uint32_t n = split->n - j.first < PIECE ? split->n - j.first : PIECE;
        lac_parallel_for(n, n_workers, run_image, &j);
        for (uint32_t i = j.first; i < j.first + n; i++) n_right += j.right[i];
        lac_talk_step(&cli->talk, "integers", j.first + n, split->n, "%u right", n_right);
        if (lac_talk_stop(&cli->talk)) LAC_FAIL(err, LAC_E_INTERRUPTED, "interrupted");
    }
    *accuracy = split->n ? (double)n_right / (double)split->n : 0;
    return LAC_OK;
}
