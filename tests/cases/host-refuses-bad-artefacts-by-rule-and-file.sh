#!/usr/bin/env bash
# What is no artefact, or no longer the one that nurc wrote, is refused with the rule it breaks and
# its file's name; everything else in the folder is served.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

original=$NUR_FUNCTIONS/hello.so
size=$(stat -c %s "$original")
cp "$original" "$functions/good.so"
cp "$NUR_FUNCTIONS/fib.so" "$functions/another.so"

: >"$functions/empty.so"
echo 'this is a text file' >"$functions/text.so"
head -c $((size / 2)) "$original" >"$functions/truncated.so"
head -c $((size - 1)) "$original" >"$functions/one-byte-short.so"
{ cat "$original"; echo; } >"$functions/one-byte-long.so"
cp "$original" "$functions/flipped.so"
printf '\xff' | dd of="$functions/flipped.so" bs=1 seek=$((size / 3)) conv=notrunc status=none
if cmp -s "$original" "$functions/flipped.so"; then
  printf '\x55' | dd of="$functions/flipped.so" bs=1 seek=$((size / 3)) conv=notrunc status=none
fi
libc=$(ldd "$nurhost" | sed -n 's/.*libc\.so\.6 => \(\S*\).*/\1/p')
cp "$libc" "$functions/libc.so"
mkdir "$functions/folder.so"
ln -s nowhere "$functions/dangling.so"
mkfifo "$functions/pipe.so"
cp "$original" "$functions/notes.txt"

# Sealed as nurc seals: magic and SHA-256 of what is before.
seal() {
  { printf 'nur-artefact-v1\0'; sha256sum "$1" | cut -c 1-64 | sed 's/../\\x&/g' | xargs -0 printf '%b' | head -c 32; } \
    >"$scratch/seal"
  cat "$scratch/seal" >>"$1"
}
cp "$libc" "$functions/sealed-libc.so"
seal "$functions/sealed-libc.so"
echo 'int nur_module = 1; __attribute__((constructor)) static void early(void) { nur_module = 2; }' \
  >"$scratch/constructor.c"
if command -v cc >/dev/null && cc -shared -fPIC -nostdlib "$scratch/constructor.c" -o "$functions/constructor.so"; then
  seal "$functions/constructor.so"
fi

serve "$functions" "$functions/good.so"
expect_equal "functions served" "$(functions_served)" 2
expect_answer "200 Hello, world" /good
expect_answer "200 55" /api/another/10

for name in empty text truncated one-byte-short one-byte-long flipped libc; do
  expect_logged "not serving $functions/$name.so: refused by rule digest: .+"
  expect_status 404 "/$name"
done
for name in folder dangling pipe; do
  expect_logged "not serving $functions/$name.so: .+"
done
expect_logged "not serving $functions/sealed-libc.so: refused by rule [a-z_ -]+: .+" \
  "not serving $functions/good.so: refused by rule name: .+"
if [[ -f $functions/constructor.so ]]; then
  expect_logged "not serving $functions/constructor.so: refused by rule [a-z_ -]+: .+"
fi
if logged '/sealed-libc.so: refused by rule digest|/constructor.so: refused by rule digest'; then
  fail "this case does not seal as nurc does"
fi
expect_status 404 /notes
stop_server

# Paths that are not there are a mistake of the operator's, and so is a port in use.
expect_exit 1 "$nurhost" serve "$scratch/nowhere"
expect_said 'nowhere: no such file or folder'
serve "$functions/good.so"
expect_exit 1 "$nurhost" serve --listen "127.0.0.1:$port" "$functions/good.so"
expect_said "127.0.0.1:$port.*in use"
stop_server
