#include "file.h"
#include "graph_builder.h"
#include "image_equal.h"
#include "image_format.h"
#include "layout.h"
#include "program_survey.h"
#include "stream_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

typedef struct fixture {
    lac_arena *arena;
    lac_image *image;
    uint8_t *bytes;
    size_t n;
} fixture;

static const lac_engine_config engine = {
    .mesh_x = 2, .mesh_y = 2, .drain = 2, .acc_bits = 24, .act_words = 512, .list_words = 256};

/// A small image with every kind of step.
static lac_int_graph *small_graph(lac_arena *arena) {
    builder b = builder_begin(arena, 4);
    lac_code_type type = {.bits = 4, .scale = 0.5};
    int in = builder_input(&b, 1, 4, 4, (lac_code_type){.bits = 8, .zero = 7, .scale = 1});
    int a = builder_conv(
        &b, in, (layer_options){.out_c = 2, .window = WINDOW(3, 1, 1), .zero_percent = 60, .type = type});
    int c = builder_max_pool(&b, a, WINDOW(3, 1, 1));
    int d = builder_add(&b, a, c, type);
    const int parts[2] = {d, c};
    int e = builder_concat(&b, parts, 2);
    int f = builder_avg_pool(&b, e, (layer_options){.window = WINDOW(2, 2, 0), .type = type});
    int g = builder_conv(&b, f, (layer_options){.out_c = 3, .window = WINDOW(2, 1, 0), .raw = true});
    return builder_end(&b, g);
}

static int setup(void **state) {
    lac_arena *arena = lac_arena_open();
    fixture *f = LAC_NEW(arena, fixture);
    f->arena = arena;
    lac_error err = {0};
    if (lac_compile(small_graph(arena), &engine, arena, &f->image, &err) != LAC_OK ||
        lac_image_serialize(f->image, arena, &f->bytes, &f->n, &err) != LAC_OK) {
        printf("%s\n", err.text);
        return 1;
    }
    *state = f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    lac_arena_close(f->arena);
    return 0;
}

static lac_status parse(const uint8_t *bytes, size_t n, lac_error *err) {
    lac_arena *arena = lac_arena_open();
    lac_image *image = NULL;
    lac_status status = lac_image_parse(bytes, n, "test.lac", arena, &image, err);
    lac_arena_close(arena);
    return status;
}

static void what_is_written_is_what_is_read(void **state) {
    fixture *f = *state;
    lac_error err = {0};
    lac_image *again = NULL;
    f->image->meta = LAC_NEW_ARRAY(f->arena, lac_meta, 1);
    f->image->meta[0] = (lac_meta){"lacuna.test", "yes"};
    f->image->n_meta = 1;
    const char *path = LAC_BINARY_DIR "/test_image.lac";
    assert_int_equal(lac_image_write(f->image, path, &err), LAC_OK);
    assert_int_equal(lac_image_read(path, f->arena, &again, &err), LAC_OK);
    remove(path);
    assert_int_equal(lac_int_graph_equal(f->image->graph, again->graph, &err), LAC_OK);
    assert_int_equal(again->n_program, f->image->n_program);
    assert_memory_equal(again->program, f->image->program, 8 * again->n_program);
    assert_memory_equal(again->layouts, f->image->layouts,
                        sizeof(lac_layout) * (size_t)again->graph->n_tensors);
    assert_int_equal(again->n_steps, f->image->n_steps);
    for (int s = 0; s < again->n_steps; s++) {
        assert_string_equal(again->steps[s].name, f->image->steps[s].name);
        assert_int_equal(again->steps[s].n_entries, f->image->steps[s].n_entries);
        assert_int_equal(again->steps[s].ideal_cycles, f->image->steps[s].ideal_cycles);
        assert_int_equal(again->steps[s].out_tensor, f->image->steps[s].out_tensor);
    }
    assert_int_equal(again->n_meta, 1);
    assert_string_equal(again->meta[0].text, "yes");
    f->image->n_meta = 0;
}

static void compiling_twice_gives_the_same_bytes(void **state) {
    fixture *f = *state;
    lac_error err = {0};
    lac_image *again = NULL;
    uint8_t *bytes;
    size_t n;
    assert_int_equal(lac_compile(small_graph(f->arena), &engine, f->arena, &again, &err), LAC_OK);
    assert_int_equal(lac_image_serialize(again, f->arena, &bytes, &n, &err), LAC_OK);
    assert_int_equal(n, f->n);
    assert_memory_equal(bytes, f->bytes, n);
}

