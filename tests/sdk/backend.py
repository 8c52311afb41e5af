#!/usr/bin/env python3
"""backend.py: what functions connect to in tests. Prints three ports on one line: of an HTTP server, of
one that sends back what one read brings and closes, and one where nobody listens. Ends with its input.

  /pong          METHOD BODY X-ASK of the request
  /slow          nothing, ever
  /count/NAME    how often NAME was asked, to be kept for a minute; ?then=failing fails the second time,
                 and other queries are Cache-Control headers"""

import http.server
import socket
import socketserver
import sys
import threading
import urllib.parse

counts = {}
lock = threading.Lock()


class Web(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/slow":
            # Until the client gives up.
            self.rfile.read(1)
            self.close_connection = True
        elif url.path.startswith("/count/"):
            with lock:
                count = counts[self.path] = counts.get(self.path, 0) + 1
            if url.query == "then=failing" and count > 1:
                return self.answer(500, b"failed\n", {})
            headers = {"Content-Type": "text/x-count", "ETag": '"one"'}
            if url.query != "none":
                control = urllib.parse.unquote(url.query) if "then" not in url.query else "max-age=1"
                headers["Cache-Control"] = control or "public, max-age=60"
            self.answer(200, f"{count}\n".encode(), headers)
        elif url.path == "/pong":
            ask = self.headers.get("X-Ask", "")
            self.answer(200, b" ".join([self.command.encode(), body, ask.encode()]), {"X-Back": "back"})
        else:
            self.answer(404, b"nothing here\n", {"Content-Type": "text/plain"})

    do_POST = do_HEAD = do_GET

    def log_message(self, *_):
        pass


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(self.request.recv(4096))


def listen(kind, handler):
    server = kind(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def main():
    web = listen(http.server.ThreadingHTTPServer, Web)
    echo = listen(socketserver.ThreadingTCPServer, Echo)
    # Bound, so that nobody else gets it, but not listening.
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    print(web, echo, closed.getsockname()[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
