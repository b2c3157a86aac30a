#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "onnx.h"
#include "onnx_text.h"

typedef struct fixture {
    lac_arena *arena;
    lac_graph *graph;
    lac_error err;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    if (!f || !(f->arena = lac_arena_open())) return -1;
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    lac_arena_close(f->arena);
    free(f);
    return 0;
}

static lac_status parse_model(fixture *f, const Onnx__ModelProto *model) {
    lac_bytes bytes = onnx_text_pack(model, f->arena);
    f->graph = NULL;
    f->err = (lac_error){0};
    return lac_onnx_parse(bytes.data, bytes.n, f->arena, &f->graph, &f->err);
}

static lac_graph *accept_text(fixture *f, const char *text) {
    if (parse_model(f, onnx_text_model(text, f->arena)) != LAC_OK) fail_msg("%s", f->err.text);
    assert_string_equal(f->err.text, "");
    return f->graph;
}

static const lac_value *in_value(const lac_graph *graph, int node, int i) {
    return &graph->values[graph->nodes[node].in[i]];
}

#define IMAGE "input x N 2 5 6\noutput y\n"
#define VECTOR "input x N 4\noutput y\n"
#define QONNX "domain qonnx.custom_op.general 1\n"
#define CONV IMAGE "init w 3 2 3 3\n"

// ---- what is accepted, and as what ----------------------------------------------------------------------

static void conv_keeps_every_attribute(void **state) {
    lac_graph *g =
        accept_text(*state, IMAGE "init w 4 1 3 2\ninit b 4\n"
                                  "node Conv y x,w,b group=2 pads=[1,0,2,1] strides=[2,1] dilations=[1,2] "
                                  "kernel_shape=[3,2]");
    lac_window expected = {{3, 2}, {2, 1}, {1, 0, 2, 1}, {1, 2}, 2};
    assert_int_equal(g->n_nodes, 1);
    assert_memory_equal(&g->nodes[0].attr.window, &expected, sizeof expected);
    assert_string_equal(g->nodes[0].name, "node_y");
    assert_string_equal(g->values[g->output].name, "y");
    assert_true(in_value(g, 0, 1)->trainable && in_value(g, 0, 2)->trainable);
    assert_true(lac_shape_equal(g->values[g->output].shape, LAC_SHAPE(1, 4, 3, 5)));
}

static void auto_pad_becomes_padding(void **state) {
    // ceil(5/2) = 3 and ceil(6/2) = 3 pixels out: the windows span 7 and 7, so 2 and 1 pixels are missing.
    static const struct {
        const char *mode;
        int pad[4];
    } rows[] = {{"SAME_UPPER", {1, 0, 1, 1}}, {"SAME_LOWER", {1, 1, 1, 0}}, {"VALID", {0, 0, 0, 0}}};
    for (int i = 0; i < 3; i++) {
        char text[256];
        snprintf(text, sizeof text, CONV "node Conv y x,w strides=[2,2] auto_pad=%s", rows[i].mode);
        lac_graph *g = accept_text(*state, text);
        assert_memory_equal(g->nodes[0].attr.window.pad, rows[i].pad, sizeof rows[i].pad);
        snprintf(text, sizeof text, IMAGE "node MaxPool y x strides=[2,2] kernel_shape=[3,3] auto_pad=%s",
                 rows[i].mode);
        g = accept_text(*state, text);
        assert_memory_equal(g->nodes[0].attr.window.pad, rows[i].pad, sizeof rows[i].pad);
    }
}

static void ceil_mode_becomes_padding_at_the_end(void **state) {
    // 5 pixels by windows of 2 in steps of 2: the third hangs over by 1. 6 pixels fit.
    lac_graph *g = accept_text(*state, IMAGE "node MaxPool y x kernel_shape=[2,2] strides=[2,2] ceil_mode=1");
    int expected[4] = {0, 0, 1, 0};
    assert_memory_equal(g->nodes[0].attr.window.pad, expected, sizeof expected);
    assert_true(lac_shape_equal(g->values[g->output].shape, LAC_SHAPE(1, 2, 3, 3)));
}

static void gemm_is_folded_into_out_by_in_weights(void **state) {
    fixture *f = *state;
    lac_graph *g = accept_text(f, VECTOR "init w 4 2 = 1 2 3 4 5 6 7 8\ninit b 1 2 = 1 2\n"
                                         "node Gemm y x,w,b alpha=0.5 beta=2.0");
    const float w[8] = {0.5f, 1.5f, 2.5f, 3.5f, 1, 2, 3, 4}, b[2] = {2, 4};
    assert_int_equal(g->nodes[0].op, LAC_OP_LINEAR);
    assert_true(lac_shape_equal(in_value(g, 0, 1)->shape, LAC_SHAPE(2, 4)));
    assert_true(lac_shape_equal(in_value(g, 0, 2)->shape, LAC_SHAPE(2)));
    assert_memory_equal(in_value(g, 0, 1)->data, w, sizeof w);
    assert_memory_equal(in_value(g, 0, 2)->data, b, sizeof b);
    g = accept_text(f, VECTOR "init w 2 4 = 1 2 3 4 5 6 7 8\ninit b = 3\nnode Gemm y x,w,b transB=1");
    assert_true(in_value(g, 0, 1)->data[4] == 5 && in_value(g, 0, 2)->data[1] == 3);
}

static void matmul_and_add_become_one_linear_layer(void **state) {
    fixture *f = *state;
    static const char *const adds[] = {"m,b", "b,m"};
    for (int i = 0; i < 2; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 VECTOR "init w 4 2\ninit b 2 = 1 2\nnode MatMul m x,w\nnode Add s %s\nnode Relu y s",
                 adds[i]);
        lac_graph *g = accept_text(f, text);
        assert_int_equal(g->n_nodes, 2);
        assert_int_equal(g->nodes[0].n_in, 3);
        assert_true(in_value(g, 0, 2)->data[1] == 2);
    }
    lac_graph *g = accept_text(f, CONV "init b 3 1 1 = 1 2 3\nnode Conv c x,w\nnode Add y c,b");
    assert_int_equal(g->n_nodes, 1);
    assert_true(lac_shape_equal(in_value(g, 0, 2)->shape, LAC_SHAPE(3)));
}

