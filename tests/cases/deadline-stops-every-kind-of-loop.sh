#!/usr/bin/env bash
# The deadline also ends guests that are hardly ever in their own code when it comes: loops of host
# calls, of bulk memory operations, of memory.grow, and a start function.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

write_stream logging <<'WAT'
  (memory (export "memory") 1)
  (func $poll_stream (export "poll_stream") (param i32 i32)
    (loop $for_ever (call $log (i32.const 0) (i32.const 0)) (br $for_ever)))
WAT
write_stream filling <<'WAT'
  (memory (export "memory") 1600)
  (func $poll_stream (export "poll_stream") (param i32 i32)
    (loop $for_ever
      (memory.fill (i32.const 0) (i32.const 7) (i32.const 104857600))
      (br $for_ever)))
WAT
write_stream copying <<'WAT'
  (memory (export "memory") 1600)
  (func $poll_stream (export "poll_stream") (param i32 i32)
    (loop $for_ever
      (memory.copy (i32.const 1) (i32.const 0) (i32.const 104857599))
      (br $for_ever)))
WAT
write_stream growing <<'WAT'
  (memory (export "memory") 1)
  (func $poll_stream (export "poll_stream") (param i32 i32)
    (loop $for_ever (drop (memory.grow (i32.const 0))) (br $for_ever)))
WAT
write_stream refusing <<'WAT'
  (memory (export "memory") 1 1)
  (func $poll_stream (export "poll_stream") (param i32 i32)
    (loop $for_ever (drop (memory.grow (i32.const 1))) (br $for_ever)))
WAT
write_stream starting <<'WAT'
  (memory (export "memory") 1)
  (func $begin (loop $for_ever (br $for_ever)))
  (start $begin)
  (func $poll_stream (export "poll_stream") (param i32 i32))
WAT
write_module polling <<'WAT'
(module
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (memory (export "memory") 1)
  (func $_start (export "_start") (loop $for_ever (drop (call $yield)) (br $for_ever))))
WAT
write_module sleeping <<'WAT'
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  ;; A relative sleep of 10 ms on the monotonic clock, for ever.
  (func $_start (export "_start")
    (i32.store offset=16 (i32.const 0) (i32.const 1))
    (i64.store offset=24 (i32.const 0) (i64.const 10000000))
    (loop $for_ever
      (drop (call $poll (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 200)))
      (br $for_ever))))
WAT
compile_modules
serve --timeout 300ms --memory-max 128MiB "$functions"
expect_equal "functions served" "$(functions_served)" 8

for name in logging filling copying growing refusing starting polling sleeping; do
  # A bulk operation under way is finished first, so the bound is a generous one.
  began=$SECONDS
  expect_status 504 "/$name"
  ((SECONDS - began < 20)) || fail "/$name was stopped only after $((SECONDS - began)) s"
  expect_logged "function $name: timeout: still running after 300ms in "
done
stop_server
