#include "geometry.h"

#include "lac_num.h"

#include <string.h>

// Fills in the layer record and the taps of every step.

static const lac_int_layer *layer_of(const lac_plan *plan, const lac_plan_step *step) {
    return &plan->graph->layers[step->layer];
}

static lac_status add_tap(lac_plan_step *step, const lac_int_layer *layer, lac_plan_tap tap, lac_error *err) {
    if (step->record.N_TAPS == LAC_MOST_TAPS)
        LAC_FAIL(err, LAC_E_CAPACITY, "layer '%s' has more than %d taps; use a smaller kernel", layer->name,
                 LAC_MOST_TAPS);
    step->taps[step->record.N_TAPS++] = tap;
    return LAC_OK;
}

static bool tap_is_used(const lac_plan *plan, const lac_int_layer *layer, int k) {
    int n_taps = layer->window.kernel[0] * layer->window.kernel[1];
    size_t n = lac_int_layer_weights(plan->graph, layer, false);
    for (size_t i = (size_t)k; i < n; i += (size_t)n_taps)
        if (layer->w[i] != 0) return true;
    return false;
}

/// One tap for each kernel position that has a weight anywhere.
static lac_status map_window(const lac_plan *plan, lac_plan_step *step, lac_error *err) {
    const lac_int_layer *layer = layer_of(plan, step);
    const lac_window *w = &layer->window;
    for (int ky = 0; ky < w->kernel[0]; ky++)
        for (int kx = 0; kx < w->kernel[1]; kx++) {
            if (layer->kind == LAC_INT_CONV2D && !tap_is_used(plan, layer, ky * w->kernel[1] + kx)) continue;
            lac_plan_tap tap = {.ky = ky, .kx = kx};
            tap.record.DY = ky * w->dilation[0] - w->pad[0];
            tap.record.DX = kx * w->dilation[1] - w->pad[1];
            LAC_TRY(add_tap(step, layer, tap, err));
        }
    return LAC_OK;
}

static lac_status map_add(const lac_plan *plan, lac_plan_step *step, lac_error *err) {
    const lac_int_layer *layer = layer_of(plan, step);
    const lac_int_tensor *a = &plan->graph->tensors[layer->in[0]], *b = &plan->graph->tensors[layer->in[1]];
    step->record.ACT_SIGNED = a->type.is_signed || b->type.is_signed;
    const lac_int_tensor *other = a->type.is_signed ? b : a;
    if (a->type.is_signed != b->type.is_signed && other->type.bits == plan->engine.act_bits)
        LAC_FAIL(
            err, LAC_E_UNSUPPORTED,
            "add '%s': '%s' has unsigned codes of %d bits and the other operand signed ones; give both the "
            "same sign, or '%s' %d bits",
            layer->name, other->name, other->type.bits, other->name, other->type.bits - 1);
    lac_plan_tap second = {.kx = 1};
    second.record.OFFSET = lac_tap_offset(plan->layouts[layer->in[0]].base, plan->layouts[layer->in[1]].base);
    LAC_TRY(add_tap(step, layer, (lac_plan_tap){0}, err));
    return add_tap(step, layer, second, err);
}

/// The factors' words are counted by the engine, one a channel, from where the first tap points to; factors
/// of pixels are a map there.
static lac_status map_mul(const lac_plan *plan, lac_plan_step *step, lac_error *err) {
    const lac_int_layer *layer = layer_of(plan, step);
    lac_code_type type = plan->graph->tensors[layer->in[1]].type;
    lac_plan_tap factor = {0}, map = {.kx = 1};
    step->record.SCALE = 1;
    step->record.SCALE_EACH = lac_int_factors_are_of_pixels(plan->graph, layer);
    step->record.SCALE_SIGNED = type.is_signed;
    step->record.PAD_CODE = type.zero & 0xFF;
    factor.record.OFFSET = lac_tap_offset(plan->layouts[layer->in[0]].base, plan->layouts[layer->in[1]].base);
    LAC_TRY(add_tap(step, layer, factor, err));
    return add_tap(step, layer, map, err);
}

