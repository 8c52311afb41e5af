#!/usr/bin/env bash
# A guest that fills its stack loses its request and nothing else: $NUR_OVERFLOWS of them, in the guest
# and at every distance of 16 bytes around the last room that a call of the host, a bulk operation or
# a large frame needs. Each is answered correctly or "call stack exhausted". ./dev test overflows
# makes 100,000.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

overflows=${NUR_OVERFLOWS:-2000}
is_sanitized && overflows=200

# $down calls itself, through the table so that the C compiler makes one small frame of each, until it
# is $n deep, and then the function of $kind. Each frame adds 1 to the result.
down() {
  cat <<'WAT'
  (type $step (func (param i32) (result i32)))
  (global $kind (mut i32) (i32.const 0))
  (func $down (type $step)
    (i32.add (i32.const 1)
      (call_indirect (type $step)
        (i32.sub (local.get 0) (i32.const 1))
        (select (i32.const 0) (global.get $kind) (local.get 0)))))
  ;; The number in decimal from $at on, up to what is no digit.
  (func $number (param $at i32) (result i32)
    (local $value i32)
    (local $digit i32)
    (block $end
      (loop $next
        (local.set $digit (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))
        (br_if $end (i32.gt_u (local.get $digit) (i32.const 9)))
        (local.set $value (i32.add (i32.mul (local.get $value) (i32.const 10)) (local.get $digit)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (local.get $value))
WAT
}

# A function with a frame of $2 values of 8 bytes.
# shellcheck disable=SC2016 # names of wasm
frame() {
  printf '  (func $%s (type $step)\n' "$1"
  local i
  for ((i = 0; i < $2; i++)); do printf '    (local i64)\n'; done
  for ((i = 1; i <= $2; i++)); do
    printf '    (local.set %d (i64.load offset=%d (i32.const 32768)))\n' "$i" $((8 * i))
  done
  printf '    (drop (call_indirect (type $step) (i32.const 0) (i32.const 1)))\n'
  for ((i = 1; i <= $2; i++)); do
    printf '    (i64.store offset=%d (i32.const 32768) (local.get %d))\n' $((8 * i)) "$i"
  done
  printf '    (i32.const 0))\n'
}

# "GET /edge/lN" goes N deep and does what the letter says: b is the function of index 1.
{
  down
  cat <<'WAT'
  (memory (export "memory") 2 4)
  (data (i32.const 2000) "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
  (table 32 64 funcref)
  (elem (i32.const 0)
    $down $nothing $log_it $send_it $grow_it $fill_it $copy_it $extend_it $work $spin $some $many)
  (global $sent (mut i32) (i32.const 0))
  (func $nothing (type $step) (i32.const 0))
  (func $log_it (type $step) (call $log (i32.const 2038) (i32.const 2)) (i32.const 0))
  (func $send_it (type $step)
    (call $send (i32.const 2000) (i32.const 40))
    (global.set $sent (i32.const 1))
    (i32.const 0))
  (func $grow_it (type $step) (i32.sub (memory.grow (i32.const 1)) (i32.const 2)))
  (func $fill_it (type $step)
    (memory.fill (i32.const 65536) (i32.const 1) (i32.const 65536))
    (i32.sub (i32.load8_u (i32.const 131071)) (i32.const 1)))
  (func $copy_it (type $step)
    (memory.copy (i32.const 65536) (i32.const 2038) (i32.const 60000))
    (i32.sub (i32.load8_u (i32.const 65536)) (i32.const 0x6f)))
  (func $extend_it (type $step)
    (i32.sub (table.grow (ref.null func) (i32.const 8)) (i32.const 32)))
  ;; Longer than a slice, so that it is switched out while others wait.
  (func $work (type $step)
    (local $left i32)
    (local.set $left (i32.const 1000000))
    (loop $again
      (i32.store (i32.const 40000) (local.get $left))
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (local.get $left))
  (func $spin (type $step) (loop $for_ever (br $for_ever)) (i32.const 0))
WAT
  frame some 70
  frame many 9000
  cat <<'WAT'
  (func (export "poll_stream") (param $data i32) (param $length i32)
    (local $depth i32)
    (global.set $kind
      (i32.sub (i32.load8_u offset=10 (local.get $data)) (i32.const 97)))
    (local.set $depth (call $number (i32.add (local.get $data) (i32.const 11))))
    (if (i32.ne (call $down (local.get $depth)) (i32.add (local.get $depth) (i32.const 1)))
      (then (unreachable)))
    (if (i32.eqz (global.get $sent)) (then (call $send (i32.const 2000) (i32.const 40))))
    (call $end))
WAT
} | write_stream edge

# The same for a command, which finds letter and depth in its input and writes at the bottom.
{
  cat <<'WAT'
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
WAT
  down
  cat <<'WAT'
  (memory (export "memory") 1)
  (data (i32.const 1000) "Content-Type: text/plain\n\nok")
  (table 3 funcref)
  (elem (i32.const 0) $down $write_it $look_at_clock)
  (func $write_answer (result i32)
    (i32.store (i32.const 300) (i32.const 1000))
    (i32.store (i32.const 304) (i32.const 28))
    (call $write (i32.const 1) (i32.const 300) (i32.const 1) (i32.const 308)))
  (func $write_it (type $step) (call $write_answer))
  (func $look_at_clock (type $step)
    (call $clock (i32.const 1) (i64.const 0) (i32.const 400)))
  (func $_start (export "_start")
    (local $depth i32)
    (i32.store (i32.const 300) (i32.const 2000))
    (i32.store (i32.const 304) (i32.const 16))
    (drop (call $read (i32.const 0) (i32.const 300) (i32.const 1) (i32.const 308)))
    (global.set $kind (i32.sub (i32.load8_u (i32.const 2000)) (i32.const 97)))
    (local.set $depth (call $number (i32.const 2001)))
    (if (i32.ne (call $down (local.get $depth)) (i32.add (local.get $depth) (i32.const 1)))
      (then (unreachable)))
    (if (i32.ne (global.get $kind) (i32.const 1)) (then (drop (call $write_answer))))))
WAT
} | write_module wasi
compile_modules

# begin_edges ARGUMENT...: a server with two workers.
begin_edges() {
  serve --workers 2 "$@" "$functions"
  mapfile -t workers < <(worker_pids | sort)
  expect_equal "workers" "${#workers[@]}" 2
}
expect_same_workers() { expect_equal "workers" "$(worker_pids | sort | xargs)" "${workers[*]}"; }

# ask_edge NAME LETTER DEPTH: status and body.
ask_edge() {
  if [[ $1 == wasi ]]; then ask --data "$2$3" /wasi; else ask "/$1/$2$3"; fi
}

overflow='502 502 Bad Gateway: the function trapped: call stack exhausted'
# find_edge NAME LETTER: sets edge to the least depth that does not work.
find_edge() {
  local works=0 answer middle
  edge=200000
  answer=$(ask_edge "$1" "$2" "$edge")
  [[ $answer == "$overflow"* ]] || fail "$1 $2 at depth $edge: $answer"
  while ((works + 1 < edge)); do
    middle=$(((works + edge) / 2))
    answer=$(ask_edge "$1" "$2" "$middle")
    case $answer in
      "200 ok") works=$middle ;;
      "$overflow"*) edge=$middle ;;
      *) fail "$1 $2 at depth $middle: $answer" ;;
    esac
  done
}

# list_request NAME LETTER DEPTH: for curl, with what is asked in the output.
list_request() {
  if [[ $1 == wasi ]]; then
    printf 'url = "%s/wasi"\ndata = "%s%s"\n' "$url" "$2" "$3"
  else
    printf 'url = "%s/%s/%s%s"\n' "$url" "$1" "$2" "$3"
  fi
  printf 'output = "-"\nwrite-out = " %%{http_code} %s %s %s\\n"\nsilent\nmax-time = 120\nnext\n' \
    "$1" "$2" "$3"
}

begin_edges --timeout 60s
# Letters of edge: b nothing, c nur_log, d nur_send, e memory.grow, f memory.fill, g memory.copy,
# h table.grow, i work, k and l large frames; of wasi: b fd_write, c clock_time_get.
kinds=("edge b" "edge c" "edge d" "edge e" "edge f" "edge g" "edge h" "edge i" "edge k" "edge l"
  "wasi b" "wasi c")
step=1
is_sanitized && step=20
asked=0
# plan STATUS NAME LETTER DEPTH: a request more, for the two clients in turn.
plan() {
  list_request "${@:2}" >>"$scratch/requests-$((asked % 2))"
  ((asked += 1))
  echo "$*" >>"$scratch/expected"
}
for kind in "${kinds[@]}"; do
  read -r name letter <<<"$kind"
  find_edge "$name" "$letter"
  echo "$name $letter: works up to $((edge - 1)) frames" >&2
  [[ $kind != "edge b" ]] || edge_of_nothing=$edge
  # 320 frames of 16 bytes are more than the page that is touched ahead of a call of the host.
  for ((depth = edge - 40; depth < edge + 320; depth += step)); do
    plan $((depth >= edge ? 502 : 200)) "$name" "$letter" "$depth"
  done
done
for ((i = 0; i < 200 / step; i++)); do plan 502 edge a "$i"; done # a never stops calling itself
sed -i '$d' "$scratch"/requests-? # nothing comes next
sort -o "$scratch/expected" "$scratch/expected"
each=$(grep -c ^502 "$scratch/expected")

# Two clients at once, so that both workers get their part.
all_of_them() {
  local -a clients=()
  local client
  for client in 0 1; do
    begin curl --config "$scratch/requests-$client" >"$scratch/answers-$client"
    clients+=("$begun_pid")
  done
  for client in "${clients[@]}"; do wait "$client" || fail "not every request was answered"; done
  begun=("${begun[@]:0:${#begun[@]}-2}")
  # "ok 200 edge c 65000", or the reason and then " 502 edge c 65100".
  awk -v overflow="${overflow#* }" '
    /^ok 200 / { print substr($0, 4) }
    /^ 502 / && last == overflow { print substr($0, 2) }
    { last = $0 }' "$scratch"/answers-? | sort >"$scratch/got"
  cmp -s "$scratch/got" "$scratch/expected" ||
    fail "not as expected: $(diff "$scratch/got" "$scratch/expected" | sed 5q)"
  : >"$server_log" # a line for each would be much
}

all_of_them # a worker makes instances, with their stacks, as it needs them
descriptors() { if can_look_into "$1"; then descriptor_count "$1"; else echo 0; fi; }
declare -A memory_before descriptors_before
for worker in "${workers[@]}"; do
  memory_before[$worker]=$(resident_kib "$worker")
  descriptors_before[$worker]=$(descriptors "$worker")
done
for ((made = 0; made < overflows; made += each)); do all_of_them; done

no_more_descriptors() { (($(descriptors "$1") <= ${descriptors_before[$1]})); }
for worker in "${workers[@]}"; do
  poll 10 no_more_descriptors "$worker" ||
    fail "worker $worker: $(descriptors "$worker") descriptors, were ${descriptors_before[$worker]}"
  grown=$(($(resident_kib "$worker") - ${memory_before[$worker]}))
  echo "worker $worker: resident memory grew by $grown KiB in $made overflows" >&2
  # An instance that another client's request made necessary has a stack of 1 MiB, filled.
  if ! is_sanitized; then ((grown < 8192)) || fail "resident memory grew by $grown KiB"; fi
done
expect_same_workers
stop_server

# The deadline finds guests there, too; one that the machine held up finds it before its last frame.
begin_edges --timeout 20ms
for ((depth = edge_of_nothing - 12; depth < edge_of_nothing + 4; depth++)); do
  answer=$(ask "/edge/j$depth")
  case $answer in
    504*) ;;
    "$overflow"*) ((depth + 2 > edge_of_nothing)) || fail "spinning at depth $depth: $answer" ;;
    *) fail "spinning at depth $depth: $answer" ;;
  esac
done
expect_same_workers
stop_server
