// The host functions of `env`, by subject; functions.cc lists them by name.
//
// Parameters come in the values as imports.def has them: pointers are i32, sizes are i64. What the
// guest points to has to lie inside its memory, or it traps; every other error is a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "host/abi/handle/failure.h"
#include "host/abi/handle/handle_call.h"
#include "host/sandbox/host_function.h"

namespace nur::handle {

using Function = HostReply (*)(HandleCall& call, const GuestMemory& memory, nur_value* values);

inline HostReply answer(nur_value* values, std::int32_t result) {
  values[0].i32 = static_cast<std::uint32_t>(result);
  return HostReply::resume();
}
inline HostReply answer_long(nur_value* values, std::int64_t result) {
  values[0].i64 = static_cast<std::uint64_t>(result);
  return HostReply::resume();
}
inline HostReply outside() { return HostReply::trap(NUR_TRAP_OUT_OF_BOUNDS_MEMORY); }

// The bytes that a pointer in values[at] and a size in values[at + 1] mean; nullopt when they do
// not all lie inside the memory. No bytes lie anywhere.
std::optional<std::string_view> text_at(const GuestMemory& memory, const nur_value* values,
                                        std::size_t at);

// Writes as much of `text` as fits into the room that values[at] and values[at + 1] mean, and
// answers how long all of it is.
HostReply give_text(const GuestMemory& memory, nur_value* values, std::size_t at,
                    std::string_view text);

// response_calls.cc
HostReply response_set_status_line(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply response_set_header(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply response_set_body(HandleCall& call, const GuestMemory& memory, nur_value* values);

HostReply response_write(HandleCall& call, const GuestMemory& memory, nur_value* values);

// request_calls.cc
HostReply request_method(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply request_target(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply request_path(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply request_query(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply request_client(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply request_headers(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply request_header(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply request_body(HandleCall& call, const GuestMemory& memory, nur_value* values);

// log_calls.cc
HostReply log(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply log_at(HandleCall& call, const GuestMemory& memory, nur_value* values);

// time_calls.cc
HostReply clock_wall(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply clock_monotonic(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply sleep(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply random_bytes(HandleCall& call, const GuestMemory& memory, nur_value* values);

// kv_calls.cc
HostReply kv_get(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply kv_set(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply kv_delete(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply kv_increment(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply kv_list(HandleCall& call, const GuestMemory& memory, nur_value* values);

// http_calls.cc
HostReply http_open(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply http_status(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply http_header(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply http_headers(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply http_read(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply http_close(HandleCall& call, const GuestMemory& memory, nur_value* values);

// env_calls.cc
HostReply env_get(HandleCall& call, const GuestMemory& memory, nur_value* values);

// tcp_calls.cc
HostReply tcp_connect(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply tcp_read(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply tcp_write(HandleCall& call, const GuestMemory& memory, nur_value* values);
HostReply tcp_close(HandleCall& call, const GuestMemory& memory, nur_value* values);

}  // namespace nur::handle
