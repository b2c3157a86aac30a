#!/bin/sh
# Area of the engine as Yosys estimates it for Xilinx 7 series, whole and by part.
#
#   bench/area.sh BUILD_DIRECTORY [PARAMETER=VALUE ...]        e.g. bench/area.sh build/release MESH_X=8 DRAIN=8
#
# Yosys 0.23 stops in abc9 on any RAMB36E1, so activation memory is 2048 words unless told otherwise: RAMB18 then.
set -eu
build=${1:?usage: bench/area.sh BUILD_DIRECTORY [PARAMETER=VALUE ...]}
shift
contract=$build/rtl/defs/generated
[ -f "$contract/lac_contract.vh" ] || { echo "no contract in $contract: build the target lac_contract_files" >&2; exit 1; }
rtl=$(cd "$(dirname "$0")/../rtl" && pwd)

# part TITLE TOP [PARAMETER=VALUE ...]
part() {
  title=$1 top=$2
  shift 2
  set_parameters=
  for assignment; do set_parameters="$set_parameters -chparam ${assignment%%=*} ${assignment#*=}"; done
  yosys -q -p "read_verilog -I$contract $rtl/prim/*.v $rtl/lane/*.v $rtl/engine/*.v
    hierarchy -check -top $top $set_parameters
    synth_xilinx -abc9 -noiopad -noclkbuf -flatten -top $top
    tee -q -o /dev/fd/3 stat" 3>&1 >/dev/null 2>&1 | awk -v title="$title" '
      $1 ~ /^LUT[1-6]$/ || $1 == "INV" { lut += $2 }
      $1 ~ /^RAM32M$/ { lutram += 4 * $2 }
      $1 ~ /^SRL/ { lutram += $2 }
      $1 ~ /^FD[RSCP]E$/ { ff += $2 }
      $1 ~ /^DSP48/ { dsp += $2 }
      $1 == "RAMB18E1" { bram += $2 / 2 }
      $1 == "RAMB36E1" { bram += $2 }
      END { printf "| %s | %d | %d | %d | %d | %.1f |\n", title, lut, lutram, ff, dsp, bram }'
}

echo "| part | LUT | LUT as memory | FF | DSP48E1 | RAMB36 |"
echo "| --- | --- | --- | --- | --- | --- |"
part "whole engine" lac_engine ACT_WORDS=2048 "$@"
[ $# -gt 0 ] || part "lane_array" lane_array ACT_WORDS=2048
[ $# -gt 0 ] || part "one requantizer" requantize
