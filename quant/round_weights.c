#include "prepare.h"
#include "ptq.h"
#include "quant_codes.h"
#include "threads.h"

#include <math.h>
#include <string.h>

enum { IMAGES = 256, FIT_ROUNDS = 3 };

/// One layer being rounded: its rows are shared among threads.
typedef struct layer_job {
    const lac_ptq_method *method;
    const lac_moments *m;
    const float *w;
    float *scale;
    int n_scales, lowest, highest;
    double price;        ///< of a digit
    const void **shared; ///< per group
    lac_arena **scratch; ///< per worker
    int8_t *code;
} layer_job;

static lac_round_row row_of(const layer_job *j, int o) {
    const lac_moments *m = j->m;
    size_t n = (size_t)m->n, group = (size_t)(o / m->rows);
    return (lac_round_row){.n = m->n,
                           .h = m->h + group * n * n,
                           .c = m->c + (size_t)o * n,
                           .w = j->w + (size_t)o * n,
                           .scale = (double)j->scale[j->n_scales > 1 ? o : 0],
                           .lowest = j->lowest,
                           .highest = j->highest,
                           .digit_price = j->price,
                           .shared = j->shared ? j->shared[group] : NULL};
}

static void round_row(void *ctx, size_t item, int worker) {
    const layer_job *j = ctx;
    lac_round_row row = row_of(j, (int)item);
    int8_t *code = j->code + item * (size_t)row.n;
    lac_rounding *rounding = j->price > 0 ? lac_round_descent : j->method->round;
    rounding(&row, j->scratch[worker], code);
    bool fits = j->method->fits_scales && j->n_scales > 1;
    for (int i = 0; fits && i < FIT_ROUNDS; i++) {
        double scale = lac_round_best_scale(&row, code);
        if (!(scale > 0)) break;
        row.scale = scale;
        rounding(&row, j->scratch[worker], code);
    }
    if (fits) j->scale[item] = (float)row.scale;
    lac_arena_reset(j->scratch[worker]);
}

enum { BLOCK = 16 };

static int blocks_per_group(const layer_job *j) {
    return (j->m->rows + BLOCK - 1) / BLOCK;
}

static void round_block(void *ctx, size_t item, int worker) {
    const layer_job *j = ctx;
    lac_round_row rows[BLOCK];
    int group = (int)item / blocks_per_group(j), first = (int)item % blocks_per_group(j) * BLOCK;
    int n = j->m->rows - first < BLOCK ? j->m->rows - first : BLOCK, o = group * j->m->rows + first;
    for (int i = 0; i < n; i++) rows[i] = row_of(j, o + i);
    j->method->round_block(rows, n, j->scratch[worker], j->code + (size_t)o * (size_t)j->m->n);
    lac_arena_reset(j->scratch[worker]);
}

static void round_rows(layer_job *j) {
    if (j->method->round_block && !(j->price > 0))
        lac_parallel_for((size_t)(j->m->n_groups * blocks_per_group(j)), lac_n_cores(), round_block, j);
    else
        lac_parallel_for((size_t)(j->m->n_groups * j->m->rows), lac_n_cores(), round_row, j);
}

static int64_t digits_of(const layer_job *j) {
    return lac_codes_digits(j->code, (size_t)j->m->n_groups * (size_t)j->m->rows * (size_t)j->m->n);
}

// The lowest price at which the layer's digits are at most the target, by bisection of its logarithm. A
// code's error is in units of its scale: the mean diagonal of h times scale squared.
static void meet_digits(layer_job *j, double share) {
    enum { STEPS = 14 };
    const lac_ptq_method nearest = {.round = lac_round_nearest};
    layer_job plain = *j;
    plain.method = &nearest;
    round_rows(&plain);
    int64_t target = (int64_t)((double)digits_of(j) * share);
    double unit = 0, low = -10, high = 24;
    for (int g = 0; g < j->m->n_groups; g++)
        for (int i = 0; i < j->m->n; i++)
            unit += j->m->h[((size_t)g * (size_t)j->m->n + (size_t)i) * (size_t)j->m->n + (size_t)i];
    unit *= (double)j->scale[0] * (double)j->scale[0] / (j->m->n_groups * j->m->n);
    if (!(unit > 0)) return;
    for (int i = 0; i < STEPS; i++) {
        double middle = (low + high) / 2;
        j->price = unit * exp2(middle);
        round_rows(j);
        *(digits_of(j) <= target ? &high : &low) = middle;
    }
    j->price = unit * exp2(high);
    round_rows(j);
}

