// Moving bytes between a guest and its streams and files.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <poll.h>
#include <span>
#include <sys/uio.h>
#include <unistd.h>
#include <vector>

#include "base/read_write.h"
#include "host/abi/wasi/calls.h"
#include "host/abi/wasi/guest_access.h"

namespace nur::wasi {

namespace {

constexpr std::uint64_t kOffsetMax = std::numeric_limits<std::int64_t>::max();

// A stream that was made non-blocking says EAGAIN instead of waiting for its descriptor.
Done check_would_not_block(const OpenFile& file, short event) {
  if ((file.flags & fd_flag::nonblock) == 0 || file.stream->descriptor() < 0) return {};
  pollfd polled = {file.stream->descriptor(), event, 0};
  if (::poll(&polled, 1, 0) == 0) return refuse(Errno::again);
  return {};
}

// A stream whose client has not sent or taken anything: the guest waits, or is told EAGAIN.
WasiResult<HostReply> wait_for(const OpenFile& file) {
  if ((file.flags & fd_flag::nonblock) != 0) return refuse(Errno::again);
  return HostReply::wait_for_client();
}

// Until the buffers are full or the file ends.
WasiResult<std::size_t> read_file(const GuestMemory& memory, int fd, const Buffers& buffers,
                                  std::int64_t offset) {
  std::array<char, kBounceBytes> bounce;
  std::size_t total = 0;
  for (std::span<const std::byte> buffer : buffers) {
    while (!buffer.empty()) {
      const std::size_t wanted = std::min(buffer.size(), bounce.size());
      const ssize_t got =
          read_some(fd, std::span(bounce).first(wanted),
                    offset == kAtPosition ? offset : offset + static_cast<std::int64_t>(total));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && total == 0) return refuse_by_host();
      if (got <= 0) return total;  // an error behind good bytes comes again with the next call
      const auto moved = static_cast<std::size_t>(got);
      NUR_TRY(copy_to_guest(memory, buffer, {bounce.data(), moved}));
      buffer = buffer.subspan(moved);
      total += moved;
    }
  }
  return total;
}

// Flags are applied write by write, so that fd_fdstat_set_flags can change all of them.
int write_flags(std::uint16_t flags) {
  return ((flags & fd_flag::append) != 0 ? RWF_APPEND : 0) |
         ((flags & fd_flag::dsync) != 0 ? RWF_DSYNC : 0) |
         ((flags & (fd_flag::sync | fd_flag::rsync)) != 0 ? RWF_SYNC : 0);
}

WasiResult<std::size_t> write_file(const OpenFile& file, const Buffers& buffers,
                                   std::int64_t offset) {
  std::vector<iovec> vectors;
  vectors.reserve(buffers.size());
  for (const std::span<const std::byte> buffer : buffers) {
    // pwritev2 only reads there.
    vectors.push_back({const_cast<std::byte*>(buffer.data()), buffer.size()});
  }
  ssize_t written;
  do {
    written = ::pwritev2(file.host->get(), vectors.data(), static_cast<int>(vectors.size()), offset,
                         write_flags(file.flags));
  } while (written < 0 && errno == EINTR);
  if (written < 0) return refuse_by_host();
  return static_cast<std::size_t>(written);
}

WasiResult<std::uint64_t> seek(const OpenFile& file, std::int64_t delta, int whence) {
  const off_t at = ::lseek(file.host->get(), delta, whence);
  if (at < 0) return refuse_by_host();
  return static_cast<std::uint64_t>(at);
}

}  // namespace

Done fd_pread(WasiProcess& process, const GuestMemory& memory, GuestFd fd, Pointer iovs,
              Size iovs_len, std::uint64_t offset, Pointer nread) {
  const OpenFile* const file =
      NUR_TRY(process.files().find_regular(fd, right::fd_read | right::fd_seek));
  NUR_TRY(check_room<Size>(memory, nread));
  const Buffers buffers = NUR_TRY(guest_buffers(memory, iovs, iovs_len));
  if (offset > kOffsetMax - kTransferBytesMax) return refuse(Errno::inval);
  const std::size_t total =
      NUR_TRY(read_file(memory, file->host->get(), buffers, static_cast<std::int64_t>(offset)));
  return write_guest(memory, nread, static_cast<Size>(total));
}

