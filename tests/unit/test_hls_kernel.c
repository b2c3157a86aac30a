#include "graph_builder.h"
#include "kernel_host.h"
#include "program_reader.h"
#include "ref.h"
#include "stream_model.h"

#include "lac_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

// The kernel itself, compiled into this program with sanitizers, once for each of these engines.

typedef void kernel_function(uint32_t contract, uint32_t engine, const uint64_t *program,
                             const uint64_t *input, int32_t *output, uint64_t *report, uint32_t program_words,
                             uint32_t input_base, uint32_t input_words, uint32_t output_words, uint32_t runs,
                             uint32_t patience);

#define KERNEL(name, x, y, drain_, acc, act, list, lane_, bits, slots, factors) kernel_function name;
#include "hls_engines.def"
#undef KERNEL

static const struct {
    lac_engine_config engine;
    kernel_function *kernel;
} engines[] = {
#define KERNEL(name, x, y, drain_, acc, act, list, lane_, bits, slots, factors)                              \
    {{.mesh_x = x,                                                                                           \
      .mesh_y = y,                                                                                           \
      .drain = drain_,                                                                                       \
      .acc_bits = acc,                                                                                       \
      .act_words = act,                                                                                      \
      .list_words = list,                                                                                    \
      .lane = lane_,                                                                                         \
      .act_bits = bits,                                                                                      \
      .vector = slots,                                                                                       \
      .table = (factors) > 0,                                                                                \
      .scale = factors},                                                                                     \
     name},
#include "hls_engines.def"
#undef KERNEL
};
enum { N_ENGINES = sizeof engines / sizeof engines[0], RUNS = 3 };

/// Buffers of exactly the size that the arguments promise, so that an access beyond them is seen.
typedef struct job {
    lac_arena *arena;
    lac_image *image;
    lac_kernel_io *io;
    kernel_function *kernel;
    uint64_t *program, *input, *report;
    int32_t *output, *codes;
    uint32_t contract, engine, program_words, input_base, input_words, output_words, runs, patience;
} job;

static job make_job(int e, lac_int_graph *graph, int n_images, lac_arena *arena) {
    job j = {.arena = arena, .kernel = engines[e].kernel, .runs = RUNS};
    if (lac_compile_batch(graph, &engines[e].engine, n_images, arena, &j.image, NULL) != LAC_OK) return j;
    j.io = lac_kernel_io_new(j.image, arena);
    j.contract = j.image->contract_hash;
    j.engine = j.io->job.engine;
    j.program_words = (uint32_t)j.image->n_program;
    j.input_base = j.io->job.input_base;
    j.input_words = j.io->job.input_words;
    j.output_words = (uint32_t)j.io->order.n;
    size_t n_in = lac_int_tensor_count(&j.image->graph->tensors[j.image->graph->input]);
    int n_codes = RUNS * lac_image_batch(j.image);
    j.codes = LAC_NEW_ARRAY(arena, int32_t, (size_t)n_codes * n_in);
    lac_rng rng = lac_rng_make(7, 7);
    for (int i = 0; i < n_codes; i++)
        random_codes(&rng, &j.image->graph->tensors[j.image->graph->input], j.codes + (size_t)i * n_in);
    j.program = malloc(j.image->n_program * 8);
    j.input = calloc(1, RUNS * j.io->job.input_bytes);
    j.output = calloc(1, RUNS * j.io->job.output_bytes);
    j.report = calloc(1, LAC_REPORT_BYTES);
    memcpy(j.program, j.image->program, j.image->n_program * 8);
    lac_kernel_pack(j.io, RUNS, j.codes, j.input);
    return j;
}

static void free_job(job *j) {
    free(j->program);
    free(j->input);
    free(j->output);
    free(j->report);
}

static uint32_t run_job(const job *j) {
    j->kernel(j->contract, j->engine, j->program, j->input, j->output, j->report, j->program_words,
              j->input_base, j->input_words, j->output_words, j->runs, j->patience);
    return (uint32_t)j->report[0];
}

