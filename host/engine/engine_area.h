#ifndef LAC_ENGINE_AREA_H
#define LAC_ENGINE_AREA_H

#include "image.h"

/// Area of an engine on the 7 series before it is synthesised, part by part: an estimate of what Yosys counts
/// (bench/area.csv), which is not what the vendor's tools count.

/// ram in RAMB36; lut without those that are memory.
typedef struct lac_area {
    double lut, ff, dsp, ram;
} lac_area;

typedef enum lac_area_part {
#define LAC_AREA_PART(id, name, doc) LAC_AREA_##id,
#include "area_parts.def"
#undef LAC_AREA_PART
    LAC_N_AREA_PARTS
} lac_area_part;

/// Name of a part, as its Verilog module where it is one.
const char *lac_area_part_name(lac_area_part part);

/// One part of an engine that lac_engine_check accepts.
///
///   lanes   LUT and FF a lane by its kind and widths, plus what a row and a column of the mesh need
///   drain   a requantizer, a maximum and a place in the adder tree for each of DRAIN lanes, plus the walk
///   ram     block memories by their widths and depths, in halves
///
/// range   VECTOR, TABLE and SCALE 0: lac_engine_area refuses the others
lac_area lac_engine_area_part(const lac_engine_config *engine, lac_area_part part);

/// Sum of all parts, LAC_AREA_SHELL only with_shell.
///
/// errors  E_UNSUPPORTED: a parameter whose hardware has no measured row; out is untouched
/// exact   against the rows of bench/area.csv that have a part: ram equal, dsp within 1, lut and ff within 10
/// %, or 12 where that is more (test_engine_area)
lac_status lac_engine_area(const lac_engine_config *engine, bool with_shell, lac_area *out,
                           lac_error *err) LAC_MUST_CHECK;

#endif
