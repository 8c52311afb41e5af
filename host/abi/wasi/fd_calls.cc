// Descriptors and what is known of them.
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <limits>
#include <unistd.h>

#include "host/abi/wasi/calls.h"
#include "host/abi/wasi/file_status.h"
#include "host/abi/wasi/guest_access.h"

namespace nur::wasi {

namespace {

constexpr std::uint64_t kOffsetMax = std::numeric_limits<std::int64_t>::max();

Done by_host(int returned) {
  if (returned != 0) return refuse_by_host();
  return {};
}

}  // namespace

Done fd_advise(WasiProcess& process, const GuestMemory&, GuestFd fd, std::uint64_t offset,
               std::uint64_t len, std::uint32_t advice) {
  constexpr std::uint32_t kAdviceLast = 5;  // noreuse
  NUR_TRY(process.files().find_regular(fd, right::fd_advise));
  if (advice > kAdviceLast) return refuse(Errno::inval);
  if (offset > kOffsetMax || len > kOffsetMax) return refuse(Errno::inval);
  // It changes no answer, so workers need no system call for it.
  return {};
}

Done fd_allocate(WasiProcess& process, const GuestMemory&, GuestFd fd, std::uint64_t offset,
                 std::uint64_t len) {
  const OpenFile* const file = NUR_TRY(process.files().find_regular(fd, right::fd_allocate));
  if (len == 0) return refuse(Errno::inval);
  if (offset > kOffsetMax || len > kOffsetMax - offset) return refuse(Errno::fbig);
  return by_host(
      ::fallocate(file->host->get(), 0, static_cast<off_t>(offset), static_cast<off_t>(len)));
}

Done fd_close(WasiProcess& process, const GuestMemory&, GuestFd fd) {
  return process.files().close(fd);
}

Done fd_datasync(WasiProcess& process, const GuestMemory&, GuestFd fd) {
  const OpenFile* const file = NUR_TRY(process.files().find(fd));
  if (file->stream != nullptr) return refuse(Errno::inval);  // as fdatasync(2) of a pipe
  NUR_TRY(process.files().find(fd, right::fd_datasync));
  return by_host(::fdatasync(file->host->get()));
}

Done fd_fdstat_get(WasiProcess& process, const GuestMemory& memory, GuestFd fd, Pointer stat) {
  const OpenFile* const file = NUR_TRY(process.files().find(fd));
  FdStat result;
  result.type = file->type;
  result.flags = file->flags;
  result.base = file->base;
  result.inheriting = file->inheriting;
  return write_guest(memory, stat, result);
}

Done fd_fdstat_set_flags(WasiProcess& process, const GuestMemory&, GuestFd fd,
                         std::uint32_t flags) {
  OpenFile* const file = NUR_TRY(process.files().find(fd, right::fd_fdstat_set_flags));
  if ((flags & ~std::uint32_t{fd_flag::all}) != 0) return refuse(Errno::inval);
  file->flags = static_cast<std::uint16_t>(flags);
  return {};
}

Done fd_fdstat_set_rights(WasiProcess& process, const GuestMemory&, GuestFd fd, Rights base,
                          Rights inheriting) {
  OpenFile* const file = NUR_TRY(process.files().find(fd));
  if ((base & ~file->base) != 0 || (inheriting & ~file->inheriting) != 0) {
    return refuse(Errno::notcapable);
  }
  file->base = base;
  file->inheriting = inheriting;
  return {};
}

Done fd_filestat_get(WasiProcess& process, const GuestMemory& memory, GuestFd fd, Pointer stat) {
  const OpenFile* const file = NUR_TRY(process.files().find(fd, right::fd_filestat_get));
  FileStat result;
  if (file->stream != nullptr) {
    result.type = file->type;
    result.links = 1;
  } else {
    struct stat status;
    NUR_TRY(by_host(status_of(file->host->get(), status)));
    result = file_stat_of(status);
  }
  return write_guest(memory, stat, result);
}

Done fd_filestat_set_size(WasiProcess& process, const GuestMemory&, GuestFd fd,
                          std::uint64_t size) {
  const OpenFile* const file =
      NUR_TRY(process.files().find_regular(fd, right::fd_filestat_set_size));
  if (size > kOffsetMax) return refuse(Errno::fbig);
  return by_host(::ftruncate(file->host->get(), static_cast<off_t>(size)));
}

Done fd_filestat_set_times(WasiProcess& process, const GuestMemory&, GuestFd fd,
                           std::uint64_t access_ns, std::uint64_t modification_ns,
                           std::uint32_t flags) {
  const OpenFile* const file = NUR_TRY(process.files().find(fd, right::fd_filestat_set_times));
  const auto times = NUR_TRY(times_of(access_ns, modification_ns, flags));
  return by_host(::futimens(file->host->get(), times.data()));
}

Done fd_renumber(WasiProcess& process, const GuestMemory&, GuestFd from, GuestFd to) {
  return process.files().renumber(from, to);
}

Done fd_sync(WasiProcess& process, const GuestMemory&, GuestFd fd) {
  const OpenFile* const file = NUR_TRY(process.files().find(fd));
  if (file->stream != nullptr) return refuse(Errno::inval);  // as fsync(2) of a pipe
  NUR_TRY(process.files().find(fd, right::fd_sync));
  return by_host(::fsync(file->host->get()));
}

}  // namespace nur::wasi
