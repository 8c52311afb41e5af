#!/usr/bin/env bash
# The key-value store: what a function stores is there for all workers, after kill -9 and after a restart,
# for itself only, for as long as it said, and up to the limit.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

# storing NAME: does what the last byte of the path says with the key in the query, and answers what the call
# returned. g: get, s: set to the body, t: the same for 200 ms, d: delete, i: increment, l: list.
storing() {
  write_module "$1" <<'WAT'
(module
  (import "env" "request_path" (func $path (param i32 i64) (result i64)))
  (import "env" "request_query" (func $query (param i32 i64) (result i64)))
  (import "env" "request_body" (func $read (param i32 i64) (result i64)))
  (import "env" "response_set_body" (func $answer (param i32 i64)))
  (import "env" "kv_get" (func $get (param i32 i64 i32 i64) (result i64)))
  (import "env" "kv_set" (func $set (param i32 i64 i32 i64 i64) (result i32)))
  (import "env" "kv_delete" (func $delete (param i32 i64) (result i32)))
  (import "env" "kv_increment" (func $increment (param i32 i64 i64 i64 i32) (result i32)))
  (import "env" "kv_list" (func $list (param i32 i64 i32 i64 i32 i64) (result i64)))
  (memory (export "memory") 40)
  (global $at (mut i32) (i32.const 900))
  ;; The number as decimal digits in front of 900.
  (func $say (param $n i64) (local $negative i32)
    (if (i64.lt_s (local.get $n) (i64.const 0))
      (then (local.set $negative (i32.const 1)) (local.set $n (i64.sub (i64.const 0) (local.get $n)))))
    (loop $digit
      (global.set $at (i32.sub (global.get $at) (i32.const 1)))
      (i32.store8 (global.get $at) (i32.wrap_i64 (i64.add (i64.const 48) (i64.rem_u (local.get $n) (i64.const 10)))))
      (local.set $n (i64.div_u (local.get $n) (i64.const 10)))
      (br_if $digit (i64.ne (local.get $n) (i64.const 0))))
    (if (local.get $negative)
      (then (global.set $at (i32.sub (global.get $at) (i32.const 1)))
            (i32.store8 (global.get $at) (i32.const 45))))
    (call $answer (global.get $at) (i64.extend_i32_u (i32.sub (i32.const 900) (global.get $at)))))
  (func $text (param $length i64)
    (if (i64.lt_s (local.get $length) (i64.const 0))
      (then (call $say (local.get $length)))
      (else (call $answer (i32.const 65536) (local.get $length)))))
  (func (export "handle") (local $command i32) (local $key i64) (local $body i64) (local $more i64)
    (local.set $command (i32.load8_u (i32.sub (i32.wrap_i64 (call $path (i32.const 0) (i64.const 100))) (i32.const 1))))
    (local.set $key (call $query (i32.const 1000) (i64.const 2000)))
    (loop $next
      (local.set $more (call $read (i32.add (i32.const 65536) (i32.wrap_i64 (local.get $body))) (i64.const 65536)))
      (local.set $body (i64.add (local.get $body) (local.get $more)))
      (br_if $next (i64.gt_s (local.get $more) (i64.const 0))))
    (if (i32.eq (local.get $command) (i32.const 103))
      (then (call $text (call $get (i32.const 1000) (local.get $key) (i32.const 65536) (i64.const 1100000)))))
    (if (i32.eq (local.get $command) (i32.const 115))
      (then (call $say (i64.extend_i32_s (call $set (i32.const 1000) (local.get $key) (i32.const 65536) (local.get $body) (i64.const 0))))))
    ;; t: for 200 ms
    (if (i32.eq (local.get $command) (i32.const 116))
      (then (call $say (i64.extend_i32_s (call $set (i32.const 1000) (local.get $key) (i32.const 65536) (local.get $body) (i64.const 200))))))
    (if (i32.eq (local.get $command) (i32.const 100))
      (then (call $say (i64.extend_i32_s (call $delete (i32.const 1000) (local.get $key))))))
    (if (i32.eq (local.get $command) (i32.const 105))
      (then
        (local.set $command (call $increment (i32.const 1000) (local.get $key) (i64.const 1) (i64.const 0) (i32.const 32)))
        (if (i32.eqz (local.get $command))
          (then (call $say (i64.load (i32.const 32))))
          (else (call $say (i64.extend_i32_s (local.get $command)))))))
    (if (i32.eq (local.get $command) (i32.const 108))
      (then (call $text (call $list (i32.const 1000) (local.get $key) (i32.const 0) (i64.const 0) (i32.const 65536) (i64.const 4096)))))))
WAT
}
storing kv
storing other

