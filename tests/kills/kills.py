#!/usr/bin/env python3
"""Kills the master or a worker of a nurhost under load, again and again, and holds what clients see.

  kills.py NURHOST FUNCTION.so EXPECTED-BODY [KILLS [SEED]]

Every answer has to be whole and right, or its connection lost: nothing torn, nothing of somebody
else's. After each kill the service has to be back; a killed master is followed by the next one on
the same address, which has to get it. In the end nobody is left over.
"""
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

CLIENTS = 6
BACK_WITHIN = 30  # seconds; far more than it takes, for slow machines
KEPT_REQUESTS = 50


class Client(threading.Thread):
    """Asks over a kept connection, and over a new one when that is lost."""

    def __init__(self, port, name, expected):
        super().__init__(daemon=True)
        self.port, self.expected = port, expected
        self.request = b"GET /%s HTTP/1.1\r\nHost: kills\r\n\r\n" % name.encode()
        self.good = self.lost = 0
        self.wrong = []
        self.done = False

    def run(self):
        while not self.done:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=BACK_WITHIN) as link:
                    for _ in range(KEPT_REQUESTS):
                        if self.done or not self.ask(link):
                            break
            except OSError:
                self.lost += 1
                time.sleep(0.005)

    def ask(self, link):
        """False when the connection is gone."""
        link.sendall(self.request)
        answer = b""
        while not answer.endswith(b"\r\n\r\n" + self.expected):
            part = link.recv(65536)
            if not part:
                # The front of an answer is what a killed worker may leave, but nothing else.
                head, end, body = answer.partition(b"\r\n\r\n")
                if not (head + b"HTTP/1.1 200"[len(head):]).startswith(b"HTTP/1.1 200") or (
                        end and not self.expected.startswith(body)):
                    self.wrong.append(answer)
                return False
            answer += part
            if len(answer) > 65536 or (len(answer) > 12 and not answer.startswith(b"HTTP/1.1 200")):
                self.wrong.append(answer[:200])
                return False
        self.good += 1
        return True


def children(pid):
    found = subprocess.run(["pgrep", "-P", str(pid)], stdout=subprocess.PIPE, check=False)
    return [int(child) for child in found.stdout.split()]


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as status:
            return status.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def is_back(port, name, expected):
    """Seconds until a new client is answered."""
    began = time.monotonic()
    while time.monotonic() - began < BACK_WITHIN:
        probe = Client(port, name, expected)
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=BACK_WITHIN) as link:
                if probe.ask(link):
                    return time.monotonic() - began
        except OSError:
            pass
        if probe.wrong:
            sys.exit("kills: wrong answer: %r" % probe.wrong[0])
        time.sleep(0.002)
    sys.exit("kills: nobody answers %d s after a kill" % BACK_WITHIN)


def start(nurhost, artefact, port):
    return subprocess.Popen([nurhost, "serve", "--workers", "2", "--listen", "127.0.0.1:%d" % port,
                             "--log-level", "off", artefact])


def main():
    nurhost, artefact, expected = sys.argv[1], sys.argv[2], sys.argv[3].encode()
    kills = int(sys.argv[4]) if len(sys.argv) > 4 else 500
    seed = int(sys.argv[5]) if len(sys.argv) > 5 else 1
    chance = random.Random(seed)
    name = os.path.splitext(os.path.basename(artefact))[0]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    master = start(nurhost, artefact, port)
    is_back(port, name, expected)
    clients = [Client(port, name, expected) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    seen, times, masters = set(), [], 0
    for kill in range(kills):
        time.sleep(chance.uniform(0, 0.1))
        if master.poll() is not None:
            sys.exit("kills: the master ended by itself with %d" % master.returncode)
        workers = children(master.pid)
        seen.update(workers)
        if workers and chance.random() < 0.6:
            try:
                os.kill(chance.choice(workers), signal.SIGKILL)
            except ProcessLookupError:
                pass
        else:
            master.kill()
            master.wait()
            masters += 1
            master = start(nurhost, artefact, port)
        times.append(is_back(port, name, expected))
        if (kill + 1) % 50 == 0:
            print("kills: %d of %d" % (kill + 1, kills), file=sys.stderr)

    for client in clients:
        client.done = True
    for client in clients:
        client.join(BACK_WITHIN)
    # The last answer may be of a worker whose master was killed.
    end = time.monotonic() + BACK_WITHIN
    while len(children(master.pid)) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    seen.update(children(master.pid))
    master.send_signal(signal.SIGTERM)
    if master.wait(60) != 0:
        sys.exit("kills: the last master ended with %d" % master.returncode)
    end = time.monotonic() + BACK_WITHIN
    while any(alive(pid) for pid in seen):
        if time.monotonic() > end:
            sys.exit("kills: left over: %s" % [pid for pid in seen if alive(pid)])
        time.sleep(0.01)

    good, lost = sum(c.good for c in clients), sum(c.lost for c in clients)
    wrong = [answer for client in clients for answer in client.wrong]
    times.sort()
    print("kills=%d of_masters=%d answered=%d lost=%d wrong=%d back_p50_ms=%.1f back_max_ms=%.1f" %
          (kills, masters, good, lost, len(wrong), times[len(times) // 2] * 1e3, times[-1] * 1e3))
    if wrong:
        sys.exit("kills: wrong answers, the first: %r" % wrong[0])
    if good < kills:
        sys.exit("kills: hardly any load")


main()
