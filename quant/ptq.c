#include "ptq.h"
#include "draw_images.h"
#include "equalize.h"
#include "op.h"
#include "prepare.h"
#include "snap.h"

enum { IMAGES = 512, NORM_IMAGES = 4096 }; // batch norms forget slowly

static lac_status check_config(const lac_quant_config *c, const lac_ptq_method *method, lac_error *err) {
    if (method->by_block && c->digits > 0)
        LAC_FAIL(
            err, LAC_E_USAGE,
            "%s rounds up or down whatever the digits; take reconstruct for cheap codes, or no target for "
            "them",
            method->name);
    if (c->reestimate && (c->equalize || c->absorb_bias))
        LAC_FAIL(
            err, LAC_E_USAGE,
            "batch norms cannot both be folded (for equalisation) and stay to be measured again; drop one");
    return LAC_OK;
}

static uint32_t n_images(const lac_quant_config *config) {
    return config->images ? config->images : IMAGES;
}

static lac_status absorb(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                         const lac_talk *talk, lac_error *err) {
    int n = 0;
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory to quantize graph '%s'", graph->name);
    const lac_dataset drawn = lac_draw_images(data, n_images(config), config->recipe.seed, arena);
    lac_status status = lac_absorb_biases(graph, &drawn, n_images(config), &n, err);
    lac_arena_close(arena);
    if (status == LAC_OK) lac_talk_note(talk, "moved the biases of %d channels into the next layer", n);
    return status;
}

lac_status lac_ptq_rewrite(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                           const lac_talk *talk, lac_error *err) {
    LAC_TRY(lac_graph_tidy(graph, err));
    if (!config->reestimate) LAC_TRY(lac_fold_norms(graph, err));
    LAC_TRY(lac_graph_infer(graph, err));
    if (config->equalize)
        lac_talk_note(talk, "equalised the weights of %d pairs of layers", lac_equalize(graph));
    return config->absorb_bias ? absorb(graph, data, config, talk, err) : LAC_OK;
}

static lac_status bound(lac_graph *graph, const lac_quant_config *config, const lac_talk *talk,
                        lac_error *err) {
    if (!config->acc_bits) return LAC_OK;
    int n = 0;
    LAC_TRY(lac_bound_accumulators(graph, config->acc_bits, &n, err));
    if (n)
        lac_talk_note(talk, "enlarged the scales of %d channels for accumulators of %d bits", n,
                      config->acc_bits);
    return LAC_OK;
}

static lac_status quantize(const lac_graph *float_graph, lac_graph *graph, const lac_dataset *data,
                           const lac_quant_config *config, const lac_ptq_method *method, const lac_talk *talk,
                           lac_error *err) {
    uint32_t images = n_images(config);
    LAC_TRY(lac_quant_prepare(graph, data, config, err));
    if (method->by_block)
        LAC_TRY(lac_round_blocks(float_graph, graph, data, config, method, talk, err));
    else if (method->round || config->digits > 0)
        LAC_TRY(lac_round_weights(float_graph, graph, data, config, method, talk, err));
    LAC_TRY(bound(graph, config, talk, err));
    if (config->correct_bias) {
        LAC_TRY(lac_correct_biases(float_graph, graph, data, images, talk, err));
        LAC_TRY(lac_graph_infer(graph, err));
    }
    if (config->reestimate) LAC_TRY(lac_reestimate_norms(graph, data, images, talk, err));
    LAC_TRY(bound(graph, config, talk, err));
    LAC_TRY(lac_graph_check(graph, err));
    return lac_snap(graph, err);
}

lac_status lac_ptq_run(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                       const lac_ptq_method *method, const lac_talk *talk, lac_error *err) {
    LAC_TRY(check_config(config, method, err));
    LAC_TRY(lac_ptq_rewrite(graph, data, config, talk, err));
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory to quantize graph '%s'", graph->name);
    lac_graph *float_graph = lac_graph_copy(graph, arena);
    uint32_t n_drawn = n_images(config);
    if (config->reestimate && n_drawn < NORM_IMAGES) n_drawn = NORM_IMAGES;
    const lac_dataset drawn = lac_draw_images(data, n_drawn, config->recipe.seed, arena);
    lac_status status = quantize(float_graph, graph, &drawn, config, method, talk, err);
    lac_arena_close(arena);
    LAC_TRY(status);
    lac_quant_note(graph, method->name, config);
    return LAC_OK;
}
