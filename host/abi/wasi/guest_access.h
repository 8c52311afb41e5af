// Guest memory for WASI calls: what does not lie wholly inside it is the guest's EFAULT.
//
// The kernel never writes into guest memory: its pages may be write-protected until the host's own
// first write, and the kernel would answer EFAULT for them. What comes from the kernel goes through
// a buffer of ours; it may read guest memory directly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/abi/wasi/types.h"
#include "host/sandbox/guest_memory.h"

namespace nur::wasi {

// Vectors of one call, as Linux has it (IOV_MAX). More is EINVAL.
inline constexpr std::uint32_t kVectorsMax = 1024;

// Bytes moved by one call; the rest counts as not transferred, which every reader and writer must
// expect. Vectors may overlap, so without it 1,024 of them could ask for terabytes.
inline constexpr std::size_t kTransferBytesMax = std::size_t{16} << 20;

// Through which bytes pass from the kernel to the guest.
inline constexpr std::size_t kBounceBytes = std::size_t{64} << 10;

// PATH_MAX, with the final NUL.
inline constexpr std::uint32_t kPathBytesMax = 4096;

using Buffers = std::vector<std::span<const std::byte>>;
using WritableBuffers = std::vector<std::span<std::byte>>;

inline WasiResult<std::span<const std::byte>> guest_range(const GuestMemory& memory,
                                                          std::uint32_t address,
                                                          std::uint64_t bytes) {
  const auto found = memory.range(address, bytes);
  if (!found) return refuse(Errno::fault);
  return *found;
}

// Fills the start of `room`, a range of the guest that is at least as large. Nothing may be copied
// to nowhere: a guest without memory has only empty ranges.
inline WasiResult<void> copy_to_guest(const GuestMemory& memory, std::span<const std::byte> room,
                                      std::string_view bytes) {
  const auto place = memory.writable(room.first(bytes.size()));
  if (!place) return refuse(Errno::nomem);
  if (!bytes.empty()) std::memcpy(place->data(), bytes.data(), bytes.size());
  return {};
}

// Where a result will be written: checked before the call has any effect.
template <class T>
WasiResult<void> check_room(const GuestMemory& memory, std::uint32_t address) {
  if (!memory.range(address, sizeof(T))) return refuse(Errno::fault);
  return {};
}

template <class T>
WasiResult<void> write_guest(const GuestMemory& memory, std::uint32_t address, const T& value) {
  if (!memory.write(address, value)) return refuse(Errno::fault);
  return {};
}

// The buffers that `count` vectors at `address` name, cut to kTransferBytesMax in sum.
// Errors: inval for too many; fault.
WasiResult<Buffers> guest_buffers(const GuestMemory& memory, std::uint32_t address,
                                  std::uint32_t count);

// The same places, to be written: `bytes_max` in sum at most. Errors: nomem.
WasiResult<WritableBuffers> writable_buffers(const GuestMemory& memory, const Buffers& buffers,
                                             std::uint64_t bytes_max);

// A path as the guest wrote it. Bytes, as Linux has them; not required to be UTF-8.
// Errors: fault; nametoolong; inval for a NUL inside.
WasiResult<std::string> guest_path(const GuestMemory& memory, std::uint32_t address,
                                   std::uint32_t bytes);

}  // namespace nur::wasi
