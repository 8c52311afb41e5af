# shellcheck shell=bash
# Debian packages by group, installed with apt-get when one is missing. apt's own configuration
# (mirrors, proxies, keys) is used as it is.

# Prints 12, 13, ...; a release without a number yet (testing, unstable) counts as 99.
debian_release() {
  local id='' version=''
  if [[ -r /etc/os-release ]]; then
    id=$(sed -n 's/^ID=//p' /etc/os-release | tr -d '"')
    version=$(sed -n 's/^VERSION_ID=//p' /etc/os-release | tr -d '"')
  fi
  [[ $id == debian ]] || fail "this is not Debian but ${id:-unknown}" \
    "./dev sets up Debian 12 and newer; on another system run it in a container of one of them"
  version=${version:-99}
  ((version >= 12)) || fail "Debian $version is too old: C++23 needs the g++ of Debian 12 or newer"
  printf '%s\n' "$version"
}

# Debian has two Rust toolchains that exclude each other; the one that is there stays. The plain one
# of Debian 12 (1.63) is too old, so there the newer one must take its place.
rust_packages() {
  if (($1 >= 13)) && is_installed rustc; then
    printf '%s\n' rustc rust-src
  else
    printf '%s\n' rustc-web rust-web-src
  fi
}

# group_packages GROUP RELEASE: names, one a line.
group_packages() {
  case $1 in
    build)
      # Tools and libraries of both programs; nurc also runs g++.
      printf '%s\n' g++ cmake ninja-build pkg-config git binutils \
        libelf-dev libboost-context-dev libfmt-dev libspdlog-dev libcli11-dev \
        nlohmann-json3-dev libtomlplusplus-dev libseccomp-dev libssl-dev libsimde-dev \
        libc-ares-dev libcurl4-openssl-dev libsqlite3-dev libgtest-dev libgmock-dev
      # llhttp: Debian 12 has its sources inside a package for node, later ones the library.
      if (($2 == 12)); then
        printf '%s\n' node-llhttp
      else
        printf '%s\n' libllhttp-dev
      fi
      # Compilers for functions in C, C++ and Rust.
      printf '%s\n' clang-19 lld-19 wasi-libc libclang-rt-19-dev-wasm32 libc++-19-dev-wasm32
      rust_packages "$2"
      # wasm2c, see wabt.sh.
      if (($2 == 12)); then
        printf '%s\n' debian-archive-keyring
      else
        printf '%s\n' wabt
      fi
      ;;
    # nginx comes without its service, see unpack.sh; the last three are the libraries it loads.
    test)
      printf '%s\n' curl openssl procps strace python3 binaryen slowhttptest libclang-rt-19-dev \
        libpcre2-8-0 libcrypt1 zlib1g
      # Any node of version 18 or newer will do; one that does not come from Debian stays.
      command -v node >/dev/null || printf '%s\n' nodejs
      ;;
    bench)
      printf '%s\n' curl procps python3 strace wrk valgrind libpcre2-8-0 libcrypt1 zlib1g
      command -v npm >/dev/null || printf '%s\n' npm
      ;;
    # What languages.sh fetches with and runs on.
    languages)
      command -v node >/dev/null || printf '%s\n' nodejs
      command -v npm >/dev/null || printf '%s\n' npm
      ;;
    bare) printf '%s\n' debootstrap debian-archive-keyring ;;
  esac
}

# Whether all the named packages are installed and configured.
is_installed() {
  local states
  states=$(dpkg-query --show --showformat='${Status}\n' "$@" 2>/dev/null) || return 1
  ! grep -qvx 'install ok installed' <<<"$states"
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  else
    sudo -- "$@"
  fi
}

can_be_root() {
  ((EUID == 0)) || command -v sudo >/dev/null
}

# Explains how to go on when this user may not install packages.
expect_rights_to_install() {
  can_be_root || fail "missing packages: $*" \
    "as root, run: apt-get update && apt-get install --no-install-recommends $*"
}

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get --quiet --assume-yes \
    -o DPkg::Use-Pty=0 -o DPkg::Lock::Timeout=600 "$@"
}

# install_packages GROUP...
install_packages() {
  local release group package
  local -a wanted=() missing=()
  release=$(debian_release)
  [[ $(dpkg --print-architecture) == amd64 ]] || fail "only amd64 is supported"
  for group; do
    mapfile -t -O "${#wanted[@]}" wanted < <(group_packages "$group" "$release")
  done
  # All in one question; only if something is missing, one each.
  if is_installed "${wanted[@]}"; then
    return
  fi
  for package in "${wanted[@]}"; do
    is_installed "$package" || missing+=("$package")
  done

  expect_rights_to_install "${missing[@]}"
  say "installing ${missing[*]}"
  # A broken third-party source must not be in the way; what is missing will be noticed next.
  logged apt-update apt_get update || say "apt-get update failed; trying with the lists at hand"
  logged apt-install apt_get install --no-install-recommends --no-remove "${missing[@]}" ||
    fail "could not install ${missing[*]}" \
      "if apt refused to remove a package that conflicts, remove it or use a container"
}
