#!/usr/bin/env bash
# A fuzz target finds what is wrong, says so by its exit code, and shows it again.
set -euo pipefail

run=$(dirname -- "$(readlink -f -- "$0")")/run.sh
root=$(dirname -- "$run")/../../..
scratch=$(mktemp -d)
findings=$root/build/fuzz/findings/chunked
known=$(find "$findings" -type f 2>/dev/null | sort || true)
trap 'rm -rf -- "$scratch"' EXIT

# run CODE ARGUMENT...
run() {
  local code=$1 got=0
  shift
  "$run" chunked "$@" >"$scratch/output" 2>&1 || got=$?
  if ((got == 77)); then
    cat "$scratch/output"
    exit 77
  fi
  if ((got != code)); then
    echo "FAILED: code $got, expected $code; it said:" >&2
    cat "$scratch/output" >&2
    exit 1
  fi
}

run 0 --seed 7 --seconds 2 --corpus "$scratch/sound"
grep -q ' runs=[1-9][0-9]* covered=[1-9][0-9]* findings=0$' "$scratch/output"
NUR_FUZZ_PLANT_DEFECT=1 run 1 --seed 7 --seconds 60 --corpus "$scratch/planted"
grep -q ' findings=1$' "$scratch/output"
finding=$(comm -13 <(printf '%s\n' "$known") <(find "$findings" -type f | sort))
NUR_FUZZ_PLANT_DEFECT=1 run 1 --repro "$finding"
run 0 --repro "$finding"
rm -f -- "$finding"
run 2 --no-such-option
echo 'found, and found again'
