// Other people's vectors: the ONNX standard's node tests, as packaged in libonnx-testdata. Every one of them
// must either give the published result or be refused with a sentence; the table says which must run.
//
// provenance  onnx/backend/test/data/node of the ONNX release that Debian packages (1.12.0 in Debian 12)
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <math.h>
#include <unistd.h>

#include "file.h"
#include "onnx.h"
#include "onnx.pb-c.h"
#include "train.h"

static const char data_folder[] = LAC_ONNX_TESTDATA "/node";

static const char *const must_run[] = {
    "test_averagepool_2d_ceil",
    "test_averagepool_2d_default",
    "test_averagepool_2d_pads",
    "test_averagepool_2d_pads_count_include_pad",
    "test_averagepool_2d_precomputed_pads",
    "test_averagepool_2d_precomputed_pads_count_include_pad",
    "test_averagepool_2d_precomputed_same_upper",
    "test_averagepool_2d_precomputed_strides",
    "test_averagepool_2d_same_lower",
    "test_averagepool_2d_same_upper",
    "test_averagepool_2d_strides",
    "test_basic_conv_with_padding",
    "test_basic_conv_without_padding",
    "test_batchnorm_epsilon",
    "test_batchnorm_example",
    "test_conv_with_autopad_same",
    "test_conv_with_strides_and_asymmetric_padding",
    "test_conv_with_strides_no_padding",
    "test_conv_with_strides_padding",
    "test_convtranspose",
    "test_convtranspose_dilations",
    "test_convtranspose_pad",
    "test_convtranspose_pads",
    "test_depthtospace_crd_mode",
    "test_depthtospace_crd_mode_example",
    "test_depthtospace_dcr_mode",
    "test_depthtospace_example",
    "test_flatten_axis1",
    "test_flatten_default_axis",
    "test_flatten_negative_axis3",
    "test_gemm_alpha",
    "test_gemm_beta",
    "test_gemm_default_no_bias",
    "test_gemm_default_scalar_bias",
    "test_gemm_default_single_elem_vector_bias",
    "test_gemm_default_vector_bias",
    "test_gemm_default_zero_bias",
    "test_gemm_transposeB",
    "test_globalaveragepool",
    "test_globalaveragepool_precomputed",
    "test_hardsigmoid",
    "test_identity",
    "test_matmul_2d",
    "test_maxpool_2d_ceil",
    "test_maxpool_2d_default",
    "test_maxpool_2d_dilations",
    "test_maxpool_2d_pads",
    "test_maxpool_2d_precomputed_pads",
    "test_maxpool_2d_precomputed_same_upper",
    "test_maxpool_2d_precomputed_strides",
    "test_maxpool_2d_same_lower",
    "test_maxpool_2d_same_upper",
    "test_maxpool_2d_strides",
    "test_relu",
    "test_resize_upsample_scales_nearest",
    "test_sigmoid",
    "test_softmax_example",
    "test_softmax_large_number",
    "test_tanh",
    "test_upsample_nearest",
};
enum { N_MUST_RUN = sizeof must_run / sizeof must_run[0], INPUTS_MOST = 8 };

typedef enum outcome { EQUAL, DIFFERENT, REFUSED, BROKEN_CASE } outcome;

typedef struct node_case {
    lac_arena *arena;
    char folder[512];
    Onnx__ModelProto *model;
    Onnx__TensorProto *in[INPUTS_MOST], *out;
    size_t n_in;
    lac_error err;
} node_case;

static bool read_tensor(node_case *c, const char *file, Onnx__TensorProto **out) {
    char path[1024];
    lac_bytes bytes;
    snprintf(path, sizeof path, "%s/test_data_set_0/%s.pb", c->folder, file);
    if (lac_file_read(path, c->arena, &bytes, NULL) != LAC_OK) return false;
    return (*out = onnx__tensor_proto__unpack(NULL, bytes.n, bytes.data)) != NULL;
}

