#include "digit_pull.h"
#include "lac_num.h"

#include <math.h>

enum { HALVES = 512 };

const int8_t *lac_digit_levels(int lowest, int highest, int most_digits, double reach, lac_arena *arena) {
    int8_t *table = LAC_NEW_ARRAY(arena, int8_t, HALVES);
    for (int i = 0; i < HALVES; i++) {
        double v = i / 2.0 - 128 + 0.25, least = INFINITY;
        for (int c = lowest; c <= highest; c++) {
            int digits = lac_digit_count(c);
            double cost = (v - c) * (v - c) / 2 + reach * reach / 2 * digits;
            if ((most_digits && digits > most_digits) || !(cost < least)) continue;
            least = cost;
            table[i] = (int8_t)c;
        }
    }
    return table;
}

static int level_of(const int8_t *level, float v) {
    int i = (int)floorf(2 * fminf(fmaxf(v, -128), 127.5f)) + HALVES / 2;
    return level[i];
}

double lac_digit_pull(const int8_t *level, double pull, double reach, const float *w, size_t n,
                      const float *scale, int n_scales, float *gradient) {
    size_t n_per_scale = n / (size_t)n_scales;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double s = (double)scale[i / n_per_scale];
        int code = level_of(level, w[i] / scale[i / n_per_scale]);
        double off = (double)w[i] - code * s;
        sum += off * off / 2 + s * s * reach * reach / 2 * lac_digit_count(code);
        if (gradient) gradient[i] += (float)(pull * off);
    }
    return pull * sum;
}
