#!/usr/bin/env bash
# nurhost serve --tcp gives the bytes of each connection to one function: chunks as they come, an
# instance and its state for each connection, half-closes told, ends behind what was sent; slow and
# dead clients hold up nobody, and a worker that dies takes only its own connections with it.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"
command -v python3 >/dev/null || skip "no python3"

# Answers each chunk with its number, length and bytes; "end" ends, "trap" traps, "flood" sends
# 32 MiB; the end of input is answered "N!".
write_stream counter <<'WAT'
  (memory (export "memory") 17)
  (global $chunks (mut i32) (i32.const 0))
  (data (i32.const 2048) "0!")
  (data (i32.const 2050) "?")
  (func (export "poll_stream") (param $at i32) (param $n i32) (local $word i32) (local $left i32)
    (global.set $chunks (i32.add (global.get $chunks) (i32.const 1)))
    (i32.store8 (i32.const 2048) (i32.add (i32.const 48) (i32.rem_u (global.get $chunks) (i32.const 10))))
    (if (i32.eqz (local.get $n)) (then (call $send (i32.const 2048) (i32.const 2)) (return)))
    (call $send (i32.const 2048) (i32.const 1))
    (call $send (local.get $at) (local.get $n))
    (local.set $word (i32.load (local.get $at)))
    (if (i32.eq (local.get $word) (i32.const 0x2e646e65)) (then (call $end)
      (call $send (i32.const 2050) (i32.const 1))))
    (if (i32.eq (local.get $word) (i32.const 0x70617274)) (then (unreachable)))
    (if (i32.eq (local.get $word) (i32.const 0x6f6f6c66)) (then
      (local.set $left (i32.const 32))
      (loop $again
        (call $send (i32.const 4096) (i32.const 1048576))
        (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))))
WAT
write_module plain <<'WAT'
(module (func (export "run") (param i32) (result i32) (local.get 0)))
WAT
compile_modules

expect_exit 1 "$nurhost" serve --listen 127.0.0.1:0 --tcp 127.0.0.1:0=nobody "$functions"
expect_said 'tcp 127.0.0.1:0=nobody: no such function; there are .*counter'
expect_exit 1 "$nurhost" serve --listen 127.0.0.1:0 --tcp 127.0.0.1:0=plain "$functions"
expect_said 'plain: the function is of the typed ABI'
expect_exit 2 "$nurhost" serve --tcp 127.0.0.1:x=counter "$functions"
expect_said '127.0.0.1:x'
expect_exit 2 "$nurhost" serve --tcp 127.0.0.1:7000 "$functions"
expect_said 'write ADDRESS:PORT=FUNCTION'

serve --workers 2 --timeout 2s --tcp 127.0.0.1:0=counter --tcp 127.0.0.1:0=counter "$functions"
mapfile -t ports < <(sed -n 's/.* serving counter on tcp:.*:\([0-9]*\)$/\1/p' "$server_log")
expect_equal "listeners" "${#ports[@]}" 2

cat >"$scratch/clients.py" <<'PY'
import os, signal, socket, sys, time
port, other_port, http_port = (int(text) for text in sys.argv[1:4])
workers = [int(text) for text in sys.argv[4:]]

def connect(to=None):
    client = socket.create_connection(("127.0.0.1", to or port), timeout=60)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client

def receive(client, count):
    got = bytearray()
    while len(got) < count:
        some = client.recv(1 << 20)
        if not some:
            raise SystemExit(f"closed behind {bytes(got[:80])!r}")
        got += some
    return bytes(got)

def receive_all(client):
    got = b""
    while some := client.recv(1 << 20):
        got += some
    return got

def expect(what, got, expected):
    if got != expected:
        raise SystemExit(f"{what}: got {got[:80]!r}, expected {expected[:80]!r}")

def get(path):
    http = connect(http_port)
    http.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    return receive_all(http)

# State is kept from chunk to chunk of one connection; the end of input is told once.
for at in (port, other_port):
    client = connect(at)
    for i, chunk in enumerate((b"a", b"bc", b"def"), 1):
        client.sendall(chunk)
        expect("a chunk", receive(client, len(chunk) + 1), b"%d" % i + chunk)
    client.shutdown(socket.SHUT_WR)
    expect("half-close", receive_all(client), b"4!")

# 1,500 bytes are two chunks.
client = connect()
client.sendall(b"x" * 1500)
expect("1,500 bytes", receive(client, 1502), b"1" + b"x" * 1024 + b"2" + b"x" * 476)
client.close()

# nur_end closes behind what was sent before it, and not before.
client = connect()
client.sendall(b"end.")
expect("nur_end", receive_all(client), b"1end.")
# A trap closes behind what was sent.
client = connect()
client.sendall(b"a")
expect("before the trap", receive(client, 2), b"1a")
client.sendall(b"trap")
expect("a trap", receive_all(client), b"2trap")

# A client that never reads waits; others do not. When it reads, all is there.
slow = connect()
slow.sendall(b"flood")
for _ in range(20):
    client = connect()
    client.sendall(b"x")
    expect("beside a slow one", receive(client, 2), b"1x")
    client.close()
expect("a flood", receive(slow, 6 + (32 << 20))[:6], b"1flood")
slow.sendall(b"y")
expect("behind the flood", receive(slow, 2), b"2y")
slow.close()

# 1,000 connections, each with its own count.
crowd = [connect() for _ in range(1000)]
for i in range(1, 4):
    for n, client in enumerate(crowd):
        client.sendall(b"%d," % n)
    for n, client in enumerate(crowd):
        own = b"%d," % n
        expect(f"connection {n}", receive(client, len(own) + 1), b"%d" % i + own)
if not get(b"/api/plain/7").endswith(b"\r\n\r\n7"):
    raise SystemExit("HTTP is not answered beside them")

# One worker dies: its connections end, the others keep their state.
os.kill(workers[0], signal.SIGKILL)
time.sleep(0.2)
kept = lost = 0
for client in crowd:
    try:
        client.sendall(b"z")
        got = client.recv(100)
    except ConnectionError:
        got = b""
    if got:
        expect("state behind a death", got, b"4z")
        kept += 1
    else:
        lost += 1
print(f"{kept} kept, {lost} lost", file=sys.stderr)
if kept == 0 or lost == 0:
    raise SystemExit("both workers should have had connections")
for client in crowd:
    client.close()
client = connect()
client.sendall(b"n")
expect("a new connection", receive(client, 2), b"1n")

# SIGTERM: the input ends behind what has come, and the last words are sent.
print("draining", flush=True)
expect("drain", receive_all(client), b"2!")
PY
mapfile -t workers < <(worker_pids)
begin python3 "$scratch/clients.py" "${ports[@]}" "$port" "${workers[@]}" >"$scratch/progress"
clients=$begun_pid
drains() { grep -q draining "$scratch/progress" || ! running "$clients"; }
poll 120 drains || fail "the clients do not come to an end"
kill -TERM "$server_pid"
wait "$clients" || fail "a client was not served well"
poll 40 stopped "$server_pid" || fail "nurhost is still there after SIGTERM"
expect_logged 'function counter: trap: unreachable in poll_stream \(TCP 127.0.0.1:' \
  'stopped after [0-9]* request\(s\) and 10[0-9]* connection\(s\) of --tcp'
