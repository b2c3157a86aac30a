#include "cosim_vector.h"

#include "lac_contract.h"

#include <assert.h>

enum { MOST_SLOTS = 16, MOST_WORDS = 1 << 14, AHEAD = 24, LONGEST_RUN = 511 };

typedef struct weaver {
    const cosim_layer *l;
    int base, n_in, n_slots, rows, first_row;
    int at[MOST_SLOTS]; ///< channel * rows + row; -1 before the first entry
    uint64_t words[MOST_WORDS];
    int n_words;
    int header_at[MAX_COUT];
    int slow_slot, slow_percent; ///< stays so often
    lac_rng rng;
} weaver;

int cosim_vector_rows(const cosim_net *net, const cosim_layer *l) {
    const cosim_tensor *in = &net->tensors[l->in];
    int n_slots = 64 / l->entry_bits;
    return (in->base + in->c - 1) / n_slots - in->base / n_slots + 1;
}

/// Weight at a slot's position; 0 where a row holds no input, too.
static int weight_at(const weaver *v, int slot, int position) {
    int c = (v->first_row + position % v->rows) * v->n_slots + slot - v->base;
    return c < 0 || c >= v->n_in ? 0 : v->l->weights[position / v->rows * v->n_in + c];
}

/// Where a slot goes next: to its next weight, else to the last channel; nowhere when it is there.
static int target(const weaver *v, int slot) {
    int end = v->l->c_out * v->rows;
    for (int p = v->at[slot] + 1; p < end; p++)
        if (weight_at(v, slot, p)) return p;
    int last = end - v->rows;
    return v->at[slot] < last ? last : v->at[slot];
}

static int channel(const weaver *v, int position) {
    return position < 0 ? 0 : position / v->rows;
}

static int slowest(const weaver *v) {
    int least = v->l->c_out;
    for (int k = 0; k < v->n_slots; k++)
        if (channel(v, v->at[k]) < least) least = channel(v, v->at[k]);
    return least;
}

static uint64_t entry(weaver *v, int slot, int least) {
    const cosim_layer *l = v->l;
    int gaps = 1 << (l->entry_bits - l->weight_bits), to = target(v, slot), from = v->at[slot];
    uint64_t stay = (uint64_t)(gaps - 1) << l->weight_bits;
    int idle_percent = slot == v->slow_slot ? v->slow_percent : slot % 3 * 2;
    if (to == from || lac_rng_below(&v->rng, 100) < (uint32_t)idle_percent) return stay;
    int weight = weight_at(v, slot, to), most = weight ? gaps : gaps - 1;
    if (most > v->rows) most = v->rows;
    if (to - from > most || weight == 0) { // a skip: its gap is never all ones
        most = gaps - 1 < v->rows ? gaps - 1 : v->rows;
        to = to - from > most ? from + most : to;
        if (weight && to == target(v, slot)) to--;
        weight = 0;
    }
    if (channel(v, to) > least + AHEAD) return stay;
    v->at[slot] = to;
    return ((uint64_t)weight & ((1u << l->weight_bits) - 1)) | (uint64_t)(to - from - 1) << l->weight_bits;
}

static bool is_over(const weaver *v) {
    for (int k = 0; k < v->n_slots; k++)
        if (target(v, k) != v->at[k]) return false;
    return true;
}

/// A channel's header comes before the word that completes it, sometimes earlier.
static void weave(weaver *v) {
    int n_out = v->l->c_out, placed = 0;
    do {
        assert(v->n_words < MOST_WORDS);
        uint64_t word = 0;
        int least = slowest(v);
        for (int k = 0; k < v->n_slots; k++) word |= entry(v, k, least) << k * v->l->entry_bits;
        v->words[v->n_words] = word;
        for (; placed < slowest(v); placed++) v->header_at[placed] = v->n_words;
        v->n_words++;
    } while (!is_over(v));
    for (; placed < n_out; placed++) v->header_at[placed] = v->n_words - 1;
    for (int o = 0; o < n_out; o++) {
        int earliest = o ? v->header_at[o - 1] : 0, early = (int)lac_rng_below(&v->rng, 4);
        v->header_at[o] = v->header_at[o] - early > earliest ? v->header_at[o] - early : v->header_at[o];
    }
}

static void put_words(weaver *v, int begin, int end, cosim_program *program) {
    for (int i = begin; i < end; i++) program->words[program->n++] = v->words[i];
}

/// A run may be cut anywhere: the rest has a header that only counts.
static void put_run(weaver *v, uint64_t *header, int begin, int end, cosim_program *program) {
    int n = end - begin, counted = n < LONGEST_RUN ? n : LONGEST_RUN;
    if (n > 1 && lac_rng_below(&v->rng, 5) == 0) counted = 1;
    LAC_FIELD_SET(header, CHANNEL_RUN, counted);
    put_words(v, begin, begin + counted, program);
    if (counted == n) return;
    uint64_t *more = program->words + program->n++;
    put_run(v, more, begin + counted, end, program);
}

void cosim_encode_vector(const cosim_net *net, const cosim_layer *l, int id, cosim_program *program) {
    const cosim_tensor *in = &net->tensors[l->in];
    weaver *v = LAC_NEW(net->arena, weaver);
    *v = (weaver){.l = l, .base = in->base, .n_in = in->c, .n_slots = 64 / l->entry_bits};
    v->rows = cosim_vector_rows(net, l);
    v->first_row = in->base / v->n_slots;
    v->rng = lac_rng_make((uint64_t)(l->bias[0] + 4096), (uint64_t)id);
    v->slow_slot = (int)lac_rng_below(&v->rng, (uint32_t)v->n_slots);
    v->slow_percent = (int)lac_rng_below(&v->rng, 4) * 30;
    for (int k = 0; k < v->n_slots; k++) v->at[k] = -1;
    weave(v);
    if (v->header_at[0] > 0) {
        uint64_t *first = program->words + program->n++;
        put_run(v, first, 0, v->header_at[0], program);
    }
    for (int o = 0; o < l->c_out; o++) {
        uint64_t *header = program->words + program->n++;
        LAC_FIELD_SET(header, CHANNEL_BIAS, l->bias[o]);
        LAC_FIELD_SET(header, CHANNEL_M, l->m[o]);
        LAC_FIELD_SET(header, CHANNEL_S, l->s[o]);
        int end = o + 1 < l->c_out ? v->header_at[o + 1] : v->n_words;
        if (o + 1 == l->c_out) { // its run ends the layer, so nothing may follow
            LAC_FIELD_SET(header, CHANNEL_RUN, end - v->header_at[o]);
            put_words(v, v->header_at[o], end, program);
        } else if (end > v->header_at[o]) {
            put_run(v, header, v->header_at[o], end, program);
        }
    }
    program->n_list_words[id] = (uint64_t)v->n_words;
}
