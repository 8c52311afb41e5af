#!/usr/bin/env bash
# SIGTERM: who is being served gets the answer, nobody new gets in, and the exit code is 0. A second
# SIGTERM does not wait.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

write_sleeper sleepy 2
compile_modules

refuses_connections() { ! (exec 6<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }
begin_request() {
  begin curl --silent --max-time 60 --write-out ' %{http_code}' --output - "$url/sleepy" \
    >"$scratch/answer"
  request=$begun_pid
  expect_logged 'function sleepy: log: begun'
}

serve --timeout 30s "$functions"
begin_request
kill -TERM "$server_pid"
poll 10 refuses_connections || fail "new connections are still taken"
running "$server_pid" || fail "nurhost did not wait for the request"
wait "$request" || fail "the request in flight was not answered"
expect_equal "answer in flight" "$(<"$scratch/answer")" "rested 200"
poll 20 stopped "$server_pid" || fail "nurhost is still there"
code=0
wait "$server_pid" || code=$?
expect_equal "exit code" "$code" 0
expect_logged 'signal 15: finishing what is in flight' 'stopped after 1 request'

serve --timeout 30s "$functions"
begin_request
kill -TERM "$server_pid"
expect_logged 'signal 15: finishing what is in flight'
kill -TERM "$server_pid"
code=0
wait "$server_pid" || code=$?
expect_equal "exit code" "$code" 0
expect_logged 'stopping at once: a second signal came'
wait "$request" && fail "the request was answered after all"

# Requests that outlive the drain are cut off.
serve --timeout 30s --drain-timeout 100ms "$functions"
begin_request
kill -INT "$server_pid"
code=0
wait "$server_pid" || code=$?
expect_equal "exit code" "$code" 0
expect_logged 'stopping at once: requests are still in flight'

# With nobody there it is over at once.
serve "$functions"
stop_server