static void reshape_to_rows_becomes_flatten(void **state) {
    static const char *const shapes[] = {"0 -1", "-1 60", "0 60"};
    for (int i = 0; i < 3; i++) {
        char text[256];
        snprintf(text, sizeof text, IMAGE "ints to 2 = %s\nnode Reshape y x,to", shapes[i]);
        assert_int_equal(accept_text(*state, text)->nodes[0].op, LAC_OP_FLATTEN);
    }
    lac_graph *g = accept_text(*state, "input x 8 2 5 6\noutput y\nints to 2 = 8 -1\nnode Reshape y x,to");
    assert_int_equal(g->nodes[0].op, LAC_OP_FLATTEN);
    assert_int_equal(g->values[g->input].shape.dim[0], 1);
}

static void what_does_nothing_is_dropped(void **state) {
    fixture *f = *state;
    lac_graph *g =
        accept_text(f, VECTOR "init r 1 = 0.5\nints off 1 = 0\nnode Identity i x\n"
                              "node Dropout d,mask i,r,off seed=3\nnode Relu z d\nnode Softmax y z axis=-1");
    assert_int_equal(g->n_nodes, 1);
    assert_int_equal(g->nodes[0].in[0], g->input);
    assert_non_null(strstr(lac_graph_meta(g, "lacuna.import.note"), "node_y"));
    g = accept_text(f, "opset 9\n" VECTOR "node Dropout d x ratio=0.25\nnode Relu y d");
    assert_int_equal(g->n_nodes, 1);
    assert_null(lac_graph_meta(g, "lacuna.import.note"));
}

static void order_does_not_matter_and_dead_nodes_are_not_read(void **state) {
    lac_graph *g =
        accept_text(*state, IMAGE "node Relu y b\nnode Relu b a\nnode Erf nowhere a\nnode Relu a x");
    assert_int_equal(g->n_nodes, 3);
    assert_string_equal(g->values[g->nodes[0].out].name, "a");
    assert_int_equal(lac_graph_check(g, NULL), LAC_OK);
}

static void constant_nodes_and_default_inputs_are_constants(void **state) {
    fixture *f = *state;
    lac_graph *g =
        accept_text(f, "input x N 2 5 6\ninput w 3 2 3 3\noutput y\ninit w 3 2 3 3\n"
                       "node Conv c x,w\nnode Constant to - value_ints=[0,-1]\nnode Reshape y c,to");
    assert_int_equal(g->n_nodes, 2);
    Onnx__ModelProto *model = onnx_text_model(IMAGE "node Constant w -\nnode Conv y x,w", f->arena);
    Onnx__AttributeProto *a = LAC_NEW(f->arena, Onnx__AttributeProto);
    onnx__attribute_proto__init(a);
    a->name = lac_arena_strdup(f->arena, "value");
    a->has_type = 1;
    a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR;
    a->t = onnx_text_model("init w 3 2 3 3", f->arena)->graph->initializer[0];
    model->graph->node[0]->attribute = &a;
    model->graph->node[0]->n_attribute = 1;
    assert_int_equal(parse_model(f, model), LAC_OK);
    assert_int_equal(in_value(f->graph, 0, 1)->shape.dim[0], 3);
}

static void raw_and_listed_floats_are_the_same(void **state) {
    fixture *f = *state;
    Onnx__ModelProto *model = onnx_text_model(CONV "node Conv y x,w", f->arena);
    assert_int_equal(parse_model(f, model), LAC_OK);
    const lac_value *listed = in_value(f->graph, 0, 1);
    Onnx__TensorProto *w = model->graph->initializer[0];
    w->has_raw_data = 1;
    w->raw_data = (ProtobufCBinaryData){w->n_float_data * sizeof(float), (uint8_t *)w->float_data};
    w->n_float_data = 0;
    assert_int_equal(parse_model(f, model), LAC_OK);
    assert_memory_equal(in_value(f->graph, 0, 1)->data, listed->data, 54 * sizeof(float));
}

static void quantizers_keep_every_attribute(void **state) {
    fixture *f = *state;
    lac_graph *g = accept_text(
        f,
        QONNX CONV "init s 3 1 1 1 = 0.5 0.25 0.125\ninit z 1 = 0\ninit bits = 4\n"
                   "node qonnx.custom_op.general::Quant q w,s,z,bits signed=1 narrow=1 rounding_mode=ROUND\n"
                   "node Conv c x,q\nnode qonnx.custom_op.general::BipolarQuant y c,one\ninit one 1 1 = 2.5");
    assert_int_equal(g->n_nodes, 3);
    lac_quant_attr q = g->nodes[0].attr.quant;
    assert_true(q.bits == 4 && q.is_signed && q.narrow);
    assert_true(in_value(g, 0, 0)->trainable && in_value(g, 0, 1)->trainable &&
                !in_value(g, 0, 2)->trainable);
    assert_int_equal(in_value(g, 0, 2)->shape.n_dims, 0);
    assert_int_equal(in_value(g, 2, 1)->shape.n_dims, 0);
    assert_true(lac_shape_equal(in_value(g, 0, 1)->shape, LAC_SHAPE(3, 1, 1, 1)));
}

static void batch_norm_statistics_are_not_trainable(void **state) {
    lac_graph *g = accept_text(*state, IMAGE "init g 2 = 1 2\ninit b 2\ninit m 2\ninit v 2 = 1 2\n"
                                             "node BatchNormalization y x,g,b,m,v epsilon=0.25 momentum=0.5");
    assert_true(g->nodes[0].attr.epsilon == 0.25f && g->nodes[0].attr.momentum == 0.5f);
    for (int i = 1; i < 5; i++) assert_int_equal(in_value(g, 0, i)->trainable, i <= 2);
}

static void a_weight_used_twice_is_one_constant(void **state) {
    lac_graph *g =
        accept_text(*state, IMAGE "init w 2 2 1 1\nnode Conv a x,w\nnode Conv b a,w\nnode Add y a,b");
    assert_int_equal(g->nodes[0].in[1], g->nodes[1].in[1]);
}

