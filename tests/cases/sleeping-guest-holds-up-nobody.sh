#!/usr/bin/env bash
# While a guest sleeps in a host call others are served, of the same function, too; each sleeper
# wakes up with its own request.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

# Sleeps when the path behind its name is /s, and prints that path.
write_module napper <<'WAT'
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 1000) "Content-Type: text/plain\n\n")
  (func $_start (export "_start")
    (i32.store (i32.const 300) (i32.const 1026))
    (i32.store (i32.const 304) (i32.const 16))
    (drop (call $read (i32.const 0) (i32.const 300) (i32.const 1) (i32.const 308)))
    (if (i32.eq (i32.load8_u (i32.const 1026)) (i32.const 115)) ;; s
      (then
        (i32.store offset=16 (i32.const 0) (i32.const 1))
        (i64.store offset=24 (i32.const 0) (i64.const 4000000000))
        (drop (call $poll (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 200)))))
    (i32.store (i32.const 300) (i32.const 1000))
    (i32.store (i32.const 304) (i32.add (i32.const 26) (i32.load (i32.const 308))))
    (drop (call $write (i32.const 1) (i32.const 300) (i32.const 1) (i32.const 308)))))
WAT
compile_modules
serve --timeout 30s "$functions"

sleepers=()
for i in $(seq 1 20); do
  begin curl --silent --max-time 60 --data "s$i" --output "$scratch/sleeper-$i" "$url/napper"
  sleepers+=("$begun_pid")
done
sleep 0.3

quick=100
is_sanitized && quick=20
for i in $(seq 1 "$quick"); do
  printf 'url = "%s/napper"\ndata = "f%s"\noutput = "-"\n' "$url" "$i"
  ((i == quick)) || echo next
done >"$scratch/requests"
curl --silent --max-time 60 --config "$scratch/requests" >"$scratch/answers"
expect_equal "quick answers" "$(<"$scratch/answers")" "$(seq -f 'f%g' 1 "$quick" | tr -d '\n')"
# All of them came while the sleepers slept.
for i in $(seq 1 20); do
  [[ ! -s $scratch/sleeper-$i ]] || fail "sleeper $i was back before the quick ones were served"
done

for i in $(seq 1 20); do
  wait "${sleepers[i - 1]}" || fail "sleeper $i got no answer"
  expect_equal "answer of sleeper $i" "$(<"$scratch/sleeper-$i")" "s$i"
done

# A client that leaves while its guest sleeps takes nobody along.
begin curl --silent --max-time 60 --data s --output /dev/null "$url/napper"
sleep 0.3
kill -KILL "$begun_pid"
expect_answer "200 f" --data f /napper
stop_server
