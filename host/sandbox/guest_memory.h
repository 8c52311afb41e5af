// A guest's linear memory as host calls see it: every access is checked, none can fault.
//
// Pointers and lengths of guests are hostile numbers. A range is either wholly inside the memory or
// nullopt; 64-bit arithmetic, so nothing wraps. Spans stay valid until the guest runs again.
//
// Pages may be write-protected until somebody writes them (write_barrier.h), so a host function
// asks for what it writes by writable(), or copies in with write(); nothing else gives a place that
// can be written. What is asked for is restored after every request from then on: ask for what will
// be written, not for all the room that the guest offers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "host/sandbox/write_barrier.h"

namespace nur {

class GuestMemory {
 public:
  // Without a barrier every byte can be written as it is.
  GuestMemory(std::byte* base, std::uint64_t bytes, WriteBarrier* barrier = nullptr)
      : base_(base), bytes_(bytes), barrier_(barrier) {}

  [[nodiscard]] std::uint64_t size() const { return bytes_; }

  // To read from.
  [[nodiscard]] std::optional<std::span<const std::byte>> range(std::uint32_t address,
                                                                std::uint64_t bytes) const {
    if (bytes > bytes_ || address > bytes_ - bytes) return std::nullopt;
    return std::span<const std::byte>(base_ + address, bytes);
  }

  // To write to; nullopt also when the kernel has no mapping left to make it writable.
  [[nodiscard]] std::optional<std::span<std::byte>> writable(std::uint32_t address,
                                                             std::uint64_t bytes) const {
    if (!range(address, bytes)) return std::nullopt;
    if (barrier_ != nullptr && !barrier_->admit(base_ + address, bytes)) return std::nullopt;
    return std::span(base_ + address, bytes);
  }
  // Of a range that was checked.
  [[nodiscard]] std::optional<std::span<std::byte>> writable(
      std::span<const std::byte> found) const {
    if (found.empty()) return std::span<std::byte>();
    return writable(static_cast<std::uint32_t>(found.data() - base_), found.size());
  }

  [[nodiscard]] std::optional<std::string_view> text(std::uint32_t address,
                                                     std::uint64_t bytes) const {
    const auto found = range(address, bytes);
    if (!found) return std::nullopt;
    return std::string_view(reinterpret_cast<const char*>(found->data()), found->size());
  }

  // A little-endian value at any alignment.
  template <class T>
  requires std::is_trivially_copyable_v<T>
  [[nodiscard]] std::optional<T> read(std::uint32_t address) const {
    const auto found = range(address, sizeof(T));
    if (!found) return std::nullopt;
    T value;
    std::memcpy(&value, found->data(), sizeof(T));
    return value;
  }

  // False when it does not fit; nothing is written then.
  template <class T>
  requires std::is_trivially_copyable_v<T>
  [[nodiscard]] bool write(std::uint32_t address, const T& value) const {
    const auto found = writable(address, sizeof(T));
    if (!found) return false;
    std::memcpy(found->data(), &value, sizeof(T));
    return true;
  }

 private:
  std::byte* base_;
  std::uint64_t bytes_;
  WriteBarrier* barrier_;
};

}  // namespace nur
