#include "host/abi/cgi/response.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include "host/abi/cgi/header_text.h"

namespace nur {

namespace {

// What a client is ready to take; the same that the front takes from clients.
constexpr std::size_t kHeadersMax = 100;
constexpr std::size_t kHeadBytesMax = 32 * 1024;

// How much of a bad line an error message shows.
constexpr std::size_t kShownBytes = 40;

struct Status {
  int code;
  std::string reason;
};

struct Head {
  std::optional<Status> status;
  std::vector<Header> headers;
  std::optional<std::uint64_t> length;
};

// Printable: the message ends up in a log.
std::string shown(std::string_view text) {
  std::string result(text.substr(0, kShownBytes));
  std::replace_if(
      result.begin(), result.end(),
      [](char character) {
        const auto byte = static_cast<unsigned char>(character);
        return byte < 0x20 || byte >= 0x7f;
      },
      '?');
  return result;
}

// Framing, connection and date are the front's.
bool is_the_hosts(std::string_view name) {
  constexpr std::string_view kNames[] = {"Connection", "Content-Length",    "Date",
                                         "Keep-Alive", "Proxy-Connection",  "TE",
                                         "Trailer",    "Transfer-Encoding", "Upgrade"};
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [name](std::string_view hosts) { return same_header_name(name, hosts); });
}

// "404" or "404 Not Found".
Result<Status> parse_status(std::string_view value) {
  const std::string_view digits = value.substr(0, value.find(' '));
  int code = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '9' || digits.size() != 3) {
      code = 0;
      break;
    }
    code = code * 10 + (digit - '0');
  }
  if (code < 200 || code > 599) {
    return fail(ErrorKind::invalid_input,
                "reading a CGI response: Status '{}' is not a number from 200 to 599",
                shown(value));
  }
  return Status{code, std::string(without_outer_blanks(value.substr(digits.size())))};
}

// Anything else is taken for no promise.
std::optional<std::uint64_t> parse_length(std::string_view value) {
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
  if (value.empty() || error != std::errc() || end != value.data() + value.size()) {
    return std::nullopt;
  }
  return length;
}

// Where the guest's body starts, and the lines before it.
struct Split {
  std::string_view lines;  // each with its line end
  std::size_t body_at;
};

Result<Split> split(std::string_view bytes) {
  std::size_t at = 0;
  while (at <= kHeadBytesMax) {
    const std::size_t end = bytes.find('\n', at);
    if (end == std::string_view::npos) {
      // Which of the two it is depends on how much is there.
      if (bytes.size() > kHeadBytesMax) break;
      return fail(ErrorKind::invalid_input,
                  "reading a CGI response: no empty line ends its headers; print one before the "
                  "body");
    }
    const std::string_view line = bytes.substr(at, end - at);
    if (line.empty() || line == "\r") {
      return Split{bytes.substr(0, at), end + 1};
    }
    at = end + 1;
  }
  return fail(ErrorKind::limit_exceeded, "reading a CGI response: its headers exceed {} bytes",
              kHeadBytesMax);
}

Result<Header> parse_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    return fail(ErrorKind::invalid_input,
                "reading a CGI response: '{}' is no header; print 'Content-Type: ...' and an empty "
                "line first",
                shown(line));
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = without_outer_blanks(line.substr(colon + 1));
  if (!is_header_name(name)) {
    return fail(ErrorKind::invalid_input, "reading a CGI response: '{}' is no header name",
                shown(name));
  }
  if (!is_header_value(value)) {
    return fail(ErrorKind::invalid_input,
                "reading a CGI response: header {} has a control character in its value",
                shown(name));
  }
  return Header{std::string(name), std::string(value)};
}

const Header* find(const std::vector<Header>& headers, std::string_view name) {
  const auto found = std::find_if(headers.begin(), headers.end(), [name](const Header& header) {
    return same_header_name(header.name, name);
  });
  return found == headers.end() ? nullptr : &*found;
}

Result<void> check_not_repeated(const Head& head, std::string_view name) {
  const bool repeated =
      same_header_name(name, "Status")
          ? head.status.has_value()
          : (same_header_name(name, "Location") || same_header_name(name, "Content-Type")) &&
                find(head.headers, name) != nullptr;
  if (repeated) {
    return fail(ErrorKind::invalid_input, "reading a CGI response: {} is there twice", shown(name));
  }
  return {};
}

Result<Head> parse_head(std::string_view lines) {
  Head head;
  std::size_t count = 0;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (++count > kHeadersMax) {
      return fail(ErrorKind::limit_exceeded, "reading a CGI response: more than {} headers",
                  kHeadersMax);
    }
    Header header = NUR_TRY(parse_line(line));
    NUR_TRY(check_not_repeated(head, header.name));
    if (same_header_name(header.name, "Status")) {
      head.status = NUR_TRY(parse_status(header.value));
    } else if (same_header_name(header.name, "Content-Length")) {
      head.length = parse_length(header.value);
    } else if (!is_the_hosts(header.name)) {
      head.headers.push_back(std::move(header));
    }
  }
  return head;
}

}  // namespace

bool has_cgi_head(std::string_view stdout_bytes) {
  return stdout_bytes.starts_with('\n') || stdout_bytes.starts_with("\r\n") ||
         stdout_bytes.find("\n\n") != std::string_view::npos ||
         stdout_bytes.find("\n\r\n") != std::string_view::npos;
}

Result<Response> parse_cgi_response(std::string stdout_bytes) {
  CgiBeginning whole = NUR_TRY(parse_cgi_beginning(std::move(stdout_bytes)));
  return std::move(whole.response);
}

Result<CgiBeginning> parse_cgi_beginning(std::string stdout_bytes) {
  const Split parts = NUR_TRY(split(stdout_bytes));
  Head head = NUR_TRY(parse_head(parts.lines));

  const Header* const location = find(head.headers, "Location");
  if (!head.status && location == nullptr && find(head.headers, "Content-Type") == nullptr) {
    return fail(ErrorKind::invalid_input,
                "reading a CGI response: neither Content-Type nor Location nor Status is there");
  }
  if (location != nullptr && location->value.empty()) {
    return fail(ErrorKind::invalid_input, "reading a CGI response: Location is empty");
  }

  Response response;
  response.status = head.status ? head.status->code : location != nullptr ? 302 : 200;
  if (head.status) response.reason = std::move(head.status->reason);
  response.headers = std::move(head.headers);
  const bool has_body = response.status != 204 && response.status != 304;
  if (has_body) {
    stdout_bytes.erase(0, parts.body_at);
    response.body = std::move(stdout_bytes);
  }
  return CgiBeginning{std::move(response), head.length};
}

}  // namespace nur
