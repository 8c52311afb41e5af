;; As many steps as it is asked for: what a function that computes is to those beside it.
(module
  (func (export "run") (param $n i32) (result i64) (local $x i64)
    (loop $next
      (local.set $x (i64.add (i64.mul (local.get $x) (i64.const 6364136223846793005)) (i64.const 1442695040888963407)))
      (br_if $next (i32.gt_s (local.tee $n (i32.sub (local.get $n) (i32.const 1))) (i32.const 0))))
    (local.get $x)))
