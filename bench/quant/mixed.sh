#!/bin/bash
# Mixed precision against the uniform width that costs the same. CSV on standard output. `cost` is what the search counted,
# `cycles` what the compiler lists for the finished model on ENGINE: entries times pixels.
#
#   BUDGET=cycles bench/quant/mixed.sh > mixed.csv           common.sh has what can be set; and
#   BITS="3 4" METHOD="--method reconstruct --bias-correct" SEARCHES="dp greedy" bench/quant/mixed.sh
. "$(dirname "$0")/common.sh"
BUDGET=${BUDGET:-cycles} BITS=${BITS:-2 3 4} METHOD=${METHOD:---method reconstruct --bias-correct}
SEARCHES=${SEARCHES:-dp greedy} SENSITIVITIES=${SENSITIVITIES:-hessian measured}
ENGINE=${ENGINE:---lane digit --mesh 8x8 --drain 8 --act-words 65536 --list-words 8192}
heading "bits,search,sensitivity,seed,limit,cost,cycles,validation,test,int_validation,int_test" "$METHOD -a 8; engine $ENGINE"
# cycles OUT: of OUT.onnx
cycles() {
  # shellcheck disable=SC2086
  "$LACUNA" compile "$1.onnx" $ENGINE --quiet --json -o "$1.lac" >"$1.compiled"
  tr -d ' \t\n' <"$1.compiled" | grep -o '"ideal_cycles":[0-9]*' | head -n 1 | sed 's/.*://' # of all steps, which follow
}
for bits in $BITS; do
  for seed in $SEEDS; do
    out=$WORK/mixed-$NET-$bits-$seed
    if ! have "$bits,uniform,,$seed"; then
      # shellcheck disable=SC2086
      quantize "$out" $METHOD -w "$bits" -a 8 --seed "$seed"
      line "$bits,uniform,,$seed,,,$(cycles "$out"),$(accuracies "$out.json")"
    fi
    for search in $SEARCHES; do
      for sensitivity in $SENSITIVITIES; do
        have "$bits,$search,$sensitivity,$seed" && continue
        # shellcheck disable=SC2086
        quantize "$out" $METHOD -w "$bits" -a 8 --seed "$seed" --budget "$BUDGET" --budget-bits "$bits" \
          --search "$search" --sensitivity "$sensitivity"
        line "$bits,$search,$sensitivity,$seed,$(field "$out.json" budget_limit),$(field "$out.json" budget_cost),$(cycles "$out"),$(accuracies "$out.json")"
      done
    done
  done
done
