#!/usr/bin/env bash
# What a handle function is told of its request, a body that is read while it comes, and an answer that is
# written while it is made.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

# telling NAME IMPORT...: a function that answers what env.IMPORT gives, one line each; "-N" is an error.
telling() {
  local name=$1 import
  shift
  {
    echo '(module (import "env" "response_write" (func $write (param i32 i64) (result i64)))'
    for import; do
      echo "(import \"env\" \"$import\" (func \$$import (param i32 i64) (result i64)))"
    done
    # An error's number as text: "-" and a digit.
    cat <<'WAT'
  (memory (export "memory") 2)
  (data (i32.const 0) "\n-")
  (func $say (param $length i64)
    (if (i64.lt_s (local.get $length) (i64.const 0))
      (then (i32.store8 (i32.const 2) (i32.sub (i32.const 48) (i32.wrap_i64 (local.get $length))))
            (drop (call $write (i32.const 1) (i64.const 2))))
      (else (drop (call $write (i32.const 1024) (local.get $length)))))
    (drop (call $write (i32.const 0) (i64.const 1))))
  (func (export "handle")
WAT
    for import; do echo "    (call \$say (call \$$import (i32.const 1024) (i64.const 65536)))"; done
    echo '))'
  } | write_module "$name"
}
telling about request_method request_target request_path request_query request_headers request_body
telling client request_client

# Answers the header X-Ask, joined, or "none".
write_module header <<'WAT'
(module
  (import "env" "request_header" (func $get (param i32 i64 i32 i64) (result i64)))
  (import "env" "response_set_body" (func $body (param i32 i64)))
  (memory (export "memory") 1)
  (data (i32.const 0) "x-aSKnone")
  (func (export "handle") (local $length i64)
    (local.set $length (call $get (i32.const 0) (i64.const 5) (i32.const 100) (i64.const 1000)))
    (if (i64.eq (local.get $length) (i64.const -1))
      (then (call $body (i32.const 5) (i64.const 4)))
      (else (call $body (i32.const 100) (local.get $length))))))
WAT

# Writes what it reads as it comes, in pieces of 1,000 bytes, and counts what it could write.
write_module through <<'WAT'
(module
  (import "env" "request_body" (func $read (param i32 i64) (result i64)))
  (import "env" "response_write" (func $write (param i32 i64) (result i64)))
  (import "env" "response_set_header" (func $header (param i32 i64 i32 i64)))
  (memory (export "memory") 1)
  (data (i32.const 0) "Content-Typetext/x-piece")
  (func (export "handle") (local $length i64)
    (call $header (i32.const 0) (i64.const 12) (i32.const 12) (i64.const 12))
    (loop $next
      (local.set $length (call $read (i32.const 1024) (i64.const 1000)))
      (if (i64.le_s (local.get $length) (i64.const 0)) (then (return)))
      (br_if $next (i64.eq (local.get $length) (call $write (i32.const 1024) (local.get $length)))))))
WAT

# 64 MiB, a megabyte at a time.
write_module flood <<'WAT'
(module
  (import "env" "response_write" (func $write (param i32 i64) (result i64)))
  (memory (export "memory") 17)
  (func (export "handle") (local $i i32)
    (loop $next
      (if (i64.ne (call $write (i32.const 0) (i64.const 1048576)) (i64.const 1048576)) (then (return)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 64))))))
WAT

# Writes a little and then traps.
write_module breaks <<'WAT'
(module
  (import "env" "response_write" (func $write (param i32 i64) (result i64)))
  (memory (export "memory") 1)
  (func (export "handle")
    (drop (call $write (i32.const 0) (i64.const 10)))
    (unreachable)))
WAT

# A header that cannot be sent: -1, and the function is a 502 at its end.
write_module bad <<'WAT'
(module
  (import "env" "response_write" (func $write (param i32 i64) (result i64)))
  (import "env" "response_set_header" (func $header (param i32 i64 i32 i64)))
  (memory (export "memory") 1)
  (data (i32.const 0) "X\n")
  (func (export "handle")
    (call $header (i32.const 0) (i64.const 2) (i32.const 0) (i64.const 1))
    (if (i64.ne (call $write (i32.const 0) (i64.const 1)) (i64.const -1)) (then (unreachable)))))
WAT

# A pointer outside memory is a trap, whatever call it is handed to.
outside() {
  write_module "outside_$1" <<WAT
(module
  (import "env" "$1" (func \$call (param $2) (result $3)))
  (memory (export "memory") 1)
  (func (export "handle") (drop (call \$call $4))))
WAT
}
far='(i32.const 65530) (i64.const 7)'
for import in request_method request_target request_path request_query request_client request_headers \
  request_body response_write; do
  outside "$import" 'i32 i64' i64 "$far"
done
outside random_bytes 'i32 i64' i32 "$far"
outside request_header 'i32 i64 i32 i64' i64 "$far (i32.const 0) (i64.const 0)"
outside env_get 'i32 i64 i32 i64' i64 "$far (i32.const 0) (i64.const 0)"
compile_modules

serve "$functions" --workers 1

got=$(curl -s -H 'User-Agent: me' -H 'Accept: x' -H 'Content-Type: text/x' -X PUT -d hi "$url/about/x%20y?a=b&c" | tr -d '\r')
expect_equal "what is told" "$got" "PUT
/about/x%20y?a=b&c
/about/x%20y
a=b&c
Host: 127.0.0.1:$port
User-Agent: me
Accept: x
Content-Type: text/x
Content-Length: 2

hi"
expect_match "address of the client" "$(curl -s "$url/client")" '^127\.0\.0\.1:[0-9]+$'
expect_answer "200 one, two" -H 'X-Ask: one' -H 'x-ask: two' /header
expect_answer "200 none" /header

# The bytes of any length, with the head that was set and no length.
head -c 700000 /dev/urandom >"$scratch/bytes"
curl -s --data-binary @"$scratch/bytes" -D "$scratch/head" -o "$scratch/back" "$url/through"
cmp "$scratch/bytes" "$scratch/back" || fail "the body came back otherwise"
grep -qi '^content-type: text/x-piece' "$scratch/head" || fail "the head is not what was set: $(cat "$scratch/head")"
grep -qi '^transfer-encoding: chunked' "$scratch/head" || fail "no chunks: $(cat "$scratch/head")"
expect_equal "answer without a body" "$(curl -s "$url/through" | wc -c)" 0

# A client that takes 64 MiB slowly makes the host hold little of it, and has it all.
before=$(resident_kib "$(worker_pid)")
curl -s --limit-rate 20M -o "$scratch/flood" "$url/flood" &
begun+=("$!")
slow=$!
sleep 1
during=$(resident_kib "$(worker_pid)")
expect_answer "200 none" /header
wait "$slow" || fail "the slow client was cut off"
expect_equal "bytes of a slow answer" "$(stat -c %s "$scratch/flood")" $((64 << 20))
is_sanitized || ((during - before < 30000)) || fail "the host holds $((during - before)) KiB for a slow client"

expect_equal "exit code of curl for an answer that breaks off" "$(exit_code_of curl -s -o /dev/null "$url/breaks")" 18
expect_logged 'function breaks: trap: unreachable'
expect_status 502 /bad

for import in request_method request_target request_path request_query request_client request_headers \
  request_header request_body response_write random_bytes env_get; do
  expect_answer "502 502 Bad Gateway: the function trapped: out of bounds memory access" "/outside_$import"
done
stop_server
