#!/usr/bin/env bash
# Runs one fuzz target of this folder (./dev fuzz NAME). What is interesting is kept in a corpus and
# tried first next time; an input that ends the target is a finding.
set -euo pipefail

here=$(dirname -- "$(readlink -f -- "$0")")
root=$here/../../..
: "${NUR_FUZZ_TARGETS:=$root/build/fuzz/bin}"
: "${NUR_FUNCTIONS:=$root/build/functions}"

usage() {
  cat <<END
usage: ./dev fuzz NAME [OPTION]...

  --seconds N    how long (default 60)
  --seed N       of the fuzzer's choices (default: another one every time)
  --jobs N       processes that share the corpus (default 1)
  --corpus DIR   where interesting inputs are kept (default build/fuzz/corpus/NAME)
  --repro FILE   run the target on this one input, and nothing else

Findings are put below build/fuzz/findings/NAME.
Exit codes: 0 nothing found; 1 findings; 2 wrong usage; 77 the targets are not built.
END
}

misuse() {
  printf 'fuzz: %s\n\n' "$1" >&2
  usage >&2
  exit 2
}

name=${1-}
[[ $name != --help ]] || { usage && exit 0; }
[[ -n $name && -f $here/$name.cc ]] || misuse "no such target: $name"
shift
seconds=60 seed=0 jobs=1 corpus=$root/build/fuzz/corpus/$name repro=''
while (($# > 0)); do
  case $1 in
    --help)
      usage
      exit 0
      ;;
    --seconds | --seed | --jobs | --corpus | --repro)
      (($# > 1)) || misuse "$1 needs a value"
      printf -v "${1#--}" '%s' "$2"
      shift 2
      ;;
    *) misuse "unknown option: $1" ;;
  esac
done
for number in "$seconds" "$seed" "$jobs"; do
  [[ $number =~ ^[0-9]{1,6}$ ]] || misuse "not a number: $number"
done

target=$NUR_FUZZ_TARGETS/${name}_fuzzer
if [[ ! -x $target ]]; then
  echo "fuzz: skipped: no $target; ./dev fuzz $name builds it (needs clang++-19)" >&2
  exit 77
fi
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
findings=$root/build/fuzz/findings/$name
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT

if [[ -n $repro ]]; then
  "$target" "$repro" || exit 1
  exit 0
fi

# What the corpus begins with: the inputs kept in the tree, and what the example functions hold.
seeds=$scratch/seeds
mkdir -p -- "$seeds" "$corpus" "$findings"
if [[ -d $here/seeds/$name ]]; then cp -- "$here/seeds/$name"/* "$seeds/"; fi
for artefact in "$NUR_FUNCTIONS"/*.so; do
  [[ -e $artefact ]] || continue
  file=$seeds/$(basename -- "$artefact" .so)
  case $name in
    # Without its seal.
    elf) head -c -48 -- "$artefact" >"$file" ;;
    # The note's text, behind three lengths and the owner's name.
    manifest)
      objcopy -O binary --only-section=.note.nur "$artefact" "$scratch/note"
      tail -c +17 -- "$scratch/note" >"$file"
      ;;
  esac
done
dictionary=()
if [[ -f $here/$name.dict ]]; then dictionary=("-dict=$here/$name.dict"); fi

before=$(find "$findings" -type f | wc -l)
code=0
pids=()
for ((job = 1; job <= jobs; job++)); do
  "$target" -max_total_time="$seconds" -seed="$((seed == 0 ? 0 : seed * 100 + job))" -timeout=60 -report_slow_units=60 \
    -rss_limit_mb=2048 -reload=1 -print_final_stats=1 "-artifact_prefix=$findings/" \
    "${dictionary[@]}" "$corpus" "$seeds" 2>"$scratch/log.$job" >/dev/null &
  pids+=($!)
done
trap 'kill -- "${pids[@]}" 2>/dev/null || true; rm -rf -- "$scratch"; exit 130' INT TERM
for pid in "${pids[@]}"; do
  wait "$pid" || code=1
done
runs=$(sed -n 's/^stat::number_of_executed_units: //p' "$scratch"/log.* | awk "{ sum += \$1 } END { print sum + 0 }")
covered=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$scratch/log.1" | tail -n 1)
found=$(($(find "$findings" -type f | wc -l) - before))
if ((code != 0)); then
  tail -n 40 "$scratch"/log.* >&2
  echo "fuzz: findings are in $findings; ./dev fuzz $name --repro FILE shows one again" >&2
fi
echo "fuzz target=$name seconds=$seconds runs=${runs:-0} covered=${covered:-0} findings=$found"
exit "$code"
