#include "arena.h"
#include "cosim_encode.h"
#include "cosim_net.h"
#include "lac_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/// Random and directed networks through the RTL, every written word compared with plain loops.
///
///   test_engine MESH_X MESH_Y DRAIN ACC_BITS ACT_WORDS LIST_WORDS LANE ACT_BITS VECTOR TABLE SCALE [fault]

/// Cycles of a step that are neither issue, starvation nor drain: filling and emptying the pipeline.
enum { BARRIER = 16, N_RANDOM = 60 };

static lac_sim_config engine;
static lac_sim *sim;

typedef struct seen {
    const cosim_net *net;
    int16_t *written; ///< as net->expected
    uint64_t n_twice;
    bool full_rate;
    int n_steps;
    uint64_t last_cycle;
    uint32_t compute[MAX_LAYERS], starved[MAX_LAYERS], drain[MAX_LAYERS], other[MAX_LAYERS];
} seen;

static void on_write(void *ctx, uint64_t cycle, uint32_t address, uint32_t group, const uint8_t *codes) {
    seen *s = ctx;
    (void)cycle;
    for (int i = 0; i < engine.drain; i++) {
        int16_t *word = &s->written[(int)address * s->net->n_lanes + (int)group * engine.drain + i];
        s->n_twice += *word != NOT_WRITTEN;
        *word = codes[i];
    }
}

static void on_step(void *ctx, uint64_t cycle, uint32_t step, uint32_t compute, uint32_t starved,
                    uint32_t drain, uint32_t other) {
    seen *s = ctx;
    assert_int_equal(step, s->n_steps);
    // Counters cover the cycles since the step before; of the first, those since the first accepted word.
    uint64_t sum = (uint64_t)compute + starved + drain + other;
    if (s->n_steps > 0)
        assert_int_equal(sum, cycle - s->last_cycle);
    else
        assert_in_range(sum, s->full_rate ? cycle + 1 : 1, cycle + 1);
    s->last_cycle = cycle;
    s->compute[step] = compute;
    s->starved[step] = starved;
    s->drain[step] = drain;
    s->other[step] = other;
    s->n_steps++;
}

static void load_input(lac_sim *on, const cosim_net *net) {
    const cosim_tensor *t = &net->tensors[0];
    int words = t->tile_h * t->tile_w;
    uint8_t codes[64];
    for (int i = 0; i < t->c * words; i++) {
        for (int group = 0; group < net->n_lanes / engine.drain; group++) {
            for (int k = 0; k < engine.drain; k++) {
                int lane = group * engine.drain + k;
                codes[k] = t->codes[(i / words * net->n_lanes + lane) * words + i % words];
            }
            lac_sim_load(on, (uint32_t)(t->base + i), (uint32_t)group, codes);
        }
    }
}

/// How many written codes and raw results differ; the first is described.
static int n_differences(const cosim_net *net, const seen *s, const int32_t *raw, char *first,
                         size_t n_bytes) {
    int n = 0;
    for (int a = 0; a < engine.act_words; a++) {
        for (int lane = 0; lane < net->n_lanes; lane++) {
            int want = net->expected[a * net->n_lanes + lane], got = s->written[a * net->n_lanes + lane];
            // Of a group of lanes with a sum only the first counts.
            int head = lane / engine.drain * engine.drain;
            bool dont_care = want == NOT_WRITTEN && net->expected[a * net->n_lanes + head] != NOT_WRITTEN;
            if (want == got || dont_care) continue;
            if (n++ == 0) snprintf(first, n_bytes, "word %d lane %d is %d, should be %d", a, lane, got, want);
        }
    }
    for (size_t i = 0; i < net->n_raw; i++) {
        if (raw[i] == net->raw[i]) continue;
        if (n++ == 0) snprintf(first, n_bytes, "raw result %zu is %d, should be %d", i, raw[i], net->raw[i]);
    }
    return n;
}

