#!/bin/bash
# Every network of nets.def, and some with a vector unit, on every device: 'lacuna verify' compares each tensor of each step with the reference. As CSV:
# the input, weights that are not zero, entries issued to the mesh, steps and those whose values are not all equal, images,
# values compared on all devices together, the devices, and "equal" or why a network does not run.
#
#   bench/devices.sh [BUILD [NETWORK...]] > bench/devices.csv
#
# BUILD is a folder with lacuna and net_image (targets of those names). An exit code other than 0: a device differs.
# VERIFY: more options for 'lacuna verify'.
set -euo pipefail
build=$(realpath "${1:-build/release}")
shift || true
devices=ref,hls,opencl,rtl
lacuna=$build/host/cli/lacuna net_image=$build/tests/net_image
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
[ $# -gt 0 ] || mapfile -t networks < <("$net_image" --list)
[ $# -eq 0 ] || networks=("$@")

# number KEY: of the results of the last command.
number() { sed -n "s/^.*\"$1\":[[:space:]]*\([0-9]*\).*\$/\1/p" results.json; }
quoted() { sed 's/"/""/g; s/^/"/; s/$/"/; q' "$1"; }

wrong=0
echo "network,input,weights,entries,steps,live_steps,images,values_compared,devices,result"
for network in "${networks[@]}"; do
  if ! facts=$("$net_image" "$network" net.lac 2>said.txt); then
    echo "$network,,,,,,,,,$(quoted said.txt)"
    continue
  fi
  IFS=, read -r _ _ entries _ <<<"$facts"
  images=$((entries < 500000 ? 2 : 1))
  if "$lacuna" verify net.lac --devices $devices --random $images ${VERIFY:-} --quiet --results results.json >/dev/null 2>said.txt; then
    echo "$network,$facts,$images,$(number compared),${devices//,/ },equal"
  else
    wrong=1
    echo "$network,$facts,$images,,${devices//,/ },$(quoted said.txt)"
  fi
done
exit $wrong
