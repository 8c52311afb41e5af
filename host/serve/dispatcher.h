// From a request to the task that answers it.
#pragma once

#include <memory>

#include "host/net/exchange.h"
#include "host/serve/guest_task.h"
#include "host/serve/quarantine_table.h"
#include "host/serve/registry.h"
#include "host/serve/scheduler.h"

namespace nur {

class Dispatcher final : public RequestHandler {
 public:
  // All outlive the dispatcher. Destroying it drops the tasks that are not done, without an
  // answer: the server goes first.
  Dispatcher(const TaskContext& context, const Registry& registry,
             const QuarantineTable& quarantine)
      : context_(context),
        registry_(registry),
        quarantine_(quarantine),
        scheduler_(context_, [] {}) {}

  void handle(Exchange& exchange) override;

 private:
  // The task for `route`, or the answer if there is none.
  std::expected<std::unique_ptr<GuestTask>, Response> make_task(const Route& route,
                                                                Function& function,
                                                                Exchange& exchange);

  const TaskContext context_;
  const Registry& registry_;
  const QuarantineTable& quarantine_;
  Scheduler scheduler_;
};

}  // namespace nur
