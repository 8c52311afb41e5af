#!/usr/bin/env bash
# With 128 descriptors in all, 400 clients at once get an answer each, 200 or 503; who is idle for
# longest makes room, and nothing dies.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

cp "$NUR_FUNCTIONS"/{hello,echo}.so "$functions/"
ulimit -Sn 128
ulimit -Hn 128
serve --workers 1 "$functions"
worker=$(pgrep --parent "$server_pid" | head -n 1)
worker=${worker:-$server_pid}

cat >"$scratch/clients.py" <<'PY'
import resource, socket, sys
port = int(sys.argv[1])
GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"

def connect():
    made = socket.create_connection(("127.0.0.1", port), timeout=20)
    return made

def answer(client):
    text = b""
    while b"\r\n\r\n" not in text or not text.endswith(b"\n"):
        got = client.recv(65536)
        if not got:
            break
        text += got
    return text

def status(client):
    text = answer(client)
    return int(text.split()[1]) if text else 0

# Clients inside a head hold their connections: nobody gives up theirs for others.
busy = []
for _ in range(40):
    client = connect()
    client.sendall(b"GET /hello HTTP/1.1\r\n")
    busy.append(client)
# Idle ones do, so that all of these are answered, one after the other.
idle = []
for _ in range(30):
    client = connect()
    client.sendall(GET)
    assert status(client) == 200, "an idle connection was not given up"
    idle.append(client)
gone = 0
for client in idle:
    client.setblocking(False)
    try:
        gone += client.recv(1) == b""
    except BlockingIOError:
        pass
assert 10 <= gone < 30, f"{gone} of 30 idle connections were closed"
# Now fill what is left, and see the others turned away.
for client in idle:
    client.close()
held, refused = [], 0
for _ in range(40):
    client = connect()
    client.sendall(b"GET /hello HTTP/1.1\r\n")
    held.append(client)
late = connect()
late.sendall(GET)
assert status(late) == 503, "one more was not told 503"
for client in busy:
    client.sendall(b"Host: a\r\n\r\n")
    assert status(client) == 200, "a connection that was there before was lost"
PY
(ulimit -Sn 100 && python3 "$scratch/clients.py" "$port") || fail "the clients say so"

# 400 at once, by processes of their own.
for _ in $(seq 100); do
  printf 'url = "%s/hello"\noutput = "/dev/null"\nwrite-out = "%%{http_code}\\n"\nnext\n' "$url"
done | sed '$d' >"$scratch/requests"
curls=()
for part in 1 2 3 4; do
  begin curl --silent --no-progress-meter --parallel --parallel-immediate --parallel-max 100 \
    --max-time 60 --config "$scratch/requests" >"$scratch/statuses-$part" 2>/dev/null
  curls+=("$begun_pid")
done
for curl in "${curls[@]}"; do wait "$curl" || true; done
answered=$(cat "$scratch"/statuses-* | grep -cx -e 200 -e 503)
expect_equal "requests of 400 answered with 200 or 503" "$answered" 400

running "$worker" || fail "the worker died"
(($(descriptor_count "$worker") <= 115)) || fail "$(descriptor_count "$worker") descriptors"
expect_answer "200 Hello, world" /hello
stop_server
