#!/usr/bin/env bash
# Bulk operations are finished before the deadline is looked at: guests that loop in memory.fill and
# memory.copy of 128 MiB, each of which takes longer than their 10 ms, end in 504 all the same, every
# one of them, and whoever else is on their worker is served in between.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

write_stream filling <<'WAT'
  (memory (export "memory") 2048)
  (func $poll_stream (export "poll_stream") (param i32 i32)
    (loop $for_ever
      (memory.fill (i32.const 0) (i32.const 7) (i32.const 134217728))
      (br $for_ever)))
WAT
write_stream copying <<'WAT'
  (memory (export "memory") 2048)
  (func $poll_stream (export "poll_stream") (param i32 i32)
    (loop $for_ever
      (memory.copy (i32.const 1) (i32.const 0) (i32.const 134217727))
      (br $for_ever)))
WAT
write_neighbour
compile_modules
serve --workers 1 --timeout 10ms --memory-max 128MiB --static-reply /static=still "$functions"
expect_equal "functions served" "$(functions_served)" 3
worker=$(worker_pid)

rounds=20
is_sanitized && rounds=3
clients=()
for name in filling copying; do
  for ((i = 0; i < rounds; i++)); do
    printf 'url = "%s/%s"\noutput = "/dev/null"\n' "$url" "$name"
  done >"$scratch/requests-$name"
  begin curl --silent --max-time 150 --config "$scratch/requests-$name" --write-out '%{http_code}\n' \
    >"$scratch/statuses-$name"
  clients+=("$begun_pid")
done
all_done() {
  local pid
  for pid in "${clients[@]}"; do ! running "$pid" || return 1; done
}
# The neighbour has 10 ms, too; a machine that takes longer to come back to it makes that 504.
served=0
late=0
until all_done; do
  got=$(ask /neighbour)
  case $got in
    "200 ok") all_done || ((served += 1)) ;;
    504*) ((late += 1)) ;;
    *) fail "answer to /neighbour: $got" ;;
  esac
  expect_answer "200 still" /static
done
for pid in "${clients[@]}"; do wait "$pid" || fail "not every request was answered"; done
echo "beside $((2 * rounds)) requests the neighbour was served $served times and late $late times" >&2
((served > 0)) || fail "the neighbour was never served"
for name in filling copying; do
  expect_equal "statuses of $name" "$(sort "$scratch/statuses-$name" | uniq -c | tr -s ' ')" " $rounds 504"
done
expect_equal "worker" "$(worker_pid)" "$worker"
neighbour_answers() { [[ $(ask /neighbour) == "200 ok" ]]; }
poll 20 neighbour_answers || fail "the neighbour is not served afterwards"
stop_server
