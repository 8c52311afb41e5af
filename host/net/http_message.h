// Requests and responses between the HTTP front and whoever answers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nur {

// One field of a head; the views point into it.
struct FieldView {
  std::string_view name;   // as it was sent
  std::string_view value;  // without surrounding white space
};

// One whole request; framing is over and checked. Its views point into its head, so that a request
// costs one string however many headers it has.
struct Request {
  std::string_view method;
  std::string_view target;  // as it was sent: "/hello/a%20b?x=1"
  std::string_view path;    // of the target, not decoded: "/hello/a%20b"
  std::string_view query;   // behind the '?', not decoded; empty when there is none
  int version_minor = 1;    // HTTP/1.x
  std::vector<FieldView> headers;
  std::string head;  // request line and headers exactly as they came, with the final empty line
  std::string body;  // chunked coding already taken off
  bool chunked = false;
  std::string client;  // "127.0.0.1"
  std::uint16_t client_port = 0;
  std::string server;  // address the connection was accepted on
  std::uint16_t server_port = 0;

  // First header of that name, case-insensitively; nullptr when there is none.
  [[nodiscard]] const std::string_view* header(std::string_view name) const;
};

struct Header {
  std::string name;
  std::string value;
};

struct Response {
  int status = 200;
  std::string reason;           // empty: the standard phrase
  std::vector<Header> headers;  // without framing: the front adds Content-Length, Connection, Date
  std::string body;
};

// The standard reason phrase (RFC 9110 section 15), "Unknown" for others.
std::string_view reason_phrase(int status);

// Plain-text response "404 Not Found: no function ...\n" for what the host itself has to say.
Response host_response(int status, std::string_view detail);

bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace nur
