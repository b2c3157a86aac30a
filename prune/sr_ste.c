#include "n_of_m.h"

#include <string.h>

// The dense weights go on learning behind N:M masks that are drawn anew every step: the loss sees the masked
// weights, its gradient reaches all, and what is masked decays.
//
//   dense -= lr * (d loss / d masked + decay * (1 - mask) * dense)

static const float decay = 2e-4f;

typedef struct shadow {
    float *dense, *shown; // [weights.n] behind the masks; as the step began: the memory
    bool *begun;          // in the memory, too
    uint8_t *keep;        // of a step
    bool done;
} shadow;

static bool is_grouped(const lac_value *v) {
    return v->shape.dim[1] >= LAC_N_OF_M;
}

static lac_status open(lac_sparse *s, lac_error *err) {
    int n;
    LAC_TRY(lac_n_of_m_count(s->config->density, &n, err));
    shadow *h = s->state = LAC_NEW(s->arena, shadow);
    s->n_memory = 2 * s->weights.n * sizeof(float) + sizeof *h->begun;
    s->memory = lac_arena_alloc(s->arena, s->n_memory);
    *h = (shadow){.dense = s->memory, .keep = LAC_NEW_ARRAY(s->arena, uint8_t, s->weights.n)};
    h->shown = h->dense + s->weights.n;
    h->begun = (bool *)(h->shown + s->weights.n);
    return LAC_OK;
}

// What the last step did to the weights that were shown, it did to the dense ones.
static void follow(lac_sparse *s) {
    shadow *h = s->state;
    for (int l = 0; l < s->weights.n_layers; l++)
        for (size_t i = s->weights.first[l]; i < s->weights.first[l + 1]; i++) {
            float now = lac_weights_value(&s->weights, l)->data[i - s->weights.first[l]];
            h->dense[i] = *h->begun ? h->dense[i] + now - h->shown[i] : now;
        }
    *h->begun = true;
}

static lac_status tick(lac_sparse *s, uint64_t step, uint64_t n_steps, lac_error *err) {
    shadow *h = s->state;
    int n;
    LAC_TRY(lac_n_of_m_count(s->config->density, &n, err));
    follow(s);
    for (int l = 0; l < s->weights.n_layers; l++) {
        lac_value *v = lac_weights_value(&s->weights, l);
        size_t first = s->weights.first[l], size = s->weights.first[l + 1] - first;
        memset(h->keep + first, 1, size);
        if (is_grouped(v)) lac_n_of_m_mask(h->dense + first, v->shape, n, LAC_N_OF_M, h->keep + first);
        for (size_t i = 0; i < size; i++)
            v->data[i] = h->shown[first + i] = h->keep[first + i] ? h->dense[first + i] : 0;
    }
    h->done = step + 1 == n_steps;
    return LAC_OK;
}

static lac_status watch(lac_sparse *s, const lac_gradients *gradients, uint64_t step, uint64_t n_steps,
                        lac_error *err) {
    const shadow *h = s->state;
    (void)step, (void)n_steps, (void)err;
    for (int l = 0; l < s->weights.n_layers; l++) {
        float *slope = lac_gradient_of(gradients, s->weights.value[l]);
        size_t first = s->weights.first[l], size = s->weights.first[l + 1] - first;
        for (size_t i = 0; slope && i < size; i++)
            if (!h->keep[first + i]) slope[i] += decay * h->dense[first + i];
    }
    return LAC_OK;
}

// Masks become final behind the last step, or at once when there is no training.
static lac_status mask(lac_sparse *s, double density, lac_error *err) {
    shadow *h = s->state;
    int n;
    (void)density; // the schedule's: masks are there from the first step
    if (!h->done && !s->config->no_training) return LAC_OK;
    LAC_TRY(lac_n_of_m_count(s->config->density, &n, err));
    follow(s);
    for (int l = 0; l < s->weights.n_layers; l++) {
        lac_value *v = lac_weights_value(&s->weights, l);
        size_t first = s->weights.first[l], size = s->weights.first[l + 1] - first;
        if (!is_grouped(v)) continue;
        memcpy(v->data, h->dense + first, size * sizeof *v->data);
        lac_n_of_m_mask(h->dense + first, v->shape, n, LAC_N_OF_M, h->keep + first);
        lac_weights_set_mask(&s->weights, l, h->keep + first);
    }
    return LAC_OK;
}

static const lac_sparsifier method = {.name = "sr-ste",
                                      .gradual = true,
                                      .regrows = true,
                                      .open = open,
                                      .mask = mask,
                                      .watch = watch,
                                      .tick = tick};

LAC_SPARSE_PRUNER(
    sr_ste, "sr-ste", "N of every 4 inputs in a row, chosen anew at every step of the training",
    "Zhou et al.: Learning N:M fine-grained structured sparse neural networks from scratch, ICLR 2021");
