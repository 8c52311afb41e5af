// The table of what `env` offers. nurc has held the types against imports.def.
#include "host/abi/handle/functions.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <new>

#include "host/abi/handle/calls.h"

namespace nur {
namespace handle {

std::optional<std::string_view> text_at(const GuestMemory& memory, const nur_value* values,
                                        std::size_t at) {
  const std::uint64_t size = values[at + 1].i64;
  if (size == 0) return std::string_view();
  return memory.text(values[at].i32, size);
}

HostReply give_text(const GuestMemory& memory, nur_value* values, std::size_t at,
                    std::string_view text) {
  const std::uint32_t address = values[at].i32;
  const std::uint64_t room = values[at + 1].i64;
  if (room > 0 && !memory.range(address, room)) return outside();
  const std::size_t part = std::min<std::uint64_t>(room, text.size());
  if (part > 0) {
    const auto place = memory.writable(address, part);
    if (!place) return HostReply::trap(NUR_TRAP_HOST);
    std::memcpy(place->data(), text.data(), part);
  }
  return answer_long(values, static_cast<std::int64_t>(text.size()));
}

namespace {

struct Entry {
  std::string_view name;
  HostFunction function;
};

template <Function kFunction>
HostReply bound(void* context, const GuestMemory& memory, nur_value* values) {
  try {
    return kFunction(*static_cast<HandleCall*>(context), memory, values);
  } catch (const std::bad_alloc&) {
    // A host function never throws; what the guest asked for was too much for this machine now.
    return HostReply::trap(NUR_TRAP_HOST);
  }
}

constexpr Entry kEntries[] = {
    {"log", bound<log>},
    {"response_set_status_line", bound<response_set_status_line>},
    {"response_set_header", bound<response_set_header>},
    {"response_set_body", bound<response_set_body>},
    {"db_get", bound<env_get>},
    {"env_get", bound<env_get>},
    {"tcp_connect", bound<tcp_connect>},
    {"tcp_read", bound<tcp_read>},
    {"tcp_write", bound<tcp_write>},
    {"tcp_close", bound<tcp_close>},
    {"request_method", bound<request_method>},
    {"request_target", bound<request_target>},
    {"request_path", bound<request_path>},
    {"request_query", bound<request_query>},
    {"request_client", bound<request_client>},
    {"request_headers", bound<request_headers>},
    {"request_header", bound<request_header>},
    {"request_body", bound<request_body>},
    {"response_write", bound<response_write>},
    {"log_at", bound<log_at>},
    {"clock_wall", bound<clock_wall>},
    {"clock_monotonic", bound<clock_monotonic>},
    {"sleep", bound<handle::sleep>},
    {"random_bytes", bound<random_bytes>},
    {"kv_get", bound<kv_get>},
    {"kv_set", bound<kv_set>},
    {"kv_delete", bound<kv_delete>},
    {"kv_increment", bound<kv_increment>},
    {"kv_list", bound<kv_list>},
    {"http_open", bound<http_open>},
    {"http_status", bound<http_status>},
    {"http_header", bound<http_header>},
    {"http_headers", bound<http_headers>},
    {"http_read", bound<http_read>},
    {"http_close", bound<http_close>},
};

}  // namespace
}  // namespace handle

HostFunction find_handle_function(std::string_view name) {
  const auto* const found = std::ranges::find(handle::kEntries, name, &handle::Entry::name);
  return found == std::end(handle::kEntries) ? nullptr : found->function;
}

}  // namespace nur
