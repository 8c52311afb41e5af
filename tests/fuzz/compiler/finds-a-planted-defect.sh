#!/usr/bin/env bash
# The fuzzer as a whole: it tries the same modules whatever the number of workers, finds a defect
# that is planted, and the command that it leaves shows the finding again, and none without the
# defect.
set -euo pipefail

fuzzer=$1
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT

# run CODE FILE ARGUMENT...: the fuzzer ends with CODE; its output is put into FILE.
run() {
  local code=$1 output=$2 got=0
  shift 2
  "$fuzzer" --keep "$scratch/found" "$@" >"$output" 2>"$output.errors" || got=$?
  if ((got == 77)); then
    cat "$output.errors" >&2
    exit 77
  fi
  if ((got != code)); then
    echo "FAILED: $fuzzer $*: code $got, expected $code; it said:" >&2
    cat "$output" "$output.errors" >&2
    exit 1
  fi
}

run 0 "$scratch/one" --seed 5 --modules 8 --jobs 1 --seconds 250
run 0 "$scratch/two" --seed 5 --modules 8 --jobs 2 --seconds 250
for output in one two; do
  grep -q ' modules=8 .* mismatches=0 calls=[1-9]' "$scratch/$output"
  sed 's/ seconds=[0-9]* / /' "$scratch/$output" >"$scratch/$output.plain"
done
cmp "$scratch/one.plain" "$scratch/two.plain"
[[ ! -e $scratch/found ]]

NUR_FUZZ_PLANT_DEFECT=1 run 1 "$scratch/planted" --seed 5 --modules 8 --jobs 2 --seconds 250
grep -q ' mismatches=[1-9]' "$scratch/planted"
report=$(find "$scratch/found" -name report | sort | head -n 1)
grep -q 'nur returned .* / v8 returned' "$report"
for file in module.wasm nur.transcript v8.transcript; do
  [[ -s ${report%/*}/$file ]]
done
read -r -a again < <(sed -n 's|^\./dev fuzz compiler ||p' "$report")
NUR_FUZZ_PLANT_DEFECT=1 run 1 "$scratch/again" "${again[@]}"
grep -q 'nur returned .* / v8 returned' "$scratch/again.errors"
run 0 "$scratch/sound" "${again[@]}"
grep -q 'verdict=agreed' "$scratch/sound"
echo 'found, and found again'
