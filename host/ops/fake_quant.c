#include "fake_quant.h"

#include <math.h>

static int pieces_per_scale(const lac_fake_quant *q) {
    return lac_n_pieces(q->n_per_scale);
}

static size_t piece_size(const lac_fake_quant *q, size_t offset) {
    return q->n_per_scale - offset < LAC_PIECE ? q->n_per_scale - offset : LAC_PIECE;
}

void lac_fake_quant_forward(const lac_fake_quant *q, lac_quant_piece *piece) {
    const int per_scale = pieces_per_scale(q), n_pieces = per_scale * q->n_scales;
    LAC_PARALLEL
    for (int p = 0; p < n_pieces; p++) {
        int channel = p / per_scale;
        size_t offset = (size_t)(p % per_scale) * LAC_PIECE;
        piece(q, (size_t)channel * q->n_per_scale + offset, piece_size(q, offset), channel);
    }
}

void lac_fake_quant_backward(const lac_fake_quant *q, lac_quant_piece_back *piece) {
    const int per_scale = pieces_per_scale(q), n_pieces = per_scale * q->n_scales;
    LAC_PARALLEL
    for (int p = 0; p < n_pieces; p++) {
        int channel = p / per_scale;
        size_t offset = (size_t)(p % per_scale) * LAC_PIECE;
        q->partial[p] = piece(q, (size_t)channel * q->n_per_scale + offset, piece_size(q, offset), channel);
    }
    for (int channel = 0; channel < q->n_scales; channel++) {
        lac_quant_sums sum = {0, 0};
        for (int p = 0; p < per_scale; p++) {
            sum.scale += q->partial[channel * per_scale + p].scale;
            sum.zero += q->partial[channel * per_scale + p].zero;
        }
        if (q->dscale) q->dscale[channel] = (float)(sum.scale * (double)q->scale_gradient);
        if (q->dzero) q->dzero[channel] = (float)(sum.zero * (double)q->scale_gradient);
    }
}

lac_status lac_fake_quant_infer(const lac_graph *graph, const lac_node *node, lac_shape *out,
                                lac_error *err) {
    const lac_value *x = &graph->values[node->in[0]];
    bool constant = x->data != NULL;
    char text[96], x_text[96];
    for (int i = 1; i < node->n_in; i++) {
        const lac_value *s = &graph->values[node->in[i]];
        int64_t n = lac_shape_count(s->shape);
        bool fits = n == 1 || (constant && x->shape.n_dims > 0 && s->shape.n_dims > 0 &&
                               s->shape.dim[0] == n && n == x->shape.dim[0]);
        if (!fits)
            LAC_FAIL(err, LAC_E_SHAPE, "%s '%s': %s '%s' is %s, '%s' is %s; it must be a scalar%s",
                     lac_op_name(node->op), node->name, i == 1 ? "scale" : "zero point", s->name,
                     lac_shape_print(s->shape, text), x->name, lac_shape_print(x->shape, x_text),
                     constant ? " or one per first dimension" : "");
    }
    *out = x->shape;
    return LAC_OK;
}

lac_status lac_fake_quant_plan(lac_plan *plan, const lac_node *node, bool plain, void (*run)(void *),
                               lac_fake_quant **out, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *scale = lac_plan_in(plan, node, 1);
    lac_tensor *y = lac_plan_out(plan, node);
    lac_fake_quant *q = *out = LAC_NEW(plan->arena, lac_fake_quant);
    dnnl_memory_desc_t layout = plain ? lac_layout_plain(x->shape) : x->layout;
    lac_call_list *list = lac_plan_list(plan, y);
    dnnl_memory_t from = NULL;
    LAC_TRY(lac_plan_as(plan, list, x->data, &layout, &from, err));
    LAC_TRY(lac_plan_set_out(plan, y, &layout, err));
    q->x = lac_memory_data(from);
    q->y = lac_memory_data(y->data);
    q->scale = lac_memory_data(scale->data);
    q->n_scales = (int)lac_shape_count(scale->shape);
    q->n_per_scale = lac_layout_count(&layout) / (size_t)q->n_scales;
    lac_plan_run(plan, list, run, q);
    return LAC_OK;
}

lac_status lac_fake_quant_plan_back(lac_plan *plan, const lac_node *node, lac_fake_quant *q,
                                    float largest_code, void (*run)(void *), lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *scale = lac_plan_in(plan, node, 1);
    lac_tensor *y = lac_plan_out(plan, node), *zero = node->n_in > 2 ? lac_plan_in(plan, node, 2) : NULL;
    dnnl_memory_t dx = NULL, dscale = NULL, dzero = NULL;
    bool learns_zero = zero && zero->wants_grad && lac_rule_learns_third(q->rule);
    LAC_TRY(lac_plan_grad(plan, x, &y->layout, &dx, err));
    q->dy = lac_memory_data(y->grad);
    q->dx = lac_memory_data(dx);
    q->partial = LAC_NEW_ARRAY(plan->arena, lac_quant_sums, pieces_per_scale(q) * q->n_scales);
    double n = (double)lac_shape_count(x->shape) / (x->constant ? q->n_scales : plan->config.batch);
    q->scale_gradient = (float)(1.0 / sqrt(n * (double)fmaxf(largest_code, 1.0f)));
    if (scale->wants_grad) {
        LAC_TRY(lac_plan_grad(plan, scale, NULL, &dscale, err));
        q->dscale = lac_memory_data(dscale);
    }
    if (learns_zero) {
        LAC_TRY(lac_plan_grad(plan, zero, NULL, &dzero, err));
        q->dzero = lac_memory_data(dzero);
    }
    lac_plan_run(plan, &plan->backward, run, q);
    if (scale->wants_grad) LAC_TRY(lac_plan_grad_done(plan, scale, dscale, err));
    if (learns_zero) LAC_TRY(lac_plan_grad_done(plan, zero, dzero, err));
    return x->wants_grad ? lac_plan_grad_done(plan, x, dx, err) : LAC_OK;
}
