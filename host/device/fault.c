#include "fault.h"

#include "program_reader.h"

#include <string.h>

/// Where a fault goes.
typedef struct target {
    size_t word; ///< of the program
    size_t lsb;  ///< of the entry in it
    int weight_bits;
    bool is_digit;
    uint64_t n_entries; ///< of its channel
} target;

/// The first entry of a layer for the vector unit.
static lac_status read_vector(lac_program_reader *reader, target *best, lac_error *err) {
    lac_vector_piece piece;
    do {
        LAC_TRY(lac_program_next_piece(reader, &piece, err));
        for (int k = 0; piece.kind == LAC_PIECE_WORD && k < lac_entry_slots(reader->layer.ENTRY_BITS); k++)
            if (piece.entries[k].weight && best->n_entries++ == 0)
                *best = (target){.word = reader->at - 1,
                                 .lsb = (size_t)(k * lac_entry_bits(reader->layer.ENTRY_BITS)),
                                 .weight_bits = reader->layer.WEIGHT_BITS,
                                 .n_entries = 1};
    } while (piece.kind != LAC_PIECE_END);
    return LAC_OK;
}

/// Reads one list and keeps its first entry when it is the longest list so far: a channel with many weights
/// is one that matters.
static lac_status read_list(lac_program_reader *reader, target *best, lac_error *err) {
    target here = {.weight_bits = reader->layer.WEIGHT_BITS, .is_digit = reader->lane == LAC_LANE_DIGIT};
    lac_channel_record channel;
    lac_program_item item;
    LAC_TRY(lac_program_next_channel(reader, &channel, err));
    do {
        LAC_TRY(lac_program_next_item(reader, &item, err));
        if (item.kind == LAC_ITEM_ENTRY && here.n_entries++ == 0) {
            here.word = reader->at - 1;
            here.lsb = reader->n_bits - (size_t)lac_entry_bits(reader->layer.ENTRY_BITS);
        }
    } while (item.kind != LAC_ITEM_END);
    if (here.n_entries > best->n_entries) *best = here;
    return LAC_OK;
}

static lac_status find_target(const lac_image *image, int step, target *best, lac_error *err) {
    lac_program_reader reader = lac_program_read(&image->engine, image->program, image->n_program);
    for (int s = 0; s <= step; s++) {
        bool end;
        *best = (target){0};
        LAC_TRY(lac_program_next_layer(&reader, &end, err));
        bool is_vector = reader.layer.ORDER == LAC_ORDER_VECTOR;
        if (is_vector) LAC_TRY(read_vector(&reader, best, err));
        for (int o = 0; !is_vector && o < reader.layer.N_OUT; o++) LAC_TRY(read_list(&reader, best, err));
    }
    if (best->n_entries == 0)
        LAC_FAIL(err, LAC_E_USAGE, "fault in step %d '%s': it has no weights", step, image->steps[step].name);
    return LAC_OK;
}

/// Flips the sign bit of an entry, or the lowest bit where that would leave a zero, which is no entry. Of a
/// digit it flips the bit that makes 1 from -1 or 2 from -2 the other way round.
static void flip(const target *t, uint64_t *program) {
    if (t->is_digit) { // 001 <-> 111, 010 <-> 110
        program[t->word] ^= (uint64_t)(program[t->word] >> t->lsb & 1 ? 6 : 4) << t->lsb;
        return;
    }
    uint64_t sign = (uint64_t)1 << (t->weight_bits - 1), mask = 2 * sign - 1;
    uint64_t bit = (program[t->word] >> t->lsb & mask) == sign ? 1 : sign;
    program[t->word] ^= bit << t->lsb;
}

lac_status lac_image_with_fault(const lac_image *image, int step, lac_arena *arena, lac_image **out,
                                lac_error *err) {
    if (step < 0 || step >= image->n_steps)
        LAC_FAIL(err, LAC_E_USAGE, "fault in step %d: the image has %d", step, image->n_steps);
    target t;
    LAC_TRY(find_target(image, step, &t, err));
    lac_image faulty = *image;
    faulty.program = lac_arena_copy(arena, image->program, image->n_program * sizeof *image->program);
    flip(&t, faulty.program);
    uint8_t *bytes;
    size_t n_bytes;
    LAC_TRY(lac_image_serialize(&faulty, arena, &bytes, &n_bytes, err));
    if (lac_image_parse(bytes, n_bytes, "fault", arena, out, NULL) != LAC_OK)
        LAC_FAIL(err, LAC_E_USAGE, "fault in step %d '%s': its weights are not free; choose a convolution",
                 step, image->steps[step].name);
    return LAC_OK;
}
