#!/usr/bin/env bash
# The SDK in each language imports every call of the standard API, with the type that nurc expects.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"
# shellcheck source=tests/sdk/sinks.sh
source "$case_folder/../sdk/sinks.sh"

languages=()
build_sinks "$modules"
expected=$(sed -n 's/^NUR_IMPORT(env, \([a-z_]*\), .*/env.\1/p' \
  "$case_folder/../../runtime/include/nur/imports.def" | sort -u)
[[ $(wc -l <<<"$expected") -ge 35 ]] || fail "imports.def has only: $expected"
for language in "${languages[@]}"; do
  "$nurc" compile "$modules/$language.wasm" -o "$functions/" 2>"$scratch/said" ||
    fail "$language: $(<"$scratch/said")"
  "$nurc" inspect "$functions/$language.so" >"$scratch/inspected"
  expect_equal "the ABI of $language" "$(sed -n 's/^abi  *\([a-z]*\)$/\1/p' "$scratch/inspected")" handle
  used=$(sed -n 's/^import  *\(env\.[a-z_]*\) .*/\1/p' "$scratch/inspected" | sort -u)
  expect_equal "what $language imports" "$used" "$expected"
done
