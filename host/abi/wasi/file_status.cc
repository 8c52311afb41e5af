#include "host/abi/wasi/file_status.h"

#include <algorithm>
#include <sys/syscall.h>
#include <unistd.h>

namespace nur::wasi {

namespace {

constexpr std::uint64_t kNsPerS = 1'000'000'000;

// Times before 1970 have no word in preview 1.
std::uint64_t nanoseconds_of(const timespec& time) {
  if (time.tv_sec < 0) return 0;
  return static_cast<std::uint64_t>(time.tv_sec) * kNsPerS +
         static_cast<std::uint64_t>(time.tv_nsec);
}

timespec time_of(std::uint64_t ns, bool given, bool now) {
  if (now) return {0, UTIME_NOW};
  if (!given) return {0, UTIME_OMIT};
  return {static_cast<time_t>(ns / kNsPerS), static_cast<long>(ns % kNsPerS)};
}

}  // namespace

int status_of(int fd, struct stat& status) {
  return static_cast<int>(::syscall(SYS_fstat, fd, &status));
}

FileStat file_stat_of(const struct stat& status) {
  FileStat result;
  result.device = status.st_dev;
  result.inode = status.st_ino;
  result.type = file_type_of(status.st_mode);
  result.links = status.st_nlink;
  result.size = static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0));
  result.access_ns = nanoseconds_of(status.st_atim);
  result.modification_ns = nanoseconds_of(status.st_mtim);
  result.change_ns = nanoseconds_of(status.st_ctim);
  return result;
}

WasiResult<std::array<timespec, 2>> times_of(std::uint64_t access_ns, std::uint64_t modification_ns,
                                             std::uint32_t flags) {
  if ((flags & ~time_flag::all) != 0) return refuse(Errno::inval);
  const bool access = (flags & time_flag::access) != 0;
  const bool access_now = (flags & time_flag::access_now) != 0;
  const bool modification = (flags & time_flag::modification) != 0;
  const bool modification_now = (flags & time_flag::modification_now) != 0;
  if ((access && access_now) || (modification && modification_now)) return refuse(Errno::inval);
  return std::array{time_of(access_ns, access, access_now),
                    time_of(modification_ns, modification, modification_now)};
}

}  // namespace nur::wasi