# Counts one key up 500 times in a request.
write_module count <<'WAT'
(module
  (import "env" "kv_increment" (func $increment (param i32 i64 i64 i64 i32) (result i32)))
  (import "env" "response_set_body" (func $answer (param i32 i64)))
  (memory (export "memory") 1)
  (data (i32.const 0) "n")
  (func (export "handle") (local $i i32)
    (loop $next
      (if (call $increment (i32.const 0) (i64.const 1) (i64.const 1) (i64.const 0) (i32.const 8)) (then (unreachable)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 500))))
    (call $answer (i32.const 0) (i64.const 1))))
WAT
# Answers what kv_get says of its own counter.
write_module outside <<'WAT'
(module
  (import "env" "kv_get" (func $get (param i32 i64 i32 i64) (result i64)))
  (memory (export "memory") 1)
  (func (export "handle") (drop (call $get (i32.const 0) (i64.const 1) (i32.const 65000) (i64.const 1000)))))
WAT
compile_modules

data=$scratch/data
serve "$functions" --workers 2 --data "$data" --kv-max 3MiB
store_pid() { pgrep -P "$server_pid" -f . | while read -r pid; do
  [[ $(cat "/proc/$pid/comm") == nurhost-store ]] && echo "$pid"; done; }

expect_answer "200 -1" '/kv/g?absent'
expect_answer "200 0" -d 'a value' '/kv/s?key'
expect_answer "200 a value" '/kv/g?key'
expect_answer "200 -1" '/other/g?key'
expect_answer "200 1" '/kv/d?key'
expect_answer "200 0" '/kv/d?key'
expect_answer "200 1" '/kv/i?n'
expect_answer "200 2" '/kv/i?n'
expect_answer "200 0" -d 'text' '/kv/s?text'
expect_answer "200 -4" '/kv/i?text'
expect_answer "200 -4" '/kv/g'
long=$(printf 'k%.0s' {1..513})
expect_answer "200 -4" "/kv/g?$long"
expect_answer "200 0" -d v "/kv/s?${long:1}"
expect_answer "200 v" "/kv/g?${long:1}"
expect_answer "502 502 Bad Gateway: the function trapped: out of bounds memory access" /outside

# Each key behind its length of four bytes.
expect_equal "keys that begin with n or t" "$(curl -s "$url/kv/l?te" | od -An -tx1 | tr -d " \n")$(curl -s "$url/kv/l?n" | od -An -tx1 | tr -d " \n")" "0400000074657874010000006e"

# 3 MiB in all, a megabyte each.
head -c 1048576 /dev/zero | tr '\0' v >"$scratch/megabyte"
expect_answer "200 0" --data-binary @"$scratch/megabyte" '/other/s?a'
expect_answer "200 0" --data-binary @"$scratch/megabyte" '/other/s?b'
expect_answer "200 -2" --data-binary @"$scratch/megabyte" '/other/s?c'
curl -s "$url/other/g?b" | cmp - "$scratch/megabyte" || fail "a megabyte came back otherwise"
expect_answer "200 1" '/other/d?a'
expect_answer "200 0" -d v '/other/s?c'

