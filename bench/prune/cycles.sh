#!/bin/bash
# Cycles of one image in RTL simulation against the density that magnitude pruning left: each row pruned at once from the
# dense network and rounded to codes after that, since what the weights are does not change the time.
#
#   OUT=cycles.csv bench/prune/cycles.sh                    common.sh has what can be set; and
#   DENSITIES="1 0.5 0.2 0.1 0.05" WIDTHS="--weights 8 --acts 8" MESH=7x7 DRAIN=7
#
# cycles_left is of the cycles of density 1; per_density is that over the density: 1 is in proportion.
. "$(dirname "$0")/common.sh"
OUT=${OUT:-bench/prune/cycles-$NET.csv}
DENSITIES=${DENSITIES:-1 0.5 0.2 0.1 0.05} MESH=${MESH:-7x7} DRAIN=${DRAIN:-7} SHARE=${SHARE:-uniform}
WIDTHS=${WIDTHS:---weights 8 --acts 8}
TUNE="--no-training --share $SHARE"
HOW="$WIDTHS, mesh $MESH, drain $DRAIN"
begin "density,density_is,predicted_cycles,cycles,cycles_left,per_density"
full=$(sed -n 's/^1,[^,]*,[^,]*,\([0-9]*\),.*/\1/p' "$OUT")
for density in $DENSITIES; do
  has "$density" && continue
  out=$WORK/$NET-cycles-$density
  # shellcheck disable=SC2086
  "$LACUNA" prune "$BASE" --method oneshot --density "$density" --data "$DATA" $TUNE --quiet --json -o "$out.onnx" >"$out.json"
  # shellcheck disable=SC2086
  "$LACUNA" quantize "$out.onnx" --method nearest --weight-range minmax $WIDTHS --data "$DATA" --limit 1 --quiet -o "$out.int.onnx" >/dev/null
  "$LACUNA" compile "$out.int.onnx" --mesh "$MESH" --drain "$DRAIN" --quiet --report --json -o "$out.lac" >"$out.compile.json"
  "$LACUNA" run "$out.lac" --device rtl --data "$DATA" --limit 1 --quiet --json >"$out.run.json"
  cycles=$(field "$out.run.json" cycles)
  is=$(share "$(field "$out.compile.json" nonzero_weights)" "$(field "$out.compile.json" weights)")
  [ "$density" = 1 ] && full=$cycles
  [ -n "$full" ] || { echo "density 1 comes first: the others are held against it" >&2; exit 1; }
  left=$(share "$cycles" "$full")
  row "$density,$is,$(field "$out.compile.json" predicted_cycles),$cycles,$left,$(share "$left" "$is")"
done
