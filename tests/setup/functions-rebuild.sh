#!/usr/bin/env bash
# What ./dev build compiles again when something in functions/ changes, told from what a recording
# nurc is asked for.
set -euo pipefail

source_tree=$(readlink -f -- "$(dirname -- "${BASH_SOURCE[0]}")/../..")
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT

root=$scratch/tree
build=$root/build
asked=$scratch/asked
export asked
mkdir -p "$root/functions/alpha" "$root/functions/beta" "$build/release/bin"
cp -r "$source_tree/cmake" "$root/"

# shellcheck source=cmake/setup/steps.sh
source "$root/cmake/setup/steps.sh"
# shellcheck source=cmake/setup/functions.sh
source "$root/cmake/setup/functions.sh"

# nurc compile FILE... -o FOLDER/: notes the names, makes one object each.
cat >"$build/release/bin/nurc" <<'END'
#!/usr/bin/env bash
set -euo pipefail
[[ $1 == compile && ${*: -2:1} == -o && ${*: -1} == */ ]] || exit 2
folder=${*: -1}
shift
while [[ $1 != -o ]]; do
  name=$(basename -- "$1")
  grep -q refuse "$1" && { echo "$1: refused" >&2; exit 3; }
  echo "${name%.*}" >>"$asked"
  cp -- "$1" "$folder${name%.*}.so"
  shift
done
END
# shellcheck disable=SC2016
printf '%s\n' '#!/bin/sh' 'cat source >"$1"; echo run >>"$2/runs"' >"$root/functions/alpha/build"
chmod +x "$build/release/bin/nurc" "$root/functions/alpha/build"
echo one >"$root/functions/alpha/source"
echo two >"$root/functions/beta/beta.wat"

# Runs a build in a shell of its own, and expects nurc to be asked for these names.
expect_compiled() {
  local what=$1
  shift
  : >"$asked"
  (build_functions release) 2>"$scratch/said" || {
    cat "$scratch/said" >&2
    echo "FAILED: $what: the build failed" >&2
    exit 1
  }
  local got
  got=$(sort "$asked" | paste -sd ' ')
  if [[ $got != "$*" ]]; then
    echo "FAILED: $what: compiled '$got', expected '$*'" >&2
    exit 1
  fi
}

# Stamps tell times apart by the clock of the file system, which ticks every few milliseconds.
tick() {
  sleep 0.05
}

expect_compiled 'all at first' alpha beta
[[ $(<"$build/functions/alpha.so") == one && $(<"$build/functions/beta.so") == two ]]
expect_compiled 'nothing when nothing changed'

tick
echo three >"$root/functions/alpha/source"
expect_compiled 'a changed source' alpha
[[ $(<"$build/functions/alpha.so") == three ]]

tick
echo four >"$root/functions/beta/beta.wat"
expect_compiled 'a changed text module' beta

tick
touch "$build/release/bin/nurc"
expect_compiled 'all after a change of nurc' alpha beta
runs=$(wc -l <"$build/functions-scratch/alpha/runs")
((runs == 2)) || { echo "FAILED: a new nurc ran the build script ($runs runs)" >&2; exit 1; }

rm "$build/functions/alpha.so"
expect_compiled 'a lost object' alpha

rm "$build/functions/wasm/alpha.wasm"
expect_compiled 'a lost module' alpha

# A module that nurc refuses fails the build, every time, and is not stamped.
tick
echo refuse >"$root/functions/beta/beta.wat"
for _ in 1 2; do
  if (build_functions release) 2>"$scratch/said"; then
    echo 'FAILED: a refused module did not fail the build' >&2
    exit 1
  fi
  grep -q 'beta.wat: refused' "$scratch/said"
done
echo five >"$root/functions/beta/beta.wat"
expect_compiled 'a mended module' beta

# So does a build script that fails.
tick
printf '%s\n' '#!/bin/sh' 'echo no such compiler >&2; exit 1' >"$root/functions/alpha/build"
if (build_functions release) 2>"$scratch/said"; then
  echo 'FAILED: a failing build script did not fail the build' >&2
  exit 1
fi
grep -q 'no such compiler' "$scratch/said"

# One that misses its compiler leaves its function out, says so, and takes back what there was.
tick
printf '%s\n' '#!/bin/sh' 'echo there is no such compiler; exit 77' >"$root/functions/alpha/build"
expect_compiled 'nothing without a compiler'
if ! grep -q 'functions/alpha is left out: there is no such compiler' "$scratch/said" ||
  [[ -e $build/functions/alpha.so ]]; then
  echo 'FAILED: a function without its compiler' >&2
  exit 1
fi
tick
# shellcheck disable=SC2016
printf '%s\n' '#!/bin/sh' 'cat source >"$1"; echo run >>"$2/runs"' >"$root/functions/alpha/build"
expect_compiled 'a compiler that has come' alpha

# What is in functions/sdk belongs to all, and is no function.
tick
mkdir "$root/functions/sdk"
echo shared >"$root/functions/sdk/header.h"
expect_compiled 'a change of what all share' alpha

# A folder that is gone takes its object along; one put there by hand stays.
echo mine >"$build/functions/by-hand.so"
rm -r "$root/functions/alpha"
expect_compiled 'nothing for a removed folder'
[[ ! -e $build/functions/alpha.so && -e $build/functions/by-hand.so ]] ||
  { echo 'FAILED: objects after a removed folder' >&2; exit 1; }

# A folder that makes no module is an error that says what is missing.
mkdir "$root/functions/gamma"
if (build_functions release) 2>"$scratch/said"; then
  echo 'FAILED: a folder without a module did not fail the build' >&2
  exit 1
fi
grep -q 'functions/gamma has neither an executable build nor gamma.wat' "$scratch/said"
echo 'functions are compiled again exactly when they have to be'
