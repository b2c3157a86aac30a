#include "block_loss.h"
#include "blocks.h"
#include "drop.h"
#include "op.h"
#include "prepare.h"
#include "ptq.h"
#include "rng.h"
#include "shards.h"
#include "soft_weights.h"

#include <math.h>
#include <string.h>

enum { BATCH = 8, STEPS = 1000 }; // images of a shard; steps a block

/// What all steps together may move a choice, and an activation's step relative to itself.
static const float reach_choice = 20, reach_step = 0.4f, most_rate = 0.05f, pull = 0.05f;

/// A learned step size of activations.
typedef struct soft_step {
    int value;
    float *scale, start, m1, m2;
} soft_step;

/// What the blocks so far have come to, and the block at hand.
typedef struct session {
    const lac_graph *float_graph;
    lac_graph *graph;
    const lac_quant_config *config;
    const lac_ptq_method *method;
    const lac_talk *talk;
    lac_block *blocks;
    int n_blocks, at, n_steps;
    uint32_t n_images;
    const float *x_float, *x; ///< inputs of the block: of the float graph, and of the quantized one
    float *y, *weight, *made; ///< outputs: wanted, their weights, what there is
    lac_soft_weights *weights;
    soft_step *steps;
    int n_weights, n_step_sizes;
    size_t n_choices, n_in, n_out; ///< of the block; floats of an image
    lac_drop *drop[LAC_SHARDS];    ///< one an activation quantizer of the block, and the input's behind them
    int n_drops;
    double unit; ///< error of a whole code in one average weight, over the images of a step
    double loss[LAC_SHARDS];
    uint32_t image[LAC_SHARDS * BATCH];
    lac_rng rng;
} session;

// ---- the block at hand ------------------------------------------------------------------------------------

static bool quantizes_weights(const lac_graph *graph, const lac_node *node) {
    return node->op == LAC_OP_QUANT && graph->values[node->in[0]].data;
}

// A scale that quantizers outside of the block have, too, stays.
static void find_steps(session *s, const lac_graph *part, lac_arena *arena) {
    s->steps = LAC_NEW_ARRAY(arena, soft_step, part->n_nodes);
    s->n_step_sizes = 0;
    for (int v = 0; v < s->graph->n_values && !s->config->power_of_two; v++) {
        int inside = 0, reader = -1;
        for (int n = 0; n < part->n_nodes; n++)
            if (part->nodes[n].op == LAC_OP_QUANT && part->nodes[n].in[1] == v) inside++, reader = n;
        if (!inside || quantizes_weights(part, &part->nodes[reader])) continue;
        if (!s->graph->values[v].trainable || lac_graph_n_readers(s->graph, v) != inside) continue;
        float *scale = s->graph->values[v].data;
        s->steps[s->n_step_sizes++] = (soft_step){.value = v, .scale = scale, .start = *scale};
    }
}

static void find_weights(session *s, const lac_graph *part, lac_arena *arena) {
    s->weights = LAC_NEW_ARRAY(arena, lac_soft_weights, part->n_nodes);
    s->n_weights = 0;
    s->n_choices = 0;
    for (int n = 0; n < part->n_nodes; n++) {
        if (!quantizes_weights(part, &part->nodes[n])) continue;
        lac_soft_weights w = lac_soft_weights_make(part, &part->nodes[n], arena);
        for (size_t i = 0; i < w.n; i++) s->n_choices += w.w[i] != 0;
        s->weights[s->n_weights++] = w;
    }
}

// The block with what is learned in the place of the weights' quantizers.
static lac_graph *learning_part(const session *s, int shard, lac_arena *arena) {
    const lac_block *b = &s->blocks[s->at];
    lac_graph *part = lac_graph_part(s->graph, b->in, b->out, arena);
    int n_nodes = 0, n_drops = 0;
    for (int n = 0; n < part->n_nodes; n++) {
        lac_node node = part->nodes[n];
        if (quantizes_weights(part, &node)) continue;
        if (node.op == LAC_OP_QUANT && s->method->drop > 0) {
            lac_quant_rule *rule = LAC_NEW(arena, lac_quant_rule);
            rule->drop = &s->drop[shard][n_drops++];
            node.attr.quant.rule = rule;
        }
        part->nodes[n_nodes++] = node;
    }
    part->n_nodes = n_nodes;
    for (int i = 0; i < s->n_weights; i++) {
        part->values[s->weights[i].value].data = s->weights[i].made;
        part->values[s->weights[i].value].trainable = true;
    }
    for (int i = 0; i < s->n_step_sizes; i++) part->values[s->steps[i].value].trainable = true;
    return part;
}

