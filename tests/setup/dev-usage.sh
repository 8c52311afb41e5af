#!/usr/bin/env bash
# What ./dev does with a command line it does not understand, and which wasm2c it accepts.
set -euo pipefail

root=$(readlink -f -- "$(dirname -- "${BASH_SOURCE[0]}")/../..")
said=$(mktemp)
trap 'rm -f -- "$said"' EXIT

# expect CODE TEXT ARGUMENT...: ./dev ARGUMENT... ends with CODE and says TEXT on standard error, but
# nothing on standard output.
expect() {
  local code=$1 text=$2 got=0 output
  shift 2
  output=$(cd / && "$root/dev" "$@" 2>"$said") || got=$?
  if ((got != code)) || [[ -n $output ]] || ! grep -qF -- "$text" "$said"; then
    echo "FAILED: ./dev $*: code $got, expected $code and '$text'; it said:" >&2
    cat "$said" >&2
    exit 1
  fi
}

expect 2 'which verb?'
expect 2 'unknown verb: sevre' sevre
expect 2 'build takes no arguments: all' build all
expect 2 'setup takes no arguments: --force' setup --force
expect 2 'test takes one NAME or -R REGEX' test one two three
expect 2 'unknown option or missing value: -R' test -R
expect 2 'test spec takes no arguments: core/br.wast' test spec core/br.wast
expect 2 'targets: compiler' fuzz
expect 2 'nothing called ../dev to fuzz' fuzz ../dev
expect 2 'benches:' bench
expect 2 'no bench ../dev' bench ../dev

for help in help --help -h; do
  grep -q '^usage: ./dev VERB' <<<"$("$root/dev" "$help")" ||
    { echo "FAILED: ./dev $help" >&2; exit 1; }
done

# shellcheck disable=SC2034  # read by the script sourced next
toolchain=$root/build/toolchain
# shellcheck source=cmake/setup/wabt.sh
source "$root/cmake/setup/wabt.sh"
for version in 1.0.36 1.0.37 1.0.100 1.1; do
  is_wabt_version_good "$version" || { echo "FAILED: wasm2c $version refused" >&2; exit 1; }
done
for version in '' 1.0.32 1.0.9 0.9.40; do
  ! is_wabt_version_good "$version" || { echo "FAILED: wasm2c $version accepted" >&2; exit 1; }
done
echo './dev explains itself'
