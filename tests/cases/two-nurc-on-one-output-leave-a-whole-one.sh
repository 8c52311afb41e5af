#!/usr/bin/env bash
# Several nurc that write one output at once: each ends well, readers see a whole artefact at every
# moment, and no other file is left.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

echo '(module (func (export "f") (result i32) (i32.const 1)))' >"$modules/one.wat"
echo '(module (func (export "f") (result i32) (i32.const 2)) (func (export "g")))' >"$modules/two.wat"
output=$functions/shared.so
"$nurc" compile "$modules/one.wat" -o "$scratch/one.so"
"$nurc" compile "$modules/two.wat" -o "$scratch/two.so"
cp "$scratch/one.so" "$output"

seen=0
for _ in $(seq 1 8); do
  writers=()
  for module in one two one two; do
    begin "$nurc" compile "$modules/$module.wat" -o "$output"
    writers+=("$begun_pid")
  done
  while running "${writers[0]}" || running "${writers[1]}" || running "${writers[2]}" ||
    running "${writers[3]}"; do
    cp "$output" "$scratch/now.so"
    cmp -s "$scratch/now.so" "$scratch/one.so" || cmp -s "$scratch/now.so" "$scratch/two.so" ||
      fail "a reader saw neither of the two artefacts"
    seen=$((seen + 1))
  done
  for writer in "${writers[@]}"; do
    code=0
    wait "$writer" || code=$?
    expect_equal "exit code of a writer" "$code" 0
  done
  expect_equal "files" "$(ls -A "$functions")" shared.so
  expect_equal "scratch files" "$(ls -A "$TMPDIR")" ""
done
((seen >= 8)) || fail "nothing was read while it was written"
