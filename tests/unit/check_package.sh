#!/bin/bash
# Lint of what cannot be run without the vendor's tools: the packaging Tcl reads the printed map and holds no offset of
# its own, the map has every argument where kernel.xml has it, and the ports of kernel.xml are ports of the kernel.
#
#   check_package.sh CONTRACT_DIR PACKAGE.tcl LAC_KERNEL.v
set -euo pipefail
contract=$1 tcl=$2 kernel=$3
wrong=0
say() { echo "check_package: $1" >&2; wrong=1; }

grep -q 'source \$contract/registers.tcl' "$tcl" || say "$tcl does not read registers.tcl"
grep -nE '0x[0-9A-Fa-f]+' "$tcl" && say "$tcl holds an offset of its own"

xml=$(sed -n 's/.*<arg name="\([a-z_]*\)" addressQualifier="\([01]\)".*size="0x\([48]\)" offset="0x\([0-9A-F]*\)".*/\1 \4 \3 \2/p' "$contract/kernel.xml")
map=$(sed -n 's/^  {\([a-z_]*\) 0x0\([0-9A-F]*\) \(32\|64\) read-write \([01]\)}$/\1 \2 \3 \4/p' "$contract/registers.tcl" |
  sed 's/ 32 / 4 /; s/ 64 / 8 /')
[ -n "$xml" ] || say "kernel.xml has no arguments"
[ "$xml" = "$map" ] || say "kernel.xml and registers.tcl differ: $(diff <(echo "$xml") <(echo "$map") | head -3 | tr '\n' ' ')"
for port in $(sed -n 's/.*<port name="\([a-z_]*\)".*/\1/p' "$contract/kernel.xml"); do
  grep -q "${port}_awvalid" "$kernel" || say "the kernel has no port $port"
done
exit $wrong
