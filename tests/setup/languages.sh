#!/usr/bin/env bash
# ./dev goes on without a compiler that is not to be had, says so, and asks again the next time.
set -euo pipefail

source_tree=$(readlink -f -- "$(dirname -- "${BASH_SOURCE[0]}")/../..")
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT

root=$scratch/tree
build=$root/build
# shellcheck disable=SC2034  # read by the scripts sourced next
toolchain=$build/toolchain
mkdir -p "$root" "$scratch/bin"
cp -r "$source_tree/cmake" "$root/"
for script in steps packages unpack wabt languages; do
  # shellcheck source=/dev/null
  source "$root/cmake/setup/$script.sh"
done

# A registry and a mirror that cannot be reached.
asked=$scratch/asked
for program in npm apt-get; do
  printf '%s\n' '#!/bin/sh' "echo $program >>'$asked'" 'echo unreachable >&2' 'exit 1' \
    >"$scratch/bin/$program"
  chmod +x "$scratch/bin/$program"
done
export PATH=$scratch/bin:$PATH

for _ in 1 2; do
  : >"$asked"
  install_languages 2>"$scratch/said"
  grep -q 'going on without (npm languages)' "$scratch/said"
  grep -q 'going on without (go)' "$scratch/said"
  grep -q '^npm$' "$asked" || { echo 'FAILED: npm was not asked' >&2; exit 1; }
done
[[ ! -e $toolchain/bin/zig && ! -e $toolchain/npm && ! -e $toolchain/bin/go ]] ||
  { echo 'FAILED: something was left behind' >&2; exit 1; }
echo 'missing compilers are said and asked for again'
