#!/usr/bin/env bash
# hello_world, echo_server and cowsay: their answers, byte for byte, and what they log on the way.
# A file as input arrives in chunks of 1,024 bytes.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

# request FUNCTION FORMAT: runs it with printf's FORMAT as input, $input behind it; leaves $answer
# (without a last line's end) and $logged.
input=
request() {
  printf '%b%s' "$2" "$input" >"$scratch/input"
  answer=$("$nurhost" run "$NUR_FUNCTIONS/$1.so" <"$scratch/input" 2>"$scratch/logged" | tr -d '\r')
  logged=$(sed -n 's/^log: //p' "$scratch/logged")
  input=
}
# As the log shows it.
lines() { printf '%s\n' "$@"; }
xs() { head -c "$1" /dev/zero | tr '\0' x; }

request hello_world 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
expect_equal "hello_world" "$answer" "$(lines 'HTTP/1.1 200 OK' 'Content-Type: application/json' \
  'Content-Length: 29' '' '{"msg": "Hello world, wasm!"}')"
expect_equal "its log" "$logged" \
  "$(lines 'Look, there is a request!\n' "👋 Let's send them a hello\\n")"

request hello_world "GET / HTTP/1.1\r\nX-Long: $(xs 1500)\r\n\r\n"
expect_match "a head in two chunks" "$answer" 'Hello world, wasm'
expect_equal "its log" "$logged" "$(lines '🌎 Accumulating request data of len={len}' \
  'Look, there is a request!\n' "👋 Let's send them a hello\\n")"

request hello_world 'no request\r\n\r\n'
expect_equal "no request" "$answer" ""
expect_match "its log" "$logged" '^Got invalid request, digo waa: .*no request'

request echo_server 'hola'
expect_equal "echo_server" "$answer" "$(lines 'HTTP/1.1 200 OK' 'content-length: 4' '' 'hola')"
expect_equal "its log" "$logged" 'Hola UX! El usuario nos ha enviado una petición!!'
request echo_server "$(xs 1500)"
expect_equal "more than a chunk" "$answer" \
  "$(lines 'HTTP/1.1 200 OK' 'content-length: 1024' '' "$(xs 1024)")"
request echo_server ''
expect_equal "no data" "$answer" "$(lines 'HTTP/1.1 200 OK' 'content-length: 0')"
request echo_server '\xff'
expect_equal "no text" "$answer" ""
expect_equal "its log" "$logged" 'invalid utf-8 sequence of 1 bytes from index 0'

# cow MESSAGE LENGTH: what the last answer must be.
expect_cow() {
  expect_match "the cow's length for $1" "$answer" "Content-Length: $2"$'\n'
  expect_match "the cow's message" "$answer" "< $1 >"
  local body=${answer#*$'\n\n'}
  expect_equal "the body's length for $1" "$((${#body} + 1))" "$2"
}
request cowsay 'GET / HTTP/1.1\r\n\r\n'
expect_cow 'muu! intenta con POST!' 208
request cowsay 'POST / HTTP/1.1\r\n\r\n'
expect_cow 'muu! no content-length\?' 211
request cowsay 'POST / HTTP/1.1\r\nContent-Length: 5x\r\n\r\nhola!'
expect_cow 'muu! invalid content-length\?' 226
request cowsay 'POST / HTTP/1.1\r\nCONTENT-LENGTH: 5\r\n\r\nhola!'
expect_cow 'hola!' 157
expect_equal "the cow's log" "$logged" "$(lines '🐄 Received complete request with total len: 43!' \
  '🗨️🐄 cow message: hola!\n' '200 OK\n')"
input=$(xs 3000)
request cowsay 'POST / HTTP/1.1\r\nContent-Length: 3000\r\n\r\n'
expect_cow "$(xs 3000)" 9142
expect_match "a body in chunks" "$logged" \
  'content-length=3000, body=983\. Waiting .*content-length=3000, body=2007\. Waiting '

request cowsay "POST / HTTP/1.1\r\nX-Long: $(xs 1500)\r\ncontent-length: 5\r\n\r\nhola!"
expect_cow 'hola!' 157
expect_equal "a head in chunks" "${logged%%$'\n'*}" \
  '🐄 Received partial request chunk with len: 1024, total buffered: 1024'

request cowsay 'POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhola!more'
expect_cow 'hola!more' 169
expect_match "an overlong body" "$logged" 'trimming 4 bytes'

request cowsay 'POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nho'
expect_equal "an early end" "$answer" ""
expect_equal "its log, without what follows the end" "$logged" \
  "$(lines '🐄 Received complete request with total len: 40!' \
    '🐄 Body is not there yet, content-length=5, body=2. Waiting for more data...' \
    'Request end forced, mu... 🐄🥛')"

# The same over TCP, in pieces of which each is sent when the log tells of the last one.
serve --tcp 127.0.0.1:0=cowsay "$NUR_FUNCTIONS"
port=$(sed -n 's/.* serving cowsay on tcp:.*:\([0-9]*\)$/\1/p' "$server_log")
logs() { sed -n 's/.*function cowsay: log: //p' "$server_log"; }
logged_last() { [[ $(logs | tail -n 1) == "$1" ]]; }
exec 3<>"/dev/tcp/127.0.0.1/$port"
# send BYTES [LINE]: in one piece, and waits until LINE is the last of the log.
send() {
  printf '%b' "$1" >"$scratch/piece"
  cat "$scratch/piece" >&3
  [[ -z ${2-} ]] || poll 20 logged_last "$2" || fail "the log has not '$2' but: $(logs)"
}
send 'POST /cow HTTP/1.1\r\nCo' '🐄 Received partial request chunk with len: 22, total buffered: 22'
send 'ntent-Length: 5\r\n\r\nho' \
  '🐄 Body is not there yet, content-length=5, body=2. Waiting for more data...'
send 'la!'
answer=$(tr -d '\r' <&3)
exec 3>&-
expect_cow 'hola!' 157
poll 20 logged_last '200 OK\n' || fail "the last line of: $(logs)"
expect_equal "the log over TCP" "$(logs)" "$(lines \
  '🐄 Received partial request chunk with len: 22, total buffered: 22' \
  '🐄 Received complete request with total len: 43!' \
  '🐄 Body is not there yet, content-length=5, body=2. Waiting for more data...' \
  '🗨️🐄 cow message: hola!\n' '200 OK\n')"
stop_server

# Plain bytes, back as they came.
printf 'a\0b\xff\n' >"$scratch/plain"
"$nurhost" run "$NUR_FUNCTIONS/tcp_echo.so" <"$scratch/plain" >"$scratch/back"
cmp "$scratch/plain" "$scratch/back" ||
  fail "tcp_echo changed what it was sent"
