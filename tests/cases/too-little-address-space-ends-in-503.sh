#!/usr/bin/env bash
# With less address space than its sandboxes need the host answers 503, says why in the log, and goes
# on with what fits.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

is_sanitized && skip "AddressSanitizer needs the address space itself"
cp "$NUR_FUNCTIONS"/{hello,fib}.so "$functions/"

# In KiB: less than one sandbox of 8 GiB; room for one.
for limit in 1000000 12000000; do
  cat >"$scratch/limited" <<END
#!/bin/bash
ulimit -v $limit && exec "$nurhost" "\$@"
END
  chmod +x "$scratch/limited"
  unlimited=$nurhost
  nurhost=$scratch/limited
  serve "$functions"
  nurhost=$unlimited
  for _ in 1 2 3 4 5; do
    expect_match "answer of hello" "$(ask /hello)" '^(503 .*no instance|200 Hello)'
    expect_match "answer of fib" "$(ask /api/fib/10)" '^(503 .*no instance|200 55)'
  done
  if ((limit < 8000000)); then
    expect_status 503 /hello
    expect_logged "function hello: no instance: the worker's instances have taken all there is for them: .* of 0 GiB of addresses"
    curl --silent --include --max-time 20 "$url/hello" >"$scratch/head"
    grep -qi '^Retry-After: 1' "$scratch/head" || fail "503 without Retry-After"
  else
    expect_answer "200 Hello, world" /hello
  fi
  expect_status 404 /nothing
  stop_server
done
