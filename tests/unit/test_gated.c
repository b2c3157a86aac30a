#include "device.h"
#include "graph_builder.h"
#include "image.h"
#include "program_reader.h"
#include "ref.h"
#include "step_report.h"
#include "stream_model.h"
#ifdef LAC_RTL_SOURCE_DIR
#include "layout.h"
#include "sim.h"
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Tables and factors: random graphs with them on every device, every code through a table, and images whose
// tables or factors are damaged.

static const lac_engine_config engines[] = {
    {.mesh_x = 7, .mesh_y = 7, .drain = 7, .acc_bits = 28, .act_words = 4096, .list_words = 2048},
    {.mesh_x = 4, .mesh_y = 4, .drain = 2, .acc_bits = 30, .act_words = 4096, .list_words = 2048, .lane = 1},
    {.mesh_x = 3, .mesh_y = 3, .drain = 9, .acc_bits = 26, .act_words = 8192, .list_words = 2048, .lane = 2},
};
enum { N_ENGINES = sizeof engines / sizeof engines[0] };

static lac_engine_config gated(int i, int scale) {
    lac_engine_config engine = engines[i];
    engine.table = 1;
    engine.scale = scale;
    return engine;
}

typedef struct seen {
    const lac_image *image;
    const char *device;
    int32_t **values;
    uint64_t seed;
    int n;
} seen;

static void see(void *ctx, int step, int k, const int32_t *values) {
    seen *s = ctx;
    assert_int_equal(k, 0);
    int t = s->image->steps[step].out_tensor;
    for (size_t i = 0; i < lac_int_tensor_count(&s->image->graph->tensors[t]); i++)
        if (values[i] != s->values[t][i])
            fail_msg("seed %d on %s, step '%s', value %zu: %d, not %d", (int)s->seed, s->device,
                     s->image->steps[step].name, i, values[i], s->values[t][i]);
    s->n++;
}

static void run_like_the_reference(const lac_device_desc *device, const lac_image *image, uint64_t seed,
                                   uint64_t stall_seed, lac_step_cycles *cycles) {
    lac_arena *arena = lac_arena_open();
    const lac_int_graph *g = image->graph;
    lac_error err = {0};
    void *state = NULL;
    const lac_device_config config = {.stall_seed = stall_seed};
    if (device->open(image, &config, NULL, &state, &err) != LAC_OK) fail_msg("%s", err.text);
    int32_t *out = LAC_NEW_ARRAY(arena, int32_t, lac_int_tensor_count(&g->tensors[g->output]));
    for (uint64_t i = 0; i < 2; i++) {
        seen s = {.image = image, .device = device->name, .seed = seed};
        s.values = reference_values(g, arena, seed + i);
        const lac_device_watch watch = {.tensor = see, .ctx = &s};
        if (device->run(state, s.values[g->input], out, &watch, cycles, &err) != LAC_OK)
            fail_msg("seed %d on %s: %s", (int)seed, device->name, err.text);
        assert_int_equal(s.n, image->n_steps);
        assert_memory_equal(out, s.values[g->output], 4 * lac_int_tensor_count(&g->tensors[g->output]));
    }
    device->close(state);
    lac_arena_close(arena);
}

/// For an engine with factors of pixels only where the graph has them.
static lac_image *compiled(const lac_int_graph *graph, int engine, lac_arena *arena) {
    for (int scale = 1; scale <= 2; scale++) {
        lac_image *image = NULL;
        const lac_engine_config config = gated(engine, scale);
        if (lac_compile(graph, &config, arena, &image, NULL) == LAC_OK) return image;
    }
    return NULL;
}

/// A device of which an image costs a compiler run, or seconds, sees few.
static uint64_t most_graphs(const lac_device_desc *device) {
    return device->place ? 3 : device->has_cycles ? 60 : 120;
}

/// A whole kernel takes long to build: one is enough.
static int n_engines(const lac_device_desc *device) {
    return strcmp(device->name, "axi") == 0 ? 1 : N_ENGINES;
}

static void check_costs(const lac_image *image, const lac_step_cycles *cycles) {
    lac_step_cost *costs = LAC_NEW_ARRAY(image->arena, lac_step_cost, image->n_steps);
    lac_image_costs(image, costs);
    for (int s = 0; s < image->n_steps; s++) {
        uint64_t is = cycles[s].total, said = costs[s].total, tolerance = is / 50 > 4 ? is / 50 : 4;
        if ((said > is ? said - is : is - said) > tolerance)
            fail_msg("step '%s' takes %d cycles, predicted %d", image->steps[s].name, (int)is, (int)said);
    }
}

