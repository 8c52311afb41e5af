#!/usr/bin/env bash
# nurhost run with numbers in and out, and with a stream function between standard input and output.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

write_module numbers <<'WAT'
(module
  (memory (export "memory") 1)
  (func $swap (export "swap") (param i32 f64) (result f64 i32) (local.get 1) (local.get 0))
  (func (export "nothing"))
  (func (export "wide") (param i64) (result i64) (local.get 0))
  (func (export "small") (param f32) (result f32) (local.get 0))
  (func (export "vector") (param v128))
  (func $divide (export "divide") (param i32 i32) (result i32)
    (i32.div_s (local.get 0) (local.get 1)))
  (func $for_ever (export "spin") (loop $l (br $l))))
WAT
write_stream loud <<'WAT'
  (memory (export "memory") 1)
  (data (i32.const 2000) "a log\nline")
  (func $poll_stream (export "poll_stream") (param $data i32) (param $length i32)
    (call $log (i32.const 2000) (i32.const 10))
    (if (i32.eq (i32.load8_u (local.get $data)) (i32.const 33)) (then (unreachable))) ;; !
    (call $send (local.get $data) (local.get $length))
    (if (i32.eqz (local.get $length)) (then (call $end))))
WAT
compile_modules
numbers=$functions/numbers.so
invoke() { "$nurhost" run --invoke "$1" "$numbers" -- "${@:2}"; }

expect_equal "fib" "$("$nurhost" run "$NUR_FUNCTIONS/fib.so" -- 10)" 55
expect_equal "several results" "$(invoke swap -7 0.5)" $'0.5\n-7'
expect_equal "no result" "$(invoke nothing)" ""
expect_equal "i32 written as unsigned" "$(invoke swap 4294967295 1)" $'1\n-1'
expect_equal "hexadecimal" "$(invoke wide 0xffffffffffffffff)" -1
expect_equal "smallest i64" "$(invoke wide -9223372036854775808)" -9223372036854775808
expect_equal "f32" "$(invoke small 0.1)" 0.1
expect_equal "infinity" "$(invoke small -inf)" -inf
expect_equal "division" "$(invoke divide 42 -6)" -7

wrong() {
  local regex=$1
  shift
  expect_exit 1 invoke "$@"
  expect_said "$regex"
}
wrong 'swap takes 2 argument\(s\) .*, 1 given' swap 1
wrong 'argument 1 of swap: "one" is no i32' swap one 2
wrong 'argument 2 of swap: "" is no f64' swap 1 ''
wrong 'is no i32' swap 4294967296 1
wrong 'is no i64' wide 9223372036854775808x
wrong 'v128' vector 1
wrong 'exports no function swop; it exports .*swap' swop 1
wrong 'exports no function memory' memory
expect_exit 1 "$nurhost" run "$numbers"
expect_said 'exports several functions; name one with --invoke'
expect_exit 134 invoke divide 1 0
expect_said 'trap: integer divide by zero in divide'
expect_exit 134 invoke divide -2147483648 -1
expect_said 'trap: integer overflow in divide'
expect_exit 124 "$nurhost" run --timeout 200ms --invoke spin "$numbers"
expect_said 'timeout: still running after 200ms in for_ever'
expect_exit 1 "$nurhost" run "$scratch/nowhere.so"
expect_said 'nowhere.so'
expect_exit 1 "$nurhost" run "$nurhost"
expect_said 'refused by rule'
expect_exit 1 "$nurhost" run --memory-max 1KiB "$numbers"
expect_said 'refused by rule memory'

expect_equal "stream" "$(seq 1 2000 | "$nurhost" run "$functions/loud.so" 2>"$scratch/errors")" "$(seq 1 2000)"
expect_match "log of the stream" "$(head -n 1 "$scratch/errors")" '^log: a log\\nline$'
expect_equal "stream of hello" "$(echo GET | "$nurhost" run "$NUR_FUNCTIONS/hello.so" | tail -n 1)" "Hello, world"
stream_of() { printf '%s' "$1" | "$nurhost" run "$functions/loud.so"; }
expect_exit 134 stream_of '!'
expect_said 'trap: unreachable in poll_stream'
expect_exit 1 "$nurhost" run --invoke alloc "$functions/loud.so" -- 1
expect_said 'loud is a stream function'
