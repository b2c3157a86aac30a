#!/bin/bash
# Widths by method, the trained ones with one and the same recipe, seed after seed; the last epoch counts. CSV on standard
# output: accuracies, and what the integers lose against float in points of the test part.
#
#   bench/quant/trained.sh [FLOAT.onnx] > trained.csv        common.sh has what can be set; and
#   TUNE="--epochs 5 --lr 0.02 --crop 2 --flip" ROWS="w4a4 ternary" bench/quant/trained.sh
#   bench/quant/trained.sh --spread trained.csv              mean, least and most over the seeds of each row
if [ "${1:-}" = --spread ]; then
  echo "row,seeds,mean_int_test,least,most,mean_int_minus_float"
  grep -v '^#' "$2" | awk -F, 'NR > 1 {
    if (!($1 in n)) { order[++rows] = $1; least[$1] = 2; most[$1] = -1 }
    n[$1]++; sum[$1] += $8; points[$1] += $9
    if ($8 < least[$1]) least[$1] = $8
    if ($8 > most[$1]) most[$1] = $8
  } END { for (i = 1; i <= rows; i++) { r = order[i]
    printf "%s,%d,%.4f,%.4f,%.4f,%.2f\n", r, n[r], sum[r] / n[r], least[r], most[r], points[r] / n[r] } }'
  exit
fi
[ $# -eq 0 ] || BASE=$(realpath "$1")
. "$(dirname "$0")/common.sh"
TUNE=${TUNE:---epochs 5 --lr 0.02 --crop 2 --flip --weight-decay 0.0001 --distill 0.7 --precision bf16}
ROWS=${ROWS:-w8a8 w4a4 w3a3 w2a2 ternary w1a1 twn apot4 pact4 dorefa4 w1a2 xnor}
heading "row,arguments,seed,digits,validation,test,int_validation,int_test,int_minus_float" \
  "$TUNE where the method trains; first and last layer 8 bits"
arguments_of() {
  case $1 in
    w8a8) echo "--method nearest --bias-correct -w 8 -a 8" ;;
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
for seed in $SEEDS; do
  for row in $ROWS; do
    arguments=$(arguments_of "$row")
    have "$row,$arguments,$seed" && continue
    out=$WORK/trained-$NET-$row-$seed
    # shellcheck disable=SC2086
    quantize "$out" $arguments $TUNE --first 8 --last 8 --seed "$seed" --report
    line "$row,$arguments,$seed,$(digits "$out.json"),$(accuracies "$out.json"),$(
      echo "$(field "$out.json" int_test_accuracy) $(float test_accuracy)" | sed 's/%//' |
        awk '{ f = $2 > 1 ? $2 / 100 : $2; printf "%.2f", 100 * ($1 - f) }')"
  done
done
