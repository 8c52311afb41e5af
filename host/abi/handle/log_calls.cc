// What a guest tells the host's log.
#include <algorithm>

#include "host/abi/handle/calls.h"

namespace nur::handle {

HostReply log(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  const auto text = text_at(memory, values, 0);
  if (!text) return outside();
  call.log(GuestLogLevel::info, *text);
  return HostReply::resume();
}

// A level that is none is the most talkative one.
HostReply log_at(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  const auto text = text_at(memory, values, 1);
  if (!text) return outside();
  constexpr auto kLast = static_cast<std::uint32_t>(GuestLogLevel::debug);
  call.log(static_cast<GuestLogLevel>(std::min(values[0].i32, kLast)), *text);
  return HostReply::resume();
}

}  // namespace nur::handle
