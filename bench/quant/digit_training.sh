#!/bin/bash
# The penalty on radix-4 digits in training: what is left of the digits of 8-bit weights, and what it costs; and, on the
# same float network, rounding to as few digits. CSV on standard output.
#
#   bench/quant/digit_training.sh > digit_training.csv                       common.sh has what can be set; and
#   PULLS="0 0.1" REACHES="4 8" RECIPE="--epochs 1 --lr 0.01" bench/quant/digit_training.sh
. "$(dirname "$0")/common.sh"
PULLS=${PULLS:-0 0.1} REACHES=${REACHES:-4 8 16} RECIPE=${RECIPE:---epochs 1 --lr 0.01}
heading "method,pull,reach,seed,digits,validation,test,int_validation,int_test" \
  "-w 8 -a 8; lsq: $RECIPE; reconstruct: --bias-correct --digits, the share that lsq left"

# run OUT ARGUMENTS...: quantizes and prints the end of the line
run() {
  local out=$1
  shift
  quantize "$out" -w 8 -a 8 --report "$@"
  echo "$(digits "$out.json"),$(accuracies "$out.json")"
}

for seed in $SEEDS; do
  plain=$WORK/digit-training-$NET-$seed
  quantize "$plain" --method nearest -w 8 -a 8 --report --seed "$seed"
  for pull in $PULLS; do
    for reach in $REACHES; do
      [ "$pull" != 0 ] || [ "$reach" = "${REACHES%% *}" ] || continue
      key="$pull,$reach,$seed"
      have "reconstruct,$key" && continue
      # shellcheck disable=SC2086 # the recipe is words
      trained=$(run "$plain-$pull-$reach" --method lsq $RECIPE --digit-pull "$pull" --digit-reach "$reach" --seed "$seed")
      line "lsq,$key,$trained"
      [ "$pull" != 0 ] || continue
      share=$(awk "BEGIN { s = ${trained%%,*} / $(digits "$plain.json"); printf \"%.4f\", s < 1 ? s : 1 }")
      line "reconstruct,$key,$(run "$plain-rounded" --method reconstruct --bias-correct --digits "$share" --seed "$seed")"
    done
  done
done
