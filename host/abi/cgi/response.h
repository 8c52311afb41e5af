// What a CGI guest printed, as a response.
//
//   Status: 404 Not Found          optional; 200, or 302 with Location
//   Content-Type: text/plain       needed unless there is a Status or a Location
//                                  an empty line
//   no such page                   the body: every byte behind it
//
// RFC 3875 section 6, as WAGI has it. Lines end in LF or CRLF. Guests are not trusted with HTTP: a
// name or value that could break out of its line refuses the whole answer, and headers that frame
// the message or belong to the connection are the host's and are dropped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "host/net/http_message.h"

namespace nur {

// Location to another site and to a path of this one both become a redirect by the client; the host
// does not answer a path of its own instead. 204 and 304 lose their body.
// Errors: invalid_input (the caller answers 502) for no empty line, a line that is no header, a
// name or value with characters it must not have, a Status that is not 200 to 599, a repeated
// Status, Location or Content-Type, or none of the three; limit_exceeded for more than 100 headers
// or 32 KiB of them.
Result<Response> parse_cgi_response(std::string stdout_bytes);

// The same of an answer that is not whole: its head, and what there is of the body. `length` is
// what the head promises of the body, if it does.
struct CgiBeginning {
  Response response;
  std::optional<std::uint64_t> length;
};
Result<CgiBeginning> parse_cgi_beginning(std::string stdout_bytes);

// Whether the empty line behind the headers is there.
bool has_cgi_head(std::string_view stdout_bytes);

}  // namespace nur
