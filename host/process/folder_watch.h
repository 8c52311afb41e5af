// Notices that functions or settings come, change or go in folders (inotify(7)).
//
// Only whole changes count: a file that was written and closed, moved or removed, or linked; and
// only names that a function or its settings can have. So a copy that is still being made is not
// noticed, and neither is what editors and tools leave beside a file for a while.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/fd.h"
#include "base/file.h"
#include "base/result.h"
#include "host/net/event_loop.h"

namespace nur {

class FolderWatch final : public EventHandler {
 public:
  // Errors: exhausted.
  static Result<std::unique_ptr<FolderWatch>> open(EventLoop& loop,
                                                   std::function<void()> on_change);
  ~FolderWatch() override;
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

  // Watches these and no others from here on. One that cannot be is named in the log.
  void set(const std::vector<Path>& folders);

  void on_events(std::uint32_t events) override;

 private:
  FolderWatch(EventLoop& loop, Fd fd, std::function<void()> on_change);
  [[nodiscard]] bool counts(int watch, std::uint32_t mask, const char* name) const;

  EventLoop& loop_;
  Fd fd_;
  const std::function<void()> on_change_;
  std::map<int, Path> folders_;  // by watch
};

}  // namespace nur
