#!/usr/bin/env bash
# What nurc does not compile it refuses with exit code 1, naming the file, the thing and the reason.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

# refused FILE REGEX... [-- OPTION...]
refused() {
  local file=$1
  shift
  local -a regexes=()
  while (($# > 0)) && [[ $1 != -- ]]; do
    regexes+=("$1")
    shift
  done
  (($# == 0)) || shift
  expect_exit 1 "$nurc" compile "$@" "$file" -o "$functions/"
  expect_said "nurc: .*$(basename -- "$file")" "${regexes[@]}"
  expect_equal "artefacts of $file" "$(ls -A "$functions")" ""
}

header='\x00asm\x01\x00\x00\x00'
# bytes NAME PRINTF-FORMAT: writes a module byte by byte.
bytes() {
  # shellcheck disable=SC2059 # the bytes are the format
  printf "$2" >"$scratch/$1.wasm"
}

# Malformed bytes, with the place.
bytes empty ''
refused "$scratch/empty.wasm" 'offset 0x0' 'not a WebAssembly module'
bytes short '\x00asm\x01'
refused "$scratch/short.wasm" 'offset 0x[0-9a-f]+'
bytes version '\x00asm\x02\x00\x00\x00'
refused "$scratch/version.wasm" 'offset 0x4' 'version'
bytes component '\x00asm\x0d\x00\x01\x00'
refused "$scratch/component.wasm" 'component|version'
bytes section "$header"'\x01\x7f'
refused "$scratch/section.wasm" 'offset 0x[89a-f]'
bytes number "$header"'\x01\x85\x80\x80\x80\x80\x80\x80\x00\x01\x60\x00\x00'
refused "$scratch/number.wasm" 'offset 0x[89a-f]'
bytes unknown "$header"'\x3f\x01\x00'
refused "$scratch/unknown.wasm" 'offset 0x8' 'section'
head -c 150 "$NUR_FUNCTIONS/hello.so" >"$scratch/elf.wasm"
refused "$scratch/elf.wasm" 'not a WebAssembly module'
echo 'int main(void) { return 0; }' >"$scratch/c.wasm"
refused "$scratch/c.wasm" 'not a WebAssembly module'
echo '(module (func (export "f") (i32.add)))' >"$scratch/type.wat"
refused "$scratch/type.wat" 'wat2wasm' 'type mismatch'

# A body that is no valid code, which the C translator finds.
bytes invalid "$header"'\x01\x05\x01\x60\x00\x01\x7f\x03\x02\x01\x00\x07\x05\x01\x01f\x00\x00\x0a\x04\x01\x02\x00\x0b'
refused "$scratch/invalid.wasm" 'type mismatch|offset'

# Files.
expect_exit 1 "$nurc" compile "$scratch/nowhere.wasm"
expect_said 'nowhere.wasm: No such file'
expect_exit 1 "$nurc" compile "$modules"
expect_said 'modules: .*not a regular file'
expect_exit 1 "$nurc" inspect "$NUR_FUNCTIONS/../nowhere.so" "$scratch/c.wasm"
expect_said 'nowhere.so' 'c.wasm is neither an artefact .* nor a WebAssembly module'

# Features that are not run, by name.
wat2wasm=$(command -v "$NUR_BIN/wat2wasm" wat2wasm | head -n 1 || true)
[[ -n $wat2wasm ]] || fail "no wat2wasm"
feature() {
  local name=$1 regex=$2
  cat >"$scratch/$name.wat"
  "$wat2wasm" --enable-all "$scratch/$name.wat" -o "$scratch/$name.wasm" || fail "encoding $name"
  refused "$scratch/$name.wasm" "uses $regex \\(.+ at offset 0x[0-9a-f]+\\), which nur does not run"
}
feature memory64 memory64 <<<'(module (memory (export "memory") i64 1) (func (export "_start")))'
feature tail tail.calls <<<'(module (func $f (export "f") (return_call $f)))'
feature threads threads <<<'(module (memory 1 1 shared) (func (export "f") (result i32) (i32.atomic.load (i32.const 0))))'
feature atomics threads <<<'(module (memory 1 1) (func (export "f") (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))))'
feature exceptions exceptions <<<'(module (tag $t) (func (export "f") (throw $t)))'
feature memories multi-memory <<<'(module (memory 1) (memory 1) (func (export "f")))'
feature relaxed 'relaxed SIMD' <<<'(module (func (export "f") (result i32) (i32x4.extract_lane 0 (i32x4.relaxed_trunc_f32x4_s (v128.const i32x4 0 0 0 0)))))'
# Those that this wat2wasm does not write: a struct type, a reference to a type, a page size.
bytes struct "$header"'\x01\x03\x01\x5f\x00'
refused "$scratch/struct.wasm" 'uses garbage collection .*at offset'
bytes typed "$header"'\x01\x06\x01\x60\x01\x64\x00\x00'
refused "$scratch/typed.wasm" 'uses typed function references .*at offset'
bytes pages "$header"'\x05\x04\x01\x08\x01\x00'
refused "$scratch/pages.wasm" 'uses custom page sizes .*at offset'

# Imports.
import() {
  local name=$1
  cat >"$scratch/$name.wat"
  shift
  refused "$scratch/$name.wat" "$@"
}
import misspelt 'imports nur.nur_sent, which nur does not offer; did you mean nur.nur_send\?' \
  <<<'(module (import "nur" "nur_sent" (func (param i32 i32))) (memory (export "memory") 1) (func (export "alloc") (param i32) (result i32) (i32.const 0)) (func (export "poll_stream") (param i32 i32)))'
import foreign 'imports host.puts' 'nur, env and wasi_snapshot_preview1' \
  <<<'(module (import "host" "puts" (func (param i32))) (memory (export "memory") 1) (func (export "_start")))'
import old 'imports wasi_unstable.fd_write: .*wasi_snapshot_preview1.*rebuild' \
  <<<'(module (import "wasi_unstable" "fd_write" (func (param i32 i32 i32 i32) (result i32))) (memory (export "memory") 1) (func (export "_start")))'
import type 'imports nur.nur_send as \(i32\) -> \(\), expected \(i32, i32\) -> \(\)' \
  <<<'(module (import "nur" "nur_send" (func (param i32))) (memory (export "memory") 1) (func (export "alloc") (param i32) (result i32) (i32.const 0)) (func (export "poll_stream") (param i32 i32)))'
import global 'imports global env.g' <<<'(module (import "env" "g" (global i32)) (func (export "f")))'
import table 'imports table env.t' <<<'(module (import "env" "t" (table 1 funcref)) (func (export "f")))'

# Exports.
import nothing 'exports nothing that nur can call' 'poll_stream' '_start' <<<'(module (func))'
import wrong 'exports alloc as \(i64\) -> i64, expected \(i32\) -> i32' \
  <<<'(module (memory (export "memory") 1) (func (export "alloc") (param i64) (result i64) (i64.const 0)) (func (export "poll_stream") (param i32 i32)))'
cp "$case_folder/../../functions/fib/fib.wat" "$scratch/fib.wat"
refused "$scratch/fib.wat" 'lacks exports that the guest abi nur needs: memory, alloc .*, poll_stream' -- --abi nur
refused "$scratch/fib.wat" 'lacks exports that the guest abi wasi needs: memory, _start' -- --abi wasi
expect_exit 0 "$nurc" compile --abi typed "$scratch/fib.wat" -o "$functions/"