// ---- what is refused, and how ---------------------------------------------------------------------------

#define BN IMAGE "init g 2\ninit b 2\ninit m 2\ninit v 2 = 1 1\n"
#define Q QONNX IMAGE "init s = 0.5\ninit z = 0\ninit bits = 4\n"
#define QUANT "node qonnx.custom_op.general::Quant y x,s,z,bits "

static const struct refusal {
    const char *text;
    lac_status status;
    const char *words[4];
} refusals[] = {
    {"opset 8\n" IMAGE "node Relu y x", LAC_E_UNSUPPORTED, {"opset 8", "9 to 21"}},
    {"opset 99\n" IMAGE "node Relu y x", LAC_E_UNSUPPORTED, {"opset 99", "opset 13"}},
    {"opset 0\n" IMAGE "node Relu y x", LAC_E_UNSUPPORTED, {"opset 0"}},
    {IMAGE "node Erf y x", LAC_E_UNSUPPORTED, {"Erf 'node_y'", "Conv, Gemm"}},
    {IMAGE "node com.example::Relu y x", LAC_E_UNSUPPORTED, {"Relu 'node_y'", "com.example"}},
    {IMAGE "node Clip y x", LAC_E_UNSUPPORTED, {"Clip 'node_y'"}},
    {"input x N 2 5\noutput y\nnode Relu y x", LAC_E_UNSUPPORTED, {"'x'", "3 dimensions"}},
    {"input x N 2 H W\noutput y\nnode Relu y x", LAC_E_SHAPE, {"'x'", "dimension 2", "fixed image size"}},
    {"input x N 2 -4 4\noutput y\nnode Relu y x", LAC_E_SHAPE, {"'x'", "-4"}},
    {"input x -1 2 4 4\noutput y\nnode Relu y x", LAC_E_SHAPE, {"'x'", "-1", "dimension 0"}},
    {"input x N 1000000 1000000 9\noutput y\nnode Relu y x", LAC_E_SHAPE, {"'x'", "elements"}},
    {"input x\noutput y\nnode Relu y x", LAC_E_SHAPE, {"'x'", "no shape"}},
    {"output y\nnode Relu y x", LAC_E_FORMAT, {"no input"}},
    {"input x N 2 5 6\ninput z N 2 5 6\noutput y\nnode Add y x,z", LAC_E_UNSUPPORTED, {"'x'", "'z'"}},
    {"input x N 2 5 6\nnode Relu y x", LAC_E_UNSUPPORTED, {"0 outputs"}},
    {IMAGE "output z\nnode Relu y x\nnode Relu z x", LAC_E_UNSUPPORTED, {"2 outputs"}},
    {IMAGE "node Relu z x", LAC_E_FORMAT, {"'y'", "made by no node"}},
    {IMAGE "node Relu y z", LAC_E_FORMAT, {"Relu 'node_y'", "'z'"}},
    {IMAGE "node Relu y x\nnode Relu y x", LAC_E_FORMAT, {"'y'", "unique"}},
    {IMAGE "node Relu x y\nnode Relu y x", LAC_E_FORMAT, {"'x'", "unique"}},
    {IMAGE "init y 1\nnode Relu y x", LAC_E_FORMAT, {"'y'", "unique"}},
    {IMAGE "init w 1\ninit w 1\nnode Relu y x", LAC_E_FORMAT, {"two initializers", "'w'"}},
    {IMAGE "node Relu a b\nnode Relu b a\nnode Add y x,a", LAC_E_FORMAT, {"cycle"}},
    {IMAGE "node Relu a a\nnode Add y x,a", LAC_E_FORMAT, {"cycle"}},
    {IMAGE "init c 1\nnode Identity y c", LAC_E_UNSUPPORTED, {"'y'", "constant"}},
    {IMAGE "init c 1 2 5 6\nnode Relu y c", LAC_E_UNSUPPORTED, {"node_y", "'c'", "constant"}},
    {IMAGE "node Relu y x,x", LAC_E_FORMAT, {"2 inputs"}},
    {IMAGE "node Relu y -", LAC_E_FORMAT, {"input 0 is missing"}},
    {IMAGE "node Relu y x alpha=2", LAC_E_UNSUPPORTED, {"node_y", "'alpha'", "(2)"}},

    {CONV "node Conv y x,w flip=1", LAC_E_UNSUPPORTED, {"Conv 'node_y'", "'flip'", "(1)"}},
    {CONV "node Conv y x,w group=2", LAC_E_SHAPE, {"node_y", "group is 2", "3 outputs"}},
    {CONV "node Conv y x,w group=0", LAC_E_SHAPE, {"group is 0"}},
    {CONV "node Conv y x,w group=3", LAC_E_SHAPE, {"2 channels", "2 x 3 groups"}},
    {CONV "node Conv y x,w strides=[1]", LAC_E_UNSUPPORTED, {"'strides'", "[1]", "2-D needs 2"}},
    {CONV "node Conv y x,w strides=[0,1]", LAC_E_FORMAT, {"stride 0"}},
    {CONV "node Conv y x,w strides=2", LAC_E_FORMAT, {"'strides'", "type 2"}},
    {CONV "node Conv y x,w strides=[1,1] strides=[2,2]", LAC_E_FORMAT, {"'strides'", "twice", "[2, 2]"}},
    {CONV "node Conv y x,w pads=[0,0,-1,0]", LAC_E_UNSUPPORTED, {"'pads'", "[0, 0, -1, 0]"}},
    {CONV "node Conv y x,w pads=[0,0,9999999,0]", LAC_E_UNSUPPORTED, {"'pads'", "9999999"}},
    {CONV "node Conv y x,w kernel_shape=[5,5]", LAC_E_SHAPE, {"5x5", "3x3"}},
    {CONV "node Conv y x,w auto_pad=SAME", LAC_E_FORMAT, {"auto_pad", "\"SAME\""}},
    {CONV "node Conv y x,w auto_pad=SAME_UPPER pads=[1,1,1,1]", LAC_E_FORMAT, {"both auto_pad"}},
    {CONV "node Conv y x,w dilations=[3,1]", LAC_E_SHAPE, {"node_y", "dilation 3", "5 pixels"}},
    {IMAGE "init w 3 2 3\nnode Conv y x,w", LAC_E_UNSUPPORTED, {"3 dimensions"}},
    {IMAGE "init w 3 4 3 3\nnode Conv y x,w", LAC_E_SHAPE, {"2 channels", "4"}},
    {IMAGE "node Conv y x,x", LAC_E_UNSUPPORTED, {"'x'", "initializers"}},
    {IMAGE "node Conv y x,nothing", LAC_E_FORMAT, {"'nothing'"}},
    {IMAGE "ints w 1 1 1 1 = 1\nnode Conv y x,w", LAC_E_UNSUPPORTED, {"'w'", "integers"}},
    {CONV "init b 2\nnode Conv y x,w,b", LAC_E_FORMAT, {"bias", "2", "3 outputs"}},
    {IMAGE "init w 1 2 1 1 = nan 1\nnode Conv y x,w", LAC_E_RANGE, {"'w'", "element 0", "nan"}},
    {IMAGE "init w 1 2 1 1 = 1 inf\nnode Conv y x,w", LAC_E_RANGE, {"'w'", "element 1", "inf"}},
    {VECTOR "init w 3 2 3 3\nnode Conv y x,w", LAC_E_UNSUPPORTED, {"1x4"}},

    {IMAGE "node MaxPool y x", LAC_E_FORMAT, {"kernel_shape"}},
    {IMAGE "node MaxPool y x kernel_shape=[2,2] storage_order=1", LAC_E_UNSUPPORTED, {"storage_order is 1"}},
    {IMAGE "node MaxPool p,y x kernel_shape=[2,2]", LAC_E_UNSUPPORTED, {"'y'", "first alone"}},
    {IMAGE "node MaxPool y x kernel_shape=[2,2] ceil_mode=2", LAC_E_FORMAT, {"ceil_mode is 2"}},
    {IMAGE "node MaxPool y x kernel_shape=[1,1] strides=[3,3] ceil_mode=1",
     LAC_E_UNSUPPORTED,
     {"ceil_mode is 1", "axis 0"}},
    {IMAGE "node MaxPool y x kernel_shape=[2,2] pads=[2,0,0,0]", LAC_E_UNSUPPORTED, {"padding 2"}},
    {IMAGE "node MaxPool y x kernel_shape=[7,2]", LAC_E_SHAPE, {"node_y", "window of 7", "5 pixels"}},
    {IMAGE "node AveragePool y x kernel_shape=[2,2] count_include_pad=2",
     LAC_E_FORMAT,
     {"count_include_pad is 2"}},
    {IMAGE "node AveragePool y x kernel_shape=[2,2] dilations=[2,1]", LAC_E_UNSUPPORTED, {"dilations"}},
    {IMAGE "node AveragePool y x kernel_shape=[2,2] strides=[2,2] ceil_mode=1 count_include_pad=1",
     LAC_E_UNSUPPORTED,
     {"ceil_mode is 1"}},
    {VECTOR "node GlobalAveragePool y x", LAC_E_SHAPE, {"1x4"}},

    {BN "node BatchNormalization y x,g,b,m,v training_mode=1", LAC_E_UNSUPPORTED, {"training_mode is 1"}},
    {BN "node BatchNormalization y x,g,b,m,v spatial=0", LAC_E_UNSUPPORTED, {"spatial 0"}},
    {BN "node BatchNormalization y x,g,b,m", LAC_E_FORMAT, {"input 4 is missing"}},
    {BN "init k 3\nnode BatchNormalization y x,g,k,m,v", LAC_E_SHAPE, {"'k'", "3 elements", "2 channels"}},
    {BN "init k 2 = 1 -1\nnode BatchNormalization y x,g,b,m,k", LAC_E_RANGE, {"channel 1", "-1"}},
    {BN "node BatchNormalization y x,g,b,m,v epsilon=1", LAC_E_FORMAT, {"'epsilon'", "type 2"}},

    {VECTOR "init w 4 2\nnode Gemm y x,w transA=1", LAC_E_UNSUPPORTED, {"transA is 1"}},
    {VECTOR "init w 3 2\nnode Gemm y x,w", LAC_E_SHAPE, {"4 features", "3"}},
    {VECTOR "init w 4 2\ninit c 3\nnode Gemm y x,w,c", LAC_E_UNSUPPORTED, {"C is 3", "bias of 2"}},
    {VECTOR "init w 4 2\ninit c 2 1\nnode Gemm y x,w,c", LAC_E_UNSUPPORTED, {"C is 2x1"}},
    {VECTOR "init w 8\nnode Gemm y x,w", LAC_E_SHAPE, {"weights are 8"}},
    {IMAGE "init w 60 2\nnode Gemm y x,w", LAC_E_UNSUPPORTED, {"1x2x5x6", "flatten"}},
    {IMAGE "init w 6 2\nnode MatMul y x,w", LAC_E_UNSUPPORTED, {"1x2x5x6"}},
    {VECTOR "node MatMul y x,x", LAC_E_UNSUPPORTED, {"'x'"}},
    {QONNX VECTOR
     "init s = 1\ninit w 4 2\nnode qonnx.custom_op.general::BipolarQuant q w,s\nnode MatMul y x,q",
     LAC_E_UNSUPPORTED,
     {"transB"}},

    {VECTOR "init b 4\nnode Add y x,b", LAC_E_UNSUPPORTED, {"'b'", "'x'", "bias"}},
    {VECTOR "init w 4 4\ninit b 4\nnode MatMul m x,w\nnode Add s m,b\nnode Add y s,m",
     LAC_E_UNSUPPORTED,
     {"'b'", "'m'"}},
    {VECTOR "init w 4 4\ninit b 4\nnode MatMul m x,w\nnode Identity i m\nnode Relu r m\nnode Add s i,b\nnode "
            "Add y r,s",
     LAC_E_UNSUPPORTED,
     {"'b'", "'i'"}},
    {VECTOR "init w 4 3\ninit b 4\nnode MatMul m x,w\nnode Add y m,b", LAC_E_UNSUPPORTED, {"'b'", "1x3"}},
    {CONV "init b 1 3\nnode Conv c x,w\nnode Add y c,b", LAC_E_UNSUPPORTED, {"'b'", "1x3"}},
    {IMAGE "node MaxPool p x kernel_shape=[2,2]\nnode Add y x,p", LAC_E_SHAPE, {"1x2x5x6", "1x2x4x5"}},
    {IMAGE "node Concat y x,x axis=2", LAC_E_UNSUPPORTED, {"axis is 2"}},
    {IMAGE "node Concat y x,x", LAC_E_UNSUPPORTED, {"axis is 0"}},
    {IMAGE "node GlobalAveragePool g x\nnode Concat y x,g axis=1", LAC_E_SHAPE, {"1x2x1x1", "1x2x5x6"}},
    {IMAGE "node Flatten y x axis=2", LAC_E_UNSUPPORTED, {"axis is 2"}},
    {IMAGE "ints to 2 = 1 60\nnode Reshape y x,to", LAC_E_UNSUPPORTED, {"[1, 60]", "60"}},
    {IMAGE "ints to 2 = -1 30\nnode Reshape y x,to", LAC_E_UNSUPPORTED, {"[-1, 30]"}},
    {IMAGE "ints to 2 = 0 -1\nnode Reshape y x,to allowzero=1", LAC_E_UNSUPPORTED, {"[0, -1]"}},
    {IMAGE "ints to 3 = 0 2 30\nnode Reshape y x,to", LAC_E_UNSUPPORTED, {"3 dimensions"}},
    {IMAGE "node Dropout y,m x\nnode Relu z m\noutput z", LAC_E_UNSUPPORTED, {"2 outputs"}},
    {IMAGE "ints on 1 = 1\nnode Dropout y x,-,on", LAC_E_UNSUPPORTED, {"training_mode"}},
    {VECTOR "node Softmax s x\nnode Relu y s", LAC_E_UNSUPPORTED, {"Softmax 'node_s'", "last node"}},
    {IMAGE "node Softmax y x", LAC_E_UNSUPPORTED, {"4 dimensions"}},
    {VECTOR "node Softmax y x axis=0", LAC_E_UNSUPPORTED, {"axis 0"}},
    {IMAGE "node Constant c -\nnode Conv y x,c", LAC_E_UNSUPPORTED, {"node_c", "initializer"}},

    {IMAGE "init s = 1\ninit z = 0\ninit bits = 4\n" QUANT "signed=1",
     LAC_E_UNSUPPORTED,
     {"version 0", "supported is 1"}},
    {Q QUANT "signed=1 rounding_mode=FLOOR", LAC_E_UNSUPPORTED, {"Quant 'node_y'", "\"FLOOR\"", "\"ROUND\""}},
    {Q QUANT "narrow=0", LAC_E_UNSUPPORTED, {"signed is -1"}},
    {Q QUANT "signed=0 narrow=1", LAC_E_UNSUPPORTED, {"narrow 1"}},
    {Q "init b9 = 9\nnode qonnx.custom_op.general::Quant y x,s,z,b9 signed=1",
     LAC_E_UNSUPPORTED,
     {"bitwidth is 9"}},
    {Q "init b9 = 2.5\nnode qonnx.custom_op.general::Quant y x,s,z,b9 signed=1", LAC_E_UNSUPPORTED, {"2.5"}},
    {Q "init b1 = 1\nnode qonnx.custom_op.general::Quant y x,s,z,b1 signed=1 narrow=1",
     LAC_E_UNSUPPORTED,
     {"BipolarQuant"}},
    {Q "init z5 = 0.5\nnode qonnx.custom_op.general::Quant y x,s,z5,bits signed=1",
     LAC_E_UNSUPPORTED,
     {"zero point is 0.5"}},
    {Q "init s0 = 0\nnode qonnx.custom_op.general::Quant y x,s0,z,bits signed=1",
     LAC_E_RANGE,
     {"scale 0 is 0"}},
    {Q "init s2 1 2 1 1\nnode qonnx.custom_op.general::Quant y x,s2,z,bits signed=1",
     LAC_E_UNSUPPORTED,
     {"1x2x1x1", "one number"}},
    {Q "node qonnx.custom_op.general::Quant y x,x,z,bits signed=1",
     LAC_E_UNSUPPORTED,
     {"'x'", "constant is expected"}},
    {Q "node qonnx.custom_op.general::Quant y x,s,z signed=1", LAC_E_FORMAT, {"input 3 is missing"}},
    {Q "node qonnx.custom_op.general::Trunc y x,s,z,bits signed=1", LAC_E_UNSUPPORTED, {"Trunc", "qonnx"}},
};

