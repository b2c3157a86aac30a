#include "range.h"
#include "scale_search.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *help;
} rows[] = {
#define LAC_RANGE(id, name, help) {#name, help},
#include "range.def"
#undef LAC_RANGE
};

const char *lac_range_name(int i) {
    return i < LAC_N_RANGES ? rows[i].name : NULL;
}

const char *lac_range_help(int i) {
    return i < LAC_N_RANGES ? rows[i].help : NULL;
}

/// Where a tensor is clipped, low <= 0 <= high.
typedef struct span {
    double low, high;
} span;

// ---- extremes ---------------------------------------------------------------------------------------------

static span of_values(const lac_range_samples *s) {
    span out = {0, 0};
    for (size_t i = 0; i < s->n; i++) {
        out.low = fmin(out.low, (double)s->x[i]);
        out.high = fmax(out.high, (double)s->x[i]);
    }
    return out;
}

static span minmax(const lac_range_samples *s) {
    if (s->n_batches == 0) return of_values(s);
    span out = {0, 0};
    for (int b = 0; b < s->n_batches; b++) {
        out.low = fmin(out.low, (double)s->low[b]);
        out.high = fmax(out.high, (double)s->high[b]);
    }
    return out;
}

static span moving_average(const lac_range_samples *s) {
    const double past = 0.9;
    if (s->n_batches == 0) return of_values(s);
    span out = {fmin((double)s->low[0], 0), fmax((double)s->high[0], 0)};
    for (int b = 1; b < s->n_batches; b++) {
        out.low = past * out.low + (1 - past) * fmin((double)s->low[b], 0);
        out.high = past * out.high + (1 - past) * fmax((double)s->high[b], 0);
    }
    return out;
}

// ---- distributions ----------------------------------------------------------------------------------------

