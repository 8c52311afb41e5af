// Calls every function of nur.hpp and tells what came of it; report.txt is what all languages must
// say.
#include <chrono>
#include <cstring>
#include <optional>
#include <string>

#include "nur.hpp"

namespace {

using namespace std::chrono_literals;

std::string report;

std::string_view word(nur::Error error) {
  constexpr std::string_view kErrors[] = {"Failed", "Limit", "Denied", "Invalid", "TimedOut"};
  return kErrors[-1 - static_cast<int>(error)];
}

void line(std::string_view name, std::string_view text) {
  ((((report += name) += ' ') += text) += '\n');
}
void truth(std::string_view name, bool value) { line(name, value ? "true" : "false"); }
void count(std::string_view name, int64_t value) { line(name, std::to_string(value)); }
void text(std::string_view name, const std::optional<std::string>& value) {
  line(name, value.value_or("absent"));
}
template <typename T>
void done(std::string_view name, const nur::Result<T>& result) {
  line(name, result ? "ok" : word(result.error()));
}

void keys(std::string_view name, std::string_view after) {
  report += name;
  for (const std::string& key : nur::kv::list("k/", after).value()) {
    (report += ' ') += key;
  }
  report += '\n';
}

bool contains(std::string_view text, std::string_view what) {
  return text.find(what) != std::string_view::npos;
}

void log() {
  nur::log("a line of info");
  nur::log(nur::Level::error, "a line of error");
  nur::log(nur::Level::warning, "a line of warning");
  nur::log(nur::Level::info, "another line of info");
  nur::log(nur::Level::debug, "a line of debug");
}

void request() {
  line("method", nur::request::method());
  line("target", nur::request::target());
  line("path", nur::request::path());
  line("query", nur::request::query());
  const std::string client = nur::request::client();
  line("client", client.substr(0, client.rfind(':')));
  text("header", nur::request::header("X-SINK"));
  text("no header", nur::request::header("X-None"));
  const std::string headers = nur::request::headers();
  truth("headers", contains(headers, ": one\r\n") && contains(headers, ": two\r\n"));
  line("body", nur::request::body(100).value_or("failed"));
  char rest[10];
  count("body end", nur::request::read_body(rest).value_or(99));
}

void process() {
  text("env", nur::env::get("greeting"));
  text("db", nur::db::get("greeting"));
  text("no env", nur::env::get("nothing"));
  char one[8] = {};
  char two[8] = {};
  truth("random", nur::random(one) && nur::random(two) && std::memcmp(one, two, 8) != 0);
  truth("wall", nur::clock::wall() > 1600000000s);
  const auto begun = nur::clock::monotonic();
  nur::clock::sleep(20ms);
  truth("slept", nur::clock::monotonic() - begun >= 19ms);
}

void store() {
  done("set", nur::kv::set("k/a", "value"));
  text("get", nur::kv::get("k/a").value());
  text("no key", nur::kv::get("k/none").value());
  count("increment", nur::kv::increment("k/b", 5).value_or(99));
  count("decrement", nur::kv::increment("k/b", -8).value_or(99));
  done("no number", nur::kv::increment("k/a", 1));
  keys("keys", "");
  keys("keys behind", "k/a");
  keys("no keys", "k/b");
  truth("delete", nur::kv::remove("k/a").value());
  truth("delete again", nur::kv::remove("k/a").value());
  (void)nur::kv::remove("k/b");
  done("set for a while", nur::kv::set("k/c", "value", 5ms));
  nur::clock::sleep(50ms);
  text("expired", nur::kv::get("k/c").value());
}

void http() {
  const std::string backend = "http://" + nur::env::get("backend").value_or("");
  auto response = nur::http::Request{.method = "POST",
                                     .url = backend + "/pong",
                                     .headers = "X-Ask: yes\r\n",
                                     .body = "ping",
                                     .timeout = 5s}
                      .send()
                      .value();
  count("http", response.status());
  text("http header", response.header("x-BACK"));
  text("no http header", response.header("X-None"));
  truth("http headers", contains(response.headers(), ": back\r\n"));
  line("http body", response.body(100).value_or("failed"));
  done("http not granted", nur::http::Request{.url = "http://192.0.2.1/", .timeout = 1s}.send());
  done("http no url", nur::http::Request{.url = "nonsense"}.send());
  done("http too slow", nur::http::Request{.url = backend + "/slow", .timeout = 50ms}.send());
}

void tcp() {
  auto connection = nur::TcpStream::connect(nur::env::get("echo").value_or("")).value();
  (void)connection.write("ping");
  std::string back;
  char chunk[64];
  while (const size_t got = connection.read(chunk).value_or(0)) {
    back.append(chunk, got);
  }
  line("tcp", back);
  done("tcp not granted", nur::TcpStream::connect("192.0.2.1:80"));
  done("tcp refused", nur::TcpStream::connect(nur::env::get("closed").value_or("")));
}

void answer() {
  log();
  request();
  process();
  store();
  http();
  tcp();

  nur::response::set_status(200, "All called");
  nur::response::set_header("Content-Type", "text/plain");
  nur::response::set_header("X-Sink", "one");
  nur::response::set_header("X-Sink", "two");
  if (nur::request::header("X-Whole")) {
    nur::response::set_body(report);
    return;
  }
  (void)nur::response::write(std::string_view(report).substr(0, 10));
  (void)nur::response::write(std::string_view(report).substr(10));
}

}  // namespace

NUR_HANDLE(answer)
