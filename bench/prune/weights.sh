#!/bin/bash
# Pruners of weights at several densities, with one and the same training around or after. CSV on standard output.
#
#   bench/prune/weights.sh > weights.csv                     common.sh has what can be set; and
#   DENSITIES="0.2 0.1 0.05" METHODS="magnitude rigl" bench/prune/weights.sh
. "$(dirname "$0")/common.sh"
DENSITIES=${DENSITIES:-0.2 0.1 0.05}
METHODS=${METHODS:-magnitude lamp movement oneshot snip obd synflow rigl set kernel block 1xn}
echo "# $NET on $DATA; dense: validation $(dense validation_accuracy), test $(dense test_accuracy)"
echo "# training $TUNE; $("$LACUNA" --version)"
echo "method,density,seed,density_is,effective_density,cycles_left,list_bytes,validation,test"
for method in $METHODS; do
  for density in $DENSITIES; do
    for seed in $SEEDS; do
      out=$WORK/$method-$density-$seed
      # shellcheck disable=SC2086
      "$LACUNA" prune "$BASE" --method "$method" --density "$density" --data "$DATA" --seed "$seed" $TUNE --quiet \
        --json -o "$out.onnx" >"$out.json"
      n=$(field "$out.json" weights.before)
      echo "$method,$density,$seed,$(echo "$(field "$out.json" nonzero.after) $n" | awk '{printf "%.4f", $1 / $2}'),$(
        echo "$(field "$out.json" effective.after) $n" | awk '{printf "%.4f", $1 / $2}'),$(
        field "$out.json" cycles.left),$(field "$out.json" bytes_stream.after),$(
        field "$out.json" validation_accuracy),$(field "$out.json" test_accuracy)"
    done
  done
done
