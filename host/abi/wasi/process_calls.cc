// What a guest can ask about its own process, and how it ends.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "host/abi/wasi/calls.h"
#include "host/abi/wasi/guest_access.h"

namespace nur::wasi {

namespace {

// About 10 ms of getrandom; a guest that wants more asks again.
constexpr std::uint32_t kRandomBytesMax = 4u << 20;

std::size_t bytes_of(const std::vector<std::string>& strings) {
  std::size_t total = 0;
  for (const std::string& text : strings) total += text.size() + 1;
  return total;
}

Done put_sizes(const GuestMemory& memory, const std::vector<std::string>& strings, Pointer count,
               Pointer bytes) {
  NUR_TRY(check_room<Size>(memory, count));
  NUR_TRY(check_room<Size>(memory, bytes));
  // WasiProcess::create has capped the sum far below 4 GiB.
  NUR_TRY(write_guest(memory, count, static_cast<Size>(strings.size())));
  return write_guest(memory, bytes, static_cast<Size>(bytes_of(strings)));
}

// A table of pointers at `table`, the strings with their NULs at `buffer`.
Done put_strings(const GuestMemory& memory, const std::vector<std::string>& strings, Pointer table,
                 Pointer buffer) {
  const auto pointers_place =
      NUR_TRY(guest_range(memory, table, std::uint64_t{strings.size()} * sizeof(Pointer)));
  const auto bytes_place = NUR_TRY(guest_range(memory, buffer, bytes_of(strings)));
  // In two pieces: most programs ask for all of their environment when they begin.
  std::string pointers;
  std::string bytes;
  pointers.reserve(pointers_place.size());
  bytes.reserve(bytes_place.size());
  for (const std::string& text : strings) {
    const Pointer at = buffer + static_cast<Pointer>(bytes.size());
    pointers.append(reinterpret_cast<const char*>(&at), sizeof at);
    bytes.append(text.c_str(), text.size() + 1);
  }
  NUR_TRY(copy_to_guest(memory, pointers_place, pointers));
  return copy_to_guest(memory, bytes_place, bytes);
}

}  // namespace

Done args_get(WasiProcess& process, const GuestMemory& memory, Pointer argv, Pointer argv_buf) {
  return put_strings(memory, process.arguments(), argv, argv_buf);
}

Done args_sizes_get(WasiProcess& process, const GuestMemory& memory, Pointer count,
                    Pointer buf_size) {
  return put_sizes(memory, process.arguments(), count, buf_size);
}

Done environ_get(WasiProcess& process, const GuestMemory& memory, Pointer environ,
                 Pointer environ_buf) {
  return put_strings(memory, process.environment(), environ, environ_buf);
}

Done environ_sizes_get(WasiProcess& process, const GuestMemory& memory, Pointer count,
                       Pointer buf_size) {
  return put_sizes(memory, process.environment(), count, buf_size);
}

HostReply proc_exit(WasiProcess&, const GuestMemory&, std::uint32_t status) {
  return HostReply::exit(status);
}

Done proc_raise(WasiProcess&, const GuestMemory&, std::uint32_t) { return refuse(Errno::notsup); }

Done random_get(WasiProcess& process, const GuestMemory& memory, Pointer buf, Size buf_len) {
  std::span<const std::byte> wanted = NUR_TRY(guest_range(memory, buf, buf_len));
  if (buf_len > kRandomBytesMax) return refuse(Errno::inval);
  std::array<char, 4096> chunk;
  while (!wanted.empty()) {
    const std::size_t part = std::min(wanted.size(), chunk.size());
    if (!process.random().fill(std::as_writable_bytes(std::span(chunk)).first(part)))
      return refuse(Errno::io);
    NUR_TRY(copy_to_guest(memory, wanted, {chunk.data(), part}));
    wanted = wanted.subspan(part);
  }
  return {};
}

Done sched_yield(WasiProcess&, const GuestMemory&) { return {}; }

}  // namespace nur::wasi