/// Every image of every run against the reference.
static void runs_like_the_reference(const job *j) {
    const lac_int_graph *g = j->image->graph;
    size_t n_in = lac_int_tensor_count(&g->tensors[g->input]),
           n_out = lac_int_tensor_count(&g->tensors[g->output]);
    int n = RUNS * lac_image_batch(j->image);
    int32_t *got = LAC_NEW_ARRAY(j->arena, int32_t, (size_t)n * n_out);
    assert_int_equal(run_job(j), LAC_KERNEL_OK);
    assert_int_equal(j->report[0] >> 32, RUNS);
    lac_kernel_unpack(j->io, RUNS, j->output, got);
    int32_t **values = reference_values(g, j->arena, 1);
    for (int i = 0; i < n; i++) {
        memcpy(values[g->input], j->codes + (size_t)i * n_in, n_in * sizeof(int32_t));
        lac_ref_run(g, values);
        assert_memory_equal(values[g->output], got + (size_t)i * n_out, n_out * sizeof(int32_t));
    }
}

static void equals_the_reference_on_every_engine(void **state) {
    (void)state;
    for (int e = 0; e < N_ENGINES; e++) {
        // Few random graphs have narrow codes alone.
        uint64_t n_seeds = engines[e].engine.act_bits < 8 ? 800 : 40;
        int n_run = 0, n_shared = 0;
        for (uint64_t seed = 0; seed < n_seeds; seed++) {
            lac_arena *arena = lac_arena_open();
            bool gated = engines[e].engine.table && seed % 2;
            lac_int_graph *graph = gated ? random_gated_graph(arena, seed) : random_graph(arena, seed);
            job j = make_job(e, graph, 1 << seed % 4, arena);
            if (!j.image) j = make_job(e, graph, 1, arena);
            if (j.image) {
                runs_like_the_reference(&j);
                n_run++;
                n_shared += lac_image_batch(j.image) > 1;
            }
            free_job(&j);
            lac_arena_close(arena);
        }
        if (getenv("LAC_TEST_VERBOSE"))
            print_message("engine %d: %d graphs, %d shared\n", e, n_run, n_shared);
        assert_true(n_run > 15);
        assert_true(n_shared > 5 || engines[e].engine.mesh_x % 2 != 0 || engines[e].engine.drain == 12);
    }
}

/// Five rows and three columns on a rectangle of three by two or less: tiles that are not full, hops between
/// lanes, sums over the lanes of an image as codes (global pooling) and as results (fully connected).
static lac_int_graph *odd_net(lac_arena *arena, bool pooled) {
    builder b = builder_begin(arena, 8);
    int x = builder_input(&b, 2, 5, 3, (lac_code_type){.bits = 3});
    x = builder_conv(
        &b, x,
        (layer_options){.out_c = 5, .window = WINDOW(3, 1, 1), .type = {.bits = 3, .is_signed = true}});
    lac_window all = {.kernel = {5, 3}, .stride = {1, 1}, .dilation = {1, 1}, .groups = 1};
    if (pooled) {
        x = builder_avg_pool(&b, x, (layer_options){.window = all, .type = {.bits = 3}});
        all = WINDOW(1, 1, 0);
    }
    x = builder_conv(&b, x, (layer_options){.out_c = 7, .window = all, .raw = true});
    return builder_end(&b, x);
}

static void images_share_a_mesh_that_is_not_square(void **state) {
    (void)state;
    int n_run = 0;
    for (int e = 0; e < N_ENGINES; e++)
        for (int n_images = 2; n_images <= 8; n_images *= 2)
            for (int pooled = 0; pooled < 2; pooled++) {
                lac_arena *arena = lac_arena_open();
                job j = make_job(e, odd_net(arena, pooled), n_images, arena);
                if (j.image) {
                    assert_int_equal(lac_image_batch(j.image), n_images);
                    runs_like_the_reference(&j);
                    n_run++;
                }
                free_job(&j);
                lac_arena_close(arena);
            }
    assert_true(n_run >= 12);
}

static lac_int_graph *small_net(lac_arena *arena) {
    builder b = builder_begin(arena, 5);
    int x = builder_input(&b, 2, 6, 6, (lac_code_type){.bits = 4});
    x = builder_conv(&b, x, (layer_options){.out_c = 3, .window = WINDOW(3, 1, 1)});
    x = builder_conv(&b, x, (layer_options){.out_c = 4, .window = WINDOW(6, 1, 0), .raw = true});
    return builder_end(&b, x);
}

