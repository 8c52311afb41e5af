#!/usr/bin/env bash
# What the kernel says of a worker that serves: not root, no capability, nothing to be gained, a
# filter of system calls, nobody looks into it, no descriptor of the master's.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

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
