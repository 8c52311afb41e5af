#!/usr/bin/env bash
# Functions that are copied, changed and removed in the folder that nurhost serves are served, served
# anew and gone, without a restart; settings, too, and at SIGHUP everything. What is broken leaves what
# was there before.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

mkdir "$scratch/built"
# build FUNCTION VERSION: an artefact that answers VERSION, as $scratch/built/VERSION.so.
build() {
  local wat=$scratch/built/$2.wat
  cat >"$wat" <<WAT
(module
  (import "env" "response_set_body" (func \$body (param i32 i64)))
  (memory (export "memory") 1)
  (data (i32.const 0) "$2")
  (func (export "handle") (call \$body (i32.const 0) (i64.const ${#2}))))
WAT
  "$nurc" compile -O0 "$wat" -o "$scratch/built/" || fail "nurc refused a module of this case"
}
for version in one two three; do build tale "$version"; done
# Answers with its environment.
write_module env <<'WAT'
(module
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 100) "Content-Type: text/plain\n\n")
  (func (export "_start")
    (drop (call $sizes (i32.const 0) (i32.const 4)))
    (drop (call $get (i32.const 1000) (i32.const 20000)))
    (i32.store (i32.const 16) (i32.const 100))
    (i32.store (i32.const 20) (i32.const 26))
    (i32.store (i32.const 24) (i32.const 20000))
    (i32.store (i32.const 28) (i32.load (i32.const 4)))
    (drop (call $write (i32.const 1) (i32.const 16) (i32.const 2) (i32.const 32)))))
WAT
compile_modules
cp "$NUR_FUNCTIONS/hello.so" "$functions/"
greets() { printf '[function.env]\nenvironment = { GREETING = "%s" }\n' "$1"; }
greets early >"$functions/nur.toml"

answers() { [[ $(ask "${@:2}") == "$1" ]]; }
# expect_soon ANSWER PATH
expect_soon() { poll 20 answers "$@" || fail "$2 does not become '$1', but is '$(ask "${@:2}")'"; }
status_is() { local got; got=$(ask "$2"); [[ ${got%% *} == "$1" ]]; }
has_greeting() { [[ $(ask /env) == *"GREETING=$1"* ]]; }
# log_lines REGEX: how many.
log_lines() { grep -Ec -- "$1" "$server_log" || true; }
logged_times() { (($(log_lines "$2") >= $1)); }

serve --workers 2 "$functions"
expect_status 404 /tale
has_greeting early || fail "nur.toml is not read"

# It comes, is written over, is replaced, and goes.
cp "$scratch/built/one.so" "$functions/tale.so"
expect_soon "200 one" /tale
expect_logged 'reloaded in [0-9]+ ms: added tale$'
cp "$scratch/built/two.so" "$functions/tale.so"
expect_soon "200 two" /tale
expect_logged 'reloaded in [0-9]+ ms: changed tale$'
cp "$scratch/built/three.so" "$functions/.tale.new"
mv "$functions/.tale.new" "$functions/tale.so"
expect_soon "200 three" /tale

# What is no artefact leaves what was there, also over further reloads, and the others go on.
head -c 5000 "$scratch/built/one.so" >"$functions/tale.so"
expect_logged 'not serving .*/tale\.so: refused by rule' 'function tale: what was there before is served on'
echo 'no artefact' >"$functions/junk.so"
expect_logged 'not serving .*/junk\.so: refused by rule'
cp "$scratch/built/one.so" "$functions/other.so"
expect_soon "200 one" /other
expect_logged 'reloaded in [0-9]+ ms: added other; refused junk, tale$'
expect_answer "200 three" /tale
expect_status 404 /junk

# So does one that the workers do not load: it needs more memory than it may have.
cat >"$scratch/built/large.wat" <<'WAT'
(module
  (import "env" "response_set_body" (func $body (param i32 i64)))
  (memory (export "memory") 4000)
  (func (export "handle") (call $body (i32.const 0) (i64.const 1))))
WAT
"$nurc" compile -O0 "$scratch/built/large.wat" -o "$scratch/built/"
cp "$scratch/built/large.so" "$functions/tale.so"
cp "$scratch/built/large.so" "$functions/large.so"
expect_logged 'not serving .*/tale\.so, but what was there before: .*refused by rule memory' \
  'not serving .*/large\.so: .*refused by rule memory' \
  'reloaded in [0-9]+ ms: refused junk, large, tale$'
expect_answer "200 three" /tale
expect_status 404 /large
rm "$functions"/{tale,junk,large}.so
poll 20 status_is 404 /tale || fail "what was removed is still there"
expect_answer "200 one" /other

# Settings: changed, broken, mended. SIGHUP reads them, too.
greets later >"$functions/nur.toml"
poll 20 has_greeting later || fail "a changed nur.toml is not read"
echo '[function.nobody]' >"$functions/nur.toml"
expect_logged 'not reloading: .*nur.toml:1:.*; what was there before is served on'
has_greeting later || fail "a broken nur.toml takes what was there"
expect_answer "200 one" /other
greets last >"$functions/nur.toml"
poll 20 has_greeting last || fail "a mended nur.toml is not read"

# Nothing has changed: nobody is started anew, unless told to.
sleep 1.2
before=$(worker_pids)
reloads=$(log_lines 'reloaded in')
cp "$functions/hello.so" "$scratch/hello.so"
cp "$scratch/hello.so" "$functions/hello.so"
sleep 1
expect_equal "workers behind a copy of the same" "$(worker_pids)" "$before"
kill -HUP "$server_pid"
poll 20 logged_times "$((reloads + 1))" 'reloaded in' || fail "SIGHUP does nothing"
expect_logged 'reloaded in [0-9]+ ms: no function has changed'
stop_server
expect_logged 'stopped after [1-9][0-9]* request'

# Without watching only SIGHUP counts.
serve --workers 1 --no-watch "$functions"
cp "$scratch/built/two.so" "$functions/tale.so"
greets silent >"$functions/nur.toml"
sleep 1
expect_status 404 /tale
kill -HUP "$server_pid"
expect_soon "200 two" /tale
has_greeting silent || fail "SIGHUP does not read nur.toml"
stop_server

# Modules are compiled first, and a broken one leaves what was there.
mv "$functions/tale.so" "$scratch/"
wat2wasm=$(command -v "$NUR_BIN/../../toolchain/bin/wat2wasm" || command -v wat2wasm || true)
if [[ -n $wat2wasm ]]; then
  serve --workers 1 "$functions"
  "$wat2wasm" "$scratch/built/one.wat" -o "$functions/tale.wasm"
  poll 60 answers "200 one" /tale || fail "a module is not compiled"
  echo 'no module' >"$functions/tale.wasm"
  expect_logged 'function tale: what was there before is served on'
  expect_answer "200 one" /tale
  "$wat2wasm" "$scratch/built/two.wat" -o "$functions/tale.wasm"
  poll 60 answers "200 two" /tale || fail "a mended module is not compiled"
  stop_server
fi

# A folder that is gone leaves what was served, and is served again when it is back.
serve --workers 1 "$functions"
mv "$functions" "$scratch/away"
expect_logged 'not reloading: .*functions: no such file or folder'
expect_answer "200 one" /other
mv "$scratch/away" "$functions"
cp "$scratch/built/three.so" "$functions/other.so"
kill -HUP "$server_pid"
expect_soon "200 three" /other
stop_server

# The first function that stores something brings the store with it, which lasts over further changes.
serve --workers 2 "$functions"
cp "$NUR_FUNCTIONS/shorten.so" "$functions/"
expect_logged 'reloaded in [0-9]+ ms: added shorten$'
short=$(curl --silent --data 'http://a/there' "$url/shorten")
expect_match "the short address" "$short" "^$url/shorten/[a-z2-9]{8}$"
cp "$scratch/built/one.so" "$functions/fable.so"
expect_logged 'reloaded in [0-9]+ ms: added fable'
expect_equal "what was stored" "$(curl --silent --output /dev/null --write-out '%{redirect_url}' "$short")" 'http://a/there'
stop_server
rm "$functions/shorten.so"

# With --tcp the function has to stay, and with --profile everything.
cp "$NUR_FUNCTIONS/tcp_echo.so" "$functions/"
serve --workers 1 --tcp 127.0.0.1:0=tcp_echo "$functions"
rm "$functions/tcp_echo.so"
expect_logged 'not reloading: --tcp 127.0.0.1:0=tcp_echo: no such function'
expect_answer "200 three" /other
stop_server
mkdir "$scratch/profiles"
"$nurc" compile -O0 --profile-generate "$scratch/built/one.wat" -o "$functions/"
serve --profile "$scratch/profiles" "$functions"
kill -HUP "$server_pid"
expect_logged 'not reading files again: --profile'
stop_server
