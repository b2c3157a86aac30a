#!/bin/bash
# Reconstruction of blocks against methods that round layer by layer, none of which train. CSV on standard output.
#
#   NET=mobilenet-v1-025 bench/quant/blocks.sh > blocks.csv                common.sh has what can be set; and
#   BASE=models/resnet20-fashion.onnx NET=resnet20 WIDTHS="2:4" METHODS="gptq qdrop" ITERATIONS="200 1000" bench/quant/blocks.sh
. "$(dirname "$0")/common.sh"
WIDTHS=${WIDTHS:-4:4 3:4 2:4} METHODS=${METHODS:-nearest adaround gptq brecq qdrop} ITERATIONS=${ITERATIONS:-200 1000}
heading "weights,acts,method,iterations,seed,seconds,test,int_test" "--first 8 --last 8 --validation 0"
for seed in $SEEDS; do
  for widths in $WIDTHS; do
    for method in $METHODS; do
      case $method in brecq | qdrop) counts=$ITERATIONS ;; *) counts=- ;; esac
      for count in $counts; do
        key=${widths%:*},${widths#*:},$method,${count#-},$seed
        have "$key" && continue
        out=$WORK/blocks-$NET-${key//,/-} steps=()
        [ "$count" = - ] || steps=(--iterations "$count")
        quantize "$out" --method "$method" --weights "${widths%:*}" --acts "${widths#*:}" --first 8 --last 8 \
          --validation 0 "${steps[@]}" --seed "$seed"
        line "$key,$(printf %.1f "$(field "$out.json" seconds)"),$(field "$out.json" test_accuracy),$(field "$out.json" int_test_accuracy)"
      done
    done
  done
done
