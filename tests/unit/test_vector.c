#include "device.h"
#include "fault.h"
#include "graph_builder.h"
#include "program_reader.h"
#include "program_survey.h"
#include "ref.h"
#include "step_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Layers for the vector unit: what the compiler makes of them, read back and run by the model of the engine;
// and what a reader of programs says to lists that the unit could not take.

static lac_engine_config engine_with(int vector, int lane) {
    return (lac_engine_config){.mesh_x = 2,
                               .mesh_y = 2,
                               .drain = 2,
                               .acc_bits = 28,
                               .act_words = 4096,
                               .list_words = 1024,
                               .act_bits = 4,
                               .lane = lane,
                               .vector = vector};
}

static const lac_code_type codes = {.bits = 4, .scale = 1};

/// Fully connected layers of the given widths, ended by a 0; the last sends raw results.
static lac_int_graph *perceptron(lac_arena *arena, uint64_t seed, const int *widths, int weight_bits,
                                 int zero_percent) {
    builder b = builder_begin(arena, seed);
    int at = builder_input(&b, widths[0], 1, 1, codes);
    for (int i = 1; widths[i]; i++)
        at = builder_conv(&b, at,
                          (layer_options){.out_c = widths[i],
                                          .weight_bits = weight_bits,
                                          .zero_percent = zero_percent,
                                          .type = codes,
                                          .raw = widths[i + 1] == 0});
    return builder_end(&b, at);
}

static lac_image *compile(const lac_int_graph *graph, const lac_engine_config *engine, lac_arena *arena) {
    lac_image *image = NULL;
    lac_error err = {0};
    if (lac_compile(graph, engine, arena, &image, &err) != LAC_OK) fail_msg("%s", err.text);
    return image;
}

static void expect_reference(const lac_image *image, const char *device_name, uint64_t seed,
                             lac_step_cycles *cycles) {
    const lac_int_graph *g = image->graph;
    const lac_device_desc *device = lac_device_find(device_name);
    const lac_device_config config = {0};
    lac_arena *arena = lac_arena_open();
    lac_error err = {0};
    void *state = NULL;
    size_t n_out = lac_int_tensor_count(&g->tensors[g->output]);
    int32_t **values = reference_values(g, arena, seed), *out = LAC_NEW_ARRAY(arena, int32_t, n_out);
    if (device->open(image, &config, NULL, &state, &err) != LAC_OK) fail_msg("%s", err.text);
    if (device->run(state, values[g->input], out, NULL, cycles, &err) != LAC_OK) fail_msg("%s", err.text);
    assert_memory_equal(out, values[g->output], n_out * sizeof *out);
    device->close(state);
    lac_arena_close(arena);
}

static int n_vector_steps(const lac_image *image) {
    int n = 0;
    for (int s = 0; s < image->n_steps; s++) n += lac_image_record(image, s).ORDER == LAC_ORDER_VECTOR;
    return n;
}

static void layers_of_one_pixel_equal_the_reference(void **state) {
    (void)state;
    static const int vectors[] = {4, 8, 16}, zeros[] = {0, 50, 80, 95, 99, 100};
    static const int widths[][5] = {{100, 40, 33, 10}, {3, 5, 1}, {784, 64, 2}, {17, 300, 10}, {1, 1}};
    int n_on_it = 0;
    for (uint64_t seed = 0; seed < 90; seed++) {
        lac_arena *arena = lac_arena_open();
        const lac_engine_config engine = engine_with(vectors[seed % 3], (int)(seed / 3 % 2));
        int weight_bits = 2 + (int)(seed % 7);
        lac_int_graph *graph = perceptron(arena, seed, widths[seed % 5], weight_bits, zeros[seed % 6]);
        const lac_image *image = compile(graph, &engine, arena);
        expect_reference(image, "model", seed, NULL);
        n_on_it += n_vector_steps(image);
        lac_arena_close(arena);
    }
    assert_true(n_on_it > 100);
}

/// Long channels: one whose words a single header cannot count, and a single channel with as many.
static void runs_longer_than_a_header_counts_are_cut(void **state) {
    (void)state;
    static const int widths[][4] = {{4000, 2, 3}, {4000, 1}};
    for (uint64_t i = 0; i < 2; i++) {
        lac_arena *arena = lac_arena_open();
        const lac_engine_config engine = engine_with(4, LAC_LANE_MUL);
        const lac_image *image = compile(perceptron(arena, i, widths[i], 8, 0), &engine, arena);
        assert_int_equal(lac_image_record(image, 0).ORDER, LAC_ORDER_VECTOR);
        assert_true(lac_image_survey(image, arena)->work[0].n_words > LAC_VECTOR_LONGEST_RUN);
        expect_reference(image, "model", i, NULL);
        expect_reference(image, "hls", i, NULL);
        lac_arena_close(arena);
    }
}

