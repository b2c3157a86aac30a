#include "device_rows.h"
#include "graph_builder.h"
#include "lac_registers.h"
#include "ref.h"

#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <xrt/xrt_kernel.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

// Device xrt on a card that is a program: XRT's calls are made here, and the kernel is the one of the
// sanitizer's tests.

extern const lac_device_desc lac_device_xrt;
void kernel_3x2(uint32_t contract, uint32_t engine, const uint64_t *program, const uint64_t *input,
                int32_t *output, uint64_t *report, uint32_t program_words, uint32_t input_base,
                uint32_t input_words, uint32_t output_words, uint32_t runs, uint32_t patience);

typedef struct buffer {
    size_t bytes;
    uint32_t group;
    uint8_t *host, *card; ///< xrtBOSync copies between them
} buffer;

typedef struct fake_run {
    uint32_t numbers[LAC_N_ARGUMENTS];
    buffer *pointers[LAC_N_ARGUMENTS];
} fake_run;

/// How the card behaves.
static struct {
    int n_units, n_cards, refuses_binary, lost_at_run, no_memory_at, other_engine;
    int n_runs, n_buffers, n_open; ///< counted
} card;

static int a_device, a_kernel;

xrtDeviceHandle xrtDeviceOpen(unsigned int index) {
    return (int)index < card.n_cards ? &a_device : NULL;
}
int xrtDeviceClose(xrtDeviceHandle device) {
    return device != &a_device;
}
int xrtDeviceLoadXclbinFile(xrtDeviceHandle device, const char *path) {
    (void)device;
    return card.refuses_binary || strcmp(path, "kernel.xclbin") != 0;
}
int xrtDeviceGetXclbinUUID(xrtDeviceHandle device, xuid_t out) {
    (void)device;
    memset(out, 5, sizeof(xuid_t));
    return 0;
}

xrtKernelHandle xrtPLKernelOpen(xrtDeviceHandle device, const xuid_t id, const char *name) {
    static const char prefix[] = "lac_kernel:{lac_kernel_";
    assert_ptr_equal(device, &a_device);
    assert_int_equal(id[0], 5);
    assert_memory_equal(name, prefix, sizeof prefix - 1);
    long unit = strtol(name + sizeof prefix - 1, NULL, 10);
    if (unit > card.n_units) return NULL;
    card.n_open++;
    return &a_kernel;
}
int xrtKernelClose(xrtKernelHandle kernel) {
    card.n_open--;
    return kernel != &a_kernel;
}
int xrtKernelArgGroupId(xrtKernelHandle kernel, int argument) {
    (void)kernel;
    return 10 + argument;
}

xrtBufferHandle xrtBOAlloc(xrtDeviceHandle device, size_t size, xrtBufferFlags flags, xrtMemoryGroup group) {
    (void)device;
    (void)flags;
    if (++card.n_buffers == card.no_memory_at) return NULL;
    buffer *b = calloc(1, sizeof *b);
    *b = (buffer){size, group, calloc(1, size), calloc(1, size)};
    return b;
}
int xrtBOFree(xrtBufferHandle handle) {
    buffer *b = handle;
    free(b->host);
    free(b->card);
    free(b);
    return 0;
}
int xrtBOSync(xrtBufferHandle handle, enum xclBOSyncDirection direction, size_t size, size_t offset) {
    buffer *b = handle;
    assert_true(offset + size <= b->bytes);
    if (direction == XCL_BO_SYNC_BO_TO_DEVICE)
        memcpy(b->card + offset, b->host + offset, size);
    else
        memcpy(b->host + offset, b->card + offset, size);
    return 0;
}
int xrtBOWrite(xrtBufferHandle handle, const void *from, size_t size, size_t seek) {
    buffer *b = handle;
    assert_true(seek + size <= b->bytes);
    memcpy(b->host + seek, from, size);
    return 0;
}
int xrtBORead(xrtBufferHandle handle, void *to, size_t size, size_t skip) {
    buffer *b = handle;
    assert_true(skip + size <= b->bytes);
    memcpy(to, b->host + skip, size);
    return 0;
}

xrtRunHandle xrtRunOpen(xrtKernelHandle kernel) {
    (void)kernel;
    return calloc(1, sizeof(fake_run));
}
int xrtRunSetArg(xrtRunHandle handle, int argument, ...) {
    fake_run *run = handle;
    va_list args;
    va_start(args, argument);
    bool pointer = argument >= LAC_ARG_PROGRAM && argument <= LAC_ARG_REPORT;
    if (pointer) {
        run->pointers[argument] = va_arg(args, xrtBufferHandle);
        assert_int_equal(run->pointers[argument]->group, 10 + argument); // in the memory of this argument
    } else
        run->numbers[argument] = va_arg(args, uint32_t);
    va_end(args);
    return 0;
}
int xrtRunStart(xrtRunHandle handle) {
    fake_run *r = handle;
    const uint32_t *n = r->numbers;
    if (++card.n_runs == card.lost_at_run) return 0;
    // Memory of the card is aligned as malloc aligns.
    kernel_3x2(n[LAC_ARG_CONTRACT], n[LAC_ARG_ENGINE] ^ (uint32_t)card.other_engine,
               (const uint64_t *)(void *)r->pointers[LAC_ARG_PROGRAM]->card,
               (const uint64_t *)(void *)r->pointers[LAC_ARG_INPUT]->card,
               (int32_t *)(void *)r->pointers[LAC_ARG_OUTPUT]->card,
               (uint64_t *)(void *)r->pointers[LAC_ARG_REPORT]->card, n[LAC_ARG_PROGRAM_WORDS],
               n[LAC_ARG_INPUT_BASE], n[LAC_ARG_INPUT_WORDS], n[LAC_ARG_OUTPUT_WORDS], n[LAC_ARG_RUNS],
               n[LAC_ARG_PATIENCE]);
    return 0;
}
enum ert_cmd_state xrtRunWait(xrtRunHandle run) {
    (void)run;
    return card.lost_at_run && card.n_runs >= card.lost_at_run ? ERT_CMD_STATE_ABORT
                                                               : ERT_CMD_STATE_COMPLETED;
}
int xrtRunClose(xrtRunHandle run) {
    free(run);
    return 0;
}

