#define _XOPEN_SOURCE 700 // realpath
#include "sim_build.h"

#include "file.h"
#include "lac_contract.h"
#include "process.h"
#include "threads.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Verilog of the engine, relative to the RTL directory.
static const char *const verilog_files[] = {
    "prim/ram_1r1w.v",         "prim/fifo.v",
    "lane/requantize.v",       "lane/lane_array.v",
    "engine/program_parser.v", "engine/list_decoder.v",
    "engine/list_ring.v",      "engine/replayer.v",
    "engine/drain.v",          "engine/step_counters.v",
    "engine/lac_engine.v",
};
static const char *const shim_files[] = {"shim.cpp", "shim.h"};
enum {
    N_VERILOG = sizeof verilog_files / sizeof verilog_files[0],
    N_SHIM = sizeof shim_files / sizeof shim_files[0],
    N_SOURCES = N_VERILOG + N_SHIM + 1
};

static const char *const verilator_flags[] = {
    "--cc", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--noassert", "-Wno-lint",
    // A waveform shows accumulators, not memories; it costs nothing while no file is open.
    "--trace-fst", "--trace-max-array", "256",
    // Loops over lanes must be unrolled: their registers are written by non-blocking assignments.
    "--unroll-count", "4096", "--unroll-stmts", "1000000", "--prefix", "Vlac_engine", "--top-module",
    "lac_engine", "--Mdir", "obj"};
static const char *const compiler_flags[] = {"-std=gnu++17",
                                             "-fPIC",
                                             "-fvisibility=hidden",
                                             "-fno-gnu-unique",
                                             "-w",
                                             "-DVM_COVERAGE=0",
                                             "-DVM_SC=0",
                                             "-DVM_TRACE=1",
                                             "-DVM_TRACE_FST=1",
                                             "-I.",
                                             "-Iobj"};
enum {
    N_VERILATOR_FLAGS = sizeof verilator_flags / sizeof verilator_flags[0],
    N_COMPILER_FLAGS = sizeof compiler_flags / sizeof compiler_flags[0],
    MAX_ARGS = 64
};

void lac_sim_recipe_make(const lac_sim_config *config, lac_arena *arena, lac_sim_recipe *out) {
    // The tools run in the build's own directory, so a relative path must become absolute.
    char *whole = realpath(config->rtl_dir ? config->rtl_dir : LAC_RTL_DIR, NULL);
    const char *rtl_dir = whole ? lac_arena_strdup(arena, whole) : config->rtl_dir;
    if (!rtl_dir) rtl_dir = LAC_RTL_DIR;
    free(whole);
    const char **sources = LAC_NEW_ARRAY(arena, const char *, N_SOURCES);
    int n = 0;
    for (int i = 0; i < N_VERILOG; i++)
        sources[n++] = lac_arena_printf(arena, "%s/%s", rtl_dir, verilog_files[i]);
    sources[n++] = LAC_CONTRACT_DIR "/lac_contract.vh";
    for (int i = 0; i < N_SHIM; i++)
        sources[n++] = lac_arena_printf(arena, "%s/%s", LAC_SIM_DIR, shim_files[i]);

    int values[LAC_N_PARAMS];
    memcpy(values, config, sizeof values);
    const char **parameters = LAC_NEW_ARRAY(arena, const char *, LAC_N_PARAMS);
    for (int i = 0; i < LAC_N_PARAMS; i++)
        parameters[i] = lac_arena_printf(arena, "-G%s=%d", lac_params[i].name, values[i]);
    *out = (lac_sim_recipe){.sources = sources,
                            .n_verilog = N_VERILOG,
                            .n_sources = N_SOURCES,
                            .parameters = parameters,
                            .n_parameters = LAC_N_PARAMS,
                            .drain = config->drain};
}

lac_status lac_sim_recipe_key(const lac_sim_recipe *recipe, lac_arena *arena, lac_key *key, lac_error *err) {
    lac_key h = lac_key_begin();
    const char *const versions[][3] = {{"verilator", "--version", NULL}, {"g++", "--version", NULL}};
    for (int i = 0; i < 2; i++) {
        const char *text;
        LAC_TRY(lac_process_output(versions[i], arena, &text, err));
        lac_key_text(&h, text);
    }
    for (int i = 0; i < recipe->n_sources; i++) {
        lac_bytes bytes;
        LAC_TRY(lac_file_read(recipe->sources[i], arena, &bytes, err));
        lac_key_bytes(&h, bytes.data, bytes.n);
        lac_key_text(&h, "");
    }
    for (int i = 0; i < recipe->n_parameters; i++) lac_key_text(&h, recipe->parameters[i]);
    for (int i = 0; i < N_VERILATOR_FLAGS; i++) lac_key_text(&h, verilator_flags[i]);
    for (int i = 0; i < N_COMPILER_FLAGS; i++) lac_key_text(&h, compiler_flags[i]);
    lac_key_processor(&h);
    *key = h;
    return LAC_OK;
}

/// Constructors, tables and waveform code run once or seldom: they are compiled for a quick build.
static bool is_slow(const char *name) {
    return strstr(name, "__Slow") || strstr(name, "__Trace") || strstr(name, "__Syms");
}

