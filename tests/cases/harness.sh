# shellcheck shell=bash
# What every case starts with: source this file first.
#
# A case is a bash script named by the behaviour it shows. It runs both programs from $NUR_BIN, keeps
# all files in $scratch, waits for nothing without a bound, and ends the processes it began by id.
# Exit codes: 0 shown, 1 not, 77 cannot be shown on this machine. A case may define undo_case, which
# is called at its end, for what has to be taken back beside processes and files.
set -euo pipefail

: "${NUR_BIN:?the folder with nurc and nurhost}"
: "${NUR_FUNCTIONS:?the folder with the compiled example functions}"
: "${NUR_MODULES:?the folder with the modules that their build scripts made}"

# shellcheck disable=SC2034 # for the cases
case_folder=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
nurc=$NUR_BIN/nurc
nurhost=$NUR_BIN/nurhost
export LC_ALL=C.UTF-8

scratch=$(mktemp -d)
functions=$scratch/functions
modules=$scratch/modules
mkdir "$functions" "$modules"
# Where both programs put what they need for a while; whatever stays there was left behind.
export TMPDIR=$scratch/tmp
mkdir "$TMPDIR"
export NUR_CACHE=$scratch/cache

server_pid=
server_log=$scratch/server.log
url=
port=
begun=()  # processes to end with the case

