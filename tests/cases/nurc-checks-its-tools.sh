#!/usr/bin/env bash
# A wasm2c that is missing, too old, another program, dying or never ending is told apart, and so is a
# missing or failing C compiler; none leaves an artefact.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

cp "$case_folder/../../functions/fib/fib.wat" "$modules/fib.wat"
"$(command -v "$NUR_BIN/wat2wasm" wat2wasm | head -n 1)" "$modules/fib.wat" -o "$modules/fib.wasm"
real=$(command -v "$NUR_BIN/wasm2c" wasm2c | head -n 1)

# tool NAME: a program of that name with the commands on standard input.
tool() {
  { echo '#!/bin/sh'; cat; } >"$scratch/$1"
  chmod +x "$scratch/$1"
}
# A wasm2c that says it is a good one, then does as it likes.
wasm2c_that() {
  tool wasm2c <<END
[ "\$1" = --version ] && { echo 1.0.36; exit 0; }
$1
END
}
compile_with() {
  local code=$1
  shift
  expect_exit "$code" "$nurc" compile "$@" "$modules/fib.wasm" -o "$functions/"
  expect_equal "artefacts" "$(ls -A "$functions")" ""
  expect_equal "scratch files" "$(ls -A "$TMPDIR")" ""
}

tool old <<<'echo 1.0.32'
compile_with 1 --wasm2c "$scratch/old"
expect_said 'old is version 1.0.32; nurc needs 1.0.36 or newer' './dev setup'
tool other <<<'echo "other 7"'
compile_with 1 --wasm2c "$scratch/other"
expect_said 'nurc needs 1.0.36 or newer'
compile_with 1 --wasm2c "$scratch/nowhere"
expect_said 'no program .*/nowhere'
expect_exit 1 env NUR_WASM2C=no-such-wasm2c "$nurc" compile "$modules/fib.wasm" -o "$functions/"
expect_said 'no program no-such-wasm2c'

# A nurc that has no wasm2c beside it.
mkdir "$scratch/alone"
cp "$nurc" "$scratch/alone/nurc"
expect_exit 1 env -u NUR_WASM2C PATH="$scratch/alone" "$scratch/alone/nurc" compile \
  "$modules/fib.wasm" -o "$functions/"
expect_said 'wasm2c not found beside nurc or on PATH; run ./dev setup'

# shellcheck disable=SC2016
wasm2c_that 'kill -SEGV $$'
compile_with 3 --wasm2c "$scratch/wasm2c"
expect_said 'fib.wasm: wasm2c died by signal 11'
wasm2c_that 'exit 0'
compile_with 3 --wasm2c "$scratch/wasm2c"
expect_said 'a tool ended well without making m-impl.h'
wasm2c_that 'echo "int x;" >m-impl.h; echo >m_0.c; echo >m_1.c'
compile_with 3 --wasm2c "$scratch/wasm2c"
expect_said 'writes other C than expected'
wasm2c_that 'exec truncate -s 513M m.c'
compile_with 1 --wasm2c "$scratch/wasm2c"
expect_said 'wasm2c wrote a file of more than 536870912 bytes, which is the limit'
wasm2c_that 'echo "the reason" >&2; exit 1'
compile_with 1 --wasm2c "$scratch/wasm2c"
expect_said 'wasm2c failed \(1\): the reason'
wasm2c_that 'printf "\033]0;title\007 text" >&2; exit 1'
compile_with 1 --wasm2c "$scratch/wasm2c"
if grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$said"; then fail "what a tool says goes to the terminal as it is"; fi

compile_with 1 --cc "$scratch/nowhere"
expect_said 'C compiler .*/nowhere not found; install it'
# shellcheck disable=SC2016
tool cc <<'END'
[ "$1" = --version ] && { echo "cc 12"; exit 0; }
kill -KILL $$
END
compile_with 3 --wasm2c "$real" --cc "$scratch/cc"
expect_said 'fib.wasm: cc died by signal 9'
# A driver that survives its own child's death tells of it.
tool cc <<'END'
[ "$1" = --version ] && { echo "cc 12"; exit 0; }
echo "g++: internal compiler error: Segmentation fault signal terminated program cc1" >&2; exit 4
END
compile_with 3 --wasm2c "$real" --cc "$scratch/cc"
expect_said 'fib.wasm: a process of cc died: .*Segmentation fault'
tool cc <<'END'
[ "$1" = --version ] && { echo "cc 12"; exit 0; }
echo "cc1: out of memory allocating 65536 bytes after a total of 4294967296 bytes" >&2; exit 1
END
compile_with 1 --wasm2c "$real" --cc "$scratch/cc"
expect_said 'fib.wasm: cc needs more than its limit of 4GiB of memory'
# The module is a good one by then, so a complaint of the C compiler is a defect of ours.
tool cc <<<'[ "$1" = --version ] && { echo "cc 12"; exit 0; }; echo "m.c:1: no" >&2; exit 1'
compile_with 3 --wasm2c "$real" --cc "$scratch/cc"
expect_said 'cc failed \(1\): m.c:1: no'
tool cc <<<'echo "cc 12"'
compile_with 3 --no-cache --wasm2c "$real" --cc "$scratch/cc"
expect_said 'a tool ended well without making m0.s'
