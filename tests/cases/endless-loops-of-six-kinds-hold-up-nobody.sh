#!/usr/bin/env bash
# Six endless loops at once, each of another kind, on the only worker: whoever else asks gets answers
# until they are ended by the deadline, as all six are.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

# "GET /endless/x": the letter says how.
write_stream endless <<'WAT'
  (memory (export "memory") 16)
  (type $step (func (param i32) (result i32)))
  (table 4 funcref)
  (elem (i32.const 0) $one $two $three $four)
  (global $sum (mut i32) (i32.const 0))
  (global $product (mut f64) (f64.const 1))
  (func $one (type $step) (i32.add (local.get 0) (i32.const 1)))
  (func $two (type $step) (i32.mul (local.get 0) (i32.const 3)))
  (func $three (type $step) (i32.xor (local.get 0) (i32.const 0x5555)))
  (func $four (type $step) (i32.rotl (local.get 0) (i32.const 7)))
  (func $descend (param $left i32) (result i32)
    (if (i32.eqz (local.get $left)) (then (return (global.get $sum))))
    (global.set $sum (i32.add (global.get $sum) (local.get $left)))
    (i32.xor (call $descend (i32.sub (local.get $left) (i32.const 1))) (global.get $sum)))
  (func $empty (loop $for_ever (br $for_ever)))
  (func $recursion
    (loop $for_ever (drop (call $descend (i32.const 5000))) (br $for_ever)))
  (func $stores
    (local $at i32)
    (loop $for_ever
      (i64.store (i32.and (local.get $at) (i32.const 0xffff8)) (i64.extend_i32_u (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br $for_ever)))
  (func $floats
    (loop $for_ever
      (global.set $product
        (f64.sqrt (f64.add (f64.div (global.get $product) (f64.const 3)) (f64.const 7))))
      (br $for_ever)))
  (func $indirect
    (local $value i32)
    (loop $for_ever
      (block $third
        (block $second
          (block $first
            (br_table $first $second $third (i32.and (local.get $value) (i32.const 3))))
          (local.set $value (i32.add (local.get $value) (i32.const 5))))
        (local.set $value (i32.add (local.get $value) (i32.const 9))))
      (local.set $value
        (call_indirect (type $step) (local.get $value) (i32.and (local.get $value) (i32.const 3))))
      (br $for_ever)))
  (func $bulk
    (loop $for_ever
      (memory.fill (i32.const 0) (i32.const 7) (i32.const 1048576))
      (memory.copy (i32.const 1) (i32.const 0) (i32.const 1048575))
      (br $for_ever)))
  (func $poll_stream (export "poll_stream") (param $data i32) (param $length i32)
    (block $f
      (block $e
        (block $d
          (block $c
            (block $b
              (block $a
                (br_table $a $b $c $d $e $f
                  (i32.sub (i32.load8_u offset=13 (local.get $data)) (i32.const 97))))
              (call $empty))
            (call $recursion))
          (call $stores))
        (call $floats))
      (call $indirect))
    (call $bulk))
WAT
write_neighbour
compile_modules
serve --workers 1 --timeout 4s "$functions"
worker=$(worker_pid)

loops=()
for kind in a b c d e f; do
  begin curl --silent --max-time 100 --output /dev/null --write-out '%{http_code}' "$url/endless/$kind" \
    >"$scratch/status-$kind"
  loops+=("$begun_pid")
done
# Counted is what came while all six were still there. The neighbour's own time-out is theirs.
answers=0
loops_left() {
  local pid left=0
  for pid in "${loops[@]}"; do ! running "$pid" || ((left += 1)); done
  echo "$left"
}
until [[ $(loops_left) == 0 ]]; do
  expect_answer "200 ok" /neighbour
  [[ $(loops_left) != 6 ]] || ((answers += 1))
done
echo "$answers answers beside them" >&2
((answers > 0)) || fail "no neighbour was served beside the six loops"
for kind in a b c d e f; do
  wait "${loops[0]}" || fail "no answer to /endless/$kind"
  loops=("${loops[@]:1}")
  expect_equal "status of /endless/$kind" "$(<"$scratch/status-$kind")" 504
done
for kind in a b c d e f; do
  expect_logged "function endless: timeout: still running after 4s in .*\(GET /endless/$kind\)"
done
expect_equal "worker" "$(worker_pid)" "$worker"
expect_answer "200 ok" /neighbour
stop_server
