#!/bin/bash
# Digit-aware rounding of 8-bit weights: what a share of the radix-4 digits of nearest rounding costs. CSV on standard
# output.
#
#   bench/quant/digits.sh > digits.csv                       common.sh has what can be set; and
#   SHARES="1 0.65" METHODS="nearest" bench/quant/digits.sh
. "$(dirname "$0")/common.sh"
SHARES=${SHARES:-1 0.8 0.7 0.65 0.6 0.5 0.4} METHODS=${METHODS:-nearest reconstruct}
heading "method,share,seed,digits,validation,test,int_validation,int_test" \
  "-w 8 -a 8 --bias-correct; share 1 is without a target"
for method in $METHODS; do
  for share in $SHARES; do
    for seed in $SEEDS; do
      have "$method,$share,$seed" && continue
      out=$WORK/digits-$NET-$method-$share-$seed
      target=$([ "$share" = 1 ] && echo 0 || echo "$share")
      quantize "$out" --method "$method" -w 8 -a 8 --bias-correct --digits "$target" --report --seed "$seed"
      line "$method,$share,$seed,$(digits "$out.json"),$(accuracies "$out.json")"
    done
  done
done
