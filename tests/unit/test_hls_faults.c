#include "file.h"
#include "graph_builder.h"
#include "kernel_host.h"
#include "kernel_source.h"
#include "process.h"
#include "ref.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// Kernels that are wrong on purpose: what compares a kernel with the reference must see every one of them,
// and the unchanged text must pass by the same way. Images share the mesh, and codes are packed across bytes.

typedef void kernel_function(uint32_t contract, uint32_t engine, const uint64_t *program,
                             const uint64_t *input, int32_t *output, uint64_t *report, uint32_t program_words,
                             uint32_t input_base, uint32_t input_words, uint32_t output_words, uint32_t runs,
                             uint32_t patience);

static const lac_engine_config engine = {.mesh_x = 6,
                                         .mesh_y = 4,
                                         .drain = 3,
                                         .acc_bits = 26,
                                         .act_words = 512,
                                         .list_words = 64,
                                         .act_bits = 3,
                                         .vector = 16,
                                         .table = 1,
                                         .scale = 2};

typedef struct fault {
    const char *what, *text, *instead;
} fault;

static const fault faults[] = {
    {"rows are not cut between images", "lac_mask(row + hop, layer->rows,",
     "lac_mask(p / LAC_MESH_X + hop, LAC_MESH_Y,"},
    {"columns are not cut between images", "lac_mask(col + hop, layer->cols,",
     "lac_mask(p % LAC_MESH_X + hop, LAC_MESH_X,"},
    {"sums are of all images", "masks->image[p] == k ? (uint32_t)acc[p] : 0", "(uint32_t)acc[p]"},
    {"sums go to lane 0 alone", "masks->own[p] == 0 ? (int32_t)sums[masks->image[p]] : 0",
     "p == 0 ? (int32_t)sums[0] : 0"},
    {"sums are written with the first group alone", "masks->first_groups = p / LAC_DRAIN + 1;", ";"},
    {"results are sent from neighbors", "layer->reduce && masks->own[p] != 0",
     "layer->reduce && masks->own[p] != 1"},
    {"an entry of one lane reaches only the first image", "lane == own[p] ? weight", "lane == p ? weight"},
    {"codes lose what is in the next byte",
     "if (bit % 8 + LAC_ACT_BITS > 8) bits |=", "if (bit % 8 + LAC_ACT_BITS > 9) bits |="},
    {"a code spills into the next", "(uint32_t)(codes[d] & LAC_CODE_MASK)", "(uint32_t)(codes[d])"},
    {"all channels have the first one's factor", "layer->scale_each ? 0 : cursor->channel", "0"},
    {"factors of pixels move on with the channel", "layer->scale_each ? 0 : cursor->channel",
     "cursor->channel"},
    {"all pixels have the first one's factor", "layer->scale_each ? seen[p] : seen[0]", "seen[0]"},
    {"a factor keeps its zero point", "- sign - layer->pad_code) & 0xFF", "- sign) & 0xFF"},
    {"a table has one code in eight", "(uint8_t)(word >> (8 * k));", "(uint8_t)word;"},
    {"a table is passed by", "if (LAC_TABLE && layer->table) y =", "if (!LAC_TABLE) y ="},
    {"codes are signed as if they had eight bits", "act_signed ? LAC_CODE_SIGN : 0", "act_signed ? 0x80 : 0"},
    {"a copy of a list is for the first pixel", "lac_next_visit(layer, &cursor->visit);", ";"},
    {"a copy begins where the list ended", "cursor->copies--;\n        lac_rewind_list(cursor);",
     "cursor->copies--;\n        cursor->slot = 64;"},
    {"a copy is another channel", "if (cursor->copies > 0) {", "if (0) {"},
    {"a list that fills the memory does not end",
     "if (n == LAC_LIST_WORDS && lac_is_entry(layer, slot)) break;", "if (n == LAC_LIST_WORDS) break;"},
    // Of the vector unit, which has 8 slots here and 16 banks.
    {"the unit does not see what the mesh writes", "if (last && g == 0) lac_copy_first(",
     "if (0) lac_copy_first("},
    {"the unit does not see the input", "if (group == 0) lac_copy_first(", "if (0) lac_copy_first("},
    {"the unit does not see its own codes", "lac_copy_first(address, codes[0], mesh);\n            if", "if"},
    {"the unit's codes have eight bits", "= code & LAC_CODE_MASK;", "= code;"},
    {"the unit's codes are not signed", "layer->act_signed ? LAC_CODE_SIGN : 0", "0"},
    {"a slot reads a bank of other rows",
     "found[(k + ((first + (row < 0 ? 0 : row)) << slots_log2)) & (LAC_BANKS - 1)]", "found[k]"},
    {"slots that stay move", "return 0; // it stays", ";"},
    {"a slot's sum goes on into its next channel", "unit->acc[slot] = 0;", ";"},
    {"the last channel is not finished", "lac_push_sum(k, unit);", ";"},
    {"a channel has the next one's header", "unit->header[channel % LAC_QUEUE]",
     "unit->header[(channel + 1) % LAC_QUEUE]"},
    {"one slot is left out", "if (k < n_slots) sum +=", "if (k + 1 < n_slots) sum +="},
};
enum { N_FAULTS = sizeof faults / sizeof faults[0], RUNS = 2 };