static lac_status map_max_pool(const lac_plan *plan, lac_plan_step *step, lac_error *err) {
    const lac_int_layer *layer = layer_of(plan, step);
    lac_code_type type = plan->graph->tensors[layer->in[0]].type;
    // Padding never wins against a code, because it is the smallest one.
    step->record.PAD_CODE = lac_code_min(type.bits, type.is_signed) & 0xFF;
    lac_plan_tap tap = {.record = {.DY = -layer->window.pad[0], .DX = -layer->window.pad[1]}};
    return add_tap(step, layer, tap, err);
}

/// Every lane sums its own tile; places outside the map read 0 and count for nothing.
static lac_status map_sum(const lac_plan *plan, lac_plan_step *step, lac_error *err) {
    const lac_int_layer *layer = layer_of(plan, step);
    const lac_int_tensor *in = &plan->graph->tensors[layer->in[0]];
    const lac_layout *layout = &plan->layouts[layer->in[0]];
    step->record.PAD_CODE = 0;
    step->record.REDUCE = 1;
    step->bias_shift = in->type.zero * (layer->window.kernel[0] * layer->window.kernel[1] - in->h * in->w);
    for (int y = 0; y < layout->tile_h; y++)
        for (int x = 0; x < layout->tile_w; x++)
            LAC_TRY(add_tap(step, layer, (lac_plan_tap){.record = {.DY = y, .DX = x}}, err));
    return LAC_OK;
}

static lac_status map_lanes(const lac_plan *plan, lac_plan_step *step, lac_error *err) {
    step->record.PAD_CODE = 0;
    step->record.REDUCE = 1;
    step->record.ORDER = LAC_ORDER_LANES;
    return add_tap(step, layer_of(plan, step), (lac_plan_tap){0}, err);
}

/// A whole-map pooling takes LAC_MAP_SUM while the taps of a tile suffice, else a list over all pixels.
static void settle_mapping(const lac_plan *plan, lac_plan_step *step) {
    const lac_int_layer *layer = layer_of(plan, step);
    const lac_int_tensor *in = &plan->graph->tensors[layer->in[0]];
    bool plain = layer->window.kernel[0] == in->h && layer->window.kernel[1] == in->w &&
                 layer->window.pad[0] == 0 && layer->window.pad[1] == 0;
    if (step->mapping == LAC_MAP_SUM && plain &&
        lac_layout_channel_words(&plan->layouts[layer->in[0]]) > LAC_MOST_TAPS)
        step->mapping = LAC_MAP_LANES;
}

static lac_status map_taps(const lac_plan *plan, lac_plan_step *step, lac_error *err) {
    const lac_int_layer *layer = layer_of(plan, step);
    const lac_int_tensor *in = &plan->graph->tensors[layer->in[0]];
    lac_layer_record *r = &step->record;
    r->ACT_SIGNED = in->type.is_signed;
    r->PAD_CODE = in->type.zero & 0xFF;
    settle_mapping(plan, step);
    if (step->mapping == LAC_MAP_SUM) return map_sum(plan, step, err);
    if (step->mapping == LAC_MAP_LANES) return map_lanes(plan, step, err);
    if (layer->kind == LAC_INT_ADD) return map_add(plan, step, err);
    if (layer->kind == LAC_INT_MUL) return map_mul(plan, step, err);
    if (layer->kind == LAC_INT_MAX_POOL) return map_max_pool(plan, step, err);
    if (layer->kind == LAC_INT_TABLE) return add_tap(step, layer, (lac_plan_tap){0}, err);
    LAC_TRY(map_window(plan, step, err));
    if (r->N_TAPS == 0) LAC_TRY(add_tap(step, layer, (lac_plan_tap){0}, err)); // all weights are zero
    // On one pixel only lane 0 is inside the map: summing the lanes sends one raw word instead of one a lane.
    bool one_tap = r->N_TAPS == 1 && step->taps[0].record.DY == 0 && step->taps[0].record.DX == 0;
    if (layer->raw && in->h == 1 && in->w == 1 && one_tap) {
        r->REDUCE = 1;
        r->PAD_CODE = 0;
    }
    return LAC_OK;
}

