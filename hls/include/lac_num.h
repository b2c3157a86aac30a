#ifndef LAC_NUM_H
#define LAC_NUM_H

/// The law of numbers: the arithmetic that every implementation obeys, bit for bit.
///
/// The reference, the HLS kernel and the tests include this file; the RTL is proved against it. Only
/// fixed-width integers, no library, no state. `>>` of a negative number is arithmetic (floor), as on every
/// compiler that builds this.

#if !defined(__OPENCL_VERSION__) && !defined(__OPENCL_C_VERSION__)
#include <stdint.h>
#endif

/// Requantises one accumulator to an activation code.
///
///   y = clamp(((acc + bias) * m + (1 << (s - 1))) >> s, lo, hi) + zero      (>> is floor: a half rounds up)
///
/// type    acc s32  bias s32  m u16  s u8  lo, hi, zero s16  y s16
/// range   |acc + bias| < 2^31; s in [1, 46]; lo <= hi; lo + zero and hi + zero fit the code
/// exact   equals rtl/lane/requantize.v bit for bit
/// source  ReLU is lo = 0; dyadic rescaling after Jacob et al. 2018
static inline int32_t lac_requantize(int32_t acc, int32_t bias, uint16_t m, uint8_t s, int16_t lo, int16_t hi,
                                     int16_t zero) {
    int64_t product = ((int64_t)acc + bias) * m;
    int64_t rounded = (product + ((int64_t)1 << (s - 1))) >> s;
    int64_t clamped = rounded < lo ? lo : rounded > hi ? hi : rounded;
    return (int32_t)clamped + zero;
}

/// Smallest and largest code of a type of 1..8 bits.
static inline int32_t lac_code_min(int bits, int is_signed) {
    return is_signed ? -(1 << (bits - 1)) : 0;
}
static inline int32_t lac_code_max(int bits, int is_signed) {
    return is_signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
}

#endif
