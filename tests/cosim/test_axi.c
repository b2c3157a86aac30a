#include "axi.h"
#include "graph_builder.h"
#include "kernel_job.h"
#include "lac_contract.h"
#include "lac_registers.h"
#include "ref.h"
#include "rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// The kernel through its AXI pins: random networks under random weather, and everything that may go wrong.
///
///   test_axi MESH_X MESH_Y DRAIN ACT_WORDS LIST_WORDS LANE DATA_BITS

enum {
    MEMORY_BYTES = 1 << 20,
    LIMIT = 20000000,
    LONG = 1500000,
    MOST_RUNS = 4,
    PATIENCE = 14,
    PAGE = 0x3000
};

static lac_engine_config engine;
static int data_bits;
static lac_axi *axi;
static lac_error err;

#define MUST(call)                                                                                           \
    do {                                                                                                     \
        if ((call) != LAC_OK) fail_msg("%s", err.text);                                                      \
    } while (0)

// ---- a job in memory --------------------------------------------------------------------------------------

typedef struct scene {
    lac_arena *arena;
    lac_image *image;
    lac_axi_job job;
    lac_kernel_job facts;
    int32_t *expected[MOST_RUNS]; ///< output tensors
    uint64_t seed, ideal_cycles;
} scene;

static uint8_t *at(uint64_t address) {
    lac_axi_memory *ram = lac_axi_ram(axi);
    assert_true(address >= ram->base && address < ram->base + ram->n_bytes);
    return ram->bytes + (address - ram->base);
}

/// The next free place; every other one lies just before the end of a page, so that bursts must be cut there.
static uint64_t take(uint64_t *next, size_t bytes, int i) {
    uint64_t address = (*next + 63) / 64 * 64;
    if (i % 2) address = (address + 4095) / 4096 * 4096 + 4096 - 64;
    *next = address + bytes;
    assert_true(*next <= lac_axi_ram(axi)->base + MEMORY_BYTES);
    return address;
}

static void fill_memory(scene *s, uint32_t runs) {
    lac_axi_memory *ram = lac_axi_ram(axi);
    memset(ram->bytes, 0xA5, ram->n_bytes);
    uint64_t next = ram->base + s->seed % 7 * 64;
    uint8_t *scratch = LAC_NEW_ARRAY(s->arena, uint8_t, engine.act_words * engine.mesh_x * engine.mesh_y);
    s->facts = lac_kernel_job_of(s->image);
    s->job = (lac_axi_job){.contract = s->facts.contract,
                           .engine = s->facts.engine,
                           .program_words = s->facts.program_words,
                           .input_base = s->facts.input_base,
                           .input_words = s->facts.input_words,
                           .output_words = s->facts.output_words,
                           .runs = runs,
                           .patience = PATIENCE};
    s->job.program = take(&next, 8 * s->image->n_program, (int)s->seed);
    memcpy(at(s->job.program), s->image->program, 8 * s->image->n_program);
    s->job.input = take(&next, runs * s->facts.input_bytes, (int)(s->seed / 2));
    s->job.output = take(&next, runs * s->facts.output_bytes, (int)(s->seed / 4));
    s->job.report = take(&next, LAC_REPORT_BYTES, 0);
    const lac_int_graph *graph = s->image->graph;
    for (uint32_t i = 0; i < runs; i++) {
        int32_t **values = reference_values(graph, s->arena, s->seed * 16 + i);
        lac_kernel_pack_input(s->image, values[graph->input], scratch,
                              at(s->job.input + i * s->facts.input_bytes));
        s->expected[i] = values[graph->output];
    }
    for (int i = 0; i < s->image->n_steps; i++) s->ideal_cycles += s->image->steps[i].ideal_cycles;
}

