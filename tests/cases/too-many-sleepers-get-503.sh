#!/usr/bin/env bash
# A function has a thousand instances at once in a worker and no more; the next thousand requests wait for one,
# and have it when the sleepers are done; who comes on top of them is told 503 at once. Other
# functions go on.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

is_sanitized && skip "a thousand sandboxes take too long under AddressSanitizer"
hard=$(ulimit -Hn)
[[ $hard == unlimited ]] || ((hard >= 2600)) || skip "not enough file descriptors"
# Fewer than the connections to come: the host takes what it may have.
ulimit -Sn 512

write_sleeper sleeper 8
compile_modules
cp "$NUR_FUNCTIONS/hello.so" "$functions/"
serve --workers 1 --timeout 60s "$functions"

for _ in $(seq 1 234); do
  printf 'url = "%s/sleeper"\noutput = "/dev/null"\nwrite-out = "%%{http_code}\\n"\nnext\n' "$url"
done >"$scratch/requests"
printf 'url = "%s/sleeper"\noutput = "/dev/null"\nwrite-out = "%%{http_code}\\n"\n' "$url" >>"$scratch/requests"
pids=()
for part in 1 2 3 4 5 6 7 8 9; do
  begin curl --silent --no-progress-meter --parallel --parallel-immediate --parallel-max 300 --max-time 60 \
    --config "$scratch/requests" --output /dev/null >"$scratch/statuses-$part" 2>/dev/null
  pids+=("$begun_pid")
done
expect_logged 'function sleeper: no instance: 1000 requests wait for one \(GET /sleeper\)'
curl --silent --include --max-time 20 "$url/sleeper" >"$scratch/head"
grep -q '^HTTP/1.1 503' "$scratch/head" || fail "not refused: $(head -n 1 "$scratch/head")"
grep -qi '^Retry-After: 1' "$scratch/head" || fail "503 without Retry-After"
expect_answer "200 Hello, world" /hello
for pid in "${pids[@]}"; do wait "$pid" || true; done
served=$(cat "$scratch"/statuses-* | grep -c 200)
refused=$(cat "$scratch"/statuses-* | grep -c 503)
# More than two thousand are served when the first are done before the last come.
((served >= 2000 && refused > 0 && served + refused == 2115)) || fail "$served served, $refused refused"
expect_answer "200 rested" /sleeper
stop_server
