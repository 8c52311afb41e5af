// path_open: a new descriptor, with no more rights than its directory hands down.
#include <cstdint>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <utility>

#include "host/abi/wasi/calls.h"
#include "host/abi/wasi/file_status.h"
#include "host/abi/wasi/guest_access.h"
#include "host/abi/wasi/paths.h"

namespace nur::wasi {

namespace {

// Permissions of new files, less the umask.
constexpr mode_t kNewFileMode = 0666;

// What the directory itself must allow.
Rights rights_needed(std::uint32_t oflags) {
  Rights needed = right::path_open;
  if ((oflags & open_flag::create) != 0) needed |= right::path_create_file;
  // Writes, whatever the new descriptor may do.
  if ((oflags & open_flag::truncate) != 0) needed |= right::path_filestat_set_size;
  return needed;
}

int host_flags(std::uint32_t lookup, std::uint32_t oflags, Rights base) {
  const bool reads = (base & (right::fd_read | right::fd_readdir)) != 0;
  const bool writes =
      (base & (right::fd_write | right::fd_allocate | right::fd_filestat_set_size)) != 0;
  // Never waits for the other end of a pipe, never gives this process a terminal. For files and
  // directories, all that is let through, non-blocking changes nothing.
  int flags = O_NONBLOCK | O_NOCTTY;
  if ((oflags & open_flag::directory) != 0) {
    flags |= O_RDONLY | O_DIRECTORY;
  } else if (writes) {
    flags |= reads ? O_RDWR : O_WRONLY;
  } else {
    flags |= O_RDONLY;
  }
  if ((lookup & kLookupSymlinkFollow) == 0) flags |= O_NOFOLLOW;
  if ((oflags & open_flag::create) != 0) flags |= O_CREAT;
  if ((oflags & open_flag::exclusive) != 0) flags |= O_EXCL;
  if ((oflags & open_flag::truncate) != 0) flags |= O_TRUNC;
  return flags;
}

}  // namespace

Done path_open(WasiProcess& process, const GuestMemory& memory, GuestFd fd, std::uint32_t lookup,
               Pointer path, Size path_len, std::uint32_t oflags, Rights base, Rights inheriting,
               std::uint32_t fdflags, Pointer opened) {
  const OpenFile* const directory =
      NUR_TRY(process.files().find_directory(fd, rights_needed(oflags)));
  NUR_TRY(check_room<GuestFd>(memory, opened));
  const std::string wanted = NUR_TRY(guest_path(memory, path, path_len));
  if ((lookup & ~kLookupSymlinkFollow) != 0 || (oflags & ~open_flag::all) != 0 ||
      (fdflags & ~std::uint32_t{fd_flag::all}) != 0) {
    return refuse(Errno::inval);
  }
  const bool creates = (oflags & open_flag::create) != 0;
  const bool truncates = (oflags & open_flag::truncate) != 0;
  if ((oflags & open_flag::directory) != 0 && (creates || truncates)) return refuse(Errno::inval);

  // Reading and writing are what a guest opens a file for: without them it had better hear now.
  // C libraries ask for all other rights on every open; those it just does not get.
  constexpr Rights kAccess = right::fd_read | right::fd_write;
  const bool only_directory = (oflags & open_flag::directory) != 0;
  if (!only_directory && (base & kAccess & ~directory->inheriting) != 0) {
    return refuse(Errno::notcapable);
  }
  base &= directory->inheriting;
  inheriting &= directory->inheriting;
  NUR_TRY(process.files().check_room());  // before a file is made that nobody could use

  Fd host = NUR_TRY(
      open_beneath(directory->host->get(), wanted, host_flags(lookup, oflags, base), kNewFileMode));
  struct stat status;
  if (status_of(host.get(), status) != 0) return refuse_by_host();

  OpenFile file;
  file.type = file_type_of(status.st_mode);
  file.flags = static_cast<std::uint16_t>(fdflags);
  if (file.type == FileType::directory) {
    file.base = base & right::of_directory;
    file.inheriting = inheriting;
  } else if (file.type == FileType::regular_file) {
    file.base = base & right::of_file;
  } else {
    // Reading a pipe or a device could block the thread, and with it every other guest.
    return refuse(Errno::notsup);
  }
  file.host = std::make_shared<const Fd>(std::move(host));
  const std::uint32_t number = NUR_TRY(process.files().insert(std::move(file)));
  return write_guest(memory, opened, number);
}

}  // namespace nur::wasi
