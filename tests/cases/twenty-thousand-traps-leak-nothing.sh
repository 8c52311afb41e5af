#!/usr/bin/env bash
# Traps cost their own request only: after $NUR_TRAPS of 16 kinds each worker has the memory and the
# descriptors that it had after the first ones. ./dev test storm makes a million.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

traps=${NUR_TRAPS:-20000}
is_sanitized && traps=2000

# The first letter of the path behind the name says how to fail.
write_stream failing <<'WAT'
  (memory (export "memory") 1 4)
  (type $nothing (func))
  (type $number (func (result i32)))
  (table 3 funcref)
  (elem (i32.const 1) $number_function)
  (global $depth (mut i32) (i32.const 0))
  (func $number_function (type $number) (i32.const 1))
  (func $recurse (param $n i32) (result i32)
    (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
    (i32.add (call $recurse (i32.add (local.get $n) (i32.const 1))) (global.get $depth)))
  (func $poll_stream (export "poll_stream") (param $data i32) (param $length i32)
    (local $how i32)
    (local $zero i32)
    (local.set $zero (global.get $depth))
    ;; "GET /failing/x"
    (local.set $how (i32.load8_u offset=13 (local.get $data)))
    (if (i32.eq (local.get $how) (i32.const 0x61)) (then (unreachable)))
    (if (i32.eq (local.get $how) (i32.const 0x62))
      (then (drop (i32.load offset=0xfffffff0 (i32.const 0xfffffff0)))))
    (if (i32.eq (local.get $how) (i32.const 0x63)) (then (i32.store (i32.const 65533) (i32.const 1))))
    (if (i32.eq (local.get $how) (i32.const 0x64))
      (then (drop (i32.div_s (i32.const 1) (local.get $zero)))))
    (if (i32.eq (local.get $how) (i32.const 0x65))
      (then (drop (i64.rem_u (i64.const 1) (i64.extend_i32_u (local.get $zero))))))
    (if (i32.eq (local.get $how) (i32.const 0x66))
      (then (drop (i32.div_s (i32.const 0x80000000) (i32.sub (local.get $zero) (i32.const 1))))))
    (if (i32.eq (local.get $how) (i32.const 0x67))
      (then (drop (i32.trunc_f64_s (f64.const 1e10)))))
    (if (i32.eq (local.get $how) (i32.const 0x68)) (then (drop (i64.trunc_f32_u (f32.const nan)))))
    (if (i32.eq (local.get $how) (i32.const 0x69)) (then (drop (call $recurse (i32.const 0)))))
    (if (i32.eq (local.get $how) (i32.const 0x6a)) (then (call_indirect (type $nothing) (i32.const 0))))
    (if (i32.eq (local.get $how) (i32.const 0x6b)) (then (call_indirect (type $nothing) (i32.const 1))))
    (if (i32.eq (local.get $how) (i32.const 0x6c)) (then (call_indirect (type $nothing) (i32.const 99))))
    (if (i32.eq (local.get $how) (i32.const 0x6d))
      (then (memory.fill (i32.const 0) (i32.const 1) (i32.const 65537))))
    (if (i32.eq (local.get $how) (i32.const 0x6e))
      (then (memory.copy (i32.const 65000) (i32.const 0) (i32.const 1000))))
    (if (i32.eq (local.get $how) (i32.const 0x6f)) (then (table.set (i32.const 3) (ref.null func))))
    (if (i32.eq (local.get $how) (i32.const 0x70)) (then (call $send (i32.const 65000) (i32.const 1000))))
    (call $end))
WAT
compile_modules
serve --workers 2 "$functions"
mapfile -t workers < <(worker_pids)
expect_equal "workers" "${#workers[@]}" 2
descriptors() { if can_look_into "$1"; then descriptor_count "$1"; else echo 0; fi; }

# 16 kinds times 63 are 1,008 requests over a few connections that are kept alive.
{
  for _ in $(seq 1 63); do
    for kind in a b c d e f g h i j k l m n o p; do
      printf 'url = "%s/failing/%s"\noutput = "/dev/null"\n' "$url" "$kind"
    done
  done
} >"$scratch/requests"

# Four clients at once, so that both workers get their part.
four_thousand_traps() {
  local -a clients=()
  local client
  for client in 1 2 3 4; do
    begin curl --silent --max-time 120 --write-out '%{http_code}\n' --config "$scratch/requests" \
      >"$scratch/statuses-$client"
    clients+=("$begun_pid")
  done
  for client in "${clients[@]}"; do wait "$client" || fail "not every request was answered"; done
  begun=("${begun[@]:0:${#begun[@]}-4}")
  : >"$server_log" # a line for each would be much
  expect_equal "statuses" "$(cat "$scratch"/statuses-* | sort | uniq -c | tr -s ' ')" " 4032 502"
}

# A tenth of them first: a worker makes instances, with their stacks, as it needs them.
for ((made = -12096; made < traps / 10; made += 4032)); do four_thousand_traps; done
# Stacks that overflowed are given back once a second.
sleep 3
declare -A memory_before descriptors_before
for worker in "${workers[@]}"; do
  memory_before[$worker]=$(resident_kib "$worker")
  descriptors_before[$worker]=$(descriptors "$worker")
done
for ((made = 0; made < traps; made += 4032)); do four_thousand_traps; done

no_more_descriptors() { (($(descriptors "$1") <= ${descriptors_before[$1]})); }
no_more_memory() { is_sanitized || (($(resident_kib "$1") < ${memory_before[$1]} + 1024)); }
for worker in "${workers[@]}"; do
  poll 10 no_more_descriptors "$worker" ||
    fail "worker $worker: $(descriptors "$worker") descriptors, were ${descriptors_before[$worker]}"
  poll 10 no_more_memory "$worker" ||
    fail "worker $worker: $(resident_kib "$worker") KiB resident, were ${memory_before[$worker]}"
  echo "worker $worker: resident memory grew by" \
    "$(($(resident_kib "$worker") - ${memory_before[$worker]})) KiB in $made traps" >&2
done
expect_status 502 /failing/a
expect_equal "workers" "$(worker_pids | sort | xargs)" "$(printf '%s\n' "${workers[@]}" | sort | xargs)"
stop_server
