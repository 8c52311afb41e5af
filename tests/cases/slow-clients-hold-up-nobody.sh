#!/usr/bin/env bash
# Clients that send or read as slowly as they can, in the four ways of slowhttptest, while another one
# asks for something every 20 ms, each time on a new connection: of its requests 999 of 1,000 are
# answered, and nurhost has the memory afterwards that it had before.
#
# Here with few of them and for seconds; ./dev test slow-clients has 5,000 for a minute each way.
# NUR_SLOW_CLIENTS and NUR_SLOW_SECONDS say how many and how long.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

clients=${NUR_SLOW_CLIENTS:-300}
seconds=${NUR_SLOW_SECONDS:-5}
command -v slowhttptest >/dev/null || skip "no slowhttptest"
hard=$(ulimit -Hn)
[[ $hard == unlimited ]] || ((hard >= clients + 200)) || skip "not enough file descriptors"
ulimit -Sn "$hard"

# 256 KiB, more than sockets hold when the reader's window is small.
write_stream large <<'WAT'
  (memory (export "memory") 5)
  (data (i32.const 1024) "HTTP/1.1 200 OK\r\nContent-Length: 262144\r\n\r\n")
  (func (export "poll_stream") (param i32 i32)
    (call $send (i32.const 1024) (i32.const 43))
    (call $send (i32.const 2048) (i32.const 262144))
    (call $end))
WAT
compile_modules --jobs 2
cp "$NUR_FUNCTIONS"/{hello,echo}.so "$functions/"
serve --workers 1 "$functions"
expect_answer "200 Hello, world" /hello
worker=$(pgrep --parent "$server_pid" | head -n 1)
worker=${worker:-$server_pid}

# Asks until it is told to stop; prints how many requests were answered, how many not, and the longest
# time that one took.
cat >"$scratch/client.py" <<'PY'
import http.client, signal, sys, time
stopped = False
def stop(*_):
    global stopped
    stopped = True
signal.signal(signal.SIGTERM, stop)
good = bad = 0
longest = 0.0
while not stopped:
    begin = time.monotonic()
    try:
        connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=5)
        connection.request("GET", "/hello")
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status != 200 or text != b"Hello, world\n":
            raise ValueError(f"{answer.status} {text[:100]}")
        good += 1
    except (OSError, ValueError, http.client.HTTPException) as error:
        bad += 1
        print(error, file=sys.stderr)
    longest = max(longest, time.monotonic() - begin)
    time.sleep(0.02)
print(good, bad, f"{longest * 1000:.0f}")
PY

resident_before=$(resident_kib "$worker")
rate=$((clients / 3 + 1))
# attack WAY PATH OPTION...
attack() {
  local way=$1 path=$2 good bad longest
  shift 2
  begin python3 "$scratch/client.py" "$port" >"$scratch/client" 2>"$scratch/client-errors"
  local client=$begun_pid
  slowhttptest "$@" -c "$clients" -r "$rate" -l "$seconds" -p 5 -v 0 -u "$url$path" \
    >"$scratch/attack" 2>&1 || true
  kill -TERM "$client"
  wait "$client" || fail "$way: the client failed: $(tail -n 3 "$scratch/client-errors")"
  read -r good bad longest <"$scratch/client"
  echo "$way: $good answered, $bad not, the slowest after $longest ms," \
    "nurhost has $(resident_kib "$worker") KiB" >&2
  ((good >= 20)) || fail "$way: only $good requests in $seconds s"
  ((bad * 1000 <= good + bad)) || fail "$way: $bad of $((good + bad)) requests failed: $(
    sort "$scratch/client-errors" | uniq -c | head -n 5)"
}
attack "slow heads" /hello -H -i 2 -x 20
attack "slow bodies" /echo -B -i 2 -s 8192 -x 10
attack "ranges" /hello -R -t HEAD -a 10 -b 3000
attack "slow reading" /large -X -w 512 -y 1024 -n 2 -z 32 -k 1

running "$worker" || fail "the worker is gone"
if ! is_sanitized; then
  # Nobody is there any more. What is kept is the allocator's, and does not grow with the attacks.
  resident=$(resident_kib "$worker")
  ((resident < resident_before + 65536)) || fail "$resident_before KiB before, $resident KiB after"
fi
expect_answer "200 Hello, world" /hello
stop_server
