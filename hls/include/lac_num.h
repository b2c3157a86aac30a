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

/// An activation by table: the code that stands at the low byte of another one.
///
/// type    table u8 [256]  code s16  y s16
/// exact   equals the tables of rtl/engine/drain.v bit for bit
static inline int32_t lac_table_code(const uint8_t *table, int32_t code, int is_signed) {
    int32_t y = table[code & 0xFF];
    return is_signed && y > 127 ? y - 256 : y;
}

/// Smallest and largest code of a type of 1..8 bits.
static inline int32_t lac_code_min(int bits, int is_signed) {
    return is_signed ? -(1 << (bits - 1)) : 0;
}
static inline int32_t lac_code_max(int bits, int is_signed) {
    return is_signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
}

/// Non-zero signed radix-4 digits of a weight code, the cycles that it costs a DIGIT lane.
///
///   w = sum d[k] * 4^k,  d[k] in {-2, -1, 0, 1, 2},  with as few d[k] != 0 as there can be
///
/// range   code in [-128, 127]; at most 4
static inline int lac_digit_count(int32_t code) {
    int32_t rest = code < 0 ? -code : code;
    int32_t fewest = 0, carried = 8; // digits so far, without and with a carry into the next; 8: not possible
    for (int32_t k = 0; k < 4; k++, rest >>= 2) {
        int32_t low = rest & 3; // 0..3, or 1..4 with the carry
        int32_t stay = low == 0 ? fewest : low < 3 ? fewest + 1 : 8;
        int32_t raise = low > 1 ? fewest + 1 : 8;
        if (low < 2 && carried + 1 < stay) stay = carried + 1;
        int32_t raised = low == 3 ? carried : low > 0 ? carried + 1 : 8;
        fewest = stay;
        carried = raised < raise ? raised : raise;
    }
    return fewest < carried + 1 ? fewest : carried + 1;
}

#endif
