;; The nur stream ABI in WebAssembly text.
(module $hello_wat
  (import "nur" "nur_send" (func $nur_send (param i32 i32)))
  (import "nur" "nur_end" (func $nur_end))
  (memory (export "memory") 1)

  ;; 0..1023 receives chunks, the response follows.
  (data (i32.const 1024)
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 32\r\n\r\n"
    "Hello from the text of a module\n")

  ;; What arrives is not looked at, so every chunk may have the same place.
  (func $alloc (export "alloc") (param $length i32) (result i32)
    (if (i32.gt_u (local.get $length) (i32.const 1024))
      (then (unreachable)))
    (i32.const 0))

  (func $poll_stream (export "poll_stream") (param $data i32) (param $length i32)
    ;; Nothing is sent to a client that closes before it has asked.
    (if (local.get $length)
      (then (call $nur_send (i32.const 1024) (i32.const 97))))
    (call $nur_end)))
