#!/usr/bin/env bash
# Outgoing HTTP: nowhere but where --outbound says, by the address that is connected to; https against the
# certificates of --ca-file; a slow server holds up the function that asked it and nobody else.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"

# Asks for the URL of the query, within 2 s; answers "STATUS body", or the error.
write_module fetch <<'WAT'
(module
  (import "env" "request_query" (func $query (param i32 i64) (result i64)))
  (import "env" "response_write" (func $write (param i32 i64) (result i64)))
  (import "env" "http_open" (func $open (param i32 i64 i32 i64 i32 i64 i32 i64 i64) (result i32)))
  (import "env" "http_status" (func $status (param i32) (result i32)))
  (import "env" "http_header" (func $header (param i32 i32 i64 i32 i64) (result i64)))
  (import "env" "http_read" (func $read (param i32 i32 i64) (result i64)))
  (import "env" "http_close" (func $close (param i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 0) "GETx-say X-Sent: by a function\n")
  (func $say (param $n i64) (local $at i32)
    (local.set $at (i32.const 900))
    (if (i64.lt_s (local.get $n) (i64.const 0))
      (then (i32.store8 (i32.const 800) (i32.const 45)) (drop (call $write (i32.const 800) (i64.const 1)))
            (local.set $n (i64.sub (i64.const 0) (local.get $n)))))
    (loop $digit
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (i32.wrap_i64 (i64.add (i64.const 48) (i64.rem_u (local.get $n) (i64.const 10)))))
      (local.set $n (i64.div_u (local.get $n) (i64.const 10)))
      (br_if $digit (i64.ne (local.get $n) (i64.const 0))))
    (drop (call $write (local.get $at) (i64.extend_i32_u (i32.sub (i32.const 900) (local.get $at))))))
  (func (export "handle") (local $fetch i32) (local $bytes i64)
    (local.set $fetch (call $open (i32.const 0) (i64.const 3) (i32.const 1024) (call $query (i32.const 1024) (i64.const 4000))
                                  (i32.const 9) (i64.const 22) (i32.const 0) (i64.const 0) (i64.const 2000)))
    (if (i32.lt_s (local.get $fetch) (i32.const 0))
      (then (call $say (i64.extend_i32_s (local.get $fetch))) (return)))
    (call $say (i64.extend_i32_s (call $status (local.get $fetch))))
    (drop (call $write (i32.const 8) (i64.const 1)))
    (local.set $bytes (call $header (local.get $fetch) (i32.const 3) (i64.const 5) (i32.const 8192) (i64.const 100)))
    (if (i64.gt_s (local.get $bytes) (i64.const 0)) (then (drop (call $write (i32.const 8192) (local.get $bytes)))))
    (loop $next
      (local.set $bytes (call $read (local.get $fetch) (i32.const 8192) (i64.const 65536)))
      (if (i64.gt_s (local.get $bytes) (i64.const 0))
        (then (drop (call $write (i32.const 8192) (local.get $bytes))) (br $next))))
    (if (i64.lt_s (local.get $bytes) (i64.const 0)) (then (call $say (local.get $bytes))))
    (if (call $close (local.get $fetch)) (then (unreachable)))
    (if (i32.ne (call $close (local.get $fetch)) (i32.const -4)) (then (unreachable)))
    (if (i64.ne (call $read (local.get $fetch) (i32.const 8192) (i64.const 1)) (i64.const -4)) (then (unreachable)))))
WAT

# The same with more patience.
sed 's/(i64.const 2000)))/(i64.const 0)))/' "$modules/fetch.wat" | write_module patient

# Opens 1,000 responses at once: 16 may be. Answers whether all others were told so.
write_module many <<'WAT'
(module
  (import "env" "request_query" (func $query (param i32 i64) (result i64)))
  (import "env" "response_set_body" (func $body (param i32 i64)))
  (import "env" "http_open" (func $open (param i32 i64 i32 i64 i32 i64 i32 i64 i64) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "GETyesno")
  (func (export "handle") (local $i i32) (local $length i64)
    (local.set $length (call $query (i32.const 1024) (i64.const 4000)))
    (loop $next
      (if (i32.ne (local.get $i) (call $open (i32.const 0) (i64.const 3) (i32.const 1024) (local.get $length)
                                             (i32.const 0) (i64.const 0) (i32.const 0) (i64.const 0) (i64.const 0)))
        (then (unreachable)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 16))))
    (loop $beyond
      (if (i32.ne (i32.const -2) (call $open (i32.const 0) (i64.const 3) (i32.const 1024) (local.get $length)
                                             (i32.const 0) (i64.const 0) (i32.const 0) (i64.const 0) (i64.const 0)))
        (then (call $body (i32.const 6) (i64.const 2)) (return)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $beyond (i32.lt_u (local.get $i) (i32.const 1000))))
    (call $body (i32.const 3) (i64.const 3))))
WAT
write_module outside <<'WAT'
(module
  (import "env" "http_open" (func $open (param i32 i64 i32 i64 i32 i64 i32 i64 i64) (result i32)))
  (memory (export "memory") 1)
  (func (export "handle")
    (drop (call $open (i32.const 0) (i64.const 3) (i32.const 65000) (i64.const 1000)
                      (i32.const 0) (i64.const 0) (i32.const 0) (i64.const 0) (i64.const 0)))))
WAT
compile_modules

# The server elsewhere: plain and with TLS, and a name server whose one name means another address each time.
certificate=$scratch/certificate.pem
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext 'subjectAltName=IP:127.0.0.1' \
  -keyout "$scratch/key.pem" -out "$certificate" 2>/dev/null || skip "no openssl to make a certificate with"
chmod 755 "$scratch" && chmod 644 "$certificate"
cat >"$scratch/elsewhere.py" <<'PY'
import http.server, os, socket, ssl, struct, sys, threading, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = ("hello " + self.headers.get("X-Sent", "")).encode()
        # Until the case says so.
        while self.path == "/slow" and not os.path.exists(sys.argv[3]): time.sleep(0.02)
        if self.path == "/hang": time.sleep(5)
        if self.path == "/reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        if self.path == "/large": body = b"x" * 3_000_000
        self.send_response(302 if self.path == "/moved" else 200)
        if self.path == "/moved": self.send_header("Location", "http://127.0.0.1:1/")
        self.send_header("X-Say", "this:")
        self.send_header("Content-Length", str(len(body) + (5 if self.path == "/short" else 0)))
        self.end_headers()
        if self.path == "/drip":
            for i in range(len(body)):
                self.wfile.write(body[i:i + 1])
                time.sleep(0.02)
            return
        self.wfile.write(body)
        if self.path == "/short": self.close_connection = True
    def log_message(self, *arguments): pass

def serve(tls):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.request_queue_size = 100
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]

