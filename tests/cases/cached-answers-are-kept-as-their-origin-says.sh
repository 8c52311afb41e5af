#!/usr/bin/env bash
# The function cache: what it keeps, for how long and for whom, and what it says when its origin fails.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"
# shellcheck source=tests/sdk/sinks.sh
source "$case_folder/../sdk/sinks.sh"

start_backend
# By four names: with its origin, without the right to it, without one that listens, without any.
for name in cache forbidden closed unset; do
  cp "$NUR_FUNCTIONS/cache.so" "$functions/$name.so"
done
cat >"$functions/nur.toml" <<END
[function.cache]
environment = { ORIGIN = "http://127.0.0.1:$web_port" }
allow_outbound = ["loopback:$web_port"]
[function.forbidden]
environment = { ORIGIN = "http://127.0.0.1:$web_port" }
[function.closed]
environment = { ORIGIN = "http://127.0.0.1:$closed_port", TTL = "60" }
allow_outbound = ["loopback:$closed_port"]
END
serve "$functions"

# ask PATH [OPTION...]: "STATUS X-CACHE BODY"
ask() {
  : >"$scratch/body"
  curl -sS -D "$scratch/head" -o "$scratch/body" "${@:2}" "$url$1"
  printf '%s %s %s' "$(sed -n '1s/^[^ ]* \([0-9]*\).*/\1/p' "$scratch/head")" \
    "$(tr -d '\r' <"$scratch/head" | sed -n 's/^x-cache: //Ip')" "$(<"$scratch/body")"
}
expect_answer() { expect_equal "$2 (${*:3})" "$(ask "${@:2}")" "$1"; }

expect_answer '200 miss 1' /cache/count/a
expect_answer '200 hit 1' /cache/count/a
grep -qi '^content-type: text/x-count' "$scratch/head" || fail "the type is lost"
expect_answer '304 hit ' /cache/count/a -H 'If-None-Match: "one"'
expect_answer '200 miss 1' '/cache/count/a?' # another address
expect_answer '200 pass 2' /cache/count/a -H 'Cookie: a=b'
expect_answer '200 pass 3' /cache/count/a -H 'Authorization: Basic x'
expect_answer '200 hit 1' /cache/count/a

for control in no-store private no-cache 'max-age=0' 's-maxage=0,max-age=60' none; do
  expect_answer '200 pass 1' "/cache/count/b?$control"
  expect_answer '200 pass 2' "/cache/count/b?$control"
done
expect_answer '200 miss 1' '/cache/count/b?max-age=0,s-maxage=60'
expect_answer '200 hit 1' '/cache/count/b?max-age=0,s-maxage=60'
expect_answer '404 pass nothing here' /cache/other

# Kept for a second, then asked again in vain.
expect_answer '200 miss 1' '/cache/count/c?then=failing'
is_stale() { [[ $(ask '/cache/count/c?then=failing') == '200 stale 1' ]]; }
poll 20 is_stale || fail "no old answer in place of a failure"

expect_answer '405  only GET and HEAD' /cache/count/a --data x
expect_answer '502  this function may not connect to its origin' /forbidden/count/a
expect_answer '502  the origin does not answer' /closed/count/a
expect_answer '500  ORIGIN is not set; nur.toml does that' /unset/count/a
expect_answer '504  the origin takes too long' /cache/slow
stop_server
