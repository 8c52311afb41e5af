#!/usr/bin/env bash
# A function comes by HTTP (--upload), with a token and not without; what no host would serve changes
# nothing, nor does an upload that is cut off, killed, or has no room; two at once leave a whole one.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

token_file=$scratch/token
(umask 077 && head -c 32 /dev/urandom | base64 >"$token_file")
token=$(<"$token_file")
# As curl reads it: no list of processes shows the token.
(umask 077 && printf 'header = "Authorization: Bearer %s"\n' "$token" >"$scratch/with-token")

# give FOLDER: started by root, who takes uploads is whoever owns the folder; there may be no
# Landlock here, which it would need to stay root.
give() {
  ((EUID != 0)) || chown nobody "$1"
}

# serve_uploads ARGUMENT...: like serve; sets upload_url and upload_pid.
upload_url=
serve_uploads() {
  serve --workers 1 --upload 127.0.0.1:0 --upload-token-file "$token_file" "$@"
  upload_url=$(sed -n 's/.* taking uploads to .* on //p' "$server_log")
  [[ -n $upload_url ]] || fail "nurhost does not say where it takes uploads"
}
upload_pid() {
  local pid
  for pid in $(pgrep -P "$server_pid"); do
    [[ $(cat "/proc/$pid/comm" 2>/dev/null) != nurhost-upload ]] || echo "$pid"
  done
}

# uploading CURL-ARGUMENT... PATH: prints "STATUS body", of a request without the token.
uploading() {
  local path=${*: -1} status
  status=$(curl --silent --max-time 60 --path-as-is --output "$scratch/body" --write-out '%{http_code}' \
    "${@:1:$#-1}" "$upload_url$path") || fail "no answer to $path"
  printf '%s ' "$status"
  cat "$scratch/body"
}
with_token() { uploading --config "$scratch/with-token" "$@"; }
# expect_upload REGEX CURL-ARGUMENT... PATH: of status and body, with the token.
expect_upload() {
  local regex=$1 got
  shift
  got=$(with_token "$@")
  expect_match "answer to ${*: -1}" "$got" "^$regex"
}
files() { (cd "$functions" && find . -mindepth 1 -printf '%P\n' | sort | paste -sd' '); }
# is_answered ANSWER CURL-ARGUMENT... PATH
is_answered() { [[ $(ask "${@:2}") == "$1" ]]; }
# Until new files are taken up by themselves.
takes_up_by_itself() { "$nurhost" serve --help | grep -q -- --no-watch; }

