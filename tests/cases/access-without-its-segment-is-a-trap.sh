#!/usr/bin/env bash
# When the C compiler forgets the segment of an access to linear memory, the access goes to the bottom
# of the host's address space. Nothing lies there, so it ends that request as an access out of bounds
# and nothing else.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

# A compiler that forgets all of them.
cat >"$scratch/forgetful-cc" <<'END'
#!/bin/sh
for last; do :; done
g++ "$@" || exit 1
case " $* " in *" -S "*) sed -i 's/%gs://g' "$last" ;; esac
END
chmod +x "$scratch/forgetful-cc"

write_module memory <<'END'
(module
  (memory (export "memory") 1)
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "load_far") (param i32) (result i32)
    (i32.load offset=0xffffffff (local.get 0)))
  (func (export "store") (param i32) (result i32)
    (i32.store (local.get 0) (i32.const 1)) (i32.const 2)))
END
"$nurc" compile "$modules/memory.wat" -o "$scratch/good.so"
expect_equal "a load through the segment" "$("$nurhost" run --invoke load "$scratch/good.so" -- 8)" 0

"$nurc" compile --no-cache --cc "$scratch/forgetful-cc" "$modules/memory.wat" -o "$functions/memory.so"
for call in "load 8" "load 2415919104" "load_far 4294967295" "store 65528" "store 4294967292"; do
  read -r function address <<<"$call"
  expect_exit 134 "$nurhost" run --invoke "$function" "$functions/memory.so" -- "$address"
  expect_said 'trap: out of bounds memory access'
done

# A server goes on, and keeps the place empty.
is_sanitized && exit 0
write_module load <<'END'
(module (memory 1) (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))
END
"$nurc" compile --no-cache --cc "$scratch/forgetful-cc" "$modules/load.wat" -o "$functions/load.so"
serve --workers 1 "$functions"
for address in 8 2415919104 4294967292; do
  expect_status 502 "/api/load/$address"
done
if logged 'worker .* died'; then fail "the worker died"; fi
worker=$(worker_pid)
if can_look_into "$worker"; then
  read -r range permissions _ <"/proc/$worker/maps"
  expect_equal "what lies lowest" "$range $permissions" "00010000-200010000 ---p"
fi
stop_server
