// The process that takes uploads as the master sees it: one that is started again when it dies, on
// the socket that the master has.
#pragma once

#include <sys/types.h>

#include "host/net/event_loop.h"
#include "host/process/channel.h"
#include "host/process/restart_delay.h"
#include "host/process/upload_process.h"

namespace nur {

class UploadSupervisor final : public EventHandler {
 public:
  // `listening` listens; `options`, with a folder, and `fault` outlive the supervisor.
  UploadSupervisor(EventLoop& loop, const UploadOptions& options, Fd listening, FaultRecord& fault);
  // The process ends at once. No file is torn.
  ~UploadSupervisor() override;
  UploadSupervisor(const UploadSupervisor&) = delete;
  UploadSupervisor& operator=(const UploadSupervisor&) = delete;

  // Starts it, and waits until it takes uploads. Errors: exhausted; invalid_input when the token or
  // the folder is not as it must be.
  Result<void> begin();

  // Looks whether it has died, and begins to start it again then. True when it has.
  bool bury();
  // It takes no more, finishes what is in flight, ends, and is not started again.
  void drain();
  // It ends at once.
  void stop();

  [[nodiscard]] pid_t pid() const { return pid_; }  // 0: none now
  // Where it listens; has the real port when port 0 was asked for.
  [[nodiscard]] SocketAddress address() const;

  void on_events(std::uint32_t events) override;

 private:
  Result<void> start();
  Result<void> listen();
  void restart();
  void close();

  EventLoop& loop_;
  const UploadOptions& options_;
  Fd listening_;
  FaultRecord& fault_;
  pid_t pid_ = 0;
  Channel channel_;
  bool is_watched_ = false;
  bool ending_ = false;
  RestartDelay delay_;
  Timer restart_;
};

// Which of the served `paths` uploads go to: `asked`, which must be one of them, or else the only
// folder among them. Errors: invalid_input.
Result<Path> upload_folder_of(const std::optional<Path>& asked, const std::vector<Path>& paths);

}  // namespace nur
