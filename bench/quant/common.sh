# Shared by the tables of quantization: one float network, and one CSV line a run.
#
#   NET=lacuna-tiny DATA=fashion-mnist SEEDS="1 2 3" WORK=build/bench/quant LACUNA=build/release/host/cli/lacuna
#   TRAIN="--epochs 8 --lr 0.1 --crop 2 --flip"   recipe of the float network, or BASE=model.onnx instead
#   LIMIT=0                                       integers are measured on so many images of each part; 0: all
#   CSV=trained.csv                               lines go there instead, one by one, and those that are there already are
#                                                 not run again: the same command resumes
set -eu
cd "$(dirname "$0")/../.."
NET=${NET:-lacuna-tiny} DATA=${DATA:-fashion-mnist} SEEDS=${SEEDS:-1 2 3} WORK=${WORK:-build/bench/quant} LIMIT=${LIMIT:-0}
TRAIN=${TRAIN:---epochs 8 --lr 0.1 --crop 2 --flip}
LACUNA=${LACUNA:-build/release/host/cli/lacuna}
mkdir -p "$WORK"
BASE=${BASE:-$WORK/$NET-${DATA%%:*}.onnx}
# shellcheck disable=SC2086 # the recipes are words
[ -f "$BASE" ] || "$LACUNA" train "$NET" --data "$DATA" $TRAIN --quiet -o "$BASE" >/dev/null

# field FILE KEY: a number of a JSON result
field() { tr -d ' \t\n' <"$1" | sed -n "s/.*\"$2\":\([-0-9.e+]*\).*/\1/p"; }

float() { "$LACUNA" info "$BASE" --meta | sed -n "s/^lacuna\.train\.$1  *//p"; }

CSV=${CSV:-}

# line TEXT: one line of the table
line() { if [ -n "$CSV" ]; then echo "$1" >>"$CSV"; else echo "$1"; fi; }

# have KEY: the table has a line that begins so
have() { [ -n "$CSV" ] && [ -f "$CSV" ] && grep -qF -- "$1," "$CSV"; }

# heading COLUMNS RECIPE...: nothing where the table was begun before
heading() {
  local columns=$1
  shift
  [ -z "$CSV" ] || [ ! -s "$CSV" ] || return 0
  line "# $NET on ${DATA%%:*}; float: validation $(float validation_accuracy), test $(float test_accuracy); $("$LACUNA" --version)"
  line "# integers on $([ "$LIMIT" = 0 ] && echo all || echo "the first $LIMIT") images of each part; common to all runs: ${*:-nothing}"
  line "$columns"
}

# quantize OUT ARGUMENTS...: runs, and leaves OUT.json and OUT.onnx; a training that was stopped goes on
quantize() {
  local out=$1
  shift
  "$LACUNA" quantize "$BASE" --data "$DATA" --limit "$LIMIT" --quiet --json -o "$out.onnx" "$@" >"$out.json"
}

# digits FILE: non-zero radix-4 digits a weight over all layers of a --report
digits() {
  tr -d ' \t\n' <"$1" | grep -o '"weights":[0-9]*,"zeros":[-0-9.e]*,"digits":[-0-9.e]*' |
    sed 's/"[a-z]*"://g' | awk -F, '{ n += $1; d += $1 * $3 } END { printf "%.4f", d / n }'
}

accuracies() {
  echo "$(field "$1" validation_accuracy),$(field "$1" test_accuracy),$(field "$1" int_validation_accuracy),$(field "$1" int_test_accuracy)"
}