static void a_flipped_byte_anywhere_is_noticed(void **state) {
    fixture *f = *state;
    uint8_t *copy = lac_arena_copy(f->arena, f->bytes, f->n);
    for (size_t i = 0; i < f->n; i++) {
        const uint8_t flips[] = {0xFF, 0x01, 0x80};
        for (size_t k = 0; k < sizeof flips; k++) {
            lac_error err = {0};
            copy[i] = (uint8_t)(copy[i] ^ flips[k]);
            if (parse(copy, f->n, &err) == LAC_OK)
                fail_msg("byte %zu of %zu, flip %02x goes unnoticed", i, f->n, flips[k]);
            assert_non_null(strstr(err.text, "test.lac"));
            copy[i] = (uint8_t)(copy[i] ^ flips[k]);
        }
    }
}

static void a_truncated_image_is_noticed_at_any_length(void **state) {
    fixture *f = *state;
    for (size_t n = 0; n < f->n; n++) {
        lac_error err = {0};
        uint8_t *exact = lac_arena_copy(f->arena, f->bytes, n + 1); // so that a read behind n is caught
        if (parse(exact, n, &err) != LAC_E_FORMAT) fail_msg("%zu bytes of %zu: %s", n, f->n, err.text);
    }
    lac_error err = {0};
    uint8_t *longer = LAC_NEW_ARRAY(f->arena, uint8_t, f->n + 8);
    memcpy(longer, f->bytes, f->n);
    assert_int_equal(parse(longer, f->n + 8, &err), LAC_E_FORMAT);
}

static void put_u32(uint8_t *at, uint32_t value) {
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> 8 * i);
}

static void seal_header(uint8_t *bytes) {
    put_u32(bytes + LAC_IMAGE_HEADER_BYTES - 4, lac_crc32(0, bytes, LAC_IMAGE_HEADER_BYTES - 4));
}

static void an_image_for_another_contract_is_refused(void **state) {
    fixture *f = *state;
    uint8_t *copy = lac_arena_copy(f->arena, f->bytes, f->n);
    lac_error err = {0};
    copy[8] ^= 1;
    seal_header(copy);
    assert_int_equal(parse(copy, f->n, &err), LAC_E_CONTRACT);
    assert_non_null(strstr(err.text, "compile the model again"));
}

static void an_image_for_another_engine_does_not_pass_as_this_one(void **state) {
    fixture *f = *state;
    // mesh_x 2 -> 4 with a good checksum: the program's geometry no longer fits.
    uint8_t *copy = lac_arena_copy(f->arena, f->bytes, f->n);
    lac_error err = {0};
    copy[16] = 4;
    seal_header(copy);
    assert_int_equal(parse(copy, f->n, &err), LAC_E_FORMAT);
    // and a drain that does not divide the lanes is no engine at all
    memcpy(copy, f->bytes, f->n);
    copy[24] = 3;
    seal_header(copy);
    assert_int_equal(parse(copy, f->n, &err), LAC_E_RANGE);
}

static uint64_t get_u64(const uint8_t *at) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value |= (uint64_t)at[i] << 8 * i;
    return value;
}

/// Makes all checksums right again, so that damage reaches the parser behind them.
static void seal(uint8_t *bytes, size_t n) {
    seal_header(bytes);
    for (size_t at = LAC_IMAGE_HEADER_BYTES; at + LAC_IMAGE_SECTION_BYTES <= n;) {
        uint64_t length = (get_u64(bytes + at + 8) + 7) / 8 * 8;
        if (length > n - at - LAC_IMAGE_SECTION_BYTES) return;
        put_u32(bytes + at + 4, lac_crc32(0, bytes + at + LAC_IMAGE_SECTION_BYTES, length));
        at += LAC_IMAGE_SECTION_BYTES + length;
    }
}

/// What parses, however strange, must also run without leaving the engine.
static void run_model(const lac_image *image, lac_arena *arena) {
    lac_stream_model *model = lac_stream_model_new(&image->engine, arena);
    lac_raw_order order = lac_image_raw_order(image);
    if (order.n > 1 << 20) return;
    int32_t *sent = LAC_NEW_ARRAY(arena, int32_t, order.n);
    lac_error err = {0};
    (void)!lac_stream_model_run(model, image->program, image->n_program, sent, order.n, NULL, &err);
}

