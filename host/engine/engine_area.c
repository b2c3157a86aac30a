#include "engine_area.h"

// Coefficients are LUTs and flip-flops of a structure that the Verilog names, so that a row of bench/area.csv
// tests them and does not stand in for them.

/// Sums of at most 25 bits fit one DSP block, with the adder before them; wider ones are two and an adder in
/// LUTs.
enum { REQUANTIZE_LUT = 116, REQUANTIZE_FF = 76, WIDE_LUT = 145, WIDE_FF = 142, NARROW_ACC_BITS = 24 };
enum { SHARED_FF = 34, HALF_RAM_BITS = 36 }; ///< multiplier and shift, which all requantizers have in common
enum { COUNTERS = 4 * 32 + 16 }; ///< cycles by cause, and the step; beside them the pointers of two queues

const char *lac_area_part_name(lac_area_part part) {
    static const char *const names[] = {
#define LAC_AREA_PART(id, name, doc) name,
#include "area_parts.def"
#undef LAC_AREA_PART
    };
    return names[part];
}

/// Block memory in RAMB36, made of halves that are 36 bits wide to 512 words, and half as wide for twice as
/// many.
static double block_ram(int width, int words) {
    int bits = HALF_RAM_BITS, depth = 512;
    for (; depth < words && bits > 1; depth *= 2) bits = bits == 9 ? 4 : bits / 2;
    int deep = (words + depth - 1) / depth;
    int wide = (width + bits - 1) / bits;
    return 0.5 * deep * wide;
}

/// LUTs of a multiplexer of n bits, four at a time.
static int choice_lut(int n) {
    int lut = 0;
    for (; n > 1; n = (n + 3) / 4) lut += (n + 3) / 4;
    return lut;
}

/// LUTs of a lane's arithmetic, beside its neighbours' multiplexers. Yosys keeps the choice
/// among 0, acc and 4 acc of a DIGIT lane apart from the adder.
static double arithmetic_lut(const lac_engine_config *e) {
    if (e->lane == LAC_LANE_MUL) return 0;
    if (e->lane == LAC_LANE_DIGIT) return e->act_bits + 2 + 2 * e->acc_bits;
    return 8 * (e->act_bits + 1) + e->acc_bits;
}

static double arithmetic_ff(const lac_engine_config *e) {
    if (e->lane == LAC_LANE_MUL) return 0;
    return e->acc_bits + (e->lane == LAC_LANE_DIGIT ? e->act_bits + 2 : e->act_bits + 9);
}

/// Neighbours in x and in y take a LUT a bit each; each bit that the drain takes is chosen among all groups.
/// The sign of a code has a flip-flop of its own, but not where multiples are chosen by its bits.
static lac_area lanes_area(const lac_engine_config *e) {
    double n = e->mesh_x * e->mesh_y;
    int n_groups = e->mesh_x * e->mesh_y / e->drain;
    return (lac_area){
        .lut = n * (2 * e->act_bits + arithmetic_lut(e)) + e->drain * e->acc_bits * choice_lut(n_groups) +
               n_groups + 20,
        .ff = n * (2 * e->act_bits + e->acc_bits + arithmetic_ff(e) + (e->lane != LAC_LANE_LOGIC)) +
              2 * e->mesh_x + 4 * e->mesh_y + 24,
        .dsp = e->lane == LAC_LANE_MUL ? n : 0,
        .ram = n_groups * block_ram(e->act_bits * e->drain, e->act_words)};
}

/// Beside the requantizers: the maximum of a pool and the place in the adder tree of each lane, an adder of
/// about the accumulator's width for all but one; the choice of one lane for raw sums, four at a time.
static lac_area drain_area(const lac_engine_config *e) {
    double n = e->drain;
    bool wide = e->acc_bits > NARROW_ACC_BITS;
    return (lac_area){.lut = n * ((wide ? WIDE_LUT : REQUANTIZE_LUT) + 2 * e->act_bits) +
                             (n - 1) * e->acc_bits * 0.75 + e->acc_bits * choice_lut(e->drain) + 335,
                      .ff = n * ((wide ? WIDE_FF : REQUANTIZE_FF) - SHARED_FF + e->act_bits + 8 +
                                 0.25 * (e->acc_bits + 2)) +
                            190,
                      .dsp = wide ? 2 * n : n};
}

lac_area lac_engine_area_part(const lac_engine_config *e, lac_area_part part) {
    int entry_bits = 33 + (e->lane == LAC_LANE_DIGIT ? 4 : 8);
    switch (part) {
    case LAC_AREA_LANES:
        return lanes_area(e);
    case LAC_AREA_DRAIN:
        return drain_area(e);
    case LAC_AREA_PARSER:
        return (lac_area){.lut = 232, .ff = 383};
    case LAC_AREA_DECODER:
        return (lac_area){.lut = 509, .ff = 295, .dsp = 2};
    case LAC_AREA_RING:
        return (lac_area){.lut = 58, .ff = 37, .ram = block_ram(entry_bits, e->list_words)};
    case LAC_AREA_REPLAYER:
        return (lac_area){
            .lut = 277 + 8.1 * (e->mesh_x + e->mesh_y), .ff = 505 + 4.5 * (e->mesh_x + e->mesh_y), .dsp = 1};
    case LAC_AREA_REST:
        return (lac_area){.lut = COUNTERS + 40, .ff = COUNTERS + 22};
    case LAC_AREA_SHELL:
        return (lac_area){.lut = 1044, .ff = 701, .dsp = 1, .ram = 1};
    case LAC_N_AREA_PARTS:
        break;
    }
    return (lac_area){0};
}

lac_status lac_engine_area(const lac_engine_config *engine, bool with_shell, lac_area *out, lac_error *err) {
    lac_area sum = {0};
    LAC_TRY(lac_engine_check(engine, err));
    if (engine->vector || engine->table || engine->scale)
        LAC_FAIL(
            err, LAC_E_UNSUPPORTED,
            "the area of an engine with VECTOR %d, TABLE %d, SCALE %d is not predicted; synthesise it with "
            "bench/area.sh",
            engine->vector, engine->table, engine->scale);
    for (int p = 0; p < LAC_N_AREA_PARTS; p++) {
        if (p == LAC_AREA_SHELL && !with_shell) continue;
        lac_area a = lac_engine_area_part(engine, (lac_area_part)p);
        sum = (lac_area){sum.lut + a.lut, sum.ff + a.ff, sum.dsp + a.dsp, sum.ram + a.ram};
    }
    *out = sum;
    return LAC_OK;
}
