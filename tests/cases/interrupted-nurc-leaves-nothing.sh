#!/usr/bin/env bash
# Control-C: exit code 130, no artefact, no scratch files, no processes.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

for i in $(seq 1 12); do
  {
    echo '(module (memory (export "memory") 1)'
    for j in $(seq 1 300); do
      echo "(func (export \"f$j\") (param i32) (result i32)
        (i32.add (i32.load (local.get 0)) (i32.mul (local.get 0) (i32.const $((i * j))))))"
    done
    echo ')'
  } | write_module "m$i"
done

for signal in INT TERM HUP; do
  for delay in 0.15 0.4 0.8; do
    # Units that an earlier round has left in the cache would make this one end before its signal.
    rm -rf -- "$NUR_CACHE"
    # Background processes of a script ignore SIGINT unless told otherwise.
    begin env --default-signal=INT "$nurc" compile -j 2 "$modules"/m*.wat -o "$functions/"
    working() { [[ -n $(ls -A "$TMPDIR") ]]; }
    poll 10 working || fail "nurc does not begin"
    sleep "$delay"
    kill "-$signal" "$begun_pid"
    code=0
    wait "$begun_pid" || code=$?
    expect_equal "exit code after SIG$signal" "$code" 130
    expect_equal "scratch files after SIG$signal" "$(ls -A "$TMPDIR")" ""
    for file in "$functions"/*; do
      [[ -e $file ]] || continue
      # One that was done before the signal is a whole one.
      expect_exit 0 "$nurc" inspect "$file"
    done
    [[ ! -e $functions/m12.so ]] || fail "nothing was interrupted"
    rm -f "$functions"/*
  done
done