static lac_status map_geometry(const lac_plan *plan, lac_plan_step *step, lac_error *err) {
    lac_geometry y, x;
    LAC_TRY(lac_step_geometry(plan->graph, step, 0, &y, err));
    LAC_TRY(lac_step_geometry(plan->graph, step, 1, &x, err));
    const lac_layout *in = &plan->layouts[layer_of(plan, step)->in[0]];
    const lac_layout *out = &plan->layouts[step->out_tensor];
    lac_layer_record *r = &step->record;
    r->IN_TILE_H = in->tile_h;
    r->IN_TILE_W = in->tile_w;
    r->FULL_ROWS = y.in_size / in->tile_h;
    r->REM_ROWS = y.in_size % in->tile_h;
    r->FULL_COLS = x.in_size / in->tile_w;
    r->REM_COLS = x.in_size % in->tile_w;
    r->STRIDE_Y = y.stride;
    r->STRIDE_X = x.stride;
    r->IN_CHANNEL_WORDS = lac_layout_channel_words(in);
    r->OUT_TILE_H = out->tile_h;
    r->OUT_TILE_W = out->tile_w;
    r->POOL_H = y.pool;
    r->POOL_W = x.pool;
    r->POOL_STRIDE_Y = y.pool_stride;
    r->POOL_STRIDE_X = x.pool_stride;
    r->OUT_CHANNEL_WORDS = lac_layout_channel_words(out);
    r->IN_BASE = in->base;
    r->OUT_BASE = out->base == LAC_NOT_IN_MEMORY ? 0 : out->base;
    return LAC_OK;
}

const uint8_t *lac_plan_table(const lac_plan *plan, const lac_plan_step *step) {
    const lac_int_layer *layer = layer_of(plan, step);
    return step->table_layer < 0 ? layer->table : plan->graph->layers[step->table_layer].table;
}

static void map_results(const lac_plan *plan, lac_plan_step *step) {
    const lac_int_layer *layer = layer_of(plan, step);
    const lac_int_tensor *out = &plan->graph->tensors[layer->out];
    // What moves codes only leaves them as they are, up to a table.
    bool identity = lac_int_kind_moves_codes(layer->kind);
    lac_code_type type = layer->kind == LAC_INT_TABLE ? plan->graph->tensors[layer->in[0]].type : out->type;
    lac_layer_record *r = &step->record;
    r->N_OUT = out->c;
    r->RAW = layer->raw;
    if (layer->raw) return;
    r->OUT_SIGNED = plan->graph->tensors[step->out_tensor].type.is_signed;
    r->LO = identity ? lac_code_min(type.bits, type.is_signed) : layer->lo;
    r->HI = identity ? lac_code_max(type.bits, type.is_signed) : layer->hi;
    r->ZERO = identity ? 0 : out->type.zero;
    r->TABLE = lac_plan_table(plan, step) != NULL;
}

lac_status lac_pass_map(lac_plan *plan, lac_error *err) {
    for (int s = 0; s < plan->n_steps; s++) {
        lac_plan_step *step = &plan->steps[s];
        step->record.KIND = LAC_KIND_LAYER;
        step->record.ID = s;
        step->record.SPLIT_Y = plan->split_y;
        step->record.SPLIT_X = plan->split_x;
        LAC_TRY(map_geometry(plan, step, err));
        map_results(plan, step);
        LAC_TRY(map_taps(plan, step, err));
    }
    return LAC_OK;
}
