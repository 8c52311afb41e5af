#include "host/abi/cgi/environment.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include "host/abi/cgi/header_text.h"

namespace nur {

namespace {

constexpr std::size_t kOwnVariables = 19;  // beside those of headers

// "Accept-Language" -> "HTTP_ACCEPT_LANGUAGE"; nullopt for a name that could pass for another's.
std::optional<std::string> variable_of(std::string_view header) {
  std::string variable = "HTTP_";
  for (const char character : header) {
    if (character == '-') {
      variable += '_';
    } else if (is_letter_or_digit(character)) {
      variable += upper_case(character);
    } else {
      return std::nullopt;
    }
  }
  return variable;
}

bool is_handed_on(std::string_view variable) {
  constexpr std::string_view kLeftOut[] = {"HTTP_", "HTTP_PROXY", "HTTP_CONTENT_TYPE",
                                           "HTTP_CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"};
  return std::find(std::begin(kLeftOut), std::end(kLeftOut), variable) == std::end(kLeftOut);
}

std::string_view header_value(const Request& request, std::string_view name) {
  for (const FieldView& header : request.headers) {
    if (same_header_name(header.name, name)) return header.value;
  }
  return {};
}

std::optional<int> hex_digit(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return std::nullopt;
}

// What is no escape stays as it is, and so does "%00".
std::string percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const std::optional<int> high = hex_digit(text[i + 1]);
      const std::optional<int> low = hex_digit(text[i + 2]);
      if (high && low && (*high != 0 || *low != 0)) {
        decoded += static_cast<char>(*high * 16 + *low);
        i += 2;
        continue;
      }
    }
    decoded += text[i];
  }
  return decoded;
}

// The rest of the path when `script_name` is whole components at its start; else all of it.
std::string_view path_behind(std::string_view path, std::string_view script_name) {
  if (!path.starts_with(script_name)) return path;
  const std::string_view rest = path.substr(script_name.size());
  return rest.empty() || rest.front() == '/' ? rest : path;
}

// "example.org:8080" -> "example.org", "[::1]:8080" -> "[::1]".
std::string_view without_port(std::string_view authority) {
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos) return authority;
  if (bracket != std::string_view::npos && colon < bracket) return authority;
  return authority.substr(0, colon);
}

// As a Host header would have it: an IPv6 address in brackets.
std::string bracketed(const std::string& address) {
  return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

// In the order in which they first appear.
std::vector<std::pair<std::string, std::string>> header_variables(const Request& request) {
  std::vector<std::pair<std::string, std::string>> variables;
  for (const FieldView& header : request.headers) {
    std::optional<std::string> variable = variable_of(header.name);
    if (!variable || !is_handed_on(*variable)) continue;
    const auto same = std::find_if(variables.begin(), variables.end(),
                                   [&](const auto& known) { return known.first == *variable; });
    if (same == variables.end()) {
      variables.emplace_back(*std::move(variable), header.value);
    } else {
      same->second += same->first == "HTTP_COOKIE" ? "; " : ", ";
      same->second += header.value;
    }
  }
  return variables;
}

}  // namespace

std::vector<std::string> cgi_environment(const Request& request, const CgiOptions& options) {
  const std::string_view raw_path_info = path_behind(request.path, options.script_name);
  const bool is_behind = raw_path_info.size() != request.path.size() || options.script_name.empty();
  const std::string path_info = percent_decode(raw_path_info);

  const std::string_view host = header_value(request, "host");
  const std::string server_address = bracketed(request.server);
  const std::string server_port = std::to_string(request.server_port);
  const std::string authority =
      host.empty() ? server_address + ":" + server_port : std::string(host);
  const std::vector<std::pair<std::string, std::string>> of_headers = header_variables(request);

  std::string url = options.scheme + "://" + authority;
  url.append(request.path);
  if (!request.query.empty()) url.append(1, '?').append(request.query);

  std::vector<std::string> environment;
  environment.reserve(kOwnVariables + of_headers.size());
  // Of every request, so it is put together by hand.
  const auto set = [&environment](std::string_view name, std::string_view value) {
    // A header value cannot hold a NUL once parsed; a name or path set by an operator should not.
    value = value.substr(0, value.find('\0'));
    std::string& variable = environment.emplace_back();
    variable.reserve(name.size() + 1 + value.size());
    variable.append(name).append(1, '=').append(value);
  };
  set("AUTH_TYPE", "");
  set("CONTENT_LENGTH", options.content_length.value_or(std::to_string(request.body.size())));
  set("CONTENT_TYPE", header_value(request, "content-type"));
  set("GATEWAY_INTERFACE", "CGI/1.1");
  set("PATH_INFO", path_info);
  set("PATH_TRANSLATED", path_info);
  set("QUERY_STRING", request.query);
  set("REMOTE_ADDR", request.client);
  set("REMOTE_HOST", request.client);
  set("REMOTE_USER", "");
  set("REQUEST_METHOD", request.method);
  set("SCRIPT_NAME", is_behind ? options.script_name : "");
  set("SERVER_NAME", host.empty() ? server_address : without_port(host));
  set("SERVER_PORT", server_port);
  set("SERVER_PROTOCOL", request.version_minor == 0 ? "HTTP/1.0" : "HTTP/1.1");
  set("SERVER_SOFTWARE", options.server_software);
  set("X_FULL_URL", url);
  set("X_MATCHED_ROUTE", options.matched_route);
  set("X_RAW_PATH_INFO", raw_path_info);
  for (const auto& [name, value] : of_headers) set(name, value);
  return environment;
}

}  // namespace nur
