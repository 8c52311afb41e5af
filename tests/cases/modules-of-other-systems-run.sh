#!/usr/bin/env bash
# What modules made for Nur, serverless-wasm and Nebula have beside their calls: exports that linkers add, globals,
# start functions, set-up functions, memories with a maximum, results that nobody asked for. One nurhost runs them
# side by side, and what none of those systems ran is refused by name.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

# Typed exports, as Nebula's first plan has them (/api/treats/10), and a reactor.
write_module treats <<'WAT'
(module (memory (export "memory") 17)
  (global (export "__data_end") i32 (i32.const 1048576)) (global (export "__heap_base") i32 (i32.const 1048576))
  (table (export "__indirect_function_table") 1 1 funcref)
  (func (export "treats") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3))))
WAT
write_module gcd <<'WAT'
(module (func $gcd (export "gcd") (param i32 i32) (result i32)
  (if (result i32) (i32.eqz (local.get 1)) (then (local.get 0))
    (else (call $gcd (local.get 1) (i32.rem_u (local.get 0) (local.get 1)))))))
WAT
write_module faas_user <<'WAT'
(module
  (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global $ready (mut i64) (i64.const 0))
  (func (export "_initialize") (global.set $ready (i64.const 1)))
  (func (export "__wasm_call_ctors") unreachable)
  (func (export "fibonacci") (param i32) (result i64) (i64.mul (global.get $ready) (i64.extend_i32_u (local.get 0)))))
WAT
write_module reactor <<'WAT'
(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
  (memory (export "memory") 1) (func (export "_initialize")))
WAT
# A command with what Rust exports beside _start, whose exit 0 is a success here.
write_module command <<'WAT'
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 17) (data (i32.const 64) " \0d\0a\09said \0a\0a")
  (func (export "__main_void") (result i32) (i32.const 0))
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 11))
    (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $exit (i32.const 0))
    unreachable))
WAT
# Nur: a start function that logs (it brought its worker down there), a result of poll_stream, a second end, and
# what comes behind an end.
write_module stream <<'WAT'
(module
  (import "nur" "nur_log" (func $log (param i32 i32)))
  (import "nur" "nur_send" (func $send (param i32 i32)))
  (import "nur" "nur_end" (func $end))
  (memory (export "memory") 17)
  (global (export "__data_end") i32 (i32.const 1048576)) (global (export "__heap_base") i32 (i32.const 1048576))
  (data (i32.const 0) "HTTP/1.1 200 OK\0d\0aContent-Length: 2\0d\0a\0d\0aok")
  (data (i32.const 64) "begins") (data (i32.const 80) "too late")
  (start $begin)
  (func $begin (call $log (i32.const 64) (i32.const 6)))
  (func (export "alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "poll_stream") (param i32 i32) (result i32)
    (call $send (i32.const 0) (i32.const 0))
    (call $send (i32.const 0) (i32.const 38)) (call $send (i32.const 38) (i32.const 2))
    (call $end) (call $end)
    (call $log (i32.const 80) (i32.const 8)) (call $send (i32.const 0) (i32.const 40))
    (i32.const -1)))
WAT
# serverless-wasm: its memory with a maximum, which it grows to and no further.
write_module grows <<'WAT'
(module
  (import "env" "response_set_status_line" (func $status (param i32 i32 i64)))
  (import "env" "response_set_body" (func $body (param i32 i64)))
  (import "env" "log" (func $log (param i32 i64)))
  (import "env" "memory" (memory 18 100))
  (data (i32.const 0) "grown\0anot grown\0a")
  (func (export "grows") (local $at i32)
    (call $status (i32.const 0x100c8) (i32.const 0) (i64.const 5))
    (if (i32.ne (memory.grow (i32.const 82)) (i32.const 18)) (then (local.set $at (i32.const 6))))
    (if (i32.ne (memory.grow (i32.const 1)) (i32.const -1)) (then (local.set $at (i32.const 6))))
    (call $log (i32.const 6553599) (i64.const 1))
    (call $body (local.get $at) (select (i64.const 10) (i64.const 6) (local.get $at)))))
WAT
compile_modules
serve --workers 2 "$functions"

for _ in 1 2 3; do
  expect_answer "200 30" /api/treats/10
  expect_answer "200 6" /api/gcd/12,18
  expect_answer "200 42" /api/faas_user/42
  expect_answer "200 " /api/reactor/
  expect_answer "200 said" /api/command/x
  expect_answer "200 ok" /stream
  expect_answer "200 grown" /grows
done
expect_answer "200 ok" -d 'a body' /stream
expect_answer "200 -6" /api/treats/-2
expect_answer "200 -3" /api/treats/4294967295
expect_answer "200 30" '/api/treats/%31%30'
expect_answer "200 6" '/api/gcd/12%2C18'
expect_answer "200 6" '/api/gcd/%2012%20,%2018'
expect_answer "200 6" '/api/gcd/0xC,0x12'
for input in '' /abc /4294967296 /-2147483649 /1.0 /1e3 /0x /+1 /10/ /10,11 '/10,' '/,' '/%00' '/%3' '/1%200'; do
  got=$(ask "/api/treats$input")
  [[ $got =~ ^40[04]\  ]] || fail "/api/treats$input: $got"
done
for path in /treats /api/nothing/1 /api/stream/1 /api/grows/1 /nothing /api/ /api; do expect_status 404 "$path"; done
expect_status 405 -d 10 /api/treats/10
expect_logged 'function stream: log: begins' 'function grows: log: '
if logged 'too late'; then fail "what is logged behind the end is in the log"; fi
stop_server

# refused NAME REGEX: the module on standard input, by nurc.
refused() {
  cat >"$scratch/$1.wat"
  expect_exit 1 "$nurc" compile "$scratch/$1.wat" -o "$scratch/refused.so"
  expect_said "$2"
}
refused hello 'imports \.hello' <<<'(module (import "" "hello" (func)) (func (export "run") (call 0)))'
refused unstable 'wasi_unstable is the preview before' \
  <<<'(module (import "wasi_unstable" "sched_yield" (func (result i32))) (memory (export "memory") 1) (func (export "_start")))'
refused sizes 'imports env\.log as \(i32, i32\) -> \(\), expected \(i32, i64\) -> \(\)' \
  <<<'(module (import "env" "log" (func (param i32 i32))) (memory (export "memory") 1) (func (export "handle")))'
refused global 'imports global env\.__stack_pointer' \
  <<<'(module (import "env" "__stack_pointer" (global (mut i32))) (import "env" "memory" (memory 1)) (func (export "handle")))'
refused unallocated 'lacks exports that the guest abi nur needs: alloc \(i32\) -> i32' \
  <<<'(module (import "nur" "nur_end" (func)) (memory (export "memory") 1) (func (export "poll_stream") (param i32 i32)))'
refused remembered 'lacks exports that the guest abi nur needs: memory' \
  <<<'(module (import "nur" "nur_end" (func)) (memory 1) (func (export "alloc") (param i32) (result i32) (i32.const 0)) (func (export "poll_stream") (param i32 i32)))'
refused other 'imports nur\.nur_open' \
  <<<'(module (import "nur" "nur_open" (func)) (memory (export "memory") 1) (func (export "alloc") (param i32) (result i32) (i32.const 0)) (func (export "poll_stream") (param i32 i32)))'
