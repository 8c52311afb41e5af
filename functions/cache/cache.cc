// A proxy with a cache: what is asked below /cache is fetched from the origin, kept in the
// key-value store for as long as the origin allows, and served from there. When the origin fails,
// an answer that is too old is better than none.
//
// Environment: ORIGIN, as http://HOST:PORT, and TTL, the seconds that answers are kept of which the
// origin says nothing (0).
//
// A kept answer: "EXPIRES STATUS TYPE-LENGTH ETAG-LENGTH " and type, etag and body; EXPIRES is in
// milliseconds of the wall clock.
#include <charconv>

#include "nur.hpp"

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t kKeptBytesMax = 512 << 10;
constexpr size_t kBodyBytesMax = 8 << 20;
constexpr size_t kKeyBytesMax = 480;
constexpr auto kOldFor = 1h;  // how long an answer is kept beyond its time
constexpr seconds kTtlMax = 24h;

struct Answer {
  int status = 0;
  std::string type;
  std::string etag;
  std::string body;
  milliseconds expires{};
};

milliseconds now() { return std::chrono::duration_cast<milliseconds>(nur::clock::wall()); }

int64_t number(std::string_view text, int64_t otherwise) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && value >= 0 ? value : otherwise;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  return text;
}

// The value of a directive such as max-age; none if it is not there.
std::optional<int64_t> directive(std::string_view control, std::string_view name) {
  for (size_t at = 0; at < control.size();) {
    const size_t comma = std::min(control.find(',', at), control.size());
    std::string_view part = control.substr(at, comma - at);
    part.remove_prefix(std::min(part.find_first_not_of(' '), part.size()));
    if (part.starts_with(name)) {
      part.remove_prefix(name.size());
      if (part.empty() || part[0] == ' ') {
        return 0;
      }
      if (part[0] == '=') {
        part.remove_prefix(part.starts_with("=\"") ? 2 : 1);
        return number(part, 0);
      }
    }
    at = comma + 1;
  }
  return std::nullopt;
}

// How long an answer may be kept; 0: not at all.
seconds lifetime(const nur::http::Response& response) {
  if (response.status() != 200 || response.header("Vary") || response.header("Set-Cookie")) {
    return 0s;
  }
  const std::string control = lower(response.header("Cache-Control").value_or(""));
  for (const std::string_view never : {"no-store", "no-cache", "private"}) {
    if (directive(control, never)) {
      return 0s;
    }
  }
  auto time = directive(control, "s-maxage");
  if (!time) {
    time = directive(control, "max-age");
  }
  if (!time) {
    time = number(nur::env::get("TTL").value_or(""), 0);
  }
  return std::min(seconds(*time), kTtlMax);
}

void keep(const std::string& key, const Answer& answer, seconds time) {
  std::string kept;
  for (const int64_t value :
       {answer.expires.count(), int64_t{answer.status}, static_cast<int64_t>(answer.type.size()),
        static_cast<int64_t>(answer.etag.size())}) {
    kept += std::to_string(value) + ' ';
  }
  kept += answer.type + answer.etag + answer.body;
  if (const auto done = nur::kv::set(key, kept, time + kOldFor); !done) {
    nur::log(nur::Level::warning, "could not keep " + key);
  }
}

std::optional<Answer> kept_answer(const std::string& key) {
  const auto found = nur::kv::get(key);
  if (!found || !*found) {
    return std::nullopt;
  }
  std::string_view rest = **found;
  int64_t values[4] = {};
  for (int64_t& value : values) {
    const size_t end = rest.find(' ');
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    value = number(rest.substr(0, end), 0);
    rest.remove_prefix(end + 1);
  }
  const auto type = static_cast<size_t>(values[2]);
  const auto etag = static_cast<size_t>(values[3]);
  if (type > rest.size() || etag > rest.size() - type) {
    return std::nullopt;
  }
  return Answer{static_cast<int>(values[1]), std::string(rest.substr(0, type)),
                std::string(rest.substr(type, etag)), std::string(rest.substr(type + etag)),
                milliseconds(values[0])};
}

void send(const Answer& answer, std::string_view how) {
  nur::response::set_header("X-Cache", how);
  if (!answer.etag.empty()) {
    nur::response::set_header("ETag", answer.etag);
  }
  if (!answer.etag.empty() && nur::request::header("If-None-Match") == answer.etag) {
    nur::response::set_status(304, "Not Modified");
    return nur::response::set_body("");
  }
  nur::response::answer(answer.status, answer.status == 200 ? "OK" : "Answered", answer.type,
                        answer.body);
}

void refuse(int status, std::string_view reason, std::string_view why) {
  nur::response::answer(status, reason, "text/plain", why);
}

void refuse(nur::Error error) {
  switch (error) {
    case nur::Error::denied:
      return refuse(502, "Bad Gateway", "this function may not connect to its origin\n");
    case nur::Error::invalid:
      return refuse(500, "Internal Server Error", "ORIGIN is no address\n");
    case nur::Error::timed_out:
      return refuse(504, "Gateway Timeout", "the origin takes too long\n");
    case nur::Error::limit:
      return refuse(502, "Bad Gateway",
                    "the origin's answer is too large, or there are too many\n");
    default:
      return refuse(502, "Bad Gateway", "the origin does not answer\n");
  }
}

void answer() {
  const std::string method = nur::request::method();
  if (method != "GET" && method != "HEAD") {
    nur::response::set_header("Allow", "GET, HEAD");
    return refuse(405, "Method Not Allowed", "only GET and HEAD\n");
  }
  const std::optional<std::string> origin = nur::env::get("ORIGIN");
  if (!origin) {
    return refuse(500, "Internal Server Error", "ORIGIN is not set; nur.toml does that\n");
  }
  // What is below the function's own name, or its root.
  const std::string target = nur::request::target();
  std::string path = target.substr(std::min(target.find_first_of("/?", 1), target.size()));
  if (!path.starts_with('/')) {
    path.insert(0, "/");
  }
  const std::string key = "answer" + path;
  // Whoever says who he is gets an answer of his own.
  const bool personal = nur::request::header("Authorization") || nur::request::header("Cookie");
  const bool may_keep = !personal && key.size() <= kKeyBytesMax;

  std::optional<Answer> kept = may_keep ? kept_answer(key) : std::nullopt;
  if (kept && kept->expires > now()) {
    return send(*kept, "hit");
  }

  nur::http::Request request{.url = *origin + path, .timeout = 4s};
  for (const std::string_view name : {"Accept", "Accept-Language", "Authorization", "Cookie"}) {
    if (const auto value = nur::request::header(name)) {
      ((((request.headers += name) += ": ") += *value) += "\r\n");
    }
  }
  auto response = request.send();
  nur::Result<std::string> body =
      response ? response->body(kBodyBytesMax) : std::unexpected(response.error());
  if (!body || response->status() >= 500) {
    if (kept) {
      return send(*kept, "stale");
    }
    if (!body) {
      return refuse(body.error());
    }
  }
  Answer fresh{response->status(), response->header("Content-Type").value_or("text/plain"),
               response->header("ETag").value_or(""), std::move(*body)};
  const seconds time = lifetime(*response);
  if (may_keep && time > 0s && fresh.body.size() <= kKeptBytesMax) {
    fresh.expires = now() + time;
    keep(key, fresh, time);
    return send(fresh, "miss");
  }
  send(fresh, "pass");
}

}  // namespace

NUR_HANDLE(answer)
