// Between the host's file status and times and the guest's.
#pragma once

#include <array>
#include <cstdint>
#include <sys/stat.h>

#include "host/abi/wasi/types.h"

namespace nur::wasi {

// fstat(2), always as that system call: the C library's function is another one, with a path, in
// some versions, and workers need no other (host/process/system_calls.cc).
int status_of(int fd, struct stat& status);

FileStat file_stat_of(const struct stat& status);

// Access and modification time for utimensat(2). Errors: inval for flags that contradict each other
// or are none.
WasiResult<std::array<timespec, 2>> times_of(std::uint64_t access_ns, std::uint64_t modification_ns,
                                             std::uint32_t flags);

}  // namespace nur::wasi