static bool open_case(node_case *c, const char *name) {
    lac_bytes bytes;
    char path[1024];
    *c = (node_case){.arena = lac_arena_open()};
    snprintf(c->folder, sizeof c->folder, "%s/%s", data_folder, name);
    snprintf(path, sizeof path, "%s/model.onnx", c->folder);
    if (lac_file_read(path, c->arena, &bytes, NULL) != LAC_OK) return false;
    c->model = onnx__model_proto__unpack(NULL, bytes.n, bytes.data);
    for (size_t i = 0; c->model && i < c->model->graph->n_input && i < INPUTS_MOST; i++, c->n_in++) {
        char file[32];
        snprintf(file, sizeof file, "input_%zu", i);
        if (!read_tensor(c, file, &c->in[i])) break;
    }
    return c->model && c->n_in > 0 && read_tensor(c, "output_0", &c->out);
}

static void close_case(node_case *c) {
    for (size_t i = 0; i < c->n_in; i++)
        if (c->in[i]) onnx__tensor_proto__free_unpacked(c->in[i], NULL);
    if (c->out) onnx__tensor_proto__free_unpacked(c->out, NULL);
    if (c->model) onnx__model_proto__free_unpacked(c->model, NULL);
    lac_arena_close(c->arena);
}

// All inputs but the first are parameters, which the tests give as inputs and a network has as initializers.
static lac_bytes pack_with_parameters(node_case *c) {
    Onnx__GraphProto *graph = c->model->graph;
    size_t n = graph->n_initializer;
    Onnx__TensorProto **old = graph->initializer;
    graph->initializer = LAC_NEW_ARRAY(c->arena, Onnx__TensorProto *, n + c->n_in);
    for (size_t i = 0; i < n; i++) graph->initializer[i] = old[i];
    for (size_t i = 1; i < c->n_in; i++) {
        free(c->in[i]->name);
        c->in[i]->name = strdup(graph->input[i]->name);
        graph->initializer[graph->n_initializer++] = c->in[i];
    }
    lac_bytes bytes = {.n = onnx__model_proto__get_packed_size(c->model)};
    bytes.data = lac_arena_alloc(c->arena, bytes.n);
    onnx__model_proto__pack(c->model, bytes.data);
    graph->initializer = old;
    graph->n_initializer = n;
    return bytes;
}

static const float *floats_of(node_case *c, const Onnx__TensorProto *t, size_t *n) {
    *n = t->has_raw_data ? t->raw_data.len / sizeof(float) : t->n_float_data;
    return lac_arena_copy(c->arena, t->has_raw_data ? (void *)t->raw_data.data : t->float_data,
                          *n * sizeof(float));
}

// The reader leaves a final Softmax out and says so; what it says is taken at its word here.
static void apply_softmax(float *y, size_t n, size_t n_classes) {
    for (float *row = y; row < y + n; row += n_classes) {
        float most = row[0], sum = 0;
        for (size_t i = 1; i < n_classes; i++) most = fmaxf(most, row[i]);
        for (size_t i = 0; i < n_classes; i++) sum += row[i] = expf(row[i] - most);
        for (size_t i = 0; i < n_classes; i++) row[i] /= sum;
    }
}

static outcome compare(node_case *c, const lac_graph *graph) {
    size_t n_x, n_y;
    const float *x = floats_of(c, c->in[0], &n_x), *expected = floats_of(c, c->out, &n_y);
    size_t image = (size_t)lac_shape_count(graph->values[graph->input].shape);
    if (c->out->data_type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT || n_x % image) return BROKEN_CASE;
    size_t n = n_x / image, n_out = n * (size_t)lac_shape_count(graph->values[graph->output].shape);
    float *y = LAC_NEW_ARRAY(c->arena, float, n_out);
    if (lac_infer(graph, x, (uint32_t)n, y, &c->err) != LAC_OK) return REFUSED;
    if (lac_graph_meta(graph, "lacuna.import.note")) apply_softmax(y, n_out, n_out / n);
    if (n_out != n_y) {
        lac_fail(&c->err, LAC_E_MISMATCH, "%zu elements instead of %zu", n_out, n_y);
        return DIFFERENT;
    }
    for (size_t i = 0; i < n_y; i++)
        if (!(fabsf(y[i] - expected[i]) <= 1e-5f + 1e-4f * fabsf(expected[i]))) {
            lac_fail(&c->err, LAC_E_MISMATCH, "element %zu is %g instead of %g", i, (double)y[i],
                     (double)expected[i]);
            return DIFFERENT;
        }
    return EQUAL;
}

