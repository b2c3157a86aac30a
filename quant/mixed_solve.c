#include "mixed.h"

#include <math.h>

enum { GRID = 4096 };

static double total_cost(const lac_mixed_layer *layers, int n) {
    double sum = 0;
    for (int l = 0; l < n; l++) sum += layers[l].choices[layers[l].chosen].cost;
    return sum;
}

// ---- dynamic programming ----------------------------------------------------------------------------------

/// least[l][b]: least loss of the first l layers within b units; from[l][b]: the choice of layer l there.
typedef struct knapsack {
    double *least;
    int16_t *from;
} knapsack;

static int units_of(double cost, double limit) {
    double units = ceil(cost / limit * GRID - 1e-9);
    return units > GRID ? GRID + 1 : (int)units;
}

static void fill(const lac_mixed_layer *layers, int n, double limit, knapsack *k) {
    for (int b = 0; b <= GRID; b++) k->least[b] = 0;
    for (int l = 0; l < n; l++) {
        const double *before = k->least + (size_t)l * (GRID + 1);
        double *after = k->least + (size_t)(l + 1) * (GRID + 1);
        int16_t *from = k->from + (size_t)l * (GRID + 1);
        for (int b = 0; b <= GRID; b++) {
            after[b] = INFINITY;
            from[b] = -1;
            for (int c = 0; c < layers[l].n_choices; c++) {
                int units = units_of(layers[l].choices[c].cost, limit);
                double loss = units <= b ? before[b - units] + layers[l].choices[c].loss : INFINITY;
                if (loss < after[b]) after[b] = loss, from[b] = (int16_t)c;
            }
        }
    }
}

static bool solve_exactly(lac_mixed_layer *layers, int n, double limit, lac_arena *arena) {
    knapsack k = {LAC_NEW_ARRAY(arena, double, (n + 1) * (GRID + 1)),
                  LAC_NEW_ARRAY(arena, int16_t, n * (GRID + 1))};
    fill(layers, n, limit, &k);
    int b = GRID;
    if (!isfinite(k.least[(size_t)n * (GRID + 1) + GRID])) return false;
    for (int l = n - 1; l >= 0; l--) {
        layers[l].chosen = k.from[(size_t)l * (GRID + 1) + (size_t)b];
        b -= units_of(layers[l].choices[layers[l].chosen].cost, limit);
    }
    return true;
}

// ---- greedy -----------------------------------------------------------------------------------------------

// The step to a cheaper choice, of any layer, that costs the least loss per unit saved.
static bool step_down(lac_mixed_layer *layers, int n) {
    int layer = -1, choice = 0;
    double least = INFINITY;
    for (int l = 0; l < n; l++) {
        const lac_mixed_choice *now = &layers[l].choices[layers[l].chosen];
        for (int c = 0; c < layers[l].n_choices; c++) {
            double saved = now->cost - layers[l].choices[c].cost;
            double price = saved > 0 ? (layers[l].choices[c].loss - now->loss) / saved : INFINITY;
            if (price < least) least = price, layer = l, choice = c;
        }
    }
    if (layer < 0) return false;
    layers[layer].chosen = choice;
    return true;
}

static void choose_least(lac_mixed_layer *layer, bool loss) {
    for (int c = 0; c < layer->n_choices; c++) {
        const lac_mixed_choice *a = &layer->choices[c], *b = &layer->choices[layer->chosen];
        if (loss ? a->loss < b->loss : a->cost < b->cost) layer->chosen = c;
    }
}

static bool solve_greedily(lac_mixed_layer *layers, int n, double limit) {
    for (int l = 0; l < n; l++) choose_least(&layers[l], true);
    while (total_cost(layers, n) > limit)
        if (!step_down(layers, n)) return false;
    return true;
}

lac_status lac_mixed_solve(lac_mixed_layer *layers, int n_layers, double limit, lac_search_kind search,
                           lac_error *err) {
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory to choose widths of %d layers", n_layers);
    bool found = search == LAC_SEARCH_DP ? solve_exactly(layers, n_layers, limit, arena)
                                         : solve_greedily(layers, n_layers, limit);
    lac_arena_close(arena);
    if (found) return LAC_OK;
    for (int l = 0; l < n_layers; l++) choose_least(&layers[l], false);
    LAC_FAIL(err, LAC_E_RANGE, "the narrowest widths cost %g, the budget is %g; allow more",
             total_cost(layers, n_layers), limit);
}
