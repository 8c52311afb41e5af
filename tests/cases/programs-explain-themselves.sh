#!/usr/bin/env bash
# --help, --version, inspect, and what is said to arguments that make no sense.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

expect_exit 0 "$nurc" --version
expect_said '^nurc [0-9]+\.[0-9]+\.[0-9]+' '^wasm2c 1\.' '^compiler .*[0-9]'
expect_exit 0 "$nurhost" --version
expect_said '^nurhost [0-9]+\.[0-9]+\.[0-9]+'

expect_exit 0 "$nurc" --help
expect_said 'compile' 'inspect' 'Exit codes'
expect_exit 0 "$nurc" compile --help
expect_said '--abi' '--output' '--target-cpu' '--optimise' '--jobs'
# The limits of --help are those that the artefacts name.
sed -n '/^Limits/,/^Exit codes/s/^  \([a-z_]*\) .*/\1/p' "$said" | sort >"$scratch/limits.help"
write_module empty <<<'(module (func (export "f")))'
"$nurc" compile "$modules/empty.wat" -o "$functions/"
"$nurc" inspect --json "$functions/empty.so" |
  sed -n '/^  "limits"/,/}/s/^    "\([a-z_]*\)": [0-9].*/\1/p' | sort >"$scratch/limits.manifest"
cmp "$scratch/limits.help" "$scratch/limits.manifest" || fail "--help and manifests name other limits"
grep -qx tool_cpu_seconds "$scratch/limits.help" || fail "--help names no limits"
expect_exit 0 "$nurhost" --help
expect_said 'serve' 'run'
expect_exit 0 "$nurhost" serve --help
expect_said '--listen' '--timeout' '--memory-max' '--cpu-time' '--quantum' '--drain-timeout' '--no-watch' 'NUR_LISTEN' 'SIGTERM' 'SIGHUP'
expect_said '--connections-per-client' '--header-timeout' '--unsent-max' '--outbound' '--dns-server'
expect_said '--upload ADDRESS:PORT' '--upload-token-file' '--upload-dir' '--upload-limit' 'NUR_UPLOAD'
expect_exit 0 "$nurhost" run --help
expect_said '--invoke' '--env' '--dir' '124' '134'

# wrong HINT COMMAND...: exit code 2, and where to read more.
wrong() {
  local regex=$1
  shift
  expect_exit 2 "$@"
  expect_said "$regex"
}
wrong 'Run nurc --help' "$nurc" compile --no-such-flag x.wasm
wrong 'nurc: .*FILES' "$nurc" compile
wrong 'nurc: .*--abi' "$nurc" compile --abi extism x.wasm
wrong 'nurc: .*--jobs' "$nurc" compile -j 0 x.wasm
wrong 'nurc: ' "$nurc" compile -O 9 x.wasm
wrong 'Run nurc --help' "$nurc" frobnicate
wrong 'compile' "$nurc"
wrong 'Run nurhost --help' "$nurhost" serve --no-such-flag "$NUR_FUNCTIONS"
wrong 'nurhost: .*PATHS' "$nurhost" serve
wrong 'nurhost: --timeout: .*write 500ms' "$nurhost" serve --timeout soon "$NUR_FUNCTIONS"
wrong 'nurhost: --timeout: at least 1ms' "$nurhost" serve --timeout 0s "$NUR_FUNCTIONS"
wrong 'nurhost: --timeout: ' "$nurhost" serve --timeout -1s "$NUR_FUNCTIONS"
wrong 'nurhost: --quantum: at least 100us, or 0' "$nurhost" serve --quantum 10us "$NUR_FUNCTIONS"
wrong 'nurhost: --quantum: .*write 500ms' "$nurhost" serve --quantum never "$NUR_FUNCTIONS"
wrong 'nurhost: --memory-max: .*write 64KiB' "$nurhost" serve --memory-max lots "$NUR_FUNCTIONS"
wrong 'nurhost: --header-timeout: from 1ms to 24h' "$nurhost" serve --header-timeout 0s "$NUR_FUNCTIONS"
wrong 'nurhost: --keep-alive-timeout: .*write 500ms' \
  "$nurhost" serve --keep-alive-timeout long "$NUR_FUNCTIONS"
