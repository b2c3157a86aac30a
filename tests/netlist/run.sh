#!/bin/bash
# Synthesises a small engine with Yosys and runs a network on the netlist in Icarus, with Yosys' own models of the cells;
# every result must equal the reference.
#
#   run.sh CONTRACT_DIR VECTORS FAMILY           prints "N results, 0 wrong"; FAMILY ice40 or xc7
#   run.sh CONTRACT_DIR VECTORS FAMILY --broken  one cell of the netlist is changed: results must differ
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
rtl=$here/../../rtl
contract=$1 vectors=$2 family=$3 mode=${4:-}
share=$(dirname "$(dirname "$(command -v yosys)")")/share/yosys
mesh_x=2 mesh_y=1 drain=1 act_words=128 list_words=64 lane=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# -nosrl: up to 0.67, Yosys' xilinx_srl forgets the clock enable of the flip-flops that it joins (YosysHQ/yosys#6058).
case $family in
  ice40)
    synth="synth_ice40 -dsp -top lac_engine" options=-DNO_ICE40_DEFAULT_ASSIGNMENTS table=LUT_INIT
    cells=("$share/ice40/cells_sim.v") ;;
  xc7)
    synth="synth_xilinx -family xc7 -nosrl -noiopad -noclkbuf -flatten -top lac_engine" options= table=INIT
    cells=("$work/cells.v" "$here/rams_xc7.v")
    # Yosys' block memories are pins without contents.
    sed '/^module RAMB\(18\|36\)E1/,/^endmodule/d' "$share/xilinx/cells_sim.v" >"$work/cells.v" ;;
  *) echo "usage: run.sh CONTRACT_DIR VECTORS ice40|xc7 [--broken]" >&2; exit 2 ;;
esac
yosys -q -p "read_verilog -I$contract $rtl/prim/*.v $rtl/lane/*.v $rtl/engine/*.v
  hierarchy -check -top lac_engine -chparam MESH_X $mesh_x -chparam MESH_Y $mesh_y -chparam DRAIN $drain \
    -chparam ACT_WORDS $act_words -chparam LIST_WORDS $list_words -chparam LANE $lane
  $synth
  write_verilog -noattr $work/netlist.v" >"$work/yosys.log" 2>&1 || { tail -20 "$work/yosys.log" >&2; exit 2; }
# What has no initial value starts with 0 in the device; in simulation it would be unknown.
sed -i -E "s/(INIT[A-Z0-9_]*\\([0-9]*'[hb])x*\\)/\\10)/" "$work/netlist.v"
# Block memories start with 0: their models have no contents to set.
content="^ *\.INITP?_[0-9A-F]{2}\\("
if grep -E "$content" "$work/netlist.v" | grep -qv "'h0*)"; then echo "netlist: a block memory has contents" >&2; exit 2; fi
sed -i -E "/$content/d" "$work/netlist.v"
if [ "$mode" = --broken ]; then
  # The table of the second LUT of four inputs is inverted.
  line=$(grep -nE "\.$table\\(16'h" "$work/netlist.v" | sed -n '2s/:.*//p')
  sed -i -E "${line:-1}s/(\.$table\\()(16'h[0-9a-f]*\\))/\\1~\\2/" "$work/netlist.v"
  grep -q 'INIT(~' "$work/netlist.v" || { echo "netlist: no cell was changed" >&2; exit 2; }
fi
sizes=$("$vectors" "$work" $mesh_x $mesh_y $drain $act_words $list_words $lane)
iverilog -g2012 $options $sizes -s engine_tb -o "$work/sim" "$here/engine_tb.v" "$work/netlist.v" "${cells[@]}" 2>"$work/icarus.log" ||
  { tail -5 "$work/icarus.log" >&2; exit 2; }
result=$(cd "$work" && timeout 300 vvp -n sim +program=program.hex +load=load.hex +expected=expected.hex | tail -1) || true
echo "$family: $result"
if [ "$mode" = --broken ]; then
  [[ "$result" != *"results, 0 wrong" ]] && [[ "$result" =~ (wrong|timeout|error) ]]
else
  [[ "$result" =~ ^[1-9][0-9]*\ results,\ 0\ wrong$ ]]
fi
