// Another reader of heads, for a second opinion: llhttp in its strict mode.
#pragma once

#include <optional>
#include <string_view>

#include "host/net/http_head.h"

namespace nur {

// What llhttp makes of a whole head; nullopt when it does not accept it. Of a request without its
// method, and with the fields' values as llhttp hands them out.
std::optional<HeadView> read_request_with_llhttp(std::string_view head);
std::optional<HeadView> read_response_with_llhttp(std::string_view head);

}  // namespace nur
