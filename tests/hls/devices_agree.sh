#!/bin/bash
# devices_agree.sh BUILD: every network of nets.def has its row in bench/devices.csv, and those that take a moment give there
# what they give now: 'lacuna verify' on ref, hls, opencl and rtl, every value of every step. Variants with a vector unit
# (NETWORK+...) have rows of their own.
set -euo pipefail
build=$(cd "$1" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
wrong=0
LONG=70000 # entries

# has_every_network CSV: a row for each, in the order of nets.def.
has_every_network() { diff <("$build/tests/net_image" --list) <(tail -n +2 "$1" | cut -d, -f1) >missing.txt; }
# stable: without what rounding of floats may change (weights and entries).
stable() { cut -d, -f1,2,5,7-; }

committed=$root/bench/devices.csv
has_every_network "$committed" || { echo "networks without a row in bench/devices.csv (or rows without one):"; cat missing.txt; wrong=1; }
grep -v '^tfc,' "$committed" >short.csv
if has_every_network short.csv; then echo "a table without tfc is taken for whole"; wrong=1; fi

mapfile -t networks < <(awk -F, -v long=$LONG '$10 == "equal" && $4 < long { print $1 }' "$committed")
[ ${#networks[@]} -ge 3 ] || { echo "only ${#networks[@]} networks are small"; wrong=1; }
"$root/bench/devices.sh" "$build" "${networks[@]}" >now.csv || wrong=1
for network in "${networks[@]}"; do grep "^$network," "$committed" || true; done | stable >expected.csv
tail -n +2 now.csv | stable | diff expected.csv - || { echo "not what bench/devices.csv has"; wrong=1; }

# A device that differs ends the script with an error, and the reason stands in the row.
"$build/tests/net_image" tfc net.lac >/dev/null
step=$("$build/host/cli/lacuna" info net.lac --json | sed -n 's/.*"step":[[:space:]]*"\([^"]*\)".*/\1/p' | head -1)
if VERIFY="--inject-fault $step" "$root/bench/devices.sh" "$build" tfc >fault.csv; then echo "a fault is not seen"; wrong=1; fi
grep -q 'the reference says' fault.csv || { echo "nothing is said about the fault"; cat fault.csv; wrong=1; }
exit $wrong
