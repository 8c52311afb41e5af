#!/usr/bin/env bash
# --static-reply PATH=TEXT: an answer without a function, beside functions or alone.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

serve --static-reply '/=the root' --static-reply '/floor=x=1'
expect_answer "200 the root" /
expect_answer "200 x=1" /floor
expect_answer "200 x=1" '/floor?with=query'
expect_status 404 /other
curl --silent --head --max-time 20 "$url/floor" >"$scratch/head"
expect_match "answer to HEAD" "$(tr -d '\r' <"$scratch/head")" '^HTTP/1.1 200 OK.*Content-Length: 3'
stop_server

cp "$NUR_FUNCTIONS/hello.so" "$functions/"
serve --static-reply '/hello=not the function' "$functions"
expect_answer "200 not the function" /hello
expect_answer "200 Hello, world" /hello/
stop_server

# misused REGEX ARGUMENT...: as the command line, before anything starts.
misused() {
  expect_exit 2 "$nurhost" serve "${@:2}"
  expect_said "$1"
}
misused '^nurhost: --static-reply: floor: write /PATH=TEXT' --static-reply floor
misused '^nurhost: --static-reply: /a b: no request has such a path' --static-reply '/a b=c'
expect_exit 1 "$nurhost" serve --listen 127.0.0.1:0 --static-reply /a=1 --static-reply /a=2
expect_said '^nurhost: --static-reply: two replies for /a$'