Done fd_pwrite(WasiProcess& process, const GuestMemory& memory, GuestFd fd, Pointer iovs,
               Size iovs_len, std::uint64_t offset, Pointer nwritten) {
  const OpenFile* const file =
      NUR_TRY(process.files().find_regular(fd, right::fd_write | right::fd_seek));
  NUR_TRY(check_room<Size>(memory, nwritten));
  const Buffers buffers = NUR_TRY(guest_buffers(memory, iovs, iovs_len));
  if (offset > kOffsetMax - kTransferBytesMax) return refuse(Errno::inval);
  const std::size_t total = NUR_TRY(write_file(*file, buffers, static_cast<std::int64_t>(offset)));
  return write_guest(memory, nwritten, static_cast<Size>(total));
}

WasiResult<HostReply> fd_read(WasiProcess& process, const GuestMemory& memory, GuestFd fd,
                              Pointer iovs, Size iovs_len, Pointer nread) {
  const OpenFile* const file =
      NUR_TRY(process.files().find_readable_or_writable(fd, right::fd_read));
  NUR_TRY(check_room<Size>(memory, nread));
  const Buffers buffers = NUR_TRY(guest_buffers(memory, iovs, iovs_len));
  std::size_t total = 0;
  if (file->stream == nullptr) {
    total = NUR_TRY(read_file(memory, file->host->get(), buffers, kAtPosition));
  } else {
    NUR_TRY(check_would_not_block(*file, POLLIN));
    if (!file->stream->is_ready(EventType::fd_read)) return wait_for(*file);
    const WritableBuffers places =
        NUR_TRY(writable_buffers(memory, buffers, file->stream->read_bytes_max()));
    total = NUR_TRY(file->stream->read(places));
  }
  NUR_TRY(write_guest(memory, nread, static_cast<Size>(total)));
  return HostReply::resume();
}

Done fd_seek(WasiProcess& process, const GuestMemory& memory, GuestFd fd, std::uint64_t delta,
             std::uint32_t whence, Pointer newoffset) {
  constexpr int kWhence[] = {SEEK_SET, SEEK_CUR, SEEK_END};
  if (whence >= std::size(kWhence)) return refuse(Errno::inval);
  const bool only_asks = kWhence[whence] == SEEK_CUR && delta == 0;
  const OpenFile* const file = NUR_TRY(process.files().find_regular(fd, 0));
  const Rights enough = only_asks ? right::fd_tell | right::fd_seek : right::fd_seek;
  if ((file->base & enough) == 0) return refuse(Errno::notcapable);
  NUR_TRY(check_room<std::uint64_t>(memory, newoffset));
  const std::uint64_t at = NUR_TRY(seek(*file, static_cast<std::int64_t>(delta), kWhence[whence]));
  return write_guest(memory, newoffset, at);
}

Done fd_tell(WasiProcess& process, const GuestMemory& memory, GuestFd fd, Pointer offset) {
  const OpenFile* const file = NUR_TRY(process.files().find_regular(fd, right::fd_tell));
  NUR_TRY(check_room<std::uint64_t>(memory, offset));
  const std::uint64_t at = NUR_TRY(seek(*file, 0, SEEK_CUR));
  return write_guest(memory, offset, at);
}

WasiResult<HostReply> fd_write(WasiProcess& process, const GuestMemory& memory, GuestFd fd,
                               Pointer iovs, Size iovs_len, Pointer nwritten) {
  const OpenFile* const file =
      NUR_TRY(process.files().find_readable_or_writable(fd, right::fd_write));
  NUR_TRY(check_room<Size>(memory, nwritten));
  const Buffers buffers = NUR_TRY(guest_buffers(memory, iovs, iovs_len));
  std::size_t total = 0;
  if (file->stream == nullptr) {
    total = NUR_TRY(write_file(*file, buffers, kAtPosition));
  } else {
    NUR_TRY(check_would_not_block(*file, POLLOUT));
    if (!file->stream->is_ready(EventType::fd_write)) return wait_for(*file);
    total = NUR_TRY(file->stream->write(buffers));
  }
  NUR_TRY(write_guest(memory, nwritten, static_cast<Size>(total)));
  return HostReply::resume();
}

}  // namespace nur::wasi