/// Writes the kernel's files to a folder, one of them with the fault.
static void write_kernel(const char *folder, const fault *f, lac_arena *arena) {
    int n_found = 0;
    for (int i = 0; i < LAC_KERNEL_FILES; i++) {
        const char *text = lac_kernel_source[i].text, *at = f ? strstr(text, f->text) : NULL;
        if (at) {
            n_found++;
            text =
                lac_arena_printf(arena, "%.*s%s%s", (int)(at - text), text, f->instead, at + strlen(f->text));
        }
        const char *path = lac_arena_printf(arena, "%s/%s", folder, lac_kernel_source[i].name);
        assert_int_equal(lac_file_write(path, text, strlen(text), NULL), LAC_OK);
    }
    if (f && n_found != 1) fail_msg("'%s' is %d times in the kernel, not once", f->text, n_found);
}

/// Compilers and languages that the kernel must run in; OpenCL C is device opencl's.
static const char *const dialects[][4] = {
    {"cc", "-std=c99"},
    {"c++", "-xc++", "-std=c++14"},
    {"clang", "-std=c99"},
    {"clang++", "-xc++", "-std=c++14"},
};
enum { N_DIALECTS = sizeof dialects / sizeof dialects[0] };

static void *build_kernel(const fault *f, int dialect, lac_arena *arena, kernel_function **kernel) {
    char folder[] = "hls_faults_XXXXXX";
    assert_non_null(mkdtemp(folder));
    write_kernel(folder, f, arena);
    // What the standards leave undefined ends the program, without a library of the compiler's.
    static const char *const tail[] = {
        "-w",        "-fsanitize=undefined", "-fsanitize-undefined-trap-on-error", "-fPIC", "-shared", "-o",
        "kernel.so", "lac_kernel.c"};
    const char *argv[32] = {NULL};
    const char *const *options = lac_kernel_options(&engine, false, arena);
    int n = 0;
    for (int i = 0; dialects[dialect][i]; i++) argv[n++] = dialects[dialect][i];
    for (int i = 0; options[i]; i++) argv[n++] = options[i];
    for (size_t i = 0; i < sizeof tail / sizeof tail[0]; i++) argv[n++] = tail[i];
    lac_error err = {0};
    if (lac_process_run(argv, folder, lac_arena_printf(arena, "%s/build.log", folder), &err) != LAC_OK)
        fail_msg("%s", err.text);
    void *library = dlopen(lac_arena_printf(arena, "./%s/kernel.so", folder), RTLD_NOW | RTLD_LOCAL);
    if (!library) fail_msg("%s", dlerror());
    union {
        void *object;
        kernel_function *function;
    } entry = {dlsym(library, "lac_kernel")};
    *kernel = entry.function;
    assert_int_equal(lac_process_run((const char *const[]){"rm", "-r", folder, NULL}, ".", "/dev/null", NULL),
                     LAC_OK);
    return library;
}

