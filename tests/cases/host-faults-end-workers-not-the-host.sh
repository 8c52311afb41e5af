#!/usr/bin/env bash
# What goes wrong in the host while it works for a function is never taken for the guest's: the worker
# dies, the log says of what and for whom, requests that wait are served by the next one, and a
# function that has brought down its worker three times in a minute is not run any more.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

: "${NUR_TESTS:?the folder with nurhost_faulty and craft_caller}"
nurhost=$NUR_TESTS/nurhost_faulty
cp "$NUR_FUNCTIONS/hello.so" "$functions/"
for import in null_write wild_write abort exit_now loop_in_host execve openat socket clone ptrace mmap; do
  "$NUR_TESTS/craft_caller" "$import" "$functions/$import.so" || fail "no artefact that calls $import"
done

# A nurhost without the module refuses them by name.
expect_exit 1 "$NUR_BIN/nurhost" run "$functions/null_write.so" -- 0
expect_said 'refused by rule imports: this host does not offer test.null_write'

# lost PATH: a request that gets no answer.
lost() {
  local code=0
  curl --silent --max-time 30 --output /dev/null "$url$1" || code=$?
  ((code == 52 || code == 56)) || fail "$1: curl ended with $code instead of losing its connection"
}

# Faults of our own code.
serve --workers 1 --timeout 500ms "$functions"
faults=('null_write:signal 11 .*, program counter 0x[0-9a-f]+, address 0x0'
  'wild_write:signal 11 .*, program counter 0x[0-9a-f]+, address 0x[0-9a-f]+'
  'abort:signal 6 ' 'exit_now:exit code 3')
for fault in "${faults[@]}"; do
  import=${fault%%:*}
  lost "/api/$import/0"
  # The next request waits for the next worker.
  expect_answer "200 Hello, world" /hello
  # AddressSanitizer ends a process in its own way.
  is_sanitized || expect_logged "worker [0-9]+ died: ${fault#*:}.*, in function $import\$"
  is_sanitized || { ! logged "function $import: trap" || fail "$import was taken for a trap"; }
done
# A host function that does not end: the alarm leaves it alone, the master does not.
lost /api/loop_in_host/0
expect_answer "200 Hello, world" /hello
expect_logged 'worker [0-9]+ hangs: ending it' 'worker [0-9]+ died: signal 6 .*, in function loop_in_host'
stop_server

# Three times in a minute.
serve --workers 2 "$functions"
for _ in 1 2 3; do
  lost /api/null_write/0
  expect_answer "200 Hello, world" /hello
done
expect_logged 'function null_write: quarantined for 10 minutes: it has brought down its worker 3 times'
for _ in 1 2 3 4 5 6; do
  expect_equal "answer" "$(ask /api/null_write/0)" \
    "503 503 Service Unavailable: quarantined: the function has brought down its worker 3 times in a minute; deploy it anew"
  expect_answer "200 Hello, world" /hello
done
curl --silent --include --max-time 20 "$url/api/null_write/0" >"$scratch/head"
grep -Eqi '^Retry-After: (600|5[0-9][0-9])' "$scratch/head" || fail "503 without Retry-After: $(<"$scratch/head")"
deaths=$(grep -c 'worker .* died' "$server_log")
expect_equal "deaths" "$deaths" 3
# Another function has three of its own.
lost /api/exit_now/0
expect_answer "200 Hello, world" /hello
stop_server

# What a worker that was taken over would try. Without a filter it gets that far.
is_sanitized && exit 0
serve --workers 1 "$functions"
if logged 'may make any system call'; then skip "this system has no filter of system calls"; fi
for import in execve openat socket clone ptrace mmap; do
  lost "/api/$import/0"
  expect_answer "200 Hello, world" /hello
  expect_logged "worker [0-9]+ died: signal 31 .*, system call $import, .*, in function $import\$"
done
stop_server
