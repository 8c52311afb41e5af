#!/usr/bin/env bash
# A program for each function of WASI preview 1 (tests/wasi), what it does and what it refuses: on the command
# line, and served by a worker behind its filter of system calls.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

command -v clang-19 >/dev/null || skip "there is no clang-19"
sources=$case_folder/../wasi
mkdir -p "$scratch/ro/dir" "$scratch/rw"
printf 0123456789 >"$scratch/ro/file"
ln -s file "$scratch/ro/link"
chmod 755 "$scratch" "$scratch/ro" "$scratch/ro/dir"

names=()
for source in "$sources"/*.c; do
  name=${source##*/}
  name=${name%.c}
  names+=("$name")
  clang-19 --target=wasm32 -O1 -nostdlib -ffreestanding -fno-builtin -Wall -Wextra -Werror \
    -Wno-unused-function -Wl,--no-entry "$source" -o "$modules/$name.wasm" || fail "clang-19 refused $name"
done
"$nurc" compile "$modules"/*.wasm -o "$functions/" || fail "nurc refused a program"

# One for every line of the list of imports.
missing=$(sed -n 's/^NUR_IMPORT(wasi_snapshot_preview1, \([a-z_]*\),.*/\1/p' \
  "$case_folder/../../runtime/include/nur/imports.def" | while read -r function; do
  [[ -e $sources/$function.c ]] || echo "$function"
done)
expect_equal "functions without a program" "$missing" ""
((${#names[@]} >= 46)) || fail "only ${#names[@]} programs"

failed=0
for name in "${names[@]}"; do
  code=0
  printf input | "$nurhost" run "$functions/$name.so" --env A=1 --env "B=two words" \
    --dir "$scratch/rw::/rw:rw" --dir "$scratch/ro::/ro" -- one "two words" >"$said" 2>&1 || code=$?
  if [[ $code != 0 ]] || ! grep -qx ok "$said"; then
    echo "nurhost run: $name: exit code $code: $(tr '\n' ' ' <"$said")" >&2
    failed=$((failed + 1))
  fi
done

rm -rf "$scratch/rw"
mkdir -m 777 "$scratch/rw"
for name in "${names[@]}"; do
  cat <<END
[function.$name]
environment = { A = "1", B = "two words" }
args = ["one", "two words"]
files = [{ source = "../rw", target = "/rw", mode = "rw" }, { source = "../ro", target = "/ro" }]
END
done >"$functions/nur.toml"
serve "$functions"
for name in "${names[@]}"; do
  got=$(ask -d input "/$name")
  if [[ $got != "200 ok" ]]; then
    echo "nurhost serve: $name: $got" >&2
    grep "function $name:" "$server_log" >&2 || true
    failed=$((failed + 1))
  fi
done
expect_equal "failed programs" "$failed" 0
expect_equal "the read-only file" "$(cat "$scratch/ro/file")" 0123456789
expect_equal "what else is there" "$(cd "$scratch/ro" && find . | sort | tr '\n' ' ')" ". ./dir ./file ./link "
! logged 'died' || fail "a worker died"
stop_server
