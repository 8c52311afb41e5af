#!/usr/bin/env bash
# A WASI command at /NAME finds the variables that WAGI's document lists, and no others, by what was asked;
# no header becomes HTTP_PROXY or passes for another; the query is its arguments where nur.toml says so.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

command -v clang-19 >/dev/null || skip "there is no clang-19"
cat >"$scratch/show.c" <<'C'
#include <stdio.h>

extern char** environ;

int main(int argc, char** argv) {
  printf("Content-Type: text/plain\n\n");
  for (int i = 1; i < argc; ++i) printf("argument %s\n", argv[i]);
  for (char** variable = environ; *variable; ++variable) printf("%s\n", *variable);
  for (int c; (c = getchar()) != EOF;) putchar(c);
}
C
clang-19 --target=wasm32-wasi -O1 "$scratch/show.c" -o "$modules/show.wasm" 2>"$scratch/said" ||
  skip "clang-19 has no wasi-libc: $(head -n 1 "$scratch/said")"
"$nurc" compile "$modules/show.wasm" -o "$functions/" || fail "nurc refused it"
cp "$functions/show.so" "$functions/words.so"
# shellcheck disable=SC2016  # it is meant as it stands
printf '[function.words]\nargs = ["first", "${ARGS}"]\n' >"$functions/nur.toml"
serve --workers 1 "$functions"

# expect_variables LINE...: all that the last answer said.
expect_variables() {
  printf '%s\n' "$@" | sort >"$scratch/expected"
  tr -d '\r' <"$scratch/got" | sed '1,/^$/d' | sort >"$scratch/sorted"
  diff "$scratch/expected" "$scratch/sorted" >&2 || fail "other variables than expected"
}

printf '%s\r\n' 'GET /show/a%20b/%00?greet=matt&foo=bar HTTP/1.1' 'Host: foo.example.test:3000' 'Accept: */*' \
  'Proxy: http://evil.test/' 'Cookie: a=1' 'cookie: b=2' 'X-List: one' 'X-List: two' 'X_List: three' \
  'Content-Type: text/x' 'Authorization: Basic eDp5' 'Connection: close' '' | exchange >"$scratch/got"
expect_variables AUTH_TYPE= CONTENT_LENGTH=0 CONTENT_TYPE=text/x GATEWAY_INTERFACE=CGI/1.1 \
  'HTTP_ACCEPT=*/*' 'HTTP_AUTHORIZATION=Basic eDp5' HTTP_CONNECTION=close 'HTTP_COOKIE=a=1; b=2' \
  HTTP_HOST=foo.example.test:3000 'HTTP_X_LIST=one, two' 'PATH_INFO=/a b/%00' 'PATH_TRANSLATED=/a b/%00' \
  'QUERY_STRING=greet=matt&foo=bar' REMOTE_ADDR=127.0.0.1 REMOTE_HOST=127.0.0.1 REMOTE_USER= \
  REQUEST_METHOD=GET SCRIPT_NAME=/show SERVER_NAME=foo.example.test "SERVER_PORT=$port" \
  SERVER_PROTOCOL=HTTP/1.1 SERVER_SOFTWARE=nurhost \
  'X_FULL_URL=http://foo.example.test:3000/show/a%20b/%00?greet=matt&foo=bar' X_MATCHED_ROUTE=/show/... \
  X_RAW_PATH_INFO=/a%20b/%00

# A client without a host, with a body, at the function itself.
printf 'POST /show HTTP/1.0\r\nContent-Length: 5\r\n\r\nbody\n' | exchange >"$scratch/got"
expect_variables AUTH_TYPE= CONTENT_LENGTH=5 CONTENT_TYPE= GATEWAY_INTERFACE=CGI/1.1 PATH_INFO= PATH_TRANSLATED= \
  QUERY_STRING= REMOTE_ADDR=127.0.0.1 REMOTE_HOST=127.0.0.1 REMOTE_USER= REQUEST_METHOD=POST SCRIPT_NAME=/show \
  SERVER_NAME=127.0.0.1 "SERVER_PORT=$port" SERVER_PROTOCOL=HTTP/1.0 SERVER_SOFTWARE=nurhost \
  "X_FULL_URL=http://127.0.0.1:$port/show" X_MATCHED_ROUTE=/show/... X_RAW_PATH_INFO= body

# arguments_of TARGET
arguments_of() { ask "$1" | sed -n 's/^\(200 \)\?argument //p' | paste -sd '|'; }
expect_equal "arguments" "$(arguments_of '/words?greet=matt&foo=b%20r&-s&&x+y')" 'first|greet=matt|foo=b%20r|-s|x+y'
expect_equal "arguments without a query" "$(arguments_of /words)" first
# Nobody's options come from clients unless said.
expect_equal "arguments of others" "$(arguments_of '/show?-s&greet=matt')" ''
expect_match "input of a call is no query" "$(ask '/api/words/x?one&two' | tr '\n' ' ')" 'argument first (x|Content|$)'
stop_server
