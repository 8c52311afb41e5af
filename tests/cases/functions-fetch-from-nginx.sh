#!/usr/bin/env bash
# Outgoing HTTP against a real server: what nginx answers (whole, in chunks, as a file, over TLS, slowly, not at
# all) is what the function gets; connections are used again; and a thousand requests are served while twenty
# functions wait for it.
# shellcheck source=tests/cases/harness.sh
source "$(dirname -- "$0")/harness.sh"
PATH=$PATH:/usr/sbin:$NUR_BIN/../../toolchain/bin
nginx -v 2>/dev/null || skip "no nginx"

# Asks for the URL of the query, and answers "STATUS BODY", or the error.
write_module fetch <<'WAT'
(module
  (import "env" "request_query" (func $query (param i32 i64) (result i64)))
  (import "env" "response_write" (func $write (param i32 i64) (result i64)))
  (import "env" "http_open" (func $open (param i32 i64 i32 i64 i32 i64 i32 i64 i64) (result i32)))
  (import "env" "http_status" (func $status (param i32) (result i32)))
  (import "env" "http_read" (func $read (param i32 i32 i64) (result i64)))
  (memory (export "memory") 2)
  (data (i32.const 0) "GET ")
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
                                  (i32.const 0) (i64.const 0) (i32.const 0) (i64.const 0) (i64.const 0)))
    (if (i32.lt_s (local.get $fetch) (i32.const 0))
      (then (call $say (i64.extend_i32_s (local.get $fetch))) (return)))
    (call $say (i64.extend_i32_s (call $status (local.get $fetch))))
    (drop (call $write (i32.const 3) (i64.const 1)))
    (loop $next
      (local.set $bytes (call $read (local.get $fetch) (i32.const 8192) (i64.const 65536)))
      (if (i64.gt_s (local.get $bytes) (i64.const 0))
        (then (drop (call $write (i32.const 8192) (local.get $bytes))) (br $next))))
    (if (i64.lt_s (local.get $bytes) (i64.const 0)) (then (call $say (local.get $bytes))))))
WAT
compile_modules
cp "$NUR_FUNCTIONS/hello.so" "$functions/"

# nginx, as one process; it is given up with the case.
chmod 755 "$scratch"
mkdir -p "$scratch/www"
head -c 3000000 /dev/zero | tr '\0' x >"$scratch/www/large"
head -c 100000 /dev/zero | tr '\0' y >"$scratch/www/drip"
printf '<!--# echo var="DATE_GMT" -->included' >"$scratch/www/chunks.shtml"
tls=
if openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext 'subjectAltName=IP:127.0.0.1' \
  -keyout "$scratch/key.pem" -out "$scratch/certificate.pem" 2>/dev/null; then
  tls="listen 127.0.0.1:TLS_PORT ssl; ssl_certificate $scratch/certificate.pem; ssl_certificate_key $scratch/key.pem;"
  chmod 644 "$scratch/certificate.pem"
fi
begin_nginx() {
  nginx_port=$((20000 + RANDOM % 12000))
  tls_port=$((nginx_port + 1))
  cat >"$scratch/nginx.conf" <<CONF
daemon off;
master_process off;
pid $scratch/nginx.pid;
error_log $scratch/nginx-error.log;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path $scratch/nginx-body;
  proxy_temp_path $scratch/nginx-proxy;
  fastcgi_temp_path $scratch/nginx-fastcgi;
  uwsgi_temp_path $scratch/nginx-uwsgi;
  scgi_temp_path $scratch/nginx-scgi;
  default_type text/plain;
  server {
    listen 127.0.0.1:$nginx_port; ${tls/TLS_PORT/$tls_port}
    root $scratch/www;
    location = /plain { return 200 "plain of nginx"; }
    location = /seen { return 200 "\$request_method \$http_host"; }
    location = /used { return 200 "\$connection_requests"; }
    location = /moved { return 302 http://127.0.0.1:1/; }
    location = /silent { return 444; }
    location = /chunks.shtml { ssi on; ssi_types *; }
    location = /drip { limit_rate 50k; }
    location = /wait { limit_rate 5k; alias $scratch/www/drip; }
  }
}
CONF
  begin nginx -p "$scratch" -c "$scratch/nginx.conf" 2>"$scratch/nginx.log"
  nginx_pid=$begun_pid
  answers() { curl --silent --output /dev/null "http://127.0.0.1:$nginx_port/plain" || ! running "$nginx_pid"; }
  poll 20 answers && running "$nginx_pid"
}
begun_one=
for _ in 1 2 3 4 5; do begin_nginx && begun_one=1 && break; done
[[ -n $begun_one ]] || fail "nginx does not start: $(cat "$scratch/nginx.log" "$scratch/nginx-error.log")"

at=http://127.0.0.1:$nginx_port
outbound=(--outbound "loopback:$nginx_port")
[[ -z $tls ]] || outbound+=(--outbound "loopback:$tls_port" --ca-file "$scratch/certificate.pem")
serve "$functions" --workers 1 --timeout 100s "${outbound[@]}"
expect_answer "200 200 plain of nginx" "/fetch?$at/plain"
expect_answer "200 200 GET 127.0.0.1:$nginx_port" "/fetch?$at/seen"
expect_match "nothing there" "$(ask "/fetch?$at/nothing")" '^200 404 <html>'
expect_match "a redirection" "$(ask "/fetch?$at/moved")" '^200 302 <html>'
expect_answer "200 -1" "/fetch?$at/silent"
expect_match "in chunks" "$(ask "/fetch?$at/chunks.shtml")" '^200 200 .*GMT.*included$'
[[ -z $tls ]] || expect_answer "200 200 plain of nginx" "/fetch?https://127.0.0.1:$tls_port/plain"
curl --silent --max-time 60 "$url/fetch?$at/large" | tail -c +5 | cmp - "$scratch/www/large" || fail "a file came otherwise"
curl --silent --max-time 60 "$url/fetch?$at/drip" | tail -c +5 | cmp - "$scratch/www/drip" || fail "a slow file came otherwise"
# One connection for one request after the other.
expect_match "requests of a connection" "$(ask "/fetch?$at/used"; ask "/fetch?$at/used")" '200 200 [2-9]'

# 100,000 bytes at 5 KiB/s are 20 s.
waiting=()
for i in {1..20}; do
  begin curl --silent --max-time 100 --output "$scratch/slow.$i" "$url/fetch?$at/wait"
  waiting+=("$begun_pid")
done
begun_all() { (($(find "$scratch" -name 'slow.*' -size +0 | wc -l) == 20)); }
poll 60 begun_all || fail "nginx did not answer all"
for ((i = 0; i < 1000; i++)); do echo "url = \"$url/hello\""; done >"$scratch/requests"
curl --silent --max-time 60 --config "$scratch/requests" >"$scratch/answers" || fail "not all requests were answered"
expect_equal "answers meanwhile" "$(grep -cx 'Hello, world' "$scratch/answers")" 1000
for pid in "${waiting[@]}"; do wait "$pid" || fail "a function that waited has no answer"; done
for i in {1..20}; do
  tail -c +5 "$scratch/slow.$i" | cmp - "$scratch/www/drip" || fail "what a function waited for came otherwise"
done
stop_server
