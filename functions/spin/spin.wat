;; A function that never returns: what the host's deadline is for.
(module $spin
  (import "nur" "nur_log" (func $nur_log (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "spinning for ever")

  ;; Every chunk may have the same place: nothing is read.
  (func $alloc (export "alloc") (param $length i32) (result i32)
    (i32.const 1024))

  (func $poll_stream (export "poll_stream") (param $data i32) (param $length i32)
    (call $nur_log (i32.const 0) (i32.const 17))
    (loop $for_ever
      (br $for_ever))))
