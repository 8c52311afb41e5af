// What a guest answers with: the last status and body count, headers add up.
#include "host/abi/handle/calls.h"

namespace nur::handle {

HostReply response_set_status_line(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  const auto reason = text_at(memory, values, 1);
  return reason ? call.set_status(values[0].i32, *reason) : outside();
}

HostReply response_set_header(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  const auto name = text_at(memory, values, 0);
  const auto value = text_at(memory, values, 2);
  return name && value ? call.add_header(*name, *value) : outside();
}

HostReply response_set_body(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  const auto bytes = text_at(memory, values, 0);
  return bytes ? call.set_body(*bytes) : outside();
}

HostReply response_write(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  const auto bytes = text_at(memory, values, 0);
  if (!bytes) return outside();
  const std::optional<std::int64_t> written = call.write(*bytes);
  if (!written) return call.wait_for_room();
  return answer_long(values, *written);
}

}  // namespace nur::handle
