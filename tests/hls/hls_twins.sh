#!/bin/bash
# hls_twins.sh LINT CONTRACT_DIR: the lint passes what is shipped, and finds every fault that is put into a copy of it.
set -euo pipefail
lint=$1 contract=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
wrong=0

"$lint" "$root"/hls/lac_kernel.c "$root"/hls/include/*.h "$contract"/lac_registers.h \
  "$contract"/kernel.xml "$root"/boards/vitis/*.cfg || { echo "the lint finds fault with what is shipped"; wrong=1; }

# twin FILE WORDS SED: a copy of FILE changed by SED must be refused with WORDS.
twin() {
  local file=$1 words=$2 change=$3 copy
  copy=$(basename "$file")
  sed "$change" "$file" >"$copy"
  if cmp -s "$file" "$copy"; then echo "no change by: $change"; wrong=1; return; fi
  if "$lint" "$copy" >found.txt; then echo "not found: $words"; wrong=1
  elif ! grep -qF -- "$words" found.txt; then echo "found something else than: $words"; cat found.txt; wrong=1; fi
}
kernel=$root/hls/lac_kernel.c
twin "$kernel" "'lac_stop' calls itself" 's/if (\*code == LAC_KERNEL_OK) \*code = why;/lac_stop(code, why);/'
twin "$kernel" "'malloc' allocates" 's/    int32_t bad = 0;/    int32_t bad = 0; malloc(4);/'
twin "$kernel" "a function pointer" 's/    int32_t bad = 0;/    int32_t bad = 0; int32_t (*f)(int32_t);/'
twin "$kernel" "keeps state between runs" 's/    int32_t bad = 0;/    static int32_t bad = 0;/'
twin "$kernel" "a loop without a bound in sight" 's/    int32_t bad = 0;/    int32_t bad = 0; while (bad) bad--;/'
twin "$kernel" "a loop without 'i < BOUND' in its condition" 's/for (int32_t p = 0; p < LAC_LANES; p++)/for (int32_t p = 0; p != LAC_LANES; p++)/'
twin "$kernel" "which is no constant" 's/for (uint32_t d = 0; d < LAC_DRAIN; d++)/for (uint32_t d = 0; d < words; d++)/'
twin "$kernel" "a pipelined loop around another loop that is not unrolled" \
  's/goes_on = reader->at - reader->first >= LAC_CHUNK_WORDS;/if (reader->at - reader->first >= LAC_CHUNK_WORDS) lac_refill(0, reader);/'
twin "$kernel" "a pipelined loop around another loop that is not unrolled" \
  '/LAC_FN uint8_t lac_code/,/^}/s/uint32_t bits = word\[at\];/uint32_t bits = 0; for (int32_t i = 0; i < 2; i++) bits |= word[at];/'
twin "$kernel" "pragma 'INLINE' is not on the list" 's/LAC_HLS(DATAFLOW)/LAC_HLS(INLINE)/'
twin "$kernel" "pragma PIPELINE without 'II=1'" 's/PIPELINE II = 1/PIPELINE II = 2/'
twin "$kernel" "a literal pragma" 's/LAC_HLS(DATAFLOW)/\n#pragma HLS dataflow\n/'
twin "$kernel" "is outside the kernel's folder" 's/#include "lac_num.h"/#include "..\/host\/lac_num.h"/'
twin "$kernel" "argument 8 of the kernel is 'uint32_t words', in registers.def 'uint32_t input_words'" \
  '/^    LAC_KERNEL_NAME/,/{/s/input_words/words/'
twin "$kernel" "the kernel has 11 arguments" '/^    LAC_KERNEL_NAME/,/{/s/uint32_t runs,//'
twin "$kernel" "argument 'output' is a pointer: its interface must be m_axi" 's/mode = m_axi port = output/mode = s_axilite port = output/'
twin "$kernel" "argument 'runs' has 0 interface pragmas" '/mode = s_axilite port = runs/d'
twin "$kernel" "pointer 'report' has no literal interface under __BAMBU__" '/^#pragma HLS interface port=report/d'
twin "$kernel" "bundle 'gmem0' has elements of different widths" 's/bundle = gmem1/bundle = gmem0/'
twin "$contract/kernel.xml" "argument 'runs' is not at 0x70" 's/offset="0x70"/offset="0x74"/'
twin "$contract/kernel.xml" "argument 3 is not 'input'" 's/name="input"/name="in"/'
link=$root/boards/vitis/link-u280.cfg
twin "$link" "has no memory for 'output'" '/lac_kernel_1.output/d'
twin "$link" "places no pointer of the kernel" 's/sp=lac_kernel_1.input/sp=lac_kernel_1.inputs/'
twin "$link" "is not kernel 'lac_kernel'" 's/nk=lac_kernel/nk=kernel/'
twin "$root/boards/vitis/hls_config.cfg" "no line 'syn.top=lac_kernel'" 's/syn.top=.*/syn.top=kernel/'
exit $wrong
