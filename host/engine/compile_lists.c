#include "digits.h"
#include "list.h"
#include "step_cost.h"

#include <string.h>

// The list format of every step: of those that need the fewest predicted cycles, or next to, the one with the
// fewest bytes.

enum { MOST_CANDIDATES = 9 };

typedef struct candidate {
    int order, entry_bits_code;
    lac_engine_clock clock; ///< before the step, then after it: how far the decoder is ahead decides
} candidate;

static int bits_of_weight(int weight) {
    int bits = 2;
    while (weight < -(1 << (bits - 1)) || weight > (1 << (bits - 1)) - 1) bits++;
    return bits;
}

static int minor_of(const lac_plan *plan, const lac_plan_step *step, int order) {
    if (order == LAC_ORDER_LANES) return lac_plan_rows(plan) * lac_plan_cols(plan);
    if (order == LAC_ORDER_TAPS) return step->record.N_TAPS;
    return lac_plan_positions(plan, step) / step->record.N_TAPS;
}

/// The base moves on by one channel between groups when taps are the minor position.
static bool order_is_legal(const lac_plan *plan, const lac_plan_step *step, int order) {
    if (step->mapping == LAC_MAP_LANES) return order == LAC_ORDER_LANES;
    if (order == LAC_ORDER_TAPS)
        return lac_plan_groups(plan, step) == 1 || minor_of(plan, step, LAC_ORDER_CHANNELS) == 1;
    return order == LAC_ORDER_CHANNELS;
}

static lac_list_format format_of(const lac_layer_record *record) {
    return (lac_list_format){lac_entry_bits(record->ENTRY_BITS), record->WEIGHT_BITS, record->MINOR};
}

/// Prices the step in the format that its record names.
static void price(const lac_plan *plan, const lac_plan_step *step, lac_list_item *items,
                  lac_channel_work *work, candidate *c, lac_list_price *p) {
    lac_list_format format = format_of(&step->record);
    p->n_words = 0;
    for (int o = 0; o < step->record.N_OUT; o++) {
        int n = lac_plan_channel_items(plan, step, o, items);
        lac_list_size size = lac_list_measure(&format, items, n);
        work[o] = (lac_channel_work){(uint32_t)size.n_entries, (uint32_t)size.n_nulls, (uint32_t)size.n_skips,
                                     (uint32_t)size.n_words};
        p->n_words += size.n_words;
    }
    lac_step_cost cost;
    lac_step_predict(&plan->engine, &step->record, work, &c->clock, plan->scratch, &cost);
    p->cycles = cost.total;
}

static void set_format(const lac_plan *plan, lac_plan_step *step, int order, int entry_bits_code) {
    step->record.ORDER = order;
    step->record.MINOR = minor_of(plan, step, order);
    step->record.ENTRY_BITS = entry_bits_code;
}

static void choose(const lac_plan *plan, lac_plan_step *step, lac_list_item *items, lac_channel_work *work,
                   lac_engine_clock *clock) {
    candidate candidates[MOST_CANDIDATES];
    lac_list_price prices[MOST_CANDIDATES];
    int n = 0;
    for (int order = LAC_ORDER_CHANNELS; order <= LAC_ORDER_LANES; order++)
        for (int code = 0; code < 3; code++) {
            if (!order_is_legal(plan, step, order) || lac_entry_bits(code) <= step->record.WEIGHT_BITS)
                continue;
            set_format(plan, step, order, code);
            candidates[n] = (candidate){.order = order, .entry_bits_code = code, .clock = *clock};
            price(plan, step, items, work, &candidates[n], &prices[n]);
            n++;
        }
    const candidate *best = &candidates[lac_list_best(prices, n)];
    set_format(plan, step, best->order, best->entry_bits_code);
    *clock = best->clock;
}

/// Widest weight and longest list of a step.
static void survey(const lac_plan *plan, const lac_plan_step *step, lac_list_item *items, int *weight_bits,
                   int *longest) {
    *weight_bits = 2;
    *longest = 0;
    for (int o = 0; o < step->record.N_OUT; o++) {
        int n = lac_plan_channel_items(plan, step, o, items);
        if (n > *longest) *longest = n;
        if (plan->engine.lane == LAC_LANE_DIGIT) continue;
        for (int i = 0; i < n; i++) {
            int bits = bits_of_weight(items[i].weight);
            if (bits > *weight_bits) *weight_bits = bits;
        }
    }
}

lac_status lac_pass_lists(lac_plan *plan, lac_error *err) {
    lac_engine_clock clock = {.drained = 0};
    for (int s = 0; s < plan->n_steps; s++) {
        lac_plan_step *step = &plan->steps[s];
        lac_list_item *items = LAC_NEW_ARRAY(plan->scratch, lac_list_item, lac_plan_most_items(plan, step));
        lac_channel_work *work = LAC_NEW_ARRAY(plan->scratch, lac_channel_work, step->record.N_OUT);
        int longest;
        survey(plan, step, items, &step->record.WEIGHT_BITS, &longest);
        if (plan->engine.lane == LAC_LANE_DIGIT) step->record.WEIGHT_BITS = LAC_DIGIT_BITS;
        // A list that is read only once leaves the memory while it comes in.
        if (longest > plan->engine.list_words && lac_record_visits(&step->record) > 1)
            LAC_FAIL(
                err, LAC_E_CAPACITY,
                "layer '%s': the list of one channel has %d %s, the engine holds %d; prune more or raise "
                "LIST_WORDS",
                plan->graph->layers[step->layer].name, longest,
                plan->engine.lane == LAC_LANE_DIGIT ? "digits" : "weights", plan->engine.list_words);
        choose(plan, step, items, work, &clock);
    }
    return LAC_OK;
}
