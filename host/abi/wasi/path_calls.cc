// Calls that name an entry of a directory without opening it.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <span>
#include <string>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/abi/wasi/calls.h"
#include "host/abi/wasi/file_status.h"
#include "host/abi/wasi/guest_access.h"
#include "host/abi/wasi/paths.h"

namespace nur::wasi {

namespace {

// Permissions of new directories, less the umask.
constexpr mode_t kNewDirectoryMode = 0777;

Done by_host(int returned) {
  if (returned != 0) return refuse_by_host();
  return {};
}

// The object at a path, to ask about and not to read: O_PATH opens no device and no pipe.
WasiResult<Fd> open_to_ask(int directory, const std::string& path, std::uint32_t lookup) {
  if ((lookup & ~kLookupSymlinkFollow) != 0) return refuse(Errno::inval);
  const bool follows = (lookup & kLookupSymlinkFollow) != 0;
  return open_beneath(directory, path, O_PATH | (follows ? 0 : O_NOFOLLOW));
}

}  // namespace

Done path_create_directory(WasiProcess& process, const GuestMemory& memory, GuestFd fd,
                           Pointer path, Size path_len) {
  const OpenFile* const directory =
      NUR_TRY(process.files().find_directory(fd, right::path_create_directory));
  const std::string wanted = NUR_TRY(guest_path(memory, path, path_len));
  const LastComponent last = NUR_TRY(open_parent(directory->host->get(), wanted));
  return by_host(::mkdirat(last.parent.get(), last.name_with_slash().c_str(), kNewDirectoryMode));
}

Done path_filestat_get(WasiProcess& process, const GuestMemory& memory, GuestFd fd,
                       std::uint32_t lookup, Pointer path, Size path_len, Pointer stat) {
  const OpenFile* const directory =
      NUR_TRY(process.files().find_directory(fd, right::path_filestat_get));
  NUR_TRY(check_room<FileStat>(memory, stat));
  const std::string wanted = NUR_TRY(guest_path(memory, path, path_len));
  const Fd found = NUR_TRY(open_to_ask(directory->host->get(), wanted, lookup));
  struct stat status;
  NUR_TRY(by_host(status_of(found.get(), status)));
  return write_guest(memory, stat, file_stat_of(status));
}

Done path_filestat_set_times(WasiProcess& process, const GuestMemory& memory, GuestFd fd,
                             std::uint32_t lookup, Pointer path, Size path_len,
                             std::uint64_t access_ns, std::uint64_t modification_ns,
                             std::uint32_t flags) {
  const OpenFile* const directory =
      NUR_TRY(process.files().find_directory(fd, right::path_filestat_set_times));
  const std::string wanted = NUR_TRY(guest_path(memory, path, path_len));
  const auto times = NUR_TRY(times_of(access_ns, modification_ns, flags));
  const Fd found = NUR_TRY(open_to_ask(directory->host->get(), wanted, lookup));
  return by_host(::utimensat(found.get(), "", times.data(), AT_EMPTY_PATH));
}

Done path_link(WasiProcess& process, const GuestMemory& memory, GuestFd old_fd,
               std::uint32_t old_lookup, Pointer old_path, Size old_len, GuestFd new_fd,
               Pointer new_path, Size new_len) {
  const OpenFile* const from =
      NUR_TRY(process.files().find_directory(old_fd, right::path_link_source));
  const OpenFile* const to =
      NUR_TRY(process.files().find_directory(new_fd, right::path_link_target));
  const std::string old_name = NUR_TRY(guest_path(memory, old_path, old_len));
  const std::string new_name = NUR_TRY(guest_path(memory, new_path, new_len));
  if (old_lookup != 0) return refuse(Errno::inval);
  const LastComponent source = NUR_TRY(open_parent(from->host->get(), old_name));
  const LastComponent target = NUR_TRY(open_parent(to->host->get(), new_name));
  if (source.slash) {
    // A directory is meant, and those cannot be linked; the kernel would follow a link here.
    const Fd meant =
        NUR_TRY(open_beneath(source.parent.get(), source.name, O_PATH | O_NOFOLLOW | O_DIRECTORY));
    return refuse(Errno::perm);
  }
  return by_host(::linkat(source.parent.get(), source.name.c_str(), target.parent.get(),
                          target.name_with_slash().c_str(), 0));
}

Done path_readlink(WasiProcess& process, const GuestMemory& memory, GuestFd fd, Pointer path,
                   Size path_len, Pointer buf, Size buf_len, Pointer bufused) {
  const OpenFile* const directory =
      NUR_TRY(process.files().find_directory(fd, right::path_readlink));
  const std::span<const std::byte> room = NUR_TRY(guest_range(memory, buf, buf_len));
  NUR_TRY(check_room<Size>(memory, bufused));
  const std::string wanted = NUR_TRY(guest_path(memory, path, path_len));
  const LastComponent last = NUR_TRY(open_parent(directory->host->get(), wanted));
  if (last.slash) return refuse(Errno::inval);  // a directory is meant, not a link
  std::array<char, kPathBytesMax> target;
  const ssize_t got =
      ::readlinkat(last.parent.get(), last.name.c_str(), target.data(), target.size());
  if (got < 0) return refuse_by_host();
  if (got > 0 && target[0] == '/') return refuse(Errno::perm);
  const std::size_t used = std::min(static_cast<std::size_t>(got), room.size());
  NUR_TRY(copy_to_guest(memory, room, {target.data(), used}));
  return write_guest(memory, bufused, static_cast<Size>(used));
}

Done path_remove_directory(WasiProcess& process, const GuestMemory& memory, GuestFd fd,
                           Pointer path, Size path_len) {
  const OpenFile* const directory =
      NUR_TRY(process.files().find_directory(fd, right::path_remove_directory));
  const std::string wanted = NUR_TRY(guest_path(memory, path, path_len));
  const LastComponent last = NUR_TRY(open_parent(directory->host->get(), wanted));
  return by_host(::unlinkat(last.parent.get(), last.name_with_slash().c_str(), AT_REMOVEDIR));
}

Done path_rename(WasiProcess& process, const GuestMemory& memory, GuestFd old_fd, Pointer old_path,
                 Size old_len, GuestFd new_fd, Pointer new_path, Size new_len) {
  const OpenFile* const from =
      NUR_TRY(process.files().find_directory(old_fd, right::path_rename_source));
  const OpenFile* const to =
      NUR_TRY(process.files().find_directory(new_fd, right::path_rename_target));
  const std::string old_name = NUR_TRY(guest_path(memory, old_path, old_len));
  const std::string new_name = NUR_TRY(guest_path(memory, new_path, new_len));
  const LastComponent source = NUR_TRY(open_parent(from->host->get(), old_name));
  const LastComponent target = NUR_TRY(open_parent(to->host->get(), new_name));
  // The C library makes this call or renameat of its function; workers may make one of them.
  return by_host(static_cast<int>(::syscall(SYS_renameat2, source.parent.get(),
                                            source.name_with_slash().c_str(), target.parent.get(),
                                            target.name_with_slash().c_str(), 0)));
}

Done path_symlink(WasiProcess& process, const GuestMemory& memory, Pointer target, Size target_len,
                  GuestFd fd, Pointer path, Size path_len) {
  const OpenFile* const directory =
      NUR_TRY(process.files().find_directory(fd, right::path_symlink));
  const std::string meant = NUR_TRY(guest_path(memory, target, target_len));
  const std::string wanted = NUR_TRY(guest_path(memory, path, path_len));
  const LastComponent last = NUR_TRY(open_parent(directory->host->get(), wanted));
  NUR_TRY(check_link_target(directory->host->get(), last.parent.get(), meant));
  return by_host(::symlinkat(meant.c_str(), last.parent.get(), last.name_with_slash().c_str()));
}

Done path_unlink_file(WasiProcess& process, const GuestMemory& memory, GuestFd fd, Pointer path,
                      Size path_len) {
  const OpenFile* const directory =
      NUR_TRY(process.files().find_directory(fd, right::path_unlink_file));
  const std::string wanted = NUR_TRY(guest_path(memory, path, path_len));
  const LastComponent last = NUR_TRY(open_parent(directory->host->get(), wanted));
  return by_host(::unlinkat(last.parent.get(), last.name_with_slash().c_str(), 0));
}

}  // namespace nur::wasi
