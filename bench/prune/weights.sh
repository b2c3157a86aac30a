#!/bin/bash
# Pruners of weights at several densities, with one and the same training around or after. Losses are points of the test
# part below the dense network.
#
#   OUT=weights.csv bench/prune/weights.sh                  common.sh has what can be set; and
#   DENSITIES="0.2 0.1 0.05" METHODS="magnitude rigl" bench/prune/weights.sh
. "$(dirname "$0")/common.sh"
OUT=${OUT:-bench/prune/weights-$NET.csv}
DENSITIES=${DENSITIES:-0.2 0.1 0.05}
METHODS=${METHODS:-magnitude lamp movement oneshot snip obd synflow rigl set kernel block 1xn}
begin "method,density,seed,density_is,effective_density,cycles_left,list_bytes,validation,test,test_loss_points"
for method in $METHODS; do
  for density in $DENSITIES; do
    for seed in $SEEDS; do
      has "$method,$density,$seed" && continue
      out=$WORK/$NET-$method-$density-$seed
      # shellcheck disable=SC2086
      "$LACUNA" prune "$BASE" --method "$method" --density "$density" --data "$DATA" --seed "$seed" $TUNE --quiet \
        --json -o "$out.onnx" >"$out.json"
      n=$(field "$out.json" weights.before) test=$(field "$out.json" test_accuracy)
      row "$method,$density,$seed,$(share "$(field "$out.json" nonzero.after)" "$n"),$(
        share "$(field "$out.json" effective.after)" "$n"),$(field "$out.json" cycles.left),$(
        field "$out.json" bytes_stream.after),$(field "$out.json" validation_accuracy),$test,$(
        points "$(dense test_accuracy)" "$test")"
    done
  done
done
