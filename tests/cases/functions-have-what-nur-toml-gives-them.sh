#!/usr/bin/env bash
# Environment, arguments and directories of a function served as CGI: what nur.toml and the command line
# give it, nothing else, and everything that a WASI function may do with files under the workers'
# filter of system calls.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

command -v clang-19 >/dev/null || skip "there is no clang-19"
cat >"$scratch/tool.c" <<'C'
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char** environ;

static int result(int returned) { return printf("%s\n", returned < 0 ? strerror(errno) : "done"); }

// The query is words with '+' between them: what to do, and with what.
int main(int argc, char** argv) {
  printf("Content-Type: text/plain\n\n");
  char query[1000] = "";
  strncpy(query, getenv("QUERY_STRING"), sizeof query - 1);
  char* words[8] = {0};
  int count = 0;
  for (char* word = strtok(query, "+"); word && count < 7; word = strtok(NULL, "+")) words[count++] = word;
  const char* what = words[0] ? words[0] : "";
  if (!strcmp(what, "args")) {
    for (int i = 0; i < argc; ++i) printf("[%s]", argv[i]);
  } else if (!strcmp(what, "env")) {
    const char* value = getenv(words[1]);
    printf("%s", value ? value : "(not set)");
  } else if (!strcmp(what, "environment")) {
    for (char** variable = environ; *variable; ++variable) printf("%s\n", *variable);
  } else if (!strcmp(what, "read")) {
    char bytes[100];
    const int file = open(words[1], O_RDONLY);
    const ssize_t got = file < 0 ? -1 : read(file, bytes, sizeof bytes);
    if (got < 0) return result(-1), 0;
    fwrite(bytes, 1, (size_t)got, stdout);
  } else if (!strcmp(what, "write")) {
    const int file = open(words[1], O_WRONLY | O_CREAT | O_TRUNC, 0666);
    result(file < 0 ? -1 : (int)write(file, words[2], strlen(words[2])));
  } else if (!strcmp(what, "append")) {
    const int file = open(words[1], O_WRONLY | O_APPEND);
    result(file < 0 ? -1 : (int)write(file, words[2], strlen(words[2])));
  } else if (!strcmp(what, "list")) {
    DIR* directory = opendir(words[1]);
    if (!directory) return result(-1), 0;
    int entries = 0;
    while (readdir(directory)) ++entries;
    printf("%d", entries);
  } else if (!strcmp(what, "mkdir")) {
    result(mkdir(words[1], 0777));
  } else if (!strcmp(what, "rmdir")) {
    result(rmdir(words[1]));
  } else if (!strcmp(what, "unlink")) {
    result(unlink(words[1]));
  } else if (!strcmp(what, "rename")) {
    result(rename(words[1], words[2]));
  } else if (!strcmp(what, "link")) {
    result(link(words[1], words[2]));
  } else if (!strcmp(what, "symlink")) {
    result(symlink(words[1], words[2]));
  } else if (!strcmp(what, "readlink")) {
    char target[100];
    const ssize_t got = readlink(words[1], target, sizeof target);
    if (got < 0) return result(-1), 0;
    fwrite(target, 1, (size_t)got, stdout);
  } else if (!strcmp(what, "stat")) {
    struct stat status;
    if (stat(words[1], &status) < 0) return result(-1), 0;
    printf("%lld", (long long)status.st_size);
  } else if (!strcmp(what, "all")) {
    const int file = open(words[1], O_RDWR | O_CREAT, 0666);
    const struct timespec times[2] = {{1, 0}, {2, 0}};
    printf("%d%d%d%d%d%d%d", ftruncate(file, 10), posix_fallocate(file, 0, 20), fsync(file), fdatasync(file),
           futimens(file, times), utimensat(AT_FDCWD, words[1], times, 0), posix_fadvise(file, 0, 10, POSIX_FADV_RANDOM));
    char bytes[4];
    printf("%zd%zd%lld", pwrite(file, "abcd", 4, 3), pread(file, bytes, 4, 3), (long long)lseek(file, 0, SEEK_END));
  }
}
C
clang-19 --target=wasm32-wasi -O1 "$scratch/tool.c" -o "$modules/tool.wasm" 2>"$scratch/said" ||
  skip "clang-19 has no wasi-libc: $(head -n 1 "$scratch/said")"
