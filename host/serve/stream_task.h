// A request to a function of the nur stream ABI: the bytes of the request in, those of the response
// out.
#pragma once

#include <string>

#include "host/serve/guest_task.h"

namespace nur {

class StreamTask final : public GuestTask {
 public:
  StreamTask(const TaskContext& context, Function& function, Lease lease, Exchange& exchange);

 private:
  Invocation& invocation() override { return stream_; }
  void answer(std::uint32_t exit_status) override;
  [[nodiscard]] std::optional<std::string> refused_by_host() const override;

  std::string input_;  // empty when the request's head is all there is
  NurStream stream_;
};

// The request as a guest reads it: byte for byte as it came, but a chunked body is one with a
// Content-Length, so that a guest needs to know only that.
std::string stream_input(const Request& request);

}  // namespace nur
