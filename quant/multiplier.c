#include "multiplier.h"

#include <math.h>

enum { LEAST_SHIFT = 1, MOST_SHIFT = 46, M_BITS = 16, MOST_WEIGHT = 127 };

void lac_multiplier(double scale, uint16_t *m, uint8_t *s) {
    int exponent;
    frexp(scale, &exponent); // scale = f * 2^exponent, f in [1/2, 1)
    int shift = M_BITS - exponent;
    if (scale <= 0 || shift > MOST_SHIFT) shift = MOST_SHIFT;
    if (shift < LEAST_SHIFT) shift = LEAST_SHIFT;
    double rounded = rint(ldexp(scale, shift));
    if (rounded >= 0x1p16 && shift > LEAST_SHIFT) rounded = rint(ldexp(scale, --shift));
    *m = (uint16_t)(rounded > UINT16_MAX ? UINT16_MAX : rounded > 0 ? rounded : 0);
    *s = (uint8_t)shift;
}

double lac_multiplier_value(uint16_t m, uint8_t s) {
    return ldexp((double)m, -(int)s);
}

void lac_add_ratio(double scale0, double scale1, int8_t w[2]) {
    const double float_rounding = 0x1p-22;
    double best = INFINITY, ratio = log(scale0 / scale1);
    for (int sum = 2; sum <= 2 * MOST_WEIGHT && best > float_rounding; sum++)
        for (int a = 1; a < sum; a++) {
            int b = sum - a;
            if (a > MOST_WEIGHT || b > MOST_WEIGHT) continue;
            double off = fabs(log((double)a / b) - ratio);
            if (off >= best) continue;
            best = off;
            w[0] = (int8_t)a;
            w[1] = (int8_t)b;
        }
}
