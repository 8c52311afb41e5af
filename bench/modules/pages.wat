;; What bench/reset runs: writes to a number of pages of its memory, the pages chosen by the caller.
(module
  (memory (export "memory") 64)
  (data (i32.const 0) "an image at the bottom")
  (data (i32.const 65536) "and one in the middle")
  (table 100 funcref)
  (elem (i32.const 0) $run)
  (global $calls (mut i64) (i64.const 0))
  ;; Writes a word to `count` pages, `step` bytes apart, from `at` on.
  (func $run (export "run") (param $at i32) (param $step i32) (param $count i32)
    (global.set $calls (i64.add (global.get $calls) (i64.const 1)))
    (loop $next
      (i32.store (local.get $at) (local.get $count))
      (local.set $at (i32.add (local.get $at) (local.get $step)))
      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))))
