#include "list.h"
#include "vector_list.h"

#include <string.h>

// The program stream: layer record, taps, then header and list of every channel; at last the end.

static uint64_t *append(lac_plan *plan, size_t n_words) {
    if (plan->n_program + n_words > plan->program_capacity) {
        size_t capacity = 2 * plan->program_capacity + n_words + 64;
        uint64_t *larger = LAC_NEW_ARRAY(plan->arena, uint64_t, capacity);
        if (plan->n_program) memcpy(larger, plan->program, plan->n_program * sizeof *larger);
        plan->program = larger;
        plan->program_capacity = capacity;
    }
    uint64_t *words = plan->program + plan->n_program;
    plan->n_program += n_words;
    return words;
}

static lac_status encode_taps(lac_plan *plan, const lac_plan_step *step, const char *name, lac_error *err) {
    uint64_t *words = append(plan, ((size_t)step->record.N_TAPS + 1) / 2);
    for (int t = 0; t < step->record.N_TAPS; t++) {
        uint64_t word;
        LAC_TRY(lac_tap_pack(&step->taps[t].record, name, &word, err));
        words[t / 2] |= word << 32 * (t % 2);
    }
    return LAC_OK;
}

static void encode_table(lac_plan *plan, const lac_plan_step *step) {
    const uint8_t *table = lac_plan_table(plan, step);
    if (!table) return;
    uint64_t *words = append(plan, LAC_TABLE_CODES / 8);
    for (int i = 0; i < LAC_TABLE_CODES; i++) words[i / 8] |= (uint64_t)table[i] << (8 * (i % 8));
}

static lac_channel_record header_of(const lac_plan *plan, const lac_plan_step *step, int o) {
    const lac_int_layer *layer = &plan->graph->layers[step->layer];
    lac_channel_record header = {.M = LAC_IDENTITY_M, .S = LAC_IDENTITY_S};
    int per_group = step->record.N_OUT / lac_plan_groups(plan, step);
    header.NEXT_GROUP = o > 0 && o % per_group == 0;
    if (lac_int_kind_moves_codes(layer->kind)) return header;
    header.BIAS = layer->bias[o] + step->bias_shift;
    if (layer->raw) return header;
    header.M = layer->m[o];
    header.S = layer->s[o];
    return header;
}

/// List words, with headers that count them; the first of n_words were counted by the channel's own.
static lac_status encode_run(lac_plan *plan, const uint64_t *words, int n_words, int n_counted,
                             const char *name, lac_error *err) {
    memcpy(append(plan, (size_t)n_counted), words, (size_t)n_counted * sizeof *words);
    for (int at = n_counted; at < n_words;) {
        int left = n_words - at, n = left < LAC_VECTOR_LONGEST_RUN ? left : LAC_VECTOR_LONGEST_RUN;
        lac_channel_record more = {.RUN = n};
        LAC_TRY(lac_channel_pack(&more, name, append(plan, 1), err));
        memcpy(append(plan, (size_t)n), words + at, (size_t)n * sizeof *words);
        at += n;
    }
    return LAC_OK;
}

static lac_status encode_vector(lac_plan *plan, const lac_plan_step *step, lac_list_item *items,
                                lac_error *err) {
    const char *name = plan->graph->layers[step->layer].name;
    int n_out = step->record.N_OUT;
    lac_vector_list list = lac_vector_list_make(plan, step, items, plan->scratch);
    LAC_TRY(encode_run(plan, list.words, lac_vector_run(&list, n_out, -1), 0, name, err));
    for (int o = 0; o < n_out; o++) {
        lac_channel_record header = header_of(plan, step, o);
        int run = lac_vector_run(&list, n_out, o);
        header.RUN = run < LAC_VECTOR_LONGEST_RUN ? run : LAC_VECTOR_LONGEST_RUN;
        LAC_TRY(lac_channel_pack(&header, name, append(plan, 1), err));
        LAC_TRY(encode_run(plan, list.words + list.header_at[o], run, header.RUN, name, err));
    }
    return LAC_OK;
}

static lac_status encode_step(lac_plan *plan, const lac_plan_step *step, lac_error *err) {
    const char *name = plan->graph->layers[step->layer].name;
    LAC_TRY(lac_layer_pack(&step->record, name, append(plan, LAC_LAYER_RECORD_WORDS), err));
    LAC_TRY(encode_taps(plan, step, name, err));
    encode_table(plan, step);
    lac_list_format format = {lac_entry_bits(step->record.ENTRY_BITS), step->record.WEIGHT_BITS,
                              step->record.MINOR};
    lac_list_item *items = LAC_NEW_ARRAY(plan->scratch, lac_list_item, lac_plan_most_items(plan, step));
    if (step->record.ORDER == LAC_ORDER_VECTOR) return encode_vector(plan, step, items, err);
    int n_lists = step->record.STREAMED ? (int)lac_record_visits(&step->record) : 1;
    for (int o = 0; o < step->record.N_OUT; o++) {
        lac_channel_record header = header_of(plan, step, o);
        header.RUN = n_lists - 1;
        LAC_TRY(lac_channel_pack(&header, name, append(plan, 1), err));
        int n = lac_plan_channel_items(plan, step, o, items);
        size_t n_words = lac_list_measure(&format, items, n).n_words;
        for (int i = 0; i < n_lists; i++) lac_list_write(&format, items, n, append(plan, n_words));
    }
    return LAC_OK;
}

lac_status lac_pass_encode(lac_plan *plan, lac_error *err) {
    for (int s = 0; s < plan->n_steps; s++) LAC_TRY(encode_step(plan, &plan->steps[s], err));
    lac_layer_record end = {.KIND = LAC_KIND_END};
    uint64_t words[LAC_LAYER_RECORD_WORDS];
    LAC_TRY(lac_layer_pack(&end, "end of program", words, err));
    *append(plan, 1) = words[0];
    return LAC_OK;
}
