#!/usr/bin/env bash
# Functions of the nur ABI and CGI commands read a body while the client sends it, and the client has what
# they send at once; a client that reads slowly has all of it, and others are answered beside it.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"
command -v python3 >/dev/null || skip "no python3"

# Answers each chunk with "N:" and its bytes, in a body until the connection closes; a chunk that
# begins with "t" traps.
write_stream teller <<'WAT'
  (memory (export "memory") 1)
  (global $chunks (mut i32) (i32.const 0))
  (data (i32.const 2048) "HTTP/1.1 200 OK\r\n\r\n")
  (data (i32.const 2100) "0:")
  (func (export "poll_stream") (param $at i32) (param $n i32)
    (global.set $chunks (i32.add (global.get $chunks) (i32.const 1)))
    (if (i32.eq (global.get $chunks) (i32.const 1))
      (then (call $send (i32.const 2048) (i32.const 19)) (return)))
    (i32.store8 (i32.const 2100) (i32.add (i32.const 48) (global.get $chunks)))
    (call $send (i32.const 2100) (i32.const 2))
    (call $send (local.get $at) (local.get $n))
    (if (i32.and (i32.ne (local.get $n) (i32.const 0))
                 (i32.eq (i32.load8_u (local.get $at)) (i32.const 116))) (then (unreachable))))
WAT
# A command that prints a head and then what it reads; 'b' first: 32 MiB.
write_module copier <<'WAT'
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 20)
  (data (i32.const 100) "Content-Type: text/plain\n\n")
  (func $print (param $at i32) (param $n i32) (local $done i32)
    (loop $again
      (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $n))
      (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $exit (i32.const 9))))
      (local.set $done (i32.load (i32.const 8)))
      (local.set $at (i32.add (local.get $at) (local.get $done)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (local.get $done))))))
  (func (export "_start") (local $n i32) (local $left i32)
    (call $print (i32.const 100) (i32.const 26))
    (loop $next
      (i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) (i32.const 512))
      (if (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $exit (i32.const 8))))
      (if (local.tee $n (i32.load (i32.const 8))) (then
        (call $print (i32.const 1024) (local.get $n))
        (if (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 98)) (then
          (local.set $left (i32.const 32))
          (loop $again (call $print (i32.const 65536) (i32.const 1048576))
            (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))))
        (if (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 116)) (then (call $exit (i32.const 7))))
        (br $next))))))
WAT
# The same as copier in sips of 7 bytes.
sed 's/(i32.const 512)/(i32.const 7)/' "$modules/copier.wat" | write_module sipper
# Writes what it reads, piece by piece.
write_module relay <<'WAT'
(module
  (import "env" "request_body" (func $read (param i32 i64) (result i64)))
  (import "env" "response_write" (func $write (param i32 i64) (result i64)))
  (memory (export "memory") 1)
  (func (export "handle") (local $n i64)
    (loop $next
      (local.set $n (call $read (i32.const 0) (i64.const 1000)))
      (if (i64.gt_s (local.get $n) (i64.const 0)) (then
        (drop (call $write (i32.const 0) (local.get $n)))
        (br $next))))))
WAT
compile_modules
serve --workers 1 --timeout 2s "$functions"

cat >"$scratch/client.py" <<'PY'
import socket, sys
port = int(sys.argv[1])

def connect():
    client = socket.create_connection(("127.0.0.1", port), timeout=60)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client

def until(client, text, got=b""):
    got = bytearray(got)
    while text not in got:
        some = client.recv(1 << 20)
        if not some:
            raise SystemExit(f"closed before {text!r}: {bytes(got[-200:])!r}")
        got += some
    return bytes(got)

def rest(client):
    got = bytearray()
    while some := client.recv(1 << 20):
        got += some
    return bytes(got)

def post(path, length, more=b"", version=b"1.1"):
    return (b"POST /" + path + b" HTTP/" + version + b"\r\nHost: a\r\nContent-Length: %d\r\n" % length
            + more + b"\r\n")

def expect(what, truth):
    if not truth:
        raise SystemExit(what)

# nur: what it sends is there before the request is whole.
client = connect()
client.sendall(post(b"teller", 6))
until(client, b"\r\n\r\n")
client.sendall(b"abc")
until(client, b"2:abc")
client.sendall(b"def")
expect("the end of the body is told once", rest(client).endswith(b"3:def4:"))
# A trap behind the beginning of the answer cuts it off.
client = connect()
client.sendall(post(b"teller", 6))
until(client, b"\r\n\r\n")
client.sendall(b"trap")
until(client, b"2:trap")
# Without a length an orderly end would make it look whole.
try:
    rest(client)
    expect("a reset", False)
