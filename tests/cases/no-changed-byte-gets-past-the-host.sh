#!/usr/bin/env bash
# A thousand copies of an artefact with one byte changed each: all are refused, the original among
# them is served, and nothing crashes.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

changed=1000
is_sanitized && changed=100
original=$NUR_FUNCTIONS/fib.so
size=$(stat -c %s "$original")
cp "$original" "$functions/original.so"
mapfile -t bytes < <(od -An -v -t u1 -w1 "$original")

RANDOM=20471
for ((i = 0; i < changed; i++)); do
  offset=$(((RANDOM * 32768 + RANDOM) % size))
  byte=$(((bytes[offset] + 1 + RANDOM % 255) % 256))
  cp "$original" "$functions/$i.so"
  printf -v escaped '\\x%02x' "$byte"
  # shellcheck disable=SC2059 # the byte is the format
  printf "$escaped" | dd of="$functions/$i.so" bs=1 seek="$offset" conv=notrunc status=none
done

serve "$functions"
expect_equal "functions served" "$(functions_served)" 1
expect_equal "refusals" "$(grep -c ' not serving .* refused by rule digest' "$server_log")" "$changed"
expect_answer "200 55" /api/original/10
stop_server