enum { ALL_LANES, POOLED, PERCEPTRON, STREAMED, N_NETS, GATED = N_NETS };

/// Lists that fill the list memory, and lists that are too long for it.
static lac_int_graph *long_net(lac_arena *arena) {
    builder b = builder_begin(arena, 10);
    const lac_code_type codes = {.bits = 3, .is_signed = true};
    int x = builder_input(&b, 16, 4, 10, codes);
    x = builder_conv(
        &b, x,
        (layer_options){
            .out_c = 8, .window = WINDOW(2, 2, 0), .weight_bits = 1, .type = codes}); // 64 weights
    x = builder_conv(
        &b, x, (layer_options){.out_c = 5, .window = WINDOW(3, 1, 1), .weight_bits = 1, .type = codes}); // 72
    return builder_end(&b, builder_conv(&b, x, (layer_options){.out_c = 3, .raw = true}));
}

/// Channels times factors that a table makes, in codes with a zero point.
static lac_int_graph *gated_net(lac_arena *arena) {
    builder b = builder_begin(arena, 9);
    const lac_code_type codes = {.bits = 3, .is_signed = true}, factors = {.bits = 3, .zero = 2};
    int x = builder_input(&b, 4, 5, 3, codes);
    int mean = builder_avg_pool(&b, x, (layer_options){.window = {.kernel = {5, 3}}, .type = codes});
    x = builder_mul(&b, x, builder_table(&b, mean, factors), codes);
    x = builder_mul(&b, x, builder_conv(&b, x, (layer_options){.out_c = 1, .type = factors}), codes);
    return builder_end(&b, builder_conv(&b, x, (layer_options){.out_c = 3, .raw = true}));
}

/// Every kind of sum over lanes, hops over every edge, signed codes; slots of unequal lists, and more
/// channels than a slot may be ahead.
static lac_int_graph *net(lac_arena *arena, int kind) {
    builder b = builder_begin(arena, 8);
    const lac_code_type codes = {.bits = 3, .is_signed = true};
    if (kind == GATED) return gated_net(arena);
    if (kind == STREAMED) return long_net(arena);
    if (kind == PERCEPTRON) {
        int x = builder_input(&b, 61, 1, 1, codes);
        x = builder_conv(&b, x, (layer_options){.out_c = 40, .zero_percent = 70, .type = codes});
        x = builder_table(&b, x, codes);
        x = builder_conv(&b, x, (layer_options){.out_c = 30, .type = codes});
        return builder_end(&b,
                           builder_conv(&b, x, (layer_options){.out_c = 9, .zero_percent = 50, .raw = true}));
    }
    int x = builder_input(&b, 2, 5, 3, codes);
    x = builder_conv(&b, x, (layer_options){.out_c = 5, .window = WINDOW(3, 1, 1), .type = codes});
    lac_window all = {.kernel = {5, 3}, .stride = {1, 1}, .dilation = {1, 1}, .groups = 1};
    if (kind == POOLED) {
        x = builder_avg_pool(&b, x, (layer_options){.window = all, .type = codes});
        all = WINDOW(1, 1, 0);
    }
    return builder_end(&b, builder_conv(&b, x, (layer_options){.out_c = 7, .window = all, .raw = true}));
}