static void every_refusal_names_node_value_and_reason(void **state) {
    fixture *f = *state;
    int n_bad = 0;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const struct refusal *row = &refusals[i];
        lac_status status = parse_model(f, onnx_text_model(row->text, f->arena));
        bool fine = status == row->status && f->err.status == status && !f->graph;
        for (int w = 0; w < 4 && row->words[w]; w++) fine = fine && strstr(f->err.text, row->words[w]);
        if (!fine) print_error("%s\n  gave %s: %s\n\n", row->text, lac_status_name(status), f->err.text);
        n_bad += !fine;
    }
    assert_int_equal(n_bad, 0);
}

// ---- tensors that lie -----------------------------------------------------------------------------------

static void expect_tensor_error(fixture *f, const Onnx__ModelProto *model, lac_status status,
                                const char *word) {
    assert_int_equal(parse_model(f, model), status);
    if (!strstr(f->err.text, "tensor 'w'") || !strstr(f->err.text, word))
        fail_msg("no '%s' in: %s", word, f->err.text);
}

static void tensors_that_contradict_themselves_are_refused(void **state) {
    fixture *f = *state;
    Onnx__ModelProto *model = onnx_text_model(CONV "node Conv y x,w", f->arena);
    Onnx__TensorProto *w = model->graph->initializer[0], good = *w;
    int64_t dims[6] = {3, 2, 3, 3, 1, 1};
    w->dims = dims;
    dims[0] = 4;
    expect_tensor_error(f, model, LAC_E_FORMAT, "54 elements, its shape asks for 72");
    dims[0] = -3;
    expect_tensor_error(f, model, LAC_E_SHAPE, "-3");
    dims[0] = 0;
    expect_tensor_error(f, model, LAC_E_SHAPE, "must be at least 1");
    dims[0] = dims[1] = dims[2] = INT64_MAX / 2;
    expect_tensor_error(f, model, LAC_E_SHAPE, "elements");
    w->n_dims = 6;
    expect_tensor_error(f, model, LAC_E_UNSUPPORTED, "6 dimensions");
    *w = good;
    w->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16;
    expect_tensor_error(f, model, LAC_E_UNSUPPORTED, "FLOAT16");
    w->data_type = 99;
    expect_tensor_error(f, model, LAC_E_UNSUPPORTED, "unknown (99)");
    *w = good;
    w->has_raw_data = 1;
    expect_tensor_error(f, model, LAC_E_FORMAT, "more than one field");
    w->n_float_data = 0;
    w->raw_data = (ProtobufCBinaryData){215, (uint8_t *)w->float_data};
    expect_tensor_error(f, model, LAC_E_FORMAT, "215 bytes");
    *w = good;
    w->n_int64_data = 1;
    expect_tensor_error(f, model, LAC_E_FORMAT, "another type");
    *w = good;
    w->has_data_location = 1;
    w->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    expect_tensor_error(f, model, LAC_E_UNSUPPORTED, "another file");
}

