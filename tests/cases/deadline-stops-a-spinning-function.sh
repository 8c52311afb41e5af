#!/usr/bin/env bash
# A function that never returns is stopped when its time is up: the client is told 504, the log says
# which function it was and where, and everybody else is served before, meanwhile and afterwards.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

write_stream endless <<'WAT'
  (memory (export "memory") 1)
  (func $inner_loop (loop $for_ever (br $for_ever)))
  (func $poll_stream (export "poll_stream") (param i32 i32) (call $inner_loop))
WAT
write_stream quick <<'WAT'
  (memory (export "memory") 1)
  (data (i32.const 2000) "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nquick")
  (func $poll_stream (export "poll_stream") (param i32 i32) (call $send (i32.const 2000) (i32.const 43)) (call $end))
WAT
compile_modules -O1
serve --timeout 500ms "$functions"

expect_answer "200 quick" /quick
begin curl --silent --max-time 60 --output /dev/null --write-out '%{http_code}' "$url/endless?one=1" \
  >"$scratch/first"
first=$begun_pid
begin curl --silent --max-time 60 --output /dev/null --write-out '%{http_code}' "$url/endless" \
  >"$scratch/second"
second=$begun_pid
sleep 0.1
expect_answer "200 quick" /quick
wait "$first" "$second"
expect_equal "status of the first" "$(<"$scratch/first")" 504
expect_equal "status of the second" "$(<"$scratch/second")" 504
expect_answer "200 quick" /quick
expect_logged 'function endless: timeout: still running after 500ms in .*(inner_loop|poll_stream).*\(GET /endless\?one=1\)'
expect_equal "time-outs in the log" "$(grep -c 'timeout:' "$server_log")" 2
stop_server
