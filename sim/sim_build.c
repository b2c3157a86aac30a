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
    "engine/vector_unit.v",    "engine/lac_engine.v",
};
/// And of the shell around it.
static const char *const shell_files[] = {
    "prim/ram_fifo.v",      "shell/axi_lite_slave.v", "shell/control_registers.v", "shell/bursts.v",
    "shell/cycle_report.v", "shell/word_stream.v",    "shell/input_loader.v",      "shell/result_packer.v",
    "shell/job.v",          "shell/lac_shell.v",
};
static const char *const shim_files[2][2] = {{"shim.cpp", "shim.h"}, {"axi_shim.cpp", "axi_shim.h"}};
enum {
    N_VERILOG = sizeof verilog_files / sizeof verilog_files[0],
    N_SHELL = sizeof shell_files / sizeof shell_files[0],
    N_SHIM = sizeof shim_files[0] / sizeof shim_files[0][0],
    N_HEADERS = 2,
    N_SOURCES = N_VERILOG + N_SHELL + N_SHIM + N_HEADERS,
    N_TOP = 5 ///< options that name the top module
};

static const char *const verilator_flags[] = {
    "--cc", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--noassert", "-Wno-lint",
    // A waveform shows accumulators, not memories; it costs nothing while no file is open.
    "--trace-fst", "--trace-max-array", "256",
    // Loops over lanes must be unrolled: their registers are written by non-blocking assignments.
    "--unroll-count", "4096", "--unroll-stmts", "1000000", "--Mdir", "obj"};
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
    bool shell = config->shell_data_bits != 0;
    const char **sources = LAC_NEW_ARRAY(arena, const char *, N_SOURCES);
    int n = 0;
    for (int i = 0; i < N_VERILOG; i++)
        sources[n++] = lac_arena_printf(arena, "%s/%s", rtl_dir, verilog_files[i]);
    for (int i = 0; shell && i < N_SHELL; i++)
        sources[n++] = lac_arena_printf(arena, "%s/%s", rtl_dir, shell_files[i]);
    int n_verilog = n;
    sources[n++] = LAC_CONTRACT_DIR "/lac_contract.vh";
    if (shell) sources[n++] = LAC_CONTRACT_DIR "/lac_registers.vh";
    for (int i = 0; i < N_SHIM; i++)
        sources[n++] = lac_arena_printf(arena, "%s/%s", LAC_SIM_DIR, shim_files[shell][i]);

    int values[LAC_N_PARAMS];
    memcpy(values, config, sizeof values);
    const char **parameters = LAC_NEW_ARRAY(arena, const char *, LAC_N_PARAMS + N_TOP);
    int n_parameters = 0;
    for (int i = 0; i < LAC_N_PARAMS; i++)
        parameters[n_parameters++] = lac_arena_printf(arena, "-G%s=%d", lac_params[i].name, values[i]);
    if (shell)
        parameters[n_parameters++] = lac_arena_printf(arena, "-GDATA_BITS=%d", config->shell_data_bits);
    parameters[n_parameters++] = "--top-module";
    parameters[n_parameters++] = shell ? "lac_shell" : "lac_engine";
    parameters[n_parameters++] = "--prefix";
    parameters[n_parameters++] = shell ? "Vlac_shell" : "Vlac_engine";
    *out = (lac_sim_recipe){.sources = sources,
                            .n_verilog = n_verilog,
                            .n_sources = n,
                            .parameters = parameters,
                            .n_parameters = n_parameters,
                            .shim = shim_files[shell][0],
                            .drain = config->drain,
                            .data_bytes = config->shell_data_bits / 8};
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

static lac_status write_unit(const char *directory, const char *unit, const char *shim, lac_arena *arena,
                             lac_error *err) {
    bool slow = !shim;
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
    if (shim) fprintf(file.stream, "#include \"%s/%s\"\n", LAC_SIM_DIR, shim);
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
    const char *directory, *log, *include, *drain, *data_bytes;
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
    add(&args, job->data_bytes);
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
                       .drain = lac_arena_printf(arena, "-DLAC_SHIM_DRAIN=%d", recipe->drain),
                       .data_bytes = lac_arena_printf(arena, "-DLAC_SHIM_DATA_BYTES=%d", recipe->data_bytes)};
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
    LAC_TRY(write_unit(directory, "fast.cpp", recipe->shim, arena, err));
    LAC_TRY(write_unit(directory, "slow.cpp", NULL, arena, err));
    LAC_TRY(compile(recipe, directory, log, arena, err));
    lac_talk_step(talk, stage, 3, 3, "done");
    return LAC_OK;
}
