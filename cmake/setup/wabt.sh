# shellcheck shell=bash
# wasm2c, wat2wasm and wast2json in build/toolchain/bin/, from wabt 1.0.36 or newer.
#
# Debian 12's own wabt (1.0.32) is never used: it lets a module's names become C code. Debian 13 has
# a good one. For Debian 12, the binary packages of Debian 13 are fetched with apt from the mirror
# this machine uses, with lists and state of their own, checked against Debian's keys, and unpacked
# into one folder; the programs run with the loader and the libraries of that folder.
: "${toolchain:?}"

readonly wabt_version_min=1.0.36
readonly -a wabt_programs=(wasm2c wat2wasm wast2json)
readonly -a wabt_packages=(wabt libc6 libstdc++6 libgcc-s1 libssl3t64 libzstd1 zlib1g)
readonly debian_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# Debian 12's keyring from this version on has the keys that sign Debian 13.
readonly debian_keyring_version_min=2023.3+deb12u2

# Prints the version a wasm2c tells, or nothing if it does not run.
wasm2c_version() {
  "$1" --version 2>/dev/null | sed -n '1s/^\([0-9][0-9.]*\).*/\1/p'
}

is_wabt_version_good() {
  [[ -n $1 ]] && dpkg --compare-versions "$1" ge "$wabt_version_min"
}

# Where this machine gets Debian from: the address in its own sources, be it a mirror, a list of
# mirrors or a folder. Nothing is printed if apt has no lists yet.
debian_mirror() {
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(SITE) $(LABEL) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
    awk -v codename="$1" \
      '$2 == "Debian" && $3 == codename && $4 == "main" && $1 !~ /^cdrom:/ { print $1; exit }'
}

update_debian_keyring() {
  local version
  version=$(dpkg-query --show --showformat='${Version}' debian-archive-keyring)
  if dpkg --compare-versions "$version" lt "$debian_keyring_version_min"; then
    expect_rights_to_install debian-archive-keyring
    say "updating debian-archive-keyring"
    logged apt-update apt_get update || true
    logged apt-keyring apt_get install --no-install-recommends debian-archive-keyring ||
      fail "could not update debian-archive-keyring, which knows Debian 13's keys"
  fi
}

# use_trixie MIRROR LOG: gets the lists of Debian 13 into build/toolchain/apt/, and puts into
# apt_options what has apt read those instead of this machine's.
use_trixie() {
  local mirror=$1 private=$toolchain/apt
  rm -rf -- "$private"
  mkdir -p -- "$private"/{state/lists/partial,cache/archives/partial}
  : >"$private/status"
  printf 'deb [arch=amd64 target=Packages signed-by=%s] %s trixie main\n' \
    "$debian_keyring" "$mirror" >"$private/sources.list"
  apt_options=(
    -o "Dir::Etc::SourceList=$private/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State=$private/state" -o "Dir::State::status=$private/status"
    -o "Dir::Cache=$private/cache"
  )
  logged "$2-lists" apt-get --quiet -o APT::Sandbox::User=root -o APT::Update::Error-Mode=any \
    "${apt_options[@]}" update
}

fetch_wabt() {
  local mirror
  update_debian_keyring
  mirror=$(debian_mirror bookworm)
  if [[ -z $mirror ]]; then
    # No lists at hand, as in many container images.
    can_be_root || fail "apt has no package lists yet" "as root, run: apt-get update"
    logged apt-update apt_get update || true
    mirror=$(debian_mirror bookworm)
  fi
  [[ -n $mirror ]] || fail "apt's sources on this machine name no mirror of Debian 12" \
    "./dev reads from there where to get Debian 13's wabt; see /etc/apt/sources.list"

  say "fetching wabt of Debian 13 into build/toolchain/"
  local -a apt_options=()
  use_trixie "$mirror" wabt ||
    fail "could not get the lists of Debian 13 from this machine's mirror, $mirror"
  unpack_packages wabt "${wabt_packages[@]}" || fail "could not fetch ${wabt_packages[*]}"
  rm -rf -- "$toolchain/apt"

  local program
  for program in "${wabt_programs[@]}"; do
    write_program "$program" <<END
lib=\$here/wabt/usr/lib/x86_64-linux-gnu
exec "\$lib/ld-linux-x86-64.so.2" --library-path "\$lib" "\$here/wabt/usr/bin/$program" "\$@"
END
  done
}

install_wabt() {
  local key program
  key=$(step_key wabt.sh unpack.sh)
  if stamped wabt "$key" && is_wabt_version_good "$(wasm2c_version "$toolchain/bin/wasm2c")"; then
    return
  fi

  if (($(debian_release) == 12)); then
    fetch_wabt
  else
    mkdir -p -- "$toolchain/bin"
    for program in "${wabt_programs[@]}"; do
      ln -sfn -- "/usr/bin/$program" "$toolchain/bin/$program"
    done
  fi

  local version
  version=$(wasm2c_version "$toolchain/bin/wasm2c")
  if ! is_wabt_version_good "$version"; then
    rm -f -- "${wabt_programs[@]/#/$toolchain/bin/}"
    fail "wasm2c is ${version:-not running}, but must be $wabt_version_min or newer" \
      "older ones let a module's names become C code; where a newer wabt exists, install that"
  fi
  stamp wabt "$key"
}
