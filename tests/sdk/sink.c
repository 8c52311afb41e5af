// Calls every function of nur.h and tells what came of it; report.txt is what all languages must
// say.
#include "nur.h"

static char report[8192];
static size_t length;

static void put(const char* text, size_t size) {
  for (size_t i = 0; i < size && length < sizeof report; ++i) {
    report[length++] = text[i];
  }
}
static void say(const char* text) { put(text, nur_length(text)); }

static void number(int64_t value) {
  char digits[20];
  size_t first = sizeof digits;
  uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
  do {
    digits[--first] = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (value < 0) {
    digits[--first] = '-';
  }
  put(digits + first, sizeof digits - first);
}

static void line(const char* name, const char* text, int64_t size) {
  static const char* const kErrors[] = {"Failed", "Limit", "Denied", "Invalid", "TimedOut"};
  say(name);
  say(" ");
  if (size >= 0) {
    put(text, (size_t)size);
  } else {
    say(kErrors[-1 - size]);
  }
  say("\n");
}
static void word(const char* name, const char* text) {
  line(name, text, (int64_t)nur_length(text));
}
static void count(const char* name, int64_t value) {
  say(name);
  say(" ");
  number(value);
  say("\n");
}
static void done(const char* name, int64_t code) { line(name, "ok", code < 0 ? code : 2); }
static void truth(const char* name, int value) { word(name, value ? "true" : "false"); }
static void absent(const char* name, int64_t code) {
  word(name, code == NUR_FAILED ? "absent" : "there");
}

static int contains(const char* text, int64_t size, const char* what) {
  const int64_t wanted = (int64_t)nur_length(what);
  for (int64_t at = 0; at + wanted <= size; ++at) {
    int64_t i = 0;
    while (i < wanted && text[at + i] == what[i]) {
      ++i;
    }
    if (i == wanted) {
      return 1;
    }
  }
  return 0;
}

#define TEXT(literal) (literal), (sizeof(literal) - 1)

static char buffer[4096];
static char other[4096];

// The value of a key in the environment, in front of what follows.
static uint64_t address(const char* key, char* to, const char* front, const char* behind) {
  uint64_t size = 0;
  for (; *front != 0; ++front) {
    to[size++] = *front;
  }
  size += (uint64_t)nur_env_get(key, nur_length(key), to + size, 256);
  for (; *behind != 0; ++behind) {
    to[size++] = *behind;
  }
  return size;
}

static void keys(const char* name, const char* after) {
  const int64_t got = nur_kv_list(TEXT("k/"), after, nur_length(after), buffer, sizeof buffer);
  if (got < 0) {
    line(name, "", got);
    return;
  }
  say(name);
  for (int64_t at = 0; at + 4 <= got;) {
    const uint32_t size = (unsigned char)buffer[at];
    say(" ");
    put(buffer + at + 4, size);
    at += 4 + size;
  }
  say("\n");
}

static void answer(void) {
  nur_log_info(TEXT("a line of info"));
  nur_say(NUR_ERROR, "a line of error");
  nur_log_at(NUR_WARNING, TEXT("a line of warning"));
  nur_log_at(NUR_INFO, TEXT("another line of info"));
  nur_log_at(NUR_DEBUG, TEXT("a line of debug"));

  line("method", buffer, nur_request_method(buffer, sizeof buffer));
  line("target", buffer, nur_request_target(buffer, sizeof buffer));
  line("path", buffer, nur_request_path(buffer, sizeof buffer));
  line("query", buffer, nur_request_query(buffer, sizeof buffer));
  int64_t size = nur_request_client(buffer, sizeof buffer);
  while (size > 0 && buffer[size - 1] != ':') {
    --size;
  }
  line("client", buffer, size - 1);
  line("header", buffer, nur_request_header(TEXT("X-SINK"), buffer, sizeof buffer));
  absent("no header", nur_request_header(TEXT("X-None"), buffer, sizeof buffer));
  size = nur_request_headers(buffer, sizeof buffer);
  truth("headers", contains(buffer, size, ": one\r\n") && contains(buffer, size, ": two\r\n"));
  size = 0;
  for (int64_t got; (got = nur_request_body(buffer + size, 3)) > 0;) {
    size += got;
  }
  line("body", buffer, size);
  count("body end", nur_request_body(buffer, sizeof buffer));

  line("env", buffer, nur_env_get(TEXT("greeting"), buffer, sizeof buffer));
  line("db", buffer, nur_db_get(TEXT("greeting"), buffer, sizeof buffer));
  absent("no env", nur_env_get(TEXT("nothing"), buffer, sizeof buffer));

  int64_t random[2] = {0, 0};
  nur_random_bytes(&random[0], sizeof random[0]);
  nur_random_bytes(&random[1], sizeof random[1]);
  truth("random", random[0] != random[1] && random[0] != 0);
  truth("wall", nur_clock_wall() > 1600000000000000000);
  const int64_t begun = nur_clock_monotonic();
  nur_sleep(20000000);
  truth("slept", nur_clock_monotonic() - begun >= 19000000);

  done("set", nur_kv_set(TEXT("k/a"), TEXT("value"), 0));
  line("get", buffer, nur_kv_get(TEXT("k/a"), buffer, sizeof buffer));
  absent("no key", nur_kv_get(TEXT("k/none"), buffer, sizeof buffer));
  int64_t sum = 0;
  nur_kv_increment(TEXT("k/b"), 5, 0, &sum);
  count("increment", sum);
  nur_kv_increment(TEXT("k/b"), -8, 0, &sum);
  count("decrement", sum);
  done("no number", nur_kv_increment(TEXT("k/a"), 1, 0, &sum));
  keys("keys", "");
  keys("keys behind", "k/a");
  keys("no keys", "k/b");
  truth("delete", nur_kv_delete(TEXT("k/a")));
  truth("delete again", nur_kv_delete(TEXT("k/a")));
  nur_kv_delete(TEXT("k/b"));
  done("set for a while", nur_kv_set(TEXT("k/c"), TEXT("value"), 5));
  nur_sleep(50000000);
  absent("expired", nur_kv_get(TEXT("k/c"), buffer, sizeof buffer));

  size = (int64_t)address("backend", other, "http://", "/pong");
  int32_t handle = nur_http_open(TEXT("POST"), other, (uint64_t)size, TEXT("X-Ask: yes\r\n"),
                                 TEXT("ping"), 5000);
  count("http", nur_http_status(handle));
  line("http header", buffer, nur_http_header(handle, TEXT("x-BACK"), buffer, sizeof buffer));
  absent("no http header", nur_http_header(handle, TEXT("X-None"), buffer, sizeof buffer));
  size = nur_http_headers(handle, buffer, sizeof buffer);
  truth("http headers", contains(buffer, size, ": back\r\n"));
  size = 0;
  for (int64_t got; (got = nur_http_read(handle, buffer + size, 3)) > 0;) {
    size += got;
  }
  line("http body", buffer, size);
  nur_http_close(handle);
  done("http not granted",
       nur_http_open(TEXT("GET"), TEXT("http://192.0.2.1/"), TEXT(""), TEXT(""), 1000));
  done("http no url", nur_http_open(TEXT("GET"), TEXT("nonsense"), TEXT(""), TEXT(""), 1000));
  size = (int64_t)address("backend", other, "http://", "/slow");
  done("http too slow", nur_http_open(TEXT("GET"), other, (uint64_t)size, TEXT(""), TEXT(""), 50));

  size = (int64_t)address("echo", other, "", "");
  handle = nur_tcp_connect(other, (uint64_t)size);
  nur_tcp_write(handle, TEXT("ping"));
  size = 0;
  for (int64_t got; (got = nur_tcp_read(handle, buffer + size, 64)) > 0;) {
    size += got;
  }
  line("tcp", buffer, size);
  nur_tcp_close(handle);
  done("tcp not granted", nur_tcp_connect(TEXT("192.0.2.1:80")));
  size = (int64_t)address("closed", other, "", "");
  done("tcp refused", nur_tcp_connect(other, (uint64_t)size));

  nur_response_set_status(200, TEXT("All called"));
  nur_header("Content-Type", "text/plain");
  nur_header("X-Sink", "one");
  nur_header("X-Sink", "two");
  if (nur_request_header(TEXT("X-Whole"), buffer, 0) >= 0) {
    nur_response_set_body(report, length);
    return;
  }
  nur_response_write(report, 10);
  nur_response_write(report + 10, length - 10);
}

NUR_HANDLE(answer)
