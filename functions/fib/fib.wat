;; A typed export: called with a number, it returns a number. No memory, no imports.
(module $fib
  ;; The n-th Fibonacci number, fib(0) = 0 and fib(1) = 1, modulo 2^32. n is read as unsigned.
  (func $fib (export "fib") (param $n i32) (result i32)
    (local $current i32)
    (local $next i32)
    (local $sum i32)
    (local.set $next (i32.const 1))
    (block $done
      (loop $step
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $sum (i32.add (local.get $current) (local.get $next)))
        (local.set $current (local.get $next))
        (local.set $next (local.get $sum))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $step)))
    (local.get $current)))
