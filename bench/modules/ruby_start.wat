;; ruby -e CODE. The npm package's ruby.wasm is a library for JavaScript, without a way in for a command:
;; this is one, made of the functions that the library exports.
;;
;; Strings and lists are as the canonical ABI of the component model has them: address and length; a
;; list's items lie side by side.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "ruby" "memory" (memory 0))
  (import "ruby" "_initialize" (func $initialize))
  (import "ruby" "cabi_realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
  (import "ruby" "ruby-init: func(args: list<string>) -> ()" (func $ruby_init (param i32 i32)))
  (import "ruby" "ruby-init-loadpath: func() -> ()" (func $ruby_init_loadpath))
  (import "ruby" "rb-eval-string-protect: func(str: string) -> tuple<handle<rb-abi-value>, s32>"
    (func $eval (param i32 i32) (result i32)))
  (func $new (param $bytes i32) (result i32)
    (call $realloc (i32.const 0) (i32.const 0) (i32.const 8) (local.get $bytes)))
  (func $length (param $text i32) (result i32)
    (local $at i32)
    (local.set $at (local.get $text))
    (loop $next
      (if (i32.load8_u (local.get $at))
        (then (local.set $at (i32.add (local.get $at) (i32.const 1))) (br $next))))
    (i32.sub (local.get $at) (local.get $text)))
  ;; Makes the first bytes of a word the string that an item of a list is.
  (func $item (param $list i32) (param $index i32) (param $word i64) (param $length i32)
    (local $text i32)
    (local.set $text (call $new (i32.const 8)))
    (i64.store (local.get $text) (local.get $word))
    (local.set $list (i32.add (local.get $list) (i32.mul (local.get $index) (i32.const 8))))
    (i32.store (local.get $list) (local.get $text))
    (i32.store offset=4 (local.get $list) (local.get $length)))
  (func $run (param $code i32) (param $bytes i32)
    (if (i32.load offset=4 (call $eval (local.get $code) (local.get $bytes)))
      (then (call $proc_exit (i32.const 1)) unreachable)))
  (func (export "_start")
    (local $sizes i32) (local $arguments i32) (local $list i32) (local $text i32)
    (call $initialize)
    (local.set $sizes (call $new (i32.const 8)))
    (drop (call $args_sizes_get (local.get $sizes) (i32.add (local.get $sizes) (i32.const 4))))
    (local.set $arguments (call $new (i32.mul (i32.load (local.get $sizes)) (i32.const 4))))
    (drop (call $args_get (local.get $arguments)
      (call $new (i32.load offset=4 (local.get $sizes)))))
    ;; The arguments are NAME -e CODE.
    (if (i32.ne (i32.load (local.get $sizes)) (i32.const 3))
      (then (call $proc_exit (i32.const 2)) unreachable))
    (local.set $list (call $new (i32.const 16)))
    (call $item (local.get $list) (i32.const 0) (i64.const 0x79627572) (i32.const 4)) ;; ruby
    (call $item (local.get $list) (i32.const 1) (i64.const 0x303d5f652d) (i32.const 5)) ;; -e_=0
    (call $ruby_init (local.get $list) (i32.const 2))
    (call $ruby_init_loadpath)
    (local.set $text (i32.load offset=8 (local.get $arguments)))
    (call $run (local.get $text) (call $length (local.get $text)))
    ;; What is still in a buffer is written by: $stdout.flush
    (local.set $text (call $new (i32.const 16)))
    (i64.store (local.get $text) (i64.const 0x2e74756f64747324))
    (i64.store offset=8 (local.get $text) (i64.const 0x6873756c66))
    (call $run (local.get $text) (i32.const 13))))
