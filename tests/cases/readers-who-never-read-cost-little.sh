#!/usr/bin/env bash
# A function that sends 256 MiB waits while its client does not read, and forty clients that ask for
# 15 MiB each and read nothing share --unsent-max: the memory of nurhost is bounded, and other clients
# get theirs.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

# 256 times a MiB, and 15 MiB, behind a proper head; and 256 KiB without.
write_stream endless <<'WAT'
  (memory (export "memory") 17)
  (data (i32.const 1024) "HTTP/1.1 200 OK\r\nContent-Length: 268435456\r\n\r\n")
  (func (export "poll_stream") (param i32 i32)
    (local $left i32)
    (call $send (i32.const 1024) (i32.const 46))
    (local.set $left (i32.const 256))
    (loop $again
      (call $send (i32.const 2048) (i32.const 1048576))
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (call $end))
WAT
write_stream garbage <<'WAT'
  (memory (export "memory") 17)
  (func (export "poll_stream") (param i32 i32)
    (call $send (i32.const 0) (i32.const 1048576))
    (call $send (i32.const 0) (i32.const 1048576)))
WAT
write_stream large <<'WAT'
  (memory (export "memory") 17)
  (data (i32.const 1024) "HTTP/1.1 200 OK\r\nContent-Length: 15728640\r\n\r\n")
  (func (export "poll_stream") (param i32 i32)
    (local $left i32)
    (call $send (i32.const 1024) (i32.const 45))
    (local.set $left (i32.const 15))
    (loop $again
      (call $send (i32.const 2048) (i32.const 1048576))
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (call $end))
WAT
compile_modules --jobs 2
# One function at a time, so that what is in the making is one answer.
serve --workers 1 --quantum 0 --unsent-max 64MiB "$functions"
worker=$(pgrep --parent "$server_pid" | head -n 1)
worker=${worker:-$server_pid}

size=$(curl --silent --max-time 60 --output /dev/null --write-out '%{size_download}' "$url/endless")
expect_equal "bytes that a client took" "$size" 268435456
expect_match "what is no HTTP" "$(ask /garbage)" '^502 .*no HTTP version'
expect_logged 'function garbage: bad answer: the response: the first line has no HTTP version'

peak_kib() { sed -n 's/^VmHWM:\s*\([0-9]*\) kB/\1/p' "/proc/$worker/status"; }
cat >"$scratch/readers.py" <<'PY'
import socket, sys, time
path, count = sys.argv[2].encode(), int(sys.argv[3])
readers = []
for _ in range(count):
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.connect(("127.0.0.1", int(sys.argv[1])))
    reader.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    readers.append(reader)
print("asked", flush=True)
time.sleep(60)
PY
begin python3 "$scratch/readers.py" "$port" /endless 10 >/dev/null
begin python3 "$scratch/readers.py" "$port" /large 40 >"$scratch/readers"
poll 30 grep -q asked "$scratch/readers" || fail "the readers could not ask"
curl --silent --max-time 60 --output "$scratch/body" "$url/large" || fail "no answer beside them"
expect_equal "bytes of the answer beside them" "$(stat -c %s "$scratch/body")" 15728640

# What all may hold, and what malloc keeps. The forty answers would be 600 MiB.
is_sanitized && exit 0
peak=$(peak_kib)
echo "at most $peak KiB" >&2
((peak < 200 * 1024)) || fail "nurhost had $peak KiB"
expect_equal "is the worker there" "$(running "$worker" && echo yes)" yes
