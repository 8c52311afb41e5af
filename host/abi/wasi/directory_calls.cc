// Directories as lists: which are open from the start, and what is in one.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <limits>
#include <span>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

#include "host/abi/wasi/calls.h"
#include "host/abi/wasi/file_status.h"
#include "host/abi/wasi/guest_access.h"
#include "host/abi/wasi/paths.h"

namespace nur::wasi {

namespace {

FileType type_of_entry(unsigned char d_type) {
  // DT_ values are the type bits of st_mode.
  return d_type == DT_UNKNOWN ? FileType::unknown : file_type_of(DTTOIF(d_type));
}

WasiResult<const OpenFile*> find_preopen(WasiProcess& process, GuestFd fd) {
  const OpenFile* const file = NUR_TRY(process.files().find(fd));
  if (!file->preopened_as) return refuse(Errno::badf);  // how a C library finds the last one
  return file;
}

// Appends as much of `bytes` as fits behind `used`.
Done append(const GuestMemory& memory, std::span<const std::byte> room, std::size_t& used,
            const void* bytes, std::size_t count) {
  const std::size_t part = std::min(count, room.size() - used);
  NUR_TRY(copy_to_guest(memory, room.subspan(used), {static_cast<const char*>(bytes), part}));
  used += part;
  return {};
}

}  // namespace

Done fd_prestat_get(WasiProcess& process, const GuestMemory& memory, GuestFd fd, Pointer prestat) {
  const OpenFile* const file = NUR_TRY(find_preopen(process, fd));
  Prestat result;
  result.name_bytes = static_cast<Size>(file->preopened_as->size());
  return write_guest(memory, prestat, result);
}

Done fd_prestat_dir_name(WasiProcess& process, const GuestMemory& memory, GuestFd fd, Pointer path,
                         Size path_len) {
  const OpenFile* const file = NUR_TRY(find_preopen(process, fd));
  const std::span<const std::byte> room = NUR_TRY(guest_range(memory, path, path_len));
  const std::string& name = *file->preopened_as;
  if (name.size() > room.size()) return refuse(Errno::nametoolong);
  return copy_to_guest(memory, room, name);
}

Done fd_readdir(WasiProcess& process, const GuestMemory& memory, GuestFd fd, Pointer buf,
                Size buf_len, std::uint64_t cookie, Pointer bufused) {
  const OpenFile* const file = NUR_TRY(process.files().find_directory(fd, right::fd_readdir));
  const std::span<const std::byte> room = NUR_TRY(guest_range(memory, buf, buf_len));
  NUR_TRY(check_room<Size>(memory, bufused));
  if (cookie > std::numeric_limits<std::int64_t>::max()) return refuse(Errno::inval);

  // An open file of its own: the position of a shared directory belongs to nobody.
  const Fd list = NUR_TRY(open_beneath(file->host->get(), ".", O_RDONLY | O_DIRECTORY));
  struct stat self;
  if (status_of(list.get(), self) != 0) return refuse_by_host();
  if (cookie != 0 && ::lseek(list.get(), static_cast<off_t>(cookie), SEEK_SET) < 0) {
    return refuse_by_host();
  }

  // A call that fills its buffer says that there is more; one that does not, that this was all. So
  // only the buffer bounds this loop, and the directory itself.
  std::size_t used = 0;
  alignas(dirent64) std::array<char, 32 * 1024> entries;
  while (used < room.size()) {
    const ssize_t got = ::getdents64(list.get(), entries.data(), entries.size());
    if (got < 0) return refuse_by_host();
    if (got == 0) break;
    for (ssize_t at = 0; at < got && used < room.size();) {
      const auto* const entry = reinterpret_cast<const dirent64*>(entries.data() + at);
      at += entry->d_reclen;
      const std::string_view name(entry->d_name);
      DirectoryEntry header;
      header.next = static_cast<std::uint64_t>(entry->d_off);
      // What lies above is none of the guest's business, not even its number.
      header.inode = name == ".." ? self.st_ino : entry->d_ino;
      header.name_bytes = static_cast<Size>(name.size());
      header.type = type_of_entry(entry->d_type);
      NUR_TRY(append(memory, room, used, &header, sizeof(header)));
      NUR_TRY(append(memory, room, used, name.data(), name.size()));
    }
  }
  return write_guest(memory, bufused, static_cast<Size>(used));
}

}  // namespace nur::wasi