static void damage_behind_good_checksums_never_crashes(void **state) {
    fixture *f = *state;
    lac_rng rng = lac_rng_make(9, 9);
    int n_parsed = 0;
    for (int i = 0; i < 20000; i++) {
        lac_arena *arena = lac_arena_open();
        uint8_t *copy = lac_arena_copy(arena, f->bytes, f->n);
        for (uint32_t k = 0; k <= lac_rng_below(&rng, 3); k++) {
            uint32_t at = lac_rng_below(&rng, (uint32_t)f->n);
            if (lac_rng_below(&rng, 2))
                copy[at] = (uint8_t)lac_rng_u64(&rng);
            else
                copy[at] = (uint8_t)(copy[at] ^ 1u << lac_rng_below(&rng, 8));
        }
        seal(copy, f->n);
        lac_image *image = NULL;
        lac_error err = {0};
        if (lac_image_parse(copy, f->n, "test.lac", arena, &image, &err) == LAC_OK) {
            n_parsed++;
            run_model(image, arena);
        } else {
            assert_true(err.text[0]);
        }
        lac_arena_close(arena);
    }
    assert_true(n_parsed > 100); // weights, scales and names may be anything
}

/// A layer whose list stands in the program for every pixel: each copy must be the list, and as many as the
/// pixels.
static void copies_of_a_streamed_list_are_checked(void **state) {
    fixture *f = *state;
    builder b = builder_begin(f->arena, 5);
    int in = builder_input(&b, 9, 4, 4, (lac_code_type){.bits = 4, .scale = 1});
    int out = builder_conv(&b, in, (layer_options){.out_c = 1, .window = WINDOW(3, 1, 1), .raw = true});
    lac_engine_config small = engine;
    small.list_words = 64;
    lac_image *image = NULL;
    lac_error err = {0};
    assert_int_equal(lac_compile(builder_end(&b, out), &small, f->arena, &image, &err), LAC_OK);
    lac_layer_record record = lac_image_record(image, 0);
    assert_int_equal(record.STREAMED, 1);
    // The header follows the record and its taps; then four copies of the list, and the end.
    size_t header = 4 + ((size_t)record.N_TAPS + 1) / 2, list = (image->n_program - header - 2) / 4;
    assert_int_equal(header + 1 + 4 * list + 1, image->n_program);
    const struct {
        size_t word;
        uint64_t change;
        const char *says;
    } damages[] = {{header, (uint64_t)1 << 55, "announces 2 copies of its list, not 3"},
                   {header + 1 + 2 * list, 1, "copy 2 of 3 differs from the list"},
                   {header + 4 * list, 1, "copy 3 of 3 differs from the list"}};
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        uint8_t *bytes;
        size_t n;
        image->program[damages[i].word] ^= damages[i].change;
        assert_int_equal(lac_image_serialize(image, f->arena, &bytes, &n, &err), LAC_OK);
        image->program[damages[i].word] ^= damages[i].change;
        assert_int_equal(parse(bytes, n, &err), LAC_E_FORMAT);
        if (!strstr(err.text, damages[i].says)) fail_msg("'%s' does not say '%s'", err.text, damages[i].says);
    }
}

static void says_what_a_file_that_is_no_image_is(void **state) {
    fixture *f = *state;
    lac_error err = {0};
    lac_image *image = NULL;
    const char text[64] = "This is not a program image at all, only sixty-four bytes text.";
    assert_int_equal(parse((const uint8_t *)text, sizeof text, &err), LAC_E_FORMAT);
    assert_non_null(strstr(err.text, "not a program image"));
    assert_int_equal(lac_image_read("/nowhere/at/all.lac", f->arena, &image, &err), LAC_E_NOT_FOUND);
    assert_int_equal(lac_image_write(f->image, "/nowhere/at/all.lac", &err), LAC_E_IO);
    assert_null(image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_what_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(compiling_twice_gives_the_same_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_flipped_byte_anywhere_is_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_truncated_image_is_noticed_at_any_length, setup, teardown),
        cmocka_unit_test_setup_teardown(an_image_for_another_contract_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(an_image_for_another_engine_does_not_pass_as_this_one, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(copies_of_a_streamed_list_are_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(damage_behind_good_checksums_never_crashes, setup, teardown),
        cmocka_unit_test_setup_teardown(says_what_a_file_that_is_no_image_is, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
