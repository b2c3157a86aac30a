#include "n_of_m.h"

#include <math.h>

lac_status lac_n_of_m_count(double density, int *n, lac_error *err) {
    *n = (int)lround(density * LAC_N_OF_M);
    if (*n < 1 || fabs(density * LAC_N_OF_M - *n) > 1e-9)
        LAC_FAIL(err, LAC_E_USAGE, "density %g is no N of %d; give 0.25, 0.5 or 0.75", density, LAC_N_OF_M);
    return LAC_OK;
}

void lac_n_of_m_mask(const float *w, lac_shape shape, int n, int m, uint8_t *keep) {
    int64_t n_in = shape.dim[1], n_k = lac_shape_count(shape) / shape.dim[0] / n_in;
    for (int64_t o = 0; o < shape.dim[0]; o++)
        for (int64_t k = 0; k < n_k; k++)
            for (int64_t first = 0; first < n_in; first += m)
                for (int64_t i = first; i < first + m && i < n_in; i++) {
                    int better = 0;
                    for (int64_t j = first; j < first + m && j < n_in; j++) {
                        float mine = fabsf(w[(o * n_in + i) * n_k + k]),
                              other = fabsf(w[(o * n_in + j) * n_k + k]);
                        better += other > mine || (other == mine && j < i);
                    }
                    keep[(o * n_in + i) * n_k + k] = better < n;
                }
}

// Layers with fewer than four inputs stay dense, as in the papers: the first convolution, depthwise ones.
static lac_status mask(lac_sparse *s, double density, lac_error *err) {
    int n;
    LAC_TRY(lac_n_of_m_count(density, &n, err));
    for (int l = 0; l < s->weights.n_layers; l++) {
        const lac_value *v = lac_weights_value(&s->weights, l);
        if (v->shape.dim[1] < LAC_N_OF_M) continue;
        uint8_t *keep = LAC_NEW_ARRAY(s->arena, uint8_t, s->weights.first[l + 1] - s->weights.first[l]);
        lac_n_of_m_mask(v->data, v->shape, n, LAC_N_OF_M, keep);
        lac_weights_set_mask(&s->weights, l, keep);
    }
    return LAC_OK;
}

static const lac_sparsifier method = {.name = "n-of-m", .mask = mask};

LAC_SPARSE_PRUNER(n_of_m, "n-of-m", "N of every 4 inputs in a row stay, at once: density 0.5 is 2:4",
                  "Mishra et al.: Accelerating sparse deep neural networks, 2021");
