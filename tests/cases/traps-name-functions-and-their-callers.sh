#!/usr/bin/env bash
# A function that traps or runs too long is logged with the guest's functions, innermost first, for
# every ABI; nothing that a module names can forge or flood the log; --strip leaves names out.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

# What is called through a table has a frame of its own, whatever the compiler inlines.
write_stream service <<'WAT'
  (memory (export "memory") 1)
  (table funcref (elem $parse_header $handle_request $wait))
  (type $step (func (param i32) (result i32)))
  (func $parse_header (param i32) (result i32) (i32.load (i32.const 0xfffffff0)))
  (func $wait (param i32) (result i32) (loop $l (br $l)) (i32.const 0))
  (func $handle_request (param i32) (result i32)
    (i32.add (call_indirect (type $step) (i32.const 1) (local.get 0)) (i32.const 1)))
  ;; Without a body it traps, with one it waits.
  (func $poll_stream (export "poll_stream") (param $data i32) (param $length i32)
    (drop (call_indirect (type $step)
      (select (i32.const 2) (i32.const 0)
        (i32.eq (i32.load8_u (local.get $data)) (i32.const 80))) ;; P
      (i32.const 1))))
WAT
write_module typed <<'WAT'
(module
  (func $half (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (call $half (i32.shr_u (local.get 0) (i32.const 1))) (i32.const 1)))
      (else (unreachable))))
  (func $typed (export "typed") (param i32) (result i32) (i32.mul (call $half (local.get 0)) (i32.const 3))))
WAT
write_module command <<'WAT'
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (table funcref (elem $print))
  (func $print (i32.store (i32.const 0xfffffff0) (i32.const 1)))
  (func $_start (export "_start") (call_indirect (i32.const 0))))
WAT
# Names of 2,000 bytes that would like to be lines of their own.
name=$(printf 'x%.0s' {1..2000})
write_module forger <<WAT
(module (func (export "_start\\0a2026-01-01T00:00:00.000Z error forged\\1b[31m$name") unreachable))
WAT
compile_modules
"$nurc" compile --strip "$modules/service.wat" -o "$functions/stripped.so"
serve --timeout 500ms "$functions"

expect_answer "502 502 Bad Gateway: the function trapped: out of bounds memory access" /service
expect_logged 'function service: trap: out of bounds memory access in parse_header <- handle_request <- poll_stream \(GET /service\)'
expect_status 504 -d body /service
expect_logged 'function service: timeout: still running after 500ms in wait <- handle_request <- poll_stream \(POST /service\)'
expect_status 502 /api/typed/12
expect_logged 'function typed: trap: unreachable in half( \(x [0-9]+\))?( <- typed)? \(GET /api/typed/12\)'
expect_status 502 /command
expect_logged 'function command: trap: out of bounds memory access in print <- _start \(GET /command\)'
expect_status 502 /api/forger
expect_logged 'function forger: trap: unreachable in _start\\n2026-01-01T00:00:00.000Z error forged\\x1b\[31mx+\.\.\. \(GET /api/forger\)'
expect_status 502 /stripped
expect_logged 'function stripped: trap: out of bounds memory access \(GET /stripped\)'
if grep -vE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z (info|warning|error) ' "$server_log"; then
  fail "these lines of the log have no time and level"
fi
longest=$(awk '{ if (length($0) > longest) longest = length($0) } END { print longest }' "$server_log")
((longest < 6000)) || fail "a line of $longest characters is in the log"
stop_server

expect_match "inspect" "$("$nurc" inspect "$functions/service.so")" 'functions +[0-9]+ named in traps'
expect_match "inspect of a stripped one" "$("$nurc" inspect "$functions/stripped.so")" \
  'functions +not named in traps \(--strip\)'
if grep -q parse_header "$functions/stripped.so"; then fail "--strip leaves a name in the file"; fi

# C, as people write it.
command -v clang-19 >/dev/null || skip "there is no clang-19"
cat >"$scratch/three.c" <<'C'
#define EXPORT(name) __attribute__((export_name(#name))) name
static int table[4] = {1, 2, 3, 4};
__attribute__((noinline)) static int read_entry(volatile int* entries, unsigned i) { return entries[i]; }
__attribute__((noinline)) static int sum_entries(unsigned n) {
  int sum = 0;
  for (unsigned i = 0; i < n; ++i) sum += read_entry(table, i << 20);
  return sum;
}
int EXPORT(total)(int n) { return sum_entries((unsigned)n) * 2; }
C
# Linked without -O: with it clang runs wasm-opt, where that is installed, which inlines. So may the
# native compiler, but not without optimisation.
clang-19 --target=wasm32 -O2 -c "$scratch/three.c" -o "$scratch/three.o"
clang-19 --target=wasm32 -nostdlib -Wl,--no-entry "$scratch/three.o" -o "$scratch/three.wasm"
"$nurc" compile -O0 "$scratch/three.wasm" -o "$functions/three.so"
expect_exit 134 "$nurhost" run --invoke total "$functions/three.so" -- 100000
expect_said '^nurhost: trap: out of bounds memory access in read_entry <- sum_entries <- total$'