/// A random network that fits the engine.
static scene scene_begin(uint64_t seed, uint32_t runs) {
    scene s = {.arena = lac_arena_open(), .seed = seed};
    while (lac_compile(random_graph(s.arena, seed), &engine, s.arena, &s.image, NULL) != LAC_OK) seed += 1000;
    fill_memory(&s, runs);
    return s;
}

static void scene_end(scene *s) {
    lac_arena_close(s->arena);
}

static uint64_t report(const scene *s, int offset, int bytes) {
    uint64_t value = 0;
    memcpy(&value, at(s->job.report + (uint64_t)offset), (size_t)bytes);
    return value;
}

static void check_results(const scene *s) {
    const lac_int_graph *graph = s->image->graph;
    size_t n = lac_int_tensor_count(&graph->tensors[graph->output]);
    int32_t *got = LAC_NEW_ARRAY(s->arena, int32_t, n);
    for (uint32_t i = 0; i < s->job.runs; i++) {
        const void *results = at(s->job.output + i * s->facts.output_bytes);
        int32_t *sent = LAC_NEW_ARRAY(s->arena, int32_t, s->facts.output_words);
        memcpy(sent, results, 4 * (size_t)s->facts.output_words);
        lac_kernel_unpack_output(s->image, sent, got);
        for (size_t k = 0; k < n; k++)
            if (got[k] != s->expected[i][k])
                fail_msg("seed %llu, run %u, value %zu: %d, reference %d", (unsigned long long)s->seed, i, k,
                         got[k], s->expected[i][k]);
    }
}

static void check_report(const scene *s, uint64_t host_cycles) {
    static const int causes[] = {LAC_REPORT_COMPUTE, LAC_REPORT_STARVED, LAC_REPORT_DRAIN,
                                 LAC_REPORT_LOAD,    LAC_REPORT_MEMORY,  LAC_REPORT_OTHER};
    uint64_t sum = 0, cycles = report(s, LAC_REPORT_CYCLES, 8);
    for (int i = 0; i < 6; i++) sum += report(s, causes[i], 8);
    assert_int_equal(report(s, LAC_REPORT_STATUS, 4), LAC_KERNEL_OK);
    assert_int_equal(report(s, LAC_REPORT_RUNS_DONE, 4), s->job.runs);
    assert_int_equal(sum, cycles);
    assert_int_equal(report(s, LAC_REPORT_COMPUTE, 8), s->job.runs * s->ideal_cycles);
    int groups = engine.mesh_x * engine.mesh_y / engine.drain;
    assert_int_equal(report(s, LAC_REPORT_LOAD, 8),
                     (uint64_t)s->job.runs * s->job.input_words * (uint64_t)groups);
    assert_true(cycles < host_cycles && cycles + 2000 > host_cycles - host_cycles / 2);
    // The window shows the same words.
    for (uint32_t word = 0; word < LAC_REPORT_BYTES; word += 4) {
        uint32_t value;
        MUST(lac_axi_read(axi, LAC_REG_WINDOW + word, &value, &err));
        assert_int_equal(value, report(s, (int)word, 4));
    }
}

static void expect_status(const scene *s, uint32_t expected) {
    uint32_t status = 99;
    MUST(lac_axi_run(axi, &s->job, NULL, LIMIT, &status, NULL, &err));
    if (status != expected)
        fail_msg("status %s, expected %s", lac_axi_status_name(status), lac_axi_status_name(expected));
}

/// The kernel is idle and does the same job right, whatever came before.
static void expect_recovery(scene *s) {
    fill_memory(s, s->job.runs);
    expect_status(s, LAC_KERNEL_OK);
    check_results(s);
}

static void set_weather(lac_axi_weather weather) {
    lac_axi_memory *ram = lac_axi_ram(axi);
    ram->weather = weather;
    ram->random = weather.seed * 0x9E3779B97F4A7C15u + 1;
    ram->cycle = ram->n_read_beats = ram->n_write_bursts = 0;
    for (unsigned i = 0; i < LAC_AXI_MAX_BURSTS; i++)
        ram->reads.bursts[i].due = ram->answers.bursts[i].due = 0;
}

