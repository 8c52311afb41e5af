#!/usr/bin/env bash
# A guest that leaves a secret wherever it can find none of it in the next request, be that request
# in parallel or after one that trapped, ran out of time, or grew its memory.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

# Answers with what it finds in memory, in a grown page, in globals, in its tables and on its stack
# (a deep call whose locals are not set), then leaves the request's bytes in all of these. A path with
# a 't' as second letter traps afterwards, one with an 's' spins.
write_stream hoarder <<'WAT'
  (memory (export "memory") 2 40)
  (type $nothing (func))
  (table $functions 4 20 funcref)
  (table $things 4 20 externref)
  (elem declare func $secret_function)
  (func $secret_function)
  (global $kept32 (mut i32) (i32.const 0))
  (global $kept64 (mut i64) (i64.const 7))
  (global $kept_function (mut funcref) (ref.null func))
  (data (i32.const 70000) "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
  (data $passive "gone after one data.drop")

  (func $found (result i32)
    (local $at i32)
    (local $bits i32)
    ;; Everything in the first two pages but the request, the answer and where it is written.
    (local.set $at (i32.const 1024))
    (loop $next
      (if (i32.and (i32.ne (i32.load8_u (local.get $at)) (i32.const 0))
                   (i32.or (i32.lt_u (local.get $at) (i32.const 70000))
                           (i32.gt_u (local.get $at) (i32.const 70100))))
        (then (local.set $bits (i32.or (local.get $bits) (i32.const 1)))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1)))
                             (i32.const 131072))))
    (if (i32.ne (memory.size) (i32.const 2))
      (then (local.set $bits (i32.or (local.get $bits) (i32.const 2)))))
    (if (i32.or (i32.ne (global.get $kept32) (i32.const 0))
                (i64.ne (global.get $kept64) (i64.const 7)))
      (then (local.set $bits (i32.or (local.get $bits) (i32.const 4)))))
    (if (i32.eqz (ref.is_null (global.get $kept_function)))
      (then (local.set $bits (i32.or (local.get $bits) (i32.const 8)))))
    (if (i32.eqz (ref.is_null (table.get $functions (i32.const 1))))
      (then (local.set $bits (i32.or (local.get $bits) (i32.const 16)))))
    (if (i32.or (i32.ne (table.size $functions) (i32.const 4))
                (i32.ne (table.size $things) (i32.const 4)))
      (then (local.set $bits (i32.or (local.get $bits) (i32.const 32)))))
    ;; Traps when an earlier request has dropped it for everybody.
    (memory.init $passive (i32.const 70060) (i32.const 0) (i32.const 24))
    ;; The pages behind: grown ones are zero.
    (drop (memory.grow (i32.const 3)))
    (local.set $at (i32.const 131072))
    (loop $next
      (if (i64.ne (i64.load (local.get $at)) (i64.const 0))
        (then (local.set $bits (i32.or (local.get $bits) (i32.const 64)))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8)))
                             (i32.const 327680))))
    (local.get $bits))

  (func $poll_stream (export "poll_stream") (param $data i32) (param $length i32)
    (local $bits i32)
    (local.set $bits (call $found))
    (i32.store8 (i32.const 70038) (i32.add (i32.const 48) (i32.shr_u (local.get $bits) (i32.const 4))))
    (i32.store8 (i32.const 70039) (i32.add (i32.const 48) (i32.and (local.get $bits) (i32.const 15))))
    (i32.store16 (i32.const 70040) (i32.const 0x2020))
    (i32.store8 (i32.const 70042) (i32.const 10))
    (call $send (i32.const 70000) (i32.const 43))

    (memory.copy (i32.const 2000) (local.get $data) (local.get $length))
    (memory.copy (i32.const 131000) (local.get $data) (local.get $length))
    (memory.fill (i32.const 200000) (i32.const 0x5a) (i32.const 100000))
    (global.set $kept32 (i32.load (local.get $data)))
    (global.set $kept64 (i64.load (local.get $data)))
    (global.set $kept_function (ref.func $secret_function))
    (table.set $functions (i32.const 1) (ref.func $secret_function))
    (drop (table.grow $functions (ref.func $secret_function) (i32.const 5)))
    (drop (table.grow $things (ref.null extern) (i32.const 5)))
    (data.drop $passive)
    ;; "POST /hoarder/t": the letter is at 14.
    (if (i32.eq (i32.load8_u offset=14 (local.get $data)) (i32.const 116)) (then (unreachable)))
    (if (i32.eq (i32.load8_u offset=14 (local.get $data)) (i32.const 115))
      (then (loop $for_ever (br $for_ever))))
    (call $end))
WAT
compile_modules
# What was sent when a guest is switched out is on its way: a trap behind that cuts the answer off. A
# long quantum has every trapper trap first.
serve --timeout 1s --quantum 200ms "$functions"

# Many parallel requests with secrets, among them ones that trap.
{
  for i in $(seq 1 600); do
    kind=n
    ((i % 7 == 0)) && kind=t
    printf 'url = "%s/hoarder/%s"\ndata = "secret-%s-%s"\noutput = "%s"\nnext\n' \
      "$url" "$kind" "$i" "$RANDOM$RANDOM" "$scratch/answer-$i"
  done
  printf 'url = "%s/hoarder/n"\ndata = "last"\noutput = "%s"\n' "$url" "$scratch/answer-last"
} >"$scratch/requests"
curl --silent --no-progress-meter --parallel --parallel-max 40 --max-time 60 \
  --config "$scratch/requests" 2>"$scratch/progress" || fail "not every request was answered"

clean=0
for answer in "$scratch"/answer-*; do
  if grep -q 'the function trapped' "$answer"; then continue; fi
  expect_equal "what $answer found (bits)" "$(<"$answer")" "00  "
  clean=$((clean + 1))
done
((clean >= 500)) || fail "only $clean of 601 answers came"

# The spinner has sent its answer before it spins.
for kind in s n t n s n t t n; do
  case $kind in
    s) expect_status 200 --data 'secret of a spinner' "/hoarder/s" ;;
    t) expect_status 502 --data 'secret of a trapper' "/hoarder/t" ;;
    n) expect_answer "200 00  " --data 'secret' "/hoarder/n" ;;
  esac
done
stop_server