static void models_with_missing_parts_are_refused(void **state) {
    fixture *f = *state;
    Onnx__ModelProto *model = onnx_text_model(IMAGE "node Relu y x", f->arena), good = *model;
    model->has_ir_version = 0;
    assert_int_equal(parse_model(f, model), LAC_E_FORMAT);
    assert_non_null(strstr(f->err.text, "ir_version"));
    *model = good;
    model->ir_version = 99;
    assert_int_equal(parse_model(f, model), LAC_E_UNSUPPORTED);
    *model = good;
    model->graph = NULL;
    assert_int_equal(parse_model(f, model), LAC_E_FORMAT);
    assert_non_null(strstr(f->err.text, "graph"));
    *model = good;
    model->graph->node[0]->op_type = NULL;
    assert_int_equal(parse_model(f, model), LAC_E_UNSUPPORTED);
    model->graph->node[0]->op_type = lac_arena_strdup(f->arena, "Re\x1b[2Jlu");
    assert_int_equal(parse_model(f, model), LAC_E_FORMAT);
    assert_non_null(strstr(f->err.text, "0x1B"));
    model->graph->node[0]->op_type = lac_arena_strdup(f->arena, "Relu");
    model->graph->node[0]->n_output = 0;
    assert_int_equal(parse_model(f, model), LAC_E_FORMAT);
    model->graph->node[0]->n_output = 1;
    model->graph->input[0]->type->tensor_type->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE;
    assert_int_equal(parse_model(f, model), LAC_E_UNSUPPORTED);
    assert_non_null(strstr(f->err.text, "type 11"));
    model->graph->input[0]->type = NULL;
    assert_int_equal(parse_model(f, model), LAC_E_UNSUPPORTED);
    model->graph->input[0]->name = NULL;
    assert_int_equal(parse_model(f, model), LAC_E_FORMAT);
}

