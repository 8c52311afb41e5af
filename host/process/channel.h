// One end of the socket pair between master and worker: messages with descriptors, whole or not at
// all.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "host/process/message.h"

namespace nur {

class Channel {
 public:
  Channel() = default;
  // Errors: exhausted.
  static Result<std::pair<Channel, Channel>> make_pair();

  [[nodiscard]] int descriptor() const { return socket_.get(); }
  [[nodiscard]] bool is_open() const { return socket_.is_open(); }
  void close() { socket_.reset(); }

  enum class Sent { yes, no_room, peer_gone };
  // Never waits. `descriptors` stay the caller's.
  Sent send(const Message& message, std::initializer_list<int> descriptors = {});
  // The same, but waits for room.
  Sent send_waiting(const Message& message);

  struct Received {
    Message message;
    std::vector<Fd> descriptors;  // as many as the message says
  };
  // nullopt when nothing is there now. Errors: not_found when the other end is gone; invalid_input
  // when it sent what is no message.
  Result<std::optional<Received>> receive();
  // The same, but waits.
  Result<Received> receive_waiting();

 private:
  explicit Channel(Fd socket) : socket_(std::move(socket)) {}
  Sent send(const Message& message, std::initializer_list<int> descriptors, int flags);
  Result<std::optional<Received>> receive(int flags);

  Fd socket_;
};

}  // namespace nur
