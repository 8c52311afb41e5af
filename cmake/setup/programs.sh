# shellcheck shell=bash
# Both programs and the tests, by cmake preset.
: "${root:?}" "${build:?}"

# build_programs PRESET
build_programs() {
  local preset=$1
  local tree=$build/$preset
  # Changes of the CMake files are noticed by ninja itself, but not those of the presets, nor that
  # the whole tree was moved: then its cache is of no use.
  local -a fresh=()
  if [[ -f $tree/CMakeCache.txt ]] &&
    ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$tree/CMakeCache.txt"; then
    fresh=(--fresh)
  fi
  local key
  key=$(sha256sum <"$root/CMakePresets.json")
  if [[ ! -f $tree/build.ninja ]] || ((${#fresh[@]})) || ! stamped "configure-$preset" "$key"; then
    say "configuring build/$preset"
    shown "$preset-configure" cmake -S "$root" --preset "$preset" "${fresh[@]}" || exit 1
    stamp "configure-$preset" "$key"
  fi
  if ! ninja_has_nothing_to_do "$tree"; then
    say "building build/$preset"
    shown "$preset-build" cmake --build "$tree" || exit 1
  fi
  link_wabt "$tree/bin"
}

ninja_has_nothing_to_do() {
  grep -qx 'ninja: no work to do.' <<<"$(ninja -C "$1" -n 2>/dev/null)"
}

# nurc looks for wasm2c beside itself, the spec tests for wast2json beside wasm2c.
link_wabt() {
  local program
  mkdir -p -- "$1"
  for program in wasm2c wat2wasm wast2json; do
    ln -sfn -- "../../toolchain/bin/$program" "$1/$program"
  done
}
