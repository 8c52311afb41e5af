#!/usr/bin/env bash
# While functions change nobody who asks is refused, cut off, or answered with anything but the old or
# the new version, and soon only with the new one; requests in flight are finished; and what a reload
# takes is given back.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

reloads=${NUR_RELOADS:-12}
mkdir "$scratch/built"
for version in old-version new-version; do
  cat >"$scratch/built/$version.wat" <<WAT
(module
  (import "env" "response_set_body" (func \$body (param i32 i64)))
  (memory (export "memory") 1)
  (data (i32.const 0) "$version")
  (func (export "handle") (call \$body (i32.const 0) (i64.const ${#version}))))
WAT
  "$nurc" compile -O0 "$scratch/built/$version.wat" -o "$scratch/built/"
done
# deploy VERSION
deploy() { cp "$scratch/built/$1.so" "$functions/tale.so"; }
write_sleeper sleepy 2
# Sends a part of its answer, sleeps, and sends the rest.
write_module stream <<'WAT'
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 1000) "Content-Type: text/plain\n\nfirst ")
  (data (i32.const 1100) "last")
  (func $send (param i32 i32)
    (i32.store (i32.const 300) (local.get 0))
    (i32.store (i32.const 304) (local.get 1))
    (if (call $write (i32.const 1) (i32.const 300) (i32.const 1) (i32.const 308)) (then (unreachable))))
  (func (export "_start")
    (call $send (i32.const 1000) (i32.const 32))
    (i32.store offset=16 (i32.const 0) (i32.const 1))
    (i64.store offset=24 (i32.const 0) (i64.const 2000000000))
    (if (call $poll (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 200)) (then (unreachable)))
    (call $send (i32.const 1100) (i32.const 4))))
WAT
compile_modules
deploy old-version

log_lines() { grep -Ec -- "$1" "$server_log" || true; }
has_reloaded() { (($(log_lines 'reloaded in') >= $1)); }
answers() { [[ $(ask "${@:2}") == "$1" ]]; }
# Of the last generation alone.
has_workers() { (($(worker_pids | wc -l) == $1)); }

serve --workers 2 "$functions"
expect_answer "200 old-version" /tale

# A change under load.
begin python3 "$case_folder/reload_clients.py" "127.0.0.1:$port" /tale "$scratch/stop" "$scratch/answers"
clients=$begun_pid
sleep 0.5
versions=(new-version old-version)
for round in 0 1 2 3; do
  deploy "${versions[round % 2]}"
  poll 20 has_reloaded $((round + 1)) || fail "no reload"
  sleep 0.2
done
deploy new-version
poll 20 has_reloaded 5 || fail "no reload"
# Who had a connection without a request has it for a second more.
poll 20 has_workers 2 || fail "workers of before a reload are still there"
since=$(date +%s%N)
sleep 0.5
touch "$scratch/stop"
wait "$clients" || fail "the clients have failed"
awk -v since="$since" '
  $3 != 200 || ($4 != "old-version" && $4 != "new-version") { print "lost or torn: " $0; bad = 1 }
  $1 > since { behind[$2]++ }
  $1 > since && $4 != "new-version" { print "old behind the change: " $0; bad = 1 }
  { seen[$2 " " $4]++ }
  END {
    if (behind["new"] < 1 || behind["kept"] < 1) { print "nobody asked behind the change"; bad = 1 }
    if (seen["kept old-version"] < 1 || seen["kept new-version"] < 1) { print "too few answers"; bad = 1 }
    exit bad
  }' "$scratch/answers" >"$scratch/bad" || fail "$(head -n 5 "$scratch/bad")"

# Requests in flight get their whole answers.
begin curl --silent --max-time 20 --output "$scratch/rested" "$url/sleepy"
sleeping=$begun_pid
begin curl --silent --max-time 20 --no-buffer --output "$scratch/streamed" "$url/stream"
streaming=$begun_pid
expect_logged 'function sleepy: log: begun'
has_part() { [[ $(cat "$scratch/streamed" 2>/dev/null) == "first " ]]; }
poll 20 has_part || fail "the answer does not begin"
deploy old-version
poll 20 has_reloaded 6 || fail "no reload"
poll 20 answers "200 old-version" /tale || fail "no new version beside a request in flight"
running "$sleeping" || fail "the request was not in flight"
wait "$sleeping" || fail "a request in flight was lost"
wait "$streaming" || fail "an answer in flight was cut off"
expect_equal "answer in flight" "$(<"$scratch/rested")" "rested"
expect_equal "streamed answer" "$(<"$scratch/streamed")" "first last"

# Ten changes at once end in the last.
for round in 1 2 3 4 5; do
  deploy old-version
  deploy new-version
done
poll 20 answers "200 new-version" /tale || fail "the last of many changes is not served"
sleep 1.5
for _ in 1 2 3 4 5; do expect_answer "200 new-version" /tale; done

# Workers that are killed while they start are started again, or the reload is given up.
poll 20 has_workers 2 || fail "workers of before a reload are still there"
reloaded=$(log_lines 'reloaded in')
mapfile -t old < <(worker_pids)
deploy old-version
killed=0
until_time=$((SECONDS + 10))
while ((killed == 0 && SECONDS < until_time)); do
  read -ra now <"/proc/$server_pid/task/$server_pid/children" || true
  for pid in "${now[@]}"; do
    [[ " ${old[*]} " == *" $pid "* ]] || { kill -KILL "$pid" && killed=$pid && break; }
  done
done
((killed > 0)) || fail "no new worker was seen"
expect_logged "worker $killed died: signal 9"
poll 20 has_reloaded $((reloaded + 1)) || fail "a killed worker ends a reload"
poll 20 has_workers 2 || fail "there are not as many workers as before"
poll 20 answers "200 old-version" /tale || fail "no new version behind a killed worker"

# The next master takes over while workers of two generations are there.
begin curl --silent --max-time 20 --output "$scratch/rested" "$url/sleepy"
sleeping=$begun_pid
begun_twice() { (($(log_lines 'function sleepy: log: begun') >= 2)); }
poll 20 begun_twice || fail "the request does not begin"
sleep 1
reloaded=$(log_lines 'reloaded in')
kill -HUP "$server_pid"
poll 20 has_reloaded $((reloaded + 1)) || fail "no reload"
mapfile -t workers < <(worker_pids)
begun+=("${workers[@]}")
kill -KILL "$server_pid"
poll 20 stopped "$server_pid" || fail "the master is still there"
listen=127.0.0.1:$port
serve --workers 2 "$functions"
expect_answer "200 old-version" /tale
wait "$sleeping" || fail "a request in flight was lost"
expect_equal "answer in flight" "$(<"$scratch/rested")" "rested"

# Many reloads leave nothing behind. The first ones warm up.
reload_times() {
  local count
  for ((count = $(log_lines 'reloaded in') + 1; $1 > 0; ++count)); do
    kill -HUP "$server_pid"
    poll 20 has_reloaded "$count" || fail "no reload"
    expect_answer "200 old-version" /tale
    set -- $(($1 - 1))
  done
}
descriptors() { if can_look_into "$server_pid"; then descriptor_count "$server_pid"; else echo unknown; fi; }
reload_times 3
poll 20 has_workers 2 || fail "workers of before a reload are still there"
resident=$(resident_kib "$server_pid")
open=$(descriptors)
reload_times "$reloads"
poll 20 has_workers 2 || fail "workers of before a reload are still there"
expect_equal "descriptors of the master" "$(descriptors)" "$open"
grown=$(($(resident_kib "$server_pid") - resident))
echo "the master has grown by $grown KiB in $reloads reloads"
# AddressSanitizer keeps what was freed.
is_sanitized || ((grown < 1024)) || fail "the master has grown by $grown KiB in $reloads reloads"
expect_equal "workers" "$(worker_pids | wc -l)" 2

# SIGTERM ends all generations, in order.
begin curl --silent --max-time 20 --output "$scratch/rested" "$url/sleepy"
sleeping=$begun_pid
poll 20 logged 'function sleepy: log: begun' || fail "the request does not begin"
reload_times 1
stop_server
wait "$sleeping" || fail "a request of an old worker was lost"
expect_equal "answer in flight" "$(<"$scratch/rested")" "rested"