static int run_once(lac_sim *on, const cosim_net *net, const cosim_program *program,
                    const lac_sim_stalls *stalls, uint64_t seed, lac_arena *arena, seen *s) {
    size_t n = (size_t)engine.act_words * (size_t)net->n_lanes;
    *s = (seen){
        .net = net, .written = LAC_NEW_ARRAY(arena, int16_t, n), .full_rate = !stalls || !stalls->seed};
    for (size_t i = 0; i < n; i++) s->written[i] = NOT_WRITTEN;
    int32_t *raw = LAC_NEW_ARRAY(arena, int32_t, net->n_raw + 1);
    lac_sim_watch watch = {.write = on_write, .step_done = on_step, .ctx = s};
    lac_error err = {0};
    uint64_t cycles = 0;
    char first[128] = "";
    load_input(on, net);
    if (lac_sim_run(on, program->words, program->n, raw, net->n_raw, &watch, stalls, &cycles, &err) != LAC_OK)
        fail_msg("seed %llu: %s", (unsigned long long)seed, err.text);
    assert_int_equal(s->n_steps, net->n_layers);
    assert_int_equal(s->n_twice, 0);
    int differences = n_differences(net, s, raw, first, sizeof first);
    if (differences) print_message("seed %llu: %s\n", (unsigned long long)seed, first);
    return differences;
}

static void run_and_compare(const cosim_net *net, const cosim_program *program, const lac_sim_stalls *stalls,
                            uint64_t seed, lac_arena *arena, seen *s) {
    assert_int_equal(run_once(sim, net, program, stalls, seed, arena, s), 0);
}

/// The vector unit takes a list word a cycle; what it waits for is headers.
static void check_vector(const cosim_program *program, const seen *s, int i, uint64_t seed) {
    uint64_t other = BARRIER + 2 + (i == 0);
    if (s->compute[i] != program->n_list_words[i] || s->drain[i] || s->other[i] > other)
        fail_msg(
            "seed %llu layer %d: %u cycles for %llu words, %u of the drain, %u between the layers, over %llu",
            (unsigned long long)seed, i, s->compute[i], (unsigned long long)program->n_list_words[i],
            s->drain[i], s->other[i], (unsigned long long)other);
}

/// At full rate the mesh issues one entry a cycle, and what it loses is accounted for.
static void check_throughput(const cosim_net *net, const cosim_program *program, const seen *s,
                             uint64_t seed) {
    uint64_t groups = (uint64_t)(net->n_lanes / engine.drain);
    for (int i = 0; i < net->n_layers; i++) {
        const cosim_layer *l = &net->layers[i];
        if (l->order == 3) {
            check_vector(program, s, i, seed);
            continue;
        }
        if (s->compute[i] != l->n_entries * l->n_pixels)
            fail_msg("seed %llu layer %d: %u cycles of issue for %llu entries x %llu pixels",
                     (unsigned long long)seed, i, s->compute[i], (unsigned long long)l->n_entries,
                     (unsigned long long)l->n_pixels);
        // The first descriptor's copy is not hidden; an empty channel takes a cycle a pixel to say so.
        uint64_t limit = BARRIER + groups + (l->n_empty + l->n_nulls) * l->n_pixels + (i == 0);
        if (l->reduce) limit += 2;
        if (l->raw && !l->reduce) limit += (uint64_t)net->n_lanes;
        if (s->other[i] > limit)
            fail_msg("seed %llu layer %d: %u cycles between the layers, should be at most %llu",
                     (unsigned long long)seed, i, s->other[i], (unsigned long long)limit);
        if (!l->raw && l->min_entries >= groups) assert_int_equal(s->drain[i], 0);
    }
}

/// What the random networks must have shown, so that a change of the generator cannot empty the test.
typedef struct coverage {
    int kinds[4], orders[4], widths[17], groups, strides, pools, raw_lanes, raw_sums, sums, empty, partial,
        negative, nulls, split, split_sums, streamed;
} coverage;

static void cover(coverage *c, const cosim_net *net) {
    for (int i = 0; i < net->n_layers; i++) {
        const cosim_layer *l = &net->layers[i];
        const cosim_tensor *in = &net->tensors[l->in];
        c->kinds[l->kind]++;
        c->orders[l->order]++;
        c->widths[l->entry_bits]++;
        c->groups += l->groups > 1;
        c->strides += l->stride_y > 1;
        c->pools += l->pool_h > 1;
        c->raw_lanes += l->raw && !l->reduce;
        c->raw_sums += l->raw && l->reduce;
        c->sums += !l->raw && l->reduce;
        c->empty += l->n_empty > 0;
        c->streamed += l->streamed;
        c->nulls += l->n_nulls > 0;
        c->partial += in->h % in->tile_h != 0 || in->w % in->tile_w != 0;
        c->negative += in->is_signed;
        c->split += net->split_y + net->split_x > 0;
        c->split_sums += net->split_y > 0 && net->split_x > 0 && l->reduce;
    }
}

