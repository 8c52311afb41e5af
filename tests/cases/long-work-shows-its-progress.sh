#!/usr/bin/env bash
# On a terminal nurc shows how far it is, and takes the line away at the end; elsewhere it is silent.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"
command -v script >/dev/null || skip "there is no script(1) to make a terminal"

# A compiler that takes its time.
cat >"$scratch/slow-cc" <<'END'
#!/bin/sh
case " $* " in *" -c "*) sleep 1.5 ;; esac
exec g++ "$@"
END
chmod +x "$scratch/slow-cc"
cp "$case_folder/../../functions/trap/trap.wat" "$scratch/trap.wat"
command=("$nurc" compile --no-cache -j 1 --cc "$scratch/slow-cc" "$scratch/trap.wat" -o "$scratch/trap.so")

script --quiet --return --log-out "$scratch/terminal" --command "${command[*]@Q}" >/dev/null </dev/null ||
  fail "nurc failed on a terminal: $(cat "$scratch/terminal")"
grep -Eq 'nurc: 1 of 2 units, [0-9]+ s, [0-9]+ MiB at most' "$scratch/terminal" ||
  fail "no progress on a terminal: $(cat -v "$scratch/terminal")"
# The last thing that happens to the line is that it is erased.
last=$(grep -v '^Script ' "$scratch/terminal" | tr -d '\n\r' | sed 's/.*nurc: [0-9]* of/of/')
expect_match "what is behind the last progress" "$last" $'at most\e\\[K$'

expect_exit 0 "${command[@]}"
expect_equal "what nurc says when nobody watches" "$(cat "$said")" ""
