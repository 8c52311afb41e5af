#include "host/abi/wasi/streams.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "base/check.h"
#include "host/abi/wasi/guest_access.h"

namespace nur {

using wasi::Errno;
using wasi::EventType;
using wasi::refuse;
using wasi::WasiResult;

namespace {

std::size_t total_of(const auto& buffers) {
  std::size_t total = 0;
  for (const auto& buffer : buffers) total += buffer.size();
  return total;
}

// Copies what fits of `bytes` into the buffers and says how much that was.
std::size_t scatter(std::string_view bytes, std::span<const std::span<std::byte>> into) {
  std::size_t moved = 0;
  for (const std::span<std::byte> buffer : into) {
    const std::size_t part = std::min(buffer.size(), bytes.size() - moved);
    if (part == 0) continue;
    std::memcpy(buffer.data(), bytes.data() + moved, part);
    moved += part;
  }
  return moved;
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

WasiResult<std::size_t> NullStream::read(std::span<const std::span<std::byte>>) { return 0; }

WasiResult<std::size_t> NullStream::write(std::span<const std::span<const std::byte>> from) {
  return total_of(from);
}

std::uint64_t NullStream::bytes_ready(EventType direction) const {
  return direction == EventType::fd_read ? 0 : wasi::kTransferBytesMax;
}

WasiResult<std::size_t> InputView::read(std::span<const std::span<std::byte>> into) {
  const std::size_t moved = scatter(left_, into);
  left_.remove_prefix(moved);
  return moved;
}

WasiResult<std::size_t> InputView::write(std::span<const std::span<const std::byte>>) {
  return refuse(Errno::badf);
}

std::uint64_t InputView::bytes_ready(EventType direction) const {
  return direction == EventType::fd_read ? left_.size() : 0;
}

WasiResult<std::size_t> CappedOutput::read(std::span<const std::span<std::byte>>) {
  return refuse(Errno::badf);
}

WasiResult<std::size_t> CappedOutput::write(std::span<const std::span<const std::byte>> from) {
  const std::size_t wanted = total_of(from);
  const std::size_t fits = std::min(wanted, bytes_max_ - bytes_.size());
  if (fits < wanted) overflowed_ = true;
  if (fits == 0 && wanted > 0) return refuse(Errno::nospc);

  std::size_t left = fits;
  for (const std::span<const std::byte> buffer : from) {
    const std::size_t part = std::min(buffer.size(), left);
    bytes_.append(as_text(buffer.first(part)));
    left -= part;
  }
  return fits;
}

std::uint64_t CappedOutput::bytes_ready(EventType direction) const {
  return direction == EventType::fd_write ? bytes_max_ - bytes_.size() : 0;
}

WasiResult<std::size_t> LineSink::read(std::span<const std::span<std::byte>>) {
  return refuse(Errno::badf);
}

WasiResult<std::size_t> LineSink::write(std::span<const std::span<const std::byte>> from) {
  for (const std::span<const std::byte> buffer : from) {
    const std::size_t kept = std::min(buffer.size(), room_);
    room_ -= kept;
    dropped_bytes_ += buffer.size() - kept;
    take(as_text(buffer.first(kept)));
  }
  return total_of(from);
}

LineSink::LineSink(OnLine on_line, std::size_t line_bytes_max, std::size_t bytes_max)
    : on_line_(std::move(on_line)), line_bytes_max_(line_bytes_max), room_(bytes_max) {
  NUR_CHECK(line_bytes_max > 0);
}

void LineSink::take(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t room = line_bytes_max_ - line_.size();
    const std::string_view within = bytes.substr(0, room);
    const std::size_t end = within.find('\n');
    if (end != std::string_view::npos) {
      line_.append(within.substr(0, end));
      on_line_(line_);
      line_.clear();
      bytes.remove_prefix(end + 1);
      continue;
    }
    line_.append(within);
    bytes.remove_prefix(within.size());
    if (line_.size() < line_bytes_max_) continue;
    // The line is full; a line feed right behind it ends this piece and makes no empty one, so
    // wait for the next byte.
    if (bytes.empty()) return;
    if (bytes.front() == '\n') bytes.remove_prefix(1);
    flush();
  }
}

void LineSink::flush() {
  if (line_.empty()) return;
  on_line_(line_);
  line_.clear();
}

std::uint64_t LineSink::bytes_ready(EventType direction) const {
  return direction == EventType::fd_write ? wasi::kTransferBytesMax : 0;
}

WasiResult<std::size_t> DescriptorStream::read(std::span<const std::span<std::byte>> into) {
  // One read only: a second might wait for input that the guest does not need yet.
  std::array<char, wasi::kBounceBytes> bounce;
  const std::size_t wanted = std::min(total_of(into), bounce.size());
  ssize_t got;
  do {
    got = ::read(fd_, bounce.data(), wanted);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return wasi::refuse_by_host();
  return scatter({bounce.data(), static_cast<std::size_t>(got)}, into);
}

std::size_t DescriptorStream::read_bytes_max() const { return wasi::kBounceBytes; }

WasiResult<std::size_t> DescriptorStream::write(std::span<const std::span<const std::byte>> from) {
  std::vector<iovec> vectors;
  vectors.reserve(from.size());
  for (const std::span<const std::byte> buffer : from) {
    // writev only reads there.
    vectors.push_back({const_cast<std::byte*>(buffer.data()), buffer.size()});
  }
  ssize_t written;
  do {
    written = ::writev(fd_, vectors.data(), static_cast<int>(vectors.size()));
  } while (written < 0 && errno == EINTR);
  if (written < 0) return wasi::refuse_by_host();
  return static_cast<std::size_t>(written);
}

wasi::FileType DescriptorStream::type() const {
  if (::isatty(fd_) == 1) return wasi::FileType::character_device;
  struct stat status;
  if (::fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) return wasi::FileType::unknown;
  return wasi::FileType::regular_file;
}

std::uint64_t DescriptorStream::bytes_ready(EventType) const { return 1; }

}  // namespace nur
