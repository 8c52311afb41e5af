// A guest without code: a memory, a WasiProcess, and calls by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/file.h"
#include "host/abi/wasi/process.h"
#include "host/abi/wasi/types.h"
#include "host/sandbox/guest_memory.h"
#include "host/sandbox/host_function.h"
#include "host/sandbox/memory_slot.h"

namespace nur {

// One line of imports.def about preview 1.
struct WasiSignature {
  std::string_view name;
  std::string_view parameters;  // 'i' or 'I' each
  std::string_view results;
};

std::span<const WasiSignature> wasi_signatures();

class FakeGuest {
 public:
  explicit FakeGuest(WasiOptions options = {});

  // Puts bytes into memory, or leaves room; the address. Memory starts over when it is full.
  std::uint32_t put(std::string_view bytes);
  std::uint32_t room(std::uint32_t bytes);
  template <class T>
  std::uint32_t put_value(const T& value) {
    return put({reinterpret_cast<const char*>(&value), sizeof(T)});
  }
  // One vector that names those bytes.
  std::uint32_t put_vector(std::uint32_t address, std::uint32_t bytes) {
    return put_value(wasi::Vector{address, bytes});
  }

  [[nodiscard]] std::string text(std::uint32_t address, std::uint32_t bytes) const;
  template <class T>
  [[nodiscard]] T value(std::uint32_t address) const {
    return memory().read<T>(address).value();
  }

  // Calls preview 1's `name`. What it answers beside the errno is in last_reply().
  wasi::Errno call(std::string_view name, std::initializer_list<std::uint64_t> parameters);
  wasi::Errno call(std::string_view name, std::span<const std::uint64_t> parameters);
  [[nodiscard]] HostReply last_reply() const { return last_reply_; }

  // Shorthands over call(), for tests that are about something else.
  wasi::Errno write(std::uint32_t fd, std::string_view bytes);
  // Up to `bytes_max` bytes; empty on errors too.
  std::string read(std::uint32_t fd, std::uint32_t bytes_max = 4096);
  struct Opened {
    wasi::Errno error;
    std::uint32_t fd;
  };
  Opened open(std::uint32_t directory, std::string_view path, std::uint32_t oflags = 0,
              wasi::Rights base = ~wasi::Rights{0}, std::uint32_t lookup = 1,
              std::uint32_t fdflags = 0);
  // path_create_directory, path_unlink_file, path_remove_directory.
  wasi::Errno on_path(std::string_view name, std::uint32_t directory, std::string_view path);
  wasi::Errno stat(std::uint32_t directory, std::string_view path, std::uint32_t lookup = 0,
                   wasi::FileStat* result = nullptr);
  wasi::Errno symlink(std::string_view target, std::uint32_t directory, std::string_view path);
  wasi::Errno link(std::uint32_t from, std::string_view old_path, std::uint32_t to,
                   std::string_view new_path, std::uint32_t lookup = 0);
  wasi::Errno rename(std::uint32_t from, std::string_view old_path, std::uint32_t to,
                     std::string_view new_path);
  // The target, or the error.
  wasi::WasiResult<std::string> readlink(std::uint32_t directory, std::string_view path);
  // Names in a directory, without "." and "..", sorted.
  std::vector<std::string> list(std::uint32_t directory);

  [[nodiscard]] GuestMemory memory() const { return {slot_.memory(), kMemoryBytes, &barrier_}; }
  [[nodiscard]] WasiProcess& process() { return *process_; }

  static constexpr std::uint32_t kMemoryBytes = 1u << 20;

 private:
  // Protected as an instance's is: a host function that writes without asking dies of it.
  MemorySlot slot_;
  mutable WriteBarrier barrier_;
  std::uint32_t next_ = 64;
  std::optional<WasiProcess> process_;
  HostReply last_reply_;
};

// Two folders beside each other: what guests get, and what they must not reach.
//
//   top/inside/    preopened writable as descriptor 3
//   top/readonly/  preopened read-only as descriptor 4
//   top/outside/   secret.txt
class WithFolders : public testing::Test {
 protected:
  WithFolders();

  [[nodiscard]] Path inside(std::string_view name = "") const {
    return top_.path() / "inside" / name;
  }
  [[nodiscard]] Path readonly(std::string_view name = "") const {
    return top_.path() / "readonly" / name;
  }
  [[nodiscard]] Path outside(std::string_view name = "") const {
    return top_.path() / "outside" / name;
  }
  // Options with both directories.
  [[nodiscard]] WasiOptions with_directories() const;

  static constexpr std::uint32_t kInside = 3;
  static constexpr std::uint32_t kReadonly = 4;
  static constexpr std::string_view kSecret = "the secret";

  ScratchDir top_;
};

void write_text(const Path& path, std::string_view text);
std::string read_text(const Path& path);

}  // namespace nur

// So that gtest prints numbers of typenames.witx.
namespace nur::wasi {
inline void PrintTo(Errno reason, std::ostream* out) { *out << static_cast<int>(reason); }
}  // namespace nur::wasi
