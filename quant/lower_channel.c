#include "lowering.h"
#include "multiplier.h"

#include <math.h>

static double clamped(double x, double lo, double hi) {
    return x < lo ? lo : x > hi ? hi : x;
}

// A code that no sum changes. Where weights can be dropped acc is 0 and the bias is the code itself; an
// addition or an average has none, so the constant is scaled up until the sum is less than half a step of it.
static void constant_channel(const lac_channel_law *law, int code, bool droppable, lac_channel_result *out) {
    *out = (lac_channel_result){.bias = code, .m = LAC_IDENTITY_M, .s = LAC_IDENTITY_S, .constant = true};
    if (droppable) return;
    int64_t center = law->lowest + (law->highest - law->lowest) / 2, reach = law->highest - center + 1;
    int shift = 1;
    while (((int64_t)1 << (shift - 1)) <= reach) shift++;
    out->bias = (int32_t)(code * ((int64_t)1 << shift) - center);
    out->s = (uint8_t)(LAC_IDENTITY_S + shift);
}

static lac_status check_bias(double bias, lac_error *err) {
    if (fabs(bias) < 0x1p30) return LAC_OK;
    LAC_FAIL(err, LAC_E_RANGE,
             "bias %.0f accumulator units is beyond 30 bits; the weights are too small for their offset: "
             "fine-tune, or prune the channel",
             bias);
}

lac_status lac_channel_requantize(const lac_channel_law *law, double scale, int lo, int hi, bool droppable,
                                  lac_channel_result *out, lac_error *err) {
    double factor = law->factor / scale, offset = law->offset / scale;
    double least = floor(factor * (double)(law->lowest - law->zero_term) + offset + 0.5);
    double most = floor(factor * (double)(law->highest - law->zero_term) + offset + 0.5);
    if (clamped(least, lo, hi) == clamped(most, lo, hi)) {
        constant_channel(law, (int)clamped(least, lo, hi), droppable, out);
        return LAC_OK;
    }
    double bias = rint(offset / factor) - (double)law->zero_term;
    LAC_TRY(check_bias(bias, err));
    *out = (lac_channel_result){.bias = (int32_t)bias};
    lac_multiplier(factor, &out->m, &out->s);
    return LAC_OK;
}

lac_status lac_channel_raw(const lac_channel_law *law, bool droppable, lac_channel_result *out,
                           lac_error *err) {
    if (law->factor == 0 && !droppable)
        LAC_FAIL(err, LAC_E_UNSUPPORTED,
                 "gamma is 0 before the graph's output, and there are no weights to drop; prune the channel");
    if (law->factor == 0) {
        int sign = law->offset < 0 ? -1 : law->offset > 0;
        *out =
            (lac_channel_result){.bias = sign, .raw_scale = sign ? fabs(law->offset) : 1, .constant = true};
        return LAC_OK;
    }
    double bias = rint(law->offset / law->factor) - (double)law->zero_term;
    LAC_TRY(check_bias(bias, err));
    *out = (lac_channel_result){.bias = (int32_t)bias, .raw_scale = law->factor};
    return LAC_OK;
}
