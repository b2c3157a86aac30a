#include "digits.h"
#include "plan.h"

// The non-zero weights of an output channel, as list positions; for DIGIT lanes their digits, plane by plane.

static const lac_int_layer *layer_of(const lac_plan *plan, const lac_plan_step *step) {
    return &plan->graph->layers[step->layer];
}

int lac_plan_groups(const lac_plan *plan, const lac_plan_step *step) {
    const lac_int_layer *layer = layer_of(plan, step);
    if (step->mapping == LAC_MAP_LANES) return 1;
    return layer->kind == LAC_INT_CONV2D ? layer->window.groups : plan->graph->tensors[layer->out].c;
}

static int channels_per_group(const lac_plan *plan, const lac_plan_step *step) {
    const lac_int_layer *layer = layer_of(plan, step);
    return layer->kind == LAC_INT_CONV2D ? plan->graph->tensors[layer->in[0]].c / layer->window.groups : 1;
}

int lac_plan_positions(const lac_plan *plan, const lac_plan_step *step) {
    if (step->mapping != LAC_MAP_LANES) return step->record.N_TAPS * channels_per_group(plan, step);
    const lac_int_tensor *in = &plan->graph->tensors[layer_of(plan, step)->in[0]];
    return in->c * in->h * in->w;
}

static int weight_at(const lac_int_layer *layer, int o, int c, int n_channels, int tap_index,
                     const lac_plan_tap *tap) {
    const int *kernel = layer->window.kernel;
    switch (layer->kind) {
    case LAC_INT_CONV2D:
        return layer->w[((o * n_channels + c) * kernel[0] + tap->ky) * kernel[1] + tap->kx];
    case LAC_INT_ADD:
        return layer->add_w[tap_index];
    default:
        return 1;
    }
}

/// Weight that the window, standing at the origin, has for pixel (y,x) of channel c; 0 where it has none.
static int weight_of_pixel(const lac_plan *plan, const lac_int_layer *layer, int o, int c, int y, int x) {
    const lac_window *w = &layer->window;
    if (y % w->dilation[0] || x % w->dilation[1]) return 0;
    lac_plan_tap tap = {.ky = y / w->dilation[0], .kx = x / w->dilation[1]};
    if (tap.ky >= w->kernel[0] || tap.kx >= w->kernel[1]) return 0;
    if (layer->kind != LAC_INT_CONV2D) return c == o;
    int n_channels = plan->graph->tensors[layer->in[0]].c / w->groups;
    int first = o / (plan->graph->tensors[layer->out].c / w->groups) * n_channels;
    if (c < first || c >= first + n_channels) return 0;
    return weight_at(layer, o, c - first, n_channels, 0, &tap);
}

static int lane_items(const lac_plan *plan, const lac_int_layer *layer, int o, lac_list_item *items) {
    const lac_int_tensor *in = &plan->graph->tensors[layer->in[0]];
    const lac_layout *layout = &plan->layouts[layer->in[0]];
    int cols = lac_plan_cols(plan), lanes = lac_plan_rows(plan) * cols, n = 0;
    for (int word = 0; word < in->c * lac_layout_channel_words(layout); word++)
        for (int lane = 0; lane < lanes; lane++) {
            int c = word / lac_layout_channel_words(layout);
            int y = lane / cols * layout->tile_h + word / layout->tile_w % layout->tile_h;
            int x = lane % cols * layout->tile_w + word % layout->tile_w;
            if (y >= in->h || x >= in->w) continue;
            int weight = weight_of_pixel(plan, layer, o, c, y, x);
            if (weight)
                items[n++] = (lac_list_item){.position = (int64_t)word * lanes + lane, .weight = weight};
        }
    return n;
}

int lac_plan_channel_weights(const lac_plan *plan, const lac_plan_step *step, int o, lac_list_item *items) {
    const lac_int_layer *layer = layer_of(plan, step);
    if (step->mapping == LAC_MAP_LANES) return lane_items(plan, layer, o, items);
    int n_channels = channels_per_group(plan, step), n_taps = step->record.N_TAPS, n = 0;
    bool by_tap = step->record.ORDER == LAC_ORDER_TAPS;
    for (int position = 0; position < n_channels * n_taps; position++) {
        int tap = by_tap ? position % n_taps : position / n_channels;
        int c = by_tap ? position / n_taps : position % n_channels;
        int weight = weight_at(layer, o, c, n_channels, tap, &step->taps[tap]);
        if (weight) items[n++] = (lac_list_item){.position = position, .weight = weight};
    }
    return n;
}

// ---- digits -----------------------------------------------------------------------------------------------

int lac_plan_most_items(const lac_plan *plan, const lac_plan_step *step) {
    int n = lac_plan_positions(plan, step);
    // The weights stand behind the room for their digits.
    return plan->engine.lane == LAC_LANE_DIGIT ? (LAC_MOST_PLANES + 1) * n + LAC_MOST_PLANES : n;
}

static int planes_of(const lac_list_item *weights, int n) {
    int most = 0;
    for (int i = 0; i < n; i++) {
        int8_t digits[LAC_MOST_PLANES];
        int planes = lac_digits_of(weights[i].weight, digits);
        if (planes > most) most = planes;
    }
    return most;
}

/// The digits of one plane, or an item without weight when it has none.
static int plane_items(const lac_list_item *weights, int n_weights, int power, int plane,
                       lac_list_item *items) {
    int n = 0;
    for (int i = 0; i < n_weights; i++) {
        int8_t digits[LAC_MOST_PLANES];
        lac_digits_of(weights[i].weight, digits);
        if (digits[power])
            items[n++] =
                (lac_list_item){.position = weights[i].position, .weight = digits[power], .plane = plane};
    }
    if (n == 0) items[n++] = (lac_list_item){.plane = plane};
    return n;
}

/// A factor has a digit for each plane, whatever it will be; the first entry is the factor itself.
static int factor_items(lac_list_item *items) {
    int n = 0;
    items[n++] = (lac_list_item){.position = 0, .weight = 1};
    for (int p = 0; p < LAC_MOST_PLANES; p++)
        items[n++] = (lac_list_item){.position = 1, .weight = 1, .plane = p};
    return n;
}

int lac_plan_channel_items(const lac_plan *plan, const lac_plan_step *step, int o, lac_list_item *items) {
    if (plan->engine.lane != LAC_LANE_DIGIT) return lac_plan_channel_weights(plan, step, o, items);
    if (step->record.SCALE) return factor_items(items);
    lac_list_item *weights = items + lac_plan_most_items(plan, step) - lac_plan_positions(plan, step);
    int n_weights = lac_plan_channel_weights(plan, step, o, weights), n = 0;
    int n_planes = planes_of(weights, n_weights);
    for (int p = 0; p < n_planes; p++) n += plane_items(weights, n_weights, n_planes - 1 - p, p, items + n);
    return n;
}
