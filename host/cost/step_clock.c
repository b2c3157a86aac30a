#include "step_clock.h"

#include "lac_contract.h"

// A prediction at the grain of channels. The constants are the lengths of the engine's pipelines; test_cost
// holds the whole against the RTL.

enum {
    PARSE_CYCLES = 3,      ///< from the decoder's end to the next layer record
    DECODE_CYCLES = 8,     ///< from a list word in the parser to its entry at the issue point
    TAKE_CYCLES = 1,       ///< from the end of a step to the next one's first issue
    HEADERS_AHEAD = 32,    ///< channel headers that wait for the drain
    LANE_CYCLES = 9,       ///< from the issue of a last entry to its sum at the drain
    REQUANTIZE_CYCLES = 6, ///< from there to the write
    TABLE_CYCLES = 1,      ///< more, on engines that have tables
    TABLE_LOAD = 64,       ///< to take a table from the program
    SUM_CYCLES = 2,        ///< more, when lanes are summed
    VECTOR_START = 2,      ///< from the end of a step to the vector unit's first word
    VECTOR_CYCLES = 8,     ///< from its last word to the sum at the drain
};

static uint64_t later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/// Cycles from one pixel to the next that the drain enforces.
static uint64_t drain_pace(const lac_step_engine *engine, const lac_step_shape *s) {
    return s->raw && !s->reduce ? engine->lanes + LANE_CYCLES + 1 : engine->lanes / engine->drain;
}

static uint64_t requantize_cycles(const lac_step_engine *engine, const lac_step_shape *s) {
    return s->raw ? 0 : REQUANTIZE_CYCLES + (engine->has_tables ? TABLE_CYCLES : 0);
}

/// Cycles from the issue of a step's last entry to the end of the step.
static uint64_t flush_cycles(const lac_step_engine *engine, const lac_step_shape *s) {
    uint64_t walk = s->raw && !s->reduce ? engine->lanes : engine->lanes / engine->drain;
    return LANE_CYCLES + walk + (s->reduce ? SUM_CYCLES : 0) + requantize_cycles(engine, s);
}

/// Lists so far: how many entries they have, when they were finished.
typedef struct history {
    const lac_channel_work *work;
    uint64_t copies;    ///< lists of a channel, one after the other: 1, or of a streamed step the visits
    uint64_t *end;      ///< [list]
    uint64_t n_decoded; ///< entries of all lists up to the one in hand
    uint64_t n_freed;   ///< entries of lists before `oldest`
    uint64_t oldest;
} history;

static uint64_t entries_of(const lac_channel_work *work) {
    uint64_t n = (uint64_t)work->n_entries + work->n_nulls;
    return n ? n : 1;
}

static uint64_t entries_in(const history *h, uint64_t list) {
    return entries_of(&h->work[list / h->copies]);
}

/// When list memory has room for the last entry of a list. A list frees its entries one by one in its last
/// pass.
static uint64_t room_at(history *h, uint64_t list, uint64_t list_words) {
    h->n_decoded += entries_in(h, list);
    if (h->n_decoded <= list_words) return 0;
    uint64_t must_go = h->n_decoded - list_words;
    while (h->oldest < list && h->n_freed + entries_in(h, h->oldest) < must_go)
        h->n_freed += entries_in(h, h->oldest++);
    if (h->oldest >= list) return 0; // its own entries leave while they are decoded
    return h->end[h->oldest] - entries_in(h, h->oldest) + (must_go - h->n_freed);
}

/// Slots that the decoder works through, or words that the parser takes, whichever is more.
static uint64_t decode_cycles(const lac_channel_work *work, bool has_header) {
    uint64_t slots = (uint64_t)work->n_entries + work->n_nulls + work->n_skips;
    return later(slots, (has_header ? 1 : 0) + (uint64_t)work->n_words);
}

/// The vector unit takes a word a cycle, headers included, as soon as the step before is over.
static void vector_time(const lac_step_engine *engine, const lac_step_shape *shape,
                        const lac_channel_work *work, uint64_t parsed, lac_engine_clock *clock,
                        lac_step_cost *cost) {
    uint64_t start = clock->drained, n_words = 0, n_headers = (uint64_t)shape->n_out;
    for (int o = 0; o < shape->n_out; o++) n_words += work[o].n_words;
    // The first header is there before.
    uint64_t last_word = later(start + VECTOR_START, parsed) + n_words + n_headers - 1;
    uint64_t flush = VECTOR_CYCLES + requantize_cycles(engine, shape);
    clock->taken = start;
    clock->decoded = last_word;
    clock->drained = last_word + flush;
    cost->total = clock->drained - start;
    cost->mesh = n_words;
    cost->drain = 0;
    cost->other = flush + (start ? VECTOR_START : 0);
    cost->starved = cost->total - cost->mesh - cost->other;
}

void lac_step_time(const lac_step_engine *engine, const lac_step_shape *shape, const lac_channel_work *work,
                   lac_engine_clock *clock, lac_arena *scratch, lac_step_cost *cost) {
    uint64_t start = clock->drained, copies = shape->streamed ? shape->visits : 1;
    uint64_t n_lists = (uint64_t)shape->n_out * copies, passes = shape->visits / copies;
    uint64_t pace = drain_pace(engine, shape);
    history h = {.work = work, .copies = copies, .end = LAC_NEW_ARRAY(scratch, uint64_t, n_lists)};
    uint64_t decoded = later(clock->decoded, clock->taken) + PARSE_CYCLES + LAC_LAYER_WORDS +
                       (uint64_t)(shape->n_taps + 1) / 2 + (shape->table ? TABLE_LOAD : 0);
    if (shape->vector) {
        vector_time(engine, shape, work, decoded, clock, cost);
        return;
    }
    uint64_t before = start + (start ? TAKE_CYCLES : 0), n_compute = 0, n_drain = 0, n_empty = 0;
    // The first result of a step finds the drain free.
    uint64_t unpaced = later(entries_of(&work[0]), pace) - entries_of(&work[0]);
    for (uint64_t i = 0; i < n_lists; i++) {
        const lac_channel_work *list = &work[i / copies];
        uint64_t n = entries_of(list), each = later(n, pace), ahead = HEADERS_AHEAD * copies;
        bool has_header = i % copies == 0;
        if (has_header && i >= ahead) decoded = later(decoded, h.end[i - ahead + copies - 1] + LANE_CYCLES);
        decoded = later(decoded + decode_cycles(list, has_header), room_at(&h, i, engine->list_words));
        // The first pass follows the decoder entry by entry; the others have the list.
        uint64_t first_pass = later(before + each - (i ? 0 : unpaced), decoded + DECODE_CYCLES);
        h.end[i] = before = first_pass + (passes - 1) * each;
        n_compute += passes * list->n_entries;
        n_drain += passes * (each - n);
        n_empty += passes * (n - list->n_entries); // nulls; a channel without weights
    }
    clock->taken = start;
    clock->decoded = decoded;
    clock->drained = before + flush_cycles(engine, shape);
    cost->total = clock->drained - start;
    cost->mesh = n_compute;
    cost->other = flush_cycles(engine, shape) + (start ? TAKE_CYCLES : 0) + n_empty;
    uint64_t rest = cost->total - cost->mesh - cost->other;
    cost->drain = n_drain < rest ? n_drain : rest;
    cost->starved = rest - cost->drain;
}
