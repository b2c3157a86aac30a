#!/bin/bash
# install.sh BUILD: the example builds against an installed Lacuna in a folder of its own, in three ways, and gives on every
# device what 'lacuna run' gives on the reference. The shared library exports its own names and nothing else.
set -euo pipefail
build=$(cd "$1" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
data=/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz
n=200
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/prefix" >"$work/install.log" || { cat "$work/install.log"; exit 1; }
cp -r "$root/examples/classify" "$work/example"
cd "$work"

cmake -S example -B example/build -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$work/prefix" >cmake.log 2>&1 ||
  { cat cmake.log; exit 1; }
cmake --build example/build >build.log 2>&1 || { cat build.log; exit 1; }
PKG_CONFIG_PATH=$(dirname "$(find prefix -name lacuna.pc)")
export PKG_CONFIG_PATH
lib=$(dirname "$(find "$work/prefix" -name liblacuna.so)")
# shellcheck disable=SC2046
cc -std=c11 -Wall -Wextra -Werror example/classify.c -o classify_pc $(pkg-config --cflags --libs lacuna) -Wl,-rpath,"$lib"
# shellcheck disable=SC2046
cc -std=c11 -Wall -Wextra -Werror $(pkg-config --cflags lacuna) example/classify.c -o classify_pc_static \
  "$lib/liblacuna.a" $(pkg-config --static --libs lacuna | sed 's/-llacuna//')
ldd classify_pc_static | grep -q liblacuna && { echo "the static program needs the shared library"; exit 1; }

nm -D --defined-only "$lib/liblacuna.so" | awk '$2 != "A" { print $3 }' | grep -v '^lacuna_[a-z_]*@@LACUNA_0.1$' &&
  { echo "the shared library exports other names"; exit 1; }
[ "$(nm -D --defined-only "$lib/liblacuna.so" | grep -c '@@LACUNA_0.1$')" -ge 11 ] || { echo "names are missing"; exit 1; }
[ "$(wc -l <example/classify.c)" -lt 100 ] || { echo "the example has 100 lines or more"; exit 1; }

lacuna=$(find prefix -name lacuna -type f -perm -u+x)
"$lacuna" compile "$root/models/lacuna-tiny-w4a4.onnx" -o model.lac -q >/dev/null
"$lacuna" run model.lac --device ref --limit $n -p expected.txt -q >/dev/null
zcat "$data" | tail -c +17 | head -c $((784 * n)) >pixels || true
devices=$(./classify_pc --list)
for device in hls opencl; do
  if ! grep -qx $device <<<"$devices"; then echo "no device $device in this build"; continue; fi
  for program in ./classify_pc ./classify_pc_static example/build/classify example/build/classify_static; do
    $program $device model.lac <pixels >got.txt
    cmp expected.txt got.txt || { echo "$program on $device gives other classes"; exit 1; }
  done
done
code=0
./classify_pc abacus model.lac </dev/null 2>said.txt || code=$?
[ $code = 2 ] && grep -q "there is no device 'abacus'" said.txt || { echo "an unknown device: exit code $code"; cat said.txt; exit 1; }
code=0
./classify_pc hls missing.lac </dev/null 2>said.txt || code=$?
[ $code = 4 ] || { echo "a missing image: exit code $code"; cat said.txt; exit 1; }