/// An engine with tables and factors, and a net that has both.
enum { GATED_ENGINE = 3 };
static lac_int_graph *gated_net(lac_arena *arena) {
    builder b = builder_begin(arena, 6);
    const lac_code_type four = {.bits = 4, .scale = 1};
    int in = builder_input(&b, 3, 9, 8, four);
    int mean = builder_avg_pool(&b, in, (layer_options){.window = {.kernel = {9, 8}}, .type = four});
    int x = builder_mul(&b, in, builder_table(&b, mean, four), four);
    return builder_end(&b, builder_conv(&b, x, (layer_options){.out_c = 2, .raw = true}));
}

/// What the kernel says to a job that `spoil` has changed.
static uint32_t status_of(void (*spoil)(job *)) {
    lac_arena *arena = lac_arena_open();
    job j = make_job(0, small_net(arena), 1, arena);
    assert_non_null(j.image);
    spoil(&j);
    uint32_t code = run_job(&j);
    assert_int_equal(j.report[1], 0);
    if (code != LAC_KERNEL_OK) {
        lac_error err = {0};
        assert_true(lac_kernel_check(j.io, "here", j.report, RUNS, &err) != LAC_OK);
        assert_non_null(strstr(err.text, "device here"));
    }
    free_job(&j);
    lac_arena_close(arena);
    return code;
}

static void nothing(job *j) {
    (void)j;
}
static void other_contract(job *j) {
    j->contract ^= 1;
}
static void other_engine(job *j) {
    j->engine ^= 1;
}
static void no_runs(job *j) {
    j->runs = 0;
}
static void no_results(job *j) {
    j->output_words = 0;
}
static void input_too_long(job *j) {
    j->input_base = UINT32_MAX;
}
static void fewer_results(job *j) {
    j->output_words--;
}
static void more_results(job *j) {
    j->output_words++;
    j->runs = 1;
}
static void cut_off(job *j) {
    j->program_words--;
}
static void cut_in_a_list(job *j) {
    j->program_words /= 2;
}
static void goes_on(job *j) {
    j->program = realloc(j->program, (j->program_words + 1) * 8);
    j->program[j->program_words++] = 0;
}
static void no_record(job *j) {
    j->program[0] &= ~(uint64_t)3;
}
static void no_rows(job *j) {
    lac_field_set(j->program, LAC_LAYER_IN_TILE_H_WORD, LAC_LAYER_IN_TILE_H_LSB, 6, 0);
}
static void tap_far_away(job *j) {
    lac_field_set(j->program + LAC_LAYER_WORDS, 0, LAC_TAP_DY_LSB, 8, 100);
}
static void writes_far_away(job *j) {
    lac_field_set(j->program, LAC_LAYER_OUT_BASE_WORD, LAC_LAYER_OUT_BASE_LSB, 16, 60000);
}
static void reads_far_away(job *j) {
    lac_field_set(j->program, LAC_LAYER_IN_BASE_WORD, LAC_LAYER_IN_BASE_LSB, 16, 60000);
}
static void split_too_often(job *j) {
    lac_field_set(j->program, LAC_LAYER_SPLIT_Y_WORD, LAC_LAYER_SPLIT_Y_LSB, 2, 2);
}
static void tables_that_are_not_there(job *j) {
    lac_field_set(j->program, LAC_LAYER_TABLE_WORD, LAC_LAYER_TABLE_LSB, 1, 1);
}
static void factors_that_are_not_there(job *j) {
    lac_field_set(j->program, LAC_LAYER_SCALE_WORD, LAC_LAYER_SCALE_LSB, 1, 1);
}
static void no_such_tap(job *j) {
    lac_field_set(j->program, LAC_LAYER_MINOR_WORD, LAC_LAYER_MINOR_LSB, 16, 1);
}