static lac_status write_unit(const char *directory, const char *unit, bool slow, lac_arena *arena,
                             lac_error *err) {
    const char *obj = lac_arena_printf(arena, "%s/obj", directory);
    lac_file_out file;
    LAC_TRY(lac_file_begin(&file, lac_arena_printf(arena, "%s/%s", directory, unit), err));
    DIR *dir = opendir(obj);
    if (!dir) {
        lac_file_abort(&file);
        LAC_FAIL(err, LAC_E_DEVICE, "verilator left no '%s'", obj);
    }
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        size_t n = strlen(entry->d_name);
        if (n < 4 || strcmp(entry->d_name + n - 4, ".cpp") != 0 || is_slow(entry->d_name) != slow) continue;
        fprintf(file.stream, "#include \"obj/%s\"\n", entry->d_name);
    }
    closedir(dir);
    if (!slow) fprintf(file.stream, "#include \"%s/shim.cpp\"\n", LAC_SIM_DIR);
    return lac_file_commit(&file, err);
}

typedef struct arg_list {
    const char *v[MAX_ARGS];
    int n;
} arg_list;

static void add(arg_list *args, const char *word) {
    if (args->n < MAX_ARGS - 1) args->v[args->n++] = word;
}
static void add_all(arg_list *args, const char *const *words, int n) {
    for (int i = 0; i < n; i++) add(args, words[i]);
}

static lac_status run_verilator(const lac_sim_recipe *recipe, const char *directory, const char *log,
                                lac_error *err) {
    arg_list args = {{"verilator"}, 1};
    add_all(&args, verilator_flags, N_VERILATOR_FLAGS);
    add(&args, "-I" LAC_CONTRACT_DIR);
    add_all(&args, recipe->parameters, recipe->n_parameters);
    add_all(&args, recipe->sources, recipe->n_verilog);
    return lac_process_run(args.v, directory, log, err);
}

/// One object file; the units of a model are compiled by two compilers at a time.
typedef struct unit {
    const char *source, *object, *level;
} unit;

typedef struct compile_job {
    const unit *units;
    const char *directory, *log, *include, *drain;
    lac_status status[8];
    lac_error errors[8];
} compile_job;

static void compile_unit(void *ctx, size_t item, int worker) {
    (void)worker;
    compile_job *job = ctx;
    const unit *u = &job->units[item];
    arg_list args = {{"g++"}, 1};
    add_all(&args, compiler_flags, N_COMPILER_FLAGS);
    add(&args, "-I" LAC_SIM_DIR);
    add(&args, job->include);
    add(&args, job->drain);
    add(&args, u->level);
    if (strcmp(u->level, "-O3") == 0) {
        add(&args, "-march=native");
        // Wrong with AVX-512 in GCC 12; see LAC_NATIVE in CMakeLists.txt.
        add(&args, "-fno-tree-slp-vectorize");
    }
    const char *const tail[] = {"-c", u->source, "-o", u->object};
    add_all(&args, tail, 4);
    job->status[item] = lac_process_run(args.v, job->directory, job->log, &job->errors[item]);
}

static lac_status compile(const lac_sim_recipe *recipe, const char *directory, const char *log,
                          lac_arena *arena, lac_error *err) {
    const char *const ask[] = {"verilator", "--getenv", "VERILATOR_ROOT", NULL};
    const char *root;
    LAC_TRY(lac_process_output(ask, arena, &root, err));
    const char *include = lac_arena_printf(arena, "%.*s/include", (int)strcspn(root, "\n"), root);
    const unit units[] = {
        {"fast.cpp", "fast.o", "-O3"},
        {"slow.cpp", "slow.o", "-O1"},
        {lac_arena_printf(arena, "%s/verilated.cpp", include), "verilated.o", "-O1"},
        {lac_arena_printf(arena, "%s/verilated_fst_c.cpp", include), "verilated_fst_c.o", "-O1"},
        {lac_arena_printf(arena, "%s/verilated_threads.cpp", include), "verilated_threads.o", "-O1"},
    };
    enum { N_UNITS = sizeof units / sizeof units[0] };
    compile_job job = {.units = units,
                       .directory = directory,
                       .log = log,
                       .include = lac_arena_printf(arena, "-I%s", include),
                       .drain = lac_arena_printf(arena, "-DLAC_SHIM_DRAIN=%d", recipe->drain)};
    lac_parallel_for(N_UNITS, lac_n_cores() > 1 ? 2 : 1, compile_unit, &job);
    arg_list link = {{"g++", "-shared", "-Wl,-Bsymbolic", "-o", "engine.so"}, 5};
    for (int i = 0; i < N_UNITS; i++) {
        if (job.status[i] != LAC_OK) return lac_fail(err, job.status[i], "%s", job.errors[i].text);
        add(&link, units[i].object);
    }
    const char *const libraries[] = {"-lz", "-lpthread", "-latomic"};
    add_all(&link, libraries, 3);
    return lac_process_run(link.v, directory, log, err);
}

lac_status lac_sim_recipe_build(const lac_sim_recipe *recipe, const char *directory, lac_arena *arena,
                                const lac_talk *talk, lac_error *err) {
    const char *stage = "building the engine model";
    const char *log = lac_arena_printf(arena, "%s/build.log", directory);
    lac_talk_step(talk, stage, 0, 3, "verilator");
    LAC_TRY(run_verilator(recipe, directory, log, err));
    if (lac_talk_stop(talk)) LAC_FAIL(err, LAC_E_INTERRUPTED, "interrupted while building the engine model");
    lac_talk_step(talk, stage, 1, 3, "g++");
    LAC_TRY(write_unit(directory, "fast.cpp", false, arena, err));
    LAC_TRY(write_unit(directory, "slow.cpp", true, arena, err));
    LAC_TRY(compile(recipe, directory, log, arena, err));
    lac_talk_step(talk, stage, 3, 3, "done");
    return LAC_OK;
}
