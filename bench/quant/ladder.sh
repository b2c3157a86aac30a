#!/bin/bash
# The ladder of post-training quantization: from the nearest codes of the largest range to everything that helps. CSV
# on standard output. On a depthwise network with per-tensor weights of 4 bits the first rung is chance.
#
#   NET=mobilenet-v1-025 bench/quant/ladder.sh > ladder.csv           common.sh has what can be set; and
#   WIDTHS="--weights 4 --acts 8 --per-tensor" bench/quant/ladder.sh
NET=${NET:-mobilenet-v1-025}
. "$(dirname "$0")/common.sh"
WIDTHS=${WIDTHS:---weights 4 --acts 8 --per-tensor}
heading "rung,arguments,seed,seconds,validation,test,int_validation,int_test" "$WIDTHS"
while read -r rung arguments; do
  for seed in $SEEDS; do
    have "$rung,$arguments,$seed" && continue
    out=$WORK/ladder-$NET-$rung-$seed
    # shellcheck disable=SC2086
    quantize "$out" $WIDTHS $arguments --seed "$seed"
    line "$rung,$arguments,$seed,$(printf %.1f "$(field "$out.json" seconds)"),$(accuracies "$out.json")"
  done
done <<'RUNGS'
minmax --method nearest --range minmax --weight-range minmax
mse --method nearest
bias --method nearest --bias-correct
equal --method nearest --equalize
equal-bias --method nearest --equalize --bias-correct
equal-absorb-bias --method nearest --equalize --absorb-bias --bias-correct
equal-gptq-bias --method gptq --equalize --bias-correct
equal-reconstruct-bias --method reconstruct --equalize --bias-correct
equal-adaround-bias --method adaround --equalize --bias-correct
RUNGS
