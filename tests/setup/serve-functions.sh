#!/usr/bin/env bash
# Serves the example functions with ./dev serve and holds their answers against what their folders
# say they are; looks at what an artefact offers. Run by bare.sh inside the system it made; takes
# a tree where ./dev build is done, and curl.
set -euo pipefail

root=$(readlink -f -- "$(dirname -- "${BASH_SOURCE[0]}")/../..")

fail() {
  printf 'serve-functions: %s\n' "$1" >&2
  [[ ! -s $log ]] || cat -- "$log" >&2
  exit 1
}

log=$(mktemp)
host=
trap '[[ -z $host ]] || kill -KILL "$host" 2>/dev/null || true; rm -f -- "$log"' EXIT

symbols=$(nm --dynamic --format=just-symbols "$root/build/functions/hello.so")
[[ $symbols == nur_module ]] || fail "hello.so has these symbols, not nur_module alone: $symbols"

"$root/dev" serve --listen 127.0.0.1:0 --log-level info 2>"$log" &
host=$!
url=
for ((tries = 0; tries < 200; ++tries)); do
  url=$(sed -n 's/.*serving [0-9]* function(s) on \(http:[^ ]*\)$/\1/p' "$log")
  [[ -z $url ]] || break
  kill -0 "$host" 2>/dev/null || fail "./dev serve ended"
  sleep 0.1
done
[[ -n $url ]] || fail "./dev serve did not say where it serves"

# Those whose language is not set up are left out of the build, which says so.
served=()
for file in "$root"/functions/*/expected.txt; do
  name=$(basename -- "$(dirname -- "$file")")
  [[ ! -e $root/build/functions/$name.so ]] || served+=("$name")
done
((${#served[@]} >= 20)) || fail "only ${#served[@]} functions were built"
"$root/functions/check" "$url" "${served[@]}" || fail "a function answered otherwise"

kill -TERM "$host"
wait "$host" || fail "nurhost ended with code $? after SIGTERM"
host=
grep -q 'stopped after' "$log" || fail "nurhost did not say that it stopped"