// ---- tests ------------------------------------------------------------------------------------------------

static const lac_engine_config engine = {
    .mesh_x = 3, .mesh_y = 2, .drain = 2, .acc_bits = 26, .act_words = 1024, .list_words = 66};

typedef struct fixture {
    lac_arena *arena;
    lac_image *image;
    void *state;
    lac_error err;
} fixture;

static lac_status open_card(fixture *f, const char *binary) {
    const lac_device_config config = {.binary = binary};
    f->arena = lac_arena_open();
    f->image = NULL;
    f->state = NULL;
    f->err = (lac_error){0};
    for (uint64_t seed = 0; !f->image; seed++)
        if (lac_compile(random_graph(f->arena, seed), &engine, f->arena, &f->image, NULL) != LAC_OK)
            f->image = NULL;
    return lac_device_xrt.open(f->image, &config, NULL, &f->state, &f->err);
}

static void close_card(fixture *f) {
    lac_device_xrt.close(f->state);
    lac_arena_close(f->arena);
    assert_int_equal(card.n_open, 0);
}

static lac_status run_many(fixture *f, int n, bool compare) {
    const lac_int_graph *g = f->image->graph;
    size_t n_in = lac_int_tensor_count(&g->tensors[g->input]),
           n_out = lac_int_tensor_count(&g->tensors[g->output]);
    int32_t *in = LAC_NEW_ARRAY(f->arena, int32_t, (size_t)n * n_in),
            *out = LAC_NEW_ARRAY(f->arena, int32_t, (size_t)n * n_out);
    lac_rng rng = lac_rng_make(1, 1);
    for (int i = 0; i < n; i++) random_codes(&rng, &g->tensors[g->input], in + (size_t)i * n_in);
    LAC_TRY(lac_device_xrt.run_batch(f->state, n, in, out, &f->err));
    int32_t **values = reference_values(g, f->arena, 1);
    for (int i = 0; compare && i < n; i++) {
        memcpy(values[g->input], in + (size_t)i * n_in, n_in * sizeof *in);
        lac_ref_run(g, values);
        assert_memory_equal(values[g->output], out + (size_t)i * n_out, n_out * sizeof *out);
    }
    return LAC_OK;
}

static void gives_the_reference_s_results_on_one_unit_and_on_three(void **state) {
    (void)state;
    for (int units = 1; units <= 3; units += 2) {
        memset(&card, 0, sizeof card);
        card.n_units = units;
        card.n_cards = 1;
        fixture f;
        assert_int_equal(open_card(&f, "kernel.xclbin"), LAC_OK);
        assert_int_equal(card.n_buffers, 4 * 2 * units);
        assert_int_equal(run_many(&f, 200, true), LAC_OK);
        close_card(&f);
    }
}

static void fails(lac_status expected, const char *words, const char *binary) {
    fixture f;
    lac_status status = open_card(&f, binary);
    if (status == LAC_OK) status = run_many(&f, 40, false);
    if (status != expected || !strstr(f.err.text, words)) fail_msg("status %d: %s", status, f.err.text);
    close_card(&f);
    memset(&card, 0, sizeof card);
    card.n_cards = card.n_units = 1;
}

static void says_what_is_wrong_with_a_card(void **state) {
    (void)state;
    memset(&card, 0, sizeof card);
    card.n_units = 1;
    fails(LAC_E_NOT_FOUND, "there is no card 0", "kernel.xclbin");
    fails(LAC_E_USAGE, "give --xclbin FILE", NULL);
    fails(LAC_E_FORMAT, "does not take 'other.xclbin'", "other.xclbin");
    card.n_units = 0;
    fails(LAC_E_DEVICE, "has no kernel 'lac_kernel:{lac_kernel_1}'", "kernel.xclbin");
    card.no_memory_at = 3;
    fails(LAC_E_MEMORY, "no memory for", "kernel.xclbin");
    card.other_engine = 1;
    fails(LAC_E_CONTRACT, "the kernel is another one", "kernel.xclbin");
    card.lost_at_run = 2;
    fails(LAC_E_DEVICE, "are lost: the card ended them in state 6", "kernel.xclbin");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_reference_s_results_on_one_unit_and_on_three),
        cmocka_unit_test(says_what_is_wrong_with_a_card),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
