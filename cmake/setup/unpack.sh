# shellcheck shell=bash
# Programs that are wanted without installing their package: apt fetches and verifies it, and it is
# unpacked into a folder below build/toolchain/. Nothing of the system changes and no service starts.
: "${toolchain:?}"

# unpack_packages NAME PACKAGE...: into build/toolchain/NAME, which is replaced as a whole. Options
# for apt-get may be given in the array apt_options.
unpack_packages() {
  local name=$1
  shift
  local folder=$toolchain/$name fresh=$toolchain/$name.new
  rm -rf -- "$fresh"
  mkdir -p -- "$fresh/debs" "$fresh/root"
  # apt-get download writes into the current folder. As root it would hand the work to a user of its
  # own, who may not write here.
  (
    cd -- "$fresh/debs"
    logged "$name-download" apt-get --quiet -o APT::Sandbox::User=root \
      "${apt_options[@]}" download "$@"
  ) || return 1
  local deb
  for deb in "$fresh"/debs/*.deb; do
    dpkg-deb --extract "$deb" "$fresh/root" || return 1
  done
  rm -rf -- "$folder"
  mv -- "$fresh/root" "$folder"
  rm -rf -- "$fresh"
}

# write_program NAME: a script for build/toolchain/bin/ from standard input, in which $here is the
# folder build/toolchain of the tree, wherever it is and however the script was reached.
write_program() {
  mkdir -p -- "$toolchain/bin"
  {
    # shellcheck disable=SC2016
    printf '%s\n' '#!/bin/sh' 'here=$(/usr/bin/readlink -f -- "$0")' 'here=${here%/bin/*}'
    cat
  } >"$toolchain/bin/$1.new"
  chmod +x -- "$toolchain/bin/$1.new"
  mv -- "$toolchain/bin/$1.new" "$toolchain/bin/$1"
}

# nginx for comparisons. Its package would start a server on port 80, now and at every boot; this
# way there is only the program. Its configuration must name every path it writes to
# (client_body_temp_path and the like): the package's own folders do not exist.
install_nginx() {
  if [[ -x $toolchain/bin/nginx && -x $toolchain/nginx/usr/sbin/nginx ]] ||
    [[ -x /usr/sbin/nginx ]]; then
    return
  fi
  say "fetching nginx into build/toolchain/"
  local -a apt_options=()
  unpack_packages nginx nginx || fail "could not fetch nginx"
  # shellcheck disable=SC2016
  write_program nginx <<<'exec "$here/nginx/usr/sbin/nginx" "$@"'
}