/// In the first half of the channels slot 0 has more weights than the others, in the second half fewer: the
/// others run ahead as far as they may, and then wait.
static void uneven_slots_wait_for_each_other(void **state) {
    (void)state;
    enum { N_IN = 64, N_OUT = 200 };
    static const int widths[] = {N_IN, N_OUT, 0};
    lac_arena *arena = lac_arena_open();
    const lac_engine_config engine = engine_with(8, LAC_LANE_MUL);
    lac_int_graph *graph = perceptron(arena, 7, widths, 4, 0);
    for (int i = 0; i < N_IN * N_OUT; i++)
        graph->layers[0].w[i] = i % N_IN < 8 || (i % 8 == 0) == (i / N_IN < N_OUT / 2);
    const lac_image *image = compile(graph, &engine, arena);
    assert_int_equal(n_vector_steps(image), 1);
    expect_reference(image, "model", 7, NULL);
    // Without the limit the second half of the others would stand beside the first half of slot 0.
    const lac_channel_work *work = lac_image_survey(image, arena)->work;
    uint64_t n_words = 0;
    for (int o = 0; o < N_OUT; o++) n_words += work[o].n_words;
    assert_in_range(n_words, N_OUT * 8 - 8 * (LAC_VECTOR_AHEAD + 2), N_OUT * 9);
    lac_arena_close(arena);
}

/// One image of a split mesh, a map, groups, an engine without the unit: none of them goes there.
static void other_layers_stay_on_the_mesh(void **state) {
    (void)state;
    static const int widths[] = {100, 40, 10, 0};
    lac_arena *arena = lac_arena_open();
    lac_engine_config engine = engine_with(8, LAC_LANE_MUL);
    lac_image *image = NULL;
    lac_int_graph *graph = perceptron(arena, 3, widths, 4, 50);
    assert_int_equal(n_vector_steps(compile(graph, &engine, arena)), 2);
    assert_int_equal(lac_compile_batch(graph, &engine, 2, arena, &image, NULL), LAC_OK);
    assert_int_equal(n_vector_steps(image), 0);
    engine.vector = 0;
    assert_int_equal(n_vector_steps(compile(graph, &engine, arena)), 0);
    engine.vector = 4; // weights of 4 bits would need 16 slots, or 8, or have entries of 16 bits
    assert_int_equal(lac_image_record(compile(graph, &engine, arena), 0).ENTRY_BITS, 2);
    lac_arena_close(arena);
}

static void engines_with_other_numbers_of_multipliers_are_refused(void **state) {
    (void)state;
    const lac_engine_config engine = engine_with(5, LAC_LANE_MUL);
    lac_error err = {0};
    assert_int_equal(lac_engine_check(&engine, &err), LAC_E_RANGE);
    assert_non_null(strstr(err.text, "VECTOR is 5; 0, 4, 8 and 16 are possible"));
}

/// verify's own fault: a weight of other sign, in the image and in what the engine computes.
static void a_fault_changes_a_weight_and_the_result(void **state) {
    (void)state;
    static const int widths[] = {9, 3, 0};
    lac_arena *arena = lac_arena_open();
    const lac_engine_config engine = engine_with(8, LAC_LANE_DIGIT);
    const lac_image *image = compile(perceptron(arena, 1, widths, 4, 0), &engine, arena);
    lac_image *faulty = NULL;
    lac_error err = {0};
    assert_int_equal(lac_image_with_fault(image, 0, arena, &faulty, &err), LAC_OK);
    int n_changed = 0;
    for (int i = 0; i < 9 * 3; i++)
        n_changed += image->graph->layers[0].w[i] != faulty->graph->layers[0].w[i];
    assert_int_equal(n_changed, 1);
    expect_reference(faulty, "model", 2, NULL);
    lac_arena_close(arena);
}

// ---- broken programs --------------------------------------------------------------------------------------

enum { N_IN = 16, N_OUT = 60, ENTRY_BITS = 8, WEIGHT_BITS = 4 };

/// A layer by hand: 8 slots of two rows; the words and headers follow.
typedef struct draft {
    uint64_t words[400];
    size_t n;
} draft;

static void put_header(draft *d, int run, int shift) {
    lac_channel_record header = {.RUN = run, .S = shift, .M = 1};
    assert_int_equal(lac_channel_pack(&header, "layer", &d->words[d->n++], NULL), LAC_OK);
}

