#!/usr/bin/env bash
# A configuration of serverless-wasm is served as it is: its keys, its routes, modules compiled when they
# are loaded, and every byte that its samples answer, then the end of the connection.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"
# shellcheck source=tests/cases/serverless/build.sh
source "$case_folder/serverless/build.sh"

cd -- "$scratch"
mkdir samples
build_guest testfunc samples/testfunc.wasm
build_guest testbackend samples/testbackend.wasm
# As older ones were: no result of tcp_read and tcp_write, other texts, 3 pages, `handle` alone.
initial_memory=196608 build_guest testfunc samples/older.wasm '-DGREETING="Hello world!"'
build_guest testbackend samples/oldest.wasm -DOLD_TCP -DONE_QUESTION
cat >samples/trap.wat <<'WAT'
(module
  (import "env" "response_set_status_line" (func $status (param i32 i32 i64)))
  (import "env" "response_set_header" (func $header (param i32 i64 i32 i64)))
  (import "env" "response_set_body" (func $body (param i32 i64)))
  (import "env" "log" (func $log (param i32 i64)))
  (import "env" "memory" (memory 1))
  (data (i32.const 0) "Ok\0d\0aX: y") (data (i32.const 16) "a name\ff\fe")
  (func (export "trap") unreachable)
  (func (export "spin") (loop $again (br $again)))
  (func (export "silent"))
  (func (export "bodiless") (call $status (i32.const 200) (i32.const 0) (i64.const 2)))
  (func (export "wide") (call $status (i32.const 0x100c9) (i32.const 0) (i64.const 0)) (call $log (i32.const 22) (i64.const 2)) (call $body (i32.const 0) (i64.const 2)))
  (func (export "early") (call $status (i32.const 99) (i32.const 0) (i64.const 2)) (call $body (i32.const 0) (i64.const 2)))
  (func (export "named") (call $status (i32.const 200) (i32.const 0) (i64.const 2)) (call $header (i32.const 16) (i64.const 6) (i32.const 0) (i64.const 2)) (call $body (i32.const 0) (i64.const 2)))
  (func (export "outside") (call $body (i32.const 1) (i64.const 65536)))
  (func (export "endless") (call $body (i32.const 1) (i64.const -1)))
  (func (export "asking") (param i32))
  (func (export "empty") (call $status (i32.const 200) (i32.const 0) (i64.const 2)) (call $body (i32.const 0) (i64.const 0)))
  (func (export "split") (call $status (i32.const 200) (i32.const 0) (i64.const 9)) (call $body (i32.const 0) (i64.const 0))))
WAT
start_backend
refused=$refused_port
application() { printf '[[applications]]\nfile_path = "%s"\nmethod = "%s"\nurl_path = "%s"\n' "$@"; }
{
  echo 'listen_address = "127.0.0.1:0"'
  application ./samples/testfunc.wasm GET /hello
  echo 'function = "hello"'
  application ./samples/testfunc.wasm GET /bonjour
  echo 'function = "bonjour"'
  application ./samples/testbackend.wasm GET /backend
  echo 'function = "handle"'
  echo "env = { \"/env/backend\"= \"127.0.0.1:$backend_port\"}"
  # Without `function`: handle, or what the path ends in.
  application samples/testbackend.wasm GET /bare
  application samples/older.wasm GET /old/hello
  application samples/older.wasm GET '/old/bonjour?lang=fr'
  application samples/oldest.wasm GET /oldest
  echo "env = { \"/env/backend\" = \"127.0.0.1:$backend_port\" }"
  application samples/testbackend.wasm GET /refused
  echo "env = { \"/env/backend\" = \"127.0.0.1:$refused\" }"
  application samples/testbackend.wasm GET /name
  echo "env = { \"/env/backend\" = \"localhost:$backend_port\" }"
  application samples/testfunc.wasm POST /hello
  echo 'function = "bonjour"'
  application samples/testfunc.wasm GET /missing
  echo 'function = "helo"'
  # The same twice: the second counts.
  application samples/testfunc.wasm GET /twice
  echo 'function = "hello"'
  application samples/testfunc.wasm GET /twice
  echo 'function = "bonjour"'
  for name in trap spin silent bodiless empty split wide early named outside endless asking; do application samples/trap.wat GET "/$name"; done
} >config.toml

