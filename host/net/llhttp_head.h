// A head as llhttp reads it, in its strict mode: views of its parts, in one pass.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "host/net/http_head.h"

namespace nur {

// Fills in target (of a request), status (of a response) and fields of `head`, which is whole.
// Values have the blanks around them that llhttp leaves there. Returns why it is refused, if it is.
std::optional<std::string> read_request_with_llhttp(std::string_view head, HeadView& view);
std::optional<std::string> read_response_with_llhttp(std::string_view head, HeadView& view);

// Whether llhttp knows a method of that name.
bool is_method_of_llhttp(std::string_view method);

}  // namespace nur
