#include "device.h"
#include "graph_builder.h"
#include "program_survey.h"
#include "ref.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static const lac_engine_config engines[] = {
    {.mesh_x = 3, .mesh_y = 3, .drain = 3, .acc_bits = 28, .act_words = 4096, .list_words = 1024},
    {.mesh_x = 3,
     .mesh_y = 2,
     .drain = 2,
     .acc_bits = 30,
     .act_words = 4096,
     .list_words = 64, // longer lists are streamed
     .lane = LAC_LANE_DIGIT}};
/// For images that share the mesh.
static const lac_engine_config shared = {
    .mesh_x = 8, .mesh_y = 4, .drain = 2, .acc_bits = 28, .act_words = 4096, .list_words = 64};

static void devices_are_found_by_name(void **state) {
    (void)state;
    assert_true(lac_n_devices() >= 2);
    for (int i = 0; i < lac_n_devices(); i++) {
        const lac_device_desc *d = lac_device_row(i);
        assert_ptr_equal(lac_device_find(d->name), d);
        assert_true(d->help[0]);
    }
    assert_null(lac_device_find("abacus"));
    assert_null(lac_device_row(lac_n_devices()));
    assert_null(lac_device_row(-1));
}

typedef struct seen {
    const lac_image *image;
    int32_t **values[8]; ///< of each image of a run, by the reference
    int n;
    const char *device;
} seen;

static void see(void *ctx, int step, int k, const int32_t *values) {
    seen *s = ctx;
    assert_in_range(k, 0, lac_image_batch(s->image) - 1);
    int t = s->image->steps[step].out_tensor;
    size_t n = lac_int_tensor_count(&s->image->graph->tensors[t]);
    for (size_t i = 0; i < n; i++)
        if (values[i] != s->values[k][t][i])
            fail_msg("device %s, step %d, image %d, value %zu: %d, not %d", s->device, step, k, i, values[i],
                     s->values[k][t][i]);
    s->n++;
}

/// Runs an image three times on a device: state of one run must not leak into the next.
static void runs_like_the_reference(const lac_device_desc *device, const lac_image *image) {
    lac_arena *arena = lac_arena_open();
    const lac_int_graph *g = image->graph;
    lac_error err = {0};
    void *state = NULL;
    const lac_device_config config = {0};
    if (device->open(image, &config, NULL, &state, &err) != LAC_OK) fail_msg("%s", err.text);
    size_t batch = (size_t)lac_image_batch(image), n_in = lac_int_tensor_count(&g->tensors[g->input]),
           n_out = lac_int_tensor_count(&g->tensors[g->output]);
    int32_t *in = LAC_NEW_ARRAY(arena, int32_t, batch * n_in),
            *out = LAC_NEW_ARRAY(arena, int32_t, batch * n_out);
    lac_step_cycles *cycles = LAC_NEW_ARRAY(arena, lac_step_cycles, image->n_steps);
    for (uint64_t seed = 0; seed < 3; seed++) {
        seen s = {.image = image, .device = device->name};
        for (size_t k = 0; k < batch; k++) {
            s.values[k] = reference_values(g, arena, seed + 1000 * k);
            memcpy(in + k * n_in, s.values[k][g->input], 4 * n_in);
        }
        const lac_device_watch watch = {.tensor = see, .ctx = &s};
        if (device->run(state, in, out, &watch, cycles, &err) != LAC_OK) fail_msg("%s", err.text);
        assert_int_equal(s.n, (size_t)image->n_steps * batch);
        for (size_t k = 0; k < batch; k++)
            assert_memory_equal(out + k * n_out, s.values[k][g->output], 4 * n_out);
        for (int i = 0; i < image->n_steps; i++) {
            const lac_step_cycles *c = &cycles[i];
            assert_int_equal(c->compute + c->starved + c->drain + c->other, c->total);
            assert_int_equal(c->total > 0, device->has_cycles);
        }
    }
    device->close(state);
    device->close(NULL);
    lac_arena_close(arena);
}

static void devices_without_a_clock_show_every_tensor(void **state) {
    (void)state;
    for (int i = 0; i < lac_n_devices(); i++) {
        if (lac_device_row(i)->has_cycles) continue;
        // Where there is a choice of places, a compiler is started for every image.
        uint64_t n_seeds = lac_device_row(i)->place ? 2 : 60;
        for (uint64_t seed = 0; seed < n_seeds; seed++) {
            lac_arena *arena = lac_arena_open();
            lac_image *image = NULL;
            lac_status status =
                lac_compile(random_graph(arena, seed), &engines[seed % 2], arena, &image, NULL);
            if (status == LAC_OK) runs_like_the_reference(lac_device_row(i), image);
            lac_arena_close(arena);
        }
    }
}

static void devices_without_a_clock_run_images_that_share_the_mesh(void **state) {
    (void)state;
    for (int i = 0; i < lac_n_devices(); i++) {
        if (lac_device_row(i)->has_cycles) continue;
        uint64_t n_seeds = lac_device_row(i)->place ? 2 : 30;
        int n_run = 0;
        for (uint64_t seed = 0; seed < n_seeds; seed++) {
            lac_arena *arena = lac_arena_open();
            lac_image *image = NULL;
            if (lac_compile_batch(random_graph(arena, seed), &shared, 2 << seed % 3, arena, &image, NULL) ==
                LAC_OK) {
                runs_like_the_reference(lac_device_row(i), image);
                n_run++;
            }
            lac_arena_close(arena);
        }
        assert_true(n_run > 0);
    }
}

/// An engine whose list memory the longest list fills to the last entry replays it, and with one entry less
/// the list is streamed.
static void a_list_may_fill_list_memory_or_be_streamed(void **state) {
    (void)state;
    for (int e = 0; e < 2; e++)
        for (int less = 0; less < 2; less++) {
            lac_arena *arena = lac_arena_open();
            builder b = builder_begin(arena, 3);
            int in = builder_input(&b, 12, 6, 6, (lac_code_type){.bits = 4, .scale = 1});
            int out = builder_conv(
                &b, in,
                (layer_options){.out_c = 5, .window = WINDOW(3, 1, 1), .zero_percent = 15, .raw = true});
            const lac_int_graph *graph = builder_end(&b, out);
            lac_engine_config engine = engines[e];
            engine.list_words = 4096;
            lac_image *image = NULL;
            assert_int_equal(lac_compile(graph, &engine, arena, &image, NULL), LAC_OK);
            lac_step_survey *survey = lac_image_survey(image, arena);
            uint32_t longest = 0;
            for (int o = 0; o < 5; o++) {
                uint32_t n = survey->work[o].n_entries + survey->work[o].n_nulls;
                if (n > longest) longest = n;
            }
            assert_int_equal(lac_image_record(image, 0).STREAMED, 0);
            engine.list_words = (int)longest - less;
            assert_int_equal(lac_compile(graph, &engine, arena, &image, NULL), LAC_OK);
            assert_int_equal(lac_image_record(image, 0).STREAMED, less);
            for (int i = 0; i < lac_n_devices(); i++)
                if (!lac_device_row(i)->has_cycles) runs_like_the_reference(lac_device_row(i), image);
            lac_arena_close(arena);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_are_found_by_name),
        cmocka_unit_test(devices_without_a_clock_show_every_tensor),
        cmocka_unit_test(devices_without_a_clock_run_images_that_share_the_mesh),
        cmocka_unit_test(a_list_may_fill_list_memory_or_be_streamed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
