# Shared by the pruning tables: one dense network, and one CSV line a run.
#
#   NET=resnet8 DATA=fashion-mnist TRAIN="--epochs 8 --lr 0.1 --crop 2 --flip" TUNE="--epochs 1 --lr 0.02 --crop 2 --flip"
#   TUNE=--no-training (nothing after pruning) SEEDS="1 2 3" WORK=build/bench/prune LACUNA=build/release/host/cli/lacuna BASE=model.onnx (instead of training)
set -eu
cd "$(dirname "$0")/../.."
NET=${NET:-resnet8} DATA=${DATA:-fashion-mnist} SEEDS=${SEEDS:-1} WORK=${WORK:-build/bench/prune}
TRAIN=${TRAIN:---epochs 8 --lr 0.1 --crop 2 --flip} TUNE=${TUNE:---epochs 1 --lr 0.02 --crop 2 --flip}
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