// ---- tests ------------------------------------------------------------------------------------------------

static void registers_follow_the_map(void **state) {
    (void)state;
    uint32_t value;
    static const struct {
        uint32_t offset;
        bool is_pointer;
    } rows[] = {
#define LAC_ARGUMENT(name, c_name, offset, is_pointer, type, doc) {offset, is_pointer},
#include "registers.def"
    };
    lac_axi_reset(axi);
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (uint32_t half = 0; half < (rows[i].is_pointer ? 2u : 1u); half++)
            MUST(lac_axi_write(axi, rows[i].offset + 4 * half, 0x11223344u * (i + 1) + half, 15, &err));
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (uint32_t half = 0; half < (rows[i].is_pointer ? 2u : 1u); half++) {
            MUST(lac_axi_read(axi, rows[i].offset + 4 * half, &value, &err));
            uint32_t expected = 0x11223344u * (i + 1) + half;
            if (rows[i].offset == LAC_REG_CONTRACT) expected = LAC_CONTRACT_HASH;
            if (rows[i].offset == LAC_REG_ENGINE) expected = lac_engine_id(&engine);
            assert_int_equal(value, expected);
        }
    // Bytes that are not strobed keep their value.
    MUST(lac_axi_write(axi, LAC_REG_INPUT, 0xAABBCCDD, 15, &err));
    MUST(lac_axi_write(axi, LAC_REG_INPUT, 0x11223344, 5, &err));
    MUST(lac_axi_read(axi, LAC_REG_INPUT, &value, &err));
    assert_int_equal(value, 0xAA22CC44);
    // What is no register reads as 0, whatever was written.
    static const uint32_t nothing[] = {0x14, 0x28, 0x34, 0x7C, 0x100, 0x7FC, 0xFFC};
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
        MUST(lac_axi_write(axi, nothing[i], 0xFFFFFFFF, 15, &err));
        MUST(lac_axi_read(axi, nothing[i], &value, &err));
        assert_int_equal(value, 0);
    }
    const int32_t values[] = {engine.mesh_x, engine.mesh_y, engine.drain};
    for (uint32_t i = 0; i < 3; i++) {
        MUST(lac_axi_read(axi, LAC_REG_PARAMETERS + 4 * i, &value, &err));
        assert_int_equal(value, values[i]);
    }
    MUST(lac_axi_read(axi, LAC_REG_CTRL, &value, &err));
    assert_int_equal(value, 4); // idle
}

static void poll_ctrl(uint32_t bit, uint32_t *value) {
    for (int i = 0; i < 100000; i++) {
        MUST(lac_axi_read(axi, LAC_REG_CTRL, value, &err));
        if (*value & bit) return;
    }
    fail_msg("bit %x of the control word never came", bit);
}