static void begin(draft *d) {
    *d = (draft){.n = LAC_LAYER_RECORD_WORDS + 1}; // a tap of zeros
    lac_layer_record r = {.KIND = LAC_KIND_LAYER, .ORDER = LAC_ORDER_VECTOR, .REDUCE = 1, .RAW = 1};
    r.ENTRY_BITS = 1;
    r.WEIGHT_BITS = WEIGHT_BITS;
    r.N_TAPS = r.IN_TILE_H = r.IN_TILE_W = r.OUT_TILE_H = r.OUT_TILE_W = r.POOL_H = r.POOL_W = 1;
    r.STRIDE_Y = r.STRIDE_X = r.POOL_STRIDE_Y = r.POOL_STRIDE_X = r.FULL_ROWS = r.FULL_COLS = 1;
    r.N_OUT = N_OUT;
    r.MINOR = N_IN / 8;
    assert_int_equal(lac_layer_pack(&r, "layer", d->words, NULL), LAC_OK);
}

/// A word whose first n slots move on by two rows, which is a channel, and whose others stay.
static uint64_t move(int n) {
    uint64_t word = 0;
    for (int k = 0; k < 8; k++) word |= (uint64_t)(k < n ? 0x11 : 0xF0) << ENTRY_BITS * k;
    return word;
}

static void expect(const draft *d, const char *sentence) {
    lac_program_reader reader = {.words = d->words, .n_words = d->n, .vector = 8};
    lac_vector_piece piece;
    lac_error err = {0};
    bool end;
    lac_status status = lac_program_next_layer(&reader, &end, &err);
    do
        if (status == LAC_OK) status = lac_program_next_piece(&reader, &piece, &err);
    while (status == LAC_OK && piece.kind != LAC_PIECE_END);
    assert_int_equal(status, sentence ? LAC_E_FORMAT : LAC_OK);
    if (sentence && !strstr(err.text, sentence)) fail_msg("'%s' is not in '%s'", sentence, err.text);
}

static void a_sound_list_is_read_to_its_end(void **state) {
    (void)state;
    draft d;
    begin(&d);
    for (int o = 0; o < N_OUT; o++) {
        put_header(&d, 1, 9);
        d.words[d.n++] = move(8);
    }
    expect(&d, NULL);
    d.n--; // the last word is missing
    expect(&d, "ends after");
}

static void lists_that_the_unit_cannot_take_are_told(void **state) {
    (void)state;
    draft d;
    begin(&d);
    put_header(&d, 3, 9);
    for (int i = 0; i < 3; i++) d.words[d.n++] = move(8);
    expect(&d, "completes channel 1, whose header comes later");
    begin(&d);
    put_header(&d, N_OUT, 9);
    for (int o = 0; o < N_OUT; o++) d.words[d.n++] = move(7); // slot 7 never goes on
    expect(&d, "is 25 channels ahead, over 24");
    begin(&d);
    for (int o = 0; o < N_OUT; o++) put_header(&d, o == N_OUT - 1, 9);
    expect(&d, "25 headers before channel 0 is complete");
    begin(&d);
    put_header(&d, 1, 9);
    d.words[d.n++] = move(8) ^ 0x70; // slot 0 moves on by more than its rows
    expect(&d, "over the 2 rows");
    begin(&d);
    put_header(&d, 0, 0);
    expect(&d, "a header counts no words");
    begin(&d);
    for (int o = 0; o < N_OUT; o++) {
        put_header(&d, o < N_OUT - 1 ? 1 : 2, 9);
        d.words[d.n++] = move(8);
    }
    d.words[d.n++] = move(8);
    expect(&d, "slot 0 leaves the last of 60 channels");
    begin(&d);
    for (int o = 0; o < N_OUT; o++) {
        put_header(&d, 1, 9);
        d.words[d.n++] = move(o < N_OUT - 2 ? 8 : 0);
    }
    expect(&d, "a layer ends with slots in channel 57 of 60");
}

static void a_record_for_more_slots_than_the_engine_has_makes_no_sense(void **state) {
    (void)state;
    draft d;
    begin(&d);
    lac_program_reader reader = {.words = d.words, .n_words = d.n, .vector = 4};
    bool end;
    lac_error err = {0};
    assert_int_equal(lac_program_next_layer(&reader, &end, &err), LAC_E_FORMAT);
    assert_non_null(strstr(err.text, "makes no sense"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_of_one_pixel_equal_the_reference),
        cmocka_unit_test(runs_longer_than_a_header_counts_are_cut),
        cmocka_unit_test(uneven_slots_wait_for_each_other),
        cmocka_unit_test(other_layers_stay_on_the_mesh),
        cmocka_unit_test(engines_with_other_numbers_of_multipliers_are_refused),
        cmocka_unit_test(a_fault_changes_a_weight_and_the_result),
        cmocka_unit_test(a_sound_list_is_read_to_its_end),
        cmocka_unit_test(lists_that_the_unit_cannot_take_are_told),
        cmocka_unit_test(a_record_for_more_slots_than_the_engine_has_makes_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
