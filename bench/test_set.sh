#!/bin/bash
# The demo network on the whole Fashion-MNIST test set: 'lacuna verify' compares every value of every step, device by device.
# As CSV: the devices, images, values compared on all devices together, accuracy on the test set, and "equal" or what differs.
#
#   bench/test_set.sh [LACUNA [IMAGES]] > bench/test_set.csv      IMAGES: the first so many alone
#
# An exit code other than 0: a device differs. VERIFY: more options for 'lacuna verify'.
set -euo pipefail
lacuna=$(realpath "${1:-build/release/host/cli/lacuna}")
limit=(${2:+--limit "$2"})
root=$(cd "$(dirname "$0")/.." && pwd)
devices=ref,hls,opencl,rtl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# number KEY: the first one of the results.
number() { sed -n "s/^.*\"$1\":[[:space:]]*\([0-9.]*\).*\$/\1/p" results.json | head -1; }
"$lacuna" compile "$root/models/lacuna-tiny-w4a4.onnx" -o model.lac --quiet >/dev/null
wrong=0
# shellcheck disable=SC2086 # several options
"$lacuna" verify model.lac --devices $devices --data fashion-mnist "${limit[@]}" ${VERIFY:-} --quiet --results results.json \
  >/dev/null 2>said.txt || wrong=1
echo "devices,images,values_compared,accuracy,result"
if [ $wrong = 0 ]; then result=equal; else result=$(sed 's/"/""/g; s/^/"/; s/$/"/; q' said.txt); fi
echo "${devices//,/ },$(number images),$(number compared),$(number accuracy),$result"
exit $wrong
