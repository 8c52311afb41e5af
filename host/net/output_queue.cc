#include "host/net/output_queue.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <utility>

namespace nur {
namespace {

// From this size on a copy costs more than an iovec.
constexpr std::size_t kCopiedBytesMax = 16 << 10;
// An empty queue keeps at most this much for the next answer.
constexpr std::size_t kKeptBytesMax = 4 << 10;
constexpr std::size_t kPiecesPerSend = 16;
// Small pieces are gathered up to this size in one string, so that a queue that is never empty lets
// go of what is sent.
constexpr std::size_t kGatheredBytesMax = 64 << 10;
// So many places of pieces that are sent are used again.
constexpr std::size_t kSentPiecesMax = 64;

}  // namespace

std::size_t unacknowledged_bytes(int socket) {
  int bytes = 0;
  return ::ioctl(socket, SIOCOUTQ, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
}

std::string& OutputQueue::tail() {
  if (first_ == pieces_.size() || !pieces_.back().gathers ||
      pieces_.back().bytes.size() >= kGatheredBytesMax) {
    pieces_.push_back({std::string(), /*gathers=*/true, 0});
  }
  return pieces_.back().bytes;
}

void OutputQueue::append(std::string bytes, std::size_t begin, std::size_t end) {
  if (end - begin <= kCopiedBytesMax) {
    tail().append(bytes, begin, end - begin);
  } else {
    bytes.resize(end);
    pieces_.push_back({std::move(bytes), /*gathers=*/false, begin});
  }
}

void OutputQueue::clear() {
  first_ = offset_ = 0;
  if (pieces_.size() == 1 && pieces_[0].gathers && pieces_[0].bytes.capacity() <= kKeptBytesMax) {
    pieces_[0].bytes.clear();
  } else {
    pieces_.clear();
  }
}

void OutputQueue::drop_sent(std::size_t count) {
  offset_ += count;
  while (first_ < pieces_.size() && offset_ >= pieces_[first_].size()) {
    offset_ -= pieces_[first_].size();
    if (first_ + 1 < pieces_.size()) std::string().swap(pieces_[first_].bytes);
    ++first_;
  }
  if (first_ > kSentPiecesMax) {
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

OutputQueue::Flushed OutputQueue::flush(int socket, std::size_t& sent) {
  while (true) {
    std::array<iovec, kPiecesPerSend> parts;
    std::size_t count = 0;
    std::size_t offset = offset_;
    std::size_t asked = 0;
    for (std::size_t i = first_; i < pieces_.size() && count < parts.size(); ++i) {
      Piece& piece = pieces_[i];
      parts[count++] = {piece.bytes.data() + piece.begin + offset, piece.size() - offset};
      asked += piece.size() - offset;
      offset = 0;
    }
    if (asked == 0) {
      clear();
      return Flushed::all;
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    // The common case is one piece, and send has less to copy from us than sendmsg.
    const ssize_t taken =
        count == 1 ? ::send(socket, parts[0].iov_base, asked, MSG_NOSIGNAL | MSG_DONTWAIT)
                   : ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (taken < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return Flushed::blocked;
      return Flushed::broken;
    }
    sent += static_cast<std::size_t>(taken);
    drop_sent(static_cast<std::size_t>(taken));
    if (static_cast<std::size_t>(taken) < asked) return Flushed::blocked;
  }
}

}  // namespace nur
