#!/usr/bin/env bash
# Modules that come uncompiled are compiled by the nurc beside nurhost and kept: on the command line, in a
# folder, and in a configuration; what is wrong with one is said with its name, and a changed one is
# compiled anew.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

command -v wat2wasm >/dev/null || [[ -x $NUR_BIN/../../toolchain/bin/wat2wasm ]] || skip "wat2wasm is not here"
wat2wasm=$(command -v "$NUR_BIN/../../toolchain/bin/wat2wasm" || command -v wat2wasm)
# says NAME TEXT: a function that answers TEXT, in $functions.
says() {
  cat >"$scratch/text.wat" <<WAT
(module
  (import "env" "response_set_body" (func \$body (param i32 i64)))
  (memory (export "memory") 1)
  (data (i32.const 0) "$2")
  (func (export "handle") (call \$body (i32.const 0) (i64.const ${#2}))))
WAT
  "$wat2wasm" "$scratch/text.wat" -o "$functions/$1.wasm"
}
compiled() { (grep -o 'compiling .*' "$server_log" || true) | sed 's/.*\///' | sort | paste -sd' '; }

says one one
says two two
echo 'no module' >"$functions/broken.wasm"
serve "$functions"
expect_equal "compiled" "$(compiled)" "broken.wasm one.wasm two.wasm"
expect_logged 'error not serving .*/broken\.wasm: ' 'nurc: .*broken\.wasm'
expect_answer "200 one" /one
expect_answer "200 two" /two
expect_status 404 /broken
stop_server

# Again: only what was never compiled is tried.
rm "$functions/broken.wasm"
serve "$functions"
expect_equal "compiled again" "$(compiled)" ""
expect_answer "200 two" /two
stop_server

# A changed one; one on the command line; and one that has been compiled beside itself is served as that.
says one uno
says three three
mkdir "$scratch/other"
mv "$functions/three.wasm" "$scratch/other/three.wasm"
"$nurc" compile -O0 "$functions/two.wasm"
says two dos
serve "$functions" "$scratch/other/three.wasm"
expect_equal "compiled now" "$(compiled)" "one.wasm three.wasm"
expect_answer "200 uno" /one
expect_answer "200 two" /two
expect_answer "200 three" /three
stop_server

# What was kept and is damaged is compiled anew.
mkdir "$NUR_CACHE/modules/new-killed"
touch -d '2 hours ago' "$NUR_CACHE/modules/new-killed"
for file in "$NUR_CACHE"/modules/*.so; do printf 'x' | dd of="$file" bs=1 seek=5000 conv=notrunc status=none; done
serve "$scratch/other/three.wasm"
expect_equal "compiled anew" "$(compiled)" "three.wasm"
expect_answer "200 three" /three
stop_server
expect_equal "left behind" "$(find "$NUR_CACHE/modules" -name 'new-*' | wc -l)" 0

# Whoever can write to the cache decides what is served.
chmod go+w "$NUR_CACHE/modules"
expect_exit 1 "$nurhost" serve --listen 127.0.0.1:0 "$scratch/other/three.wasm"
expect_said 'others may write to it and decide what is served; name another with NUR_CACHE'
chmod go-w "$NUR_CACHE/modules"

# A configuration is served whole or not at all, and says where the mistake is.
cd -- "$scratch"
printf '[[applications]]\nfile_path = "other/none.wasm"\nmethod = "GET"\nurl_path = "/"\n' >config.toml
expect_exit 1 "$nurhost" serve config.toml --listen 127.0.0.1:0
expect_said 'config\.toml:2:13: .*other/none\.wasm'
echo 'no module' >other/broken.wasm
sed -i 's/none/broken/' config.toml
expect_exit 1 "$nurhost" serve config.toml --listen 127.0.0.1:0
expect_said 'config\.toml:2:13: other/broken\.wasm: nurc has refused it' 'nurc: .*broken\.wasm'
echo 'listen_adress = "127.0.0.1:0"' >config.toml
expect_exit 1 "$nurhost" serve config.toml --listen 127.0.0.1:0
expect_said 'config\.toml:1:1: unknown key `listen_adress`; did you mean `listen_address`\?'

# Without a nurc it says so, and what was compiled before is served all the same.
mkdir alone
cp "$nurhost" alone/nurhost
says four four
mv "$functions/four.wasm" other/four.wasm
PATH=/usr/bin:/bin
if ! command -v nurc >/dev/null; then
  expect_exit 0 true
  nurhost=$scratch/alone/nurhost
  serve other/three.wasm other/four.wasm
  expect_logged 'not serving other/four\.wasm: compiling other/four\.wasm: there is no nurc beside .*/alone/nurhost or on PATH'
  expect_answer "200 three" /three
  stop_server
fi
