#!/usr/bin/env bash
# nurhost run of handle functions: what is written is the answer, the key-value store is there for the
# run, and --outbound opens what it says and nothing else.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

# Counts to three, and writes the sum.
write_module count <<'WAT'
(module
  (import "env" "kv_increment" (func $increment (param i32 i64 i64 i64 i32) (result i32)))
  (import "env" "response_write" (func $write (param i32 i64) (result i64)))
  (memory (export "memory") 1)
  (data (i32.const 0) "n")
  (data (i32.const 16) "sum ")
  (func (export "handle") (local $i i32)
    (loop $next
      (if (call $increment (i32.const 0) (i64.const 1) (i64.const 1) (i64.const 0) (i32.const 8)) (then (unreachable)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 3))))
    (i32.store8 (i32.const 8) (i32.add (i32.const 48) (i32.load8_u (i32.const 8))))
    (if (i64.ne (call $write (i32.const 16) (i64.const 4)) (i64.const 4)) (then (unreachable)))
    (if (i64.ne (call $write (i32.const 8) (i64.const 1)) (i64.const 1)) (then (unreachable)))))
WAT
# Answers what the server of the variable URL answers, or how it could not ask.
write_module fetch <<'WAT'
(module
  (import "env" "env_get" (func $env (param i32 i64 i32 i64) (result i64)))
  (import "env" "response_set_body" (func $body (param i32 i64)))
  (import "env" "http_open" (func $open (param i32 i64 i32 i64 i32 i64 i32 i64 i64) (result i32)))
  (import "env" "http_read" (func $read (param i32 i32 i64) (result i64)))
  (memory (export "memory") 2)
  (data (i32.const 0) "GETURLdeniedfailed")
  (func (export "handle") (local $fetch i32)
    (local.set $fetch (call $open (i32.const 0) (i64.const 3)
      (i32.const 1024) (call $env (i32.const 3) (i64.const 3) (i32.const 1024) (i64.const 4000))
      (i32.const 0) (i64.const 0) (i32.const 0) (i64.const 0) (i64.const 20000)))
    (if (i32.eq (local.get $fetch) (i32.const -3)) (then (call $body (i32.const 6) (i64.const 6)) (return)))
    (if (i32.lt_s (local.get $fetch) (i32.const 0)) (then (call $body (i32.const 12) (i64.const 6)) (return)))
    (call $body (i32.const 8192) (call $read (local.get $fetch) (i32.const 8192) (i64.const 65536)))))
WAT
compile_modules

# run FUNCTION ARGUMENTS...: the body of its answer.
run() { "$nurhost" run "${@:2}" "$functions/$1.so" | tr -d '\r' | sed '1,/^$/d'; }

expect_equal "what three increments come to" "$(run count)" "sum 3"
expect_equal "the same of another run" "$(run count)" "sum 3"

serve --static-reply /here=here "$functions"
port=${url##*:}
expect_equal "without a rule" "$(run fetch -e "URL=$url/here")" denied
expect_equal "with another rule" "$(run fetch --outbound 'loopback:1' -e "URL=$url/here")" denied
expect_equal "with its rule" "$(run fetch --outbound "loopback:$port" -e "URL=$url/here")" here
expect_equal "where nobody listens" "$(run fetch --outbound loopback -e "URL=http://127.0.0.1:1/")" failed
stop_server
expect_exit 2 "$nurhost" run --outbound nowhere "$functions/fetch.so"
expect_said '--outbound: outbound rule "nowhere"'
