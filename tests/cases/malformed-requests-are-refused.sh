#!/usr/bin/env bash
# What the host says itself to requests it does not give to a function, told from the outside.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

cp "$NUR_FUNCTIONS"/{hello,echo,upper,fib,trap}.so "$functions/"
serve "$functions"

# answered STATUS WHAT REQUEST: as bytes of printf; the connection ends after it.
answered() {
  local answer
  # shellcheck disable=SC2059 # the bytes are the format
  answer=$(printf "$3" | exchange | tr -d '\0')
  expect_match "$2" "${answer%%$'\r'*}" "^HTTP/1.1 $1 "
  expect_match "$2" "$answer" 'onnection: close'
}
long=$(head -c 9000 /dev/zero | tr '\0' a)
answered 400 "no HTTP" 'hello\r\n\r\n'
answered 400 "a bare line feed" 'GET /hello HTTP/1.1\nHost: a\n\n'
answered 400 "no Host" 'GET /hello HTTP/1.1\r\n\r\n'
answered 400 "two Hosts" 'GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'
answered 400 "a blank before the colon" 'GET /hello HTTP/1.1\r\nHost : a\r\n\r\n'
answered 400 "a folded line" 'GET /hello HTTP/1.1\r\nHost: a\r\n b\r\n\r\n'
answered 400 "two lengths" \
  'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'
answered 400 "length and chunks" \
  'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
answered 400 "a length that is none" 'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello'
answered 400 "a chunk size that is none" \
  'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'
answered 413 "a body of 2 MiB" 'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2097152\r\n\r\n'
answered 413 "a chunk of 2 MiB" \
  'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n'
answered 414 "a long target" "GET /$long HTTP/1.1\r\nHost: a\r\n\r\n"
answered 431 "a long head" "GET /hello HTTP/1.1\r\nHost: a\r\na: $long\r\nb: $long\r\nc: $long\r\nd: $long\r\n\r\n"
answered 431 "many headers" \
  "GET /hello HTTP/1.1\r\nHost: a\r\n$(seq -f 'x%g: 1\r\n' 1 150 | tr -d '\n')\r\n"
answered 417 "another expectation" 'GET /hello HTTP/1.1\r\nHost: a\r\nExpect: money\r\n\r\n'
answered 501 "an unknown method" 'FROBNICATE /hello HTTP/1.1\r\nHost: a\r\n\r\n'
answered 501 "CONNECT" 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n'
answered 501 "gzip as transfer coding" \
  'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'
answered 505 "HTTP/2 in text" 'GET /hello HTTP/2.0\r\nHost: a\r\n\r\n'

# Where the limits are, to the byte: a target of 8 KiB, a head of 16 KiB, 100 headers, a body of 1 MiB.
# of_bytes N: prints so many.
of_bytes() { head -c "$1" /dev/zero | tr '\0' a; }
# first_line REQUEST: of the answer.
first_line() {
  local answer
  answer=$(exchange <<<"$1" | tr -d '\0')
  cut -d ' ' -f 2 <<<"${answer%%$'\r'*}"
}
crlf=$'\r\n'
rest=" HTTP/1.1${crlf}Host: a${crlf}Connection: close$crlf"
head_bytes=$((16384 - 11 - ${#rest} - 3 - 4))  # of "GET /hello", the lines above, "x: " and the ends of lines
for beyond in -1 0 1; do
  expect_equal "target of 8192 + $beyond" "$(first_line "GET /$(of_bytes $((8191 + beyond)))$rest$crlf")" \
    "$((beyond > 0 ? 414 : 404))"
  expect_equal "head of 16384 + $beyond" \
    "$(first_line "GET /hello ${rest# }x: $(of_bytes $((head_bytes + 1 + beyond)))$crlf$crlf")" \
    "$((beyond > 0 ? 431 : 200))"
  headers=$(for ((i = 0; i < 98 + beyond; i++)); do printf 'x: 1\r\n'; done; echo end)
  expect_equal "100 + $beyond headers" "$(first_line "GET /hello$rest${headers%end}$crlf")" \
    "$((beyond > 0 ? 431 : 200))"
  of_bytes $((1048576 + beyond)) >"$scratch/body-sent"
  expect_status "$((beyond > 0 ? 413 : 200))" --header Expect: --data-binary "@$scratch/body-sent" /echo
done

expect_status 404 /nothing
expect_status 404 /api/hello/x
expect_status 404 /fib
expect_status 405 --request POST --data x /api/fib/10
curl --silent --head --request POST --max-time 20 "$url/api/fib/10" >"$scratch/head" || true
expect_match "the 405" "$(<"$scratch/head")" 'Allow: GET, HEAD'
expect_status 400 /api/fib/ten
expect_status 400 /api/fib/1,2
expect_status 400 /api/fib/

# After all that the host is as it was.
expect_answer "200 Hello, world" /hello
stop_server
