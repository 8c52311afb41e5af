#!/usr/bin/env bash
# A worker that is killed loses what it had in flight and nothing else: who waits to be let in is
# served by the next worker, the other worker's requests are not touched, and there is a next worker
# soon (bench/restart has the time).
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

write_sleeper sleepy 1
compile_modules
cp "$NUR_FUNCTIONS/hello.so" "$functions/"

# One worker: whoever comes while it is away waits, and is served.
serve --workers 1 "$functions"
worker=$(worker_pid)
begin curl --silent --max-time 20 --output /dev/null "$url/sleepy"
lost=$begun_pid
expect_logged 'function sleepy: log: begun'
kill -KILL "$worker"
expect_answer "200 Hello, world" /hello
if wait "$lost"; then fail "a request of the killed worker was answered"; fi
expect_logged "worker $worker died: signal 9 \(Killed\)"
[[ $(worker_pid) != "$worker" ]] || fail "the dead worker is still there"
# Who is killed from outside is on no function's account.
for _ in 1 2 3; do
  kill -KILL "$(worker_pid)"
  expect_answer "200 rested" /sleepy
done
if logged 'quarantined'; then fail "a function is in quarantine for what it did not do"; fi
stop_server
expect_logged 'stopped after 5 request'

# Two: what the other one has in flight is answered.
serve --workers 2 "$functions"
begin_sleeping() {
  requests=()
  local i
  for i in $(seq 1 30); do
    begin curl --silent --max-time 20 --write-out ' %{http_code}' --output - "$url/sleepy" \
      >"$scratch/answer-$i"
    requests+=("$begun_pid")
  done
}
all_begun() { (($(grep -c 'function sleepy: log: begun' "$server_log") >= 30)); }
mapfile -t workers < <(worker_pids)
expect_equal "workers" "${#workers[@]}" 2
begin_sleeping
poll 20 all_begun || fail "not all requests have begun"
kill -KILL "${workers[0]}"
answered=0
for request in "${requests[@]}"; do
  if wait "$request"; then answered=$((answered + 1)); fi
done
whole=$(cat "$scratch"/answer-* | grep -o 'rested 200' | wc -l)
expect_equal "whole answers" "$whole" "$answered"
mapfile -t workers_now < <(worker_pids)
expect_equal "workers" "${#workers_now[@]}" 2
[[ " ${workers_now[*]} " == *" ${workers[1]} "* ]] || fail "the other worker has gone, too"
for _ in $(seq 1 20); do expect_answer "200 Hello, world" /hello; done
stop_server
