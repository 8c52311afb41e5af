#!/usr/bin/env bash
# nurhost run with a WASI command: arguments, environment, standard streams, folders, exit code.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

command -v clang-19 >/dev/null || skip "there is no clang-19"
cat >"$scratch/command.c" <<'C'
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char** environ;

// command WORD...: what each word asks for, one after the other.
int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "name") == 0) printf("%s\n", argv[0]);
    if (strcmp(argv[i], "arguments") == 0) {
      for (int j = i + 1; j < argc; ++j) printf("[%s]", argv[j]);
      return 0;
    }
    if (strcmp(argv[i], "environment") == 0) {
      for (char** variable = environ; *variable != NULL; ++variable) printf("%s\n", *variable);
    }
    if (strcmp(argv[i], "cat") == 0) {
      char bytes[4096];
      for (ssize_t got; (got = read(0, bytes, sizeof bytes)) > 0;) write(1, bytes, (size_t)got);
    }
    if (strcmp(argv[i], "complain") == 0) fprintf(stderr, "complaint\n");
    if (strcmp(argv[i], "exit") == 0) exit(atoi(argv[++i]));
    if (strcmp(argv[i], "read") == 0) {
      char bytes[100];
      const int file = open(argv[++i], O_RDONLY);
      const ssize_t got = file < 0 ? -1 : read(file, bytes, sizeof bytes);
      if (got < 0) printf("read: %s\n", strerror(errno));
      if (got > 0) fwrite(bytes, 1, (size_t)got, stdout);
    }
    if (strcmp(argv[i], "write") == 0) {
      const int file = open(argv[++i], O_WRONLY | O_CREAT | O_TRUNC, 0666);
      if (file < 0 || write(file, "written\n", 8) != 8) printf("write: %s\n", strerror(errno));
    }
    if (strcmp(argv[i], "spin") == 0) {
      for (volatile unsigned n = 0;; ++n) {
      }
    }
    if (strcmp(argv[i], "trap") == 0) __builtin_trap();
    fflush(stdout);
  }
}
C
clang-19 --target=wasm32-wasi -O1 "$scratch/command.c" -o "$modules/command.wasm" 2>"$scratch/said" ||
  skip "clang-19 has no wasi-libc: $(head -n 1 "$scratch/said")"
"$nurc" compile "$modules/command.wasm" -o "$functions/"
command=$functions/command.so
run() { "$nurhost" run "$command" -- "$@"; }

expect_equal "name" "$(run name)" command
expect_equal "arguments" "$(run arguments a 'b c' '' --help 'é')" "[a][b c][][--help][é]"
expect_equal "environment" "$(HOME=/secret run environment)" ""
expect_equal "environment with --env" \
  "$("$nurhost" run -e A=1 --env 'B=two words' "$command" -- environment)" $'A=1\nB=two words'
expect_equal "input" "$(printf 'through and\nthrough' | run cat)" $'through and\nthrough'
head -c 3000000 /dev/urandom >"$scratch/large"
run cat <"$scratch/large" | cmp - "$scratch/large" || fail "standard input does not come through"
expect_equal "standard output" "$(run complain name 2>"$scratch/errors")" command
expect_equal "standard error" "$(<"$scratch/errors")" complaint
expect_exit 0 run exit 0
expect_exit 7 run exit 7
expect_exit 255 run exit 255

# Folders: nothing unless named, to read unless :rw is said, and nothing outside them.
mkdir "$scratch/data"
echo inside >"$scratch/data/file"
echo outside >"$scratch/secret"
ln -s ../secret "$scratch/data/way-out"
expect_match "read without a folder" "$(run read /data/file)" '^read: '
in_folder() {
  local folder=$1
  shift
  "$nurhost" run --dir "$folder" "$command" -- "$@"
}
expect_equal "read" "$(in_folder "$scratch/data::/data" read /data/file)" inside
expect_match "write to what is to read" "$(in_folder "$scratch/data::/data" write /data/new)" '^write: '
[[ ! -e $scratch/data/new ]] || fail "a guest wrote to a folder that it may only read"
expect_match "truncate what is to read" "$(in_folder "$scratch/data::/data" write /data/file)" '^write: '
expect_equal "the file afterwards" "$(<"$scratch/data/file")" inside
expect_equal "write" "$(in_folder "$scratch/data::/data:rw" write /data/new read /data/new)" written
expect_equal "the file written" "$(<"$scratch/data/new")" written
for path in /data/../secret /data/way-out /data/../../etc/passwd "$scratch/secret"; do
  expect_match "read $path" "$(in_folder "$scratch/data::/data:rw" read "$path")" '^read: '
done
expect_match "write $path" "$(in_folder "$scratch/data::/data:rw" write /data/way-out)" '^write: '
expect_equal "the secret" "$(<"$scratch/secret")" outside
expect_exit 1 in_folder "$scratch/nowhere::/data" name
expect_said 'nowhere'
expect_exit 1 "$nurhost" run -e NOVALUE "$command"
expect_said 'NOVALUE'

# Ends that are not its own.
expect_exit 134 run trap
expect_said '^nurhost: trap: unreachable in .*(main|_start)'
expect_exit 124 "$nurhost" run --timeout 300ms "$command" -- spin
expect_said '^nurhost: timeout: still running after 300ms in .*(main|_start)'
# Output that nobody reads any more ends it like any program.
(run cat </dev/zero || true) 2>/dev/null | head -c 10 >/dev/null