static void done_holds_until_continue_and_interrupts(void **state) {
    (void)state;
    uint32_t value;
    scene s = scene_begin(3, 1);
    lac_axi_reset(axi);
    MUST(lac_axi_write(axi, LAC_REG_GIE, 1, 15, &err));
    MUST(lac_axi_write(axi, LAC_REG_IER, 1, 15, &err));
    assert_false(lac_axi_interrupt(axi));
    MUST(lac_axi_start(axi, &s.job, &err));
    MUST(lac_axi_read(axi, LAC_REG_CTRL, &value, &err));
    assert_int_equal(value & 7, 1); // started, neither done nor idle
    poll_ctrl(2, &value);
    assert_int_equal(value, 0x20E);                      // interrupt, ready, idle, done
    MUST(lac_axi_read(axi, LAC_REG_CTRL, &value, &err)); // ready went with the reading
    assert_int_equal(value, 0x206);
    assert_true(lac_axi_interrupt(axi));
    MUST(lac_axi_write(axi, LAC_REG_ISR, 1, 15, &err)); // toggles
    assert_false(lac_axi_interrupt(axi));
    MUST(lac_axi_write(axi, LAC_REG_CTRL, 1, 15, &err)); // a start waits for the acknowledgement
    lac_axi_idle(axi, 2000);
    MUST(lac_axi_read(axi, LAC_REG_CTRL, &value, &err));
    assert_int_equal(value, 3);
    MUST(lac_axi_write(axi, LAC_REG_CTRL, 16, 15, &err));
    poll_ctrl(2, &value);
    MUST(lac_axi_write(axi, LAC_REG_CTRL, 16, 15, &err));
    MUST(lac_axi_read(axi, LAC_REG_CTRL, &value, &err));
    assert_int_equal(value & 7, 4);
    check_results(&s);
    // auto_restart: done again and again, until it is taken away.
    MUST(lac_axi_write(axi, LAC_REG_CTRL, 0x81, 15, &err));
    for (int i = 0; i < 3; i++) {
        poll_ctrl(2, &value);
        MUST(lac_axi_write(axi, LAC_REG_CTRL, i < 2 ? 0x90 : 0x10, 15, &err));
    }
    poll_ctrl(2, &value); // the one that had been started
    MUST(lac_axi_write(axi, LAC_REG_CTRL, 0x10, 15, &err));
    lac_axi_idle(axi, 100);
    MUST(lac_axi_read(axi, LAC_REG_CTRL, &value, &err));
    assert_int_equal(value & 7, 4);
    scene_end(&s);
}

// ---- as XRT's driver does it ------------------------------------------------------------------------------
// The accesses of its module for kernels of ap_ctrl_chain, one for one: the whole register map from 0x10 on,
// reserved words too; ap_start; then either polls of the control word, or the interrupt, whose status is
// read, answered by ap_continue, and written back.

enum { MAP_BEGIN = 0x10, MAP_WORDS = 27, AP_START = 1, AP_DONE = 2, AP_CONTINUE = 16, INTERRUPT_DONE = 1 };

static void put(uint32_t *words, uint32_t offset, uint64_t value, bool is_pointer) {
    assert_in_range(offset, MAP_BEGIN, MAP_BEGIN + 4 * (MAP_WORDS - 1));
    words[(offset - MAP_BEGIN) / 4] = (uint32_t)value;
    if (is_pointer) words[(offset - MAP_BEGIN) / 4 + 1] = (uint32_t)(value >> 32);
}

static void driver_starts(const lac_axi_job *job) {
    uint32_t words[MAP_WORDS] = {0};
#define LAC_ARGUMENT(name, c_name, offset, is_pointer, type, doc) put(words, offset, job->c_name, is_pointer);
#include "registers.def"
    for (uint32_t i = 0; i < MAP_WORDS; i++) MUST(lac_axi_write(axi, MAP_BEGIN + 4 * i, words[i], 15, &err));
    MUST(lac_axi_write(axi, LAC_REG_CTRL, AP_START, 15, &err));
}

/// One look at the kernel; whether a job is complete. *is_ready: the next one may be written.
static bool driver_checks(bool *is_ready) {
    uint32_t control;
    MUST(lac_axi_read(axi, LAC_REG_CTRL, &control, &err));
    *is_ready = *is_ready || !(control & AP_START);
    if (!(control & AP_DONE)) return false;
    MUST(lac_axi_write(axi, LAC_REG_CTRL, AP_CONTINUE, 15, &err));
    return true;
}

static void driver_polls(void) {
    bool is_ready = false;
    for (int i = 0; i < 100000; i++)
        if (driver_checks(&is_ready)) {
            assert_true(is_ready);
            return;
        }
    fail_msg("the kernel is never done");
}

