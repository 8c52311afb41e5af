// One system call that reads files and one that writes them, wherever in the file: workers may make
// no other (host/process/system_calls.cc).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <sys/types.h>

namespace nur {

// From the file's position on, which moves.
inline constexpr std::int64_t kAtPosition = -1;

// What there is at `offset`, as pread(2), or read(2) with kAtPosition.
ssize_t read_some(int fd, std::span<char> into, std::int64_t offset);
// The same as pwrite(2) or write(2).
ssize_t write_some(int fd, std::string_view bytes, std::int64_t offset);

}  // namespace nur