// ---- a step -----------------------------------------------------------------------------------------------

// The input of a quantized network, but elements of a share of them are the float network's.
static void mix_inputs(const session *s, int shard, uint32_t image, size_t first, float *to) {
    const lac_drop drop = s->drop[shard][s->n_drops];
    const uint32_t limit = lac_drop_limit(&drop);
    const float *x = s->x + image * s->n_in, *x_float = s->x_float + image * s->n_in;
    for (size_t i = 0; i < s->n_in; i++)
        to[i] = lac_drop_takes(&drop, limit, (uint32_t)(first + i)) ? x_float[i] : x[i];
}

static lac_status learn_part(void *ctx, int shard, lac_plan *plan, lac_error *err) {
    session *s = ctx;
    const uint32_t *image = s->image + shard * BATCH;
    for (size_t i = 0; i < BATCH; i++)
        mix_inputs(s, shard, image[i], i * s->n_in, lac_plan_input(plan) + i * s->n_in);
    LAC_TRY(lac_plan_forward(plan, err));
    s->loss[shard] = 0;
    for (size_t i = 0; i < BATCH; i++) {
        size_t from = image[i] * s->n_out, to = i * s->n_out;
        s->loss[shard] += lac_block_loss(lac_plan_output(plan) + to, s->y + from, s->weight + from, s->n_out,
                                         1 / s->unit, lac_plan_output_gradient(plan) + to);
    }
    return lac_plan_backward(plan, err);
}

// Sum over the shards, in their order.
static void add_gradients(const lac_shards *shards, int value, size_t n, float *sum) {
    memset(sum, 0, n * sizeof *sum);
    for (int k = 0; k < LAC_SHARDS; k++) {
        const float *g = lac_plan_gradient(lac_shards_plan(shards, k), value);
        for (size_t i = 0; g && i < n; i++) sum[i] += g[i];
    }
}

static void learn_step_size(soft_step *p, float g, float rate, int step) {
    float c1 = 1 / (1 - powf(0.9f, (float)step + 1)), c2 = 1 / (1 - powf(0.999f, (float)step + 1));
    p->m1 = 0.9f * p->m1 + 0.1f * g;
    p->m2 = 0.999f * p->m2 + 0.001f * g * g;
    *p->scale -= p->start * rate * p->m1 * c1 / (sqrtf(p->m2 * c2) + 1e-8f);
    *p->scale = fmaxf(*p->scale, p->start * 0.1f);
}

static void update(session *s, const lac_shards *shards, float *sum, int step) {
    const float t = (float)step / (float)s->n_steps, warm = 0.2f;
    const float rate = fminf(reach_choice / (float)s->n_steps, most_rate);
    const float step_rate = reach_step / (float)s->n_steps * (1 + cosf(3.14159265f * t));
    const float beta = 2 + 18 * (1 - (t - warm) / (1 - warm));
    for (int i = 0; i < s->n_weights; i++) {
        add_gradients(shards, s->weights[i].value, s->weights[i].n, sum);
        lac_soft_learn(&s->weights[i], sum, rate, beta, t < warm ? 0 : pull, step);
    }
    for (int i = 0; i < s->n_step_sizes; i++) {
        add_gradients(shards, s->steps[i].value, 1, sum);
        learn_step_size(&s->steps[i], *sum, step_rate, step);
    }
}

static void draw_drops(session *s, float share) {
    for (int k = 0; k < LAC_SHARDS; k++)
        for (int i = 0; i <= s->n_drops; i++) s->drop[k][i] = (lac_drop){share, lac_rng_u64(&s->rng)};
}