# For 200 ms, which have passed when it is gone.
expect_answer "200 0" -d soon '/kv/t?soon'
gone() { [[ $(ask '/kv/g?soon') == "200 -1" ]]; }
poll 20 gone || fail "a value outlives its lifetime"

# 10,000 increments by two workers.
seq 20 | xargs -P 8 -I{} curl -s -o /dev/null "$url/count"
stop_server
serve "$functions" --workers 1 --data "$data"
expect_answer "200 text" '/kv/g?text'
expect_answer "200 3" '/kv/i?n'
stop_server
expect_equal "what 20 requests of 500 increments count" "$(python3 - "$data/kv.sqlite" <<'PY'
import sqlite3, sys
store = sqlite3.connect(sys.argv[1])
print(store.execute("SELECT CAST(value AS TEXT) FROM entries, spaces WHERE space = spaces.id AND name = CAST('count' AS BLOB)").fetchone()[0])
PY
)" 10000

# A store that hangs holds up who waits for it, and nobody else.
serve "$functions" --workers 1 --timeout 60s --data "$data"
kill -STOP "$(store_pid)"
waiting=()
for _ in {1..10}; do
  begin curl -s -o /dev/null "$url/kv/i?held"
  waiting+=("$begun_pid")
done
for _ in {1..20}; do expect_answer "200 -4" '/kv/g'; done
for pid in "${waiting[@]}"; do running "$pid" || fail "a store that hangs has answered"; done
kill -CONT "$(store_pid)"
for pid in "${waiting[@]}"; do wait "$pid"; done
expect_answer "200 11" '/kv/i?held'
stop_server

# Killed outright at any time: what was answered is there, and the store is back.
serve "$functions" --workers 2 --data "$data"
for round in 1 2 3; do
  expect_answer "200 $((round + 3))" '/kv/i?n'
  pid=$(store_pid)
  kill -KILL "$pid"
  back() { [[ $(store_pid) != "$pid" && $(ask '/kv/g?text') == "200 text" ]]; }
  poll 20 back || fail "the store is not back"
done
expect_logged 'the key-value store died: signal 9'
kill -KILL "$server_pid"
wait "$server_pid" 2>/dev/null || true
serve "$functions" --workers 2 --data "$data"
expect_answer "200 7" '/kv/i?n'

# Nobody else may have the same folder.
expect_exit 1 "$nurhost" serve "$functions" --listen 127.0.0.1:0 --data "$data"
expect_said 'another nurhost has it open'
stop_server

# One that fills up all that it may leaves the others theirs, in memory, too; the log says so once.
printf '[function.other.limits]\nkv = "1536KiB"\n' >"$functions/nur.toml"
for where in "--data $scratch/shares" ""; do
  # shellcheck disable=SC2086  # two words
  serve "$functions" --workers 2 $where
  expect_answer "200 0" --data-binary @"$scratch/megabyte" '/other/s?a'
  for _ in 1 2 3; do expect_answer "200 -2" --data-binary @"$scratch/megabyte" '/other/s?b'; done
  for key in a b c; do expect_answer "200 0" --data-binary @"$scratch/megabyte" "/kv/s?$key"; done
  expect_equal "lines of the log that say who is full" \
    "$(grep -c 'function other: has stored all that it may, 1536KiB' "$server_log")" 1
  stop_server
done
rm "$functions/nur.toml"

# Without a folder it is in memory, and that is said.
serve "$functions" --workers 2
expect_logged '--data DIR keeps it'
expect_answer "200 1" '/kv/i?n'
expect_answer "200 2" '/kv/i?n'
stop_server
serve "$functions" --workers 2
expect_answer "200 1" '/kv/i?n'
stop_server

# A folder that is somebody else's, or a file.
touch "$scratch/file"
expect_exit 1 "$nurhost" serve "$functions" --listen 127.0.0.1:0 --data "$scratch/file"
expect_said '^nurhost: .*--data'
