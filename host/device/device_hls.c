#include "device_rows.h"
#include "file.h"
#include "kernel_host.h"
#include "kernel_source.h"
#include "library_cache.h"
#include "process.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

// The HLS kernel compiled by the host's C compiler: what C simulation is to a vendor's tool.

typedef void kernel_function(uint32_t contract, uint32_t engine, const uint64_t *program,
                             const uint64_t *input, int32_t *output, uint64_t *report, uint32_t program_words,
                             uint32_t input_base, uint32_t input_words, uint32_t output_words, uint32_t runs,
                             uint32_t patience);
/// The kernel with a trace, which every step's tensors are seen in.
typedef void traced_function(uint32_t contract, uint32_t engine, const uint64_t *program,
                             const uint64_t *input, int32_t *output, uint64_t *report, uint32_t program_words,
                             uint32_t input_base, uint32_t input_words, uint32_t output_words, uint32_t runs,
                             uint32_t patience, uint8_t *trace, uint32_t trace_bytes);

typedef union kernel_entry {
    void *object; ///< of dlsym
    kernel_function *plain;
    traced_function *traced;
} kernel_entry;

typedef struct hls_state {
    lac_arena *arena;
    lac_kernel_io *io;
    const lac_talk *talk;
    void *library, *traced_library; ///< of dlopen, each opened when it is first needed
    kernel_entry kernel, traced_kernel;
    uint64_t *input;
    int32_t *output;
    uint8_t *trace;
    int room; ///< runs that input and output hold
} hls_state;

// ---- the library ------------------------------------------------------------------------------------------

static const char *const compiler_command[] = {
    // The last one: GCC 12.2's SLP vectoriser is wrong with AVX-512; see LAC_NATIVE in CMakeLists.txt.
    "cc", "-std=c99", "-O3", "-march=native", "-fPIC", "-shared", "-fno-tree-slp-vectorize"};
enum {
    N_COMMAND = sizeof compiler_command / sizeof compiler_command[0],
    N_TAIL = 3, // what to compile, and to what
    MOST_OPTIONS = 32
};

static lac_status build(void *ctx, const char *directory, lac_arena *arena, const lac_talk *talk,
                        lac_error *err) {
    (void)talk;
    const char *const *options = ctx;
    const char *argv[N_COMMAND + MOST_OPTIONS + N_TAIL + 1];
    size_t n = 0;
    for (int i = 0; i < LAC_KERNEL_FILES; i++)
        LAC_TRY(lac_file_write(lac_arena_printf(arena, "%s/%s", directory, lac_kernel_source[i].name),
                               lac_kernel_source[i].text, lac_kernel_source[i].n_bytes, err));
    while (n < N_COMMAND) {
        argv[n] = compiler_command[n];
        n++;
    }
    for (int i = 0; options[i] && i < MOST_OPTIONS; i++) argv[n++] = options[i];
    argv[n++] = "lac_kernel.c";
    argv[n++] = "-oengine.so";
    argv[n] = NULL;
    return lac_process_run(argv, directory, lac_arena_printf(arena, "%s/build.log", directory), err);
}

static lac_status make_key(const char *const *options, lac_arena *arena, lac_key *key, lac_error *err) {
    const char *const version_command[] = {"cc", "--version", NULL};
    const char *version;
    *key = lac_key_begin();
    LAC_TRY(lac_process_output(version_command, arena, &version, err));
    lac_key_text(key, version);
    for (int i = 0; i < LAC_KERNEL_FILES; i++) lac_key_text(key, lac_kernel_source[i].text);
    for (size_t i = 0; i < N_COMMAND; i++) lac_key_text(key, compiler_command[i]);
    for (int i = 0; options[i]; i++) lac_key_text(key, options[i]);
    lac_key_processor(key);
    return LAC_OK;
}

static lac_status load(hls_state *state, bool traced, void **library, kernel_entry *entry, lac_error *err) {
    if (*library) return LAC_OK;
    const lac_engine_config *engine = &state->io->image->engine;
    const char *const *options = lac_kernel_options(engine, traced, state->arena);
    union { // options are only read
        const char *const *in;
        void *out;
    } ctx = {options};
    lac_library_recipe recipe = {
        .what = "the HLS kernel",
        .name = lac_arena_printf(state->arena, "kernel-%dx%d", engine->mesh_x, engine->mesh_y),
        .build = build,
        .ctx = ctx.out};
    const char *path;
    LAC_TRY(make_key(options, state->arena, &recipe.key, err));
    LAC_TRY(lac_library_open(&recipe, NULL, state->arena, state->talk, library, &path, err));
    entry->object = dlsym(*library, "lac_kernel");
    if (!entry->object)
        LAC_FAIL(err, LAC_E_DEVICE, "'%s' is not an HLS kernel; delete it to have it rebuilt", path);
    return LAC_OK;
}

// ---- running ----------------------------------------------------------------------------------------------

