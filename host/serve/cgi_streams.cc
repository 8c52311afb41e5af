#include "host/serve/cgi_streams.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "host/abi/cgi/response.h"

namespace nur {

using wasi::Errno;
using wasi::EventType;
using wasi::WasiResult;

namespace {

// Read ahead, to tell whether there is any more.
constexpr std::size_t kReadAheadBytes = 4 << 10;
// One read() moves at most so much.
constexpr std::size_t kReadBytesMax = 64 << 10;

}  // namespace

WasiResult<std::size_t> BodyInput::read(std::span<const std::span<std::byte>> into) {
  std::size_t total = 0;
  for (std::span<std::byte> buffer : into) {
    const std::size_t held = std::min(held_.size(), buffer.size());
    if (held > 0) {
      std::memcpy(buffer.data(), held_.data(), held);
      held_.erase(0, held);
      total += held;
      buffer = buffer.subspan(held);
    }
    if (buffer.empty()) continue;
    const std::optional<std::size_t> count =
        exchange_.read_body({reinterpret_cast<char*>(buffer.data()), buffer.size()});
    total += count.value_or(0);
    if (count.value_or(0) < buffer.size()) break;
  }
  return total;
}

std::size_t BodyInput::read_bytes_max() const {
  return std::min(held_.size() + exchange_.request().body.size(), kReadBytesMax);
}

WasiResult<std::size_t> BodyInput::write(std::span<const std::span<const std::byte>>) {
  return wasi::refuse(Errno::badf);
}

bool BodyInput::is_ready(EventType direction) {
  if (direction != EventType::fd_read || !held_.empty()) return true;
  held_.resize(kReadAheadBytes);
  const std::optional<std::size_t> count = exchange_.read_body(held_);
  held_.resize(count.value_or(0));
  return count.has_value();
}

std::uint64_t BodyInput::bytes_ready(EventType direction) const {
  return direction == EventType::fd_read ? read_bytes_max() : 0;
}

WasiResult<std::size_t> CgiOutput::write(std::span<const std::span<const std::byte>> from) {
  std::size_t total = 0;
  for (const std::span<const std::byte> buffer : from) {
    const std::size_t room = kHeldBytesMax - std::min(held_.size(), kHeldBytesMax);
    const std::size_t count = std::min(room, buffer.size());
    held_.append(reinterpret_cast<const char*>(buffer.data()), count);
    total += count;
    if (count < buffer.size()) break;
  }
  if (wrong_) return wasi::refuse(Errno::io);
  return total;
}

WasiResult<std::size_t> CgiOutput::read(std::span<const std::span<std::byte>>) {
  return wasi::refuse(Errno::badf);
}

bool CgiOutput::is_ready(EventType direction) {
  if (direction != EventType::fd_write || held_.size() < kHeldBytesMax) return true;
  if (!exchange_.has_room()) return false;
  begin();
  return true;
}

std::uint64_t CgiOutput::bytes_ready(EventType direction) const {
  return direction == EventType::fd_write ? kHeldBytesMax : 0;
}

void CgiOutput::pass_on() {
  if (!held_.empty() && (has_begun_ || has_cgi_head(held_))) begin();
}

void CgiOutput::begin() {
  if (wrong_) {
    held_.clear();
    return;
  }
  if (!has_begun_) {
    Result<CgiBeginning> beginning = parse_cgi_beginning(std::move(held_));
    held_.clear();
    if (!beginning) {
      wrong_ = "what the function printed is no CGI response: " + beginning.error().message;
      return;
    }
    held_ = std::exchange(beginning->response.body, {});
    if (const auto begun = exchange_.begin(std::move(beginning->response), beginning->length);
        !begun) {
      wrong_ = begun.error().message;
      return;
    }
    has_begun_ = true;
  }
  exchange_.write(held_);
  held_.clear();
}

}  // namespace nur
