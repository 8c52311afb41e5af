#!/usr/bin/env bash
# Every example function answers what its expected.txt promises.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

[[ -f $NUR_FUNCTIONS/hello.so ]] || fail "no functions in $NUR_FUNCTIONS; ./dev build makes them"
source_folder=$case_folder/../../functions
there=()
for file in "$source_folder"/*/expected.txt; do
  name=$(basename -- "$(dirname -- "$file")")
  if [[ -f $NUR_FUNCTIONS/$name.so ]]; then
    there+=("$name")
  elif [[ $name == *_@(zig|as|go) ]]; then
    echo "not shown: $name, whose compiler is not here"
  else
    fail "functions/$name is not built; ./dev build does that"
  fi
done
serve --timeout 1s "$NUR_FUNCTIONS"
"$source_folder/check" "$url" "${there[@]}" || fail "a function answers something else"
stop_server
