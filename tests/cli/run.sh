#!/bin/bash
# Runs a transcript of commands and compares what they print, exactly:
#
#   run.sh SUITE             fails and shows the difference
#   run.sh --refresh SUITE   rewrites tests/cli/SUITE.txt with what happened; review it as a diff
#
# In a transcript, "$ " begins a command, its standard output follows as it is, then standard error with "! " before
# each line, then "? " and the exit code. Other lines between commands are remarks. Commands run in an empty folder, the
# command under test first in PATH. A command that fails must leave no file behind that was not there before: if it
# does, "left behind: FILE" appears in the transcript. "masked PATTERN WORD COMMAND" shows WORD for what changes in the
# messages of a command.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
refresh=no
if [ "$1" = --refresh ]; then refresh=yes; shift; fi
suite=$here/$1.txt

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/in" "$work/bin"
ln -s "$(realpath "${LACUNA:-$here/../../build/dev/host/cli/lacuna}")" "$work/bin/lacuna"
ln -s "$here/../.." "$work/source"
export PATH=$work/bin:$PATH SOURCE=../source LC_ALL=C
cd "$work/in"

# Not a process substitution: that one may print after the command has ended.
masked() {
  local pattern=$1 word=$2 code=0
  shift 2
  "$@" 2>../masked || code=$?
  sed "s/$pattern/$word/g" ../masked >&2
  return "$code"
}
export -f masked

block() {
  local command=$1 before code=0
  before=$(ls -A)
  echo "\$ $command"
  bash -c "$command" >"$work/out" 2>"$work/err" </dev/null || code=$?
  cat "$work/out"
  sed 's/^/! /' "$work/err"
  if [ "$code" -ne 0 ]; then
    comm -13 <(echo "$before") <(ls -A) | sed 's/^/left behind: /'
  fi
  echo "? $code"
}

inside=no
while IFS= read -r line; do
  case $line in
    '$ '*) block "${line#\$ }"; inside=yes ;;
    '? '*) inside=no ;;
    *) [ $inside = yes ] || echo "$line" ;;
  esac
done <"$suite" >"$work/actual"

if [ $refresh = yes ]; then
  cp "$work/actual" "$suite"
  echo "rewrote $suite"
elif ! diff -u "$suite" "$work/actual"; then
  echo "what $(basename "$suite") expects (-) and what happened (+) differ; see tests/cli/run.sh --refresh"
  exit 1
fi