static lac_status learn(session *s, lac_shards *shards, lac_arena *arena, lac_error *err) {
    const lac_block *b = &s->blocks[s->at];
    size_t most = 1;
    for (int i = 0; i < s->n_weights; i++) most = s->weights[i].n > most ? s->weights[i].n : most;
    float *sum = LAC_NEW_ARRAY(arena, float, most);
    for (int step = 0; step < s->n_steps; step++) {
        for (int i = 0; i < s->n_weights; i++) lac_soft_relax(&s->weights[i]);
        for (int i = 0; i < LAC_SHARDS * BATCH; i++) s->image[i] = lac_rng_below(&s->rng, s->n_images);
        draw_drops(s, s->method->drop);
        LAC_TRY(lac_shards_run(shards, learn_part, s, err));
        update(s, shards, sum, step);
        lac_talk_step(s->talk, "reconstruct", (uint64_t)s->at * (uint64_t)s->n_steps + (uint64_t)step + 1,
                      (uint64_t)s->n_blocks * (uint64_t)s->n_steps, "block %d of %d, to '%s'", s->at + 1,
                      s->n_blocks, b->name);
        if (lac_talk_stop(s->talk))
            LAC_FAIL(err, LAC_E_INTERRUPTED, "reconstruction stopped in block %d of %d, at layer '%s'",
                     s->at + 1, s->n_blocks, b->name);
    }
    return LAC_OK;
}

// ---- a block ----------------------------------------------------------------------------------------------

// Error with all quantizers in place, over all images.
static lac_status measure(session *s, lac_shards *shards, double *error, lac_error *err) {
    draw_drops(s, 0);
    LAC_TRY(lac_shards_forward(shards, s->x, s->n_images, s->made, err));
    *error = lac_block_loss(s->made, s->y, s->weight, s->n_images * s->n_out, 0, NULL);
    return LAC_OK;
}

static void choose_nearest(session *s) {
    for (int i = 0; i < s->n_weights; i++) lac_soft_nearest(&s->weights[i]);
    for (int i = 0; i < s->n_step_sizes; i++) *s->steps[i].scale = s->steps[i].start;
}

static void tell(const session *s, double before, double after) {
    const lac_block *b = &s->blocks[s->at];
    double all = 0;
    for (size_t i = 0; i < s->n_images * s->n_out; i++)
        all += (double)s->weight[i] * (double)s->y[i] * (double)s->y[i];
    if (all > 0)
        lac_talk_note(s->talk, "block %d of %d, to '%s', %d layers: error %.3g %% of the output, was %.3g %%",
                      s->at + 1, s->n_blocks, b->name, b->n_layers, 100 * after / all, 100 * before / all);
}

static lac_status fit(session *s, lac_shards *shards, lac_arena *arena, lac_error *err) {
    double before, after;
    choose_nearest(s);
    LAC_TRY(measure(s, shards, &before, err));
    if (!(before > 0) || s->n_choices == 0) return LAC_OK;
    s->unit = 12 * before / (double)s->n_choices * LAC_SHARDS * BATCH / s->n_images;
    LAC_TRY(learn(s, shards, arena, err));
    for (int i = 0; i < s->n_weights; i++) lac_soft_harden(&s->weights[i]);
    LAC_TRY(measure(s, shards, &after, err));
    if (after > before) {
        choose_nearest(s);
        LAC_TRY(measure(s, shards, &after, err));
    }
    tell(s, before, after);
    return LAC_OK;
}

static void write_weights(const session *s) {
    for (int i = 0; i < s->n_weights; i++) {
        const lac_soft_weights *w = &s->weights[i];
        memcpy(s->graph->values[w->source].data, w->made, w->n * sizeof(float));
    }
}

static lac_status fit_block(session *s, lac_arena *arena, lac_error *err) {
    const lac_block *b = &s->blocks[s->at];
    lac_graph *parts[LAC_SHARDS], *plain = lac_graph_part(s->graph, b->in, b->out, arena);
    find_weights(s, plain, arena);
    find_steps(s, plain, arena);
    s->n_drops = 0;
    for (int n = 0; n < plain->n_nodes; n++)
        s->n_drops += plain->nodes[n].op == LAC_OP_QUANT && !quantizes_weights(plain, &plain->nodes[n]);
    for (int k = 0; k < LAC_SHARDS; k++) {
        s->drop[k] = LAC_NEW_ARRAY(arena, lac_drop, s->n_drops + 1);
        parts[k] = learning_part(s, k, arena);
    }
    const lac_graph *const of[LAC_SHARDS] = {parts[0], parts[1], parts[2], parts[3]};
    const lac_plan_config config = {.batch = BATCH, .train = true, .freeze_batch_norm = true};
    lac_shards *shards;
    LAC_TRY(lac_shards_open(of, &config, &shards, err));
    lac_status status = fit(s, shards, arena, err);
    lac_shards_close(shards);
    LAC_TRY(status);
    write_weights(s);
    return LAC_OK;
}