static void driver_is_interrupted(void) {
    uint32_t status, control;
    for (int i = 0; i < LIMIT && !lac_axi_interrupt(axi); i++) lac_axi_idle(axi, 1);
    assert_true(lac_axi_interrupt(axi));
    MUST(lac_axi_read(axi, LAC_REG_ISR, &status, &err));
    assert_int_equal(status & INTERRUPT_DONE, INTERRUPT_DONE);
    MUST(lac_axi_read(axi, LAC_REG_CTRL, &control, &err));
    assert_int_equal(control & AP_DONE, AP_DONE);
    MUST(lac_axi_write(axi, LAC_REG_CTRL, AP_CONTINUE, 15, &err));
    MUST(lac_axi_write(axi, LAC_REG_ISR, status, 15, &err));
    assert_false(lac_axi_interrupt(axi));
}

static void does_what_xrt_s_driver_expects(void **state) {
    (void)state;
    for (int interrupts = 0; interrupts < 2; interrupts++) {
        uint32_t control;
        lac_axi_reset(axi);
        MUST(lac_axi_read(axi, LAC_REG_CTRL, &control, &err)); // when the module finds the kernel
        assert_int_equal(control, 4);
        MUST(lac_axi_write(axi, LAC_REG_GIE, (uint32_t)interrupts, 15, &err));
        MUST(lac_axi_write(axi, LAC_REG_IER, interrupts ? INTERRUPT_DONE : 0, 15, &err));
        for (uint32_t i = 0; i < 4; i++) {
            scene s = scene_begin(20 + i, 1 + i % 3);
            driver_starts(&s.job);
            if (interrupts)
                driver_is_interrupted();
            else
                driver_polls();
            assert_int_equal(report(&s, LAC_REPORT_STATUS, 4), LAC_KERNEL_OK);
            check_results(&s);
            scene_end(&s);
        }
    }
    // A driver that forgets ap_continue does not see a second job end.
    scene s = scene_begin(24, 1);
    bool is_ready = false, is_done = false;
    lac_axi_reset(axi);
    driver_starts(&s.job);
    uint32_t control = 0;
    for (int i = 0; i < 100000 && !(control & AP_DONE); i++)
        MUST(lac_axi_read(axi, LAC_REG_CTRL, &control, &err));
    memset(at(s.job.report), 0, LAC_REPORT_BYTES);
    driver_starts(&s.job);
    lac_axi_idle(axi, 20000);
    assert_int_equal(report(&s, LAC_REPORT_RUNS_DONE, 4), 0);
    for (int i = 0; i < 100000 && !is_done; i++) is_done = driver_checks(&is_ready); // of the first
    is_done = false;
    for (int i = 0; i < 100000 && !is_done; i++) is_done = driver_checks(&is_ready);
    assert_true(is_done);
    assert_int_equal(report(&s, LAC_REPORT_RUNS_DONE, 4), 1);
    check_results(&s);
    scene_end(&s);
}

static void equals_the_reference_in_any_weather(void **state) {
    (void)state;
    int n = getenv("LAC_TEST_GRAPHS") ? atoi(getenv("LAC_TEST_GRAPHS")) : 40;
    uint64_t least_memory = 0, most_memory = 0;
    for (int i = 0; i < n; i++) {
        lac_rng rng = lac_rng_make(700 + (uint64_t)i, 0);
        lac_axi_weather weather = {.latency_low = (int)lac_rng_below(&rng, 40)};
        if (i % 4) {
            weather.seed = 900 + (uint64_t)i;
            weather.stall_percent = (int)lac_rng_below(&rng, 60);
            weather.latency_high = weather.latency_low + (int)lac_rng_below(&rng, 100);
        }
        set_weather(weather);
        scene s = scene_begin(100 + (uint64_t)i, 1 + lac_rng_below(&rng, MOST_RUNS));
        uint32_t status;
        uint64_t cycles;
        MUST(lac_axi_run(axi, &s.job, NULL, LIMIT, &status, &cycles, &err));
        if (status != LAC_KERNEL_OK) fail_msg("seed %d: status %s", 100 + i, lac_axi_status_name(status));
        check_results(&s);
        check_report(&s, cycles);
        uint64_t memory = report(&s, LAC_REPORT_MEMORY, 8) * 100 / report(&s, LAC_REPORT_CYCLES, 8);
        if (i == 0 || memory < least_memory) least_memory = memory;
        if (memory > most_memory) most_memory = memory;
        scene_end(&s);
    }
    print_message("%d networks; waiting for memory %llu %% .. %llu %% of the cycles\n", n,
                  (unsigned long long)least_memory, (unsigned long long)most_memory);
    set_weather((lac_axi_weather){.latency_low = 8});
}

