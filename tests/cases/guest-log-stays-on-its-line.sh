#!/usr/bin/env bash
# What a guest logs is one line of its own, whatever bytes it has, and it ends where the limit is.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

write_stream forger <<'WAT'
  (memory (export "memory") 2)
  (data (i32.const 2000) "first\0a2026-01-01T00:00:00.000Z error function other: trap: forged\0d\0a\1b[31mred\00\07 \ff\fe\c2\9b end")
  (data (i32.const 3000) "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
  (func $poll_stream (export "poll_stream") (param i32 i32)
    (call $log (i32.const 2000) (i32.const 86))
    (call $log (i32.const 2000) (i32.const 0))
    (call $send (i32.const 3000) (i32.const 40))
    (call $end))
WAT
write_stream chatty <<'WAT'
  (memory (export "memory") 2)
  (data (i32.const 3000) "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
  (func $poll_stream (export "poll_stream") (param i32 i32)
    (local $i i32)
    (memory.fill (i32.const 8000) (i32.const 120) (i32.const 50000))
    (loop $again
      (call $log (i32.const 8000) (i32.const 1000))
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 5000))))
    (call $log (i32.const 8000) (i32.const 50000))
    (call $send (i32.const 3000) (i32.const 40))
    (call $end))
WAT
# A command that writes to standard error, without an end of line.
write_module complaining <<'WAT'
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 1000) "one\ntwo\0d\1b[2J\nthree")
  (data (i32.const 2000) "Status: 204\n\n")
  (func $_start (export "_start")
    (i32.store (i32.const 300) (i32.const 1000))
    (i32.store (i32.const 304) (i32.const 18))
    (drop (call $write (i32.const 2) (i32.const 300) (i32.const 1) (i32.const 308)))
    (i32.store (i32.const 300) (i32.const 2000))
    (i32.store (i32.const 304) (i32.const 13))
    (drop (call $write (i32.const 1) (i32.const 300) (i32.const 1) (i32.const 308)))))
WAT
compile_modules
serve "$functions"

expect_answer "200 ok" /forger
expect_logged 'function forger: log: first\\n2026-01-01.*forged\\r\\n\\x1b\[31mred\\x00\\x07'
expect_status 204 /complaining
expect_logged 'function complaining: log: one$' 'function complaining: log: two.*\\x1b\[2J$' \
  'function complaining: log: three$'
expect_answer "200 ok" /chatty
expect_logged 'function chatty: log: no more lines of this request are kept \(limit 64KiB\)'
lines=$(grep -c 'function chatty: log: x' "$server_log")
((lines > 50 && lines < 100)) || fail "$lines lines of one request are in the log"
longest=$(awk '{ if (length($0) > longest) longest = length($0) } END { print longest }' "$server_log")
((longest < 10000)) || fail "a line of $longest characters is in the log"

if logged '^2026-01-01T00'; then fail "a guest forged a line of the log"; fi
if grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$server_log"; then fail "control characters are in the log"; fi
if grep -vE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z (info|warning|error) ' "$server_log"; then
  fail "these lines of the log have no time and level"
fi
stop_server