static void random_graphs_on(const lac_device_desc *device) {
    int n_factors = 0, n_tables = 0, n_of_pixels = 0;
    for (uint64_t seed = 0;
         seed < most_graphs(device) || ((n_of_pixels == 0 || n_of_pixels == n_factors) && seed < 60);
         seed++) {
        lac_arena *arena = lac_arena_open();
        lac_image *image = compiled(random_gated_graph(arena, seed), (int)seed % n_engines(device), arena);
        for (int l = 0; image && l < image->graph->n_layers; l++) {
            const lac_int_layer *layer = &image->graph->layers[l];
            n_tables += layer->kind == LAC_INT_TABLE;
            if (layer->kind != LAC_INT_MUL) continue;
            n_factors++;
            n_of_pixels += lac_int_factors_are_of_pixels(image->graph, layer);
        }
        if (image) {
            lac_step_cycles *cycles = LAC_NEW_ARRAY(arena, lac_step_cycles, image->n_steps);
            run_like_the_reference(device, image, seed, 0, cycles);
            if (device->has_cycles) check_costs(image, cycles);
            if (device->has_cycles) run_like_the_reference(device, image, seed, seed + 1, cycles);
        }
        lac_arena_close(arena);
    }
    assert_true(n_factors > n_of_pixels && n_of_pixels > 0 && n_tables > 0);
}

/// A map of all codes of 8 bits through a table.
static lac_int_graph *all_codes(lac_arena *arena, bool from_signed, bool to_signed) {
    builder b = builder_begin(arena, 3);
    int in = builder_input(&b, 1, 16, 16, (lac_code_type){.bits = 8, .is_signed = from_signed, .scale = 1});
    int x = builder_conv(&b, in,
                         (layer_options){.out_c = 1,
                                         .weight_bits = 2,
                                         .type = {.bits = 8, .is_signed = from_signed, .scale = 1}});
    int y = builder_table(&b, x, (lac_code_type){.bits = 8, .is_signed = to_signed, .scale = 1});
    lac_int_graph *graph = builder_end(&b, y);
    lac_int_layer *copy = &graph->layers[0];
    copy->w[0] = 1;
    copy->bias[0] = 0;
    copy->m[0] = 0x8000;
    copy->s[0] = 15;
    copy->lo = from_signed ? -128 : 0;
    copy->hi = from_signed ? 127 : 255;
    return graph;
}

static void every_code_on(const lac_device_desc *device) {
    for (int i = 0; i < 4 * n_engines(device); i++) {
        lac_arena *arena = lac_arena_open();
        const lac_image *image = compiled(all_codes(arena, i & 1, i & 2), i / 4, arena);
        int32_t in[256], out[256];
        void *state = NULL;
        lac_error err = {0};
        const lac_device_config config = {0};
        const lac_int_layer *table = &image->graph->layers[1];
        for (int p = 0; p < 256; p++) in[p] = i & 1 ? p - 128 : p;
        if (device->open(image, &config, NULL, &state, &err) != LAC_OK) fail_msg("%s", err.text);
        if (device->run(state, in, out, NULL, NULL, &err) != LAC_OK) fail_msg("%s", err.text);
        for (int p = 0; p < 256; p++) {
            int byte = table->table[in[p] & 0xFF];
            assert_int_equal(out[p], i & 2 ? (int8_t)byte : byte);
        }
        device->close(state);
        lac_arena_close(arena);
    }
}

static void on_every(bool has_cycles, void (*test)(const lac_device_desc *device)) {
    for (int d = 0; d < lac_n_devices(); d++)
        if (lac_device_row(d)->has_cycles == has_cycles) test(lac_device_row(d));
}

static void random_graphs_without_a_clock(void **state) {
    (void)state;
    on_every(false, random_graphs_on);
}

static void every_code_without_a_clock(void **state) {
    (void)state;
    on_every(false, every_code_on);
}

static void random_graphs_with_a_clock(void **state) {
    (void)state;
    on_every(true, random_graphs_on);
}

static void every_code_with_a_clock(void **state) {
    (void)state;
    on_every(true, every_code_on);
}

// ---- damage --------------------------------------------------------------------------------------------

/// A mean, a table of its codes of 4 bits, and the map times that.
static lac_int_graph *gate(lac_arena *arena) {
    builder b = builder_begin(arena, 6);
    const lac_code_type four = {.bits = 4, .scale = 1};
    int in = builder_input(&b, 3, 7, 5, four);
    int mean = builder_avg_pool(&b, in, (layer_options){.window = {.kernel = {7, 5}}, .type = four});
    const lac_code_type factors = {.bits = 4, .zero = 5, .scale = 1};
    return builder_end(&b, builder_mul(&b, in, builder_table(&b, mean, factors), four));
}

