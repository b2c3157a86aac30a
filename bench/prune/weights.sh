#!/bin/bash
# Pruners of weights at several densities, with one and the same training around or after. Losses are points of the test
# part below the dense network.
#
#   OUT=weights.csv bench/prune/weights.sh                  common.sh has what can be set; and
#   DENSITIES="0.2 0.1 0.05" METHODS="magnitude rigl" bench/prune/weights.sh
#   CHAIN=yes           every density begins with the network of the one before, not with the dense one
. "$(dirname "$0")/common.sh"
OUT=${OUT:-bench/prune/weights-$NET.csv}
DENSITIES=${DENSITIES:-0.2 0.1 0.05}
METHODS=${METHODS:-magnitude lamp movement oneshot snip obd synflow rigl set kernel block 1xn}
[ -z "${CHAIN:-}" ] || HOW="each density from the one before"
begin "method,density,seed,density_is,effective_density,cycles_left,list_bytes,validation,test,test_loss_points"
for method in $METHODS; do
  for seed in $SEEDS; do
    before=$BASE
    for density in $DENSITIES; do
      out=$WORK/$NET-$method-$density-$seed
      from=$BASE
      [ -z "${CHAIN:-}" ] || from=$before before=$out.onnx
      has "$method,$density,$seed" && continue
      # shellcheck disable=SC2086
      "$LACUNA" prune "$from" --method "$method" --density "$density" --data "$DATA" --seed "$seed" $TUNE --quiet \
        --json -o "$out.onnx" >"$out.json"
      [ "$from" != "$BASE" ] || field "$out.json" cycles.before >"$WORK/$NET-cycles"
      n=$(field "$out.json" weights.before) test=$(field "$out.json" test_accuracy)
      row "$method,$density,$seed,$(share "$(field "$out.json" nonzero.after)" "$n"),$(
        share "$(field "$out.json" effective.after)" "$n"),$(share "$(field "$out.json" cycles.after)" "$(cat "$WORK/$NET-cycles")"),$(
        field "$out.json" bytes_stream.after),$(field "$out.json" validation_accuracy),$test,$(
        points "$(dense test_accuracy)" "$test")"
    done
  done
done
