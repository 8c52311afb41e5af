#!/usr/bin/env bash
# A C compiler that tries to write outside of its scratch folder, to reach the network, to end or to
# look into other processes, or to get rights, is refused each, while a good one works; and nurc -v
# says which fence there is.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

cp "$case_folder/../../functions/fib/fib.wat" "$modules/fib.wat"
chmod 755 "$scratch"
outside=$scratch/outside
mkdir -m 777 "$outside"
echo precious >"$outside/file"

# Something to reach: a listener, and a process.
listener=$(command -v python3 || true)
port=1
if [[ -n $listener ]]; then
  cat >"$scratch/listen.py" <<'END'
import os, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
local = socket.socket(socket.AF_UNIX)
local.bind(sys.argv[2])
os.chmod(sys.argv[2], 0o777)
local.listen()
with open(sys.argv[1] + ".new", "w") as file:
    print(listener.getsockname()[1], file=file)
os.rename(sys.argv[1] + ".new", sys.argv[1])
listener.accept()
END
  begin python3 "$scratch/listen.py" "$scratch/port" "$outside/socket"
  poll 20 test -f "$scratch/port" || fail "the listener does not begin"
  port=$(<"$scratch/port")
fi
# bash: what it opens is connected at once, as the attacker does below.
(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || [[ -z $listener ]] || fail "nothing to connect to"
begin sleep 300
victim=$begun_pid

cat >"$scratch/cc" <<END
#!/bin/bash
attacks() {
  touch "$outside/new" && echo "GOT new file"
  echo spoilt >"$outside/file" && echo "GOT file"
  rm -f "$outside/file" && echo "GOT removal"
  mv "$outside/file" "$outside/moved" && echo "GOT renaming"
  ln -s x "$outside/link" && echo "GOT link"
  echo x >"\$0" && echo "GOT itself"
  mknod "$outside/device" c 1 3 && echo "GOT device"
  (exec 3<>/dev/tcp/127.0.0.1/$port) && echo "GOT connection"
  [ -z "$listener" ] || "$listener" -c '
import socket
socket.socket(socket.AF_UNIX).connect("$outside/socket")' && echo "GOT local connection"
  kill -KILL $victim && echo "GOT victim"
  head -c 1 /proc/$victim/mem && echo "GOT memory"
  head -c 1 /proc/$victim/environ && echo "GOT environment"
  mount --bind . "$outside" && echo "GOT mount"
  unshare --user --map-root-user true && echo "GOT namespace"
  grep -q 'NoNewPrivs:.*1' /proc/self/status || echo "GOT set-user-ID programs"
  touch in-scratch && echo "MAY write in the scratch folder"
  echo x >/dev/null && echo "MAY write to /dev/null"
}
attacks >report 2>&1
cat report >&2
[ "\$1" = --version ] && { echo "cc 12"; exit 0; }
exit 1
END
chmod 755 "$scratch/cc"

expect_harmless() {
  expect_said 'MAY write in the scratch' 'MAY write to /dev/null'
  if grep -q 'GOT ' "$said"; then fail "the fence has a hole: $(<"$said")"; fi
  expect_equal "the precious file" "$(<"$outside/file")" precious
  expect_equal "files outside" "$(find "$outside" -type f -o -type l -o -type c)" "$outside/file"
  running "$victim" || fail "a process outside was killed"
  expect_equal "scratch files" "$(ls -A "$TMPDIR")" ""
}

expect_exit 0 "$nurc" compile -v "$modules/fib.wat" -o "$functions/"
expect_said '^tools run '
fence=$(grep '^tools run ' "$said")
[[ $fence == "tools run fenced: "* ]] || skip "$fence"

expect_exit 3 "$nurc" compile --cc "$scratch/cc" "$modules/fib.wat" -o "$functions/"
expect_harmless

# As somebody else, for whom the same needs namespaces of users.
if ((EUID == 0)) && command -v setpriv >/dev/null; then
  as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
  mkdir -m 777 "$scratch/nobodys" "$TMPDIR/nobodys"
  cp "$NUR_BIN/nurc" "$scratch/nobodys/" && chmod 755 "$scratch/nobodys/nurc"
  wasm2c=${NUR_WASM2C:-$NUR_BIN/wasm2c}
  if "${as_nobody[@]}" "$wasm2c" --version >/dev/null 2>&1; then
    chmod 755 "$TMPDIR" "$modules" && chmod 644 "$modules/fib.wat"
    run=("${as_nobody[@]}" env TMPDIR="$TMPDIR/nobodys" NUR_WASM2C="$wasm2c" "$scratch/nobodys/nurc"
      compile -v --no-cache "$modules/fib.wat" -o "$scratch/nobodys/")
    expect_exit 0 "${run[@]}"
    expect_said '^tools run fenced'
    nobodys_fence=$(grep '^tools run ' "$said")
    expect_exit 3 "${run[@]}" --cc "$scratch/cc"
    rmdir "$TMPDIR/nobodys"
    # Without namespaces it can see processes of its own user, of which the victim is none.
    [[ $nobodys_fence != "tools run fenced: "* ]] || expect_harmless
  fi
fi

# Where there are no namespaces left, Landlock holds the files, and says so.
without_namespaces() {
  # shellcheck disable=SC2016 # for the shell inside
  unshare --user --map-root-user sh -c '
    for kind in user mnt; do echo 0 >/proc/sys/user/max_${kind}_namespaces || exit 77; done
    exec "$@"' sh "$@"
}
if without_namespaces true 2>/dev/null; then
  expect_exit 0 without_namespaces "$nurc" compile -v "$modules/fib.wat" -o "$functions/"
  expect_said '^tools run .*no namespaces here: namespaces: '
  if grep -q 'fenced by Landlock: no network' "$said"; then
    expect_exit 3 without_namespaces "$nurc" compile --cc "$scratch/cc" "$modules/fib.wat" -o "$functions/"
    # Signals and other processes are its business only in newer kernels.
    sed -i '/GOT victim/d; /GOT environment/d' "$said"
    running "$victim" || { begin sleep 300 && victim=$begun_pid; }
    expect_harmless
  fi
  expect_equal "the same bytes behind any fence" "$(sha256sum <"$functions/fib.so")" \
    "$("$nurc" compile "$modules/fib.wat" -o "$scratch/again.so" && sha256sum <"$scratch/again.so")"
fi
