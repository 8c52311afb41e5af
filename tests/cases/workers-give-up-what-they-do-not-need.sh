#!/usr/bin/env bash
# What the kernel says of a worker that serves: not root, no capability, nothing to be gained, a
# filter of system calls, nobody looks into it, no descriptor of the master's.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"
: "${NUR_TESTS:?the folder with read_filter}"

cp "$NUR_FUNCTIONS"/{hello,trap}.so "$functions/"
status_of() { sed -n "s/^$2:\s*//p" "/proc/$1/status"; }

serve --workers 2 "$functions"
expect_answer "200 Hello, world" /hello
for worker in $(worker_pids); do
  expect_equal "capabilities" "$(status_of "$worker" CapEff) $(status_of "$worker" CapPrm)" \
    "0000000000000000 0000000000000000"
  expect_equal "ambient capabilities" "$(status_of "$worker" CapAmb)" "0000000000000000"
  expect_equal "new privileges refused" "$(status_of "$worker" NoNewPrivs)" 1
  if ! is_sanitized && ! logged 'may make any system call'; then
    expect_equal "seccomp mode" "$(status_of "$worker" Seccomp)" 2
  fi
  if ((EUID == 0)); then
    nobody=$(id -u nobody)
    expect_equal "user" "$(status_of "$worker" Uid)" "$nobody	$nobody	$nobody	$nobody"
    expect_equal "groups" "$(status_of "$worker" Groups | tr -d ' ')" ""
    expect_equal "who may look into it" "$(stat -c %U "/proc/$worker/fd")" root
    # Standard streams, the master, the listening socket and its reserve, events, two artefacts, and
    # what a request of now may add.
    (($(descriptor_count "$worker") <= 12)) || fail "$(descriptor_count "$worker") descriptors: $(ls -l "/proc/$worker/fd")"
  fi
done
expect_status 502 /trap?how=oob
stop_server

# expect_calls COUNT WITHOUT ARGUMENT...: a worker of `serve ARGUMENT...` is left with COUNT system
# calls, as docs/sandbox.md says; none matches WITHOUT, and none executes or opens by a path alone.
expect_calls() {
  local count=$1 without=$2 worker code=0
  shift 2
  serve --workers 1 "$@" "$functions"
  expect_answer "200 Hello, world" /hello
  worker=$(worker_pid)
  "$NUR_TESTS/read_filter" "$worker" >"$scratch/calls" || code=$?
  # Not as another user, and not in every container.
  if ((code == 77)) || logged 'may make any system call'; then
    stop_server
    return
  fi
  expect_equal "exit code of read_filter" "$code" 0
  expect_equal "number of calls of a worker with: $*" "$(wc -l <"$scratch/calls")" "$count"
  ! grep -Eq '^(exec|open$|openat$|creat|clone|v?fork|ptrace|process_|bind|pkey|seccomp|prctl|x32|i386)' \
    "$scratch/calls" || fail "a worker may call $(paste -sd' ' "$scratch/calls")"
  ! grep -Eq "^($without)\$" "$scratch/calls" || fail "with $*: $(paste -sd' ' "$scratch/calls")"
  # It was stopped and goes on.
  expect_answer "200 Hello, world" /hello
  stop_server
}
if ! is_sanitized; then
  mkdir "$scratch/files"
  chmod 755 "$scratch" "$scratch/files"
  readonly changes='ftruncate|mkdirat|unlinkat|renameat2?|linkat|symlinkat|utimensat'
  expect_calls 37 "socket|connect|openat2|$changes"
  expect_calls 43 "openat2|$changes" --outbound 192.0.2.1:80
  expect_calls 42 "socket|connect|$changes" --dir "$scratch/files::/files"
  expect_calls 52 "socket|connect" --dir "$scratch/files::/files:rw"
  # At most 60, whatever functions may do.
  expect_calls 58 - --outbound 192.0.2.1:80 --dir "$scratch/files::/files:rw"
fi

# Whom they become can be said; only root can become another.
expect_exit 1 "$nurhost" serve --listen 127.0.0.1:0 --user no-such-user "$functions"
expect_said 'nurhost: --user no-such-user: there is no such user'
if ((EUID == 0)); then
  serve --workers 1 --user daemon "$functions"
  daemon=$(id -u daemon)
  expect_equal "user" "$(status_of "$(worker_pid)" Uid)" "$daemon	$daemon	$daemon	$daemon"
  expect_answer "200 Hello, world" /hello
  stop_server
  # A master that is not root's has workers like itself.
  if command -v setpriv >/dev/null; then
    chmod 755 "$scratch"
    cat >"$scratch/as-daemon" <<END
#!/bin/bash
exec setpriv --reuid daemon --regid daemon --clear-groups "$nurhost" "\$@"
END
    chmod +x "$scratch/as-daemon"
    if setpriv --reuid daemon --regid daemon --clear-groups test -x "$nurhost"; then
      expect_exit 1 "$scratch/as-daemon" serve --listen 127.0.0.1:0 --user nobody "$functions"
      expect_said 'nurhost: --user nobody: only root can become another user'
      as_root=$nurhost
      nurhost=$scratch/as-daemon
      serve --workers 1 "$functions"
      nurhost=$as_root
      expect_equal "user" "$(status_of "$(worker_pid)" Uid)" "$daemon	$daemon	$daemon	$daemon"
      expect_equal "seccomp mode" "$(status_of "$(worker_pid)" NoNewPrivs)" 1
      expect_answer "200 Hello, world" /hello
      stop_server
    fi
  fi
fi