# serve() would say --listen; the address is the file's.
begin_with_config() {
  : >"$server_log"
  begin "$nurhost" serve "$@" 2>>"$server_log" >"$scratch/out"
  server_pid=$begun_pid
  poll 120 serving_or_gone || fail "nurhost does not say that it serves"
  url=$(sed -n 's/.* serving [0-9]* function(s) on //p' "$server_log")
  [[ -n $url ]] || fail "nurhost ended at start"
  port=${url##*:}
}
begin_with_config config.toml --outbound "loopback:$backend_port" --outbound "loopback:$refused" --timeout 4s
expect_logged 'compiling samples/testfunc\.wasm'

# expect_bytes METHOD TARGET EXPECTED: of the whole answer, until the connection ends.
expect_bytes() {
  printf '%s %s HTTP/1.1\r\nHost: example.test\r\n\r\n' "$1" "$2" | exchange >"$scratch/got"
  printf '%b' "$3" >"$scratch/expected"
  cmp -s "$scratch/got" "$scratch/expected" ||
    fail "$1 $2: got $(od -An -c "$scratch/got" | head -n 20), expected $(od -An -c "$scratch/expected" | head -n 20)"
}
hello='HTTP/1.1 200 Ok\r\nContent-length: 23\r\n\r\nHello world from wasm!\n'
bonjour='HTTP/1.1 200 Ok\r\nContent-length: 59\r\n\r\nBonjour tout le monde depuis le monde merveilleux de WASM!\n'
backend='HTTP/1.1 500 Server error\r\nContent-length: 64\r\nContent-length: 64\r\n\r\nHello world from wasm!\nanswer from backend:\nworld from backend\n\n'
expect_bytes GET /hello "$hello"
expect_bytes GET /bonjour "$bonjour"
expect_bytes GET /backend "$backend"
expect_bytes GET /name "$backend"
expect_bytes GET /bare 'HTTP/1.1 500 Server error\r\nContent-length: 40\r\n\r\ncould not get value for key /env/backend'
expect_bytes GET /refused 'HTTP/1.1 500 Server error\r\nContent-length: 28\r\n\r\ncould not connect to backend'
expect_bytes GET /old/hello "$hello"
expect_bytes GET '/old/bonjour?lang=fr' "$bonjour"
expect_bytes GET /oldest "$backend"
expect_bytes POST /hello "$bonjour"
expect_bytes GET /twice "$bonjour"
expect_bytes GET /empty 'HTTP/1.1 200 Ok\r\n\r\n'
expect_bytes GET /wide 'HTTP/1.1 201 \r\n\r\nOk'
no_route='HTTP/1.1 404 Not Found\r\nContent-length: 16\r\n\r\nRoute not found\n'
for target in / /hello/ '/hello?' /old/bonjour /testfunc /api/testfunc/1; do expect_bytes GET "$target" "$no_route"; done
expect_bytes PUT /hello "$no_route"
for name in missing asking; do
  expect_bytes GET "/$name" 'HTTP/1.1 404 Not Found\r\nContent-length: 19\r\n\r\nFunction not found\n'
done
expect_bytes HEAD /hello "$no_route"
expect_bytes GET http://example.test/hello "$no_route"
# As clients send it: by an older one, with a body that nobody reads, with 40 headers, and another request behind it.
for request in 'GET /hello HTTP/1.0\r\n\r\n' 'GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc' \
  "GET /hello HTTP/1.1\r\nHost: a\r\n$(printf 'X-%d: y\\r\\n' {1..40})\r\n" \
  'GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /bonjour HTTP/1.1\r\nHost: a\r\n\r\n'; do
  printf '%b' "$request" | exchange >"$scratch/got"
  expect_equal "answer to ${request:0:50}" "$(od -c "$scratch/got")" "$(printf '%b' "$hello" | od -c)"
done
# And a head that comes in pieces, which hung that host.
exec 8<>"/dev/tcp/127.0.0.1/$port"
for piece in 'GET /he' 'llo HTTP/1.1\r' '\nHost: a\r\n' '\r\n'; do printf '%b' "$piece" >&8 && sleep 0.02; done
expect_equal "answer to a head in pieces" "$(timeout 20 od -c <&8)" "$(printf '%b' "$hello" | od -c)"
exec 8>&-
expect_bytes GET /bonjour "$bonjour"

# What upstream dies of is an answer here.
expect_answer "500 500 Internal Server Error: the function trapped: unreachable" /trap
expect_status 504 /spin
expect_answer "500 500 Internal Server Error: the function ended without setting a status" /silent
expect_answer "500 500 Internal Server Error: the function ended without setting a body" /bodiless
expect_answer "500 500 Internal Server Error: the function's answer cannot be sent: the reason phrase has a control character" /split
expect_answer "500 500 Internal Server Error: the function trapped: out of bounds memory access" /outside
expect_answer "500 500 Internal Server Error: the function trapped: out of bounds memory access" /endless
expect_status 500 /early
expect_status 500 /named
expect_bytes GET /hello "$hello"

# What guests log is said as upstream says it, and in the log.
for line in 'log(21 bytes): Hello world with api!' 'log(22 bytes): Bonjour tout le monde!' 'log(12 bytes): Hello world!' \
  "log($((40 + 0)) bytes): could not get value for key /env/backend" 'log(28 bytes): could not connect to backend'; do
  grep -qxF -- "$line" "$scratch/out" || fail "'$line' is not on standard output: $(cat "$scratch/out")"
done
expect_logged 'function testfunc: log: Hello world with api!' 'function testbackend: log: connecting to backend at 127.0.0.1:' \
  'config\.toml:[0-9]+:[0-9]+: samples/testfunc\.wasm exports no function helo .*it exports bonjour, hello' \
  'config\.toml:[0-9]+:[0-9]+: GET /twice is routed already; this one counts'
expect_equal "functions" "$(functions_served)" 5
stop_server

# The second start compiles nothing, and --listen goes before the file.
begin_with_config config.toml --listen 127.0.0.2:0
if grep -q compiling "$server_log"; then fail "the second start compiles again"; fi
expect_match "address" "$url" '^http://127\.0\.0\.2:'
# Nothing is open unless said.
expect_answer "500 could not connect to backend" /backend
stop_server

# Beside functions of other kinds, both are served.
mkdir more
cp "$NUR_FUNCTIONS/hello.so" more/greet.so
begin_with_config config.toml more
expect_bytes GET /hello "$hello"
expect_answer "200 Hello, world" /greet
stop_server
