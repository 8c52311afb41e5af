// What a function that is run once reaches beyond it: a key-value store of its own, in memory and
// gone at the end, and what its rules let it connect to.
#pragma once

#include <memory>
#include <optional>

#include "host/kv/kv_server.h"
#include "host/net/event_loop.h"
#include "host/serve/function.h"
#include "host/serve/outside.h"

namespace nur {

class RunOutside final : public Wakeable {
 public:
  // Has what `function` imports; both outlive this. Errors: exhausted; those of opening a resolver
  // and certificates.
  static Result<std::unique_ptr<RunOutside>> open(const Function& function, const Clock& clock);

  // For the function's call, which this outlives.
  [[nodiscard]] HandleServices services();
  [[nodiscard]] std::optional<HandleNetwork> network();

  // Until the function is woken, but no longer than that.
  void wait(TimePoint until);

  void wake() override { is_woken_ = true; }

 private:
  RunOutside(const Function& function, const Clock& clock, std::unique_ptr<EventLoop> loop)
      : function_(function), clock_(clock), loop_(std::move(loop)) {}
  Result<void> open_store();
  Result<void> open_network();

  const Function& function_;
  const Clock& clock_;
  const std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<KvDatabase> database_;
  std::optional<KvServer> store_;
  Outside outside_;
  bool is_woken_ = false;
};

}  // namespace nur
