# shellcheck shell=bash
# What benches share: servers that end with the bench, load, and figures. To be sourced.
: "${root:?}"

scratch=$(mktemp -d)
started=()
end_bench() {
  local pid
  for pid in "${started[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf -- "$scratch"
}
trap end_bench EXIT

die() {
  echo "bench: $*" >&2
  exit 1
}

# on_cpu N COMMAND...: becomes the command, on that processor if there is one to spare, so that a
# server and the load generator do not take turns on the same. In a subshell or the background only.
on_cpu() {
  local cpu=$1
  shift
  if (($(nproc) > 1)); then exec taskset -c "$cpu" "$@"; else exec "$@"; fi
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
  local tries=$(($1 * 20))
  shift
  while ! "$@"; do
    ((--tries > 0)) || return 1
    sleep 0.05
  done
}

# A port that nobody listens on now.
free_port() {
  local port
  for port in $(shuf -i 10000-32000 -n 50); do
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
  die "no free port"
}

# start_nurhost ARGUMENT...: sets nurhost_url and nurhost_pid.
start_nurhost() {
  : >"$scratch/nurhost.log"
  on_cpu 0 "${NUR_BIN:-$root/build/release/bin}/nurhost" serve --listen 127.0.0.1:0 --log-level info "$@" \
    2>>"$scratch/nurhost.log" &
  nurhost_pid=$!
  started+=("$nurhost_pid")
  wait_for 10 grep -q 'serving .* on http://' "$scratch/nurhost.log" ||
    die "nurhost did not start: $(cat "$scratch/nurhost.log")"
  # shellcheck disable=SC2034  # read by the benches
  nurhost_url=$(sed -n 's/.* on \(http:\/\/[^ ]*\)$/\1/p' "$scratch/nurhost.log")
}

# start_nginx DIRECTIVES: one worker with a location / of these directives; sets nginx_url and
# nginx_pid.
start_nginx() {
  local port
  port=$(free_port)
  cat >"$scratch/nginx.conf" <<CONF
daemon off;
worker_processes 1;
pid $scratch/nginx.pid;
error_log $scratch/nginx-error.log;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path $scratch/nginx-body;
  proxy_temp_path $scratch/nginx-proxy;
  fastcgi_temp_path $scratch/nginx-fastcgi;
  uwsgi_temp_path $scratch/nginx-uwsgi;
  scgi_temp_path $scratch/nginx-scgi;
  default_type text/plain;
  server { listen 127.0.0.1:$port; location / { $1 } }
}
CONF
  PATH=$PATH:/usr/sbin on_cpu 0 nginx -p "$scratch" -c "$scratch/nginx.conf" 2>"$scratch/nginx.log" &
  nginx_pid=$!
  started+=("$nginx_pid")
  nginx_url=http://127.0.0.1:$port
  wait_for 10 curl -s -o /dev/null "$nginx_url/" || die "nginx did not start: $(cat "$scratch/nginx.log")"
}

expect_body() {
  local got
  got=$(curl -s "$1")
  [[ $got == "$2" ]] || die "$1 answered: $got"
}

# load URL SECONDS: requests per second; fails when there was any error or other status than 2xx.
load() {
  local report
  report=$(on_cpu 1 wrk -t1 -c64 -d"$2s" "$1")
  if grep -qE 'Non-2xx|Socket errors' <<<"$report"; then die "errors under load: $report"; fi
  sed -n 's/^Requests\/sec: *\([0-9]*\).*/\1/p' <<<"$report"
}

# cpu_ticks PID: processor time that the process and its children have used, in ticks.
cpu_ticks() {
  local pid stat ticks=0
  for pid in "$1" $(pgrep --parent "$1" || true); do
    stat=$(<"/proc/$pid/stat") || continue
    # The name in brackets may hold anything; utime and stime are the 12th and 13th field behind it.
    read -r -a stat <<<"${stat##*) }"
    ((ticks += stat[11] + stat[12]))
  done
  echo "$ticks"
}

# costly_load URL SECONDS PID: requests per second, and microseconds of processor time per request
# that the server PID with its children has used.
costly_load() {
  local report before after requests
  before=$(cpu_ticks "$3")
  report=$(on_cpu 1 wrk -t1 -c64 -d"$2s" "$1")
  after=$(cpu_ticks "$3")
  if grep -qE 'Non-2xx|Socket errors' <<<"$report"; then die "errors under load: $report"; fi
  requests=$(sed -n 's/^ *\([0-9]*\) requests in .*/\1/p' <<<"$report")
  sed -n 's/^Requests\/sec: *\([0-9]*\).*/\1/p' <<<"$report" | tr '\n' ' '
  awk -v ticks=$((after - before)) -v hertz="$(getconf CLK_TCK)" -v requests="$requests" \
    'BEGIN { printf "%.2f\n", ticks / hertz * 1e6 / requests }'
}

# npm_file PACKAGE FILE: fetches the package once, by its exact version; prints the file's path.
npm_file() {
  local into=$root/build/npm/${1//[@\/]/_}
  if [[ ! -e $into/package/$2 ]]; then
    rm -rf -- "$into"
    mkdir -p "$into"
    (cd "$into" && npm pack --silent "$1" >archive-name && tar -xzf "$(tail -n 1 archive-name)") ||
      die "npm did not fetch $1"
  fi
  [[ -e $into/package/$2 ]] || die "$1 has no $2"
  echo "$into/package/$2"
}

median() {
  printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 } END {
    print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f\n", a / b }'; }