names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
names.bind(("127.0.0.1", 0))
print(serve(False), serve(True), names.getsockname()[1], flush=True)
asked = 0
while True:
    query, client = names.recvfrom(512)
    question = query[12:query.index(b"\0", 12) + 5]
    answer = b""
    if question[-3] == 1:
        asked += 1
        address = "127.0.0.1" if asked == 1 else "10.0.0.1" if asked == 2 else "169.254.169.254"
        answer = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(address)
    names.sendto(query[:2] + b"\x81\x80\0\1" + struct.pack(">H", 1 if answer else 0) + b"\0\0\0\0" + question + answer, client)
PY
begin python3 "$scratch/elsewhere.py" "$certificate" "$scratch/key.pem" "$scratch/go" >"$scratch/ports"
poll 20 test -s "$scratch/ports" || fail "the server elsewhere does not start"
read -r plain tls names <"$scratch/ports"

# Nothing is open unless said, and then only what is said.
serve "$functions" --workers 1
expect_answer "200 -3" "/fetch?http://127.0.0.1:$plain/"
stop_server
serve "$functions" --workers 1 --outbound '*:*'
for host in 127.0.0.1 localhost 127.1 2130706433 0x7f000001 '[::1]' '[::ffff:127.0.0.1]' 0.0.0.0 169.254.169.254; do
  expect_match "answer for $host" "$(ask -g "/fetch?http://$host:$plain/")" '^200 -[34]$'
done
stop_server

serve "$functions" --workers 1 --timeout 60s --outbound "loopback:$plain" --outbound "loopback:$tls" --ca-file "$certificate" \
  --outbound "rebind.test:$plain" --dns-server "127.0.0.1:$names"
expect_answer "200 200 this:hello by a function" "/fetch?http://127.0.0.1:$plain/"
expect_answer "200 200 this:hello by a function" "/fetch?https://127.0.0.1:$tls/"
expect_answer "200 302 this:hello by a function" "/fetch?http://127.0.0.1:$plain/moved"
expect_answer "200 200 this:hello by a function-1" "/fetch?http://127.0.0.1:$plain/short"
expect_answer "200 200 this:hello by a function" "/fetch?http://127.0.0.1:$plain/drip"
expect_answer "200 -1" "/fetch?http://127.0.0.1:$plain/reset"
expect_answer "200 -5" "/fetch?http://127.0.0.1:$plain/hang"
expect_answer "200 -3" "/fetch?http://127.0.0.1:1/"
expect_answer "200 -4" "/fetch?file:///etc/passwd"
expect_answer "200 yes" "/many?http://127.0.0.1:$plain/"
expect_answer "502 502 Bad Gateway: the function trapped: out of bounds memory access" /outside
curl -s "$url/fetch?http://127.0.0.1:$plain/large" | tail -c +10 | cmp - <(head -c 3000000 /dev/zero | tr '\0' x) ||
  fail "a large body came otherwise"

# The same name, three times: only an address that is open is ever connected to.
expect_answer "200 200 this:hello by a function" "/fetch?http://rebind.test:$plain/"
expect_answer "200 -3" "/fetch?http://rebind.test:$plain/"
expect_answer "200 -3" "/fetch?http://rebind.test:$plain/"
expect_answer "200 -3" "/fetch?http://other.test:$plain/"

# While 20 wait for a slow server, the only worker serves others.
waiting=()
for _ in {1..20}; do
  begin curl -s -o "$scratch/slow.${#waiting[@]}" "$url/patient?http://127.0.0.1:$plain/slow"
  waiting+=("$begun_pid")
done
for ((i = 0; i < 1000; i++)); do echo "url = \"$url/fetch?none\""; done >"$scratch/requests"
curl -s --max-time 120 --config "$scratch/requests" >"$scratch/answers" || fail "not all were answered meanwhile"
expect_equal "answers meanwhile" "$(grep -o -- -4 "$scratch/answers" | wc -l)" 1000
for pid in "${waiting[@]}"; do running "$pid" || fail "a slow server was answered for"; done
touch "$scratch/go"
for pid in "${waiting[@]}"; do wait "$pid"; done
expect_equal "what they got" "$(cat "$scratch"/slow.* | sort -u)" \
  "$(printf '200 this:hello by a function%.0s' {1..20})"
! logged 'worker [0-9]+ died' || fail "a worker died"
stop_server

# A certificate that nobody vouches for.
serve "$functions" --workers 1 --outbound "loopback:$tls"
expect_answer "200 -1" "/fetch?https://127.0.0.1:$tls/"
stop_server
expect_exit 1 "$nurhost" serve "$functions" --listen 127.0.0.1:0 --workers 1 --outbound 'loopback:1' --ca-file "$scratch/ports"
expect_said 'no certificates in PEM'
