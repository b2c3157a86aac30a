#include "digits.h"
#include "list.h"
#include "step_cost.h"
#include "vector_list.h"

#include <string.h>

// The list format of every step: of those that need the fewest predicted cycles, or next to, the one with the
// fewest bytes.

enum { MOST_CANDIDATES = 12 };

typedef struct candidate {
    lac_layer_record record;
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
    if (order == LAC_ORDER_VECTOR) return lac_vector_fits(plan, step);
    if (step->mapping == LAC_MAP_LANES) return order == LAC_ORDER_LANES;
    if (order == LAC_ORDER_TAPS)
        return lac_plan_groups(plan, step) == 1 || minor_of(plan, step, LAC_ORDER_CHANNELS) == 1;
    return order == LAC_ORDER_CHANNELS;
}

static lac_list_format format_of(const lac_layer_record *record) {
    return (lac_list_format){lac_entry_bits(record->ENTRY_BITS), record->WEIGHT_BITS, record->MINOR};
}

static void measure_lists(const lac_plan *plan, const lac_plan_step *step, lac_list_item *items,
                          lac_channel_work *work) {
    lac_list_format format = format_of(&step->record);
    for (int o = 0; o < step->record.N_OUT; o++) {
        int n = lac_plan_channel_items(plan, step, o, items);
        lac_list_size size = lac_list_measure(&format, items, n);
        work[o] = (lac_channel_work){(uint32_t)size.n_entries, (uint32_t)size.n_nulls, (uint32_t)size.n_skips,
                                     (uint32_t)size.n_words};
    }
}

static lac_status measure_vector(const lac_plan *plan, const lac_plan_step *step, lac_list_item *items,
                                 lac_channel_work *work, lac_error *err) {
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "out of memory while compiling");
    lac_vector_list list = lac_vector_list_make(plan, step, items, arena);
    lac_vector_list_work(&list, step->record.N_OUT, work);
    lac_arena_close(arena);
    return LAC_OK;
}

/// Prices the step in the format that its record names.
static lac_status price(const lac_plan *plan, const lac_plan_step *step, lac_list_item *items,
                        lac_channel_work *work, candidate *c, lac_list_price *p, lac_error *err) {
    if (step->record.ORDER == LAC_ORDER_VECTOR)
        LAC_TRY(measure_vector(plan, step, items, work, err));
    else
        measure_lists(plan, step, items, work);
    p->n_words = 0;
    for (int o = 0; o < step->record.N_OUT; o++) p->n_words += work[o].n_words;
    lac_step_cost cost;
    lac_step_predict(&plan->engine, &step->record, work, &c->clock, plan->scratch, &cost);
    p->cycles = cost.total;
    c->record = step->record;
    return LAC_OK;
}

static void set_vector_format(const lac_plan *plan, lac_plan_step *step, int weight_bits) {
    lac_layer_record *r = &step->record;
    r->MINOR = lac_vector_rows(r->IN_BASE, lac_plan_positions(plan, step), lac_entry_slots(r->ENTRY_BITS));
    r->WEIGHT_BITS = weight_bits;
    r->REDUCE = 1;
    r->PAD_CODE = 0;
}

/// False where an entry has no room for the weight and a gap, or the vector unit too few slots for it.
static bool set_format(const lac_plan *plan, lac_plan_step *step, int order, int entry_bits_code,
                       int weight_bits) {
    bool is_vector = order == LAC_ORDER_VECTOR;
    step->record.ORDER = order;
    step->record.ENTRY_BITS = entry_bits_code;
    if (is_vector)
        set_vector_format(plan, step, weight_bits);
    else
        step->record.MINOR = minor_of(plan, step, order);
    return lac_entry_bits(entry_bits_code) > step->record.WEIGHT_BITS &&
           (!is_vector || lac_entry_slots(entry_bits_code) <= plan->engine.vector);
}

static lac_status choose(const lac_plan *plan, lac_plan_step *step, lac_list_item *items,
                         lac_channel_work *work, int weight_bits, lac_engine_clock *clock, lac_error *err) {
    candidate candidates[MOST_CANDIDATES];
    lac_list_price prices[MOST_CANDIDATES];
    const lac_layer_record mapped = step->record;
    int n = 0;
    for (int order = LAC_ORDER_CHANNELS; order <= LAC_ORDER_VECTOR; order++)
        for (int code = 0; code < 3; code++) {
            step->record = mapped;
            if (!order_is_legal(plan, step, order) || !set_format(plan, step, order, code, weight_bits))
                continue;
            candidates[n] = (candidate){.clock = *clock};
            LAC_TRY(price(plan, step, items, work, &candidates[n], &prices[n], err));
            n++;
        }
    const candidate *best = &candidates[lac_list_best(prices, n)];
    step->record = best->record;
    *clock = best->clock;
    return LAC_OK;
}

/// Widest weight and longest list of a step.
static void survey(const lac_plan *plan, const lac_plan_step *step, lac_list_item *items, int *weight_bits,
                   int *longest) {
    *weight_bits = 2;
    *longest = 0;
    for (int o = 0; o < step->record.N_OUT; o++) {
        int n = lac_plan_channel_items(plan, step, o, items);
        if (n > *longest) *longest = n;
        if (plan->engine.lane == LAC_LANE_DIGIT) n = lac_plan_channel_weights(plan, step, o, items);
        for (int i = 0; i < n; i++) {
            int bits = bits_of_weight(items[i].weight);
            if (bits > *weight_bits) *weight_bits = bits;
        }
    }
}

/// A list that is read only once leaves the memory while it comes in. One that is too long to be replayed
/// stands in the program once for every pixel.
static lac_status stream_if_long(const lac_plan *plan, lac_plan_step *step, int longest, lac_error *err) {
    uint64_t visits = lac_record_visits(&step->record);
    step->record.STREAMED = longest > plan->engine.list_words && visits > 1;
    if (step->record.STREAMED && visits > LAC_MOST_COPIES + 1)
        LAC_FAIL(
            err, LAC_E_CAPACITY,
            "layer '%s': the list of one channel has %d %s, the engine holds %d, and a lane has %llu pixels, "
            "more than the %d for which a list is repeated; prune more, raise LIST_WORDS or use a larger "
            "mesh",
            plan->graph->layers[step->layer].name, longest,
            plan->engine.lane == LAC_LANE_DIGIT ? "digits" : "weights", plan->engine.list_words,
            (unsigned long long)visits, LAC_MOST_COPIES + 1);
    return LAC_OK;
}

lac_status lac_pass_lists(lac_plan *plan, lac_error *err) {
    lac_engine_clock clock = {.drained = 0};
    for (int s = 0; s < plan->n_steps; s++) {
        lac_plan_step *step = &plan->steps[s];
        lac_list_item *items = LAC_NEW_ARRAY(plan->scratch, lac_list_item, lac_plan_most_items(plan, step));
        lac_channel_work *work = LAC_NEW_ARRAY(plan->scratch, lac_channel_work, step->record.N_OUT);
        int weight_bits, longest;
        survey(plan, step, items, &weight_bits, &longest);
        step->record.WEIGHT_BITS = plan->engine.lane == LAC_LANE_DIGIT ? LAC_DIGIT_BITS : weight_bits;
        LAC_TRY(stream_if_long(plan, step, longest, err));
        LAC_TRY(choose(plan, step, items, work, weight_bits, &clock, err));
    }
    return LAC_OK;
}