/// The map times a factor for each of its pixels, which a convolution and a table make.
static lac_int_graph *gate_of_pixels(lac_arena *arena) {
    builder b = builder_begin(arena, 6);
    const lac_code_type four = {.bits = 4, .scale = 1};
    int in = builder_input(&b, 3, 7, 5, four);
    int one = builder_conv(&b, in, (layer_options){.out_c = 1, .type = four});
    const lac_code_type factors = {.bits = 4, .zero = 5, .scale = 1};
    return builder_end(&b, builder_mul(&b, in, builder_table(&b, one, factors), four));
}

/// Word of the program where the layer that a field is set in begins; tables and lists behind it.
static size_t word_of(const lac_image *image, bool wants_factors, int *n_taps) {
    lac_program_reader reader = lac_program_read(&image->engine, image->program, image->n_program);
    for (bool end = false; !end;) {
        size_t at = reader.at;
        assert_int_equal(lac_program_next_layer(&reader, &end, NULL), LAC_OK);
        *n_taps = reader.layer.N_TAPS;
        if (wants_factors ? reader.layer.SCALE : reader.layer.TABLE) return at;
        for (int o = 0; o < reader.layer.N_OUT; o++) {
            lac_channel_record channel;
            lac_program_item item;
            assert_int_equal(lac_program_next_channel(&reader, &channel, NULL), LAC_OK);
            do assert_int_equal(lac_program_next_item(&reader, &item, NULL), LAC_OK);
            while (item.kind != LAC_ITEM_END);
        }
    }
    fail_msg("no such layer");
    return 0;
}

static void refuses(lac_image *image, const char *says) {
    lac_arena *arena = lac_arena_open();
    uint8_t *bytes;
    size_t n;
    lac_image *out = NULL;
    lac_error err = {0};
    assert_int_equal(lac_image_serialize(image, arena, &bytes, &n, &err), LAC_OK);
    assert_int_equal(lac_image_parse(bytes, n, "damaged", arena, &out, &err), LAC_E_FORMAT);
    if (!strstr(err.text, says)) fail_msg("\"%s\" does not say \"%s\"", err.text, says);
    lac_arena_close(arena);
}

/// Flips bits of one program word, has the image refused, and flips them back.
static void damage(lac_image *image, size_t word, uint64_t bits, const char *says) {
    image->program[word] ^= bits;
    refuses(image, says);
    image->program[word] ^= bits;
}

static void damaged_tables_and_factors_are_refused(void **state) {
    (void)state;
    enum { TABLE_BIT = 57, SCALE_BIT, SIGNED_BIT, PAD_BIT = 13 };
    lac_arena *arena = lac_arena_open();
    for (int i = 0; i < N_ENGINES; i++) {
        lac_image *image = compiled(gate(arena), i, arena);
        int n_taps;
        size_t mul = word_of(image, true, &n_taps), table = word_of(image, false, &n_taps);
        damage(image, table + 4 + (size_t)(n_taps + 1) / 2, (uint64_t)0x80 << 16, "place 2 of its table");
        damage(image, table, (uint64_t)1 << TABLE_BIT, "TABLE is 0");
        damage(image, mul, (uint64_t)1 << SCALE_BIT, "SCALE is 0");
        damage(image, mul, (uint64_t)1 << SIGNED_BIT, "SCALE_SIGNED is 1");
        damage(image, mul, (uint64_t)1 << PAD_BIT, "PAD_CODE is 4");
        damage(image, mul, (uint64_t)1 << 56, "makes no sense"); // two images
        damage(image, mul + 4, (uint64_t)1 << 16, "no operand"); // the factors' place
        damage(image, mul + 4, (uint64_t)1 << 32, "no operand"); // the map's row
        lac_image without = *image;
        without.engine.scale = 0;
        refuses(&without, "makes no sense");
        without = *image;
        without.engine.table = 0;
        refuses(&without, "makes no sense");
    }
    lac_arena_close(arena);
}

static void damaged_factors_of_pixels_are_refused(void **state) {
    (void)state;
    enum { EACH_BIT = 60, PAD_BIT = 13 };
    lac_arena *arena = lac_arena_open();
    for (int i = 0; i < N_ENGINES; i++) {
        lac_image *image = compiled(gate_of_pixels(arena), i, arena);
        int n_taps;
        size_t mul = word_of(image, true, &n_taps);
        assert_int_equal(image->engine.scale, 2);
        damage(image, mul, (uint64_t)1 << EACH_BIT, "SCALE_EACH is 0");
        damage(image, mul, (uint64_t)1 << PAD_BIT, "PAD_CODE is 4");
        damage(image, mul + 4, (uint64_t)1 << 16, "no operand"); // the factors' place
        damage(image, mul + 4, (uint64_t)1 << 8, "no operand");  // their column
        lac_image without = *image;
        without.engine.scale = 1;
        refuses(&without, "makes no sense");
    }
    lac_arena_close(arena);
}

