#!/usr/bin/env bash
# A function is reachable by its file's name, whatever that is, percent-encoded; no path leads out of
# the folder, and what a name holds does not get into the log as it is.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

for name in '🐄 cowsay' 'a%20b' 'Ünïcode' 'dotted.name.v2' '+plus&and=' 'api' "quote'\"" '-o' $'line\nbreak'; do
  cp "$NUR_FUNCTIONS/hello.so" "$functions/$name.so"
done
cp "$NUR_FUNCTIONS/fib.so" "$functions/sum of fib.so"
cp "$NUR_FUNCTIONS/trap.so" "$functions/"$'trap\n2026-01-01T00:00:00.000Z error forged.so'
cp "$NUR_FUNCTIONS/hello.so" "$scratch/outside.so"
serve "$functions"
expect_equal "functions served" "$(functions_served)" 11

for path in '%F0%9F%90%84%20cowsay' '%f0%9f%90%84%20cowsay/more/path?query' 'a%2520b' '%C3%9Cn%C3%AFcode' \
  'dotted.name.v2' '+plus&and=' '%2bplus%26and%3D' 'api' 'quote%27%22' '-o' 'line%0Abreak'; do
  expect_answer "200 Hello, world" "/$path"
done
expect_answer "200 55" /api/sum%20of%20fib/10
expect_answer "200 55" '/api/sum%20of%20fib/%310'

for path in / '/%' '/%F0%9F' '/a%20b' '/a%00b' '//hello' '/..%2foutside' '/%2e%2e%2foutside' '/hello.so' \
  '/%' '/cowsay' '/api/' '/api//10'; do
  expect_status 404 --path-as-is "$path"
done
expect_status 404 --path-as-is '/../outside'

# Names and paths are data in the log.
expect_status 502 "/trap%0A2026-01-01T00:00:00.000Z%20error%20forged?how=div"
expect_logged 'function trap\\n2026-01-01T00:00:00.000Z error forged: trap: integer divide by zero'
if logged '^2026-01-01T00'; then fail "a name forged a line of the log"; fi
stop_server
