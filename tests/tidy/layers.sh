#!/usr/bin/env bash
# Holds every #include "..." of the tree against the order of its folders: a folder may use itself and
# the folders named here, nothing else. This table is the architecture (docs/ARCHITECTURE.md).
set -euo pipefail
cd -- "$(dirname -- "$(readlink -f -- "$0")")/../.."

declare -A may_use=(
  [base]="nur"
  [runtime]="nur"
  [runtime/guest]="nur"
  [compiler/wasm]="base nur"
  [compiler]="base nur runtime compiler/wasm"
  [host/artefact]="base nur"
  [host/sandbox]="base nur host/artefact"
  [host/net]="base"
  [host/outbound]="base host/net"
  [host/kv]="base host/net"
  [host/abi/wasi]="base nur host/sandbox"
  [host/abi/cgi]="base host/net"
  [host/abi/stream]="base nur host/sandbox"
  [host/abi/typed]="base nur host/sandbox"
  [host/abi/handle]="base nur host/net host/outbound host/kv host/sandbox"
  [host/serve]="base nur host/artefact host/sandbox host/net host/outbound host/kv host/abi/wasi host/abi/cgi host/abi/stream host/abi/handle host/abi/typed"
  [host/serve/nebula]="base host/net host/serve"
  [host/upload]="base host/net host/serve"
  [host/compile]="base nur host/artefact"
  [host/config]="base host/net host/outbound host/serve host/serve/nebula"
  [host/process]="base host/abi/wasi host/artefact host/net host/outbound host/kv host/sandbox host/serve host/serve/nebula host/upload"
  [host/run]="base nur host/artefact host/net host/outbound host/kv host/sandbox host/abi/wasi host/abi/stream host/abi/handle host/abi/typed host/serve"
  [host]="base host/artefact host/compile host/config host/net host/outbound host/kv host/process host/run host/serve"
)

# The folder that an include is written from: its path without the file, "nur" for the ABI, and "."
# for a header beside generated C (runtime/guest only).
folder_of_include() {
  case $1 in
    nur/*) echo nur ;;
    */*) echo "${1%/*}" ;;
    *) echo . ;;
  esac
}

checked=0
broken=0
complain() {
  echo "$1" >&2
  broken=$((broken + 1))
}

while IFS= read -r file; do
  folder=${file%/*}
  [[ $folder == runtime/include/nur ]] && folder=runtime
  if [[ -z ${may_use[$folder]+known} ]]; then
    complain "$file: the folder $folder is not in tests/tidy/layers.sh"
    continue
  fi
  while IFS=: read -r line included; do
    from=$(folder_of_include "$included")
    checked=$((checked + 1))
    [[ $from == "$folder" || ($from == . && $folder == runtime/guest) ]] && continue
    [[ " ${may_use[$folder]} " == *" $from "* ]] && continue
    complain "$file:$line: $folder must not include \"$included\""
  done < <(grep -nE '^ *# *include *"' "$file" | sed 's/^\([0-9]*\):[^"]*"\([^"]*\)".*/\1:\2/' || true)
done < <(find base runtime compiler host -name '*.h' -o -name '*.cc' -o -name '*.c' -o -name '*.def' | sort)

((checked > 100)) || complain "only $checked includes found: the check itself is broken"
echo "$checked includes checked, $broken against the order" >&2
((broken == 0))
