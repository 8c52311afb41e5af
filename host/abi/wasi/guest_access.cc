#include "host/abi/wasi/guest_access.h"

#include <algorithm>
#include <cstring>

namespace nur::wasi {

WasiResult<Buffers> guest_buffers(const GuestMemory& memory, std::uint32_t address,
                                  std::uint32_t count) {
  if (count > kVectorsMax) return refuse(Errno::inval);
  const std::span<const std::byte> list =
      NUR_TRY(guest_range(memory, address, std::uint64_t{count} * sizeof(Vector)));

  Buffers buffers;
  buffers.reserve(count);
  std::size_t room = kTransferBytesMax;
  for (std::uint32_t i = 0; i < count; ++i) {
    Vector vector;
    std::memcpy(&vector, list.data() + std::size_t{i} * sizeof(Vector), sizeof(Vector));
    const std::span<const std::byte> buffer =
        NUR_TRY(guest_range(memory, vector.address, vector.bytes));
    const std::span<const std::byte> used = buffer.first(std::min(buffer.size(), room));
    room -= used.size();
    if (!used.empty()) buffers.push_back(used);
  }
  return buffers;
}

WasiResult<WritableBuffers> writable_buffers(const GuestMemory& memory, const Buffers& buffers,
                                             std::uint64_t bytes_max) {
  WritableBuffers places;
  for (const std::span<const std::byte> buffer : buffers) {
    const std::span<const std::byte> used = buffer.first(std::min(buffer.size(), bytes_max));
    if (used.empty()) continue;
    const auto place = memory.writable(used);
    if (!place) return refuse(Errno::nomem);
    places.push_back(*place);
    bytes_max -= used.size();
  }
  return places;
}

WasiResult<std::string> guest_path(const GuestMemory& memory, std::uint32_t address,
                                   std::uint32_t bytes) {
  const auto text = memory.text(address, bytes);
  if (!text) return refuse(Errno::fault);
  if (bytes >= kPathBytesMax) return refuse(Errno::nametoolong);
  if (text->find('\0') != std::string_view::npos) return refuse(Errno::inval);
  return std::string(*text);
}

}  // namespace nur::wasi
