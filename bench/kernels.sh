#!/bin/bash
# Images a second of the HLS kernel beside the RTL simulation, in one run on this machine: as CSV, each device's median
# of several rounds that take turns, and its ratio to the RTL's in the same round.
#
#   bench/kernels.sh [LACUNA [ROUNDS [IMAGES]]] > bench/kernels.csv      IMAGES: for the RTL; the others take 20 times as many
set -euo pipefail
lacuna=$(realpath "${1:-build/release/host/cli/lacuna}")
rounds=${2:-5}
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
devices=(rtl hls opencl)
few=${3:-200}
declare -A images=([rtl]=$few [hls]=$((20 * few)) [opencl]=$((20 * few)))

# rate DEVICE IMAGES: images a second
rate() {
  "$lacuna" run model.lac --device "$1" --limit "$2" --quiet --results results.json >/dev/null
  sed -n 's/.*"images_per_s":[[:space:]]*\([0-9.e+]*\).*/\1/p' results.json
}
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

"$lacuna" compile "$root/models/lacuna-tiny-w4a4.onnx" -o model.lac --quiet >/dev/null
for device in "${devices[@]}"; do rate "$device" 10 >/dev/null; done # what is built once
for ((round = 0; round < rounds; round++)); do
  base=$(rate rtl "${images[rtl]}")
  echo "$base" >>rtl.rates
  echo 1 >>rtl.ratios
  for device in hls opencl; do
    now=$(rate "$device" "${images[$device]}")
    echo "$now" >>"$device.rates"
    awk -v a="$now" -v b="$base" 'BEGIN { print a / b }' >>"$device.ratios"
  done
done
echo "device,threads,images_per_s,ratio_to_rtl"
for device in "${devices[@]}"; do
  printf '%s,%d,%.0f,%.1f\n' "$device" "$(nproc)" "$(median <"$device.rates")" "$(median <"$device.ratios")"
done
