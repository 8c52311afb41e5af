// The words of WASI preview 1 as it lays them out: errors, rights, flags, structures.
//
// Source: WASI snapshot_preview1, typenames.witx; numbers are positions in its lists. Structures
// are little-endian with natural alignment, as a guest reads them; a static_assert holds each size.
#pragma once

#include <cstdint>
#include <expected>

#include "base/result.h"

namespace nur::wasi {

enum class Errno : std::uint16_t {
  success = 0,
  too_big = 1,
  acces = 2,
  again = 6,
  badf = 8,
  busy = 10,
  deadlk = 16,
  dquot = 19,
  exist = 20,
  fault = 21,
  fbig = 22,
  ilseq = 25,
  intr = 27,
  inval = 28,
  io = 29,
  isdir = 31,
  loop = 32,
  mfile = 33,
  mlink = 34,
  nametoolong = 37,
  nfile = 41,
  nodev = 43,
  noent = 44,
  nolck = 46,
  nomem = 48,
  nospc = 51,
  nosys = 52,
  notdir = 54,
  notempty = 55,
  notsock = 57,
  notsup = 58,
  notty = 59,
  nxio = 60,
  overflow = 61,
  perm = 63,
  pipe = 64,
  range = 68,
  rofs = 69,
  spipe = 70,
  stale = 72,
  timedout = 73,
  txtbsy = 74,
  xdev = 75,
  notcapable = 76,
};

// The guest's word for an errno of the host; io for what preview 1 has no word for.
Errno from_host(int host_errno);

// What a call gives, or the error that the guest is told.
template <class T>
using WasiResult = std::expected<T, Errno>;

inline std::unexpected<Errno> refuse(Errno reason) { return std::unexpected(reason); }
// The error of the system call that failed just now.
std::unexpected<Errno> refuse_by_host();

using Rights = std::uint64_t;

namespace right {
inline constexpr Rights fd_datasync = Rights{1} << 0;
inline constexpr Rights fd_read = Rights{1} << 1;
inline constexpr Rights fd_seek = Rights{1} << 2;
inline constexpr Rights fd_fdstat_set_flags = Rights{1} << 3;
inline constexpr Rights fd_sync = Rights{1} << 4;
inline constexpr Rights fd_tell = Rights{1} << 5;
inline constexpr Rights fd_write = Rights{1} << 6;
inline constexpr Rights fd_advise = Rights{1} << 7;
inline constexpr Rights fd_allocate = Rights{1} << 8;
inline constexpr Rights path_create_directory = Rights{1} << 9;
inline constexpr Rights path_create_file = Rights{1} << 10;
inline constexpr Rights path_link_source = Rights{1} << 11;
inline constexpr Rights path_link_target = Rights{1} << 12;
inline constexpr Rights path_open = Rights{1} << 13;
inline constexpr Rights fd_readdir = Rights{1} << 14;
inline constexpr Rights path_readlink = Rights{1} << 15;
inline constexpr Rights path_rename_source = Rights{1} << 16;
inline constexpr Rights path_rename_target = Rights{1} << 17;
inline constexpr Rights path_filestat_get = Rights{1} << 18;
inline constexpr Rights path_filestat_set_size = Rights{1} << 19;
inline constexpr Rights path_filestat_set_times = Rights{1} << 20;
inline constexpr Rights fd_filestat_get = Rights{1} << 21;
inline constexpr Rights fd_filestat_set_size = Rights{1} << 22;
inline constexpr Rights fd_filestat_set_times = Rights{1} << 23;
inline constexpr Rights path_symlink = Rights{1} << 24;
inline constexpr Rights path_remove_directory = Rights{1} << 25;
inline constexpr Rights path_unlink_file = Rights{1} << 26;
inline constexpr Rights poll_fd_readwrite = Rights{1} << 27;

// What a stream may be asked for at all.
inline constexpr Rights of_input =
    fd_read | fd_filestat_get | fd_fdstat_set_flags | poll_fd_readwrite;
inline constexpr Rights of_output =
    fd_write | fd_filestat_get | fd_fdstat_set_flags | poll_fd_readwrite;

// What a regular file may be asked for, without changing it and with.
inline constexpr Rights of_file_reading = fd_read | fd_seek | fd_tell | fd_fdstat_set_flags |
                                          fd_sync | fd_datasync | fd_advise | fd_filestat_get |
                                          poll_fd_readwrite;
inline constexpr Rights of_file =
    of_file_reading | fd_write | fd_allocate | fd_filestat_set_size | fd_filestat_set_times;

// What a directory may be asked for, without changing anything in it and with. A link or a new name
// made elsewhere would make a read-only file writable, so both sources count as changes.
inline constexpr Rights of_directory_reading = path_open | fd_readdir | path_readlink |
                                               path_filestat_get | fd_filestat_get |
                                               fd_fdstat_set_flags | fd_sync | fd_datasync;
inline constexpr Rights of_directory =
    of_directory_reading | path_create_directory | path_create_file | path_link_source |
    path_link_target | path_rename_source | path_rename_target | path_filestat_set_size |
    path_filestat_set_times | fd_filestat_set_times | path_symlink | path_remove_directory |
    path_unlink_file;
}  // namespace right

enum class FileType : std::uint8_t {
  unknown = 0,
  block_device = 1,
  character_device = 2,
  directory = 3,
  regular_file = 4,
  socket_dgram = 5,
  socket_stream = 6,
  symbolic_link = 7,
};
// Of a host's st_mode.
FileType file_type_of(std::uint32_t mode);

namespace fd_flag {
inline constexpr std::uint16_t append = 1;
inline constexpr std::uint16_t dsync = 2;
inline constexpr std::uint16_t nonblock = 4;
inline constexpr std::uint16_t rsync = 8;
inline constexpr std::uint16_t sync = 16;
inline constexpr std::uint16_t all = 31;
}  // namespace fd_flag

namespace open_flag {
inline constexpr std::uint32_t create = 1;
inline constexpr std::uint32_t directory = 2;
inline constexpr std::uint32_t exclusive = 4;
inline constexpr std::uint32_t truncate = 8;
inline constexpr std::uint32_t all = 15;
}  // namespace open_flag

namespace time_flag {
inline constexpr std::uint32_t access = 1;
inline constexpr std::uint32_t access_now = 2;
inline constexpr std::uint32_t modification = 4;
inline constexpr std::uint32_t modification_now = 8;
inline constexpr std::uint32_t all = 15;
}  // namespace time_flag

inline constexpr std::uint32_t kLookupSymlinkFollow = 1;

enum class ClockId : std::uint32_t {
  realtime = 0,
  monotonic = 1,
  process_cputime = 2,
  thread_cputime = 3
};

enum class EventType : std::uint8_t { clock = 0, fd_read = 1, fd_write = 2 };
inline constexpr std::uint16_t kSubscriptionAbsolute = 1;

struct Vector {
  std::uint32_t address;
  std::uint32_t bytes;
};
static_assert(sizeof(Vector) == 8);

struct FdStat {
  FileType type = FileType::unknown;
  std::uint8_t padding_1 = 0;
  std::uint16_t flags = 0;
  std::uint32_t padding_2 = 0;
  Rights base = 0;
  Rights inheriting = 0;
};
static_assert(sizeof(FdStat) == 24);

struct FileStat {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  FileType type = FileType::unknown;
  std::uint8_t padding[7] = {};
  std::uint64_t links = 0;
  std::uint64_t size = 0;
  std::uint64_t access_ns = 0;  // since 1970-01-01T00:00:00Z, as the next two
  std::uint64_t modification_ns = 0;
  std::uint64_t change_ns = 0;
};
static_assert(sizeof(FileStat) == 64);

struct Prestat {
  std::uint8_t tag = 0;  // a directory, the only kind there is
  std::uint8_t padding[3] = {};
  std::uint32_t name_bytes = 0;
};
static_assert(sizeof(Prestat) == 8);

struct DirectoryEntry {
  std::uint64_t next = 0;  // cookie of the entry behind this one
  std::uint64_t inode = 0;
  std::uint32_t name_bytes = 0;
  FileType type = FileType::unknown;
  std::uint8_t padding[3] = {};
};
static_assert(sizeof(DirectoryEntry) == 24);

struct Subscription {
  std::uint64_t userdata = 0;
  EventType type = EventType::clock;
  std::uint8_t padding_1[7] = {};
  std::uint32_t clock_or_fd = 0;
  std::uint32_t padding_2 = 0;
  std::uint64_t timeout_ns = 0;  // this and the rest: clock only
  std::uint64_t precision_ns = 0;
  std::uint16_t flags = 0;
  std::uint8_t padding_3[6] = {};
};
static_assert(sizeof(Subscription) == 48);

struct Event {
  std::uint64_t userdata = 0;
  Errno error = Errno::success;
  EventType type = EventType::clock;
  std::uint8_t padding_1[5] = {};
  std::uint64_t bytes = 0;  // this and the next: fd_read and fd_write only
  std::uint16_t flags = 0;
  std::uint8_t padding_2[6] = {};
};
static_assert(sizeof(Event) == 32);

}  // namespace nur::wasi
