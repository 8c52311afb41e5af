#!/usr/bin/env bash
# With --cpu-time a function that computes is stopped for what it has used of the processor, in words
# of its own; one that sleeps for longer than that is not; and without it only --timeout counts.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

write_module spin <<'WAT'
(module
  (memory (export "memory") 1)
  (func $inner_loop (loop $for_ever (br $for_ever)))
  (func (export "run") (call $inner_loop)))
WAT
# Sleeps for 300 ms.
write_module sleeper <<'WAT'
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "run") (result i32)
    (i32.store offset=16 (i32.const 0) (i32.const 1))
    (i64.store offset=24 (i32.const 0) (i64.const 300000000))
    (drop (call $poll (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 200)))
    (i32.const 5)))
WAT
compile_modules -O1

for quantum in 1ms 0; do
  serve --cpu-time 50ms --timeout 60s --quantum "$quantum" "$functions"
  expect_answer "504 504 Gateway Timeout: the function used more than 50ms of CPU time" /api/spin/
  expect_logged 'function spin: cpu time: used more than 50ms in .*(inner_loop|run).* \(GET /api/spin/\)'
  expect_answer "200 5" /api/sleeper/
  stop_server
done

expect_exit 124 "$nurhost" run --cpu-time 50ms "$functions/spin.so"
expect_said '^nurhost: cpu time: used more than 50ms in .*(inner_loop|run)'
expect_exit 0 "$nurhost" run --cpu-time 50ms "$functions/sleeper.so"
expect_exit 124 "$nurhost" run --timeout 50ms "$functions/spin.so"
expect_said '^nurhost: timeout: still running after 50ms'
expect_exit 2 "$nurhost" run --cpu-time 10us "$functions/spin.so"
expect_said '--cpu-time: at least 1ms'
