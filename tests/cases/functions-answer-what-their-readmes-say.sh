#!/usr/bin/env bash
# Every example function answers what its expected.txt promises.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

[[ -f $NUR_FUNCTIONS/hello.so ]] || fail "no functions in $NUR_FUNCTIONS; ./dev build makes them"
serve --timeout 1s "$NUR_FUNCTIONS"
"$case_folder/../../functions/check" "$url" || fail "a function answers something else"
stop_server
