#include "teacher.h"

#include "net.h"
#include "op.h"

#include <string.h>

static lac_status check(const lac_teacher *t, const lac_graph *student, lac_error *err) {
    const lac_graph *teacher = t->graph;
    const struct {
        int teacher, student;
        const char *what;
    } ends[] = {{teacher->input, student->input, "takes"}, {teacher->output, student->output, "gives"}};
    char a[96], b[96];
    for (int i = 0; i < 2; i++) {
        lac_shape x = teacher->values[ends[i].teacher].shape, y = student->values[ends[i].student].shape;
        if (!lac_shape_equal(x, y))
            LAC_FAIL(err, LAC_E_SHAPE, "teacher '%s' %s %s, student '%s' %s: both must be of one shape",
                     teacher->name, ends[i].what, lac_shape_print(x, a), student->name,
                     lac_shape_print(y, b));
    }
    const lac_distillation *c = &t->config;
    if (!(c->weight >= 0 && c->weight <= 1) || !(c->temperature > 0) || !(c->hint_weight >= 0))
        LAC_FAIL(
            err, LAC_E_RANGE,
            "distillation: weight %g must be in 0..1, temperature %g above 0, hint weight %g not negative",
            (double)c->weight, (double)c->temperature, (double)c->hint_weight);
    return LAC_OK;
}

// Do two maps differ in nothing but their channels?
static bool maps_match(lac_shape a, lac_shape b) {
    if (a.n_dims != b.n_dims || a.n_dims < 2) return false;
    a.dim[1] = b.dim[1];
    return lac_shape_equal(a, b);
}

static lac_status regress(lac_net *net, int i, lac_hint *hint, const lac_value *teacher, lac_error *err) {
    const lac_value *student = &net->graph->values[hint->value];
    char a[96], b[96];
    if (lac_shape_equal(student->shape, teacher->shape)) return LAC_OK;
    if (!maps_match(student->shape, teacher->shape))
        LAC_FAIL(
            err, LAC_E_SHAPE,
            "hint: '%s' of the student is %s, '%s' of the teacher is %s; choose two with maps of one size",
            student->name, lac_shape_print(student->shape, a), teacher->name,
            lac_shape_print(teacher->shape, b));
    const char *name = lac_arena_printf(net->graph->arena, "regressor%d", i);
    int channels = (int)teacher->shape.dim[1];
    hint->value = student->shape.n_dims == 2 ? lac_net_linear(net, name, hint->value, channels)
                                             : lac_net_conv(net, name, hint->value, channels, 1, 1, 0, true);
    return LAC_OK;
}

lac_status lac_teacher_regressors(const lac_distillation *distillation, lac_graph *student, uint64_t seed,
                                  lac_distillation *out, lac_error *err) {
    enum { STREAM = 0x68696e74 }; // apart from the numbers that made the student
    *out = *distillation;
    if (out->n_hints == 0) return LAC_OK;
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory for teacher '%s'", distillation->teacher->name);
    lac_graph *teacher = lac_graph_copy(distillation->teacher, scratch); // for its shapes alone
    lac_hint *hints = lac_arena_copy(student->arena, out->hints, (size_t)out->n_hints * sizeof *hints);
    lac_net net = {.graph = student, .rng = lac_rng_make(seed, STREAM)};
    lac_status status = lac_graph_infer(teacher, err);
    for (int i = 0; status == LAC_OK && i < out->n_hints; i++)
        status = regress(&net, i, &hints[i], &teacher->values[hints[i].teacher_value], err);
    out->hints = hints;
    lac_arena_close(scratch);
    return status;
}

static void add_hint(lac_teacher *t, int i, const lac_graph *student, int batch) {
    lac_hint hint = t->config.hints[i];
    t->student_taps[i] = hint.value;
    t->taps[i] = hint.teacher_value;
    t->n_elements[i] = batch * lac_shape_count(student->values[hint.value].shape);
}

static lac_status make_ready(lac_teacher *t, const lac_graph *student, int batch, lac_error *err) {
    const lac_distillation *c = &t->config;
    t->graph = lac_graph_copy(c->teacher, t->arena);
    LAC_TRY(lac_graph_infer(t->graph, err));
    LAC_TRY(check(t, student, err));
    t->taps = LAC_NEW_ARRAY(t->arena, int, c->n_hints + 1);
    t->student_taps = LAC_NEW_ARRAY(t->arena, int, c->n_hints + 1);
    t->n_elements = LAC_NEW_ARRAY(t->arena, int64_t, c->n_hints + 1);
    for (int i = 0; i < c->n_hints; i++) add_hint(t, i, student, batch);
    lac_plan_config config = {.batch = batch, .taps = t->taps, .n_taps = c->n_hints};
    return lac_plan_open(t->graph, &config, &t->plan, err);
}

lac_status lac_teacher_open(const lac_distillation *distillation, const lac_graph *student, int batch,
                            lac_teacher *out, lac_error *err) {
    *out = (lac_teacher){0};
    if (!distillation) return LAC_OK;
    out->config = *distillation;
    if (out->config.weight == 0) out->config.weight = 0.5f;
    if (out->config.temperature == 0) out->config.temperature = 4;
    if (out->config.hint_weight == 0) out->config.hint_weight = 1;
    out->arena = lac_arena_open();
    if (!out->arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory for teacher '%s'", distillation->teacher->name);
    return make_ready(out, student, batch, err);
}

void lac_teacher_close(lac_teacher *t) {
    lac_plan_close(t->plan);
    lac_arena_close(t->arena);
    *t = (lac_teacher){0};
}

lac_status lac_teacher_run(lac_teacher *t, const float *x, size_t n_x, lac_targets *targets, lac_error *err) {
    if (!t->plan) return LAC_OK;
    memcpy(lac_plan_input(t->plan), x, n_x * sizeof *x);
    LAC_TRY(lac_plan_forward(t->plan, err));
    targets->teacher = lac_plan_output(t->plan);
    targets->teacher_weight = t->config.weight;
    targets->temperature = t->config.temperature;
    return LAC_OK;
}

double lac_teacher_hints(const lac_teacher *t, lac_plan *student) {
    double sum = 0;
    for (int i = 0; t->plan && i < t->config.n_hints; i++) {
        float *gradient = lac_plan_tap_gradient(student, i);
        if (gradient)
            sum += lac_hint_loss(lac_plan_tap(student, i), lac_plan_tap(t->plan, i), t->n_elements[i],
                                 t->config.hint_weight, gradient);
    }
    return sum;
}
