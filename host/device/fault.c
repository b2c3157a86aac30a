#include "fault.h"

#include "program_reader.h"

#include <string.h>

/// Goes to the first entry of a step; false when the step has none.
static bool find_entry(lac_program_reader *reader, int step, lac_error *err, lac_status *status) {
    bool end = false;
    for (int s = 0; s <= step; s++) {
        *status = lac_program_next_layer(reader, &end, err);
        for (int o = 0; *status == LAC_OK && o < reader->layer.N_OUT; o++) {
            lac_channel_record channel;
            lac_program_item item = {.kind = LAC_ITEM_SKIP};
            *status = lac_program_next_channel(reader, &channel, err);
            while (*status == LAC_OK && item.kind != LAC_ITEM_END) {
                *status = lac_program_next_item(reader, &item, err);
                if (*status == LAC_OK && item.kind == LAC_ITEM_ENTRY && s == step) return true;
            }
        }
        if (*status != LAC_OK) return false;
    }
    return false;
}

/// Flips the sign bit of the entry that the reader has just passed, or the lowest bit where that would leave
/// a zero, which is no entry.
static void flip(const lac_program_reader *reader, uint64_t *program) {
    const lac_layer_record *r = &reader->layer;
    size_t lsb = reader->n_bits - (size_t)lac_entry_bits(r->ENTRY_BITS);
    uint64_t *word = &program[reader->at - 1];
    uint64_t sign = (uint64_t)1 << (r->WEIGHT_BITS - 1), mask = 2 * sign - 1;
    uint64_t bit = (*word >> lsb & mask) == sign ? 1 : sign;
    *word ^= bit << lsb;
}

lac_status lac_image_with_fault(const lac_image *image, int step, lac_arena *arena, lac_image **out,
                                lac_error *err) {
    if (step < 0 || step >= image->n_steps)
        LAC_FAIL(err, LAC_E_USAGE, "fault in step %d: the image has %d", step, image->n_steps);
    lac_program_reader reader = {.words = image->program, .n_words = image->n_program};
    lac_status status = LAC_OK;
    bool found = find_entry(&reader, step, err, &status);
    if (status != LAC_OK) return status;
    if (!found)
        LAC_FAIL(err, LAC_E_USAGE, "fault in step %d '%s': it has no weights", step, image->steps[step].name);
    lac_image faulty = *image;
    faulty.program = lac_arena_copy(arena, image->program, image->n_program * sizeof *image->program);
    flip(&reader, faulty.program);
    uint8_t *bytes;
    size_t n_bytes;
    LAC_TRY(lac_image_serialize(&faulty, arena, &bytes, &n_bytes, err));
    if (lac_image_parse(bytes, n_bytes, "fault", arena, out, NULL) != LAC_OK)
        LAC_FAIL(err, LAC_E_USAGE, "fault in step %d '%s': its weights are not free; choose a convolution",
                 step, image->steps[step].name);
    return LAC_OK;
}