static void wrong_arguments_are_refused(void **state) {
    (void)state;
    scene s = scene_begin(11, 2);
    const lac_axi_job good = s.job;
    struct {
        lac_axi_job job;
        uint32_t status;
    } cases[16];
    int n = 0;
#define CASE(field, value, code)                                                                             \
    do {                                                                                                     \
        cases[n].job = good;                                                                                 \
        cases[n].job.field = (value);                                                                        \
        cases[n++].status = (code);                                                                          \
    } while (0)
    CASE(contract, good.contract ^ 1, LAC_KERNEL_CONTRACT);
    CASE(engine, good.engine + 1, LAC_KERNEL_ENGINE);
    CASE(program, good.program + 8, LAC_KERNEL_ARGUMENT);
    CASE(input, good.input + 1, LAC_KERNEL_ARGUMENT);
    CASE(output, good.output + 32, LAC_KERNEL_ARGUMENT);
    CASE(program_words, 0, LAC_KERNEL_ARGUMENT);
    CASE(input_words, 0, LAC_KERNEL_ARGUMENT);
    CASE(input_words, (uint32_t)engine.act_words + 1, LAC_KERNEL_ARGUMENT);
    CASE(input_base, (uint32_t)engine.act_words, LAC_KERNEL_ARGUMENT);
    CASE(input_base, (uint32_t)engine.act_words - good.input_words + 1, LAC_KERNEL_ARGUMENT);
    CASE(output_words, 0, LAC_KERNEL_ARGUMENT);
    CASE(runs, 0, LAC_KERNEL_ARGUMENT);
    CASE(runs, 1u << 24, LAC_KERNEL_ARGUMENT);
    CASE(patience, 32, LAC_KERNEL_ARGUMENT);
    for (int i = 0; i < n; i++) {
        s.job = cases[i].job;
        memset(at(s.job.report), 0xA5, LAC_REPORT_BYTES);
        expect_status(&s, cases[i].status);
        assert_int_equal(report(&s, LAC_REPORT_STATUS, 4), cases[i].status); // a host may see memory only
        assert_int_equal(report(&s, LAC_REPORT_RUNS_DONE, 4), 0);
        s.job = good;
        expect_recovery(&s);
    }
    // Without a report, or with a misplaced one, nothing is written there.
    s.job.report += 4;
    expect_status(&s, LAC_KERNEL_ARGUMENT);
    s.job.report = 0;
    expect_status(&s, LAC_KERNEL_OK);
    check_results(&s);
    s.job = good;
    expect_recovery(&s);
    scene_end(&s);
}

