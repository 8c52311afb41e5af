#!/usr/bin/env bash
# Loads and stores of linear memory are one instruction each, through gs, with the index computed in
# the address; a load whose value nobody uses is there too; an indirect call compares
# twice, and a call of the host loads where that is and nothing else.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

# compile MODULE: disassembles a module of one exported function to $scratch/code.
compile() {
  cat >"$modules/one.wat"
  "$nurc" compile "$modules/one.wat" -o "$scratch/one.so"
  objdump -d --no-show-raw-insn "$scratch/one.so" >"$scratch/code"
}

# expect_count NUMBER PATTERN WHAT
expect_count() {
  local count
  count=$(grep -cE "$2" "$scratch/code" || true)
  ((count == $1)) || fail "$3: $count times instead of $1: $(cat "$scratch/code")"
}

compile <<'WAT'
(module (memory 1)
  (func (export "f") (param $at i32) (result i32)
    (i32.load offset=16 (local.get $at))))
WAT
expect_count 1 'mov +%gs:0x10\(%r[a-z0-9]+\),%e' 'a load with a static offset'
expect_count 1 '%gs:' 'access through gs'

compile <<'WAT'
(module (memory 1)
  (func (export "f") (param $at i32) (result f64)
    (f64.load (i32.add (local.get $at) (i32.const 24)))))
WAT
expect_count 1 'movs[ds] +%gs:0x18\(%(e[a-z]+|r[0-9]+d)\),%xmm' 'a load at a computed index'
expect_count 0 '\blea\b.*0x18' 'computing the index apart'

compile <<'WAT'
(module (memory 1)
  (func (export "f") (param $at i32) (param $value i64)
    (i64.store offset=8 (local.get $at) (i64.add (i64.load (local.get $at)) (local.get $value)))))
WAT
expect_count 2 '%gs:' 'a load and a store'
expect_count 1 'add +%gs:\(%[a-z0-9]+\),' 'a load as the operand of an addition'

compile <<'WAT'
(module (memory 1)
  (func (export "f") (param $at i32)
    (drop (i32.load (local.get $at)))
    (i32.store (i32.const 0) (i32.and (i32.load8_u (local.get $at)) (i32.const 0)))))
WAT
expect_count 3 '%gs:' 'loads of unused values and a store'

compile <<'WAT'
(module (memory 1)
  (func (export "f") (param $at i32)
    (v128.store offset=32 (local.get $at)
      (i32x4.add (v128.load (local.get $at)) (v128.load32_splat offset=4 (local.get $at))))))
WAT
expect_count 3 '%gs:' 'two loads and a store of vectors'
expect_count 1 'mov(dqu|ups) +%gs:\(%' 'a load of a vector, of any alignment'

# Constant addresses above 2 GiB, for which gcc has an instruction that it writes without a segment.
compile <<'WAT'
(module (memory 1)
  (func (export "f") (param $value i64) (result i64)
    (i64.store offset=0xffffffff (i32.const -1) (local.get $value))
    (i32.store8 (i32.const 0x90000000) (i32.const 1))
    (i64.load offset=0xfffffff0 (i32.const -1))))
WAT
expect_count 3 '%gs:' 'accesses at constant addresses'
expect_count 0 'movabs +(0x|%[a-z]+,0x)' 'an access without the segment'

compile <<'WAT'
(module (type $t (func (param i32) (result i32))) (table 2 funcref)
  (func (export "f") (param $at i32) (result i32)
    (call_indirect (type $t) (local.get $at) (local.get $at))))
WAT
expect_count 1 'cmp +0x[0-9a-f]+\(%r[a-z0-9]+\),%e' 'the index held against the size'
# shellcheck disable=SC2016  # a constant in assembly language
expect_count 1 'cmpq? +\$0x1,' 'the type held against a constant'
expect_count 1 'call +\*' 'the call'

# An imported function finds the host in the instance's header: one load, in the call itself.
compile <<'WAT'
(module (import "nur" "nur_end" (func $end)) (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 0))
  (func (export "poll_stream") (param i32 i32) (call $end)))
WAT
expect_count 1 'call +\*-0x40\(%' 'the call of the host'
expect_count 0 'mov +(0x0)?\(%r[a-z0-9]+\),%r' 'a load before the call of the host'
