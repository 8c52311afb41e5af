#!/usr/bin/env bash
# The artefact depends on the module and the tools alone: not on where, when, by whom, in which
# language or beside what else it is compiled.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

mkdir "$scratch/one" "$scratch/another folder" "$scratch/tmp-2"
cp "$case_folder/../../functions/trap/trap.wat" "$scratch/one/trap.wat"
cp "$scratch/one/trap.wat" "$scratch/another folder/trap.wat"
for i in 1 2 3; do cp "$scratch/one/trap.wat" "$scratch/another folder/neighbour$i.wat"; done

(cd "$scratch/one" && env TZ=UTC LANG=C "$nurc" compile --no-cache -j 1 trap.wat)
sleep 1.1
(cd / && umask 077 && env -u LC_ALL TZ=Asia/Tokyo LANG=de_DE.UTF-8 TMPDIR="$scratch/tmp-2" \
  CPATH=/nowhere GCC_EXEC_PREFIX=/nowhere/ SOURCE_DATE_EPOCH=1 "$nurc" compile --no-cache -j 4 \
  "$scratch/another folder"/*.wat -o "$functions/")
cmp "$scratch/one/trap.so" "$functions/trap.so" || fail "the artefacts differ"
for i in 1 2 3; do
  cmp "$scratch/one/trap.so" "$functions/neighbour$i.so" || fail "the file's name is in the artefact"
done
if grep -qaF "$scratch" "$functions/trap.so"; then fail "a path is in the artefact"; fi

# The same of every function of the tree, of which the artefacts were made elsewhere before.
functions_seen=0
for artefact in "$NUR_FUNCTIONS"/*.so; do
  name=$(basename -- "$artefact" .so)
  module=$NUR_MODULES/$name.wasm
  [[ -f $module ]] || module=$case_folder/../../functions/$name/$name.wat
  cp "$module" "$modules/"
  functions_seen=$((functions_seen + 1))
done
((functions_seen >= 5)) || fail "only $functions_seen functions in $NUR_FUNCTIONS"
(cd "$modules" && env TZ=America/New_York LANG=tr_TR.UTF-8 "$nurc" compile --no-cache -j 1 -o "$scratch/all/" ./*)
for artefact in "$scratch/all"/*.so; do
  cmp "$artefact" "$NUR_FUNCTIONS/$(basename -- "$artefact")" || fail "$artefact differs"
done

# Another level of optimisation is another artefact, and says so.
"$nurc" compile -O1 "$scratch/one/trap.wat" -o "$scratch/one/less.so"
if cmp -s "$scratch/one/trap.so" "$scratch/one/less.so"; then fail "-O1 changes nothing"; fi
expect_exit 0 "$nurc" inspect "$scratch/one/less.so"
expect_said '^flags .*-O1'
