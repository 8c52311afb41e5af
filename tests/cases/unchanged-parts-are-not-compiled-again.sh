#!/usr/bin/env bash
# A large module is compiled in parts, and a part that did not change is taken from the cache; what
# comes out is the same bytes with the cache and without, with one job and with several.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

# large_module NUMBER: thousands of functions that call the next, of which one depends on NUMBER.
large_module() {
  python3 - "$1" <<'END'
import sys
print('(module (memory (export "memory") 1)')
count = 1200
for i in range(count):
    lines = ''.join(f'(local.set 0 (i32.xor (i32.mul (local.get 0) (i32.const {i * 31 + j}))'
                    f' (i32.load offset={j * 4} (i32.const {i}))))' for j in range(12))
    last = sys.argv[1] if i == 700 else '1'
    call = f'(call $f{i + 1} (local.get 0))' if i + 1 < count else '(local.get 0)'
    print(f'(func $f{i} (param i32) (result i32) {lines}'
          f'(i32.add (i32.const {last}) {call}))')
print('(func (export "run") (param i32) (result i32) (call $f0 (local.get 0))))')
END
}

large_module 1 >"$scratch/large.wat"
cache=$scratch/objects
units() { sed -n 's/^\([0-9]*\) units compiled, \([0-9]*\) more taken.*/\1 \2/p' "$said"; }

expect_exit 0 "$nurc" compile -v -j 2 --cache "$cache" "$scratch/large.wat" -o "$scratch/first.so"
read -r compiled taken < <(units)
((compiled >= 4)) || fail "$compiled units of a module this large"
expect_equal "units taken from an empty cache" "$taken" 0

expect_exit 0 "$nurc" compile -v --cache "$cache" "$scratch/large.wat" -o "$scratch/again.so"
expect_equal "units compiled and taken when nothing changed" "$(units)" "0 $compiled"
cmp "$scratch/first.so" "$scratch/again.so" || fail "objects from the cache make another artefact"

expect_exit 0 "$nurc" compile -v -j 1 --no-cache "$scratch/large.wat" -o "$scratch/alone.so"
expect_equal "units compiled and taken without a cache" "$(units)" "$compiled 0"
cmp "$scratch/first.so" "$scratch/alone.so" || fail "one job makes another artefact than two"

# One function changed: one unit.
large_module 2 >"$scratch/large.wat"
expect_exit 0 "$nurc" compile -v --cache "$cache" "$scratch/large.wat" -o "$scratch/changed.so"
expect_equal "units compiled and taken after one change" "$(units)" "1 $((compiled - 1))"
if cmp -s "$scratch/first.so" "$scratch/changed.so"; then fail "the change is not in the artefact"; fi
expect_exit 0 "$nurc" compile --no-cache "$scratch/large.wat" -o "$scratch/alone.so"
cmp "$scratch/changed.so" "$scratch/alone.so" || fail "an object from the cache was not the right one"
before=$("$nurhost" run --invoke run "$scratch/first.so" -- 5)
expect_equal "the result after the change" "$("$nurhost" run --invoke run "$scratch/changed.so" -- 5)" \
  $(((before + 1) & 0xffffffff))

# Other flags are other objects.
expect_exit 0 "$nurc" compile -v -O1 --cache "$cache" "$scratch/large.wat" -o "$scratch/less.so"
expect_equal "units compiled and taken with other flags" "$(units)" "$compiled 0"

# A damaged cache is as good as none, and mended.
find "$cache" -type f -exec sh -c 'for file; do printf damage >"$file"; done' sh {} +
expect_exit 0 "$nurc" compile -v --cache "$cache" "$scratch/large.wat" -o "$scratch/again.so"
expect_equal "units compiled and taken from damage" "$(units)" "$compiled 0"
cmp "$scratch/changed.so" "$scratch/again.so" || fail "damage reached the artefact"
expect_exit 0 "$nurc" compile -v --cache "$cache" "$scratch/large.wat" -o "$scratch/again.so"
expect_equal "units compiled and taken after that" "$(units)" "0 $compiled"

# Nobody else may decide what is linked.
chmod g+w "$cache"
expect_exit 1 "$nurc" compile --cache "$cache" "$scratch/large.wat" -o "$scratch/refused.so"
expect_said 'others may write to it' 'chmod go-w'
[[ ! -e $scratch/refused.so ]] || fail "an artefact from a cache that others may write to"

# No place for a cache is no reason to fail.
expect_exit 0 env -u NUR_CACHE -u HOME -u XDG_CACHE_HOME "$nurc" compile -v "$scratch/large.wat" \
  -o "$scratch/again.so"
expect_said 'taken from no cache'
expect_equal "what is left in TMPDIR" "$(ls "$TMPDIR")" ""