static void check_coverage(const coverage *c) {
    const int counts[] = {c->kinds[0],  c->kinds[1],  c->kinds[2],  c->kinds[3],  c->orders[0],
                          c->orders[1], c->orders[2], c->widths[4], c->widths[8], c->widths[16],
                          c->groups,    c->strides,   c->pools,     c->raw_lanes, c->raw_sums,
                          c->sums,      c->empty,     c->partial,   c->negative,  c->streamed};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        if (counts[i] < 2) fail_msg("count %zu is %d", i, counts[i]);
    if (engine.lane == 1) assert_true(c->nulls >= 2);
    if (engine.vector) assert_true(c->orders[3] >= 20);
    if (engine.mesh_y == 8 && engine.mesh_x == 2) assert_true(c->split >= 2);
    if (engine.mesh_y % 2 == 0 && engine.mesh_x % (2 * engine.drain) == 0)
        assert_true(c->split >= 2 && c->split_sums >= 2);
}

static void equals_plain_loops_under_all_stalls(void **state) {
    (void)state;
    static const lac_sim_stalls patterns[] = {{0, 0, 0}, {11, 50, 0}, {12, 0, 60}, {13, 70, 80}};
    uint64_t first = getenv("LAC_SEED") ? strtoull(getenv("LAC_SEED"), NULL, 0) : 1;
    uint64_t n = getenv("LAC_SEED") ? 1 : N_RANDOM;
    coverage covered = {0};
    for (uint64_t seed = first; seed < first + n; seed++) {
        lac_arena *arena = lac_arena_open();
        cosim_net *net = LAC_NEW(arena, cosim_net);
        cosim_program program;
        cosim_net_make(net, &engine, seed, arena);
        cosim_encode(net, arena, &program);
        for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
            seen s;
            run_and_compare(net, &program, &patterns[i], seed, arena, &s);
            if (i == 0) check_throughput(net, &program, &s, seed);
        }
        cover(&covered, net);
        lac_arena_close(arena);
    }
    if (n > 1) check_coverage(&covered);
    print_message("seeds %llu..%llu\n", (unsigned long long)first, (unsigned long long)(first + n - 1));
}

/// Two dense layers one after the other: the second's lists are decoded behind the first's execution, so that
/// only the pipeline stands between them.
static void next_layer_starts_without_starving(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    cosim_net *net = LAC_NEW(arena, cosim_net);
    cosim_program program;
    seen s;
    cosim_net_start(net, &engine, 1, arena);
    cosim_conv conv = {
        .c_out = 4, .groups = 1, .kh = 3, .kw = 3, .stride = 1, .dilation = 1, .pad = 1, .pool = 1};
    conv.entry_bits = 8;
    conv.weight_bits = engine.acc_bits < 18 ? 2 : 4;
    conv.density = 100;
    conv.in = cosim_net_input(net, 4, engine.mesh_y * 4, engine.mesh_x * 4, 4, false);
    for (int i = 0; i < 3; i++) {
        cosim_layer *layer = cosim_net_conv(net, &conv);
        assert_non_null(layer);
        conv.in = layer->out;
    }
    cosim_net_run(net);
    cosim_encode(net, arena, &program);
    run_and_compare(net, &program, NULL, 1, arena, &s);
    check_throughput(net, &program, &s, 1);
    assert_int_equal(s.starved[1], 0);
    assert_int_equal(s.starved[2], 0);
    assert_int_equal(s.drain[1], 0);
    lac_arena_close(arena);
}

