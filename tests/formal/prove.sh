#!/bin/bash
# Proves properties of RTL modules with Yosys and z3, or ABC.
#
#   prove.sh CONTRACT_DIR NAME            the proof must hold
#   prove.sh CONTRACT_DIR NAME --mutants  each deliberately broken copy of the RTL must fail it
#
# NAME.proof is read by the shell and says:
#   top       module that is proved; NAME.v is put in before the endmodule of its file
#   properties  NAME of another proof, whose NAME.v this one shares, with other params
#   sources   files under rtl/, the one of top first
#   params    "NAME value ..." of top
#   depth     of the bounded proof; induction needs no more steps than that
#   induct    depth of the induction (default: depth); "none" where only the bounded proof is meant, and why
#   engine    "sat": bounded proof and induction by the solver that is built into Yosys, where z3 takes minutes; "pdr": a
#             proof for all times by ABC's property-directed reachability, which finds the invariants of the induction itself
#   bounded   "abc": ABC looks for the failures of the mutants and for the covers, in the first depth cycles, where the others take minutes
#   start     with it, the cycle from which on the mutants are watched: a late failure is found sooner than an early one ruled out
#   expose    files under rtl/ and sed scripts "file|script" that let the properties see a memory inside
#   mutants   likewise, one a line: each of them breaks the RTL
# NAME.v has assume, assert and cover statements; files named *_rules.v here are read as well, *.vh where they are included.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
rtl=$here/../../rtl
contract=$1 name=$2 mode=${3:-}
properties=$name params= induct= engine= bounded= start=0 expose= mutants=
. "$here/$name.proof"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Copies the sources; edit FILE SCRIPT changes a copy, and a script that changes nothing is an error.
copy() { for s in $sources; do cp "$rtl/$s" "$work/$(basename "$s")"; done; }
edit() {
  local file=$work/$(basename "$1")
  sed -i.before "$2" "$file"
  if cmp -s "$file" "$file.before"; then echo "formal: '$2' changes nothing in $1" >&2; exit 2; fi
}
edits() { local file script; while IFS='|' read -r file script; do [ -z "$file" ] || edit "$file" "$script"; done <<<"$1"; }

