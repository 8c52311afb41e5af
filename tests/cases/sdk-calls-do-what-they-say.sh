#!/usr/bin/env bash
# One function in each language of the SDK calls everything; all report the same.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"
# shellcheck source=tests/sdk/sinks.sh
source "$case_folder/../sdk/sinks.sh"

languages=()
build_sinks "$modules"
start_backend

for language in "${languages[@]}"; do
  folder=$functions/$language
  mkdir "$folder"
  "$nurc" compile "$modules/$language.wasm" -o "$folder/sink.so" 2>"$scratch/said" ||
    fail "$language: $(<"$scratch/said")"
  cat >"$folder/nur.toml" <<END
[function.sink]
environment = { greeting = "good day", backend = "127.0.0.1:$web_port", echo = "127.0.0.1:$echo_port", closed = "127.0.0.1:$closed_port" }
allow_outbound = ["loopback:$web_port", "loopback:$echo_port", "loopback:$closed_port"]
END
  serve --workers 1 "$folder"
  for whole in '' 'X-Whole: yes'; do
    curl -sS -D "$scratch/head" -H 'X-Sink: one' -H 'x-sink: two' -H "$whole" --data 'hello sink' \
      "$url/sink/a%20b?x=1&y=2" >"$scratch/report" || fail "$language does not answer"
    diff -u "$case_folder/../sdk/report.txt" "$scratch/report" >&2 ||
      fail "$language reports something else (${whole:-streamed})"
    expect_match "the head in $language" "$(tr -d '\r' <"$scratch/head")" \
      '200 All called.*'$'\n''[Xx]-[Ss]ink: one.*'$'\n''[Xx]-[Ss]ink: two'
  done
  for level in error warning info; do
    grep -q " $level function sink: .*a line of $level" "$server_log" ||
      fail "$language: no line of $level in the log"
  done
  stop_server
done
