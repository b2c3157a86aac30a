#!/bin/bash
# Mixed precision against the uniform width that costs the same. CSV on standard output.
#
#   BUDGET=cycles bench/quant/mixed.sh > mixed.csv           common.sh has what can be set; and
#   BITS="3 4" METHOD="--method reconstruct --bias-correct" SEARCHES="dp greedy" bench/quant/mixed.sh
. "$(dirname "$0")/common.sh"
BUDGET=${BUDGET:-cycles} BITS=${BITS:-2 3 4} METHOD=${METHOD:---method reconstruct --bias-correct}
SEARCHES=${SEARCHES:-dp greedy} SENSITIVITIES=${SENSITIVITIES:-hessian measured}
heading "$METHOD -a 8"
echo "bits,search,sensitivity,seed,limit,cost,validation,test,int_validation,int_test"
for bits in $BITS; do
  for seed in $SEEDS; do
    out=$WORK/mixed-$NET-$bits-$seed
    # shellcheck disable=SC2086
    quantize "$out" $METHOD -w "$bits" -a 8 --seed "$seed"
    echo "$bits,uniform,,$seed,,,$(accuracies "$out.json")"
    for search in $SEARCHES; do
      for sensitivity in $SENSITIVITIES; do
        # shellcheck disable=SC2086
        quantize "$out" $METHOD -w "$bits" -a 8 --seed "$seed" --budget "$BUDGET" --budget-bits "$bits" \
          --search "$search" --sensitivity "$sensitivity"
        echo "$bits,$search,$sensitivity,$seed,$(field "$out.json" budget_limit),$(field "$out.json" budget_cost),$(accuracies "$out.json")"
      done
    done
  done
done
