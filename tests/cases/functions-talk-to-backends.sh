#!/usr/bin/env bash
# A function connects to backends, writes and reads: all bytes arrive, an end is an end, and what goes wrong
# (refused, reset, not open, no sense, too many) is a value that it is told, and never the host's to die of.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"
# shellcheck source=tests/cases/serverless/build.sh
source "$case_folder/serverless/build.sh"

cd -- "$scratch"
initial_memory=6553600 build_guest tcp tcp.wasm
start_backend
refused=$refused_port
at=127.0.0.1:$backend_port
# route PATH FUNCTION VALUE...: each value "/key=text".
route() {
  local path=$1 function=$2 value
  shift 2
  printf '[[applications]]\nfile_path = "tcp.wasm"\nmethod = "GET"\nurl_path = "%s"\nfunction = "%s"\n' "$path" "$function"
  printf '[applications.env]\n'
  for value; do printf '"%s" = "%s"\n' "${value%%=*}" "${value#*=}"; done
}
# Nothing of it is this test's to connect to.
ssrf=()
for host in 127.0.0.1 127.1.2.3 0.0.0.0 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 \
  100.64.0.1 192.0.0.1 198.18.0.1 224.0.0.1 255.255.255.255 '[::1]' '[::]' '[::ffff:127.0.0.1]' \
  '[::ffff:10.0.0.1]' '[::ffff:169.254.169.254]' '[fc00::1]' '[fd00:ec2::254]' '[fe80::1]' '[ff02::1]' localhost; do
  ssrf+=("$host:$backend_port")
done
{
  route /hello handle "/backend=$at" /line=hello /read=19
  route /two handle "/backend=$at $at" /line=hello /read=19
  route /name handle "/backend=localhost:$backend_port" /line=hello /read=19
  route /end handle "/backend=$at" /line=close
  route /reset handle "/backend=$at" /line=reset
  route /drip handle "/backend=$at" '/line=drip 20' /read=19
  route /flood handle "/backend=$at" '/line=flood 3000000' /read=3000000
  route /count handle "/backend=$at" '/line=count 4000000' /bytes=4000000 /read=7
  route /hang handle "/backend=$at" /line=hang
  route /refused handle "/backend=127.0.0.1:$refused"
  route /unopened handle "/backend=127.0.0.1:1"
  route /greedy greedy "/backend=$at" /times=1000
  route /wrong wrong
  route /ssrf handle "/backend=${ssrf[*]}"
} >config.toml
serve config.toml --outbound "loopback:$backend_port" --outbound "loopback:$refused" --timeout 6s --workers 1

# expect_talk PATH LINE...
expect_talk() {
  local path=$1
  shift
  expect_answer "200 $(printf '%s\n' "$@")" "$path"
}
after=('close 0' 'close -4' 'read -1' 'write -1')
expect_talk /hello 'connect 0' 'got 19' 'world from backend' "${after[@]}"
expect_talk /name 'connect 0' 'got 19' 'world from backend' "${after[@]}"
expect_talk /two 'connect 0' 'got 19' 'world from backend' "${after[@]}" 'connect 0' 'got 19' 'world from backend' "${after[@]}"
expect_talk /end 'connect 0' 'read 0' 'got 0' "${after[@]}"
expect_talk /reset 'connect 0' 'read -1' 'got 0' "${after[@]}"
expect_talk /drip 'connect 0' 'in pieces' 'got 19' 'world from backend' "${after[@]}"
expect_match "a long answer" "$(ask /flood)" '^200 connect 0.in pieces.got 3000000.x'
expect_match "a long request" "$(ask /count)" '^200 connect 0.write 4000000.got 7.4000000'
expect_talk /refused 'connect -1'
expect_talk /unopened 'connect -3'
wrong=()
for _ in 1 2 3 4 5 6; do wrong+=('read -1' 'write -1' 'close -4'); done
expect_talk /wrong "${wrong[@]}" 'connect -4' 'connect -4' 'connect -4'
expect_answer "504 504 Gateway Timeout: the function ran for more than 6s" /hang

# So many and no more, and all are given back.
for _ in 1 2 3; do expect_talk /greedy 'connected 64' 'last -2' 'close 0' 'again 0'; done
worker=$(worker_pid)
if can_look_into "$worker"; then
  given_back() { (($(find "/proc/$worker/fd" -lname 'socket:*' | wc -l) < 40)); }
  poll 20 given_back || fail "connections of requests that have ended are still there"
fi
expect_talk /hello 'connect 0' 'got 19' 'world from backend' "${after[@]}"
stop_server

# Everything public is open: nothing of this machine, or around it, is.
serve config.toml --outbound '*:*' --timeout 3s
denied=()
for _ in "${ssrf[@]}"; do denied+=('connect -3'); done
expect_talk /ssrf "${denied[@]}"
stop_server
# And nothing at all, unless said.
serve config.toml
expect_talk /ssrf "${denied[@]}"
expect_talk /hello 'connect -3'
stop_server
