#!/usr/bin/env bash
# A function that imports env answers by the calls it makes: status, headers and body as they were set,
# framed by the host; what it sets wrongly is a 502 and nothing that a client could take for an answer.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

# handling NAME [IMPORTS]: a handle function, of which the text on standard input is what it has.
# ($status CODE AT SIZE), ($header AT SIZE AT SIZE), ($body AT SIZE) and ($log AT SIZE) are imported.
handling() {
  {
    cat <<'END'
(module
  (import "env" "log" (func $log (param i32 i64)))
  (import "env" "response_set_status_line" (func $status (param i32 i32 i64)))
  (import "env" "response_set_header" (func $header (param i32 i64 i32 i64)))
  (import "env" "response_set_body" (func $body (param i32 i64)))
END
    printf '%s\n' "${2-}"
    cat
    echo ')'
  } | write_module "$1"
}

handling greet '(import "env" "memory" (memory 18))' <<'WAT'
  (data (i32.const 0) "Made")
  (data (i32.const 16) "Content-length5X-Greetingshi")
  (data (i32.const 64) "hello")
  (func (export "handle")
    (call $log (i32.const 64) (i64.const 5))
    (call $status (i32.const 201) (i32.const 0) (i64.const 4))
    (call $header (i32.const 16) (i64.const 14) (i32.const 30) (i64.const 1))
    (call $header (i32.const 16) (i64.const 14) (i32.const 30) (i64.const 1))
    (call $header (i32.const 31) (i64.const 11) (i32.const 42) (i64.const 2))
    (call $body (i32.const 64) (i64.const 5)))
WAT
# Its memory is its own; it is initialised first, and its body tells so.
handling ready <<'WAT'
  (memory (export "memory") 1)
  (func (export "_initialize") (i32.store8 (i32.const 0) (i32.const 0x79)))
  (func (export "handle") (call $body (i32.const 0) (i64.const 1)))
WAT
# As a C library does, it prints, and asks for its environment.
handling prints '(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ (param i32 i32) (result i32)))' <<'WAT'
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\06\00\00\00")
  (data (i32.const 16) "a line")
  (func (export "handle")
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))
    (drop (call $environ (i32.const 36) (i32.const 40)))
    (i32.store8 (i32.const 48) (i32.add (i32.const 0x30) (i32.load (i32.const 36))))
    (call $body (i32.const 48) (i64.const 1)))
WAT
handling silent <<<'(memory (export "memory") 1) (func (export "handle"))'
handling length <<'WAT'
  (memory (export "memory") 1)
  (data (i32.const 0) "Content-Length9")
  (func (export "handle")
    (call $header (i32.const 0) (i64.const 14) (i32.const 14) (i64.const 1))
    (call $body (i32.const 0) (i64.const 4)))
WAT
handling split <<'WAT'
  (memory (export "memory") 1)
  (data (i32.const 0) "Xa\0d\0a\0d\0aHTTP/1.1 200 OK")
  (func (export "handle")
    (call $header (i32.const 0) (i64.const 1) (i32.const 1) (i64.const 20))
    (call $body (i32.const 0) (i64.const 1)))
WAT
handling stray <<'WAT'
  (memory (export "memory") 1)
  (func (export "handle") (call $body (i32.const 65535) (i64.const 2)))
WAT
handling flood <<'WAT'
  (memory (export "memory") 300)
  (func (export "handle") (call $body (i32.const 0) (i64.const 16777217)))
WAT
handling headers <<'WAT'
  (memory (export "memory") 1)
  (data (i32.const 0) "Xy")
  (func (export "handle")
    (loop $again (call $header (i32.const 0) (i64.const 1) (i32.const 1) (i64.const 1)) (br $again)))
WAT
handling choice <<'WAT'
  (memory (export "memory") 1)
  (func (export "one")) (func (export "two"))
WAT
compile_modules -O0
serve "$functions"

answer=$(curl --silent --include --max-time 20 "$url/greet/below" | tr -d '\r')
expect_match "status line" "$answer" '^HTTP/1.1 201 Made'
expect_match "header" "$answer" $'\nX-Greetings: hi\n'
expect_equal "lengths" "$(grep -ci '^content-length: 5$' <<<"$answer")" 1
expect_match "body" "$answer" $'\n\nhello$'
expect_logged 'info function greet: log: hello'
expect_answer "200 y" /ready
expect_answer "200 0" /prints
expect_logged 'info function prints: log: a line'

expect_answer "502 502 Bad Gateway: the function ended without setting a response" /silent
expect_answer "502 502 Bad Gateway: the function set Content-Length to 9 for a body of 4 bytes; it may leave it out" /length
expect_status 502 /split
if grep -q 'HTTP/1.1 200' "$scratch/body"; then fail "the split answer reaches the client"; fi
expect_answer "502 502 Bad Gateway: the function trapped: out of bounds memory access" /stray
expect_answer "502 502 Bad Gateway: the function sent more than 16MiB" /flood
expect_answer "502 502 Bad Gateway: the function set more than 100 headers" /headers
expect_answer "404 404 Not Found: choice has several functions (one, two), and none of them is called handle or choice" /choice
expect_status 404 /api/greet/1
expect_answer "201 hello" /greet
stop_server

# The same on a command line, as bytes of HTTP.
expect_exit 0 "$nurhost" run "$functions/greet.so"
expect_equal "bytes" "$(tr -d '\r' <"$said")" $'log: hello\nHTTP/1.1 201 Made\nContent-length: 5\nContent-length: 5\nX-Greetings: hi\n\nhello'
expect_exit 0 "$nurhost" run "$functions/ready.so"
expect_equal "bytes of a body alone" "$(tr -d '\r' <"$said")" $'HTTP/1.1 200 OK\n\ny'
expect_exit 1 "$nurhost" run "$functions/silent.so"
expect_said 'the function ended without setting a status'
expect_exit 1 "$nurhost" run "$functions/choice.so"
expect_said 'choice has the functions one, two; name one with --invoke'
