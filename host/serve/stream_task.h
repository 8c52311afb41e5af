// A request to a function of the nur stream ABI, or a connection of its own: the bytes of the
// client in, the guest's out.
//
// Most requests are whole and answered within the guest's first slice: their input is one string,
// and the answer another. When the guest pauses, or sends more than is held for it, what it has
// sent goes out as it is; so does what it sends to a connection without HTTP.
#pragma once

#include <cstdint>
#include <string>

#include "host/serve/guest_task.h"

namespace nur {

class StreamTask final : public GuestTask, private StreamPeer {
 public:
  StreamTask(const TaskContext& context, Function& function, Lease lease, Exchange& exchange);

 private:
  Invocation& invocation() override { return stream_; }
  void answer(std::uint32_t exit_status) override;
  [[nodiscard]] std::optional<std::string> refused_by_host() const override { return refused_; }
  std::optional<std::string> on_pause() override;
  void on_failure() override;

  std::optional<std::size_t> read(std::span<char> into) override;
  Taken take(std::string& output) override;
  // Errors: invalid_input when it is no HTTP.
  Result<void> pass_on(std::string& output);

  std::string input_;       // empty when the request's head is all there is
  bool passes_on_ = false;  // some of what the guest sent has been given to the exchange
  std::optional<std::string> refused_;
  NurStream stream_;
};

// The request as a guest reads it: byte for byte as it came, but a chunked body is one with a
// Content-Length, so that a guest needs to know only that.
std::string stream_input(const Request& request);

}  // namespace nur
