// The key-value store as the master sees it: a process that is started again when it dies, and the
// connections between it and the workers.
#pragma once

#include <cstdint>
#include <sys/types.h>

#include "host/net/event_loop.h"
#include "host/process/channel.h"
#include "host/process/restart_delay.h"
#include "host/process/store_process.h"
#include "host/process/worker_process.h"

namespace nur {

class StoreSupervisor final : public EventHandler {
 public:
  // What each start of the store is given; all outlive the supervisor.
  struct Options {
    std::optional<Path> folder;
    KvLimits limits;
    const std::optional<Account>& account;
    FaultRecord& fault;
  };
  // `connect_all` is called when workers that have no connection can have one.
  StoreSupervisor(EventLoop& loop, Options options, std::function<void()> connect_all);
  // The store ends by itself, and leaves its file as one.
  ~StoreSupervisor() override;
  StoreSupervisor(const StoreSupervisor&) = delete;
  StoreSupervisor& operator=(const StoreSupervisor&) = delete;

  // Starts it, and waits for its database. Errors: exhausted; invalid_input when the database
  // cannot be opened.
  Result<void> begin();

  // Makes a connection between the store and `worker`, unless it has one (knows_store). What cannot
  // be done because of the store is done when `connect_all` is called. False: the worker has no
  // room for a message now, and says itself when it has.
  bool connect(WorkerProcess& worker);

  // Looks whether it has died, and begins to start it again then. True when it has.
  bool bury();
  // It is not started again, and its death no news.
  void end() { ending_ = true; }

  [[nodiscard]] pid_t pid() const { return pid_; }  // 0: none now

  void on_events(std::uint32_t events) override;

 private:
  Result<void> start();
  Result<void> listen();
  void restart();
  void close();

  EventLoop& loop_;
  const Options options_;
  const std::function<void()> connect_all_;
  pid_t pid_ = 0;
  Channel channel_;
  bool is_watched_ = false;
  bool waits_for_room_ = false;
  bool ending_ = false;
  RestartDelay delay_;
  Timer restart_;
  Timer try_again_;
};

}  // namespace nur
