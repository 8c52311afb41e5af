;; Six ways never to return; which one is the first parameter. 0 returns at once.
(module
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (memory (export "memory") 16)
  (func $down (param $n i32)
    (if (local.get $n) (then (call $down (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "run") (param $kind i32) (result i32)
    (local $i i32)
    (if (i32.eq (local.get $kind) (i32.const 1)) (then (loop $l (br $l))))
    (if (i32.eq (local.get $kind) (i32.const 2)) (then (loop $l
      (i32.store (i32.and (local.get $i) (i32.const 0xffff))
        (i32.add (i32.load (i32.and (local.get $i) (i32.const 0xffff))) (i32.const 1)))
      (local.set $i (i32.add (local.get $i) (i32.const 4)))
      (br $l))))
    (if (i32.eq (local.get $kind) (i32.const 3)) (then (loop $l (call $down (i32.const 5000)) (br $l))))
    (if (i32.eq (local.get $kind) (i32.const 4)) (then (loop $l (drop (call $yield)) (br $l))))
    (if (i32.eq (local.get $kind) (i32.const 5)) (then (loop $l (drop (memory.grow (i32.const 0))) (br $l))))
    (if (i32.eq (local.get $kind) (i32.const 6)) (then (loop $l
      (memory.fill (i32.const 0) (local.get $i) (i32.const 1048576)) (br $l))))
    (i32.const 0)))
