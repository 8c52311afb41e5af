# shellcheck shell=bash
# Builds guests as those of serverless-wasm are: memory imported, 18 pages to start with, and a
# custom section `linking` of a version that other tools refuse.

serverless_sources=$case_folder/serverless
command -v clang-19 >/dev/null || skip "clang-19 is not installed"

# build_guest SOURCE OUTPUT [FLAG...]
build_guest() {
  local source=$1 output=$2
  shift 2
  clang-19 --target=wasm32 -O2 -Wall -Wextra -Wno-unused-function -fno-builtin -nostdlib -Wl,--no-entry \
    -Wl,--import-memory -Wl,--initial-memory="${initial_memory:-1179648}" -Wl,-z,stack-size="${stack:-65536}" \
    "$@" "$serverless_sources/$source.c" -o "$output"
  printf '\x00\x09\x07linking\x03' >>"$output"
}

# start_backend: sets backend_port, and refused_port on which nobody listens.
start_backend() {
  command -v python3 >/dev/null || skip "python3 is not installed"
  begin python3 "$serverless_sources/backend.py" "$scratch/backend.port"
  poll 20 test -s "$scratch/backend.port" || fail "the backend does not start"
  read -r backend_port refused_port <"$scratch/backend.port" || true
  : "$backend_port" "$refused_port"
}
