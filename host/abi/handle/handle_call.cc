#include "host/abi/handle/handle_call.h"

#include <utility>

#include "base/units.h"
#include "host/net/http_response.h"

namespace nur {

std::expected<std::optional<Invocation::Call>, nur_trap> HandleCall::next_call(const GuestMemory&) {
  const std::optional<std::uint32_t> initialize = setting_.entries.initialize();
  const std::uint32_t step = calls_begun_++ + (initialize ? 0 : 1);
  if (step > 1) return std::nullopt;
  return Call{step == 0 ? *initialize : setting_.entry, std::span(&unused_, 1)};
}

HostReply HandleCall::refuse(std::string reason) {
  refused_ = std::move(reason);
  return HostReply::trap(NUR_TRAP_HOST);
}

HostReply HandleCall::set_status(std::uint32_t status, std::string_view reason) {
  if (reason.size() > kResponseHeadBytesMax) {
    return refuse(fmt::format("the function set a reason of more than {}",
                              format_size(kResponseHeadBytesMax)));
  }
  response_.status = static_cast<std::uint16_t>(status);
  response_.reason = reason;
  return HostReply::resume();
}

HostReply HandleCall::add_header(std::string_view name, std::string_view value) {
  if (response_.headers.size() >= kResponseHeadersMax) {
    return refuse(fmt::format("the function set more than {} headers", kResponseHeadersMax));
  }
  if (name.size() + value.size() > kResponseHeadBytesMax - head_bytes_) {
    return refuse(fmt::format("the function set headers of more than {}",
                              format_size(kResponseHeadBytesMax)));
  }
  head_bytes_ += name.size() + value.size();
  response_.headers.push_back({std::string(name), std::string(value)});
  return HostReply::resume();
}

HostReply HandleCall::set_body(std::string_view bytes) {
  if (bytes.size() > setting_.output_bytes_max) {
    return refuse(
        fmt::format("the function sent more than {}", format_size(setting_.output_bytes_max)));
  }
  response_.body = bytes;
  return HostReply::resume();
}

}  // namespace nur
