// The table of values that the operator gives a function.
#include "host/abi/handle/calls.h"

namespace nur::handle {

HostReply env_get(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  const auto key = text_at(memory, values, 0);
  if (!key) return outside();
  const auto found = call.environment().find(*key);
  if (found == call.environment().end()) {
    return answer_long(values, number_of(Failure::absent));
  }
  return give_text(memory, values, 2, found->second);
}

}  // namespace nur::handle
