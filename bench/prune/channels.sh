#!/bin/bash
# Pruners of channels at one budget of multiply-accumulates: accuracy right after pruning, and after one and the same
# fine-tuning. Losses are points of the test part below the dense network.
#
#   OUT=channels.csv bench/prune/channels.sh                common.sh has what can be set; and
#   MACS=0.45 METHODS="autobot filter-l1" bench/prune/channels.sh
. "$(dirname "$0")/common.sh"
OUT=${OUT:-bench/prune/channels-$NET.csv}
MACS=${MACS:-0.45}
METHODS=${METHODS:-autobot filter-l1 filter-l2 slimming taylor fpgm hrank thinet group-lasso random-channels}
HOW="--macs $MACS"
begin "method,seed,macs_left,pruned_validation,tuned_validation,tuned_test,test_loss_points"
for method in $METHODS; do
  for seed in $SEEDS; do
    has "$method,$seed" && continue
    out=$WORK/$NET-$method-$seed
    # shellcheck disable=SC2086
    "$LACUNA" prune "$BASE" --method "$method" --macs "$MACS" --data "$DATA" --seed "$seed" $TUNE --quiet --json \
      -o "$out.onnx" >"$out.json"
    test=$(field "$out.json" test_accuracy)
    row "$method,$seed,$(share "$(field "$out.json" cost_after)" "$(field "$out.json" cost_before)"),$(
      field "$out.json" pruned_accuracy),$(field "$out.json" validation_accuracy),$test,$(points "$(dense test_accuracy)" "$test")"
  done
done