// ---- bytes that lie -------------------------------------------------------------------------------------

static void nesting_without_end_is_refused_before_it_is_followed(void **state) {
    fixture *f = *state;
    // A type of a sequence of a type of a sequence ... deep enough to exhaust any stack.
    enum { LEVELS = 200000 };
    size_t most = LEVELS * 12, at = most;
    uint8_t *bytes = LAC_NEW_ARRAY(f->arena, uint8_t, most);
    // fields, inside out: TypeProto.sequence_type 4, Sequence.elem_type 1
    for (int level = 0; level < LEVELS && at > 12; level++) {
        size_t n = most - at;
        uint8_t varint[8], n_varint = 0;
        do varint[n_varint++] = (uint8_t)((n & 127) | (n > 127 ? 128 : 0));
        while ((n >>= 7) > 0);
        at -= n_varint;
        memcpy(bytes + at, varint, n_varint);
        // last three wrappers: ValueInfoProto.type 2, GraphProto.input 11, ModelProto.graph 7
        uint8_t field = level == LEVELS - 3   ? 2
                        : level == LEVELS - 2 ? 11
                        : level == LEVELS - 1 ? 7
                        : level % 2           ? 1
                                              : 4;
        bytes[--at] = (uint8_t)(field << 3 | 2);
    }
    assert_int_equal(lac_onnx_parse(bytes + at, most - at, f->arena, &f->graph, &f->err), LAC_E_FORMAT);
    assert_non_null(strstr(f->err.text, "nested too deep"));
}

