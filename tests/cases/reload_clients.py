"""Clients that ask one function again and again until a file is there.

reload_clients.py HOST:PORT PATH STOP_FILE OUT

Three keep their connections for as long as they may, three make one for each request. Each answer is a
line in OUT: when it was asked for (nanoseconds since 1970), "kept" or "new", status, body. What is no
answer is a line "failed".
"""
import http.client
import os
import sys
import threading
import time

address, path, stop_file, out_file = sys.argv[1:]
end = time.monotonic() + 120
lines = []


def ask(kind):
    connection = None
    while time.monotonic() < end and not os.path.exists(stop_file):
        asked = time.time_ns()
        try:
            if connection is None:
                connection = http.client.HTTPConnection(address, timeout=30)
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read().decode()
            lines.append(f"{asked} {kind} {answer.status} {body}")
            if kind == "new" or answer.will_close:
                connection.close()
                connection = None
        except Exception as error:  # every kind of it is a request that was lost
            lines.append(f"{asked} {kind} failed {error!r}")
            connection = None
        time.sleep(0.002)


threads = [threading.Thread(target=ask, args=(kind,)) for kind in ["kept", "new"] * 3]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
with open(out_file, "w") as out:
    out.write("".join(line + "\n" for line in lines))
