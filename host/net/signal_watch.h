// Signals as events of the loop (signalfd(2)), so that nothing runs in a signal handler.
#pragma once

#include <csignal>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>

#include "base/fd.h"
#include "base/result.h"
#include "host/net/event_loop.h"

namespace nur {

class SignalWatch final : public EventHandler {
 public:
  // Blocks `signals` in the calling thread and calls `action` with the number of each that arrives.
  // Call it before other threads or children exist: they inherit the mask. The destructor puts the
  // mask back. Errors: exhausted; internal.
  static Result<std::unique_ptr<SignalWatch>> open(EventLoop& loop,
                                                   std::initializer_list<int> signals,
                                                   std::function<void(int signal)> action);
  ~SignalWatch() override;
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  void on_events(std::uint32_t events) override;

 private:
  SignalWatch(EventLoop& loop, Fd fd, const sigset_t& before, std::function<void(int)> action);

  EventLoop& loop_;
  Fd fd_;
  sigset_t before_;
  std::function<void(int)> action_;
};

}  // namespace nur