static void broken_programs_end_with_a_status(void **state) {
    (void)state;
    scene s = scene_begin(12, 2);
    const lac_axi_job good = s.job;
    uint64_t zero = 0;
    memcpy(at(s.job.program), &zero, 8); // no record at all
    expect_status(&s, LAC_KERNEL_PROGRAM);
    assert_int_equal(report(&s, LAC_REPORT_STATUS, 4), LAC_KERNEL_PROGRAM);
    expect_recovery(&s);
    for (uint32_t cut = 1; cut < 60 && cut < good.program_words; cut += 11) {
        s.job.program_words = good.program_words - cut;
        expect_status(&s, LAC_KERNEL_TRUNCATED);
        s.job = good;
        expect_recovery(&s);
    }
    s.job.program_words = good.program_words + 1;
    expect_status(&s, LAC_KERNEL_LEFT_OVER);
    s.job = good;
    expect_recovery(&s);
    for (int more = -1; more <= 1; more += 2) {
        if (good.output_words == 1 && more < 0) continue;
        s.job.output_words = good.output_words + (uint32_t)more;
        expect_status(&s, LAC_KERNEL_RESULTS);
        s.job = good;
        expect_recovery(&s);
    }
    scene_end(&s);
}

/// Random words in place of the program: any status, but an end, and a kernel that works afterwards.
static void noise_for_a_program_never_hangs(void **state) {
    (void)state;
    scene s = scene_begin(13, 2);
    lac_rng rng = lac_rng_make(77, 0);
    int seen[16] = {0};
    for (int i = 0; i < 60; i++) {
        fill_memory(&s, 2);
        uint8_t *program = at(s.job.program);
        int flips = 1 + (int)lac_rng_below(&rng, 4);
        for (int k = 0; k < flips; k++) {
            // Half of the damage is done to the descriptors in front.
            uint32_t n = 8 * (k % 2 ? s.job.program_words : 6);
            program[lac_rng_below(&rng, n)] ^= (uint8_t)(1u << lac_rng_below(&rng, 8));
        }
        if (i % 3 == 0) { // a stretch of noise
            uint32_t from = lac_rng_below(&rng, s.job.program_words), words = 1 + lac_rng_below(&rng, 8);
            for (uint32_t b = 8 * from; b < 8 * (from + words) && b < 8 * s.job.program_words; b++)
                program[b] = (uint8_t)lac_rng_below(&rng, 256);
        }
        uint32_t status = LAC_KERNEL_BUSY;
        // A damaged size may mean work for hours; that ends after 64 times the patience.
        MUST(lac_axi_run(axi, &s.job, NULL, LONG, &status, NULL, &err));
        assert_in_range(status, 0, 15);
        seen[status]++;
        if (status != LAC_KERNEL_OK) expect_recovery(&s);
    }
    assert_true(seen[LAC_KERNEL_OK] < 60);
    for (int i = 0; i < 16; i++)
        if (seen[i]) print_message("%d x %s\n", seen[i], lac_axi_status_name((uint32_t)i));
    scene_end(&s);
}

static void memory_errors_end_with_a_status(void **state) {
    (void)state;
    scene s = scene_begin(14, 3);
    for (uint64_t beat = 1; beat < 40; beat += 5) {
        set_weather(
            (lac_axi_weather){.seed = beat, .stall_percent = 20, .latency_high = 30, .read_error_at = beat});
        expect_status(&s, LAC_KERNEL_READ_ERROR);
        assert_int_equal(report(&s, LAC_REPORT_STATUS, 4), LAC_KERNEL_READ_ERROR);
        set_weather((lac_axi_weather){.latency_low = 8});
        expect_recovery(&s);
    }
    for (uint64_t burst = 1; burst <= 3; burst++) {
        set_weather((lac_axi_weather){.latency_low = 8, .write_error_at = burst});
        expect_status(&s, LAC_KERNEL_WRITE_ERROR);
        set_weather((lac_axi_weather){.latency_low = 8});
        expect_recovery(&s);
    }
    // An address where there is no memory.
    const lac_axi_job good = s.job;
    s.job.program = 0x1000;
    expect_status(&s, LAC_KERNEL_READ_ERROR);
    s.job = good;
    s.job.output = 0x1000;
    expect_status(&s, LAC_KERNEL_WRITE_ERROR);
    s.job = good;
    s.job.report = 0x1000;
    expect_status(&s, LAC_KERNEL_WRITE_ERROR);
    s.job = good;
    expect_recovery(&s);
    scene_end(&s);
}

