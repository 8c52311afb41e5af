#!/usr/bin/env bash
# A function compiled to count writes what it did, whatever ends it; compiled with that, it does the
# same, and what does not fit is refused by name.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

write_module branch <<'WAT'
(module (memory (export "memory") 1)
  (func $uneven (param i32) (result i32)
    (if (result i32) (i32.rem_u (local.get 0) (i32.const 3))
      (then (i32.add (local.get 0) (i32.const 1)))
      (else (i32.mul (local.get 0) (i32.const 5)))))
  (func (export "run") (param $n i32) (result i32) (local $sum i32) (local $i i32)
    (loop $l
      (local.set $sum (i32.add (local.get $sum) (call $uneven (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $i) (local.get $n))))
    (if (i32.eq (local.get $n) (i32.const 601)) (then (unreachable)))
    (local.get $sum))
  (func (export "spin") (loop $l (br $l))))
WAT
write_module other <<'WAT'
(module (func (export "run") (param i32) (result i32) (local.get 0)))
WAT
branch=$modules/branch.wat
counts=$scratch/counts.so
expect_exit 0 "$nurc" compile --profile-generate "$branch" -o "$counts"
expect_exit 0 "$nurc" inspect "$counts"
expect_said '^profile +counts what it does'
if grep -qa "$TMPDIR" "$counts"; then fail "the scratch folder is named in the artefact"; fi

# counters FILE: all that are not zero, in order.
counters() {
  python3 - "$1" <<'END'
import struct, sys
file = open(sys.argv[1], 'rb').read()
words = file[24 + struct.unpack('<Q', file[16:24])[0]:-32]
print(*sorted({n for n in struct.unpack(f'<{len(words) // 8}Q', words) if n > 2}))
END
}
invoke() { "$nurhost" run "${@:2}" --invoke "$1" "$counts" -- ${argument:+"$argument"}; }

argument=900
expect_equal "result while counting" "$(invoke run --profile "$scratch/a.profile")" 943350
expect_equal "both ways of a branch" "$(counters "$scratch/a.profile")" "300 600"
argument=601
expect_exit 134 invoke run --profile "$scratch/trapped.profile"
expect_equal "counts of a run that trapped" "$(counters "$scratch/trapped.profile")" "201 400"
argument=
expect_exit 124 invoke spin --timeout 200ms --profile "$scratch/late.profile"
[[ $(counters "$scratch/late.profile") -gt 1000 ]] || fail "a time-out loses the counts"
begin "$nurhost" run --profile "$scratch/ended.profile" --invoke spin "$counts"
sleep 0.5
kill -TERM "$begun_pid"
code=0
wait "$begun_pid" || code=$?
expect_equal "exit code after SIGTERM" "$code" 143
[[ $(counters "$scratch/ended.profile") -gt 1000 ]] || fail "SIGTERM loses the counts"
expect_exit 0 "$nurhost" run --invoke run "$counts" -- 3
expect_said 'counts for a profile that nobody asked for'

use() { "$nurc" compile "${@:2}" "$branch" --no-cache -o "$scratch/$1.so"; }
use plain
use once --profile-use "$scratch/a.profile"
use again --profile-use "$scratch/a.profile"
use both --profile-use "$scratch/a.profile" --profile-use "$scratch/trapped.profile"
cmp "$scratch/once.so" "$scratch/again.so" || fail "one profile makes two artefacts"
for name in once both; do
  expect_equal "result of $name" "$("$nurhost" run --invoke run "$scratch/$name.so" -- 900)" 943350
done
expect_exit 0 "$nurc" inspect "$scratch/once.so"
expect_said '^profile +used, sha256 [0-9a-f]{64}$'
first=$(grep '^profile' "$said")
expect_exit 0 "$nurc" inspect "$scratch/both.so"
[[ $(grep '^profile' "$said") != "$first" ]] || fail "two profiles have the digest of one"
# From the cache comes what was compiled with these counts, and no other.
for name in once both; do
  files=(--profile-use "$scratch/a.profile")
  if [[ $name == both ]]; then files+=(--profile-use "$scratch/trapped.profile"); fi
  for turn in 1 2; do
    "$nurc" compile "$branch" "${files[@]}" -o "$scratch/cached.so"
    cmp "$scratch/cached.so" "$scratch/$name.so" || fail "$name from the cache, turn $turn"
  done
done

# What does not fit.
refused() {
  local regex=$1
  shift
  expect_exit 1 "$nurc" compile "$@" -o "$scratch/refused.so"
  expect_said "$regex"
  [[ ! -e $scratch/refused.so ]] || fail "refused and there: $*"
}
refused 'a.profile: the profile is of another module' --profile-use "$scratch/a.profile" "$modules/other.wat"
refused 'the profile is of other options, .*-O2' -O1 --profile-use "$scratch/a.profile" "$branch"
refused 'the profile is of other options' --target-cpu x86-64-v3 --profile-use "$scratch/a.profile" "$branch"
refused 'not a profile that nurhost' --profile-use "$branch" "$branch"
refused 'No such file' --profile-use "$scratch/nowhere" "$branch"
head -c 200 "$scratch/a.profile" >"$scratch/cut.profile"
refused 'cut.profile: the profile is damaged' --profile-use "$scratch/cut.profile" "$branch"
printf 'x' | dd of="$scratch/late.profile" bs=1 seek=300 conv=notrunc status=none
refused 'the profile is damaged' --profile-use "$scratch/late.profile" "$branch"
cat >"$scratch/g++-other" <<'END'
#!/bin/sh
if [ "$1" = --version ]; then echo 'g++ (other) 12.9.9'; exit; fi
exec g++ "$@"
END
chmod +x "$scratch/g++-other"
refused 'the profile is of another compiler' --cc "$scratch/g++-other" --profile-use "$scratch/a.profile" "$branch"
# What g++ 11.3 calls itself in the records of a unit, in place of any other.
cat >"$scratch/g++-old" <<'END'
#!/bin/sh
g++ "$@" || exit
for output; do :; done
case $output in *.s) sed -i '/^\.LPBX0:/{n;s/[0-9]\{2,\}/1110520618/}' "$output" ;; esac
END
chmod +x "$scratch/g++-old"
refused 'profile-generate needs g\+\+ 12 or newer' --cc "$scratch/g++-old" --profile-generate "$branch"
if command -v clang++-19 >/dev/null; then
  refused 'profiles need g\+\+' --cc clang++-19 --profile-generate "$branch"
fi
expect_exit 2 "$nurc" compile --profile-generate --profile-use "$scratch/a.profile" "$branch"
expect_said 'give one'
expect_exit 2 "$nurc" compile --profile-use "$scratch/a.profile" "$modules"/*.wat
expect_said 'one by one'

# Where nothing counts.
expect_exit 1 "$nurhost" run --profile "$scratch/none.profile" --invoke run "$scratch/plain.so" -- 3
expect_said 'counts nothing; compile it with nurc compile --profile-generate'
expect_exit 1 "$nurhost" serve --listen 127.0.0.1:0 --profile "$scratch/none" "$scratch/plain.so"
expect_said 'no function counts'

# The same of a host that serves.
cp "$counts" "$functions/run.so"
cp "$scratch/plain.so" "$functions/"
serve --profile "$scratch/profiles" "$functions"
expect_logged 'function run: counts for a profile' 'function plain: no profile'
expect_status 200 /api/run/900
stop_server
[[ -s $scratch/profiles/run.profile ]] || fail "no profile of a function served"