// The value of the float graph that a block of the quantized one ends with.
static int float_value(const session *s, int value) {
    if (value == s->graph->input) return s->float_graph->input;
    if (value == s->graph->output) return s->float_graph->output;
    const lac_node *quant = &s->graph->nodes[lac_graph_producer(s->graph, value)];
    const lac_node *maker = &s->graph->nodes[lac_graph_producer(s->graph, quant->in[0])];
    return s->float_graph->nodes[lac_node_named(s->float_graph, maker->name)].out;
}

// What the float network makes of the block's float input.
static lac_status want(session *s, int from, int to, lac_arena *arena, lac_error *err) {
    const lac_graph *part = lac_graph_part(s->float_graph, from, to, arena), *const parts[LAC_SHARDS] = {
                                                                                 part, part, part, part};
    lac_shards *shards;
    LAC_TRY(lac_shards_open(parts, &(lac_plan_config){.batch = BATCH}, &shards, err));
    lac_status status = lac_shards_forward(shards, s->x_float, s->n_images, s->y, err);
    lac_shards_close(shards);
    LAC_TRY(status);
    return lac_fisher_weights(s->float_graph, to, s->y, s->n_images, s->config->recipe.seed, arena, s->weight,
                              err);
}

static lac_status run_block(session *s, lac_arena *arena, lac_error *err) {
    const lac_block *b = &s->blocks[s->at];
    int from = float_value(s, b->in), to = float_value(s, b->out);
    s->n_in = (size_t)lac_shape_count(s->graph->values[b->in].shape);
    s->n_out = (size_t)lac_shape_count(s->graph->values[b->out].shape);
    float **arrays[] = {&s->y, &s->weight, &s->made};
    for (int i = 0; i < 3; i++) *arrays[i] = LAC_NEW_ARRAY(arena, float, s->n_images * s->n_out);
    LAC_TRY(want(s, from, to, arena, err));
    LAC_TRY(fit_block(s, arena, err));
    s->x_float = s->y;
    s->x = s->made;
    return LAC_OK;
}

// A block's outputs are the next one's inputs: two arenas take turns.
static lac_status run_blocks(session *s, const lac_dataset *data, lac_arena *plan, lac_arena *turn[2],
                             lac_error *err) {
    size_t pixels = (size_t)data->c * (size_t)data->h * (size_t)data->w;
    float *x = LAC_NEW_ARRAY(turn[1], float, s->n_images *pixels);
    lac_normalize(data, data->train.pixels, s->n_images, x);
    s->x = s->x_float = x;
    LAC_TRY(lac_blocks_find(s->graph, plan, &s->blocks, &s->n_blocks, err));
    for (s->at = 0; s->at < s->n_blocks; s->at++) {
        if (s->at > 0) lac_arena_reset(turn[s->at % 2]);
        LAC_TRY(run_block(s, turn[s->at % 2], err));
    }
    return LAC_OK;
}

lac_status lac_round_blocks(const lac_graph *float_graph, lac_graph *graph, const lac_dataset *data,
                            const lac_quant_config *config, const lac_ptq_method *method,
                            const lac_talk *talk, lac_error *err) {
    enum { IMAGES = 512, STREAM = 0x626c6f63 };
    uint32_t images = config->images ? config->images : IMAGES;
    session s = {.float_graph = float_graph,
                 .graph = graph,
                 .config = config,
                 .method = method,
                 .talk = talk,
                 .n_steps = config->iterations ? (int)config->iterations : STEPS,
                 .n_images = images < data->train.n ? images : data->train.n,
                 .rng = lac_rng_make(config->recipe.seed, STREAM)};
    lac_arena *arena[3];
    lac_status status = LAC_OK;
    for (int i = 0; i < 3; i++) {
        arena[i] = lac_arena_open();
        if (!arena[i])
            status = lac_fail(err, LAC_E_MEMORY, "no memory to round the weights of graph '%s'", graph->name);
    }
    if (status == LAC_OK) status = run_blocks(&s, data, arena[2], arena, err);
    for (int i = 0; i < 3; i++) lac_arena_close(arena[i]);
    return status;
}
