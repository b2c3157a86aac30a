#include "image_equal.h"
#include "plan.h"
#include "step_report.h"

#include "lac_contract.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/// The compiler, read aloud: from an integer graph to a program stream.
static const struct pass {
    const char *name;
    lac_status (*run)(lac_plan *plan, lac_error *err);
} passes[] = {
    {"check that codes fit the lanes", lac_pass_codes},
    {"fold channels that are constant or unread", lac_pass_fold},
    {"move far sides of maps tile by tile", lac_pass_wraps},
    {"send the output as raw results", lac_pass_results},
    {"copy what cannot be concatenated in place", lac_pass_concats},
    {"prove that accumulators are wide enough", lac_pass_bounds},
    {"fuse max pools into the layer before", lac_pass_fuse},
    {"cut maps into tiles", lac_pass_tiles},
    {"allocate activation memory", lac_pass_memory},
    {"map steps onto lanes", lac_pass_map},
    {"prove the same for digits, plane by plane", lac_pass_digits},
    {"choose list formats", lac_pass_lists},
    {"encode the program", lac_pass_encode},
};

static lac_image *image_of(const lac_plan *plan, lac_arena *arena) {
    lac_image *image = LAC_NEW(arena, lac_image);
    image->arena = arena;
    image->engine = plan->engine;
    image->contract_hash = LAC_CONTRACT_HASH;
    image->graph = plan->graph;
    image->layouts = plan->layouts;
    image->split_y = plan->split_y;
    image->split_x = plan->split_x;
    image->n_steps = plan->n_steps;
    image->steps = LAC_NEW_ARRAY(arena, lac_step, plan->n_steps);
    for (int s = 0; s < plan->n_steps; s++) {
        image->steps[s].name = plan->graph->layers[plan->steps[s].layer].name;
        image->steps[s].layer = plan->steps[s].layer;
        image->steps[s].table_layer = plan->steps[s].table_layer;
        image->steps[s].pool_layer = plan->steps[s].pool_layer;
        image->steps[s].out_tensor = plan->steps[s].out_tensor;
    }
    image->program = plan->program;
    image->n_program = plan->n_program;
    return image;
}

/// What is returned is what a reader of the file gets: the program decoded back into weights, which must be
/// those that went in.
static lac_status read_back(const lac_plan *plan, lac_arena *arena, lac_image **out, lac_error *err) {
    uint8_t *bytes;
    size_t n_bytes;
    LAC_TRY(lac_image_serialize(image_of(plan, plan->scratch), plan->scratch, &bytes, &n_bytes, err));
    lac_status status = lac_image_parse(bytes, n_bytes, "the program just compiled", arena, out, err);
    if (status != LAC_OK) return lac_fail_in(err, LAC_E_INTERNAL, "compiler");
    return lac_int_graph_equal(plan->graph, (*out)->graph, err);
}

static lac_status run_passes(lac_plan *plan, lac_error *err) {
    for (size_t i = 0; i < sizeof passes / sizeof passes[0]; i++) LAC_TRY(passes[i].run(plan, err));
    return LAC_OK;
}

/// Runs the passes on a plan whose engine and choices are set.
static lac_status compile_plan(const lac_int_graph *graph, lac_plan plan, lac_arena *arena, lac_image **out,
                               lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "out of memory while compiling '%s'", graph->name);
    plan.arena = plan.scratch = scratch;
    plan.graph = lac_int_graph_copy(graph, scratch);
    lac_image *image = NULL;
    lac_status status = run_passes(&plan, err);
    if (status == LAC_OK) status = read_back(&plan, arena, &image, err);
    lac_arena_close(scratch);
    if (status == LAC_OK) *out = image;
    return status;
}

/// Whether the mesh can be cut so; the sums of an image need groups of lanes that are its own.
static bool splits(const lac_engine_config *e, int split_y, int split_x) {
    int y = 1 << split_y, x = 1 << split_x;
    if (y * x == 1) return true;
    if (e->mesh_y % y || e->mesh_x % x) return false;
    return (x == 1 ? e->mesh_y / y * e->mesh_x : e->mesh_x / x) % e->drain == 0;
}

/// Predicted cycles for one input image, in 1/8.
static uint64_t cycles_an_image(const lac_image *image) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) return UINT64_MAX;
    lac_step_cost *costs = LAC_NEW_ARRAY(scratch, lac_step_cost, image->n_steps);
    uint64_t sum = 0;
    lac_image_costs(image, costs);
    for (int s = 0; s < image->n_steps; s++) sum += costs[s].total;
    lac_arena_close(scratch);
    return sum * 8 / (uint64_t)lac_image_batch(image);
}

/// The best image so far, and why the first plan failed.
typedef struct search {
    lac_image *best;
    lac_error why;
    lac_status status;
} search;

static void try_plan(search *s, const lac_int_graph *graph, const lac_plan *plan, lac_arena *arena) {
    lac_image *image = NULL;
    lac_error reason = {0};
    lac_status tried = compile_plan(graph, *plan, arena, &image, &reason);
    if (tried == LAC_OK && (!s->best || cycles_an_image(image) < cycles_an_image(s->best))) s->best = image;
    if (tried != LAC_OK && !s->why.text[0]) s->why = reason, s->status = tried;
}

static lac_status check_request(const lac_int_graph *graph, lac_engine_config *engine, lac_error *err) {
    if (!engine->act_bits) engine->act_bits = LAC_ACT_BITS_DEFAULT;
    LAC_TRY(lac_engine_check(engine, err));
    return lac_int_graph_check(graph, err);
}

lac_status lac_compile_batch(const lac_int_graph *graph, const lac_engine_config *config, int n_images,
                             lac_arena *arena, lac_image **out, lac_error *err) {
    enum { MOST_SPLIT = 3 };
    lac_engine_config engine = *config;
    LAC_TRY(check_request(graph, &engine, err));
    search found = {.status = LAC_E_RANGE};
    bool possible = false, chooses_pools = lac_has_last_pool(graph);
    for (int split_y = 0; split_y <= MOST_SPLIT; split_y++)
        for (int split_x = 0; split_x + split_y <= MOST_SPLIT; split_x++) {
            if (n_images && n_images != 1 << (split_y + split_x)) continue;
            if (!splits(&engine, split_y, split_x)) continue;
            possible = true;
            lac_plan plan = {.engine = engine, .split_y = split_y, .split_x = split_x};
            try_plan(&found, graph, &plan, arena);
            plan.part_last_pools = true;
            if (chooses_pools) try_plan(&found, graph, &plan, arena);
        }
    if (!possible)
        LAC_FAIL(
            err, LAC_E_RANGE,
            "a %dx%d mesh with DRAIN %d cannot be cut into %d equal rectangles of whole groups of lanes; "
            "1, 2, 4 and 8 images are possible where it can",
            engine.mesh_x, engine.mesh_y, engine.drain, n_images);
    if (!found.best) {
        if (err) *err = found.why;
        return found.status;
    }
    *out = found.best;
    return LAC_OK;
}

lac_status lac_compile(const lac_int_graph *graph, const lac_engine_config *config, lac_arena *arena,
                       lac_image **out, lac_error *err) {
    return lac_compile_batch(graph, config, 1, arena, out, err);
}

lac_status lac_compile_whole(const lac_int_graph *graph, const lac_engine_config *config, lac_arena *arena,
                             lac_image **out, lac_error *err) {
    lac_plan plan = {.engine = *config, .keep_channels = true};
    LAC_TRY(check_request(graph, &plan.engine, err));
    return compile_plan(graph, plan, arena, out, err);
}