/// An engine without the hardware must not run such a program by accident.
static void the_model_refuses_what_its_engine_has_not(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    for (int i = 0; i < 3; i++) {
        const lac_image *image = compiled(i == 2 ? gate_of_pixels(arena) : gate(arena), 0, arena);
        lac_engine_config engine = image->engine;
        --*(i == 1 ? &engine.table : &engine.scale);
        lac_stream_model *model = lac_stream_model_new(&engine, arena);
        int32_t out[3 * 49];
        lac_error err = {0};
        assert_int_equal(
            lac_stream_model_run(model, image->program, image->n_program, out, 3 * 49, NULL, &err),
            LAC_E_FORMAT);
    }
    lac_arena_close(arena);
}

// ---- faults --------------------------------------------------------------------------------------------

#ifdef LAC_RTL_SOURCE_DIR
/// Whether an engine of these sources gives the reference's results.
static bool rtl_is_right(const char *rtl_dir, bool of_pixels) {
    lac_arena *arena = lac_arena_open();
    lac_image *image = compiled(of_pixels ? gate_of_pixels(arena) : gate(arena), 2, arena);
    const lac_int_graph *g = image->graph;
    int32_t **values = reference_values(g, arena, 4);
    size_t lanes = (size_t)lac_engine_lanes(&image->engine), drain = (size_t)image->engine.drain;
    uint8_t *memory = LAC_NEW_ARRAY(arena, uint8_t, (size_t)image->engine.act_words * lanes);
    lac_sim_config config = {.rtl_dir = rtl_dir};
    lac_error err = {0};
    lac_sim *sim;
    memcpy(&config, &image->engine, sizeof image->engine);
    if (lac_sim_open(&config, NULL, &sim, &err) != LAC_OK) fail_msg("%s", err.text);
    const lac_layout *layout = &image->layouts[g->input];
    lac_layout_load(&image->engine, layout, &g->tensors[g->input], values[g->input], memory);
    for (uint32_t w = 0; w < (uint32_t)image->engine.act_words; w++)
        for (uint32_t group = 0; group < lanes / drain; group++)
            lac_sim_load(sim, w, group, memory + w * lanes + group * drain);
    lac_raw_order order = lac_image_raw_order(image);
    int32_t *sent = LAC_NEW_ARRAY(arena, int32_t, order.n), out[3 * 35];
    uint64_t cycles;
    if (lac_sim_run(sim, image->program, image->n_program, sent, order.n, NULL, NULL, &cycles, &err) !=
        LAC_OK)
        fail_msg("%s", err.text);
    lac_raw_extract(image, &order, sent, 0, out);
    bool right = memcmp(out, values[g->output], sizeof out) == 0;
    lac_sim_close(sim);
    lac_arena_close(arena);
    return right;
}

static void faults_in_the_rtl_are_noticed(void **state) {
    (void)state;
    static const struct {
        const char *name, *file;
        bool of_pixels, is_right;
    } faults[] = {{"LAC_NO_FAULT", "engine/drain.v", false, true},
                  {"LAC_NO_FAULT", "engine/drain.v", true, true},
                  {"LAC_FAULT_TABLE", "engine/drain.v", false, false},
                  {"LAC_FAULT_FACTOR", "lane/lane_array.v", false, false},
                  {"LAC_FAULT_FACTOR", "lane/lane_array.v", true, false},
                  {"LAC_FAULT_EACH", "lane/lane_array.v", true, false}};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        char command[1024];
        snprintf(command, sizeof command,
                 "rm -rf gated_rtl && cp -r '%s/rtl' gated_rtl && sed -i '1i `define %s' gated_rtl/%s",
                 LAC_RTL_SOURCE_DIR, faults[i].name, faults[i].file);
        assert_int_equal(system(command), 0);
        if (rtl_is_right("gated_rtl", faults[i].of_pixels) != faults[i].is_right)
            fail_msg("with %s", faults[i].name);
    }
}
#endif

int main(int argc, char **argv) {
    const struct CMUnitTest quick[] = {
        cmocka_unit_test(random_graphs_without_a_clock),
        cmocka_unit_test(every_code_without_a_clock),
        cmocka_unit_test(damaged_tables_and_factors_are_refused),
        cmocka_unit_test(damaged_factors_of_pixels_are_refused),
        cmocka_unit_test(the_model_refuses_what_its_engine_has_not),
    };
    const struct CMUnitTest full[] = {
        cmocka_unit_test(every_code_with_a_clock),
        cmocka_unit_test(random_graphs_with_a_clock),
#ifdef LAC_RTL_SOURCE_DIR
        cmocka_unit_test(faults_in_the_rtl_are_noticed),
#endif
    };
    if (argc > 1 && strcmp(argv[1], "clock") == 0) return cmocka_run_group_tests(full, NULL, NULL);
    return cmocka_run_group_tests(quick, NULL, NULL);
}
