#!/bin/bash
# Widths by method, the trained ones with one and the same recipe, seed by seed; the last epoch counts. CSV on standard
# output: accuracies, and the loss against float in points of the test part.
#
#   bench/quant/trained.sh > trained.csv                     common.sh has what can be set; and
#   TUNE="--epochs 5 --lr 0.02 --crop 2 --flip" ROWS="w4a4 ternary" bench/quant/trained.sh
. "$(dirname "$0")/common.sh"
TUNE=${TUNE:---epochs 5 --lr 0.02 --crop 2 --flip --weight-decay 0.0001}
ROWS=${ROWS:-w8a8 w4a4 w3a3 w2a2 ternary twn apot4 pact4 dorefa4 w1a2 xnor w1a1}
heading "$TUNE where the method trains; first and last layer 8 bits"
echo "row,arguments,seed,digits,validation,test,int_validation,int_test,test_minus_float"
arguments_of() {
  case $1 in
    w8a8) echo "--method nearest -w 8 -a 8" ;;
    w[234]a[234]) echo "--method lsq -w ${1:1:1} -a ${1:3:1}" ;;
    ternary) echo "--method lsq --ternary -a 4" ;;
    twn) echo "--method twn -a 4" ;;
    apot4) echo "--method apot -w 4 -a 4" ;;
    pact4) echo "--method pact -w 4 -a 4" ;;
    dorefa4) echo "--method dorefa -w 4 -a 4" ;;
    w1a[1234]) echo "--method lsq -w 1 -a ${1:3:1}" ;;
    xnor) echo "--method xnor -w 1 -a 2" ;;
    *) echo "trained.sh: no row '$1'" >&2; exit 2 ;;
  esac
}
for row in $ROWS; do
  arguments=$(arguments_of "$row")
  for seed in $SEEDS; do
    out=$WORK/trained-$NET-$row-$seed
    # shellcheck disable=SC2086
    quantize "$out" $arguments $TUNE --first 8 --last 8 --seed "$seed" --report
    echo "$row,$arguments,$seed,$(digits "$out.json"),$(accuracies "$out.json"),$(
      echo "$(field "$out.json" test_accuracy) $(float test_accuracy)" | sed 's/%//' |
        awk '{ f = $2 > 1 ? $2 / 100 : $2; printf "%.2f", 100 * ($1 - f) }')"
  done
done
