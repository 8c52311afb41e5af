// Names that a guest's author chose: checked when read, escaped when printed.
#pragma once

#include <string>
#include <string_view>

namespace nur {

// Well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
bool is_utf8(std::string_view bytes);

// `name` for an error message: printable ASCII as it is, every other byte as \xNN, at most 80 bytes
// of it. A terminal or a log interprets nothing of what comes back.
std::string printable(std::string_view name);

}  // namespace nur
