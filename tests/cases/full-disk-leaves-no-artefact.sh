#!/usr/bin/env bash
# A disk that is full or read-only ends in an error that names the file, and in no artefact.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

if [[ ${1-} != inside ]]; then
  unshare --mount true 2>/dev/null || skip "mounting needs root"
  code=0
  unshare --mount "$0" inside || code=$?
  trap - ERR
  exit "$code"
fi

# mounted OPTIONS: a new small file system on $folder.
folder=$scratch/small
mkdir "$folder"
undo_case() { umount "$folder" 2>/dev/null || true; }
mounted() {
  umount "$folder" 2>/dev/null || true
  mount -t tmpfs -o "$1" tmpfs "$folder" || skip "no tmpfs can be mounted"
}
module=$modules/fib.wat
cp "$case_folder/../../functions/fib/fib.wat" "$module"

mounted size=64k
head -c 60k /dev/zero >"$folder/filler"
expect_exit 3 "$nurc" compile "$module" -o "$folder/"
expect_said "fib.wat: .*$folder.*: No space left on device"
expect_equal "files" "$(ls -A "$folder")" filler
expect_equal "scratch files" "$(ls -A "$TMPDIR")" ""

# What was there stays as it was.
mounted size=64k
"$nurc" compile "$module" -o "$folder/"
before=$(sha256sum <"$folder/fib.so")
head -c 100k /dev/zero >"$folder/filler" 2>/dev/null || true
expect_exit 3 "$nurc" compile -O3 "$module" -o "$folder/"
expect_equal "the old artefact" "$(sha256sum <"$folder/fib.so")" "$before"
expect_equal "files" "$(cd "$folder" && echo *)" "fib.so filler"

# Scratch folders of all sizes below what is needed, and with too few inodes.
for options in size=4k size=16k size=64k nr_inodes=2 nr_inodes=4 nr_inodes=8; do
  mounted "$options"
  expect_exit 3 env TMPDIR="$folder" "$nurc" compile "$module" -o "$functions/"
  expect_said "fib.wat: .*No space left on device"
  expect_equal "artefacts with TMPDIR of $options" "$(ls -A "$functions")" ""
  expect_equal "scratch files with TMPDIR of $options" "$(ls -A "$folder")" ""
done

mounted size=64k
mount -o remount,ro "$folder"
expect_exit 3 "$nurc" compile "$module" -o "$folder/"
expect_said "$folder.*: Read-only file system"
expect_exit 3 env TMPDIR="$folder" "$nurc" compile "$module" -o "$functions/"
expect_said "$folder.*: Read-only file system"
umount "$folder"

expect_exit 1 env TMPDIR="$scratch/nowhere" "$nurc" compile "$module" -o "$functions/"
expect_said "scratch folder $scratch/nowhere.*: No such file or directory"
expect_equal "artefacts" "$(ls -A "$functions")" ""