static void a_hung_memory_ends_in_a_timeout(void **state) {
    (void)state;
    scene s = scene_begin(15, 3);
    static const int channels[] = {LAC_AXI_AR, LAC_AXI_R,
                                   LAC_AXI_AW, LAC_AXI_W,
                                   LAC_AXI_B,  LAC_AXI_AR | LAC_AXI_R | LAC_AXI_AW | LAC_AXI_W | LAC_AXI_B};
    set_weather((lac_axi_weather){.seed = 5, .latency_high = 20});
    expect_status(&s, LAC_KERNEL_OK);
    uint64_t all = lac_axi_ram(axi)->cycle;
    s.job.patience = 10;
    for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++)
        for (uint64_t from = 1; from < all / 3; from += all / 5) {
            set_weather((lac_axi_weather){
                .seed = 5, .latency_high = 20, .hang_at = from, .hang_channels = channels[i]});
            expect_status(&s, LAC_KERNEL_TIMEOUT);
            expect_status(&s, LAC_KERNEL_TIMEOUT); // it may be started, and says so again
            set_weather((lac_axi_weather){.latency_low = 8});
            expect_recovery(&s); // what was outstanding arrives late, and is thrown away
            s.job.patience = 10;
        }
    scene_end(&s);
}

static void a_reset_in_mid_run_is_safe(void **state) {
    (void)state;
    scene s = scene_begin(16, 2);
    lac_rng rng = lac_rng_make(16, 0);
    for (int i = 0; i < 40; i++) {
        set_weather((lac_axi_weather){.seed = 50 + (uint64_t)i, .stall_percent = 30, .latency_high = 40});
        MUST(lac_axi_start(axi, &s.job, &err));
        lac_axi_idle(axi, (int)lac_rng_below(&rng, 6000));
        lac_axi_reset(axi);
        uint32_t value;
        MUST(lac_axi_read(axi, LAC_REG_CTRL, &value, &err));
        assert_int_equal(value, 4);
        expect_recovery(&s);
    }
    scene_end(&s);
}

static int open_kernel(void **state) {
    (void)state;
    lac_axi_config config = {.data_bits = data_bits,
                             .memory_bytes = MEMORY_BYTES,
                             .weather = {.seed = 1, .latency_low = 8},
                             .host_stall_percent = 25};
    memcpy(&config.engine, &engine, sizeof engine);
    if (lac_axi_open(&config, NULL, &axi, &err) == LAC_OK) return 0;
    print_error("%s\n", err.text);
    return 1;
}

static int close_kernel(void **state) {
    (void)state;
    lac_axi_close(axi);
    return 0;
}

int main(int argc, char **argv) {
    int *const values[] = {&engine.mesh_x,     &engine.mesh_y, &engine.drain, &engine.act_words,
                           &engine.list_words, &engine.lane,   &data_bits};
    if (argc != 8) return 2;
    engine = lac_engine_default();
    engine.acc_bits = 28;
    for (int i = 0; i < 7; i++) *values[i] = atoi(argv[i + 1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_follow_the_map),
        cmocka_unit_test(done_holds_until_continue_and_interrupts),
        cmocka_unit_test(does_what_xrt_s_driver_expects),
        cmocka_unit_test(equals_the_reference_in_any_weather),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(broken_programs_end_with_a_status),
        cmocka_unit_test(noise_for_a_program_never_hangs),
        cmocka_unit_test(memory_errors_end_with_a_status),
        cmocka_unit_test(a_hung_memory_ends_in_a_timeout),
        cmocka_unit_test(a_reset_in_mid_run_is_safe),
    };
    if (getenv("LAC_TEST_ONLY")) cmocka_set_test_filter(getenv("LAC_TEST_ONLY"));
    return cmocka_run_group_tests_name("kernel through its AXI pins", tests, open_kernel, close_kernel);
}
