#!/bin/bash
# test_set_agrees.sh LACUNA: bench/test_set.csv is of the whole test set and of today's model, the first images agree on the
# same devices now, and a planted fault is seen.
set -euo pipefail
lacuna=$(realpath "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
wrong=0
field() { tail -1 "$1" | cut -d, -f"$2"; }

committed=$root/bench/test_set.csv
"$root/bench/test_set.sh" "$lacuna" 40 >now.csv || wrong=1
[ "$(field now.csv 5)" = equal ] || { echo "devices differ"; cat now.csv; wrong=1; }
[ "$(field "$committed" 2)" = 10000 ] && [ "$(field "$committed" 5)" = equal ] || { echo "not the whole test set"; wrong=1; }
# Every image has as many values.
[ $(($(field now.csv 3) * 250)) = "$(field "$committed" 3)" ] || { echo "bench/test_set.csv is of another model"; wrong=1; }
if VERIFY="--inject-fault conv2" "$root/bench/test_set.sh" "$lacuna" 4 >fault.csv; then echo "a fault is not seen"; wrong=1; fi
grep -q "the reference says" fault.csv || { echo "nothing is said about the fault"; cat fault.csv; wrong=1; }
exit $wrong