wrong 'nurhost: --header-limit: from 1KiB to 1MiB' "$nurhost" serve --header-limit 1GiB "$NUR_FUNCTIONS"
wrong 'nurhost: --body-limit: from 0B to 1GiB' "$nurhost" serve --body-limit 2GiB "$NUR_FUNCTIONS"
wrong 'nurhost: --unsent-max: from 1MiB' "$nurhost" serve --unsent-max 1KiB "$NUR_FUNCTIONS"
wrong 'nurhost: --connections-max: at least 1' "$nurhost" serve --connections-max 0 "$NUR_FUNCTIONS"
wrong 'nurhost: --connections-per-client: at least 1' \
  "$nurhost" serve --connections-per-client 0 "$NUR_FUNCTIONS"
wrong 'nurhost: --listen: ' "$nurhost" serve --listen nowhere "$NUR_FUNCTIONS"
wrong 'nurhost: --workers' "$nurhost" serve --workers 0 "$NUR_FUNCTIONS"
wrong 'nurhost: --workers' "$nurhost" serve --workers many "$NUR_FUNCTIONS"
wrong 'nurhost: --profile: .*leave out --workers' "$nurhost" serve --profile p --workers 2 "$NUR_FUNCTIONS"
wrong 'nurhost: --listen: ' "$nurhost" serve --listen 127.0.0.1:99999 "$NUR_FUNCTIONS"
wrong 'nurhost: --outbound: .*which port' "$nurhost" serve --outbound example.test "$NUR_FUNCTIONS"
wrong 'nurhost: --outbound: .*nothing to connect to' "$nurhost" serve --outbound 0.0.0.0:80 "$NUR_FUNCTIONS"
wrong 'nurhost: .*--dir' "$nurhost" run --dir ':rw' "$NUR_FUNCTIONS/upper.so"
wrong 'Run nurhost --help' "$nurhost" frobnicate
wrong 'serve' "$nurhost"
wrong 'nurhost: --timeout' env NUR_TIMEOUT=soon "$nurhost" serve "$NUR_FUNCTIONS"

# Inspect: people's text and programs' JSON say the same.
expect_exit 0 "$nurc" inspect "$NUR_FUNCTIONS/hello.so"
expect_said '^abi +nur$' '^import +nur\.nur_send \(i32, i32\) -> \(\)' '^export +poll_stream' \
  '^memory +64KiB to start with' '^target cpu +x86-64-v2' '^wasm sha256 +[0-9a-f]{64}$'
"$nurc" inspect --json "$NUR_FUNCTIONS/hello.so" >"$scratch/hello.json"
grep -q '"nur_send"' "$scratch/hello.json" || fail "no import in the JSON"
if command -v python3 >/dev/null; then
  python3 -c 'import json,sys; json.load(open(sys.argv[1]))' "$scratch/hello.json" ||
    fail "inspect --json writes no JSON"
elif command -v node >/dev/null; then
  node -e 'JSON.parse(require("fs").readFileSync(process.argv[1]))' "$scratch/hello.json" ||
    fail "inspect --json writes no JSON"
fi
write_module plain <<<'(module (func (export "f")))'
"$(command -v "$NUR_BIN/wat2wasm" wat2wasm | head -n 1)" "$modules/plain.wat" -o "$scratch/plain.wasm"
expect_exit 0 "$nurc" inspect "$scratch/plain.wasm"
expect_said '\(module, [0-9]+ bytes\)' '^abi +typed'

# A reader that has enough does not make it an error of ours to speak of.
"$nurc" --help | head -n 1 >/dev/null
