#include "host/net/http_response.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include <fmt/format.h>

#include "host/net/http_head.h"

namespace nur {
namespace {

// Fields that speak of this connection or of the message's framing (RFC 9110 section 7.6.1).
bool is_framing_field(std::string_view name) {
  const auto is = [name](std::string_view field) { return equal_ignoring_case(field, name); };
  switch (name.size()) {
    case 2:
      return is("te");
    case 7:
      return is("trailer") || is("upgrade");
    case 10:
      return is("connection") || is("keep-alive");
    case 14:
      return is("content-length");
    case 16:
      return is("proxy-connection");
    case 17:
      return is("transfer-encoding");
    default:
      return false;
  }
}

void append_number(std::string& out, std::size_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

}  // namespace

std::optional<std::string> find_defect(const Response& response) {
  if (response.status < 200 || response.status > 599) {
    return fmt::format("status {} is not between 200 and 599", response.status);
  }
  if (!is_field_value(response.reason)) return "the reason phrase has a control character";
  if (response.headers.size() > kResponseHeadersMax) {
    return fmt::format("more than {} headers", kResponseHeadersMax);
  }
  std::size_t bytes = response.reason.size();
  for (std::size_t i = 0; i < response.headers.size(); ++i) {
    const Header& header = response.headers[i];
    if (!is_token(header.name)) return fmt::format("the name of header {} is no token", i + 1);
    if (!is_field_value(header.value)) {
      return fmt::format("the value of header {} has a control character", header.name);
    }
    bytes += header.name.size() + header.value.size() + 4;
  }
  if (bytes > kResponseHeadBytesMax) {
    return fmt::format("the head is larger than {} bytes", kResponseHeadBytesMax);
  }
  return std::nullopt;
}

bool asks_to_close(const Response& response) {
  return std::ranges::any_of(response.headers, [](const Header& header) {
    return equal_ignoring_case(header.name, "connection") && list_contains(header.value, "close");
  });
}

bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

std::string_view ResponseWriter::date_line() {
  const std::time_t now = std::time(nullptr);
  if (now != date_of_) {
    date_of_ = now;
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    // Not strftime: its names of days and months are the locale's.
    constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    date_line_ = fmt::format("Date: {}, {:02} {} {} {:02}:{:02}:{:02} GMT\r\n",
                             kDays[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                             kMonths[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900,
                             parts.tm_hour, parts.tm_min, parts.tm_sec);
  }
  return date_line_;
}

void ResponseWriter::write_head(const Response& response, Framing framing, std::string& out) {
  if (response.status == 200 && response.reason.empty()) {
    out += "HTTP/1.1 200 OK\r\n";
  } else {
    out += "HTTP/1.1 ";
    append_number(out, static_cast<std::size_t>(response.status));
    out += ' ';
    out += response.reason.empty() ? reason_phrase(response.status)
                                   : std::string_view(response.reason);
    out += "\r\n";
  }
  bool has_date = false;
  for (const Header& header : response.headers) {
    if (is_framing_field(header.name)) continue;
    has_date = has_date || equal_ignoring_case(header.name, "date");
    out += header.name;
    out += ": ";
    out += header.value;
    out += "\r\n";
  }
  if (!has_date) out += date_line();
  if (!has_no_body(response.status) && framing.end != BodyEnd::close) {
    if (framing.end == BodyEnd::chunked) {
      out += "Transfer-Encoding: chunked\r\n";
    } else {
      out += "Content-Length: ";
      append_number(out, framing.end == BodyEnd::whole ? response.body.size() : framing.length);
      out += "\r\n";
    }
  }
  if (!framing.keep_alive) {
    out += "Connection: close\r\n";
  } else if (framing.version_minor == 0) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
}

}  // namespace nur
