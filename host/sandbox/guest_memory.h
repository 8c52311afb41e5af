// A guest's linear memory as host calls see it: every access is checked, none can fault.
//
// Pointers and lengths of guests are hostile numbers. A range is either wholly inside the memory or
// nullopt; 64-bit arithmetic, so nothing wraps. Spans stay valid until the guest runs again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace nur {

class GuestMemory {
 public:
  GuestMemory(std::byte* base, std::uint64_t bytes) : base_(base), bytes_(bytes) {}

  [[nodiscard]] std::uint64_t size() const { return bytes_; }

  [[nodiscard]] std::optional<std::span<std::byte>> range(std::uint32_t address,
                                                          std::uint64_t bytes) const {
    if (bytes > bytes_ || address > bytes_ - bytes) return std::nullopt;
    return std::span(base_ + address, bytes);
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
    const auto found = range(address, sizeof(T));
    if (!found) return false;
    std::memcpy(found->data(), &value, sizeof(T));
    return true;
  }

 private:
  std::byte* base_;
  std::uint64_t bytes_;
};

}  // namespace nur
