;; Fails in the way the request asks for: how=unreachable, oob, div, stack or indirect. The first
;; letter after "how=" decides; anything else is answered with the list of choices.
(module $trap
  (import "nur" "nur_send" (func $nur_send (param i32 i32)))
  (import "nur" "nur_end" (func $nur_end))

  (type $nothing (func))
  (table 2 funcref)
  (memory (export "memory") 1)
  (global $depth (mut i32) (i32.const 0))

  ;; 0..1023 receives chunks, the answer follows.
  (data (i32.const 1024)
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 51\r\n\r\n"
    "how= one of unreachable, oob, div, stack, indirect\n")

  (func $alloc (export "alloc") (param $length i32) (result i32)
    (if (i32.gt_u (local.get $length) (i32.const 1024))
      (then (unreachable)))
    (i32.const 0))

  ;; The byte after the first "how=" in data[0, length), 0 if there is none.
  (func $find_how (param $data i32) (param $length i32) (result i32)
    (local $end i32)
    ;; "how=" and one letter: fewer bytes cannot hold it.
    (if (i32.lt_u (local.get $length) (i32.const 5))
      (then (return (i32.const 0))))
    (local.set $end (i32.sub (i32.add (local.get $data) (local.get $length)) (i32.const 4)))
    (block $absent
      (loop $next
        (br_if $absent (i32.ge_u (local.get $data) (local.get $end)))
        ;; "how=" as a little-endian word.
        (if (i32.eq (i32.load align=1 (local.get $data)) (i32.const 0x3d776f68))
          (then (return (i32.load8_u offset=4 (local.get $data)))))
        (local.set $data (i32.add (local.get $data) (i32.const 1)))
        (br $next)))
    (i32.const 0))

  (func $hit_unreachable
    (unreachable))

  (func $read_out_of_bounds (result i32)
    (i32.load (i32.const 0xfffffff0)))

  (func $divide_by_zero (result i32)
    (i32.div_s (i32.const 1) (global.get $depth)))

  ;; Adds to what the call returns and counts in a global, so that no compiler makes it a loop.
  (func $recurse (param $n i32) (result i32)
    (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
    (i32.add (call $recurse (i32.add (local.get $n) (i32.const 1))) (global.get $depth)))

  ;; No entry of the table is ever set.
  (func $call_null_entry
    (call_indirect (type $nothing) (i32.const 1)))

  (func $poll_stream (export "poll_stream") (param $data i32) (param $length i32)
    (local $how i32)
    (if (i32.eqz (local.get $length))
      (then (call $nur_end) (return)))
    (local.set $how (call $find_how (local.get $data) (local.get $length)))
    (if (i32.eq (local.get $how) (i32.const 117)) ;; u
      (then (call $hit_unreachable)))
    (if (i32.eq (local.get $how) (i32.const 111)) ;; o
      (then (drop (call $read_out_of_bounds))))
    (if (i32.eq (local.get $how) (i32.const 100)) ;; d
      (then (drop (call $divide_by_zero))))
    (if (i32.eq (local.get $how) (i32.const 115)) ;; s
      (then (drop (call $recurse (i32.const 0)))))
    (if (i32.eq (local.get $how) (i32.const 105)) ;; i
      (then (call $call_null_entry)))
    (call $nur_send (i32.const 1024) (i32.const 116))
    (call $nur_end)))
