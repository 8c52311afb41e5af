#!/usr/bin/env bash
# The routes of Nebula over HTTP: its benchmark's calls and their JSON, the history of all workers
# together, which lasts where a folder is given, and settings of nur.toml for them.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

names=(add exponential factorial fibonacci fibonacci-recursive prime-number fib)
for name in "${names[@]}"; do
  [[ -e $NUR_FUNCTIONS/$name.so ]] || skip "the function $name is not compiled"
  cp "$NUR_FUNCTIONS/$name.so" "$functions/"
done
cat >"$functions/nur.toml" <<'END'
[nebula]
data = "history"
END
serve --workers 2 "$functions"

# json FIELD: of the first result of the last answer.
json() { python3 -c 'import json, sys; print(eval("json.load(sys.stdin)" + sys.argv[1]))' "$1" <"$scratch/body"; }
# call FUNCTION INPUT: a headless call, as the benchmark makes them.
call() {
  expect_status 200 --data-urlencode "function_name=$1" --data-urlencode "input=$2" \
    -d 'module_type=Wasm&base_image=debian' /api/wasm_headless
}
while IFS='|' read -r name input expected; do
  call "$name" "$input"
  expect_equal "$name of $input" "$(json '["results"][0]["result"]')" "$expected"
  # Clamped inputs are those of forms; the path is taken as it is.
  expect_answer "200 $expected" "/api/$name/$input"
done <<'END'
add|3,4|7
exponential|1|2.718281828459045
exponential|710|inf
factorial|5|120
factorial|35|124676958757991025765413114570153656320
factorial|130|0
fibonacci|10|34
fibonacci|94|12200160415121876738
fibonacci-recursive|20|6765
prime-number|100|547
END
call fibonacci-recursive 1000
expect_equal "clamped input" "$(json '["results"][0]["input"]')" 40
call fibonacci abc
expect_equal "input that is no number" "$(json '["results"][0]["input"]')" 0

# The shape that the benchmark reads, byte for byte but for times.
expect_status 200 -d 'function_name=fibonacci&input=10&module_type=Wasm&num_calls=2' /api/wasm_headless
result='\{"metrics":\{"startup_time":[0-9]+,"start_since_epoch":[0-9]{16},"total_runtime":[0-9]+,"end_since_epoch":[0-9]{16},"startup_percentage":[0-9]+\.0\},"result":"34","func_type":"Wasm","func_name":"fibonacci","input":"10","base_image":"N/A"\}'
expect_match "JSON" "$(cat "$scratch/body")" "^\{\"results\":\[$result,$result\]\}$"
expect_equal "calls that nobody stored" "$(ask /api/results | grep -c '<li>' || true)" 0

# History, whichever worker is asked.
for ((i = 1; i <= 8; i++)); do
  expect_status 200 -d "function_name=add&input=$i,0&module_type=Wasm" /api/wasm
done
expect_equal "history" "$(ask /api/results | grep -o '<p>[0-9,]* =&gt; [0-9]*</p>' | tr -d '\n')" \
  "$(for ((i = 8; i >= 1; i--)); do printf '<p>%s,0 =&gt; %s</p>' "$i" "$i"; done)"
expect_status 501 -d 'function_name=add&input=1,2&module_type=Docker' /api/docker
expect_status 415 -H 'Content-Type: application/json' -d '{}' /api/wasm
expect_status 422 -d 'function_name=add' /api/wasm/all
expect_status 502 /api/wasm/fibonacci/x
expect_status 404 -d 'function_name=../add&input=x&module_type=Wasm' /api/wasm_headless
expect_answer "200 <div><h1>add, input: 3,4</h1><p>Result was: 7</p></div>" /api/wasm/add/3,4
expect_match "page of fib" "$(ask /fib/10)" '^200 <div><h1>fib, input: 10</h1><p>Result was: 55</p><p>Total: '
stop_server

# It is there again behind a restart, and behind one that was no end.
serve --workers 1 "$functions"
expect_equal "calls after a restart" "$(ask /api/results | grep -c '<li>')" 8
expect_status 200 -d 'function_name=add&input=9,0&module_type=Wasm' /api/wasm
kill -KILL "$server_pid"
poll 20 stopped "$server_pid" || fail "the master is still there"
serve --workers 1 "$functions"
expect_match "newest" "$(ask /api/results | grep -m 1 '<li>')" '<p>9,0 =&gt; 9</p>'
stop_server

# Nothing that is kept.
printf '[nebula]\nhistory = false\n' >"$functions/nur.toml"
serve --workers 2 "$functions"
for i in 1 2; do
  expect_status 200 -d "function_name=add&input=$i,0&module_type=Wasm" /api/wasm
  expect_equal "calls that a form without a history answers with" "$(grep -c '<li>' "$scratch/body")" 1
done
expect_status 404 /api/results
stop_server
printf '[nebula]\nhistory = false\ndata = "history"\n' >"$functions/nur.toml"
expect_exit 1 "$nurhost" serve "$functions" --listen 127.0.0.1:0
expect_said 'nur.toml:3:8: `data` keeps the history'

# None of it.
printf '[nebula]\nroutes = false\n' >"$functions/nur.toml"
serve --workers 1 "$functions"
expect_answer "404 404 Not Found: no function at /api/results" /api/results
expect_status 404 /fib/10
stop_server
