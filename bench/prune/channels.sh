#!/bin/bash
# Pruners of channels at one budget of multiply-accumulates: accuracy right after pruning, and after one and the same
# fine-tuning. CSV on standard output.
#
#   bench/prune/channels.sh > channels.csv                  common.sh has what can be set; and
#   MACS=0.45 METHODS="autobot filter-l1" bench/prune/channels.sh
. "$(dirname "$0")/common.sh"
MACS=${MACS:-0.45}
METHODS=${METHODS:-autobot taylor slimming filter-l1 filter-l2 fpgm hrank random-channels}
echo "# $NET on $DATA, budget $MACS of the MACs; dense: validation $(dense validation_accuracy), test $(dense test_accuracy)"
echo "# fine-tuning $TUNE; $("$LACUNA" --version)"
echo "method,seed,macs_left,pruned_validation,tuned_validation,tuned_test,prune_seconds"
for method in $METHODS; do
  for seed in $SEEDS; do
    out=$WORK/$method-$seed
    # shellcheck disable=SC2086
    "$LACUNA" prune "$BASE" --method "$method" --macs "$MACS" --data "$DATA" --seed "$seed" $TUNE --quiet --json \
      -o "$out.onnx" >"$out.json"
    before=$(field "$out.json" cost_before) after=$(field "$out.json" cost_after)
    echo "$method,$seed,$(echo "$after $before" | awk '{printf "%.4f", $1 / $2}'),$(field "$out.json" pruned_accuracy),$(
      field "$out.json" validation_accuracy),$(field "$out.json" test_accuracy),$(field "$out.json" prune_seconds)"
  done
done
