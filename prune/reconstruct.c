#include "reconstruct.h"

#include "obs_row.h"
#include "patches.h"

#include <string.h>

// Scatters the inverse of h among what stays into a full matrix; zeros elsewhere.
static bool invert_stay(const bool *stays, const double *h, int n, double *inverse) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) inverse[i * n + j] = stays[i] && stays[j] ? h[i * n + j] : i == j;
    return lac_invert_symmetric(inverse, n);
}

bool lac_reconstruct_rows(float *const *rows, int n_rows, const bool *stays, const double *h, int n,
                          double *scratch) {
    double *lost = scratch + (size_t)n * (size_t)n;
    if (!invert_stay(stays, h, n, scratch)) return false;
    for (int r = 0; r < n_rows; r++) {
        for (int j = 0; j < n; j++) {
            lost[j] = 0;
            for (int i = 0; stays[j] && i < n; i++)
                if (!stays[i]) lost[j] += (double)rows[r][i] * h[i * n + j];
        }
        for (int j = 0; j < n; j++) {
            double more = 0;
            for (int i = 0; stays[j] && i < n; i++) more += lost[i] * scratch[i * n + j];
            rows[r][j] = stays[j] ? rows[r][j] + (float)more : 0.0f;
        }
    }
    return true;
}

// Which inputs of a row stay: all places of a channel whose gate is open.
static int find_stays(const lac_structured *s, const lac_patches *p, const bool *open, bool *stays) {
    const lac_gates *gates = s->gates;
    int n_channels = gates->channels->n_of[p->node->in[0]], area = p->n_in / n_channels, n_gone = 0;
    for (int i = 0; i < p->n_in; i++) {
        int gate = gates->at[p->node->in[0]][i / area];
        stays[i] = gate < 0 || open[gate];
        n_gone += !stays[i];
    }
    return n_gone;
}

static lac_status fit_layer(const lac_structured *s, const lac_patches *p, const bool *open,
                            lac_arena *scratch, lac_error *err) {
    lac_value *w = &s->graph->values[lac_constant_of(s->graph, p->node, 1)];
    int n_rows = (int)w->shape.dim[0];
    size_t area = (size_t)p->block * (size_t)p->block;
    bool *stays = LAC_NEW_ARRAY(scratch, bool, p->n_in + p->block);
    double *h = LAC_NEW_ARRAY(scratch, double, area), *work = LAC_NEW_ARRAY(scratch, double, area + area);
    float **rows = LAC_NEW_ARRAY(scratch, float *, n_rows);
    if (find_stays(s, p, open, stays) == 0) return LAC_OK;
    for (int b = 0; b < p->n_blocks; b++) {
        int n = p->n_in - b * p->block < p->block ? p->n_in - b * p->block : p->block;
        lac_patches_hessian(p, 0, b, h);
        for (int i = 0; i < n; i++) memmove(h + i * n, h + i * p->block, (size_t)n * sizeof *h);
        for (int r = 0; r < n_rows; r++) rows[r] = w->data + r * p->n_in + b * p->block;
        if (!lac_reconstruct_rows(rows, n_rows, stays + b * p->block, h, n, work))
            LAC_FAIL(err, LAC_E_RANGE, "layer '%s': its inputs are not finite", p->node->name);
    }
    for (int64_t i = 0; w->mask && i < lac_shape_count(w->shape); i++) w->data[i] *= (float)w->mask[i];
    return LAC_OK;
}

static bool is_fitted(const lac_structured *s, const lac_node *node) {
    if (node->op != LAC_OP_LINEAR &&
        (node->op != LAC_OP_CONV2D || lac_conv_groups(s->graph, node) != LAC_ONE_GROUP))
        return false;
    return s->gates->channels->n_of[node->in[0]] > 0 && s->graph->values[node->in[1]].data != NULL;
}

static lac_status fit_all(const lac_structured *s, const bool *open, lac_arena *arena, lac_error *err) {
    lac_patches *seen = LAC_NEW_ARRAY(arena, lac_patches, s->graph->n_nodes);
    int n = 0;
    for (int i = 0; i < s->graph->n_nodes; i++)
        if (is_fitted(s, &s->graph->nodes[i]))
            seen[n++] = lac_patches_of(s->graph, &s->graph->nodes[i], arena);
    LAC_TRY(lac_patches_collect(s->graph, s->data, s->config->recipe.seed, seen, n, arena, err));
    for (int i = 0; i < n; i++) LAC_TRY(fit_layer(s, &seen[i], open, arena, err));
    return LAC_OK;
}

lac_status lac_reconstruct(const lac_structured *s, const bool *open, lac_error *err) {
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory to reconstruct layers of '%s'", s->graph->name);
    lac_status status = fit_all(s, open, arena, err);
    lac_arena_close(arena);
    return status;
}
