#include "vector_list.h"

#include <assert.h>
#include <string.h>

bool lac_vector_fits(const lac_plan *plan, const lac_plan_step *step) {
    const lac_int_layer *layer = &plan->graph->layers[step->layer];
    const lac_int_tensor *in = &plan->graph->tensors[layer->in[0]];
    const lac_layer_record *r = &step->record;
    const lac_tap_record *tap = &step->taps[0].record;
    return plan->engine.vector && plan->split_y == 0 && plan->split_x == 0 && layer->kind == LAC_INT_CONV2D &&
           layer->window.groups == 1 && step->mapping == LAC_MAP_TILES && in->h == 1 && in->w == 1 &&
           r->OUT_TILE_H == 1 && r->OUT_TILE_W == 1 && r->POOL_H == 1 && r->POOL_W == 1 && r->N_TAPS == 1 &&
           tap->DY == 0 && tap->DX == 0;
}

// ---- the slots' own lists ---------------------------------------------------------------------------------

/// An entry of one slot: its bits, and the channel that the slot is in with it.
typedef struct slot_entry {
    uint16_t bits;
    uint16_t channel;
} slot_entry;

typedef struct slot_list {
    slot_entry *entries;
    int n, room;
    int64_t at; ///< position: channel * rows + row
} slot_list;

typedef struct maker {
    lac_arena *arena;
    int n_slots, rows, weight_bits, gap_bits;
    slot_list slots[LAC_MOST_SLOTS];
} maker;

static void put(maker *m, slot_list *slot, int weight, int64_t advance) {
    if (slot->n == slot->room) {
        int room = 2 * slot->room + 256;
        slot_entry *larger = LAC_NEW_ARRAY(m->arena, slot_entry, room);
        if (slot->n) memcpy(larger, slot->entries, (size_t)slot->n * sizeof *larger);
        slot->entries = larger;
        slot->room = room;
    }
    slot->at += advance;
    slot->entries[slot->n++] = (slot_entry){
        .bits = (uint16_t)((weight & ((1 << m->weight_bits) - 1)) | (int)(advance - 1) << m->weight_bits),
        .channel = (uint16_t)(slot->at / m->rows)};
}

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/// Skips until the position is at most `reach` away.
static void approach(maker *m, slot_list *slot, int64_t position, int64_t reach) {
    int64_t skip = smaller(((int64_t)1 << m->gap_bits) - 1, m->rows);
    while (position - slot->at > reach)
        put(m, slot, 0, smaller(skip, reach ? position - slot->at - 1 : position - slot->at));
}

static void put_weight(maker *m, slot_list *slot, int64_t position, int weight) {
    approach(m, slot, position, smaller((int64_t)1 << m->gap_bits, m->rows));
    put(m, slot, weight, position - slot->at);
}

static void fill_slots(maker *m, const lac_plan *plan, const lac_plan_step *step, lac_list_item *items) {
    int base = step->record.IN_BASE, first_row = base / m->n_slots, n_out = step->record.N_OUT;
    for (int k = 0; k < m->n_slots; k++) m->slots[k].at = -1;
    for (int o = 0; o < n_out; o++) {
        int n = lac_plan_channel_weights(plan, step, o, items);
        for (int i = 0; i < n; i++) {
            int word = base + (int)items[i].position;
            put_weight(m, &m->slots[word % m->n_slots], (int64_t)o * m->rows + word / m->n_slots - first_row,
                       items[i].weight);
        }
    }
    // The last channel is over when every slot has come to it.
    for (int k = 0; k < m->n_slots; k++) approach(m, &m->slots[k], (int64_t)(n_out - 1) * m->rows, 0);
}

// ---- their common words -----------------------------------------------------------------------------------

typedef struct progress {
    int next[LAC_MOST_SLOTS];    ///< entry of each slot
    int channel[LAC_MOST_SLOTS]; ///< that it is in
} progress;

static int least_channel(const maker *m, const progress *p) {
    int least = p->channel[0];
    for (int k = 1; k < m->n_slots; k++)
        if (p->channel[k] < least) least = p->channel[k];
    return least;
}

static bool all_done(const maker *m, const progress *p) {
    for (int k = 0; k < m->n_slots; k++)
        if (p->next[k] < m->slots[k].n) return false;
    return true;
}

/// A word with the next entry of every slot that is not too far ahead.
static uint64_t next_word(const maker *m, progress *p) {
    uint64_t word = 0, stay = (uint64_t)((1 << m->gap_bits) - 1) << m->weight_bits;
    int entry_bits = m->gap_bits + m->weight_bits, least = least_channel(m, p);
    for (int k = 0; k < m->n_slots; k++) {
        const slot_list *slot = &m->slots[k];
        bool goes = p->next[k] < slot->n && slot->entries[p->next[k]].channel <= least + LAC_VECTOR_AHEAD;
        uint64_t bits = stay;
        if (goes) {
            bits = slot->entries[p->next[k]].bits;
            p->channel[k] = slot->entries[p->next[k]++].channel;
        }
        word |= bits << k * entry_bits;
    }
    return word;
}

static int longest_slot(const maker *m) {
    int longest = 1;
    for (int k = 0; k < m->n_slots; k++)
        if (m->slots[k].n > longest) longest = m->slots[k].n;
    return longest;
}

static void weave(maker *m, int n_out, lac_vector_list *list) {
    progress p = {{0}, {0}};
    int room = 0;
    do {
        if (list->n_words == room) {
            room = room ? 2 * room : longest_slot(m) + longest_slot(m) / 8 + 1;
            uint64_t *larger = LAC_NEW_ARRAY(m->arena, uint64_t, room);
            if (list->n_words) memcpy(larger, list->words, (size_t)list->n_words * sizeof *larger);
            list->words = larger;
        }
        int done = least_channel(m, &p);
        list->words[list->n_words] = next_word(m, &p);
        // A channel's header stands before the word that completes it.
        for (int o = done; o < least_channel(m, &p); o++) list->header_at[o] = list->n_words;
        list->n_words++;
    } while (!all_done(m, &p));
    list->header_at[n_out - 1] = list->n_words - 1;
    if (n_out > 1) list->header_at[0] = 0;
}

lac_vector_list lac_vector_list_make(const lac_plan *plan, const lac_plan_step *step, lac_list_item *items,
                                     lac_arena *arena) {
    const lac_layer_record *r = &step->record;
    maker m = {.arena = arena,
               .n_slots = lac_entry_slots(r->ENTRY_BITS),
               .rows = r->MINOR,
               .weight_bits = r->WEIGHT_BITS,
               .gap_bits = lac_entry_bits(r->ENTRY_BITS) - r->WEIGHT_BITS};
    assert(m.rows > 0);
    lac_vector_list list = {.header_at = LAC_NEW_ARRAY(arena, int, r->N_OUT)};
    fill_slots(&m, plan, step, items);
    weave(&m, r->N_OUT, &list);
    return list;
}

void lac_vector_list_work(const lac_vector_list *list, int n_out, lac_channel_work *work) {
    enum { LONGEST = LAC_VECTOR_LONGEST_RUN };
    for (int o = 0; o < n_out; o++) {
        // A header counts the first words; the others need headers that do nothing else.
        int run = lac_vector_run(list, n_out, o), more = run > LONGEST ? (run - 1) / LONGEST : 0;
        work[o] = (lac_channel_work){.n_words = (uint32_t)(run + more)};
    }
    int before = lac_vector_run(list, n_out, -1);
    work[0].n_words += (uint32_t)(before + (before + LONGEST - 1) / LONGEST);
}
