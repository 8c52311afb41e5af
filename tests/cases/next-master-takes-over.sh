#!/usr/bin/env bash
# When the master is killed its workers take nobody new, finish what they have, and end; the next
# master has the address at once, even while a guest of the last one still runs.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

# Computes for as long as it may.
write_module busy <<'WAT'
(module (func (export "busy") (param i32) (result i32) (loop $again (br $again)) (i32.const 0)))
WAT
write_sleeper sleepy 2
compile_modules
cp "$NUR_FUNCTIONS/hello.so" "$functions/"

all_stopped() {
  local pid
  for pid in "${old_workers[@]}"; do stopped "$pid" || return 1; done
}

# kill_master: and remember its workers.
kill_master() {
  mapfile -t old_workers < <(worker_pids)
  begun+=("${old_workers[@]}")
  expect_equal "workers" "${#old_workers[@]}" 2
  kill -KILL "$server_pid"
  poll 20 stopped "$server_pid" || fail "the master is still there"
  mv "$server_log" "$scratch/old.log"
  listen=127.0.0.1:$port
}

serve --workers 2 --timeout 20s "$functions"
begin curl --silent --max-time 20 --output "$scratch/answer" "$url/sleepy"
in_flight=$begun_pid
expect_logged 'function sleepy: log: begun'
kill_master
serve --workers 2 --timeout 3s "$functions"
expect_answer "200 Hello, world" /hello
wait "$in_flight" || fail "the request in flight was not answered"
expect_equal "answer in flight" "$(<"$scratch/answer")" "rested"
poll 20 all_stopped || fail "workers of the killed master are still there"
grep -q 'the master has gone: finishing what is in flight' "$scratch/old.log" ||
  fail "the workers do not say why they end"

# Guests that run hold their workers for 3 s, but not the address.
busy=()
for _ in 1 2 3 4; do
  begin curl --silent --max-time 20 --output /dev/null --write-out '%{http_code}' "$url/api/busy/1"
  busy+=("$begun_pid")
done
sleep 0.5
kill_master
serve --workers 2 "$functions"
expect_answer "200 Hello, world" /hello
for pid in "${busy[@]}"; do wait "$pid" || true; done
poll 20 all_stopped || fail "workers of the killed master are still there"
expect_answer "200 Hello, world" /hello
stop_server

# Again and again, with nobody being served.
for _ in 1 2 3 4 5; do
  serve --workers 2 "$functions"
  expect_answer "200 Hello, world" /hello
  kill_master
done
poll 20 all_stopped || fail "workers of the killed master are still there"

# An address of --tcp goes over, too: who is connected is told the end, and the next one is served.
cp "$NUR_FUNCTIONS/tcp_echo.so" "$functions/"
tcp_port() { sed -n 's/.* serving tcp_echo on tcp:.*:\([0-9]*\)$/\1/p' "$server_log"; }
# expect_echo TEXT: over the connection that is descriptor 9.
expect_echo() {
  local got=
  printf '%s' "$1" >&9
  IFS= read -r -t 20 -N "${#1}" -u 9 got || true
  expect_equal "an echo" "$got" "$1"
}
unset listen
serve --workers 2 --tcp 127.0.0.1:0=tcp_echo "$functions"
tcp=$(tcp_port)
exec 9<>"/dev/tcp/127.0.0.1/$tcp"
expect_echo "before"
kill_master
serve --workers 2 --tcp "127.0.0.1:$tcp=tcp_echo" "$functions"
expect_equal "what follows the end" "$(timeout 20 cat <&9)" ""
exec 9>&-
poll 20 all_stopped || fail "workers of the killed master are still there"
exec 9<>"/dev/tcp/127.0.0.1/$tcp"
expect_echo "behind"
# A worker that dies takes only its own connections with it, and is back.
for pid in $(worker_pids); do
  kill -KILL "$pid"
  new_worker() { (($(worker_pids | grep -vcx "$pid") == 2)); }
  poll 20 new_worker || fail "a worker is not back"
  exec 8<>"/dev/tcp/127.0.0.1/$tcp"
  exec 9>&-
  exec 9<&8 8>&-
  expect_echo "a new connection"
done
exec 9>&-
stop_server
