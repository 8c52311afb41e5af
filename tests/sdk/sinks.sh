# shellcheck shell=bash disable=SC2164 # callers have set -e
# build_sinks FOLDER: the sinks of all languages whose compiler is here, as FOLDER/LANGUAGE.wasm. The
# languages are left in the array languages, and what was left out is said.
: "${scratch:?}"
sdk_folder=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
functions_folder=$sdk_folder/../../functions

build_sinks() {
  local folder=$1 sdk=$functions_folder/sdk
  languages=(c cpp rust)
  clang-19 --target=wasm32 -O2 -Wall -Wextra -Werror -ffreestanding -nostdlib -Wl,--no-entry \
    -Wl,--stack-first -I "$sdk/c" "$sdk_folder/sink.c" -o "$folder/c.wasm"
  clang++-19 --target=wasm32-wasi -mexec-model=reactor -std=c++23 -O2 -Wall -Wextra -Werror \
    -fno-exceptions -Wl,--stack-first -Wl,--strip-debug -I "$sdk/c" -I "$sdk/cpp" \
    "$sdk_folder/sink.cc" -o "$folder/cpp.wasm"
  "$functions_folder/rust-build" "$sdk_folder/sink.rs" "$folder/rust.wasm"
  if command -v zig >/dev/null; then
    languages+=(zig)
    (
      cd -- "$folder"
      ZIG_GLOBAL_CACHE_DIR=$folder/zig-cache ZIG_LOCAL_CACHE_DIR=$folder/zig-cache zig build-lib \
        -dynamic -rdynamic -target wasm32-freestanding -O ReleaseSmall --stack 65536 \
        -femit-bin=zig.wasm --mod "nur::$sdk/zig/nur.zig" --deps nur "$sdk_folder/sink.zig"
    )
  else
    echo "not shown: zig, which is not here"
  fi
  if command -v asc >/dev/null; then
    languages+=(as)
    (
      cd -- "$sdk_folder/../.."
      asc tests/sdk/sink.ts --outFile "$folder/as.wasm" --runtime stub --optimize --use abort=
    )
  else
    echo "not shown: asc, which is not here"
  fi
}

# start_backend: backend.py until the case ends; leaves web_port, echo_port and closed_port.
start_backend() {
  local backend
  mkfifo "$scratch/backend-input"
  python3 "$sdk_folder/backend.py" <"$scratch/backend-input" >"$scratch/ports" &
  backend=$!
  begun+=("$backend")
  # Its input ends with this shell.
  exec 8>"$scratch/backend-input"
  poll 20 test -s "$scratch/ports" || fail "the backend did not start"
  # shellcheck disable=SC2034 # for the cases
  read -r web_port echo_port closed_port <"$scratch/ports"
}
