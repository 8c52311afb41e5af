#!/usr/bin/env bash
# The function shorten: an address becomes short, is found again, counted, and outlives the host.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

cp "$NUR_FUNCTIONS/shorten.so" "$functions/"
# Started by root, nurhost serves as nobody, who must reach the folder.
mkdir -m 777 "$scratch/data"
chmod 711 "$scratch"
serve --data "$scratch/data" "$functions"
address='https://example.org/a/very/long?address=with&many=parts#there'
short=$(curl -sS --data "$address" "$url/shorten")
expect_match "the short address" "$short" "^$url/shorten/[a-z2-9]{8}$"
code=${short##*/}
expect_equal "a second one is another" \
  "$([[ $(curl -sS --data "$address" "$url/shorten") != "$short" ]] && echo yes)" yes

follow() { curl -sS -o /dev/null -w '%{http_code} %{redirect_url}' "$url/shorten/$1"; }
for visit in 1 2 3; do
  expect_equal "visit $visit" "$(follow "$code")" "302 $address"
done
expect_equal "the count" "$(curl -sS "$url/shorten/$code/visits")" 3

short_lived=$(curl -sS --data 'http://a/' "$url/shorten?ttl=1")
is_gone() { [[ $(curl -sS "$short_lived") == "no such short address" ]]; }
poll 20 is_gone || fail "an address outlives its time"
expect_equal "an address that is too long" \
  "$(printf 'http://a/%02100d' 0 | curl -sS -o /dev/null -w '%{http_code}' --data-binary @- "$url/shorten")" 413
stop_server

serve --data "$scratch/data" "$functions"
expect_equal "after a restart" "$(follow "$code")" "302 $address"
expect_equal "the count goes on" "$(curl -sS "$url/shorten/$code/visits")" 4
stop_server