except ConnectionResetError:
    pass
# A whole request: its head and body are one chunk.
client = connect()
client.sendall(post(b"teller", 3) + b"abc")
expect("a whole request", rest(client).endswith(b"\r\n\r\n2:"))

# CGI: chunks for HTTP/1.1, and the connection lives on.
client = connect()
client.sendall(post(b"copier", 6, b"Expect: 100-continue\r\n"))
got = until(client, b"HTTP/1.1 200")
got = until(client, b"\r\n\r\n", got[got.index(b"HTTP/1.1 200"):])
expect("chunks", b"Transfer-Encoding: chunked" in got)
client.sendall(b"abc")
until(client, b"3\r\nabc\r\n")
client.sendall(b"def")
until(client, b"3\r\ndef\r\n0\r\n\r\n")
client.close()
# A body in chunks is told without them, as it comes; its last chunk is its end.
def post_chunks(path):
    return (b"POST /" + path + b" HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
client = connect()
client.sendall(post_chunks(b"copier"))
until(client, b"\r\n\r\n")
client.sendall(b"3\r\nabc\r\n")
until(client, b"3\r\nabc\r\n")
client.sendall(b"2;x=y\r\nde")
until(client, b"2\r\nde\r\n")
client.sendall(b"\r\n0\r\nX-Trailer: y\r\n\r\n")
expect("the end of a chunked body", rest(client).endswith(b"0\r\n\r\n"))
# One that never takes more than a little keeps the client from sending more.
client = connect()
client.sendall(post_chunks(b"sipper"))
until(client, b"\r\n\r\n")
client.sendall(b"80000\r\n" + b"s" * 0x80000 + b"\r\n")
client.sendall(b"0\r\n\r\n")
got = until(client, b"0\r\n\r\n")
expect("half a MiB in sips", got.count(b"s") == 0x80000)
# What is no chunk, and more than the function takes, behind the head of the answer.
for wrong in (b"zz\r\n", b"100000000\r\n"):
    client = connect()
    client.sendall(post_chunks(b"copier"))
    until(client, b"\r\n\r\n")
    client.sendall(b"3\r\nabc\r\n")
    until(client, b"3\r\nabc\r\n")
    client.sendall(wrong)
    expect(f"{wrong!r} ends it", not rest(client).endswith(b"0\r\n\r\n"))
# handle: the same.
client = connect()
client.sendall(post_chunks(b"relay"))
client.sendall(b"3\r\nabc\r\n")
until(client, b"3\r\nabc\r\n")
client.sendall(b"3\r\ndef\r\n")
until(client, b"3\r\ndef\r\n")
client.sendall(b"0\r\n\r\n")
until(client, b"0\r\n\r\n")
# nur: its guests are told a length, so they are told when it is known.
client = connect()
client.sendall(post_chunks(b"teller") + b"3\r\nabc\r\n")
client.sendall(b"3\r\ndef\r\n0\r\n\r\n")
expect("a chunked body for nur", rest(client).endswith(b"\r\n\r\n2:"))
# The connection's end for HTTP/1.0.
client = connect()
client.sendall(post(b"copier", 6, version=b"1.0"))
until(client, b"\r\n\r\n")
client.sendall(b"abcdef")
expect("HTTP/1.0", rest(client).endswith(b"abcdef"))
# A failure behind the head has no last chunk.
client = connect()
client.sendall(post(b"copier", 60))
until(client, b"\r\n\r\n")
client.sendall(b"t")
expect("a failure behind the head", not rest(client).endswith(b"0\r\n\r\n"))
# A body that ends too soon.
client = connect()
client.sendall(post(b"teller", 60)[:-2])
client.shutdown(socket.SHUT_WR)
expect("half a head", rest(client).startswith(b"HTTP/1.1 400"))

# 32 MiB for a client that does not read at first; others are answered meanwhile.
slow = connect()
slow.sendall(post(b"copier", 1) + b"b")
for _ in range(20):
    client = connect()
    client.sendall(post(b"copier", 3, b"Connection: close\r\n") + b"abc")
    expect("beside a slow one", rest(client).endswith(b"\r\n\r\nabc"))
slow.shutdown(socket.SHUT_WR)
expect("all of a large answer", len(rest(slow)) > 32 << 20)
PY
timeout 100 python3 "$scratch/client.py" "$port" || fail "a client was not served well"
expect_logged 'function teller: trap: unreachable' 'function copier: bad answer: the function exited with status 7'
stop_server
