#!/usr/bin/env bash
# Connections as clients use them: kept, pipelined, with chunks, with 100-continue, with HEAD.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

cp "$NUR_FUNCTIONS"/{hello,echo,upper,fib,trap}.so "$functions/"
serve "$functions"

# One connection for several requests, whatever became of them.
connects=$(curl --silent --max-time 30 --write-out '%{stderr}%{num_connects} ' --output /dev/null \
  "$url/hello" --next --silent --write-out '%{stderr}%{num_connects} ' --output /dev/null "$url/trap?how=div" \
  --next --silent --write-out '%{stderr}%{num_connects} ' --output /dev/null "$url/nothing" \
  --next --silent --write-out '%{stderr}%{num_connects} ' --output /dev/null --data x "$url/upper" \
  --next --silent --write-out '%{stderr}%{num_connects} ' --output /dev/null "$url/api/fib/10" 2>&1)
expect_equal "connections opened" "$connects" "1 0 0 0 0 "

# HEAD has the length and no body.
for path in /upper /api/fib/10 /nothing; do
  answer=$(printf 'HEAD %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n' "$path" | exchange)
  expect_match "HEAD $path" "$answer" $'^HTTP/1.1 [24]0'
  [[ $(tail -c 2 <<<"$answer" | od -An -tx1) == *0d* ]] || fail "HEAD $path has a body: $answer"
done

# Three requests in one write, answered in order.
answer=$(printf '%s\r\nHost: a\r\n\r\n' 'GET /api/fib/10 HTTP/1.1' 'GET /nothing HTTP/1.1' \
  | { cat; printf 'GET /api/fib/20 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'; } | exchange)
expect_equal "statuses of the pipeline" "$(grep -ao 'HTTP/1.1 [0-9]*' <<<"$answer" | tr '\n' ' ')" \
  "HTTP/1.1 200 HTTP/1.1 404 HTTP/1.1 200 "
expect_match "order of the pipeline" "$answer" 55.*404.*6765

# HTTP/1.0 ends its connection, unless asked to keep it.
answer=$(printf 'GET /api/fib/10 HTTP/1.0\r\n\r\n' | exchange)
expect_match "HTTP/1.0" "$answer" '^HTTP/1.1 200 .*55'

# Chunks, small and large, and trailers.
expect_answer "200 chunked" --header 'Transfer-Encoding: chunked' --data chunked /echo
expect_answer "200 CHUNKED" --header 'Transfer-Encoding: chunked' --data chunked /upper
answer=$(printf 'POST /upper HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3;name=value\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n' | exchange)
expect_match "chunks by hand" "$answer" '^HTTP/1.1 200 .*ABCDE'

# Half a megabyte, announced by Expect: 100-continue, and back.
head -c 375000 /dev/urandom | base64 -w 0 >"$scratch/large"
for send in 'Expect: 100-continue' 'Transfer-Encoding: chunked' 'X-Plain: 1'; do
  curl --silent --show-error --max-time 60 --header "$send" --data-binary "@$scratch/large" "$url/echo" \
    --output "$scratch/back" || fail "no answer with $send"
  cmp "$scratch/large" "$scratch/back" || fail "half a megabyte is another one with $send"
done
curl --silent --verbose --max-time 60 --header 'Expect: 100-continue' --data-binary "@$scratch/large" \
  --output /dev/null "$url/echo" 2>"$scratch/conversation"
grep -q '^< HTTP/1.1 100' "$scratch/conversation" || fail "the host does not say 100 Continue"
# One that is too large is refused before it is sent.
head -c 3000000 /dev/zero >"$scratch/huge"
expect_status 413 --header 'Expect: 100-continue' --data-binary "@$scratch/huge" /echo

# A request that trickles in byte by byte.
{
  request=$'GET /api/fib/10 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
  for ((i = 0; i < ${#request}; i++)); do
    printf '%s' "${request:i:1}"
    sleep 0.005
  done
} | exchange >"$scratch/back"
expect_match "request in single bytes" "$(<"$scratch/back")" '^HTTP/1.1 200 .*55'
stop_server