// Tests of what an op does should not fail at what a network has around it: an old opset whose definition of
// the op still stands is raised, and three dimensions of an elementwise op become four.
static void adapt(node_case *c) {
    for (size_t i = 0; i < c->model->n_opset_import; i++)
        if (c->model->opset_import[i]->version < LAC_ONNX_OPSET_LEAST)
            c->model->opset_import[i]->version = LAC_ONNX_OPSET_LEAST;
    Onnx__TensorShapeProto *shape = c->model->graph->input[0]->type->tensor_type->shape;
    if (shape->n_dim != 3) return;
    shape->dim = realloc(shape->dim, 4 * sizeof(shape->dim[0]));
    shape->dim[3] = malloc(sizeof *shape->dim[3]);
    onnx__tensor_shape_proto__dimension__init(shape->dim[3]);
    shape->dim[3]->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
    shape->dim[3]->dim_value = 1;
    shape->n_dim = 4;
}

static outcome run_case(node_case *c, const char *name, bool adapted) {
    if (!open_case(c, name)) return BROKEN_CASE;
    if (adapted) adapt(c);
    lac_bytes bytes = pack_with_parameters(c);
    lac_graph *graph = NULL;
    if (lac_onnx_parse(bytes.data, bytes.n, c->arena, &graph, &c->err) != LAC_OK) return REFUSED;
    return compare(c, graph);
}

static void listed_node_tests_give_the_published_results(void **state) {
    (void)state;
    int n_bad = 0;
    for (int i = 0; i < N_MUST_RUN; i++) {
        node_case c;
        outcome o = run_case(&c, must_run[i], true);
        if (o != EQUAL)
            print_error("%s: %s\n", must_run[i], o == BROKEN_CASE ? "cannot be read" : c.err.text);
        n_bad += o != EQUAL;
        close_case(&c);
    }
    assert_int_equal(n_bad, 0);
}

static void no_node_test_gives_a_wrong_result_in_silence(void **state) {
    (void)state;
    int count[4] = {0}, n_mute = 0;
    DIR *folder = opendir(data_folder);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.') continue;
        node_case c;
        outcome o = run_case(&c, entry->d_name, false);
        count[o]++;
        if (o == DIFFERENT) print_error("%s: %s\n", entry->d_name, c.err.text);
        if (getenv("LACUNA_SHOW") && o != BROKEN_CASE)
            print_message("%s: %s\n", entry->d_name, o == EQUAL ? "equal" : c.err.text);
        if (o == REFUSED && (c.err.status == LAC_OK || strlen(c.err.text) < 20)) {
            print_error("%s was refused without a sentence\n", entry->d_name);
            n_mute++;
        }
        close_case(&c);
    }
    closedir(folder);
    print_message(
        "of the standard's node tests %d give the published result, %d are refused, %d have no float "
        "result or no input\n",
        count[EQUAL], count[REFUSED], count[BROKEN_CASE]);
    assert_int_equal(count[DIFFERENT], 0);
    assert_int_equal(n_mute, 0);
    assert_true(count[EQUAL] >= 40);
}

static void a_changed_result_is_noticed(void **state) {
    (void)state;
    node_case c;
    assert_true(open_case(&c, "test_conv_with_strides_padding"));
    lac_bytes bytes = pack_with_parameters(&c);
    lac_graph *graph = NULL;
    assert_int_equal(lac_onnx_parse(bytes.data, bytes.n, c.arena, &graph, NULL), LAC_OK);
    assert_int_equal(compare(&c, graph), EQUAL);
    for (int v = 0; v < graph->n_values; v++)
        if (graph->values[v].data) graph->values[v].data[0] += 0.01f;
    assert_int_equal(compare(&c, graph), DIFFERENT);
    close_case(&c);
}

int main(void) {
    if (access(data_folder, F_OK) != 0) {
        print_message("%s is not there: apt-get install libonnx-testdata\n", data_folder);
        return 77; // skipped
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listed_node_tests_give_the_published_results),
        cmocka_unit_test(no_node_test_gives_a_wrong_result_in_silence),
        cmocka_unit_test(a_changed_result_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
