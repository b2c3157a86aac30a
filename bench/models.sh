#!/bin/bash
# Trains the float networks of models/ by their recipes. CSV on standard output: a row a network.
#
#   bench/models.sh [NAME ...] > models.csv     all, or those named; CIFAR-10 in its binary version at $CIFAR10
#
# Networks and logs go to build/models. A run that was stopped goes on where it was; a finished one is not repeated. On
# one core with bfloat16 arithmetic a recipe takes a quarter of an hour to an hour and a half.
set -euo pipefail
cd "$(dirname "$0")/.."
recipes() {
  cat <<'RECIPES'
resnet20-fashion resnet20 fashion-mnist --epochs 40 --crop 2 --flip --erase 0.5 --warmup 1 --precision bf16
resnet8-fashion resnet8 fashion-mnist --epochs 30 --crop 2 --flip --warmup 1 --precision bf16
resnet8-cifar10 resnet8 cifar10 --epochs 70 --crop 4 --flip --warmup 1 --weight-decay 0.0002 --validation 1000 --precision bf16
resnet20-cifar10 resnet20 cifar10 --epochs 75 --crop 4 --flip --warmup 1 --validation 1000 --precision bf16
RECIPES
}
[ $# -gt 0 ] || set -- $(recipes | cut -d' ' -f1)
for name; do
  recipes | grep -q "^$name " || { echo "bench/models.sh: no model '$name'; there are: $(recipes | cut -d' ' -f1 | xargs)" >&2; exit 2; }
done
cmake --preset release >/dev/null
cmake --build --preset release --target lacuna >/dev/null
lacuna=build/release/host/cli/lacuna
out=build/models
mkdir -p "$out"
field() { sed -n "s/^[[:space:]]*\"$2\":[[:space:]]*\"\{0,1\}\([^\",]*\).*/\1/p" "$1" | head -1; }

echo "model,network,data,recipe,parameters,validation,test,seconds"
for name; do
  read -r _ net data recipe < <(recipes | grep "^$name ")
  [ "$data" = fashion-mnist ] || [ -n "${CIFAR10:-}" ] ||
    { echo "bench/models.sh: $name needs the folder of the binary CIFAR-10 in CIFAR10" >&2; exit 2; }
  at=$data
  [ "$data" = fashion-mnist ] || at=$data:$CIFAR10
  results=$out/$name.json
  # shellcheck disable=SC2086
  [ -e "$results" ] || OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} "$lacuna" train "$net" --data "$at" $recipe -o "$out/$name.onnx" \
    --metrics "$out/$name.jsonl" --results "$results" >&2
  echo "$name,$net,$data,$recipe,$(field "$results" parameters),$(field "$results" validation_accuracy),$(
    field "$results" test_accuracy),$(field "$results" seconds)"
done
