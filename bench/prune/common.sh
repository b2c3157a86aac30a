# Shared by the pruning tables: one dense network, and one CSV line a run. A table that was interrupted goes on where it
# stopped.
#
#   NET=resnet8 DATA=fashion-mnist BASE=model.onnx      the dense network; without BASE it is trained: TRAIN="--epochs 30 ..."
#   TUNE="--epochs 8 --lr 0.05 ..."                     the training around or after pruning; TUNE=--no-training for none
#   SEEDS="1 2 3" OUT=table.csv WORK=build/bench/prune LACUNA=build/release/host/cli/lacuna
set -eu
cd "$(dirname "$0")/../.."
NET=${NET:-resnet8} DATA=${DATA:-fashion-mnist} SEEDS=${SEEDS:-1} WORK=${WORK:-build/bench/prune}
TRAIN=${TRAIN:---epochs 30 --crop 2 --flip --lr 0.1 --warmup 1 --precision bf16}
TUNE=${TUNE:---epochs 8 --crop 2 --flip --lr 0.05 --precision bf16}
LACUNA=${LACUNA:-build/release/host/cli/lacuna}
mkdir -p "$WORK"
BASE=${BASE:-$WORK/$NET-${DATA%%:*}.onnx}
# shellcheck disable=SC2086 # the recipes are words
[ -f "$BASE" ] || "$LACUNA" train "$NET" --data "$DATA" $TRAIN --quiet -o "$BASE" >/dev/null

# field FILE KEY: a number of a JSON result; of the table "account" with KEY.COLUMN
field() {
  case $2 in
    *.*) tr -d ' \n\t' <"$1" | sed -n "s/.*{\"key\":\"${2%.*}\",[^}]*\"${2#*.}\":\([-0-9.e+]*\).*/\1/p" ;;
    *) tr -d ' \n\t' <"$1" | sed -n "s/.*\"$2\":\([-0-9.e+]*\).*/\1/p" ;;
  esac
}

dense() { "$LACUNA" info "$BASE" --meta | sed -n "s/^lacuna\.train\.$1  *//p"; }
# The dense network's own recipe, as its file has it.
recipe() {
  local option value
  for option in epochs batch lr schedule warmup weight-decay crop flip cutout erase mixup precision validation; do
    value=$(dense $option)
    case $value in
      '' | 0 | -1 | no) ;;
      yes) echo "--$option" ;;
      *) echo "--$option $value" ;;
    esac
  done | xargs
}

points() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", 100 * (a - b) }'; } # a minus b
share() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.4f", a / b }'; }          # a of b

# begin COLUMNS: opens OUT; what is in it already must have been made in the same way
begin() {
  {
    echo "# $NET on ${DATA%%:*}; dense: validation $(dense validation_accuracy), test $(dense test_accuracy)"
    echo "# dense by: $(dense NET) $(recipe)"
    echo "# this table by: ${HOW:+$HOW, }$TUNE; $("$LACUNA" --version)"
    echo "$1"
  } >"$WORK/heading"
  [ -s "$OUT" ] || cp "$WORK/heading" "$OUT"
  head -n 4 "$OUT" | cmp -s - "$WORK/heading" || { echo "$OUT was made in another way: remove it, or give OUT=" >&2; exit 1; }
}

has() { grep -q "^$1," "$OUT"; }
row() { echo "$1" | tee -a "$OUT"; }
