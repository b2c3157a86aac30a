#!/bin/bash
# Area by Yosys (-abc9), of single modules, the engine, and the engine in its shell, as CSV on stdout.
#
#   bench/area.sh BUILD_DIRECTORY [ROW ...]       e.g. bench/area.sh build/release > bench/area.csv
#
# ROW is FAMILY:MODULE[:PARAMETER=VALUE,...], FAMILY one of xc7 xcup ecp5 ice40; without rows, those of bench/area.rows. An
# estimate of Yosys, not of the vendors' tools. lut counts LUTs of any size (ecp5, ice40: LUT4, carry cells included); lutram
# the LUTs that are memory (shift registers are flip-flops: tests/netlist/run.sh says why); ram the block memories in units
# of 36 (xc7, xcup), 18 (ecp5) or 4 (ice40) kilobits.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:?usage: bench/area.sh BUILD_DIRECTORY [ROW ...]}
shift
contract=$build/rtl/defs/generated
[ -f "$contract/lac_contract.vh" ] || { echo "no contract in $contract: build the target lac_contract_files" >&2; exit 1; }
share=$(dirname "$(dirname "$(command -v yosys)")")/share/yosys
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rows=("$@")
[ $# -gt 0 ] || mapfile -t rows < <(grep -v '^#' bench/area.rows)

# Yosys 0.23 stops in abc9 on the timing model of a RAMB36E1: while it maps LUTs, these have another name and no model.
echo '(* blackbox *)' >"$work/rams.v"
sed -n '/^module RAMB36E1/,/^endmodule/p' "$share/xilinx/cells_sim.v" |
  sed 's/module RAMB36E1/module LAC_RAMB36E1/; s/(\* [a-z_0-9]*abc9[^*]*\*)//; /^ *specify/,/^ *endspecify/d' >>"$work/rams.v"

synth() { # FAMILY
  local s
  case $1 in
    xc7|xcup)
      s="synth_xilinx -family $1 -abc9 -nosrl -noiopad -noclkbuf -flatten"
      echo "$s -run begin:map_cells; read_verilog -lib $work/rams.v; chtype -set LAC_RAMB36E1 t:RAMB36E1
        $s -run map_cells:check" ;;
    ecp5) echo "synth_ecp5 -abc9" ;;
    ice40) echo "synth_ice40 -abc9 -device u -dsp -spram" ;;
    *) echo "no family '$1'" >&2; exit 2 ;;
  esac
}

echo "family,module,parameters,lut,lutram,ff,dsp,ram"
for row in "${rows[@]}"; do
  IFS=: read -r family top parameters <<<"$row"
  set_parameters=
  for assignment in ${parameters//,/ }; do set_parameters+=" -set ${assignment%%=*} ${assignment#*=}"; done
  yosys -p "read_verilog -I$contract rtl/prim/*.v rtl/lane/*.v rtl/engine/*.v rtl/shell/*.v
    ${set_parameters:+chparam$set_parameters $top}
    hierarchy -check -top $top
    $(synth "$family")
    tee -o $work/stat stat" >"$work/log" 2>&1 || { tail -5 "$work/log" >&2; echo "area: $row failed" >&2; exit 1; }
  awk -v row="$family,$top,${parameters//,/ }" '
    $1 ~ /^(LUT[1-6]|INV|SB_LUT4|LUT4|CCU2C)$/ { lut += $2 * ($1 == "CCU2C" ? 2 : 1) }
    $1 ~ /^RAM(32M|64M)$/ || $1 == "TRELLIS_DPR16X4" { lutram += 4 * $2 }
    $1 ~ /^RAM(32M16|64M8)$/ { lutram += 8 * $2 }
    $1 ~ /^RAM(32X1S|32X1D|64X1S|64X1D|128X1S|128X1D|256X1S)$/ { lutram += 2 * $2 }
    $1 ~ /^SRL/ { lutram += $2 }
    $1 ~ /^(FD[RSCP]E|FD[RSCP]E_1|TRELLIS_FF)$/ || $1 ~ /^SB_DFF/ { ff += $2 }
    $1 ~ /^(DSP48|MULT18X18D|SB_MAC16)/ { dsp += $2 }
    $1 ~ /^RAMB18/ { ram += $2 / 2 }
    $1 ~ /RAMB36/ || $1 == "DP16KD" || $1 == "SB_RAM40_4K" { ram += $2 }
    END { printf "%s,%d,%d,%d,%d,%.1f\n", row, lut, lutram, ff, dsp, ram }' "$work/stat"
done