static void says_what_is_wrong(void **state) {
    (void)state;
    assert_int_equal(status_of(nothing), LAC_KERNEL_OK);
    assert_int_equal(status_of(other_contract), LAC_KERNEL_CONTRACT);
    assert_int_equal(status_of(other_engine), LAC_KERNEL_ENGINE);
    assert_int_equal(status_of(no_runs), LAC_KERNEL_ARGUMENT);
    assert_int_equal(status_of(no_results), LAC_KERNEL_ARGUMENT);
    assert_int_equal(status_of(input_too_long), LAC_KERNEL_ARGUMENT);
    assert_int_equal(status_of(fewer_results), LAC_KERNEL_RESULTS);
    assert_int_equal(status_of(more_results), LAC_KERNEL_RESULTS);
    assert_int_equal(status_of(cut_off), LAC_KERNEL_TRUNCATED);
    assert_int_equal(status_of(cut_in_a_list), LAC_KERNEL_TRUNCATED);
    assert_int_equal(status_of(goes_on), LAC_KERNEL_LEFT_OVER);
    assert_int_equal(status_of(no_record), LAC_KERNEL_PROGRAM);
    assert_int_equal(status_of(no_rows), LAC_KERNEL_PROGRAM);
    assert_int_equal(status_of(split_too_often), LAC_KERNEL_PROGRAM);
    assert_int_equal(status_of(tables_that_are_not_there), LAC_KERNEL_PROGRAM);
    assert_int_equal(status_of(factors_that_are_not_there), LAC_KERNEL_PROGRAM);
    assert_int_equal(status_of(tap_far_away), LAC_KERNEL_RANGE);
    assert_int_equal(status_of(writes_far_away), LAC_KERNEL_RANGE);
    assert_int_equal(status_of(reads_far_away), LAC_KERNEL_RANGE);
    assert_int_equal(status_of(no_such_tap), LAC_KERNEL_RANGE);
}

/// Whatever stands in the program, the kernel ends and touches nothing else; the sanitizers watch.
static void survives_any_program(void **state) {
    (void)state;
    lac_rng rng = lac_rng_make(11, 0);
    for (int i = 0; i < 800; i++) {
        lac_arena *arena = lac_arena_open();
        bool gated = i % 4 < 2;
        job j = make_job(gated ? GATED_ENGINE : 0, gated ? gated_net(arena) : small_net(arena), 1, arena);
        for (int k = 0; k < 1 + i % 3; k++) {
            uint32_t word = lac_rng_below(&rng, i % 2 ? j.program_words : 8);
            j.program[word] ^= (uint64_t)1 << lac_rng_below(&rng, 64);
        }
        assert_true(run_job(&j) <= LAC_KERNEL_RANGE);
        free_job(&j);
        lac_arena_close(arena);
    }
}

// ---- the vector unit --------------------------------------------------------------------------------------

