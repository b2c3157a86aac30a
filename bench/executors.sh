#!/bin/bash
# Images a second of the executors of the integer graph on the host: `ref`, the definition, and `cpu`. CSV on standard
# output; both run each network one after the other on one thread, so that their ratio holds on a busy machine, too.
#
#   bench/executors.sh [MODEL.onnx ...] > executors.csv       quantized models; none: the demo's
#   LIMIT=1000 DATA=fashion-mnist ENGINE="" LACUNA=build/release/host/cli/lacuna
set -eu
cd "$(dirname "$0")/.."
LIMIT=${LIMIT:-1000} DATA=${DATA:-fashion-mnist} ENGINE=${ENGINE:-} LACUNA=${LACUNA:-build/release/host/cli/lacuna}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ $# -gt 0 ] || set -- models/lacuna-tiny-w4a4.onnx

# rate MODEL.lac DEVICE: images a second, and how many it got right
rate() {
  "$LACUNA" run "$1" --device "$2" --data "$DATA" --limit "$LIMIT" --threads 1 --quiet --json |
    tr -d ' \t\n' | sed -n 's/.*"right":\([0-9]*\).*"images_per_s":\([0-9.]*\).*/\2 \1/p'
}

echo "# $DATA, $LIMIT images, one thread; $("$LACUNA" --version)"
echo "model,ref_images_per_s,cpu_images_per_s,ratio,ref_right,cpu_right"
for model in "$@"; do
  # shellcheck disable=SC2086 # options are words
  "$LACUNA" compile "$model" $ENGINE --quiet -o "$work/model.lac" >/dev/null
  echo "$(basename "$model" .onnx) $(rate "$work/model.lac" ref) $(rate "$work/model.lac" cpu)" |
    awk '{ printf "%s,%.1f,%.1f,%.1f,%d,%d\n", $1, $2, $4, $4 / $2, $3, $5 }'
done
