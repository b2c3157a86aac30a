#!/bin/bash
# Reconstruction of blocks against methods that round layer by layer, none of which train. CSV on standard output.
#
#   BASE=models/resnet20-fashion.onnx NET=resnet20 bench/quant/blocks.sh > blocks-resnet20.csv     common.sh has what
#   WIDTHS="2:4" METHODS="gptq qdrop" ITERATIONS=1000 bench/quant/blocks.sh                         can be set; and
. "$(dirname "$0")/common.sh"
WIDTHS=${WIDTHS:-4:4 3:4 2:4} METHODS=${METHODS:-nearest adaround gptq brecq qdrop} ITERATIONS=${ITERATIONS:-200}
heading "weights,acts,method,seed,seconds,test,int_test" \
  "--first 8 --last 8 --validation 0; brecq and qdrop: --iterations $ITERATIONS"
for seed in $SEEDS; do
  for widths in $WIDTHS; do
    for method in $METHODS; do
      key=${widths%:*},${widths#*:},$method,$seed
      have "$key" && continue
      out=$WORK/blocks-$NET-${key//,/-}
      quantize "$out" --method "$method" --weights "${widths%:*}" --acts "${widths#*:}" --first 8 --last 8 --validation 0 \
        --iterations "$ITERATIONS" --seed "$seed"
      line "$key,$(printf %.1f "$(field "$out.json" seconds)"),$(field "$out.json" test_accuracy),$(field "$out.json" int_test_accuracy)"
    done
  done
done
