#!/usr/bin/env bash
# With room for a few mappings only the host answers 503 while all instances are in use, and gives the
# idle ones of one function to another instead of refusing it.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

is_sanitized && skip "AddressSanitizer needs the address space itself"

# Sleeps for two seconds.
write_module sleeper <<'WAT'
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 1000) "Content-Type: text/plain\n\nrested")
  (func $_start (export "_start")
    (i32.store offset=16 (i32.const 0) (i32.const 1))
    (i64.store offset=24 (i32.const 0) (i64.const 2000000000))
    (drop (call $poll (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 200)))
    (i32.store (i32.const 300) (i32.const 1000))
    (i32.store (i32.const 304) (i32.const 32))
    (drop (call $write (i32.const 1) (i32.const 300) (i32.const 1) (i32.const 308)))))
WAT
compile_modules
cp "$NUR_FUNCTIONS"/{hello,fib}.so "$functions/"

# Room for a single instance: functions have it in turn.
serve --workers 1 --mappings-max 12 "$functions"
for _ in 1 2 3 4 5; do
  expect_answer "200 Hello, world" /hello
  expect_answer "200 55" /api/fib/10
  expect_answer "200 rested" /sleeper
done
stop_server

# Room for none at all.
serve --workers 1 --mappings-max 2 "$functions"
expect_status 503 /hello
expect_logged "function hello: no instance: the worker's instances have taken all there is for them: 0 of 2 mappings"
expect_status 404 /nothing
stop_server
