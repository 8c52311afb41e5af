#!/usr/bin/env bash
# With room for a few mappings only the host answers 503 while all instances are in use, and gives the
# idle ones of one function to another instead of refusing it.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

is_sanitized && skip "AddressSanitizer needs the address space itself"

write_sleeper sleeper 2
compile_modules
cp "$NUR_FUNCTIONS"/{hello,fib}.so "$functions/"

# Room for a single instance: functions have it in turn.
serve --workers 1 --mappings-max 12 "$functions"
for _ in 1 2 3 4 5; do
  expect_answer "200 Hello, world" /hello
  expect_answer "200 55" /api/fib/10
  expect_answer "200 rested" /sleeper
done
stop_server

# Room for none at all.
serve --workers 1 --mappings-max 2 "$functions"
expect_status 503 /hello
expect_logged "function hello: no instance: the worker's instances have taken all there is for them: 0 of 2 mappings"
expect_status 404 /nothing
stop_server