clean_up() {
  local code=$?
  trap - EXIT
  local pid
  for pid in "${begun[@]}"; do
    kill -KILL "$pid" 2>/dev/null || true
  done
  wait 2>/dev/null || true
  if ((code != 0 && code != 77)) && [[ -s $server_log ]]; then
    echo "--- the last lines of nurhost:" >&2
    tail -n 15 -- "$server_log" >&2
  fi
  if declare -F undo_case >/dev/null; then undo_case; fi
  rm -rf -- "$scratch"
  exit "$code"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP
trap 'echo "FAILED at ${BASH_SOURCE[0]##*/}:$LINENO: $BASH_COMMAND" >&2' ERR
set -E

fail() {
  trap - ERR
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

skip() {
  printf 'skipped: %s\n' "$*" >&2
  exit 77
}

expect_equal() {
  local what=$1 got=$2 expected=$3
  [[ $got == "$expected" ]] || fail "$what: got '$got', expected '$expected'"
}

# expect_match WHAT TEXT REGEX
expect_match() {
  [[ $2 =~ $3 ]] || fail "$1: '$2' does not match '$3'"
}

# poll SECONDS COMMAND...: whether the command succeeds within that time.
poll() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.05
  done
}

# Sanitizers take address space, memory and time of their own.
is_sanitized() { grep -qa __asan_init "$nurhost"; }
# The host's signals are its own (the test preset says the same).
if is_sanitized; then
  export ASAN_OPTIONS=${ASAN_OPTIONS:-handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:use_sigaltstack=0}
fi

# begin COMMAND...: in the background, with its process id in $begun_pid, ended with the case.
begin() {
  "$@" &
  begun_pid=$!
  begun+=("$begun_pid")
}

# running PID: whether it is there and no zombie.
running() {
  local state
  state=$(sed -n 's/^State:\s*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) || return 1
  [[ -n $state && $state != Z ]]
}

stopped() { ! running "$1"; }

# exit_code_of COMMAND...: prints it; what the command says is in $said.
said=$scratch/said
exit_code_of() {
  local code=0
  "$@" >"$said" 2>&1 || code=$?
  echo "$code"
}

# expect_exit CODE COMMAND...
expect_exit() {
  local expected=$1 code
  shift
  code=$(exit_code_of "$@")
  [[ $code == "$expected" ]] || fail "exit code $code instead of $expected: $*: $(head -c 2000 "$said")"
}

# expect_said REGEX...: of what the last command said.
expect_said() {
  local regex
  for regex; do
    grep -Eq -- "$regex" "$said" || fail "'$regex' is not in: $(head -c 2000 "$said")"
  done
}

# write_module NAME: keeps the text module on standard input for compile_modules.
write_module() { cat >"$modules/$1.wat"; }

# write_stream NAME: the same for a function of the nur stream ABI, of which the text on standard
# input is what it does. Chunks are put at 0..1023; $log, $send and $end are imported.
write_stream() {
  {
    cat <<'END'
(module
  (import "nur" "nur_log" (func $log (param i32 i32)))
  (import "nur" "nur_send" (func $send (param i32 i32)))
  (import "nur" "nur_end" (func $end))
  (func (export "alloc") (param i32) (result i32) (i32.const 0))
END
    cat
    echo ')'
  } | write_module "$1"
}

# A function "neighbour" that answers "ok" at once, to be held up by others.
write_neighbour() {
  write_stream neighbour <<'WAT'
  (memory (export "memory") 1)
  (data (i32.const 2000) "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
  (func (export "poll_stream") (param i32 i32) (call $send (i32.const 2000) (i32.const 40)) (call $end))
WAT
}

# write_sleeper NAME SECONDS: a command that logs "begun", sleeps, then answers "rested".
write_sleeper() {
  write_module "$1" <<WAT
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func \$poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func \$write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 900) "begun\n")
  (data (i32.const 1000) "Content-Type: text/plain\n\nrested")
  (func \$_start (export "_start")
    (i32.store (i32.const 300) (i32.const 900))
    (i32.store (i32.const 304) (i32.const 6))
    (if (call \$write (i32.const 2) (i32.const 300) (i32.const 1) (i32.const 308)) (then (unreachable)))
    (i32.store offset=16 (i32.const 0) (i32.const 1))
    (i64.store offset=24 (i32.const 0) (i64.const $(($2 * 1000000000))))
    (if (call \$poll (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 200)) (then (unreachable)))
    (i32.store (i32.const 300) (i32.const 1000))
    (i32.store (i32.const 304) (i32.const 32))
    (if (call \$write (i32.const 1) (i32.const 300) (i32.const 1) (i32.const 308)) (then (unreachable)))))
WAT
}

# Compiles all modules kept so far to $functions.
compile_modules() {
  "$nurc" compile "$@" "$modules"/*.wat -o "$functions/" || fail "nurc refused a module of this case"
}

# serve ARGUMENT...: starts nurhost on a free port, or at $listen; sets url, port and server_pid.
serve() {
  : >"$server_log"
  begin "$nurhost" serve --listen "${listen:-127.0.0.1:0}" "$@" 2>>"$server_log"
  server_pid=$begun_pid
  poll 60 serving_or_gone || fail "nurhost does not say that it serves"
  local address
  address=$(sed -n 's/.* serving [0-9]* function(s) on //p' "$server_log")
  [[ -n $address ]] || fail "nurhost ended at start"
  url=$address
  port=${url##*:}
}

serving_or_gone() { grep -q ' serving [0-9]* function' "$server_log" || ! running "$server_pid"; }

# functions_served: how many, as nurhost says.
functions_served() { sed -n 's/.* serving \([0-9]*\) function(s).*/\1/p' "$server_log"; }

# Ends nurhost as an operator does, and expects that it does so well.
stop_server() {
  kill -TERM "$server_pid"
  poll 40 stopped "$server_pid" || fail "nurhost is still there after SIGTERM"
  local code=0
  wait "$server_pid" || code=$?
  expect_equal "exit code of nurhost" "$code" 0
}

# ask CURL-ARGUMENT... PATH: prints status and body, "200 body".
ask() {
  local path=${*: -1} status
  status=$(curl --silent --max-time 60 --output "$scratch/body" --write-out '%{http_code}' \
    "${@:1:$#-1}" "$url$path") || fail "no answer to $path"
  printf '%s ' "$status"
  tr -d '\0' <"$scratch/body"
}

# expect_answer EXPECTED CURL-ARGUMENT... PATH: status and whole body.
expect_answer() {
  local expected=$1
  shift
  expect_equal "answer to ${*: -1}" "$(ask "$@")" "$expected"
}

# expect_status EXPECTED CURL-ARGUMENT... PATH
expect_status() {
  local expected=$1 got
  shift
  got=$(ask "$@")
  expect_equal "status of ${*: -1}" "${got%% *}" "$expected"
}

# logged REGEX: whether nurhost has logged such a line.
logged() { grep -Eq -- "$1" "$server_log"; }

expect_logged() {
  local regex
  for regex; do
    poll 20 logged "$regex" || fail "no line '$regex' in the log"
  done
}

# exchange: sends standard input as it is over one connection and prints all that comes back until
# the host closes, or nothing comes for a second.
exchange() {
  exec 7<>"/dev/tcp/127.0.0.1/$port"
  cat >&7
  timeout 20 cat <&7 || true
  exec 7>&- 7<&-
}

# worker_pids: of the server's workers, one a line; each runs guests, the server itself does not.
worker_pids() { pgrep -P "$server_pid" || true; }
# The pid of the only worker of a server with --workers 1.
worker_pid() {
  local -a pids
  mapfile -t pids < <(worker_pids)
  expect_equal "number of workers" "${#pids[@]}" 1
  printf '%s\n' "${pids[0]}"
}

resident_kib() { sed -n 's/^VmRSS:\s*\([0-9]*\) kB/\1/p' "/proc/$1/status"; }
# The processes of a server cannot be looked into but by root.
can_look_into() { [[ -r /proc/$1/fd ]] && ls "/proc/$1/fd" >/dev/null 2>&1; }
descriptor_count() { find "/proc/$1/fd" -mindepth 1 | wc -l; }
