// Connections to elsewhere. What takes time parks the guest; others are served meanwhile.
#include <array>
#include <cstring>

#include "host/abi/handle/calls.h"
#include "host/abi/handle/tcp_sockets.h"

namespace nur::handle {
namespace {

std::int32_t number_in(const nur_value* values) { return static_cast<std::int32_t>(values[0].i32); }

}  // namespace

HostReply tcp_connect(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  const auto address = text_at(memory, values, 0);
  if (!address) return outside();
  TcpSockets* const sockets = call.sockets();
  if (sockets == nullptr) return answer(values, number_of(Failure::denied));
  const std::optional<std::int32_t> result = sockets->connect(*address);
  return result ? answer(values, *result) : HostReply::wait(sockets->connect_deadline());
}

HostReply tcp_read(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  const std::uint32_t address = values[1].i32;
  const std::uint64_t size = values[2].i64;
  if (size > 0 && !memory.range(address, size)) return outside();
  TcpSockets* const sockets = call.sockets();
  if (sockets == nullptr) return answer_long(values, number_of(Failure::absent));
  // What comes may be far less than the guest has room for; only that shall become its to restore.
  std::array<char, TcpSockets::kTransferBytesMax> buffer;
  const std::size_t wanted = std::min<std::uint64_t>(size, buffer.size());
  const std::optional<std::int64_t> got =
      sockets->read(number_in(values), std::span(buffer).first(wanted));
  if (!got) return HostReply::wait();
  if (*got > 0) {
    const auto bytes = static_cast<std::size_t>(*got);
    const auto place = memory.writable(address, bytes);
    if (!place) return HostReply::trap(NUR_TRAP_HOST);
    std::memcpy(place->data(), buffer.data(), bytes);
  }
  return answer_long(values, *got);
}

HostReply tcp_write(HandleCall& call, const GuestMemory& memory, nur_value* values) {
  const auto bytes = text_at(memory, values, 1);
  if (!bytes) return outside();
  TcpSockets* const sockets = call.sockets();
  if (sockets == nullptr) return answer_long(values, number_of(Failure::absent));
  const std::optional<std::int64_t> result = sockets->write(number_in(values), *bytes);
  return result ? answer_long(values, *result) : HostReply::wait();
}

HostReply tcp_close(HandleCall& call, const GuestMemory&, nur_value* values) {
  TcpSockets* const sockets = call.sockets();
  const bool closed = sockets != nullptr && sockets->close(number_in(values));
  return answer(values, closed ? 0 : number_of(Failure::argument));
}

}  // namespace nur::handle
