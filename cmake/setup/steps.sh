# shellcheck shell=bash
# How ./dev talks and stops: one line a step on standard error, details in build/setup/log/.
: "${root:?}" "${build:?}"

# say TEXT
say() {
  printf 'dev: %s\n' "$1" >&2
}

# fail TEXT [NEXT-STEP]
fail() {
  printf 'dev: %s\n' "$1" >&2
  [[ -z ${2-} ]] || printf '     %s\n' "$2" >&2
  exit 1
}

# logged NAME COMMAND...: runs it with its output in build/setup/log/NAME; if it fails, shows the
# end of that and returns 1.
logged() {
  local log=$build/setup/log/$1
  shift
  mkdir -p -- "${log%/*}"
  if ! "$@" >"$log" 2>&1 </dev/null 9>&-; then
    tail -n 60 -- "$log" >&2
    printf 'dev: failed: %s\n     all of its output: %s\n' "$*" "$log" >&2
    return 1
  fi
}

# shown NAME COMMAND...: as logged, but a person at a terminal sees it at work.
shown() {
  if [[ -t 2 ]]; then
    shift
    "$@" >&2 || {
      printf 'dev: failed: %s\n' "$*" >&2
      return 1
    }
  else
    logged "$@"
  fi
}

# locked FUNCTION ARGUMENT...: one ./dev at a time changes what is installed. The lock is held by
# file 9, which the commands run by logged do not get: something they leave running must not keep it.
locked() {
  mkdir -p -- "$build/setup"
  exec 9>"$build/setup/lock"
  if ! flock --nonblock 9; then
    say "waiting for another ./dev to finish installing"
    flock 9
  fi
  "$@"
  exec 9>&-
}

# A step that left something in a private folder is repeated when what it is made by has changed:
#   stamped NAME KEY    whether NAME was last done with this KEY
#   stamp NAME KEY      it is done
stamped() {
  local file=$build/setup/$1.stamp
  [[ -r $file && $(<"$file") == "$2" ]]
}

stamp() {
  mkdir -p -- "$build/setup"
  printf '%s\n' "$2" >"$build/setup/$1.stamp"
}

# step_key SCRIPT...: changes with the named scripts of this folder and with the Debian release.
step_key() {
  (cd -- "$root/cmake/setup" && cat -- "$@" && debian_release) | sha256sum | cut -d ' ' -f 1
}
