// From a request to the task that answers it.
#pragma once

#include <memory>
#include <unordered_map>

#include "host/net/exchange.h"
#include "host/serve/guest_task.h"
#include "host/serve/quarantine_table.h"
#include "host/serve/registry.h"

namespace nur {

class Dispatcher final : public RequestHandler {
 public:
  // All outlive the dispatcher. Destroying it drops the tasks that are still asleep, without an
  // answer: the server goes first.
  Dispatcher(const TaskContext& context, const Registry& registry,
             const QuarantineTable& quarantine)
      : context_(context), registry_(registry), quarantine_(quarantine) {}

  void handle(Exchange& exchange) override;

 private:
  // The task for `route`, or the answer if there is none.
  std::expected<std::unique_ptr<GuestTask>, Response> make_task(const Route& route,
                                                                Function& function,
                                                                Exchange& exchange);

  const TaskContext context_;
  const Registry& registry_;
  const QuarantineTable& quarantine_;
  // Those asleep. Bounded by the connections there are: each has one exchange at most.
  std::unordered_map<GuestTask*, std::unique_ptr<GuestTask>> asleep_;
};

}  // namespace nur
