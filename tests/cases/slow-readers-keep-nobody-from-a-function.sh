#!/usr/bin/env bash
# Clients that read large answers as slowly as they can hold no instance of a function for long: of a function
# that may have two, a crowd of them keeps nobody from the others' answers. Who asked for what fits into the
# function's output limit has all of it in the end; who asked for more and takes next to nothing is cut off.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"
command -v python3 >/dev/null || skip "no python3"

# Answers as many MiB as the second byte of the path says ("/large/A" is 1, "/large/B" is 2), or "small".
write_stream large <<'WAT'
  (memory (export "memory") 17)
  (data (i32.const 1024) "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
  (data (i32.const 1100) "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsmall")
  (func (export "poll_stream") (param $at i32) (param $n i32)
    (local $left i32)
    ;; "GET /large/X"
    (local.set $left (i32.sub (i32.load8_u (i32.add (local.get $at) (i32.const 11))) (i32.const 64)))
    (if (i32.or (i32.lt_s (local.get $left) (i32.const 1)) (i32.gt_s (local.get $left) (i32.const 26)))
      (then (call $send (i32.const 1100) (i32.const 43)) (call $end) (return)))
    (call $send (i32.const 1024) (i32.const 38))
    (loop $again
      (call $send (i32.const 2048) (i32.const 1048576))
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (call $end))
WAT
# The same as a command, which finds it in PATH_INFO, and as a function that sets its answer by calls.
write_module command <<'WAT'
(module
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 20)
  (data (i32.const 100) "Content-Type: text/plain\n\nsmall")
  (func $print (param $at i32) (param $n i32) (local $done i32)
    (loop $again
      (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $n))
      (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $exit (i32.const 9))))
      (local.set $done (i32.load (i32.const 8)))
      (local.set $at (i32.add (local.get $at) (local.get $done)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (local.get $done))))))
  (func (export "_start") (local $i i32) (local $at i32) (local $left i32)
    (drop (call $sizes (i32.const 16) (i32.const 20)))
    (drop (call $environ (i32.const 1024) (i32.const 8192)))
    ;; PATH_INFO=/X
    (block $found (loop $next
      (local.set $at (i32.load (i32.add (i32.const 1024) (i32.mul (local.get $i) (i32.const 4)))))
      (br_if $found (i64.eq (i64.load (local.get $at)) (i64.const 0x464e495f48544150)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.load (i32.const 16))))))
    (local.set $left (i32.sub (i32.load8_u (i32.add (local.get $at) (i32.const 11))) (i32.const 64)))
    (if (i32.or (i32.lt_s (local.get $left) (i32.const 1)) (i32.gt_s (local.get $left) (i32.const 26)))
      (then (call $print (i32.const 100) (i32.const 31)) (return)))
    (call $print (i32.const 100) (i32.const 26))
    (loop $again
      (call $print (i32.const 65536) (i32.const 1048576))
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))))
WAT
write_module calls <<'WAT'
(module
  (import "env" "request_path" (func $path (param i32 i64) (result i64)))
  (import "env" "response_write" (func $write (param i32 i64) (result i64)))
  (memory (export "memory") 20)
  (data (i32.const 100) "small")
  (func (export "handle") (local $left i32)
    ;; "/calls/X"
    (drop (call $path (i32.const 1024) (i64.const 100)))
    (local.set $left (i32.sub (i32.load8_u (i32.const 1031)) (i32.const 64)))
    (if (i32.or (i32.lt_s (local.get $left) (i32.const 1)) (i32.gt_s (local.get $left) (i32.const 26)))
      (then (drop (call $write (i32.const 100) (i64.const 5))) (return)))
    (loop $again
      (drop (call $write (i32.const 65536) (i64.const 1048576)))
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))))
WAT
compile_modules
for name in large command calls; do printf '[function.%s]\nlimits = { concurrency = 2 }\n' "$name"; done \
  >"$functions/nur.toml"
serve --workers 1 --timeout 20s "$functions"
expect_answer "200 small" "/large/-"

cat >"$scratch/readers.py" <<'PY'
import os, socket, sys, time
port, path, count = int(sys.argv[1]), sys.argv[2].encode(), int(sys.argv[3])
readers = []
for _ in range(count):
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.settimeout(60)
    reader.connect(("127.0.0.1", port))
    reader.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    readers.append(reader)
    time.sleep(0.02)
print("asked", flush=True)
# A little more than the least that clients may take, until the others are done.
got = [0] * count
while not os.path.exists(sys.argv[4]):
    time.sleep(0.5)
    for i, reader in enumerate(readers):
        got[i] += len(reader.recv(700))
# Then all that there is.
for i, reader in enumerate(readers):
    try:
        while some := reader.recv(1 << 20):
            got[i] += len(some)
        print(got[i], "end")
    except ConnectionResetError:
        print(got[i], "reset")
PY
# attack FUNCTION PATH COUNT: COUNT of them; what they had is in $scratch/readers.
attack() {
  begin python3 "$scratch/readers.py" "$port" "/$1/$2" "$3" "$scratch/over.$1.$2" \
    >"$scratch/readers" 2>"$scratch/readers-errors"
  poll 60 grep -q asked "$scratch/readers" || fail "the readers could not ask"
  for _ in {1..20}; do expect_answer "200 small" "/$1/-"; done
  touch "$scratch/over.$1.$2"
  wait "$begun_pid" || fail "the readers failed: $(tail -n 3 "$scratch/readers-errors")"
}
# Those who had so many bytes at least, in order of one another.
had() { awk -v least="$1" '$1 ~ /^[0-9]+$/ && $1 >= least' "$scratch/readers" | wc -l; }

for name in large command calls; do
  expect_answer "200 small" "/$name/-"
  # 8 MiB each: all of it is held for them, and the function goes on.
  attack "$name" H 6
  expect_equal "who has all of $name" "$(had $((8 << 20)))" 6
  ! logged 'function '"$name"': cut off' || fail "somebody was cut off"

  # 26 MiB each: more than is held.
  attack "$name" Z 4
  expect_match "who was cut off" "$((4 - $(had $((26 << 20)))))" '^[1-4]$'
  expect_logged "function $name: cut off: others wait for an instance"
  expect_answer "200 small" "/$name/-"
done
stop_server
