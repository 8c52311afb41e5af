// One thread's events: descriptors through epoll, deadlines, deferred work.
//
// One turn of the loop: wait, tell every ready descriptor's handler, run what was deferred, run the
// timers that are due. Time is read once per turn; now() is that reading.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "host/net/timer.h"

struct epoll_event;

namespace nur {

class EventHandler {
 public:
  virtual ~EventHandler() = default;
  // `events` are EPOLL* bits (epoll_ctl(2)).
  virtual void on_events(std::uint32_t events) = 0;
};

class EventLoop {
 public:
  // `clock` outlives the loop. Errors: exhausted.
  static Result<std::unique_ptr<EventLoop>> open(const Clock& clock);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Reports `events` of `fd` to `handler`, level-triggered unless EPOLLET is among them.
  // Errors: exhausted (memory or the user's limit of watches); internal.
  Result<void> watch(int fd, std::uint32_t events, EventHandler& handler);
  // Changes what is reported. With EPOLLET the present state is reported anew.
  Result<void> rewatch(int fd, std::uint32_t events, EventHandler& handler);
  // From here on `handler` hears nothing more of `fd`, not even what this turn has already found.
  void unwatch(int fd, EventHandler& handler);

  // Runs `work` later in this turn, or in the next one when called by work or a timer.
  void post(std::function<void()> work);

  // Turns until stop() is called. Errors: internal, when waiting fails.
  Result<void> run();
  // One turn, waiting at most `timeout`; a negative one waits for as long as it takes.
  Result<void> run_once(Milliseconds timeout);
  void stop() { stopped_ = true; }

  [[nodiscard]] TimePoint now() const { return now_; }
  [[nodiscard]] TimerQueue& timers() { return timers_; }

 private:
  EventLoop(const Clock& clock, Fd epoll);
  [[nodiscard]] int wait_milliseconds(Milliseconds timeout) const;
  void run_posted();

  const Clock& clock_;
  Fd epoll_;
  TimePoint now_;
  TimerQueue timers_;
  std::vector<std::function<void()>> posted_;  // what posts bounds it: one entry per connection
  std::vector<std::function<void()>> running_;
  std::vector<epoll_event> ready_;  // of this turn; kReadyMax
  std::size_t ready_count_ = 0;
  std::size_t ready_next_ = 0;
  bool stopped_ = false;
};

}  // namespace nur
