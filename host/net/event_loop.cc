#include "host/net/event_loop.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <sys/epoll.h>

#include "base/file.h"

namespace nur {
namespace {

// Descriptors told of per epoll_wait: enough to make the call's cost small, few enough that
// deferred work and timers do not wait long.
constexpr std::size_t kReadyMax = 512;

Result<void> control(int epoll, int operation, int fd, std::uint32_t events,
                     EventHandler& handler) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &handler;
  if (::epoll_ctl(epoll, operation, fd, &event) == 0) return {};
  const ErrorKind kind =
      errno == ENOSPC || errno == ENOMEM ? ErrorKind::exhausted : ErrorKind::internal;
  return fail(kind, "{}", system_error_text(fmt::format("watching descriptor {}", fd)));
}

}  // namespace

Result<std::unique_ptr<EventLoop>> EventLoop::open(const Clock& clock) {
  Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.is_open()) {
    return fail(ErrorKind::exhausted, "{}", system_error_text("creating an epoll instance"));
  }
  return std::unique_ptr<EventLoop>(new EventLoop(clock, std::move(epoll)));
}

EventLoop::EventLoop(const Clock& clock, Fd epoll)
    : clock_(clock), epoll_(std::move(epoll)), now_(clock.now()), ready_(kReadyMax) {}

EventLoop::~EventLoop() = default;

Result<void> EventLoop::watch(int fd, std::uint32_t events, EventHandler& handler) {
  return control(epoll_.get(), EPOLL_CTL_ADD, fd, events, handler);
}

Result<void> EventLoop::rewatch(int fd, std::uint32_t events, EventHandler& handler) {
  return control(epoll_.get(), EPOLL_CTL_MOD, fd, events, handler);
}

void EventLoop::unwatch(int fd, EventHandler& handler) {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  for (std::size_t i = ready_next_; i < ready_count_; ++i) {
    if (ready_[i].data.ptr == &handler) ready_[i].data.ptr = nullptr;
  }
}

void EventLoop::post(std::function<void()> work) { posted_.push_back(std::move(work)); }

void EventLoop::run_posted() {
  // What is posted from here on waits for the next turn, so that descriptors get theirs.
  running_.swap(posted_);
  for (std::function<void()>& work : running_) work();
  running_.clear();
}

int EventLoop::wait_milliseconds(Milliseconds timeout) const {
  if (!posted_.empty()) return 0;
  std::int64_t wait = timeout.count() < 0 ? -1 : timeout.count();
  if (const std::optional<TimePoint> next = timers_.next()) {
    // Rounded up: waking too early would turn the loop once for nothing.
    const auto left = std::chrono::ceil<Milliseconds>(*next - clock_.now()).count();
    const std::int64_t until = std::max<std::int64_t>(left, 0);
    wait = wait < 0 ? until : std::min(wait, until);
  }
  return static_cast<int>(std::min<std::int64_t>(wait, INT_MAX));
}

Result<void> EventLoop::run() {
  stopped_ = false;
  while (!stopped_) NUR_TRY(run_once(Milliseconds(-1)));
  return {};
}

Result<void> EventLoop::run_once(Milliseconds timeout) {
  // Not epoll_wait, which newer C libraries and architectures make of this one: a worker may make
  // one of the two (host/process/system_calls.cc).
  const int count = ::epoll_pwait(epoll_.get(), ready_.data(), static_cast<int>(ready_.size()),
                                  wait_milliseconds(timeout), nullptr);
  if (count < 0 && errno != EINTR) {
    return fail(ErrorKind::internal, "{}", system_error_text("waiting for events"));
  }
  now_ = clock_.now();
  ready_count_ = count < 0 ? 0 : static_cast<std::size_t>(count);
  for (ready_next_ = 0; ready_next_ < ready_count_;) {
    const epoll_event& event = ready_[ready_next_++];
    if (event.data.ptr == nullptr) continue;
    static_cast<EventHandler*>(event.data.ptr)->on_events(event.events);
  }
  ready_count_ = ready_next_ = 0;
  run_posted();
  timers_.run_due(now_);
  return {};
}

}  // namespace nur
