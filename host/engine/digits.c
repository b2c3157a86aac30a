#include "digits.h"

#include <assert.h>
#include <string.h>

typedef struct recoding {
    int n_nonzero, n_planes;
    int8_t digits[LAC_MOST_PLANES];
} recoding;

static int is_better(const recoding *a, const recoding *b) {
    if (a->n_nonzero != b->n_nonzero) return a->n_nonzero < b->n_nonzero;
    return a->n_planes < b->n_planes;
}

/// The lowest digit is forced by the weight modulo 4, but for 2, which may also be -2 with a carry.
static int recode(int weight, int planes_left, recoding *best) {
    *best = (recoding){.n_planes = 0};
    if (weight == 0) return 1;
    if (planes_left == 0) return 0;
    static const int candidates[4][2] = {{0, 0}, {1, 1}, {2, -2}, {-1, -1}};
    int found = 0;
    for (int i = 0; i < 2; i++) {
        int digit = candidates[weight & 3][i];
        recoding rest, all;
        if (!recode((weight - digit) / 4, planes_left - 1, &rest)) continue;
        all = (recoding){.n_nonzero = rest.n_nonzero + (digit != 0), .n_planes = rest.n_planes + 1};
        all.digits[0] = (int8_t)digit;
        memcpy(all.digits + 1, rest.digits, LAC_MOST_PLANES - 1);
        if (!found || is_better(&all, best)) *best = all;
        found = 1;
    }
    return found;
}

int lac_digits_of(int weight, int8_t digits[LAC_MOST_PLANES]) {
    recoding best;
    int found = recode(weight, LAC_MOST_PLANES, &best);
    assert(found);
    (void)found;
    memcpy(digits, best.digits, LAC_MOST_PLANES);
    return best.n_planes;
}
