#!/usr/bin/env bash
# A guest that takes all the memory it can get, writes to every page of it and asks for more, again and
# again: it is told -1 at the limit, neighbours are served, and the memory comes back.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

# Answers "ok" if it got 1,024 pages of 64 KiB, all zero where it looks, and not one more.
write_stream greedy <<'WAT'
  (memory (export "memory") 1)
  (data (i32.const 2000) "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
  (func $poll_stream (export "poll_stream") (param i32 i32)
    (local $at i32)
    (local $end i32)
    (local $refused i32)
    (local.set $at (i32.const 65536))
    (block $full
      (loop $more
        (br_if $full (i32.eq (memory.grow (i32.const 1)) (i32.const -1)))
        (local.set $end (i32.mul (memory.size) (i32.const 65536)))
        (loop $page
          (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then (unreachable)))
          (i64.store (local.get $at) (i64.const -1))
          (local.set $at (i32.add (local.get $at) (i32.const 4096)))
          (br_if $page (i32.lt_u (local.get $at) (local.get $end))))
        (br $more)))
    (loop $again
      (if (i32.ne (memory.grow (i32.const 1)) (i32.const -1)) (then (unreachable)))
      (if (i32.ne (memory.grow (i32.const -1)) (i32.const -1)) (then (unreachable)))
      (local.set $refused (i32.add (local.get $refused) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $refused) (i32.const 1000))))
    (if (i32.ne (memory.size) (i32.const 1024)) (then (unreachable)))
    (call $send (i32.const 2000) (i32.const 40))
    (call $end))
WAT
write_neighbour
compile_modules
serve --workers 1 --memory-max 64MiB --timeout 60s "$functions"
worker=$(worker_pid)
expect_answer "200 ok" /neighbour
before=$(resident_kib "$worker")

rounds=10
is_sanitized && rounds=2
for ((i = 0; i < rounds; i++)); do
  printf 'url = "%s/greedy"\noutput = "-"\n' "$url"
done >"$scratch/requests"
clients=()
for client in 1 2 3; do
  begin curl --silent --max-time 150 --config "$scratch/requests" --write-out ' %{http_code}\n' \
    >"$scratch/answers-$client"
  clients+=("$begun_pid")
done
answers=0
all_done() {
  local pid
  for pid in "${clients[@]}"; do ! running "$pid" || return 1; done
}
until all_done; do
  expect_answer "200 ok" /neighbour
  all_done || ((answers += 1))
done
for pid in "${clients[@]}"; do wait "$pid" || fail "not every request was answered"; done
expect_equal "answers" "$(cat "$scratch"/answers-? | sort | uniq -c | tr -s ' ')" " $((3 * rounds)) ok 200"
echo "$answers answers of the neighbour beside $((3 * rounds)) times 64 MiB" >&2
((answers > 0)) || fail "no neighbour was served"

# Three instances had 64 MiB each; what stays is what they have at the start, and stacks.
near_before() { (($(resident_kib "$worker") < before + 16 * 1024)); }
if ! is_sanitized; then
  poll 20 near_before || fail "$(resident_kib "$worker") KiB are resident, were $before"
fi
echo "resident: $before KiB before, $(resident_kib "$worker") KiB after" >&2
expect_equal "worker" "$(worker_pid)" "$worker"
expect_answer "200 ok" /neighbour
stop_server
