#!/usr/bin/env bash
# Whenever nurc is killed, alone or with its whole process group, its output is absent or whole, what was
# there before it is still good, no other file is left there or in the scratch folders' place, and none
# of the processes it began lives on.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

# Large enough that the C compiler works for a while.
{
  echo '(module (memory (export "memory") 1)'
  for i in $(seq 1 60); do
    echo "(func (export \"f$i\") (param \$a i32) (param \$b f64) (result f64) (local \$i i32)
      (loop \$l
        (f64.store (i32.mul (local.get \$i) (i32.const 8))
          (f64.add (f64.mul (local.get \$b) (f64.const $i.5)) (f64.load (local.get \$a))))
        (br_if \$l (i32.lt_u (local.tee \$i (i32.add (local.get \$i) (i32.const 3)))
                             (i32.mul (local.get \$a) (i32.const $i)))))
      (f64.sqrt (f64.load (i32.and (local.get \$a) (i32.const $i)))))"
  done
  echo ')'
} | write_module large
folder=$scratch/out
mkdir "$folder" "$scratch/expected"

began=$(date +%s%N)
"$nurc" compile "$modules/large.wat" -o "$scratch/expected/"
whole_ms=$((($(date +%s%N) - began) / 1000000))

# Those of nurc's processes that live, told by their scratch folder, which lies below this case's.
survivors() {
  local environ pid
  for environ in $(grep -lsaF "TMPDIR=$TMPDIR/" /proc/[0-9]*/environ || true); do
    pid=${environ#/proc/} pid=${pid%/environ}
    if running "$pid"; then tr '\0' ' ' <"/proc/$pid/cmdline" || true; fi
  done 2>/dev/null
}
nobody_left() { [[ -z $(survivors) ]]; }
no_scratch_left() { [[ -z $(ls -A "$TMPDIR") ]]; }

rounds=40
for round in $(seq 1 $rounds); do
  earlier=
  if ((round % 2 == 0)); then
    cp "$NUR_FUNCTIONS/hello.so" "$folder/large.so"
    earlier=$(sha256sum <"$folder/large.so")
  fi
  # Without what earlier rounds have left in it, or there would be nothing to interrupt.
  rm -rf -- "$NUR_CACHE"
  # The leader of a group.
  begin setsid "$nurc" compile "$modules/large.wat" -o "$folder/"
  # Somewhere in its part of the time from the first instant to a little beyond the end.
  delay_ms=$((whole_ms * (100 * (round - 1) + RANDOM % 100) * 105 / 100 / rounds / 100))
  sleep "$(printf '%d.%03d' $((delay_ms / 1000)) $((delay_ms % 1000)))"
  if ((round % 4 < 2)); then
    kill -KILL -- "-$begun_pid" 2>/dev/null || true
  fi
  kill -KILL "$begun_pid" 2>/dev/null || true
  wait "$begun_pid" 2>/dev/null || true
  poll 20 nobody_left || fail "a process of nurc's lives on after round $round: $(survivors)"

  if [[ -f $folder/large.so ]]; then
    if ! cmp -s "$folder/large.so" "$scratch/expected/large.so"; then
      [[ -n $earlier && $(sha256sum <"$folder/large.so") == "$earlier" ]] ||
        fail "round $round left another file than the old one or the new one"
    fi
    expect_exit 0 "$nurc" inspect "$folder/large.so"
  else
    [[ -z $earlier ]] || fail "round $round took the old artefact away"
  fi
  poll 20 no_scratch_left || fail "round $round left $(find "$TMPDIR")"
  expect_equal "files beside the artefact" "$(find "$folder" -type f ! -name large.so)" ""
  rm -f "$folder/large.so"
done

# A compiler whose own child would go on for long.
cat >"$scratch/cc" <<END
#!/bin/sh
case \$1 in
  --version) echo "cc 12"; exit 0 ;;
  -print-prog-name=*) echo "\${1#*=}"; exit 0 ;;
esac
sleep 300 &
touch begun
wait
END
chmod +x "$scratch/cc"
begin "$nurc" compile --cc "$scratch/cc" "$modules/large.wat" -o "$folder/"
begun() { compgen -G "$TMPDIR/*/begun" >/dev/null; }
poll 20 begun || fail "the compiler is not started"
expect_match "the compiler's child" "$(survivors)" 'sleep 300'
kill -KILL "$begun_pid"
wait "$begun_pid" 2>/dev/null || true
poll 20 nobody_left || fail "the compiler's child lives on: $(survivors)"
poll 20 no_scratch_left || fail "the scratch folder lives on"
expect_equal "files" "$(ls -A "$folder")" ""