compile() { "$nurc" compile "$modules/tool.wasm" -o "$functions/$1.so" || fail "nurc refused it"; }
compile tool
cp "$functions/tool.so" "$functions/other.so"
mkdir -p "$functions/assets/deep" "$functions/data" "$functions/shared"
printf 'an asset' >"$functions/assets/file"
printf 'secret' >"$functions/secret"
ln -s ../secret "$functions/assets/way-out"
ln -s "$functions/secret" "$functions/assets/absolute"
ln -s file "$functions/assets/inside"
# Whoever workers become has to reach and write them.
chmod 755 "$scratch" "$functions" "$functions/assets"
chmod 777 "$functions/data" "$functions/shared"
cat >"$functions/nur.toml" <<'END'
[function.tool]
environment = { GREETING = "hello you", HTTP_X_OWN = "the operator's" }
args = ["--verbose", "two words"]
files = [
  { source = "assets", target = "/assets" },
  { source = "data", target = "/data", mode = "rw" },
]
END

# expect EXPECTED FUNCTION WORD...
expect() {
  local expected=$1 name=$2
  shift 2
  local IFS=+
  expect_answer "200 $expected" "/$name?$*"
}

serve --workers 2 --env GREETING=flag --env ALL=everyone --dir "$functions/shared::/shared:rw" "$functions"

# Environment: of the command line before the file's, and never the client's instead.
expect "flag" tool env GREETING
expect "everyone" tool env ALL
expect "everyone" other env ALL
expect "flag" other env GREETING
expect_answer "200 the operator's" -H "X-Own: the client's" "/tool?env+HTTP_X_OWN"
expect_answer "200 the client's" -H "X-Own: the client's" "/other?env+HTTP_X_OWN"
expect "(not set)" tool env PATH
# Arguments behind the name.
expect "[tool][--verbose][two words]" tool args
expect "[other]" other args

# Directories: what was granted and nothing else.
expect "an asset" tool read /assets/file
expect "an asset" tool read /assets/inside
expect "an asset" tool read /assets/deep/../file
expect "7" tool list /assets
for path in /assets/../secret /assets/way-out /assets/absolute /secret /assets/deep/../../secret \
  "$functions/secret" /etc/passwd ../secret; do
  got=$(ask "/tool?read+$path")
  [[ $got != *secret* && $got != *root:* && $got == "200 "* ]] || fail "reading $path: $got"
done
expect "file" tool readlink /assets/inside
# Another function has none of it.
got=$(ask "/other?read+/assets/file")
[[ $got != *"an asset"* ]] || fail "a function reads what was granted to another"
# Read-only unless said.
for attempt in "write+/assets/new+x" "append+/assets/file+x" "mkdir+/assets/d" "unlink+/assets/file" \
  "rename+/assets/file+/assets/g" "link+/assets/file+/assets/g" "symlink+file+/assets/g" \
  "rename+/assets/file+/data/g" "link+/assets/file+/data/g" "rmdir+/assets/deep"; do
  got=$(ask "/tool?$attempt")
  [[ $got == "200 "* && $got != *done* ]] || fail "$attempt: $got"
done
expect_equal "the asset" "$(cat "$functions/assets/file")" "an asset"
[[ -d $functions/assets/deep && ! -e $functions/data/g ]] || fail "a read-only directory was changed"

# What one request writes the next one finds, whoever serves it; and so does the host.
expect "done" tool write /data/note first
for ((i = 0; i < 6; i++)); do expect "first" tool read /data/note; done
expect "done" tool append /data/note second
expect_equal "the note" "$(cat "$functions/data/note")" "firstsecond"
expect "11" tool stat /data/note
expect "done" tool write /shared/both x
expect "x" other read /shared/both
# Everything else that files can have done to them.
for change in mkdir+/data/d "rename+/data/note+/data/d/note" "link+/data/d/note+/data/second" \
  "symlink+d/note+/data/link" unlink+/data/second unlink+/data/d/note unlink+/data/link rmdir+/data/d; do
  expect_answer "200 done" "/tool?$change"
done
expect "00000004420" tool all /data/all
expect_equal "size" "$(stat -c %s "$functions/data/all")" 20
# Links cannot lead out of it, nor be made to.
got=$(ask "/tool?symlink+../secret+/data/out")
[[ $got != *done* && ! -L $functions/data/out ]] || fail "a link that leads out was made: $got"

! logged 'died' || fail "a worker died of a file call"
if logged 'may make any system call' || is_sanitized; then
  echo "note: no filter here" >&2
fi
stop_server