static void write_weights(lac_graph *graph, const lac_node *quant, const layer_job *j) {
    float *w = graph->values[quant->in[0]].data;
    size_t n = (size_t)j->m->n, n_out = (size_t)(j->m->n_groups * j->m->rows);
    for (size_t o = 0; o < n_out; o++)
        for (size_t i = 0; i < n; i++)
            w[o * n + i] = (float)(j->code[o * n + i] * (double)j->scale[j->n_scales > 1 ? o : 0]);
}

static lac_status round_layer(const lac_graph *float_graph, lac_graph *graph, int index,
                              const lac_dataset *data, const lac_quant_config *config,
                              const lac_ptq_method *method, lac_arena *arena, lac_arena **scratch,
                              lac_error *err) {
    const lac_node *quant = &graph->nodes[lac_graph_producer(graph, graph->nodes[index].in[1])];
    if (quant->op == LAC_OP_BIPOLAR_QUANT) return LAC_OK; // two codes: the sign is the choice
    lac_moments m;
    uint32_t images = config->images ? config->images : IMAGES;
    LAC_TRY(lac_moments_measure(float_graph, graph, index, data, images, config->recipe.seed, arena,
                                scratch[0], &m, err));
    lac_arena_reset(scratch[0]);
    lac_value *scale = &graph->values[quant->in[1]];
    lac_ptq_method own = *method;
    own.fits_scales = method->fits_scales && !config->power_of_two;
    layer_job j = {.method = &own,
                   .m = &m,
                   .w = graph->values[quant->in[0]].data,
                   .scale = scale->data,
                   .n_scales = (int)lac_shape_count(scale->shape),
                   .lowest = lac_quant_lowest(quant->attr.quant),
                   .highest = lac_quant_highest(quant->attr.quant),
                   .scratch = scratch};
    j.code = LAC_NEW_ARRAY(arena, int8_t, m.n_groups * m.rows * m.n);
    if (method->share) {
        j.shared = LAC_NEW_ARRAY(arena, const void *, m.n_groups);
        for (int g = 0; g < m.n_groups; g++)
            j.shared[g] = method->share(m.h + (size_t)g * (size_t)m.n * (size_t)m.n, m.n, arena);
    }
    if (config->digits > 0)
        meet_digits(&j, config->digits);
    else
        round_rows(&j);
    write_weights(graph, quant, &j);
    return LAC_OK;
}

lac_status lac_round_weights(const lac_graph *float_graph, lac_graph *graph, const lac_dataset *data,
                             const lac_quant_config *config, const lac_ptq_method *method,
                             const lac_talk *talk, lac_error *err) {
    int n_workers = lac_n_cores();
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory to round the weights of graph '%s'", graph->name);
    lac_arena **scratch = LAC_NEW_ARRAY(graph->arena, lac_arena *, n_workers);
    lac_status status = LAC_OK;
    for (int i = 0; i < n_workers; i++) {
        scratch[i] = lac_arena_open();
        if (!scratch[i]) status = LAC_E_MEMORY;
    }
    for (int n = 0; n < graph->n_nodes && status == LAC_OK; n++) {
        if (!lac_has_weights(&graph->nodes[n])) continue;
        status = round_layer(float_graph, graph, n, data, config, method, arena, scratch, err);
        lac_arena_reset(arena);
        lac_talk_step(talk, "round", (uint64_t)n + 1, (uint64_t)graph->n_nodes, "%s", graph->nodes[n].name);
        if (status == LAC_OK && lac_talk_stop(talk)) {
            lac_fail(err, LAC_E_INTERRUPTED, "rounding stopped after layer '%s'", graph->nodes[n].name);
            status = LAC_E_INTERRUPTED;
        }
    }
    for (int i = 0; i < n_workers; i++) lac_arena_close(scratch[i]);
    lac_arena_close(arena);
    return status;
}
