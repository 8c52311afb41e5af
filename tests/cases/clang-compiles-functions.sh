#!/usr/bin/env bash
# The tree's functions, compiled by clang++ in place of g++, answer and trap as they should.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

command -v clang++-19 >/dev/null || skip "clang++-19 is not installed"
sources=$case_folder/../../functions
for name in hello echo; do
  "$nurc" compile --cc clang++-19 "$NUR_MODULES/$name.wasm" -o "$functions/"
done
for name in fib trap; do
  "$nurc" compile --cc clang++-19 "$sources/$name/$name.wat" -o "$functions/"
done
expect_exit 0 "$nurc" inspect "$functions/fib.so"
expect_said '^compiler +.*clang version'
serve "$functions"
"$sources/check" "$url" hello echo fib trap || fail "other answers than the functions say"
stop_server