/// A vector layer reads every entry once: decoding must keep up, one entry a cycle, headers and ends
/// included.
static void vector_layer_runs_at_one_entry_a_cycle(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    cosim_net *net = LAC_NEW(arena, cosim_net);
    cosim_program program;
    seen s;
    cosim_net_start(net, &engine, 1, arena);
    cosim_conv conv = {.c_out = 40, .groups = 1, .kh = 1, .kw = 1, .stride = 1, .dilation = 1, .pool = 1};
    conv.entry_bits = 8;
    conv.weight_bits = engine.acc_bits < 18 ? 2 : 4;
    conv.density = 100;
    conv.in = cosim_net_input(net, 32, 1, 1, 1, false); // 32 entries: the end mark starts a word of its own
    assert_non_null(cosim_net_conv(net, &conv));
    cosim_net_run(net);
    cosim_encode(net, arena, &program);
    run_and_compare(net, &program, NULL, 1, arena, &s);
    check_throughput(net, &program, &s, 1);
    assert_int_equal(s.compute[0], net->layers[0].n_entries);
    // Until the first entry is there; a mark of a new plane takes a slot of the decoder.
    assert_true(s.starved[0] <= 16 + (engine.lane == 1 ? 40 : 0));
    lac_arena_close(arena);
}

/// Two layers on the vector unit: a word a cycle, and a cycle for each header.
static void vector_unit_takes_a_word_a_cycle(void **state) {
    (void)state;
    enum { C_IN = 200, N_OUT = 40 };
    if (!engine.vector) return;
    lac_arena *arena = lac_arena_open();
    cosim_net *net = LAC_NEW(arena, cosim_net);
    cosim_program program;
    seen s;
    cosim_net_start(net, &engine, 1, arena);
    cosim_conv conv = {.c_out = N_OUT, .groups = 1, .kh = 1, .kw = 1, .stride = 1, .dilation = 1, .pool = 1};
    conv.order = 3;
    conv.entry_bits = 64 / engine.vector > 4 ? 64 / engine.vector : 4;
    conv.weight_bits = engine.acc_bits < 18 || engine.vector == 16 ? 2 : 4;
    conv.density = 60;
    conv.in = cosim_net_input(net, C_IN, 1, 1, 1, false);
    for (int i = 0; i < 2; i++) {
        cosim_layer *layer = cosim_net_conv(net, &conv);
        assert_non_null(layer);
        conv.in = layer->out;
    }
    cosim_net_run(net);
    cosim_encode(net, arena, &program);
    run_and_compare(net, &program, NULL, 1, arena, &s);
    check_throughput(net, &program, &s, 1);
    for (int i = 0; i < 2; i++) // headers that only count are rare
        assert_in_range(s.starved[i], N_OUT - 1, 2 * N_OUT + 16);
    lac_arena_close(arena);
}

/// A layer of one row for every slot, so that a slot that is not the slow one comes to its limit of channels
/// ahead.
static void make_narrow(cosim_net *net, uint64_t seed, lac_arena *arena, cosim_program *program) {
    cosim_net_start(net, &engine, seed, arena);
    cosim_conv conv = {
        .c_out = MAX_COUT, .groups = 1, .kh = 1, .kw = 1, .stride = 1, .dilation = 1, .pool = 1};
    conv.order = 3;
    conv.entry_bits = 64 / engine.vector;
    conv.weight_bits = 2;
    conv.density = 80;
    conv.in = cosim_net_input(net, engine.vector, 1, 1, 1, false);
    assert_non_null(cosim_net_conv(net, &conv));
    cosim_net_run(net);
    cosim_encode(net, arena, program);
}

static void slots_may_be_far_ahead(void **state) {
    (void)state;
    static const lac_sim_stalls patterns[] = {{0, 0, 0}, {11, 50, 0}};
    for (uint64_t seed = 1; engine.vector && seed <= 10; seed++) {
        lac_arena *arena = lac_arena_open();
        cosim_net *net = LAC_NEW(arena, cosim_net);
        cosim_program program;
        seen s;
        make_narrow(net, seed, arena, &program);
        for (int i = 0; i < 2; i++) run_and_compare(net, &program, &patterns[i], seed, arena, &s);
        lac_arena_close(arena);
    }
}

