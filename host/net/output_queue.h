// Bytes on their way out of a connection: answers gathered until one send takes them.
//
// Small pieces are copied behind each other; a large body is kept as the string it came in, and
// leaves in the same system call through an iovec of its own.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace nur {

// What the kernel holds of what was sent: not sent yet, or not acknowledged.
std::size_t unacknowledged_bytes(int socket);

class OutputQueue {
 public:
  enum class Flushed {
    all,      // the queue is empty
    blocked,  // the socket takes no more now
    broken,   // the client is gone
  };

  // To be appended to, until the next call of any other member.
  std::string& tail();
  void append(std::string bytes) {
    const std::size_t end = bytes.size();
    append(std::move(bytes), 0, end);
  }
  // Those of `bytes` from `begin` to `end`.
  void append(std::string bytes, std::size_t begin, std::size_t end);

  // Sends as much as the socket takes. `sent` is raised by what it took.
  Flushed flush(int socket, std::size_t& sent);
  [[nodiscard]] bool empty() const { return bytes() == 0; }
  [[nodiscard]] std::size_t bytes() const {
    std::size_t sum = 0;
    for (std::size_t i = first_; i < pieces_.size(); ++i) sum += pieces_[i].size();
    return sum - offset_;
  }
  // Memory that it holds: a piece is kept whole until its last byte is sent.
  [[nodiscard]] std::size_t held_bytes() const {
    std::size_t sum = 0;
    for (std::size_t i = first_; i < pieces_.size(); ++i) sum += pieces_[i].bytes.capacity();
    return sum;
  }
  // Drops everything.
  void clear();

 private:
  struct Piece {
    std::string bytes;
    bool gathers = false;   // small pieces may be appended
    std::size_t begin = 0;  // bytes before it are not sent
    [[nodiscard]] std::size_t size() const { return bytes.size() - begin; }
  };

  void drop_sent(std::size_t count);

  std::vector<Piece> pieces_;
  std::size_t first_ = 0;   // pieces before it are sent
  std::size_t offset_ = 0;  // bytes of pieces_[first_] that are sent
};

}  // namespace nur