/// Fully connected layers of the given widths, ended by a 0, for engines with few bits, too.
static lac_int_graph *perceptron(lac_arena *arena, uint64_t seed, const int *widths, int weight_bits,
                                 int zero_percent) {
    builder b = builder_begin(arena, seed);
    const lac_code_type codes = {.bits = 3 + (int)(seed % 2), .is_signed = seed % 3 == 0};
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

/// Slot 0 has more weights than the others in the first half of the channels and fewer in the second: the
/// others run ahead as far as they may, and then wait.
static void make_uneven(lac_int_graph *graph) {
    lac_int_layer *layer = &graph->layers[0];
    int n_in = graph->tensors[layer->in[0]].c, n_out = graph->tensors[layer->out].c;
    for (int i = 0; i < n_in * n_out; i++)
        if ((i % n_in % 8 == 0) != (i / n_in < n_out / 2)) layer->w[i] = 0;
}

/// Which words of a program are list words of layers for the vector unit; their number.
static size_t vector_words(const lac_image *image, uint32_t *places) {
    lac_program_reader reader = {.words = image->program,
                                 .n_words = image->n_program,
                                 .lane = image->engine.lane,
                                 .vector = image->engine.vector};
    size_t n = 0;
    for (bool end = false; lac_program_next_layer(&reader, &end, NULL) == LAC_OK && !end;) {
        if (reader.layer.ORDER != LAC_ORDER_VECTOR) return n;
        lac_vector_piece piece = {.kind = LAC_PIECE_HEADER};
        while (lac_program_next_piece(&reader, &piece, NULL) == LAC_OK && piece.kind != LAC_PIECE_END)
            if (piece.kind == LAC_PIECE_WORD) places[n++] = (uint32_t)reader.at - 1;
    }
    return n;
}

/// Engines of hls_engines.def that have the unit.
static int next_vector_engine(int e) {
    do e = (e + 1) % N_ENGINES;
    while (!engines[e].engine.vector);
    return e;
}

static const int widths[][5] = {{100, 40, 33, 10}, {3, 5, 1}, {784, 64, 2}, {17, 300, 10}, {1, 1},
                                {64, 200, 7},      {950, 2}};
enum { N_WIDTHS = sizeof widths / sizeof widths[0] };

static void the_vector_unit_equals_the_reference(void **state) {
    (void)state;
    static const int zeros[] = {0, 50, 80, 95, 100};
    size_t n_words = 0;
    for (uint64_t seed = 0, e = 0; seed < 140; seed++) {
        e = (uint64_t)next_vector_engine((int)e);
        lac_arena *arena = lac_arena_open();
        lac_int_graph *graph =
            perceptron(arena, seed, widths[seed % N_WIDTHS], 2 + (int)(seed / 2 % 7), zeros[seed % 5]);
        if (seed % 4 == 0) make_uneven(graph);
        job j = make_job((int)e, graph, 1, arena);
        assert_non_null(j.image);
        runs_like_the_reference(&j);
        n_words += vector_words(j.image, LAC_NEW_ARRAY(arena, uint32_t, j.image->n_program));
        free_job(&j);
        lac_arena_close(arena);
    }
    if (getenv("LAC_TEST_VERBOSE")) print_message("%zu list words\n", n_words);
    assert_true(n_words > 30000);
}

/// A word in which every slot stays where it is may stand anywhere; it goes behind a word of the list here,
/// whose header counts one more.
static void put_idle_word(job *j, uint32_t word) {
    lac_image *image = j->image;
    uint32_t header = 0;
    lac_program_reader reader = {.words = image->program,
                                 .n_words = image->n_program,
                                 .lane = image->engine.lane,
                                 .vector = image->engine.vector};
    lac_vector_piece piece = {.kind = LAC_PIECE_END};
    while (reader.at <= word) {
        bool end;
        if (piece.kind == LAC_PIECE_END)
            assert_int_equal(lac_program_next_layer(&reader, &end, NULL), LAC_OK);
        assert_int_equal(lac_program_next_piece(&reader, &piece, NULL), LAC_OK);
        if (piece.kind == LAC_PIECE_HEADER || piece.kind == LAC_PIECE_RUN) header = (uint32_t)reader.at - 1;
    }
    if (reader.run_left + (int)(word - header) == LAC_VECTOR_LONGEST_RUN) return;
    uint64_t *words = malloc((image->n_program + 1) * 8), idle = 0;
    int bits = lac_entry_bits(reader.layer.ENTRY_BITS);
    for (int k = 0; k < 64 / bits; k++)
        idle |= (uint64_t)((1u << bits) - (1u << reader.layer.WEIGHT_BITS)) << k * bits;
    memcpy(words, image->program, (word + 1) * 8);
    words[word + 1] = idle;
    memcpy(words + word + 2, image->program + word + 1, (image->n_program - word - 1) * 8);
    words[header] += (uint64_t)1 << LAC_CHANNEL_RUN_LSB;
    free(j->program);
    j->program = words;
    j->program_words = (uint32_t)++image->n_program;
    image->program = words;
}

static void idle_words_change_nothing(void **state) {
    (void)state;
    lac_rng rng = lac_rng_make(3, 0);
    for (uint64_t seed = 0, e = 0; seed < 21; seed++) {
        e = (uint64_t)next_vector_engine((int)e);
        lac_arena *arena = lac_arena_open();
        job j = make_job((int)e, perceptron(arena, seed, widths[seed % N_WIDTHS], 4, 60), 1, arena);
        uint32_t *places = LAC_NEW_ARRAY(arena, uint32_t, j.image->n_program + 40);
        for (int i = 0; i < 40; i++) {
            size_t n = vector_words(j.image, places);
            put_idle_word(&j, places[lac_rng_below(&rng, (uint32_t)n)]);
        }
        runs_like_the_reference(&j);
        free_job(&j);
        lac_arena_close(arena);
    }
}

/// What the model of the engine says to a program, which it reads in another way.
static bool model_takes(const job *j) {
    lac_stream_model *model = lac_stream_model_new(&j->image->engine, j->arena);
    int32_t *sent = LAC_NEW_ARRAY(j->arena, int32_t, j->output_words);
    return lac_stream_model_run(model, j->program, j->program_words, sent, j->output_words, NULL, NULL) ==
           LAC_OK;
}

/// A damaged list is refused where the model refuses it; damage anywhere ends and touches nothing else.
static void damaged_vector_lists_are_refused(void **state) {
    (void)state;
    lac_rng rng = lac_rng_make(12, 0);
    int n_refused = 0, n_taken = 0;
    for (uint64_t i = 0, e = 0; i < 1500; i++) {
        static const int small[][4] = {{40, 30, 7}, {5, 60, 3}};
        e = (uint64_t)next_vector_engine((int)e);
        lac_arena *arena = lac_arena_open();
        job j = make_job((int)e, perceptron(arena, i / 30, small[i % 2], 4, 50), 1, arena);
        uint32_t *places = LAC_NEW_ARRAY(arena, uint32_t, j.image->n_program);
        size_t n = vector_words(j.image, places);
        bool in_a_list = i % 3 != 0;
        for (uint64_t k = 0; k < 1 + i % 2; k++) {
            uint32_t word = in_a_list ? places[lac_rng_below(&rng, (uint32_t)n)]
                                      : lac_rng_below(&rng, i % 2 ? j.program_words : 6);
            j.program[word] ^= (uint64_t)1 << lac_rng_below(&rng, 64);
        }
        uint32_t code = run_job(&j);
        assert_true(code <= LAC_KERNEL_RANGE);
        if (in_a_list) assert_int_equal(code == LAC_KERNEL_OK, model_takes(&j));
        n_refused += in_a_list && code != LAC_KERNEL_OK;
        n_taken += in_a_list && code == LAC_KERNEL_OK;
        free_job(&j);
        lac_arena_close(arena);
    }
    assert_true(n_refused > 100);
    assert_true(n_taken > 100);
}

/// Headers in other places, a list that goes on or stops: what the model says, and never more.
static void headers_in_wrong_places_are_refused(void **state) {
    (void)state;
    static const int some[] = {40, 60, 5, 0};
    int n_refused = 0;
    for (int change = 0; change < 4; change++)
        for (int e = next_vector_engine(0), i = 0; i < 3; i++, e = next_vector_engine(e)) {
            lac_arena *arena = lac_arena_open();
            job j = make_job(e, perceptron(arena, 2, some, 4, 50), 1, arena);
            uint64_t *first = j.program + LAC_LAYER_WORDS + 1;
            int64_t run = LAC_FIELD_GET(first, CHANNEL_RUN);
            if (change == 0) // all headers at once, and no word for those before
                lac_field_set(first, LAC_CHANNEL_RUN_WORD, LAC_CHANNEL_RUN_LSB, 9, 0);
            else if (change == 1) // the next header is taken for a word
                lac_field_set(first, LAC_CHANNEL_RUN_WORD, LAC_CHANNEL_RUN_LSB, 9, run + 1);
            else if (change == 2) // it only counts
                first[0] &= ~((uint64_t)63 << LAC_CHANNEL_S_LSB);
            else // and counts nothing
                first[0] &= (uint64_t)0xFFFFFFFF;
            uint32_t code = run_job(&j);
            assert_int_equal(code == LAC_KERNEL_OK, model_takes(&j));
            n_refused += code != LAC_KERNEL_OK;
            free_job(&j);
            lac_arena_close(arena);
        }
    assert_true(n_refused >= 9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_reference_on_every_engine),
        cmocka_unit_test(images_share_a_mesh_that_is_not_square),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(survives_any_program),
        cmocka_unit_test(the_vector_unit_equals_the_reference),
        cmocka_unit_test(idle_words_change_nothing),
        cmocka_unit_test(damaged_vector_lists_are_refused),
        cmocka_unit_test(headers_in_wrong_places_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
