#!/bin/bash
# Pruned, then quantized, then every test image through the RTL, each value of each layer compared with the reference.
# The loss is points of the test part that the integers are below the dense float network.
#
#   OUT=quantized.csv bench/prune/quantized.sh              common.sh has what can be set; and
#   DENSITIES=0.2 METHOD=magnitude QUANTIZE="--epochs 6 ..." WIDTHS="--weights 4 --acts 4" ENGINE="--mesh 7x7" LIMIT=0 (test images; 0: all)
. "$(dirname "$0")/common.sh"
OUT=${OUT:-bench/prune/quantized-$NET.csv}
DENSITIES=${DENSITIES:-0.2} METHOD=${METHOD:-magnitude} ENGINE=${ENGINE:---mesh 7x7} LIMIT=${LIMIT:-0}
WIDTHS=${WIDTHS:---weights 4 --acts 4 --first 8 --last 8}
QUANTIZE=${QUANTIZE:---epochs 6 --crop 2 --flip --lr 0.02 --weight-decay 0.0001}
HOW="quantized by $WIDTHS $QUANTIZE, engine $ENGINE, $METHOD"
begin "density,seed,zeros,pruned_validation,int_validation,int_test,test_loss_points,images_verified,values_compared,equal"
for density in $DENSITIES; do
  for seed in $SEEDS; do
    has "$density,$seed" && continue
    out=$WORK/$NET-quantized-$density-$seed
    # shellcheck disable=SC2086
    [ -f "$out.pruned.onnx" ] || "$LACUNA" prune "$BASE" --method "$METHOD" --density "$density" --data "$DATA" \
      --seed "$seed" $TUNE --quiet --json -o "$out.pruned.onnx" >"$out.prune.json"
    # shellcheck disable=SC2086
    [ -f "$out.int.onnx" ] || "$LACUNA" quantize "$out.pruned.onnx" --data "$DATA" --seed "$seed" $WIDTHS $QUANTIZE \
      --quiet --json -o "$out.int.onnx" >"$out.quantize.json"
    # shellcheck disable=SC2086
    "$LACUNA" compile "$out.int.onnx" $ENGINE --quiet -o "$out.lac" >/dev/null
    equal=yes
    "$LACUNA" verify "$out.lac" --devices ref,rtl --data "$DATA" --limit "$LIMIT" --threads 1 --quiet --json \
      >"$out.verify.json" || equal=no
    test=$(field "$out.quantize.json" int_test_accuracy)
    row "$density,$seed,$(field "$out.quantize.json" zeros),$(field "$out.prune.json" validation_accuracy),$(
      field "$out.quantize.json" int_validation_accuracy),$test,$(points "$(dense test_accuracy)" "$test"),$(
      field "$out.verify.json" images),$(field "$out.verify.json" compared),$equal"
  done
done
