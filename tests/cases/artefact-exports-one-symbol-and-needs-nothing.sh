#!/usr/bin/env bash
# What an artefact is, told by binutils instead of our own reader: one symbol out, none in, nothing
# that runs by being loaded, nothing both writable and executable.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

artefacts=("$NUR_FUNCTIONS"/*.so)
((${#artefacts[@]} >= 6)) || fail "not all functions are in $NUR_FUNCTIONS"
for file in "${artefacts[@]}"; do
  expect_equal "defined symbols of $file" \
    "$(nm -D --defined-only "$file" | awk '{print $NF}')" nur_module
  expect_equal "undefined symbols of $file" "$(nm -D --undefined-only "$file")" ""

  dynamic=$(readelf --wide --dynamic "$file")
  expect_match "dynamic section of $file" "$dynamic" '\(HASH\)'
  if grep -E '\((NEEDED|INIT|INIT_ARRAY|FINI|FINI_ARRAY|PREINIT_ARRAY|TEXTREL|RPATH|RUNPATH)\)' \
    <<<"$dynamic"; then
    fail "$file has a dynamic tag that it must not have"
  fi

  expect_match "notes of $file" "$(readelf --wide --notes "$file" 2>/dev/null)" 'nur'
  segments=$(readelf --wide --segments "$file" 2>/dev/null)
  expect_match "segments of $file" "$segments" 'GNU_STACK .* RW '
  if grep -E '^ +[A-Z_]+ +0x.* RWE ' <<<"$segments"; then
    fail "$file has a segment that is writable and executable"
  fi
  if grep -E '^ +(TLS|INTERP) ' <<<"$segments"; then fail "$file has a segment it must not have"; fi
  expect_exit 0 "$nurc" inspect "$file"
done