if [[ ${1-} == full-disk ]]; then
  mount -t tmpfs -o size=192k tmpfs "$functions" || skip "no tmpfs can be mounted"
  # shellcheck disable=SC2317  # the harness calls it
  undo_case() { umount "$functions" 2>/dev/null || umount -l "$functions" || true; }
  cp "$NUR_FUNCTIONS/hello.so" "$functions/"
  head -c 100k /dev/zero >"$functions/filler"
  give "$functions"
  ((EUID != 0)) || chown nobody "$functions"/*
  before=$(sha256sum <"$functions/hello.so")
  serve_uploads "$functions"
  { printf '\0asm\1\0\0\0' && head -c 120k /dev/zero; } >"$scratch/large.wasm"
  expect_upload '507 .*No space left on device' -T "$scratch/large.wasm" /large.wasm
  expect_upload '409 ' -T "$scratch/large.wasm" /hello.wasm
  expect_equal "files" "$(files)" "filler hello.so"
  expect_equal "what was there" "$(sha256sum <"$functions/hello.so")" "$before"
  rm "$functions/filler"
  expect_upload '201 ' -T "$scratch/large.wasm" /large.wasm
  stop_server
  exit 0
fi

cp "$NUR_FUNCTIONS/hello.so" "$functions/"
give "$functions"
serve_uploads "$functions"

# An upload, as its answer and the folder have it.
digest=$(sha256sum <"$NUR_FUNCTIONS/upper.so")
bytes=$(stat -c %s "$NUR_FUNCTIONS/upper.so")
whole="\{\"name\":\"shout.so\",\"function\":\"shout\",\"bytes\":$bytes,\"sha256\":\"${digest%% *}\"\}"
expect_upload "201 $whole" -T "$NUR_FUNCTIONS/upper.so" /shout.so
cmp "$NUR_FUNCTIONS/upper.so" "$functions/shout.so"
expect_upload "200 $whole" -T "$NUR_FUNCTIONS/upper.so" -H 'Expect:' /shout.so
expect_upload "200 $whole" -T "$NUR_FUNCTIONS/upper.so" -H 'Transfer-Encoding: chunked' /shout.so
expect_upload '200 \[\{"name":"hello.so","bytes":[0-9]+\},\{"name":"shout.so","bytes":'"$bytes"'\}\]' /
expect_logged 'info upload: shout.so created, [0-9]+ bytes, sha256 [0-9a-f]{64}, from 127\.0\.0\.1'
if takes_up_by_itself; then
  poll 20 is_answered "200 LOUD" -d loud /shout || fail "an upload is not served"
else
  stop_server
  serve_uploads "$functions"
fi
expect_answer "200 LOUD" -d loud /shout

# Without the token nobody is told or changes anything.
for arguments in "/" "-T $NUR_FUNCTIONS/echo.so /shout.so" "-X DELETE /shout.so" "-X POST /nothing"; do
  # shellcheck disable=SC2086  # several words
  expect_match "answer without a token" "$(uploading $arguments)" '^401 .*Authorization: Bearer TOKEN'
done
grep -qi '^www-authenticate: Bearer' < <(curl -s -i "$upload_url/") || fail "401 without WWW-Authenticate"
for wrong in "Bearer ${token}x" "Bearer ${token%?}" "Bearer" "Basic dTpw" "$token"; do
  expect_match "answer to a wrong token" \
    "$(uploading -H "Authorization: $wrong" -T "$NUR_FUNCTIONS/echo.so" /shout.so)" '^401 .*not the token'
done
expect_logged 'warning upload: a wrong token from 127\.0\.0\.1'
if grep -qF "$token" "$server_log"; then fail "the log has the token"; fi
cmp "$NUR_FUNCTIONS/upper.so" "$functions/shout.so"

# Names.
for name in '..%2fout.so' '%2e%2e%2fout.so' '.hidden.so' '..so' '../out.so' 'a/b.so' '/etc/out.so' \
  'nur.toml' 'plain' 'a%00.so' 'a%0a.so' 'a%.so' '%ff.so' '.nur-upload-0.tmp' 'x.so?y=z'; do
  expect_upload '400 ' -T "$NUR_FUNCTIONS/echo.so" "/$name"
  expect_upload '400 ' -X DELETE "/$name"
done
expect_upload '405 ' -X POST -d x /shout.so
expect_upload '405 ' -X PUT -d x /
expect_equal "files" "$(files)" "hello.so shout.so"
expect_equal "what is beside the folder" "$(find "$scratch" -name 'out*' -o -name '.hidden*')" ""

# What no host would serve.
{ head -c 1000 "$NUR_FUNCTIONS/echo.so" && printf x && tail -c +1002 "$NUR_FUNCTIONS/echo.so"; } >"$scratch/tampered.so"
head -c 1000 "$NUR_FUNCTIONS/echo.so" >"$scratch/cut.so"
for file in tampered cut; do
  expect_upload '422 .*refused by rule digest: ' -T "$scratch/$file.so" /shout.so
  expect_upload '422 .*refused by rule digest: ' -T "$scratch/$file.so" /new.so
done
expect_upload '422 .*refused by rule module: ' -T "$NUR_FUNCTIONS/echo.so" /new.wasm
expect_logged 'warning upload: new.wasm from 127\.0\.0\.1: refused by rule module'
expect_upload '409 .*shout.so is there' -T <(printf '\0asm\1\0\0\0') /shout.wasm
expect_equal "files" "$(files)" "hello.so shout.so"
cmp "$NUR_FUNCTIONS/upper.so" "$functions/shout.so"

# Deleted.
expect_upload '204 ' -X DELETE /shout.so
expect_upload '404 ' -X DELETE /shout.so
expect_equal "files" "$(files)" hello.so

# An upload that is cut off in its middle, by its client and by the death of who takes it.
# half_an_upload NAME: in the background, until it is killed.
half_an_upload() {
  (
    exec 8<>"/dev/tcp/127.0.0.1/${upload_url##*:}"
    printf 'PUT /%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %s\r\n\r\n' \
      "$1" "$token" "$bytes" >&8
    head -c $((bytes / 2)) "$NUR_FUNCTIONS/upper.so" >&8
    echo begun >"$scratch/begun"
    timeout 60 cat <&8 >"$scratch/half"
  ) &
  begun+=($!)
  half=$!
  poll 20 test -s "$scratch/begun" || fail "half an upload did not begin"
  rm "$scratch/begun"
}
half_an_upload half.so
kill -KILL "$half"
half_an_upload half.so
first=$(upload_pid)
kill -KILL "$first"
is_back() { [[ -n $(upload_pid) && $(upload_pid) != "$first" ]] && with_token / >/dev/null; }
poll 20 is_back || fail "uploads are not back"
expect_logged 'the process of uploads died: signal 9'
expect_equal "files" "$(files)" hello.so

# Killed again and again while the same name is written: it is one of both, whole, and nothing else.
{ printf '\0asm\1\0\0\0' && head -c 3M /dev/zero | tr '\0' a; } >"$scratch/a.wasm"
{ printf '\0asm\1\0\0\0' && head -c 2M /dev/zero | tr '\0' b; } >"$scratch/b.wasm"
upload_many() {
  for _ in {1..15}; do
    curl -s -o /dev/null --max-time 20 --config "$scratch/with-token" -T "$scratch/$1.wasm" "$upload_url/both.wasm" || true
  done
}
# Of what one look sees: the name is another file's soon.
is_whole() {
  cat "$functions/both.wasm" >"$scratch/seen"
  cmp -s "$scratch/seen" "$scratch/a.wasm" || cmp -s "$scratch/seen" "$scratch/b.wasm"
}
begin upload_many a
writers=("$begun_pid")
begin upload_many b
writers+=("$begun_pid")
for _ in 1 2 3; do
  poll 20 test -e "$functions/both.wasm" || fail "nothing was uploaded"
  is_whole || fail "an upload is torn"
  first=$(upload_pid)
  [[ -z $first ]] || kill -KILL "$first"
  is_whole || fail "an upload is torn"
  poll 20 is_back || fail "uploads are not back"
done
wait "${writers[@]}"
is_whole || fail "an upload is torn"
expect_equal "files" "$(files)" "both.wasm hello.so"
expect_upload '204 ' -X DELETE /both.wasm
stop_server

# Too large is said at the head, and of one without a length when it is.
serve_uploads --upload-limit 1MiB "$functions"
expect_upload '413 .*1048576 bytes' -T "$scratch/a.wasm" /a.wasm
expect_upload '413 ' -T "$scratch/a.wasm" -H 'Transfer-Encoding: chunked' -H 'Expect:' /a.wasm
expect_equal "files" "$(files)" hello.so

# More connections at once than there may be are told so; with four that say nothing, too.
for _ in 1 2 3 4; do
  exec {held}<>"/dev/tcp/127.0.0.1/${upload_url##*:}"
  printf 'PUT /held.so HTTP/1.1\r\n' >&"$held"
done
busy() { [[ $(with_token /) == 429* ]]; }
poll 20 busy || fail "a fifth connection of one address is let in"

# What is in flight when nurhost is told to end is finished.
kill -KILL "$server_pid"
wait "$server_pid" 2>/dev/null || true
serve_uploads "$functions"
exec 8<>"/dev/tcp/127.0.0.1/${upload_url##*:}"
printf 'PUT /late.so HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %s\r\nExpect: 100-continue\r\n\r\n' \
  "$token" "$bytes" >&8
read -r -t 20 line <&8
expect_match "interim answer" "$line" '^HTTP/1\.1 100 '
kill -TERM "$server_pid"
expect_logged 'finishing what is in flight'
cat "$NUR_FUNCTIONS/upper.so" >&8
read -r -t 20 line <&8  # the end of the interim answer
read -r -t 20 line <&8
expect_match "answer to what was in flight" "$line" '^HTTP/1\.1 201 '
exec 8>&-
poll 40 stopped "$server_pid" || fail "nurhost is still there after SIGTERM"
cmp "$NUR_FUNCTIONS/upper.so" "$functions/late.so"
rm "$functions/late.so"

# What does not start, and why.
start() { "$nurhost" serve "$functions" --listen 127.0.0.1:0 --upload 127.0.0.1:0 "$@"; }
expect_exit 2 start
expect_said 'nurhost: --upload: name a file with a token with --upload-token-file'
expect_exit 2 "$nurhost" serve "$functions" --upload-token-file "$token_file"
expect_said 'say where to listen with --upload'
expect_exit 2 start --upload-token-file "$token_file" --upload-limit 1GiB
expect_said '--upload-limit: from 1B to 512MiB'
expect_exit 2 "$nurhost" serve "$functions" --upload nowhere --upload-token-file "$token_file"
expect_said '--upload: "nowhere" is no address'
expect_exit 1 start --upload-token-file "$scratch/missing"
expect_said 'nurhost: --upload-token-file: opening .*/missing: No such file'
chmod 644 "$token_file"
expect_exit 1 start --upload-token-file "$token_file"
expect_said 'others may read or change the token.*chmod 600'
chmod 600 "$token_file"
(umask 077 && echo short >"$scratch/short")
expect_exit 1 start --upload-token-file "$scratch/short"
expect_said 'a token of 16 to 1024 characters is needed; make one with'
mkdir "$scratch/elsewhere"
expect_exit 1 start --upload-token-file "$token_file" --upload-dir "$scratch/elsewhere"
expect_said '--upload-dir .*/elsewhere: not one of the folders that are served'
expect_exit 1 start --upload-token-file "$token_file" "$scratch/elsewhere"
expect_said '--upload: 2 folders are served; name one'
((EUID == 0)) || chmod 500 "$functions"
if ((EUID != 0)); then
  expect_exit 1 start --upload-token-file "$token_file"
  expect_said '--upload-dir: writing to .*: Permission denied'
  chmod 700 "$functions"
fi

# What the kernel says of who takes uploads.
serve_uploads "$functions"
pid=$(upload_pid)
status_of() { sed -n "s/^$1:\s*//p" "/proc/$pid/status"; }
expect_equal "capabilities" "$(status_of CapEff) $(status_of CapPrm)" "0000000000000000 0000000000000000"
expect_equal "new privileges refused" "$(status_of NoNewPrivs)" 1
if ! is_sanitized && ! logged 'may make any system call'; then
  expect_equal "seccomp mode" "$(status_of Seccomp)" 2
fi
if ((EUID == 0)); then
  nobody=$(id -u nobody)
  expect_equal "user" "$(status_of Uid)" "$nobody	$nobody	$nobody	$nobody"
fi
# It ends with its master, whatever that dies of.
kill -KILL "$server_pid"
poll 20 stopped "$pid" || fail "uploads outlive their master"

# A disk that is full.
unshare --mount true 2>/dev/null || exit 0
code=0
unshare --mount "$0" full-disk || code=$?
((code == 0 || code == 77)) || fail "with a full disk: $code"
