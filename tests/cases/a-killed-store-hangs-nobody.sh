#!/usr/bin/env bash
# kill -9 of the key-value store while functions use it: their calls answer a number, or -1 where the
# store went under them; none hangs, no worker dies, and every worker has the store again.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

# Counts, and answers the sum, or the code of a call that failed.
write_module count <<'WAT'
(module
  (import "env" "kv_increment" (func $increment (param i32 i64 i64 i64 i32) (result i32)))
  (import "env" "response_set_body" (func $answer (param i32 i64)))
  (memory (export "memory") 1)
  (data (i32.const 0) "n")
  (data (i32.const 16) "counted")
  (data (i32.const 32) "failed ")
  (func (export "handle") (local $code i32)
    (local.set $code (call $increment (i32.const 0) (i64.const 1) (i64.const 1) (i64.const 0) (i32.const 8)))
    (if (i32.eqz (local.get $code)) (then (call $answer (i32.const 16) (i64.const 7)) (return)))
    (if (i32.ne (local.get $code) (i32.const -1)) (then (unreachable)))
    (call $answer (i32.const 32) (i64.const 6))))
WAT
compile_modules

serve "$functions" --workers 2 --timeout 60s --data "$scratch/data"
store_pid() { pgrep -P "$server_pid" -f . | while read -r pid; do
  [[ $(cat "/proc/$pid/comm") == nurhost-store ]] && echo "$pid"; done; }
workers() { pgrep -P "$server_pid" -f . | while read -r pid; do
  [[ $(cat "/proc/$pid/comm") == nurhost-store ]] || echo "$pid"; done | sort; }
is_back() { [[ -n $(store_pid) && $(store_pid) != "$1" && $(ask /count) == "200 counted" ]]; }

before=$(workers)
# Many connections, so that both workers have some.
for i in {1..8}; do
  begin bash -c "for _ in {1..60}; do curl -s -m 50 -w '\n' '$url/count' || echo hung; done >'$scratch/answers.$i'"
  loads[i]=$begun_pid
done
for _ in 1 2 3 4; do
  pid=$(store_pid)
  kill -KILL "$pid"
  poll 20 is_back "$pid" || fail "the store is not back"
done
for pid in "${loads[@]}"; do wait "$pid"; done

expect_equal "answers that are neither a sum nor an error value" \
  "$(cat "$scratch"/answers.* | grep -vcE '^(counted|failed)$' || true)" 0
expect_equal "answers" "$(cat "$scratch"/answers.* | wc -l)" 480
expect_equal "workers" "$(workers)" "$before"
# Each request a connection of its own, so each worker has some of these.
for _ in {1..20}; do expect_answer "200 counted" /count; done
stop_server
