// What a guest tells the host's log.
#include "host/abi/handle/calls.h"

namespace nur::handle {

HostReply log(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  const auto text = text_at(memory, values, 0);
  if (!text) return outside();
  call.log(GuestLogLevel::info, *text);
  return HostReply::resume();
}

}  // namespace nur::handle
