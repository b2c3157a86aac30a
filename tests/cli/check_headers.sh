#!/bin/bash
# Every header of the house compiles alone, as C11 with all warnings:  check_headers.sh COMPILER BUILD_FOLDER
set -euo pipefail
compiler=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mapfile -t headers < <(find host quant prune hls sim rtl boards -name '*.h' 2>/dev/null | sort)
mapfile -t generated < <(find "$build" -name '*.h' -not -path '*/CMakeFiles/*' -not -path '*/cache/*' -printf '%h\n' | sort -u)
flags=(-std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Wpedantic -Wshadow -Wundef -Wvla -Werror -fsyntax-only
       -Wno-unused-function -Wno-unused-const-variable -DLAC_HAVE_SIM=1 -DLAC_HAVE_OPENCL=1 -DLAC_HAVE_XRT=0)
for folder in $(printf '%s\n' "${headers[@]%/*}" | sort -u) rtl/defs; do flags+=("-I$folder"); done
for folder in "${generated[@]}"; do flags+=(-isystem "$folder"); done

# A header may need a type that only its reader's includes would bring: a file of one line shows that.
compiles() {
  printf '#include "%s"\ntypedef int lac_not_empty;\n' "$1" >"$work/alone.c"
  "$compiler" "${flags[@]}" "$work/alone.c"
}

failed=0
for header in "${headers[@]}"; do
  compiles "$PWD/$header" || { echo "$header does not compile alone"; failed=1; }
done

# The check itself is checked: a header that needs stdint.h and does not say so must be caught.
echo 'static inline uint8_t lac_broken(uint8_t x) { return x; }' >"$work/broken.h"
if compiles "$work/broken.h" 2>/dev/null; then echo "the check missed a broken header"; failed=1; fi

echo "${#headers[@]} headers"
exit $failed