static int by_value(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

// Symmetric ranges clip |x|, asymmetric ones clip half of the rest at either end.
static span percentile_of(const lac_range_samples *s, double percent, bool asymmetric, lac_arena *scratch) {
    if (s->n == 0) return (span){0, 0};
    float *sorted = lac_arena_copy(scratch, s->x, s->n * sizeof *sorted);
    for (size_t i = 0; !asymmetric && i < s->n; i++) sorted[i] = fabsf(sorted[i]);
    qsort(sorted, s->n, sizeof *sorted, by_value);
    double outside = (1 - percent / 100) / (asymmetric ? 2 : 1), last = (double)(s->n - 1);
    double high = (double)sorted[(size_t)rint((1 - outside) * last)];
    double low = asymmetric ? (double)sorted[(size_t)rint(outside * last)] : -high;
    return (span){fmin(low, 0), fmax(high, 0)};
}

static span kl(const lac_range_samples *s, int n_levels, lac_arena *scratch) {
    enum { BINS = 2048 };
    span all = minmax(s);
    double most = fmax(-all.low, all.high);
    if (!(most > 0)) return all;
    double *bins = LAC_NEW_ARRAY(scratch, double, BINS);
    // Zero has its code whatever the range: the many zeros behind a ReLU would drown the rest.
    for (size_t i = 0; i < s->n; i++) {
        int bin = (int)(fabs((double)s->x[i]) / most * BINS);
        if (s->x[i] != 0) bins[bin < BINS ? bin : BINS - 1]++;
    }
    double kept = most * lac_range_kl_bins(bins, BINS, n_levels) / BINS;
    return (span){fmax(all.low, -kept), fmin(all.high, kept)};
}

// Divergence of the first `kept` bins, to which the rest is added at the end, from their merged levels.
static double divergence(const double *bins, int n_bins, int kept, int n_levels) {
    double outliers = 0, total = 0, sum = 0, q_total = 0;
    for (int i = 0; i < n_bins; i++) total += bins[i];
    for (int i = kept; i < n_bins; i++) outliers += bins[i];
    q_total = total - outliers;
    if (!(q_total > 0)) return INFINITY;
    for (int level = 0; level < n_levels; level++) {
        int first = (int)((int64_t)level * kept / n_levels),
            end = (int)((int64_t)(level + 1) * kept / n_levels);
        double mass = 0;
        int filled = 0;
        for (int i = first; i < end; i++) mass += bins[i], filled += bins[i] > 0;
        for (int i = first; i < end; i++) {
            double p = bins[i] + (i == kept - 1 ? outliers : 0);
            double q = bins[i] > 0 ? mass / filled : 0;
            if (p > 0) sum += p / total * log((p / total) / fmax(q / q_total, 1e-9));
        }
    }
    return sum;
}

int lac_range_kl_bins(const double *bins, int n_bins, int n_levels) {
    int best = n_bins;
    double least = INFINITY;
    int step = n_bins / 256 > 0 ? n_bins / 256 : 1;
    for (int kept = n_levels > step ? n_levels : step; kept <= n_bins; kept += step) {
        double d = divergence(bins, n_bins, kept, n_levels);
        if (d < least) least = d, best = kept;
    }
    return best;
}

// ---- codes ------------------------------------------------------------------------------------------------

static double squared_error(const float *x, size_t n, float scale, int zero, const lac_code_grid *grid) {
    double sum = 0;
    const float lo = (float)(grid->lowest - zero), hi = (float)(grid->highest - zero);
    for (size_t i = 0; i < n; i++) {
        float code = rintf(x[i] / scale);
        code = code < lo ? lo : code > hi ? hi : code;
        double off = (double)(x[i] - code * scale);
        sum += off * off;
    }
    return sum;
}

float lac_scale_power_of_two(const float *x, size_t n, float scale, int lowest, int highest) {
    if (!(scale > 0)) return scale;
    const lac_code_grid grid = {.lowest = lowest, .highest = highest};
    float below = exp2f(floorf(log2f(scale))), above = 2 * below;
    if (below == scale) return scale;
    return squared_error(x, n, below, 0, &grid) <= squared_error(x, n, above, 0, &grid) ? below : above;
}

static void to_codes(span s, const lac_code_grid *grid, float *scale, int *zero) {
    *zero = 0;
    if (grid->asymmetric) {
        *scale = (float)((s.high - s.low) / (grid->highest - grid->lowest));
        if (!(*scale > 0)) return;
        double z = rint(grid->lowest - s.low / (double)*scale);
        *zero = (int)fmin(fmax(z, grid->lowest), grid->highest);
        return;
    }
    double needed = grid->highest > 0 ? s.high / grid->highest : 0;
    if (grid->lowest < 0) needed = fmax(needed, s.low / grid->lowest);
    *scale = (float)needed;
}

// Shrinks the whole range, then each end alone.
static span least_error(const lac_range_samples *s, const lac_code_grid *grid) {
    enum { STEPS = 64 };
    span all = of_values(s), best = all;
    double least = INFINITY;
    for (int side = 0; side < 3; side++) {
        span from = best;
        for (int i = STEPS; i > 0; i--) {
            double shrink = (double)i / STEPS;
            span tried = {side == 2 ? from.low : all.low * shrink, side == 1 ? from.high : all.high * shrink};
            if (side == 0) tried = (span){all.low * shrink, all.high * shrink};
            float scale;
            int zero;
            to_codes(tried, grid, &scale, &zero);
            double error = scale > 0 ? squared_error(s->x, s->n, scale, zero, grid) : INFINITY;
            if (error < least) least = error, best = tried;
        }
    }
    return best;
}

static span clip(lac_range_kind kind, double percentile, const lac_range_samples *s,
                 const lac_code_grid *grid, lac_arena *scratch) {
    switch (kind) {
    case LAC_RANGE_MINMAX:
        return minmax(s);
    case LAC_RANGE_AVERAGE:
        return moving_average(s);
    case LAC_RANGE_PERCENTILE:
        return percentile_of(s, percentile > 0 ? percentile : 99.99, grid->asymmetric, scratch);
    case LAC_RANGE_KL:
        return kl(s, grid->highest + 1, scratch);
    case LAC_RANGE_MSE:
        return least_error(s, grid);
    case LAC_N_RANGES:
        break;
    }
    assert(false && "a rule of range.def");
    return (span){0, 0};
}

void lac_range_fit(lac_range_kind kind, double percentile, const lac_range_samples *s, lac_code_grid grid,
                   lac_arena *scratch, float *scale, int *zero) {
    *zero = 0;
    if (kind == LAC_RANGE_MSE && !grid.asymmetric)
        *scale = lac_scale_search(s->x, s->n, grid.lowest, grid.highest);
    else
        to_codes(clip(kind, percentile, s, &grid, scratch), &grid, scale, zero);
    if (!grid.power_of_two || !(*scale > 0)) return;
    if (grid.asymmetric) { // the zero point is rounded again for the scale that is left
        double low = ((double)grid.lowest - *zero) * (double)*scale;
        *scale = exp2f(ceilf(log2f(*scale)));
        *zero = (int)fmin(fmax(rint(grid.lowest - low / (double)*scale), grid.lowest), grid.highest);
    } else {
        *scale = lac_scale_power_of_two(s->x, s->n, *scale, grid.lowest, grid.highest);
    }
}
