#!/usr/bin/env bash
# A function whose answer is no answer costs its client a 502 and nobody else anything: what it sent
# does not reach the client, and the connection goes on.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

# sending NAME TEXT: a stream function that sends these bytes, as a text module writes them.
sending() {
  local length
  length=$(printf '%b' "$(sed 's/\\\([0-9a-f][0-9a-f]\)/\\x\1/g; s/\\r/\\x0d/g; s/\\n/\\x0a/g' <<<"$2")" | wc -c)
  write_stream "$1" <<WAT
  (memory (export "memory") 2)
  (data (i32.const 2000) "$2")
  (func (export "poll_stream") (param i32 i32) (call \$send (i32.const 2000) (i32.const $length)) (call \$end))
WAT
}
sending fine 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine'
sending silent ''
sending garbage 'garbage, not HTTP\r\n\r\n'
sending half 'HTTP/1.1 200 OK\r\nContent-Le'
sending short 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort'
sending split 'HTTP/1.1 200 OK\r\nX: a\0d\r\nContent-Length: 0\r\n\r\n'
sending twice 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc'
sending upgrade 'HTTP/1.1 101 Switching Protocols\r\n\r\n'
sending chunks 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab'
# A second answer, as if to a request that nobody made.
sending smuggle 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged'
sending until 'HTTP/1.1 200 OK\r\n\r\nuntil the end'
# More than an answer may be.
write_stream flood <<'WAT'
  (memory (export "memory") 200)
  (func (export "poll_stream") (param i32 i32)
    (loop $again (call $send (i32.const 0) (i32.const 10000000)) (br $again)))
WAT
write_stream deserter <<'WAT'
  (memory (export "memory") 1)
  (func (export "poll_stream") (param i32 i32))
WAT
# A buffer outside its memory for what comes in.
write_module crooked <<'WAT'
(module
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 65530))
  (func (export "poll_stream") (param i32 i32)))
WAT

# printing NAME TEXT: a command that prints this.
printing() {
  local length
  length=$(printf '%b' "$2" | wc -c)
  write_module "$1" <<WAT
(module
  (import "wasi_snapshot_preview1" "fd_write" (func \$write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func \$exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 1000) "$2")
  (func (export "_start")
    (i32.store (i32.const 300) (i32.const 1000))
    (i32.store (i32.const 304) (i32.const $length))
    (drop (call \$write (i32.const 1) (i32.const 300) (i32.const 1) (i32.const 308)))
    (call \$exit (i32.const ${3-0}))))
WAT
}
printing headless 'no header at all'
printing mute ''
printing failed 'Content-Type: text/plain\n\nfailed' 3
printing status 'Status: 999\n\n'
printing created 'Status: 201 Made\nContent-Type: text/plain\n\nmade'
printing framed 'Content-Type: text/plain\nContent-Length: 1000\nConnection: close\n\nframed'
compile_modules -O0
serve --timeout 5s "$functions"

for name in silent garbage half short split twice upgrade chunks flood deserter crooked headless mute failed status; do
  answer=$(ask "/$name")
  expect_match "answer of $name" "$answer" '^502 '
  if grep -qE 'garbage, not|no header at all' <<<"$answer"; then fail "$name reaches the client: $answer"; fi
  expect_logged "function $name: (bad answer|trap): .+ \(GET /$name\)"
done
expect_answer "200 fine" /fine
expect_answer "200 until the end" /until
expect_answer "201 made" /created
expect_answer "200 framed" --http1.1 /framed

# The second answer of the smuggler is nobody's.
answers=$(curl --silent --max-time 20 "$url/smuggle" "$url/fine" "$url/smuggle" "$url/fine")
expect_equal "answers beside a smuggler" "$answers" okfineokfine
stop_server
