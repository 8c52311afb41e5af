#!/usr/bin/env bash
# Guests get the memory they are allowed and not a page more; one that takes all it can get loses its
# own request at most, and a module that needs more from the start is refused by name.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

# Grows page by page until it is refused, writes to each page, then says how many it had.
write_stream greedy <<'WAT'
  (memory (export "memory") 1)
  (data (i32.const 2000) "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n     ")
  (func $poll_stream (export "poll_stream") (param $data i32) (param $length i32)
    (local $pages i32)
    (local $at i32)
    (block $refused
      (loop $more
        (br_if $refused (i32.eq (memory.grow (i32.const 1)) (i32.const -1)))
        (i32.store (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4)) (i32.const 1))
        (br $more)))
    ;; "GET /greedy/x" wants to know what is behind the last page.
    (if (i32.eq (i32.load8_u offset=12 (local.get $data)) (i32.const 0x78)) (then (unreachable)))
    (local.set $pages (memory.size))
    (local.set $at (i32.const 2043))
    (loop $digit
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at)
        (i32.add (i32.const 48) (i32.rem_u (local.get $pages) (i32.const 10))))
      (local.set $pages (i32.div_u (local.get $pages) (i32.const 10)))
      (br_if $digit (i32.ne (local.get $pages) (i32.const 0))))
    (call $send (i32.const 2000) (i32.const 43))
    (call $end))
WAT
write_stream bounded <<'WAT'
  (memory (export "memory") 1 3)
  (func $poll_stream (export "poll_stream") (param i32 i32)
    (if (i32.ne (memory.grow (i32.const 3)) (i32.const -1)) (then (unreachable)))
    (if (i32.ne (memory.grow (i32.const 2)) (i32.const 1)) (then (unreachable)))
    (if (i32.ne (memory.grow (i32.const 1)) (i32.const -1)) (then (unreachable)))
    (call $end))
WAT
write_stream demanding <<'WAT'
  (memory (export "memory") 257)
  (func $poll_stream (export "poll_stream") (param i32 i32))
WAT
write_stream modest <<'WAT'
  (memory (export "memory") 256)
  (data (i32.const 2000) "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
  (func $poll_stream (export "poll_stream") (param i32 i32) (call $send (i32.const 2000) (i32.const 40)) (call $end))
WAT
compile_modules
serve --workers 1 --memory-max 16MiB --timeout 20s "$functions"

expect_equal "functions served" "$(functions_served)" 3
expect_logged "not serving .*/demanding.so: refused by rule memory: needs .* to start with, the limit is 16MiB"
for _ in 1 2 3; do
  expect_answer "200   256" /greedy/a
  expect_status 502 /greedy/x
  expect_answer "200 ok" /modest
  # It sends nothing, which is told apart from a trap.
  expect_match "answer of bounded" "$(ask /bounded)" '^502 .*without sending'
done

# Many bombs at once hold the host up, but do not bring it down.
pids=()
for _ in 1 2 3 4 5 6 7 8; do
  begin curl --silent --max-time 60 --output /dev/null "$url/greedy/x"
  pids+=("$begun_pid")
done
for pid in "${pids[@]}"; do wait "$pid"; done
expect_answer "200 ok" /modest

# What they took is given back: eight fresh instances of greedy are a page each.
memory=$(resident_kib "$(worker_pid)")
if ! is_sanitized; then ((memory < 100 * 1024)) || fail "$memory KiB are still resident"; fi
stop_server
