#!/usr/bin/env bash
# Limits that nur.toml sets for one function hold for it, and for no other: time, processor time, memory,
# stack, body, concurrency and queue; and flags go before the file.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

# Answers how many pages it could grow by, up to 2,000 (125 MiB).
write_stream grow <<'END'
  (memory (export "memory") 1)
  (data (i32.const 1024) "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n0000")
  (func (export "poll_stream") (param i32 i32)
    (local $n i32)
    (block $full
      (loop $more
        (br_if $full (i32.eq (memory.grow (i32.const 1)) (i32.const -1)))
        (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 2000)))))
    (i32.store8 (i32.const 1062) (i32.add (i32.const 48) (i32.div_u (local.get $n) (i32.const 1000))))
    (i32.store8 (i32.const 1063) (i32.add (i32.const 48) (i32.rem_u (i32.div_u (local.get $n) (i32.const 100)) (i32.const 10))))
    (i32.store8 (i32.const 1064) (i32.add (i32.const 48) (i32.rem_u (i32.div_u (local.get $n) (i32.const 10)) (i32.const 10))))
    (i32.store8 (i32.const 1065) (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10))))
    (call $send (i32.const 1024) (i32.const 42))
    (call $end))
END
# Calls itself as deep as it is told; each call has some stack.
write_module deep <<'END'
(module (func $deep (export "deep") (param $n i64) (result i64)
  (if (result i64) (i64.eqz (local.get $n))
    (then (i64.const 0))
    (else (i64.add (i64.const 1) (call $deep (i64.sub (local.get $n) (i64.const 1))))))))
END
write_module spin <<'END'
(module (func (export "spin") (loop $again (br $again))))
END
# Sleeps for as long as it may.
write_module sleep <<'END'
(module
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\22\00\00\00")
  (data (i32.const 16) "Content-Type: text/plain\0a\0aslept\0a\0a\0a")
  (func (export "_start")
    (i32.store (i32.const 144) (i32.const 1))
    (i64.store (i32.const 152) (i64.const 60000000000))
    (drop (call $poll (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 64)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))))
END
compile_modules
for name in grow deep spin; do cp "$functions/$name.so" "$functions/$name-free.so"; done
cat >"$functions/nur.toml" <<'END'
[function.grow]
limits = { memory = "1MiB", body = "10B" }
[function.deep-free]
limits = { body = "3MiB" }
[function.deep]
limits = { stack = "64KiB" }
[function.spin]
limits = { cpu = "50ms", timeout = "20s" }
[function.sleep]
limits = { concurrency = 1, queue = 1 }
END
serve --workers 1 --timeout 10s "$functions"

expect_answer "200 0015" /grow
expect_answer "200 2000" /grow-free
expect_answer "200 0015" -d 0123456789 /grow
expect_answer "413 413 Content Too Large: the body is larger than 10 bytes" -d 01234567890 /grow
expect_answer "200 2000" -d 01234567890 /grow-free
expect_answer "413 413 Content Too Large: the body is larger than 10 bytes" \
  -H 'Transfer-Encoding: chunked' -d 01234567890 /grow
# At the head, or at the chunk, that says so, whatever another function takes; where there is no function, as
# much as by default.
at_head() { printf 'POST %s HTTP/1.1\r\nHost: a\r\n%b' "$1" "$2" | exchange | head -n 1; }
expect_match "at the head" "$(at_head /grow 'Content-Length: 11\r\n\r\n')" '^HTTP/1.1 413 '
expect_match "at the chunk" "$(at_head /grow 'Transfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n5\r\n')" '^HTTP/1.1 413 '
expect_match "below /api" "$(at_head /api/grow/1 'Content-Length: 11\r\n\r\n')" '^HTTP/1.1 413 '
expect_match "nobody's" "$(at_head /nobody 'Content-Length: 1048577\r\n\r\n')" '^HTTP/1.1 413 '
head -c 3145728 /dev/zero >"$scratch/large"
expect_status 413 --data-binary "@$scratch/large" /grow-free
expect_status 405 --data-binary "@$scratch/large" /api/deep-free/1
expect_answer "502 502 Bad Gateway: the function trapped: call stack exhausted" /api/deep/20000
expect_answer "200 20000" /api/deep-free/20000
expect_answer "504 504 Gateway Timeout: the function used more than 50ms of CPU time" /api/spin

# One of them at once, and one that waits; the third is told to come back.
for ((i = 0; i < 3; i++)); do
  begin curl --silent --max-time 60 -o "$scratch/slept.$i" "$url/sleep"
done
turned_away() { grep -l '503 Service Unavailable: the function has no instance free' "$scratch"/slept.* 2>/dev/null; }
poll 8 turned_away >/dev/null || fail "nobody was turned away"
expect_equal "turned away" "$(turned_away | wc -l)" 1
expect_equal "answered" "$(find "$scratch" -name 'slept.*' -size +0 | wc -l)" 1
expect_answer "200 20000" /api/deep-free/20000
# Nobody waits for those that sleep.
kill -TERM "$server_pid"
expect_logged 'finishing what is in flight'
stop_server

# A flag goes before the file.
serve --workers 1 --memory-max 2MiB --body-limit 20B --cpu-time 70ms "$functions"
expect_answer "200 0031" /grow
expect_answer "200 0031" -d 01234567890 /grow
expect_status 413 -d 012345678901234567890 /grow
expect_answer "504 504 Gateway Timeout: the function used more than 70ms of CPU time" /api/spin
stop_server

# A file with a mistake keeps the host from starting.
printf '[function.grow]\nlimits = { memory = 5 }\n' >"$functions/nur.toml"
expect_exit 1 "$nurhost" serve --listen 127.0.0.1:0 "$functions"
expect_said "nurhost: $functions/nur\.toml:2:21: \`memory\` is a size like \"64MiB\", not a whole number"
