#!/usr/bin/env bash
# Functions that wait for a backend wait by themselves: a thousand others are answered meanwhile, by the
# same worker, and then the backend's answers come through.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"
# shellcheck source=tests/cases/serverless/build.sh
source "$case_folder/serverless/build.sh"

cd -- "$scratch"
initial_memory=6553600 build_guest tcp tcp.wasm
build_guest testfunc testfunc.wasm
start_backend
{
  printf '[[applications]]\nfile_path = "tcp.wasm"\nmethod = "GET"\nurl_path = "/slow"\n'
  printf 'env = { "/backend" = "127.0.0.1:%s", "/line" = "gate %s", "/read" = "19" }\n' "$backend_port" "$scratch/gate"
  printf '[[applications]]\nfile_path = "testfunc.wasm"\nmethod = "GET"\nurl_path = "/hello"\n'
} >config.toml
serve config.toml --outbound "loopback:$backend_port" --timeout 150s --workers 1 >"$scratch/out"

waiting=20
for ((i = 0; i < waiting; i++)); do
  begin curl --silent --max-time 150 --output "$scratch/slow.$i" "$url/slow"
done
all_wait() { (($(wc -l <"$scratch/gate.waits" 2>/dev/null || echo 0) == waiting)); }
poll 60 all_wait || fail "the backend was not asked by all"

for ((i = 0; i < 1000; i++)); do echo "url = \"$url/hello\""; done >requests
curl --silent --max-time 120 --config requests >answers || fail "not all requests were answered"
expect_equal "answers meanwhile" "$(grep -cx 'Hello world from wasm!' answers)" 1000
for ((i = 0; i < waiting; i++)); do
  [[ ! -s $scratch/slow.$i ]] || fail "a function did not wait for its backend: $(cat "$scratch/slow.$i")"
done

touch "$scratch/gate"
for ((i = 0; i < waiting; i++)); do
  poll 60 grep -qx 'world from backend' "$scratch/slow.$i" || fail "a function that waited has no answer"
done
stop_server
