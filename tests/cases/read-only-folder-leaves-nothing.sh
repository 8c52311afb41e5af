#!/usr/bin/env bash
# A folder that may not be written is named, and neither it nor the scratch place is changed.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

cp "$case_folder/../../functions/fib/fib.wat" "$modules/fib.wat"
run=()
if ((EUID == 0)); then
  # Root writes everywhere; somebody else has to try.
  command -v setpriv >/dev/null || skip "needs setpriv"
  run=(setpriv --reuid 65534 --regid 65534 --clear-groups)
  chmod 755 "$scratch" && chmod 777 "$TMPDIR"
  "${run[@]}" test -x "$nurc" || skip "only root reaches $nurc"
fi
chmod 555 "$functions"
expect_exit 3 "${run[@]}" "$nurc" compile --no-cache "$modules/fib.wat" -o "$functions/"
expect_said "fib.wat: creating a file in .*functions.*: Permission denied"
expect_equal "artefacts" "$(ls -A "$functions")" ""
expect_equal "scratch files" "$(ls -A "$TMPDIR")" ""

chmod 755 "$functions" && mkdir "$scratch/closed" && chmod 555 "$scratch/closed"
expect_exit 3 "${run[@]}" env TMPDIR="$scratch/closed" "$nurc" compile --no-cache "$modules/fib.wat" -o "$functions/"
expect_said "creating scratch folder $scratch/closed/.*: Permission denied"
expect_equal "artefacts" "$(ls -A "$functions")" ""
chmod 755 "$scratch/closed"