/// A program that stops in the middle, one with a broken record, one with more results than asked for.
static void broken_programs_end_with_a_sentence(void **state) {
    (void)state;
    lac_error err = {0};
    uint64_t cycles = 0, bad[] = {3};
    assert_int_equal(lac_sim_run(sim, bad, 1, NULL, 0, NULL, NULL, &cycles, &err), LAC_E_DEVICE);
    assert_non_null(strstr(err.text, "neither a layer nor the end"));
    uint64_t layer[4] = {0};
    LAC_FIELD_SET(layer, LAYER_KIND, 1);
    assert_int_equal(lac_sim_run(sim, layer, 2, NULL, 0, NULL, NULL, &cycles, &err), LAC_E_DEVICE);
    assert_non_null(strstr(err.text, "stands still"));
    assert_in_range(cycles, 1000000, 1000100);
    uint64_t end[] = {2, 2};
    assert_int_equal(lac_sim_run(sim, end, 2, NULL, 0, NULL, NULL, &cycles, &err), LAC_E_DEVICE);
    assert_non_null(strstr(err.text, "goes on after its end"));
    int32_t out[1];
    assert_int_equal(lac_sim_run(sim, end, 1, out, 1, NULL, NULL, &cycles, &err), LAC_E_DEVICE);
    assert_non_null(strstr(err.text, "0 of the 1 results"));
    assert_int_equal(lac_sim_run(sim, end, 1, NULL, 0, NULL, NULL, &cycles, &err), LAC_OK);
}

/// The comparison's own test: an engine that rounds wrongly, or whose slots' queues
/// are too short for how far a slot may be ahead, must not pass it.
static void a_fault_in_the_rtl_is_noticed(void **state) {
    (void)state;
    static const char copy[] = "fault_rtl";
    char command[1024];
    snprintf(command, sizeof command, "rm -rf %s && cp -r '%s/rtl' %s && sed -i '1i `define %s' %s/%s", copy,
             LAC_RTL_SOURCE_DIR, copy, engine.vector ? "LAC_FAULT_QUEUE" : "LAC_FAULT_ROUNDING", copy,
             engine.vector ? "engine/vector_unit.v" : "lane/requantize.v");
    assert_int_equal(system(command), 0);
    lac_sim_config faulty = engine;
    faulty.rtl_dir = copy;
    lac_sim *broken = NULL;
    lac_error err = {0};
    if (lac_sim_open(&faulty, NULL, &broken, &err) != LAC_OK) fail_msg("%s", err.text);
    int differences = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        lac_arena *arena = lac_arena_open();
        cosim_net *net = LAC_NEW(arena, cosim_net);
        cosim_program program;
        seen s;
        if (engine.vector) {
            make_narrow(net, seed, arena, &program);
        } else {
            cosim_net_make(net, &engine, seed, arena);
            cosim_encode(net, arena, &program);
        }
        differences += run_once(broken, net, &program, NULL, seed, arena, &s);
        lac_arena_close(arena);
    }
    lac_sim_close(broken);
    assert_true(differences > 0);
}

static int open_engine(void **state) {
    (void)state;
    lac_error err = {0};
    if (lac_sim_open(&engine, NULL, &sim, &err) == LAC_OK) return 0;
    print_message("%s\n", err.text);
    return 1;
}

static int close_engine(void **state) {
    (void)state;
    lac_sim_close(sim);
    return 0;
}

int main(int argc, char **argv) {
    int values[LAC_N_PARAMS];
    if (argc < LAC_N_PARAMS + 1) return 2;
    for (int i = 0; i < LAC_N_PARAMS; i++) values[i] = atoi(argv[i + 1]);
    memcpy(&engine, values, sizeof values);
    if (argc == LAC_N_PARAMS + 2 && strcmp(argv[LAC_N_PARAMS + 1], "fault") == 0) {
        const struct CMUnitTest fault[] = {cmocka_unit_test(a_fault_in_the_rtl_is_noticed)};
        return cmocka_run_group_tests_name("engine with a fault", fault, NULL, NULL);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_layer_starts_without_starving),
        cmocka_unit_test(vector_layer_runs_at_one_entry_a_cycle),
        cmocka_unit_test(vector_unit_takes_a_word_a_cycle),
        cmocka_unit_test(slots_may_be_far_ahead),
        cmocka_unit_test(equals_plain_loops_under_all_stalls),
        cmocka_unit_test(broken_programs_end_with_a_sentence),
    };
    return cmocka_run_group_tests_name("engine", tests, open_engine, close_engine);
}