static void things_that_are_no_onnx_are_refused(void **state) {
    fixture *f = *state;
    static const struct {
        const char *bytes;
        size_t n;
    } rows[] = {{"", 0},
                {"hello world, this is a text", 27},
                {"\x00\x00\x00\x00", 4},
                {"\x08\x07", 2},
                {"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},
                {"\x3a\x02\x0a\x05", 4},
                {"\xff\xff\xff", 3},
                {"\x3a\x00\x3a\x00\x08\x07", 6},
                {"\x12\x03"
                 "a\0b",
                 5}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        f->err = (lac_error){0};
        lac_status status =
            lac_onnx_parse((const uint8_t *)rows[i].bytes, rows[i].n, f->arena, &f->graph, &f->err);
        assert_int_equal(status, LAC_E_FORMAT);
        assert_true(strlen(f->err.text) > 20);
        assert_null(f->graph);
    }
}

static void messages_begin_with_the_path(void **state) {
    fixture *f = *state;
    assert_int_equal(lac_onnx_read("/nowhere/a.onnx", f->arena, &f->graph, &f->err), LAC_E_NOT_FOUND);
    assert_int_equal(lac_onnx_read(LAC_SOURCE_DIR "/CMakeLists.txt", f->arena, &f->graph, &f->err),
                     LAC_E_FORMAT);
    assert_non_null(strstr(f->err.text, "CMakeLists.txt: not an ONNX model"));
    assert_int_equal(lac_onnx_read(LAC_SOURCE_DIR, f->arena, &f->graph, &f->err), LAC_E_IO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

// ---- what several nodes say together --------------------------------------------------------------------

#define GELU IMAGE "init root = 1.41421356\ninit one = 1\ninit half = 0.5\n"

static void gelu_is_found_however_it_is_multiplied(void **state) {
    static const char *const ends[] = {"node Mul m x,g\nnode Mul y m,half",
                                       "node Mul m g,half\nnode Mul y x,m",
                                       "node Mul m half,x\nnode Mul y m,g"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char text[512];
        snprintf(text, sizeof text, GELU "node Div d x,root\nnode Erf e d\nnode Add g e,one\n%s", ends[i]);
        lac_graph *g = accept_text(*state, text);
        assert_int_equal(g->n_nodes, 1);
        assert_int_equal(g->nodes[0].op, LAC_OP_GELU);
        assert_string_equal(g->values[g->output].name, "y");
    }
}

static void what_is_almost_gelu_is_refused_by_name(void **state) {
    fixture *f = *state;
    static const char *const texts[] = {
        GELU "node Div d root,x\nnode Erf e d\nnode Add g e,one\nnode Mul m x,g\nnode Mul y m,half",
        GELU "node Div d x,one\nnode Erf e d\nnode Add g e,one\nnode Mul m x,g\nnode Mul y m,half",
        GELU "node Div d x,root\nnode Erf e d\nnode Add g e,half\nnode Mul m x,g\nnode Mul y m,half",
        GELU "node Div d x,root\nnode Erf e d\nnode Add g e,one\nnode Mul m x,g\nnode Mul y m,one"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(parse_model(f, onnx_text_model(texts[i], f->arena)), LAC_E_UNSUPPORTED);
        assert_non_null(strstr(f->err.text, "Div 'node_d'"));
    }
}

static void gates_become_silu_and_hard_swish_when_nobody_else_reads_them(void **state) {
    lac_graph *g = accept_text(*state, IMAGE "node Sigmoid s x\nnode Mul y s,x");
    assert_int_equal(g->n_nodes, 1);
    assert_int_equal(g->nodes[0].op, LAC_OP_SILU);
    g = accept_text(*state, IMAGE "node HardSigmoid s x alpha=0.16666667 beta=0.5\nnode Mul y x,s");
    assert_int_equal(g->nodes[0].op, LAC_OP_HARD_SWISH);
    g = accept_text(*state, IMAGE "node HardSigmoid s x\nnode Mul y x,s");
    assert_int_equal(g->nodes[1].op, LAC_OP_MUL);
    assert_true(g->nodes[0].attr.alpha == 0.2f && g->nodes[0].attr.beta == 0.5f);
    g = accept_text(*state, IMAGE "node Sigmoid s x\nnode Mul m s,x\nnode Add y m,s");
    assert_int_equal(g->nodes[1].op, LAC_OP_MUL);
}

static void the_spread_factor_comes_second(void **state) {
    lac_graph *g = accept_text(*state, IMAGE "node GlobalAveragePool m x\nnode Mul y m,x");
    assert_int_equal(g->nodes[1].op, LAC_OP_MUL);
    assert_int_equal(g->nodes[1].in[0], g->input);
}

#define SHUFFLE "input x N 6 5 4\noutput y\n"

static void channel_shuffle_is_found(void **state) {
    static const char *const shapes[] = {"ints a 5 = 0 2 3 5 4\nints b 4 = 0 6 5 4\n",
                                         "ints a 5 = -1 2 3 5 4\nints b 4 = -1 6 5 4\n",
                                         "ints a 5 = 0 -1 3 5 4\nints b 4 = 0 -1 5 4\n"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 SHUFFLE "%snode Reshape r x,a\nnode Transpose t r perm=[0,2,1,3,4]\nnode Reshape y t,b",
                 shapes[i]);
        lac_graph *g = accept_text(*state, text);
        assert_int_equal(g->n_nodes, 1);
        assert_int_equal(g->nodes[0].op, LAC_OP_CHANNEL_SHUFFLE);
        assert_int_equal(g->nodes[0].attr.move.groups, 2);
    }
}

static void split_becomes_slices(void **state) {
    lac_graph *g = accept_text(*state, SHUFFLE "ints s 2 = 2 4\nnode Split a,b x,s axis=1\n"
                                               "node Concat y b,a axis=1");
    assert_int_equal(g->n_nodes, 3);
    assert_int_equal(g->nodes[0].op, LAC_OP_SLICE);
    assert_true(g->nodes[0].attr.move.begin == 0 && g->nodes[0].attr.move.end == 2);
    assert_true(g->nodes[1].attr.move.begin == 2 && g->nodes[1].attr.move.end == 6);
    assert_int_equal(g->nodes[2].in[0], g->nodes[1].out);
    g = accept_text(*state, SHUFFLE "node Split a,b,c x axis=1\nnode Concat y c,b,a axis=-3");
    assert_true(g->nodes[2].attr.move.begin == 4 && g->nodes[2].attr.move.end == 6);
}

static void slices_count_from_the_end_and_are_clipped(void **state) {
    lac_graph *g =
        accept_text(*state, SHUFFLE "ints s 1 = -4\nints e 1 = 9223372036854775807\nints a 1 = -3\n"
                                    "node Slice y x,s,e,a");
    assert_true(g->nodes[0].attr.move.begin == 2 && g->nodes[0].attr.move.end == 6);
}

static void transposed_convolutions_keep_every_attribute(void **state) {
    lac_graph *g = accept_text(*state, SHUFFLE "init w 6 2 3 2\ninit b 4\nnode ConvTranspose y x,w,b group=2 "
                                               "strides=[3,2] pads=[1,0,2,1] dilations=[1,2] "
                                               "output_padding=[2,1]");
    lac_window expected = {{3, 2}, {3, 2}, {1, 0, 2, 1}, {1, 2}, 2};
    assert_memory_equal(&g->nodes[0].attr.window, &expected, sizeof expected);
    assert_true(g->nodes[0].attr.out_pad[0] == 2 && g->nodes[0].attr.out_pad[1] == 1);
    assert_true(lac_shape_equal(g->values[g->output].shape, LAC_SHAPE(1, 4, 14, 9)));
}

static void circular_padding_is_read_as_such(void **state) {
    lac_graph *g =
        accept_text(*state, SHUFFLE "ints p 8 = 0 0 1 2 0 0 3 4\nopset 19\nnode Pad y x,p mode=wrap");
    const int pad[4] = {1, 2, 3, 4};
    assert_memory_equal(g->nodes[0].attr.move.pad, pad, sizeof pad);
    assert_true(g->nodes[0].attr.move.circular);
}

static void a_final_arg_max_is_left_out_with_a_note(void **state) {
    lac_graph *g =
        accept_text(*state, VECTOR "init w 3 4\nnode Gemm l x,w transB=1\nnode ArgMax y l axis=-1");
    assert_int_equal(g->n_nodes, 1);
    assert_non_null(strstr(lac_graph_meta(g, "lacuna.import.note"), "ArgMax"));
}

static void rearranging_nodes_that_do_more_are_refused_with_the_number(void **state) {
    fixture *f = *state;
    static const struct {
        const char *text, *word;
    } rows[] = {
        {SHUFFLE "ints s 1 = 0\nints e 1 = 2\nints a 1 = 2\nnode Slice y x,s,e,a", "axis 2"},
        {SHUFFLE "ints s 1 = 0\nints e 1 = 4\nints a 1 = 1\nints t 1 = 2\nnode Slice y x,s,e,a,t",
         "steps is 2"},
        {SHUFFLE "node Split a,y x axis=2", "axis 2"},
        {SHUFFLE "ints s 2 = 3 4\nnode Split a,y x,s axis=1", "7 channels"},
        {SHUFFLE "ints p 8 = 0 1 0 0 0 0 0 0\nnode Pad y x,p", "pads[1] is 1"},
        {SHUFFLE "ints p 8 = 0 0 1 0 0 0 0 0\ninit v = 2\nnode Pad y x,p,v", "pads with 2"},
        {SHUFFLE "ints p 8 = 0 0 1 0 0 0 0 0\nnode Pad y x,p mode=reflect", "reflect"},
        {SHUFFLE "init s 4 = 1 1 1.5 2\nnode Resize y x,-,s coordinate_transformation_mode=asymmetric "
                 "nearest_mode=floor",
         "1.5"},
        {SHUFFLE "init s 4 = 1 1 2 2\nnode Resize y x,-,s mode=linear", "linear"},
        {SHUFFLE "init s 4 = 1 1 2 2\nnode Resize y x,-,s nearest_mode=ceil", "ceil"},
        {SHUFFLE "node ReduceMean y x axes=[1,2]", "axes 1 2 "},
        {SHUFFLE "node ReduceMax y x axes=[1] keepdims=0", "keepdims 0"},
        {SHUFFLE "init w 6 2 3 3\nnode ConvTranspose y x,w auto_pad=SAME_UPPER", "SAME_UPPER"},
        {SHUFFLE "init w 6 2 3 3\nnode ConvTranspose y x,w output_shape=[9,9]", "output_shape"},
        {SHUFFLE "ints a 5 = 0 2 3 4 5\nints b 4 = 0 6 5 4\nnode Reshape r x,a\n"
                 "node Transpose t r perm=[0,2,1,3,4]\nnode Reshape y t,b",
         "something else"},
        {SHUFFLE "ints a 5 = 0 2 3 5 4\nints b 4 = 0 6 4 5\nnode Reshape r x,a\n"
                 "node Transpose t r perm=[0,2,1,3,4]\nnode Reshape y t,b",
         "something else"},
        {SHUFFLE "node Gelu y x approximate=tanh", "tanh"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        lac_status status = parse_model(f, onnx_text_model(rows[i].text, f->arena));
        if (status == LAC_OK || !strstr(f->err.text, rows[i].word))
            fail_msg("row %zu: '%s' lacks '%s'", i, f->err.text, rows[i].word);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(conv_keeps_every_attribute),
        TEST(auto_pad_becomes_padding),
        TEST(gelu_is_found_however_it_is_multiplied),
        TEST(what_is_almost_gelu_is_refused_by_name),
        TEST(gates_become_silu_and_hard_swish_when_nobody_else_reads_them),
        TEST(the_spread_factor_comes_second),
        TEST(channel_shuffle_is_found),
        TEST(split_becomes_slices),
        TEST(slices_count_from_the_end_and_are_clipped),
        TEST(transposed_convolutions_keep_every_attribute),
        TEST(circular_padding_is_read_as_such),
        TEST(a_final_arg_max_is_left_out_with_a_note),
        TEST(rearranging_nodes_that_do_more_are_refused_with_the_number),
        TEST(ceil_mode_becomes_padding_at_the_end),
        TEST(gemm_is_folded_into_out_by_in_weights),
        TEST(matmul_and_add_become_one_linear_layer),
        TEST(reshape_to_rows_becomes_flatten),
        TEST(what_does_nothing_is_dropped),
        TEST(order_does_not_matter_and_dead_nodes_are_not_read),
        TEST(constant_nodes_and_default_inputs_are_constants),
        TEST(raw_and_listed_floats_are_the_same),
        TEST(quantizers_keep_every_attribute),
        TEST(batch_norm_statistics_are_not_trainable),
        TEST(a_weight_used_twice_is_one_constant),
        TEST(every_refusal_names_node_value_and_reason),
        TEST(tensors_that_contradict_themselves_are_refused),
        TEST(models_with_missing_parts_are_refused),
        TEST(nesting_without_end_is_refused_before_it_is_followed),
        TEST(things_that_are_no_onnx_are_refused),
        TEST(messages_begin_with_the_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