static bool equals_the_reference(kernel_function *kernel, int kind, int n_images, lac_arena *arena) {
    lac_image *image = NULL;
    lac_error err = {0};
    if (lac_compile_batch(net(arena, kind), &engine, n_images, arena, &image, &err) != LAC_OK)
        fail_msg("%s", err.text);
    lac_kernel_io *io = lac_kernel_io_new(image, arena);
    const lac_int_graph *g = image->graph;
    size_t n_in = lac_int_tensor_count(&g->tensors[g->input]),
           n_out = lac_int_tensor_count(&g->tensors[g->output]);
    int n = RUNS * n_images;
    int32_t *codes = LAC_NEW_ARRAY(arena, int32_t, (size_t)n * n_in),
            *got = LAC_NEW_ARRAY(arena, int32_t, (size_t)n * n_out);
    lac_rng rng = lac_rng_make(7, 7);
    for (int i = 0; i < n; i++) random_codes(&rng, &g->tensors[g->input], codes + (size_t)i * n_in);
    uint64_t *input = lac_arena_alloc(arena, RUNS * io->job.input_bytes), report[LAC_REPORT_BYTES / 8] = {0};
    int32_t *output = lac_arena_alloc(arena, RUNS * io->job.output_bytes);
    lac_kernel_pack(io, RUNS, codes, input);
    kernel(image->contract_hash, io->job.engine, image->program, input, output, report,
           (uint32_t)image->n_program, io->job.input_base, io->job.input_words, (uint32_t)io->order.n, RUNS,
           0);
    if ((uint32_t)report[0] != LAC_KERNEL_OK) return false;
    lac_kernel_unpack(io, RUNS, output, got);
    int32_t **values = reference_values(g, arena, 1);
    for (int i = 0; i < n; i++) {
        memcpy(values[g->input], codes + (size_t)i * n_in, n_in * sizeof *codes);
        lac_ref_run(g, values);
        if (memcmp(values[g->output], got + (size_t)i * n_out, n_out * sizeof *got) != 0) return false;
    }
    return true;
}

/// On a mesh cut in 1, 2, 4 and 8, with all nets; the one with factors has the mesh for itself.
static bool is_right(const fault *f, int dialect) {
    lac_arena *arena = lac_arena_open();
    kernel_function *kernel;
    void *library = build_kernel(f, dialect, arena, &kernel);
    bool right = true;
    for (int n_images = 1; n_images <= 8; n_images *= 2)
        for (int kind = 0; kind < N_NETS + (n_images == 1); kind++)
            right = right && equals_the_reference(kernel, kind, n_images, arena);
    dlclose(library);
    lac_arena_close(arena);
    return right;
}

static void the_kernel_is_right_in_every_dialect(void **state) {
    (void)state;
    for (int d = 0; d < N_DIALECTS; d++)
        if (!is_right(NULL, d)) fail_msg("wrong with %s %s", dialects[d][0], dialects[d][1]);
}

static void every_fault_is_seen(void **state) {
    (void)state;
    for (int i = 0; i < N_FAULTS; i++)
        if (is_right(&faults[i], 0)) fail_msg("not seen: %s", faults[i].what);
}

/// The results stay right, but a sum overflows on the way.
static void what_is_undefined_ends_the_program(void **state) {
    (void)state;
    static const fault overflow = {"", "    int32_t bad = 0;",
                                   "    int32_t bad = 0x7FFFFFFF; bad += layer->n_out; bad = 0;"};
    for (int d = 0; d < N_DIALECTS; d++) {
        pid_t child = fork();
        if (child == 0) {
            signal(SIGILL, SIG_DFL); // which CMocka takes for itself
            _exit(is_right(&overflow, d));
        }
        int how = 0;
        assert_int_equal(waitpid(child, &how, 0), child);
        if (!WIFSIGNALED(how)) fail_msg("not ended with %s %s", dialects[d][0], dialects[d][1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kernel_is_right_in_every_dialect),
        cmocka_unit_test(every_fault_is_seen),
        cmocka_unit_test(what_is_undefined_ends_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
