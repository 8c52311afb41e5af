// A worker as the master sees it: a place that has a process most of the time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <sys/types.h>

#include "host/net/event_loop.h"
#include "host/process/channel.h"
#include "host/process/restart_delay.h"
#include "host/serve/worker_page.h"

namespace nur {

class WorkerProcess;

class WorkerOwner {
 public:
  virtual ~WorkerOwner() = default;
  // The channel has room: send what is still to be sent.
  virtual void deploy_to(WorkerProcess& worker) = 0;
  virtual void on_message(WorkerProcess& worker, const Message& message) = 0;
  // It is time to start it again.
  virtual void restart(WorkerProcess& worker) = 0;
};

class WorkerProcess final : public EventHandler {
 public:
  WorkerProcess(EventLoop& loop, WorkerOwner& owner, WorkerPage& its_page)
      : page(its_page),
        loop_(loop),
        owner_(owner),
        restart_(loop.timers(), [this] { owner_.restart(*this); }) {}
  ~WorkerProcess() override { close(); }
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  // The process is there. Errors: those of EventLoop::watch.
  Result<void> began(pid_t pid, Channel channel);
  // The process is gone.
  void ended();
  void restart_after(Milliseconds wait) { restart_.set(loop_.now() + wait); }
  void restart_never() { restart_.clear(); }

  // False: there is no room now, and deploy_to() will be called again.
  bool send(const Message& message, std::initializer_list<int> descriptors = {});

  void on_events(std::uint32_t events) override;

  [[nodiscard]] bool is_running() const { return pid != 0; }

  WorkerPage& page;
  pid_t pid = 0;             // 0: none now
  std::size_t deployed = 0;  // functions it was sent
  bool knows_store = false;
  bool told_to_serve = false;
  bool ready = false;
  bool was_ever_ready = false;
  RestartDelay delay;
  // What the page said when it was last seen to change, and when that was.
  std::uint64_t turns_seen = 0;
  TimePoint turned_at{};

 private:
  void close();

  EventLoop& loop_;
  WorkerOwner& owner_;
  Channel channel_;
  bool waits_for_room_ = false;
  Timer restart_;
};

// "signal 11 (Segmentation fault) at 0x55..." of a status that waitpid gave.
std::string explain_death(int status, const FaultRecord& fault);

// Whether a function that ran can be what a worker died of: a fault, an abort, a system call that
// is not allowed, an exit. Who is killed from outside (SIGKILL, SIGTERM) dies of something else.
bool is_own_fault(int status);

}  // namespace nur