typedef struct kernel_call {
    const hls_state *state;
    int n_runs;
    bool traced;
    uint64_t report[LAC_REPORT_BYTES / 8];
} kernel_call;

static void *call_kernel(void *ctx) {
    kernel_call *call = ctx;
    const hls_state *s = call->state;
    const lac_kernel_io *io = s->io;
    const lac_image *image = io->image;
    uint32_t n_program = (uint32_t)image->n_program, n_out = (uint32_t)io->order.n,
             runs = (uint32_t)call->n_runs;
    if (call->traced)
        s->traced_kernel.traced(image->contract_hash, io->job.engine, image->program, s->input, s->output,
                                call->report, n_program, io->job.input_base, io->job.input_words, n_out, runs,
                                0, s->trace, io->trace_bytes);
    else
        s->kernel.plain(image->contract_hash, io->job.engine, image->program, s->input, s->output,
                        call->report, n_program, io->job.input_base, io->job.input_words, n_out, runs, 0);
    return NULL;
}

/// The kernel's arrays are the memories of a chip; here they need a stack of their own.
static lac_status call_on_stack(kernel_call *call, lac_error *err) {
    pthread_attr_t attributes;
    pthread_t thread;
    size_t bytes = lac_kernel_stack_bytes(&call->state->io->image->engine) + (1u << 20);
    bytes = (bytes + 4095) / 4096 * 4096;
    if (pthread_attr_init(&attributes) != 0)
        LAC_FAIL(err, LAC_E_MEMORY, "device hls: no memory for a thread");
    int failed = pthread_attr_setstacksize(&attributes, bytes);
    if (!failed) failed = pthread_create(&thread, &attributes, call_kernel, call);
    pthread_attr_destroy(&attributes);
    if (failed)
        LAC_FAIL(err, LAC_E_MEMORY, "device hls: no thread with a stack of %zu bytes: %s", bytes,
                 strerror(failed));
    pthread_join(thread, NULL);
    return LAC_OK;
}

static void make_room(hls_state *state, int n) {
    if (n <= state->room) return;
    state->input = lac_arena_alloc(state->arena, (size_t)n * state->io->job.input_bytes);
    state->output = lac_arena_alloc(state->arena, (size_t)n * state->io->job.output_bytes);
    state->room = n;
}

static lac_status run_job(hls_state *state, kernel_call *call, const int32_t *inputs, int32_t *outputs,
                          lac_error *err) {
    make_room(state, call->n_runs);
    lac_kernel_pack(state->io, call->n_runs, inputs, state->input);
    LAC_TRY(call_on_stack(call, err));
    LAC_TRY(lac_kernel_check(state->io, "hls", call->report, call->n_runs, err));
    lac_kernel_unpack(state->io, call->n_runs, state->output, outputs);
    return LAC_OK;
}

static lac_status run_batch(void *opaque, int n, const int32_t *inputs, int32_t *outputs, lac_error *err) {
    hls_state *state = opaque;
    kernel_call call = {.state = state, .n_runs = n};
    LAC_TRY(load(state, false, &state->library, &state->kernel, err));
    return run_job(state, &call, inputs, outputs, err);
}

static lac_status run_watched(hls_state *state, const int32_t *input, int32_t *output,
                              const lac_device_watch *watch, lac_error *err) {
    kernel_call call = {.state = state, .n_runs = 1, .traced = true};
    LAC_TRY(load(state, true, &state->traced_library, &state->traced_kernel, err));
    if (!state->trace) state->trace = lac_arena_alloc(state->arena, state->io->trace_bytes);
    LAC_TRY(run_job(state, &call, input, output, err));
    return lac_kernel_show(state->io, "hls", state->trace, output, watch, err);
}

static lac_status hls_run(void *opaque, const int32_t *input, int32_t *output, const lac_device_watch *watch,
                          lac_step_cycles *cycles, lac_error *err) {
    hls_state *state = opaque;
    if (cycles) memset(cycles, 0, (size_t)state->io->image->n_steps * sizeof *cycles);
    return watch ? run_watched(state, input, output, watch, err) : run_batch(state, 1, input, output, err);
}

static void hls_close(void *opaque) {
    hls_state *state = opaque;
    if (!state) return;
    if (state->library) dlclose(state->library);
    if (state->traced_library) dlclose(state->traced_library);
    lac_arena_close(state->arena);
}

static lac_status hls_open(const lac_image *image, const lac_device_config *config, const lac_talk *talk,
                           void **out, lac_error *err) {
    (void)config;
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "device hls: out of memory");
    hls_state *state = LAC_NEW(arena, hls_state);
    *state = (hls_state){.arena = arena, .io = lac_kernel_io_new(image, arena), .talk = talk};
    *out = state;
    return LAC_OK;
}

const lac_device_desc lac_device_hls = {.name = "hls",
                                        .help = "the HLS kernel, compiled by the host's C compiler",
                                        .open = hls_open,
                                        .run = hls_run,
                                        .batch = 32,
                                        .run_batch = run_batch,
                                        .close = hls_close};
