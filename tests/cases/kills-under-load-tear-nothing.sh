#!/usr/bin/env bash
# Twenty kills of master and workers at random under load; ./dev test kills does more.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

python3 "$case_folder/../kills/kills.py" "$nurhost" "$NUR_FUNCTIONS/hello.so" $'Hello, world\n' 20 ||
  fail "a kill was noticed by others than those it hit"
