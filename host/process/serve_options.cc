#include "host/process/serve_options.h"

#include "base/log.h"
#include "host/net/socket_address.h"

namespace nur {

Result<TcpBinding> parse_tcp_binding(std::string_view text) {
  const std::size_t split = text.find('=');
  if (split == std::string_view::npos || split + 1 == text.size()) {
    return fail(ErrorKind::invalid_input, "{}: write ADDRESS:PORT=FUNCTION", printable(text, 200));
  }
  TcpBinding binding{.address = std::string(text.substr(0, split)),
                     .function = std::string(text.substr(split + 1))};
  NUR_TRY(in_context(parse_address(binding.address), printable(text, 200)));
  return binding;
}

}  // namespace nur
