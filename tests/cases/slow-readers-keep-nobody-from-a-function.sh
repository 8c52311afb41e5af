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
compile_modules
printf '[function.large]\nlimits = { concurrency = 2 }\n' >"$functions/nur.toml"
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
    reader.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
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
# attack PATH COUNT: COUNT of them; what they had is in $scratch/readers.
attack() {
  begin python3 "$scratch/readers.py" "$port" "/large/$1" "$2" "$scratch/over.$1" \
    >"$scratch/readers" 2>"$scratch/readers-errors"
  poll 60 grep -q asked "$scratch/readers" || fail "the readers could not ask"
  for _ in {1..20}; do expect_answer "200 small" "/large/-"; done
  touch "$scratch/over.$1"
  wait "$begun_pid" || fail "the readers failed: $(tail -n 3 "$scratch/readers-errors")"
}

# 8 MiB each: all of it is held for them, and the function goes on.
attack H 6
expect_equal "who has all of it" "$(grep -c '^8388[0-9]* end' "$scratch/readers")" 6
! logged 'cut off' || fail "somebody was cut off"

# 26 MiB each: more than is held.
attack Z 4
expect_match "who was cut off" "$(grep -c 'reset' "$scratch/readers")" '^[1-4]$'
expect_logged 'function large: cut off: others wait for an instance'
expect_answer "200 small" "/large/-"
stop_server
