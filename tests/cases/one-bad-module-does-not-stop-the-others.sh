#!/usr/bin/env bash
# Several modules in one call are compiled side by side into a folder; one that is refused is named,
# and the others are there.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

for i in 1 2 3 4 5 6; do
  write_module "good$i" <<<"(module (func (export \"run\") (result i32) (i32.const $i)))"
done
echo 'not a module' >"$modules/bad.wasm"

expect_exit 1 "$nurc" compile -v -j 4 "$modules"/good[123].wat "$modules/bad.wasm" "$modules"/good[456].wat \
  -o "$functions/new/"
expect_said 'nurc: .*/bad.wasm: .*not a WebAssembly module' 'good6.wat -> .*/new/good6.so \(typed, [0-9]+ bytes\)'
expect_equal "artefacts" "$(cd "$functions/new" && echo *)" \
  "good1.so good2.so good3.so good4.so good5.so good6.so"
for i in 1 6; do
  expect_equal "result of good$i" "$("$nurhost" run "$functions/new/good$i.so")" "$i"
done

# Beside the modules when no place is named.
mkdir "$scratch/beside"
cp "$modules/good1.wat" "$scratch/beside/"
expect_exit 0 "$nurc" compile "$scratch/beside/good1.wat"
expect_equal "files" "$(cd "$scratch/beside" && echo *)" "good1.so good1.wat"
(cd "$scratch/beside" && rm good1.so && "$nurc" compile good1.wat)
[[ -f $scratch/beside/good1.so ]] || fail "no artefact in the current folder"

# Two that would be one file, and several for one file.
expect_exit 2 "$nurc" compile "$modules/good1.wat" "$scratch/beside/good1.wat" -o "$functions/two/"
expect_said 'two modules would both become .*/two/good1.so'
expect_exit 2 "$nurc" compile "$modules/good1.wat" "$modules/good2.wat" -o "$functions/one.so"
expect_said 'several modules need a folder'
expect_exit 1 "$nurc" compile "$modules/good1.wat" -o "$scratch/nowhere/one.so"
expect_said 'nowhere'
# A folder that cannot be made.
: >"$scratch/file"
expect_exit 1 "$nurc" compile "$modules/good1.wat" -o "$scratch/file/"
expect_said "$scratch/file"
