#!/bin/bash
# dialects.sh CONTRACT_DIR: one unmodified file, every compiler. C99 and C++14 with gcc and clang, OpenCL C 1.2 with clang,
# with and without the trace, all without a warning; and a copy that breaks a dialect's rule is refused by that dialect.
set -euo pipefail
contract=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$root"/hls/lac_kernel.c "$root"/hls/include/*.h "$contract"/lac_contract.h "$contract"/lac_registers.h "$work"
cd "$work"
wrong=0
strict=(-Wall -Wextra -Wpedantic -Werror -fsyntax-only -I.)

compile() { # DIALECT FILE MACROS...
  local dialect=$1 file=$2
  shift 2
  case $dialect in
    gcc-c99) gcc -std=c99 -Wconversion -Wshadow -Wvla "${strict[@]}" "$@" "$file" ;;
    clang-c99) clang -std=c99 -Wconversion -Wshadow -Wvla "${strict[@]}" "$@" "$file" ;;
    gcc-c++14) g++ -x c++ -std=c++14 "${strict[@]}" "$@" "$file" ;;
    clang-c++14) clang++ -x c++ -std=c++14 "${strict[@]}" "$@" "$file" ;;
    opencl) clang -x cl -cl-std=CL1.2 -Xclang -finclude-default-header "${strict[@]}" "$@" "$file" ;;
    bambu) clang -std=c99 -D__BAMBU__ "${strict[@]}" -Wno-unknown-pragmas "$@" "$file" ;;
    vitis) clang -std=c99 -D__SYNTHESIS__ -D__VITIS_HLS__ "${strict[@]}" -Wno-unknown-pragmas "$@" "$file" ;;
  esac
}

for dialect in gcc-c99 clang-c99 gcc-c++14 clang-c++14 opencl bambu vitis; do
  compile $dialect lac_kernel.c || { echo "$dialect refuses the kernel"; wrong=1; }
  compile $dialect lac_kernel.c -DLAC_TRACE -DLAC_MESH_X=3 -DLAC_MESH_Y=2 -DLAC_DRAIN=2 ||
    { echo "$dialect refuses the kernel with a trace"; wrong=1; }
  compile $dialect lac_kernel.c -DLAC_VECTOR=8 || { echo "$dialect refuses the kernel with a vector unit"; wrong=1; }
done
if compile gcc-c99 lac_kernel.c -DLAC_DRAIN=3 2>said.txt; then echo "DRAIN = 3 of 49 lanes was accepted"; wrong=1; fi
grep -q "DRAIN must divide" said.txt || { echo "nothing is said about DRAIN = 3"; wrong=1; }
if compile gcc-c99 lac_kernel.c -DLAC_VECTOR=5 2>said.txt; then echo "VECTOR = 5 was accepted"; wrong=1; fi
grep -q "VECTOR must be 0, 4, 8 or 16" said.txt || { echo "nothing is said about VECTOR = 5"; wrong=1; }

twin() { # DIALECT SED: a copy that only this dialect minds
  sed "$2" lac_kernel.c >twin.c
  if cmp -s lac_kernel.c twin.c; then echo "no change by: $2"; wrong=1; fi
  if compile "$1" twin.c 2>/dev/null; then echo "$1 accepts: $2"; wrong=1; fi
}
twin opencl 's/    int32_t bad = 0;/    static const int32_t zero = 0; int32_t bad = zero;/'
twin opencl 's/^LAC_FN uint64_t lac_next_word(LAC_GLOBAL const/LAC_FN uint64_t lac_next_word(const/'
twin gcc-c++14 's/    int32_t bad = 0;/    int32_t class = 0, bad = class;/'
twin gcc-c99 's/    int32_t bad = 0;/    int32_t bad = 0; auto\& b = bad;/'
exit $wrong
