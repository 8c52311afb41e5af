// The request, and its body while it comes.
#include <algorithm>
#include <cstring>

#include "host/abi/handle/calls.h"

namespace nur::handle {
namespace {

// Of one request_body: a copy of this size is taken before it is known how much there is.
constexpr std::size_t kBodyPieceMax = std::size_t{64} << 10;

HostReply absent(nur_value* values) { return answer_long(values, number_of(Failure::absent)); }

template <class Text>
HostReply give(HandleCall& call, const GuestMemory& memory, nur_value* values, Text text) {
  const Request* const request = call.request();
  return request == nullptr ? absent(values) : give_text(memory, values, 0, text(*request));
}

}  // namespace

HostReply request_method(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  return give(call, memory, values, [](const Request& request) { return request.method; });
}

HostReply request_target(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  return give(call, memory, values, [](const Request& request) { return request.target; });
}

HostReply request_path(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  return give(call, memory, values, [](const Request& request) { return request.path; });
}

HostReply request_query(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  return give(call, memory, values, [](const Request& request) { return request.query; });
}

HostReply request_client(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  return give(call, memory, values, [](const Request& request) {
    const bool brackets = request.client.find(':') != std::string::npos;
    return fmt::format("{}{}{}:{}", brackets ? "[" : "", request.client, brackets ? "]" : "",
                       request.client_port);
  });
}

HostReply request_headers(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  return give(call, memory, values, [](const Request& request) {
    std::string lines;
    for (const FieldView& field : request.headers) {
      lines.append(field.name).append(": ").append(field.value).append("\r\n");
    }
    return lines;
  });
}

HostReply request_header(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  const auto name = text_at(memory, values, 0);
  if (!name) return outside();
  const Request* const request = call.request();
  if (request == nullptr) return absent(values);
  std::string joined;
  bool found = false;
  for (const FieldView& field : request->headers) {
    if (!equal_ignoring_case(field.name, *name)) continue;
    if (found) joined += ", ";
    joined += field.value;
    found = true;
  }
  return found ? give_text(memory, values, 2, joined) : absent(values);
}

HostReply request_body(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  const std::uint32_t address = values[0].i32;
  const std::uint64_t room = values[1].i64;
  if (room > 0 && !memory.range(address, room)) return outside();
  Exchange* const exchange = call.services().exchange;
  if (exchange == nullptr) return absent(values);
  if (exchange->client_gone()) return absent(values);
  // No more becomes the guest's to restore than there is.
  char piece[kBodyPieceMax];
  const std::size_t wanted = std::min<std::uint64_t>(room, sizeof piece);
  if (wanted == 0) return answer_long(values, 0);
  const std::optional<std::size_t> got = exchange->read_body(std::span(piece, wanted));
  if (!got) return call.wait_for_client();
  if (*got > 0) {
    const auto place = memory.writable(address, *got);
    if (!place) return HostReply::trap(NUR_TRAP_HOST);
    std::memcpy(place->data(), piece, *got);
  }
  return answer_long(values, static_cast<std::int64_t>(*got));
}

}  // namespace nur::handle
