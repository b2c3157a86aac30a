#include "scale_search.h"

#include <math.h>

enum { GRID = 128 };

static double squared_error(const float *x, size_t n, float scale, float lowest, float highest) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        float code = rintf(x[i] / scale);
        code = code < lowest ? lowest : code > highest ? highest : code;
        double off = (double)(x[i] - code * scale);
        sum += off * off;
    }
    return sum;
}

float lac_scale_search(const float *x, size_t n, int lowest, int highest) {
    float loosest = 0;
    for (size_t i = 0; i < n; i++) {
        float needed =
            x[i] > 0 ? (highest > 0 ? x[i] / (float)highest : 0) : (lowest < 0 ? x[i] / (float)lowest : 0);
        if (needed > loosest) loosest = needed;
    }
    if (!(loosest > 0)) return 0;
    float best = loosest;
    double least = INFINITY;
    for (int i = GRID; i > 0; i--) {
        float scale = loosest * (float)i / GRID;
        double error = scale > 0 ? squared_error(x, n, scale, (float)lowest, (float)highest) : INFINITY;
        if (error >= least) continue;
        least = error;
        best = scale;
    }
    return best;
}

float lac_scale_bipolar(const float *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += fabs((double)x[i]);
    return n ? (float)(sum / (double)n) : 0;
}
