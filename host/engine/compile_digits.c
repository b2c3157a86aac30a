#include "digits.h"
#include "plan.h"

#include "lac_num.h"

// DIGIT lanes add up other sums on the way to the same one. After the planes down to power p an accumulator
// holds sum_i u[i] * q[i], where u[i] are the weight's digits from p up; while plane p is worked through,
// some terms still have 4 times the u of the plane before. With independent q the extremes are reached term
// by term.

typedef struct range {
    int64_t low, high;
} range;

/// Adds the extremes of factor * q over the two factors and over q in codes, which holds 0.
static void widen(range *sum, int64_t before, int64_t after, range codes) {
    const int64_t products[] = {before * codes.low, before * codes.high, after * codes.low,
                                after * codes.high};
    int64_t low = products[0], high = products[0];
    for (int i = 1; i < 4; i++) {
        if (products[i] < low) low = products[i];
        if (products[i] > high) high = products[i];
    }
    sum->low += low;
    sum->high += high;
}

/// Codes that the step may read: of all its inputs, and padding.
static range codes_of(const lac_plan *plan, const lac_plan_step *step) {
    const lac_int_layer *layer = &plan->graph->layers[step->layer];
    range codes = {0, 0};
    for (int i = 0; i < layer->n_in; i++) {
        lac_code_type type = plan->graph->tensors[layer->in[i]].type;
        int64_t low = lac_code_min(type.bits, type.is_signed), high = lac_code_max(type.bits, type.is_signed);
        if (low < codes.low) codes.low = low;
        if (high > codes.high) codes.high = high;
    }
    return codes;
}

/// The widest sum of one output channel on its way through the planes.
static range bounds_of(const lac_list_item *weights, int n, range codes) {
    range widest = {0, 0};
    for (int power = LAC_MOST_PLANES - 1; power >= 0; power--) {
        range sum = {0, 0};
        for (int i = 0; i < n; i++) {
            int8_t digits[LAC_MOST_PLANES];
            lac_digits_of(weights[i].weight, digits);
            int64_t before = 0;
            for (int p = LAC_MOST_PLANES - 1; p > power; p--) before = 4 * before + digits[p];
            widen(&sum, 4 * before, 4 * before + digits[power], codes);
        }
        if (sum.low < widest.low) widest.low = sum.low;
        if (sum.high > widest.high) widest.high = sum.high;
    }
    return widest;
}

static lac_status check_step(const lac_plan *plan, const lac_plan_step *step, lac_error *err) {
    lac_list_item *weights = LAC_NEW_ARRAY(plan->scratch, lac_list_item, lac_plan_positions(plan, step));
    int64_t limit = (int64_t)1 << (plan->engine.acc_bits - 1);
    // Digits of a factor never reach beyond 128 on their way, and 128 codes of 8 bits fit any accumulator.
    if (step->record.SCALE) return LAC_OK;
    for (int o = 0; o < step->record.N_OUT; o++) {
        int n = lac_plan_channel_weights(plan, step, o, weights);
        range bounds = bounds_of(weights, n, codes_of(plan, step));
        if (bounds.low < -limit || bounds.high >= limit)
            LAC_FAIL(err, LAC_E_RANGE,
                     "layer '%s', channel %d: sums of digits reach %lld..%lld on their way, the engine's "
                     "accumulators of %d bits hold %lld..%lld; use fewer bits or fewer weights, or raise "
                     "ACC_BITS",
                     plan->graph->layers[step->layer].name, o, (long long)bounds.low, (long long)bounds.high,
                     plan->engine.acc_bits, (long long)-limit, (long long)limit - 1);
    }
    return LAC_OK;
}

lac_status lac_pass_digits(lac_plan *plan, lac_error *err) {
    if (plan->engine.lane != LAC_LANE_DIGIT) return LAC_OK;
    for (int s = 0; s < plan->n_steps; s++) LAC_TRY(check_step(plan, &plan->steps[s], err));
    return LAC_OK;
}
