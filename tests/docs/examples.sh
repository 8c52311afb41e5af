#!/usr/bin/env bash
# examples.sh FILE.md: runs the examples of a page as a reader would, and compares what they print.
#
#   ```LANGUAGE NAME        a file: written to the folder the commands run in
#   ```console              "$ COMMAND" lines, each with the output expected behind it
#   ```console serve        the same, with a host of build/functions on localhost:8080
#   ```console serve DIR    the same, with a host of DIR, which the page has made
#   ```console with PROGRAM the same, and left out where there is no such program
#
# In expected output a line "..." stands for any lines, and "..." within a line for any text.
set -euo pipefail

page=$(readlink -f -- "$1")
root=$(dirname -- "$(readlink -f -- "$0")")/../..
root=$(readlink -f -- "$root")
bin=$(readlink -f -- "${NUR_BIN:-$root/build/release/bin}")
functions=$(readlink -f -- "${NUR_FUNCTIONS:-$root/build/functions}")

# The page of a function that is not built, for want of its compiler.
case $page in
  */functions/sdk/README.md) ;;
  */functions/*/README.md)
    name=$(basename -- "$(dirname -- "$page")")
    if [[ ! -f $functions/$name.so ]]; then
      echo "not shown: $name, which is not built" >&2
      exit 77
    fi
    ;;
esac

scratch=$(mktemp -d)
server=
finish() {
  if [[ -n $server ]]; then
    kill -TERM "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf -- "$scratch"
}
trap finish EXIT
cd -- "$scratch"
ln -s "$root/functions" functions
export PATH=$bin:$PATH
# On a terminal, which a reader has, curl shows no progress when it prints.
export CURL_HOME=$scratch
echo silent >.curlrc

port=
# serve FOLDER: for the rest of the page.
serve() {
  [[ -z $server ]] || return 0
  : >"$scratch/server.log"
  "$bin/nurhost" serve "$1" --listen 127.0.0.1:0 2>>"$scratch/server.log" &
  server=$!
  local tries
  for ((tries = 0; tries < 200; tries++)); do
    port=$(sed -n 's/.* on http:\/\/127\.0\.0\.1:\([0-9]*\)$/\1/p' "$scratch/server.log")
    [[ -z $port ]] || return 0
    sleep 0.05
  done
  echo "the host did not start:" >&2
  cat "$scratch/server.log" >&2
  exit 1
}

commands=0
failures=0

# check COMMAND EXPECTED
check() {
  local command=$1 expected=$2 got pattern
  commands=$((commands + 1))
  # What serves here listens elsewhere than what the page describes.
  [[ -z $port ]] || command=${command//localhost:8080/127.0.0.1:$port}
  if ! got=$(bash -c "$command" 2>&1 | tr -d '\r'); then
    echo "failed: $ $1" >&2
    printf '%s\n' "$got" >&2
    failures=$((failures + 1))
    return
  fi
  pattern=$(printf '%s' "$expected" | sed 's/[][\\*?]/\\&/g; s/\.\.\./*/g')
  # shellcheck disable=SC2053  # the pattern is meant as one
  if [[ $got != $pattern ]]; then
    {
      echo "other output than the page says: $ $1"
      echo "--- expected"
      printf '%s\n' "$expected"
      echo "--- got"
      printf '%s\n' "$got"
    } >&2
    failures=$((failures + 1))
  fi
}

command=
expected=
flush() {
  [[ -z $command ]] || check "$command" "${expected%$'\n'}"
  command=
  expected=
}

block=
while IFS= read -r line; do
  case $block in
    '')
      case $line in
        '```console serve') block=console && serve "$functions" ;;
        '```console serve '*) block=console && serve "${line#*serve }" ;;
        '```console with '*)
          block=console
          if ! command -v "${line##* }" >/dev/null; then
            echo "not shown: what needs ${line##* }, which is not here" >&2
            block=other
          fi
          ;;
        '```console') block=console ;;
        '```'*' '*)
          block='file'
          file=${line##* }
          : >"$file"
          ;;
      esac
      ;;
    other) if [[ $line == '```' ]]; then block=; fi ;;
    file) if [[ $line == '```' ]]; then block=; else printf '%s\n' "$line" >>"$file"; fi ;;
    console)
      case $line in
        '```')
          flush
          block=
          ;;
        '$ '*)
          flush
          command=${line#'$ '}
          ;;
        *) expected+=$line$'\n' ;;
      esac
      ;;
  esac
done <"$page"

((commands > 0)) || { echo "$1 has no examples" >&2; exit 1; }
echo "$commands commands, $failures failed" >&2
((failures == 0))
