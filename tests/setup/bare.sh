#!/usr/bin/env bash
# bare.sh [bookworm|trixie] [VERB]: ./dev VERB of the committed tree in a bare Debian.
#
# Makes a minimal system with nothing but git and certificates in a folder, clones HEAD into it and
# runs ./dev there, as a person with a new machine would; then once more, which must be quick. What
# was built then serves the example functions (serve-functions.sh). Needs root and debootstrap,
# several GB below $TMPDIR (or build/bare) and many minutes. Mounts live in a mount namespace of
# their own, so whatever happens they are gone with the last process in it.
set -euo pipefail

root=$(readlink -f -- "$(dirname -- "${BASH_SOURCE[0]}")/../..")
suite=${1:-bookworm}
verb=${2:-build}

# What a second run of a verb may take when everything is done, in milliseconds.
readonly idle_ms_max=2000

fail() {
  printf 'bare: %s\n' "$1" >&2
  exit 1
}

case $suite in
  bookworm | trixie) ;;
  *)
    echo "usage: tests/setup/bare.sh [bookworm|trixie] [VERB]" >&2
    exit 2
    ;;
esac
((EUID == 0)) || fail "making a bare system needs root"

# shellcheck disable=SC2034  # read by the scripts sourced next
build=$root/build toolchain=$root/build/toolchain
# shellcheck source=cmake/setup/wabt.sh
source "$root/cmake/setup/wabt.sh"

parent=${TMPDIR:-$root/build/bare}
mkdir -p -- "$parent"
system=$(mktemp -d -- "$parent/nur-$suite.XXXXXX")
chmod 755 "$system"
trap 'rm -rf --one-file-system -- "$system"' EXIT

make_system() {
  local codename mirror
  codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  mirror=$(debian_mirror "$codename")
  [[ -n $mirror ]] || fail "apt's sources name no mirror of $codename; run apt-get update"
  printf 'bare: making a minimal %s\n' "$suite" >&2
  debootstrap --variant=minbase --include=git,ca-certificates "$suite" "$system" "$mirror" \
    >"$parent/$suite.debootstrap.log" 2>&1 || {
    tail -n 20 "$parent/$suite.debootstrap.log" >&2
    fail "debootstrap failed"
  }
}

# The network is reached as this machine reaches it: names, proxies, certificates.
share_network() {
  cp -L /etc/resolv.conf "$system/etc/resolv.conf"
  [[ -s $system/etc/hosts ]] || printf '127.0.0.1 localhost\n' >"$system/etc/hosts"
  local file
  while IFS= read -r file; do
    cp -- "$file" "$system/etc/apt/apt.conf.d/"
  done < <(grep -rlisE '^[^/#]*Acquire::(http|https|ftp|Check-)' /etc/apt/apt.conf.d || true)
  [[ ! -f /etc/apt/apt.conf ]] || cp /etc/apt/apt.conf "$system/etc/apt/"
  cp -r /etc/apt/auth.conf.d "$system/etc/apt/" 2>/dev/null || true
  if compgen -G '/usr/local/share/ca-certificates/*.crt' >/dev/null; then
    mkdir -p "$system/usr/local/share/ca-certificates"
    cp /usr/local/share/ca-certificates/*.crt "$system/usr/local/share/ca-certificates/"
    TMPDIR=/tmp chroot "$system" update-ca-certificates >/dev/null ||
      fail "could not hand over this machine's certificates"
  fi
}

clone_tree() {
  local revision
  revision=$(git -C "$root" rev-parse HEAD)
  [[ -z $(git -C "$root" status --porcelain) ]] ||
    printf 'bare: uncommitted changes are not part of what is tried\n' >&2
  git clone --quiet --no-local --no-checkout "file://$root" "$system/root/nur"
  git -C "$system/root/nur" checkout --quiet --detach "$revision"
  printf 'bare: trying %s\n' "$(git -C "$root" log -1 --format='%h %s')" >&2
}

# inside COMMAND...: in the system, in /root/nur, with its own mounts and processes; those end with
# the command.
inside() {
  # shellcheck disable=SC2016  # expanded inside
  env -i HOME=/root TERM=dumb LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    unshare --mount --propagation private --pid --fork --kill-child bash -c '
      set -e
      system=$1
      shift
      mount -t proc proc "$system/proc"
      mount -t sysfs -o ro sysfs "$system/sys"
      mount -t tmpfs -o mode=1777 tmpfs "$system/dev/shm"
      mount -t devpts -o newinstance,ptmxmode=0666 devpts "$system/dev/pts"
      exec chroot "$system" bash -c "cd /root/nur && exec \"\$@\"" bash "$@"
    ' bash "$system" "$@" </dev/null
}

make_system
share_network
clone_tree

started=$SECONDS
inside ./dev "$verb" || fail "./dev $verb failed on $suite"
printf 'bare: ./dev %s took %d s on %s\n' "$verb" $((SECONDS - started)) "$suite" >&2

version=$(inside build/toolchain/bin/wasm2c --version | head -n 1)
is_wabt_version_good "$version" || fail "wasm2c is ${version:-missing}"

[[ ! -e $system/usr/sbin/policy-rc.d ]] || fail "set-up left a policy-rc.d behind"

if [[ $verb == setup || $verb == build ]]; then
  started=$(date +%s%N)
  inside ./dev "$verb" || fail "the second ./dev $verb failed on $suite"
  took_ms=$((($(date +%s%N) - started) / 1000000))
  ((took_ms <= idle_ms_max)) || fail "the second ./dev $verb took $took_ms ms"
  printf 'bare: the second took %d ms\n' "$took_ms" >&2
fi

if [[ $verb == build || $verb == test ]]; then
  # The client comes last: the build must not have needed it or what it depends on.
  inside apt-get --quiet=2 --assume-yes install --no-install-recommends curl >/dev/null ||
    fail "could not install curl on $suite"
  inside tests/setup/serve-functions.sh || fail "what ./dev $verb made on $suite does not serve"
fi
printf 'bare: ./dev %s works on a bare %s\n' "$verb" "$suite" >&2