translate() {
  local file set_params=() words i
  file=$work/$(basename "${sources%% *}")
  sed -i -e "/^endmodule/{
r $here/$properties.v
N
}" "$file"
  # "r" puts the text behind the line, so the endmodule moves to the end.
  sed -i -e '0,/^endmodule/{/^endmodule/d}' "$file"
  sed -i -e '$a endmodule' "$file"
  sed -i -e 's/^`default_nettype wire$//' "$file"
  read -ra words <<<"$params"
  for ((i = 0; i + 1 < ${#words[@]}; i += 2)); do set_params+=("-chparam ${words[i]} ${words[i + 1]}"); done
  yosys -q -p "read_verilog -formal -D FORMAL -I$contract -I$here $work/*.v $here/*_rules.v
    hierarchy -check -top $top ${set_params[*]:-}
    prep -top $top -flatten
    opt -full
    memory_nordff
    async2sync
    dffunmap
    write_rtlil $work/$name.il
    write_smt2 -wires $work/$name.smt2" >"$work/yosys.log" 2>&1 || { cat "$work/yosys.log" >&2; exit 2; }
}

# The same by Yosys' own solver, both in one go; without a counterexample and without a proof it is an error.
solve_sat() {
  local log=$work/bounded.log
  yosys -p "read_rtlil $work/$name.il; chformal -cover -remove; memory_map; opt -full
    sat -tempinduct -prove-asserts -set-assumes -seq 1 -maxsteps $depth -show-ports $top" >"$log" 2>&1 || true
  if grep -q 'Induction step proven: SUCCESS' "$log"; then echo PASSED
  elif grep -q 'model found for base case: FAIL' "$log"; then echo 'Assert failed' >>"$log"; echo FAILED
  else cat "$log" >&2; exit 2; fi
}

# All assertions at once by ABC: proved for all times, or an assertion and the cycle in which it fails.
solve_pdr() {
  local log=$work/bounded.log
  yosys -q -p "read_rtlil $work/$name.il; chformal -cover -remove; delete -output w:*; memory_map -formal; opt -full; techmap; opt
    dffunmap; abc -fast -g AND; opt_clean; write_aiger -zinit $work/$name.aig" >"$log" 2>&1 || { cat "$log" >&2; exit 2; }
  yosys-abc -c "read_aiger $work/$name.aig; fold; scorr; pdr -T 300" >"$log" 2>&1 || true
  if grep -q 'Property proved' "$log"; then echo PASSED
  elif grep -q 'was asserted in frame' "$log"; then echo 'Assert failed' >>"$log"; echo FAILED
  else cat "$log" >&2; exit 2; fi
}

# aiger SCRIPT: the model for ABC, each assertion an output that is never 1.
aiger() {
  yosys -q -p "read_rtlil $work/$name.il; $1; delete -output w:*; memory_map -formal; opt -full; techmap; opt; dffunmap; aigmap
    opt_clean; write_aiger -zinit $work/$name.aig" >"$work/aiger.log" 2>&1 || { cat "$work/aiger.log" >&2; exit 2; }
}

# Whether any assertion fails in the cycles from start on.
solve_abc() {
  local log=$work/bounded.log
  aiger 'chformal -cover -remove'
  yosys-abc -c "read_aiger $work/$name.aig; fold; orpos; bmc3 -S $start -F $depth" >"$log" 2>&1 || true
  if grep -q "No output asserted in $depth frames" "$log"; then echo PASSED
  elif grep -q 'was asserted in frame' "$log"; then echo 'Assert failed' >>"$log"; echo FAILED
  else cat "$log" >&2; exit 2; fi
}

# Whether every cover is reached: as an assertion that it never holds, each of them fails.
cover_abc() {
  local log=$work/cover.log
  printf '%s\n' 'module \$cover (input A, input EN);' '\$assert _TECHMAP_REPLACE_ (.A(~A), .EN(EN));' 'endmodule' >"$work/cover.map"
  aiger "chformal -assert -remove; techmap -map $work/cover.map"
  yosys-abc -c "read_aiger $work/$name.aig; fold; bmc3 -a -F $depth" >"$log" 2>&1 || true
  if grep -q 'was asserted in frame.*solved \([0-9]*\) out of \1 ' "$log"; then echo PASSED
  elif grep -q 'outputs are SAT\|No output asserted' "$log"; then echo FAILED
  else cat "$log" >&2; exit 2; fi
}

# solve KIND OPTIONS: prints PASSED or FAILED; anything else is an error.
solve() {
  local log=$work/$1.log
  shift
  yosys-smtbmc -s z3 "$@" "$work/$name.smt2" >"$log" 2>&1 || true
  if grep -q 'Status: PASSED\|Status: passed' "$log"; then echo PASSED
  elif grep -q 'Status: FAILED\|Status: failed' "$log"; then echo FAILED
  else cat "$log" >&2; exit 2; fi
}

if [ "$mode" = --mutants ]; then
  n=0
  while IFS='|' read -r file script; do
    [ -n "$file" ] || continue
    copy
    edits "$expose"
    edit "$file" "$script"
    translate
    case ${bounded:-$engine} in
      abc) result=$(solve_abc) ;;
      sat) result=$(solve_sat) ;;
      pdr) result=$(solve_pdr) ;;
      *) result=$(solve bounded -t "$depth") ;;
    esac
    [ "$result" = FAILED ] || { echo "formal: $name holds although $file was broken by '$script'" >&2; exit 1; }
    grep -q 'Assert failed' "$work/bounded.log" || { echo "formal: $name: no assertion failed" >&2; exit 1; }
    n=$((n + 1))
  done <<<"$mutants"
  [ "$n" -gt 0 ] || { echo "formal: $name has no mutants" >&2; exit 2; }
  echo "$name: $n broken copies are noticed"
  exit 0
fi

copy
edits "$expose"
translate
kinds="bounded"
if [ "$engine" = sat ]; then
  [ "$(solve_sat)" = PASSED ] || { tail -60 "$work/bounded.log" >&2; exit 1; }
  kinds+=", induction"
elif [ "$engine" = pdr ]; then
  [ "$(solve_pdr)" = PASSED ] || { tail -60 "$work/bounded.log" >&2; exit 1; }
  kinds="for all times"
else
  [ "$(solve bounded -t "$depth")" = PASSED ] || { cat "$work/bounded.log" >&2; exit 1; }
fi
if [ "$induct" != none ] && [ -z "$engine" ]; then
  [ "$(solve induction -i -t "${induct:-$depth}")" = PASSED ] || { cat "$work/induction.log" >&2; exit 1; }
  kinds+=", induction"
fi
if grep -q 'cover *(' "$here/$properties.v"; then
  if [ "$bounded" = abc ]; then result=$(cover_abc); else result=$(solve cover -c -t "$depth"); fi
  [ "$result" = PASSED ] || { cat "$work/cover.log" >&2; exit 1; }
  kinds+=", cover"
fi
echo "$name: proved ($kinds)"
